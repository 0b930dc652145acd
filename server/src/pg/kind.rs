use henge_query::answer::ResultColumn;

/// What the values of a column are, of the types that PostgreSQL's clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    Long,
    Double,
    Numeric,
    Text,
    /// An instant: `timestamp with time zone`.
    Time,
    Date,
    LongArray,
    DoubleArray,
    TextArray,
}

impl Kind {
    pub fn of(column: &ResultColumn) -> Self {
        match (column.sql_type.as_str(), column.druid_type.as_str()) {
            ("BIGINT", _) => Self::Long,
            ("DOUBLE", _) => Self::Double,
            ("DECIMAL", _) => Self::Numeric,
            ("BOOLEAN", _) => Self::Boolean,
            ("TIMESTAMP", _) => Self::Time,
            ("DATE", _) => Self::Date,
            ("ARRAY", "ARRAY<LONG>") => Self::LongArray,
            ("ARRAY", "ARRAY<DOUBLE>") => Self::DoubleArray,
            ("ARRAY", _) => Self::TextArray,
            _ => Self::Text,
        }
    }

    /// From PostgreSQL's `pg_type.dat`.
    pub fn oid(self) -> u32 {
        match self {
            Self::Boolean => 16,
            Self::Long => 20,
            Self::Double => 701,
            Self::Numeric => 1700,
            Self::Text => 25,
            Self::Time => 1184,
            Self::Date => 1082,
            Self::LongArray => 1016,
            Self::DoubleArray => 1022,
            Self::TextArray => 1009,
        }
    }

    /// In bytes; -1 where values differ in length.
    pub fn length(self) -> i16 {
        match self {
            Self::Boolean => 1,
            Self::Date => 4,
            Self::Long | Self::Double | Self::Time => 8,
            _ => -1,
        }
    }

    /// Of the items of an array.
    pub fn item(self) -> Self {
        match self {
            Self::LongArray => Self::Long,
            Self::DoubleArray => Self::Double,
            _ => Self::Text,
        }
    }
}
