//! The tables that statements ask, and what may be asked of each of their columns.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::differential::data::Numbers;

/// Whose SQL a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Henge,
    DuckDb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Long,
    Double,
    Boolean,
    Time,
}

/// An aggregate function of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Count,
    CountDistinct,
    Sum,
    SumDistinct,
    Min,
    Max,
    Avg,
    All,
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Literal {
    Null(Kind),
    Text(&'static str),
    Long(i64),
    Double(f64),
    Boolean(bool),
    /// Milliseconds since 1970.
    Time(i64),
}

#[derive(Debug, PartialEq)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    /// What may aggregate it.
    pub functions: &'static [Function],
    /// Whether filters and groups may name it: measures that are rolled up have no values of their own.
    pub has_values: bool,
    /// What filters compare it with.
    pub literals: &'static [Literal],
    /// Whether sums of it depend on the order of adding.
    pub adds_nearly: bool,
    /// Whether sums of it may leave 64 bits.
    pub overflows: bool,
}

#[derive(Debug, PartialEq)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
    /// Whether its rows are events, and may be counted and told apart by time.
    pub has_events: bool,
}

/// One row an event.
pub static REQUESTS: Table = Table { name: "requests", columns: &REQUEST_COLUMNS, has_events: true };

/// The same events rolled up: nobody knows how far, but no further than six hours.
pub static HOURLY: Table = Table { name: "hourly", columns: &HOURLY_COLUMNS, has_events: false };

const OF_TEXT: &[Function] = &[Function::Count, Function::CountDistinct, Function::Min, Function::Max];
const OF_LONG: &[Function] = &[
    Function::Sum,
    Function::Sum,
    Function::Sum,
    Function::Min,
    Function::Max,
    Function::Avg,
    Function::Count,
    Function::CountDistinct,
    Function::SumDistinct,
];
/// Averages of the extremes cancel out, and what remains depends on the order of adding; sums are asked apart.
const OF_WIDE_LONG: &[Function] = &[Function::Min, Function::Max, Function::Count, Function::CountDistinct];
const OF_DOUBLE: &[Function] = &[
    Function::Sum,
    Function::Sum,
    Function::Min,
    Function::Max,
    Function::Avg,
    Function::Count,
    Function::CountDistinct,
];
const OF_WILD_DOUBLE: &[Function] = &[Function::Min, Function::Max, Function::Count, Function::CountDistinct];
/// Any of the values that are equal to others may be the smallest: difference 2 of the list.
const OF_ZEROS: &[Function] = &[Function::Count];
const OF_BOOLEAN: &[Function] =
    &[Function::All, Function::Any, Function::Count, Function::CountDistinct, Function::Min, Function::Max];

const TIME: Column = dimension(
    "__time",
    Kind::Time,
    &[Function::Min, Function::Max, Function::Count, Function::CountDistinct],
    &[
        Literal::Time(-2_208_988_800_000),
        Literal::Time(-1),
        Literal::Time(0),
        Literal::Time(1_774_656_000_000),
        Literal::Time(1_774_677_599_999),
        Literal::Time(1_774_677_600_000),
        Literal::Time(1_774_720_800_000),
        Literal::Time(1_774_746_000_000),
        Literal::Time(1_774_747_801_234),
        Literal::Time(1_774_828_800_000),
        Literal::Time(253_000_000_000_000),
        Literal::Null(Kind::Time),
    ],
);

/// Compared with multiples of six hours alone, which no rollup crosses.
const COARSE_TIME: Column = dimension(
    "__time",
    Kind::Time,
    &[],
    &[
        Literal::Time(0),
        Literal::Time(1_774_656_000_000),
        Literal::Time(1_774_677_600_000),
        Literal::Time(1_774_699_200_000),
        Literal::Time(1_774_742_400_000),
        Literal::Time(1_774_828_800_000),
        Literal::Null(Kind::Time),
    ],
);

const TENANT: Column = dimension(
    "tenant",
    Kind::Text,
    OF_TEXT,
    &[
        Literal::Text("acme"),
        Literal::Text("beta"),
        Literal::Text(""),
        Literal::Text("日本"),
        Literal::Text("b"),
        Literal::Text("zzz"),
        Literal::Null(Kind::Text),
    ],
);

const CODE: Column = dimension(
    "code",
    Kind::Long,
    OF_LONG,
    &[
        Literal::Long(200),
        Literal::Long(301),
        Literal::Long(404),
        Literal::Long(499),
        Literal::Long(503),
        Literal::Long(-1),
        Literal::Null(Kind::Long),
    ],
);

const OK: Column = dimension("ok", Kind::Boolean, OF_BOOLEAN, &[Literal::Boolean(true), Literal::Boolean(false)]);

const WIDE_LONGS: &[Literal] = &[
    Literal::Long(i64::MIN),
    Literal::Long(i64::MIN + 1),
    Literal::Long(-1),
    Literal::Long(0),
    Literal::Long(41),
    Literal::Long(1 << 53),
    Literal::Long(i64::MAX),
    Literal::Null(Kind::Long),
];

const PLAIN_DOUBLES: &[Literal] = &[
    Literal::Double(-1.5),
    Literal::Double(-0.0),
    Literal::Double(0.0),
    Literal::Double(1.0),
    Literal::Double(40.0625),
    Literal::Double(1e9),
    Literal::Null(Kind::Double),
];

static REQUEST_COLUMNS: [Column; 22] = [
    TIME,
    TENANT,
    dimension(
        "host",
        Kind::Text,
        OF_TEXT,
        &[Literal::Text("host-007.us.example"), Literal::Text("host-150"), Literal::Text("host-299.ap.example")],
    ),
    dimension(
        "peer",
        Kind::Text,
        OF_TEXT,
        &[Literal::Text("host-007.eu.example"), Literal::Text("host-150"), Literal::Null(Kind::Text)],
    ),
    dimension(
        "path",
        Kind::Text,
        OF_TEXT,
        &[
            Literal::Text("/"),
            Literal::Text("/api/v1/users"),
            Literal::Text("/thirteenbyte"),
            Literal::Text("a_b"),
            Literal::Text("it's"),
            Literal::Text("back\\slash"),
            Literal::Text("two\nlines"),
            Literal::Text("\u{10ffff}"),
            Literal::Text(""),
        ],
    ),
    dimension(
        "note",
        Kind::Text,
        OF_TEXT,
        &[Literal::Text("rare"), Literal::Text("long"), Literal::Text(""), Literal::Null(Kind::Text)],
    ),
    dimension(
        "digits",
        Kind::Text,
        OF_TEXT,
        &[
            Literal::Text("1"),
            Literal::Text("01"),
            Literal::Text("1.0"),
            Literal::Text("-0"),
            Literal::Text("NaN"),
            Literal::Text("null"),
            Literal::Text("9"),
        ],
    ),
    dimension("same", Kind::Text, OF_TEXT, &[Literal::Text("only"), Literal::Text("other"), Literal::Text("onl")]),
    dimension(
        "trace",
        Kind::Text,
        OF_TEXT,
        &[Literal::Text("8"), Literal::Text("0000000000000000"), Literal::Text("ffff")],
    ),
    CODE,
    OK,
    Column { overflows: true, ..dimension("big", Kind::Long, OF_WIDE_LONG, WIDE_LONGS) },
    dimension(
        "ratio",
        Kind::Double,
        OF_WILD_DOUBLE,
        &[
            Literal::Double(f64::NEG_INFINITY),
            Literal::Double(-1e308),
            Literal::Double(-5e-324),
            Literal::Double(0.0),
            Literal::Double(5e-324),
            Literal::Double(0.1),
            Literal::Double(1.0),
            Literal::Double(9_007_199_254_740_993.0),
            Literal::Double(f64::INFINITY),
            Literal::Double(f64::NAN),
            Literal::Null(Kind::Double),
        ],
    ),
    dimension("level", Kind::Double, OF_DOUBLE, PLAIN_DOUBLES),
    dimension("signed", Kind::Double, OF_ZEROS, PLAIN_DOUBLES),
    dimension(
        "seq",
        Kind::Long,
        OF_LONG,
        &[Literal::Long(-1), Literal::Long(0), Literal::Long(1_023), Literal::Long(1_024), Literal::Long(3_000)],
    ),
    dimension(
        "bytes",
        Kind::Long,
        OF_LONG,
        &[Literal::Long(-1_000), Literal::Long(0), Literal::Long(500_000), Literal::Long(1_048_576)],
    ),
    dimension("size", Kind::Long, OF_LONG, &[Literal::Long(0), Literal::Long(1 << 38), Literal::Long(-(1 << 39))]),
    Column { overflows: true, ..dimension("huge", Kind::Long, OF_WIDE_LONG, WIDE_LONGS) },
    dimension("cost", Kind::Double, OF_DOUBLE, PLAIN_DOUBLES),
    dimension("low", Kind::Double, OF_DOUBLE, PLAIN_DOUBLES),
    Column {
        adds_nearly: true,
        ..dimension("price", Kind::Double, OF_DOUBLE, &[Literal::Double(0.1), Literal::Double(99.9)])
    },
];

static HOURLY_COLUMNS: [Column; 11] = [
    COARSE_TIME,
    TENANT_MERGED,
    CODE_MERGED,
    OK_MERGED,
    measure("events", Kind::Long, &[Function::Sum]),
    measure("bytes", Kind::Long, &[Function::Sum]),
    measure("size_min", Kind::Long, &[Function::Min]),
    measure("size_max", Kind::Long, &[Function::Max]),
    measure("cost", Kind::Double, &[Function::Sum]),
    measure("low", Kind::Double, &[Function::Min]),
    measure("high", Kind::Double, &[Function::Max]),
];

/// Counts and sums of these would tell how many rows there are.
const TENANT_MERGED: Column = Column { functions: &[Function::Min, Function::Max, Function::CountDistinct], ..TENANT };
const CODE_MERGED: Column = Column { functions: &[Function::Min, Function::Max, Function::CountDistinct], ..CODE };
const OK_MERGED: Column = Column { functions: &[Function::All, Function::Any, Function::CountDistinct], ..OK };

const fn dimension(
    name: &'static str,
    kind: Kind,
    functions: &'static [Function],
    literals: &'static [Literal],
) -> Column {
    Column { name, kind, functions, has_values: true, literals, adds_nearly: false, overflows: false }
}

const fn measure(name: &'static str, kind: Kind, functions: &'static [Function]) -> Column {
    Column { name, kind, functions, has_values: false, literals: &[], adds_nearly: false, overflows: false }
}

impl Table {
    /// A column that fits; some column must.
    pub fn column(&self, numbers: &mut Numbers, fits: impl Fn(&Column) -> bool) -> &'static Column {
        let fitting: Vec<&Column> = self.columns.iter().filter(|column| fits(column)).collect();
        numbers.of(&fitting)
    }
}

impl Literal {
    pub fn sql(&self, dialect: Dialect) -> String {
        match self {
            Self::Null(Kind::Double) => "CAST(NULL AS DOUBLE)".to_owned(),
            Self::Null(Kind::Time) => "CAST(NULL AS TIMESTAMP)".to_owned(),
            Self::Null(_) => "NULL".to_owned(),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            // Its digits alone are beyond 64 bits before the sign is seen.
            Self::Long(i64::MIN) => format!("CAST('{}' AS BIGINT)", i64::MIN),
            Self::Long(number) => number.to_string(),
            Self::Double(number) if dialect == Dialect::DuckDb || !number.is_finite() => {
                format!("CAST('{}' AS DOUBLE)", double(*number))
            }
            Self::Double(number) => double(*number),
            Self::Boolean(flag) => flag.to_string().to_uppercase(),
            Self::Time(millis) => {
                let time = Timestamp::from_millisecond(*millis).expect("it lies within the calendar");
                format!("TIMESTAMP '{}'", TimeZone::UTC.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S%.3f"))
            }
        }
    }
}

/// As text that reads back as the same bits.
pub fn double(number: f64) -> String {
    match number {
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        number => format!("{number:?}"),
    }
}
