//! What is computed of a group's rows.

use super::column::{Column, Dialect, Function, Kind, Literal, Table};
use super::predicate::Predicate;
use crate::differential::data::Numbers;

#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// `None` counts rows.
    of: Option<(Function, Argument)>,
    filter: Option<Predicate>,
    around: Around,
}

#[derive(Debug, Clone, PartialEq)]
enum Argument {
    Column(&'static Column),
    Plus(&'static Column, i64),
    /// Of two columns of longs.
    Times(&'static Column, &'static Column),
    /// The one where the condition holds, else the other or, without one, zero.
    Either(&'static Column, Box<Predicate>, Option<&'static Column>),
    /// Its value where the condition holds, else null.
    Where(&'static Column, Box<Predicate>),
}

/// What the aggregate itself is an argument of.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Around {
    Nothing,
    /// Null in groups of at most so many rows.
    RowsAbove(u64),
    /// Null becomes the number.
    Coalesce,
    /// Of a DOUBLE, divided by the rows.
    PerRow,
    Plus(i64),
}

impl Aggregate {
    pub fn rows() -> Self {
        Self { of: None, filter: None, around: Around::Nothing }
    }

    /// A sum that leaves 64 bits in many groups. Nothing may stand around the groups that leaves some of them out.
    pub fn overflowing(numbers: &mut Numbers, table: &'static Table) -> Self {
        let column = table.column(numbers, |column| column.overflows);
        let filter = (numbers.below(2) == 0).then(|| Predicate::random(numbers, table, 1));
        Self { of: Some((Function::Sum, Argument::Column(column))), filter, around: Around::Nothing }
    }

    pub fn random(numbers: &mut Numbers, table: &'static Table) -> Self {
        let mut aggregate =
            if table.has_events && numbers.below(4) == 0 { Self::rows() } else { Self::of_column(numbers, table) };
        if numbers.below(5) == 0 {
            aggregate.filter = Some(Predicate::random(numbers, table, 1));
        }
        if table.has_events && numbers.below(5) == 0 {
            aggregate.around = match (aggregate.kind(), numbers.below(4)) {
                (Kind::Double, 0 | 1) if !aggregate.is_wild() => Around::PerRow,
                (Kind::Double | Kind::Long, 2) => Around::Coalesce,
                (Kind::Long, 3) if !aggregate.is_wild() => Around::Plus(numbers.of(&[-1, 1, 1_000])),
                _ => Around::RowsAbove(numbers.of(&[0, 3, 40])),
            };
        }
        aggregate
    }

    fn of_column(numbers: &mut Numbers, table: &'static Table) -> Self {
        let column = table.column(numbers, |column| !column.functions.is_empty());
        let function = numbers.of(column.functions);
        let argument = match numbers.below(12) {
            0 if table.has_events && column.kind == Kind::Long && !column.overflows => {
                Argument::Plus(column, numbers.of(&[1, -7, 1_000]))
            }
            1 if table.has_events && is_small_long(column) => {
                Argument::Times(column, table.column(numbers, is_small_long))
            }
            2 | 3 if table.has_events && matches!(column.kind, Kind::Long | Kind::Double) => {
                let is_like = |other: &Column| {
                    (other.kind, other.adds_nearly, other.overflows, other.functions)
                        == (column.kind, column.adds_nearly, column.overflows, column.functions)
                };
                let other = (numbers.below(2) == 0).then(|| table.column(numbers, is_like));
                Argument::Either(column, Box::new(Predicate::random(numbers, table, 1)), other)
            }
            4 => Argument::Where(column, Box::new(Predicate::random(numbers, table, 1))),
            _ => Argument::Column(column),
        };
        Self { of: Some((function, argument)), filter: None, around: Around::Nothing }
    }

    pub fn sql(&self, dialect: Dialect) -> String {
        let filter = match &self.filter {
            Some(filter) => format!(" FILTER (WHERE {})", filter.sql(dialect)),
            None => String::new(),
        };
        let inner = match &self.of {
            None => format!("COUNT(*){filter}"),
            Some((function, argument)) => {
                let argument = argument.sql(dialect);
                let call = match function {
                    Function::Count => format!("COUNT({argument})"),
                    Function::CountDistinct => format!("COUNT(DISTINCT {argument})"),
                    Function::Sum => format!("SUM({argument})"),
                    Function::SumDistinct => format!("SUM(DISTINCT {argument})"),
                    Function::Min => format!("MIN({argument})"),
                    Function::Max => format!("MAX({argument})"),
                    Function::Avg => format!("AVG({argument})"),
                    Function::All => format!("BOOL_AND({argument})"),
                    Function::Any => format!("BOOL_OR({argument})"),
                };
                // DuckDB's sums of BIGINT are HUGEINT: difference 1 of the list.
                match dialect {
                    Dialect::DuckDb if self.is_long_sum() => format!("CAST({call}{filter} AS BIGINT)"),
                    _ => format!("{call}{filter}"),
                }
            }
        };
        match self.around {
            Around::Nothing => inner,
            Around::RowsAbove(rows) => format!("CASE WHEN COUNT(*) > {rows} THEN {inner} END"),
            Around::Coalesce => format!("COALESCE({inner}, {})", self.zero().sql(dialect)),
            Around::PerRow => format!("{inner} / COUNT(*)"),
            Around::Plus(number) => format!("{inner} + {number}"),
        }
    }

    pub fn kind(&self) -> Kind {
        match &self.of {
            None | Some((Function::Count | Function::CountDistinct, _)) => Kind::Long,
            Some((Function::Avg, _)) => Kind::Double,
            Some((_, argument)) => argument.column().kind,
        }
    }

    /// Whether the result depends on the order of adding.
    pub fn is_near(&self) -> bool {
        matches!(&self.of, Some((Function::Sum | Function::Avg, argument)) if argument.column().adds_nearly)
    }

    /// Whether there may be no result in 64 bits.
    pub fn overflows(&self) -> bool {
        matches!(&self.of, Some((Function::Sum, argument)) if argument.column().overflows)
    }

    /// What merges the results of two parts of the rows, if anything does.
    pub fn merge(&self) -> Option<Function> {
        match (&self.of, self.around) {
            _ if self.is_near() || self.overflows() => None,
            (None | Some((Function::Count | Function::Sum, _)), Around::Nothing) => Some(Function::Sum),
            (
                Some((function @ (Function::Min | Function::Max | Function::All | Function::Any), _)),
                Around::Nothing,
            ) => Some(*function),
            _ => None,
        }
    }

    pub fn simpler(&self) -> Vec<Self> {
        let mut simpler = Vec::new();
        if self.around != Around::Nothing {
            simpler.push(Self { around: Around::Nothing, ..self.clone() });
        }
        if let Some(filter) = &self.filter {
            simpler.push(Self { filter: None, ..self.clone() });
            simpler.extend(filter.simpler().into_iter().map(|filter| Self { filter: Some(filter), ..self.clone() }));
        }
        if let Some((function, argument)) = &self.of {
            let of = |argument| Self { of: Some((*function, argument)), ..self.clone() };
            simpler.extend(argument.simpler().into_iter().map(of));
        }
        simpler
    }

    fn is_long_sum(&self) -> bool {
        matches!(&self.of, Some((Function::Sum | Function::SumDistinct, argument)) if argument.column().kind == Kind::Long)
    }

    /// Whether one more may leave 64 bits, or parts of it are NaN.
    fn is_wild(&self) -> bool {
        matches!(&self.of, Some((_, argument)) if argument.column().overflows || argument.column().name == "ratio")
    }

    fn zero(&self) -> Literal {
        if self.kind() == Kind::Double { Literal::Double(0.0) } else { Literal::Long(0) }
    }
}

impl Argument {
    fn column(&self) -> &'static Column {
        match self {
            Self::Column(column)
            | Self::Plus(column, _)
            | Self::Times(column, _)
            | Self::Either(column, ..)
            | Self::Where(column, _) => column,
        }
    }

    fn simpler(&self) -> Vec<Self> {
        let mut simpler = match self {
            Self::Column(_) => return Vec::new(),
            Self::Plus(..) | Self::Times(..) => Vec::new(),
            Self::Where(column, filter) => {
                filter.simpler().into_iter().map(|filter| Self::Where(column, Box::new(filter))).collect()
            }
            Self::Either(column, filter, other) => {
                filter.simpler().into_iter().map(|filter| Self::Either(column, Box::new(filter), *other)).collect()
            }
        };
        simpler.push(Self::Column(self.column()));
        simpler
    }

    fn sql(&self, dialect: Dialect) -> String {
        match self {
            Self::Column(column) => column.name.to_owned(),
            Self::Plus(column, number) => format!("{} + {number}", column.name),
            Self::Times(left, right) => format!("{} * {}", left.name, right.name),
            Self::Either(column, filter, other) => {
                let zero = if column.kind == Kind::Double { Literal::Double(0.0) } else { Literal::Long(0) };
                let other = other.map_or_else(|| zero.sql(dialect), |other| other.name.to_owned());
                format!("CASE WHEN {} THEN {} ELSE {other} END", filter.sql(dialect), column.name)
            }
            Self::Where(column, filter) => format!("CASE WHEN {} THEN {} END", filter.sql(dialect), column.name),
        }
    }
}

/// Whether products of it stay far within 64 bits.
fn is_small_long(column: &Column) -> bool {
    ["code", "seq", "bytes"].contains(&column.name)
}
