//! Conditions on rows, as trees.

use super::column::{Column, Dialect, Kind, Literal, Table};
use super::key::Bucket;
use crate::differential::data::Numbers;

const COMPARISONS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];
const PATTERNS: [&str; 11] =
    ["%", "_%", "/api%", "%users", "%v1%", "/api/v_/users", "____", "host-1__.us%", "%1%2%", "ACME", "%e%"];
const REGEXES: [&str; 9] =
    ["^/api", "users$", "v[12]", "^$", "a|b", "[^\\x00-\\x7f]", "^host-0.*[0-4]\\.", "[0-9]{2}", "^(acme|beta)$"];

#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    Compare(&'static Column, &'static str, Literal),
    Columns(&'static Column, &'static str, &'static Column),
    In(&'static Column, Not, Vec<Literal>),
    Between(&'static Column, Not, Literal, Literal),
    IsNull(&'static Column, Not),
    /// The operator is LIKE or ILIKE.
    Like(&'static Column, Not, &'static str, &'static str),
    Regex(&'static Column, &'static str),
    Bucket(Bucket, &'static str, Literal),
    /// Nothing that an index knows.
    Opaque(&'static Opaque),
    /// The condition, and `IS TRUE` or the like.
    Truth(Box<Predicate>, &'static str),
    Not(Box<Predicate>),
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
    /// A condition is equal to another, or not.
    Same(Box<Predicate>, &'static str, Box<Predicate>),
    /// The column is among its own values of which there are more than a number of such rows.
    Frequent(&'static Column, Not, Box<Predicate>, u64),
}

/// `"NOT "` or nothing.
pub type Not = &'static str;

#[derive(Debug, PartialEq)]
pub struct Opaque {
    henge: &'static str,
    duckdb: &'static str,
}

const fn alike(sql: &'static str) -> Opaque {
    Opaque { henge: sql, duckdb: sql }
}

static OPAQUE: [Opaque; 11] = [
    alike("seq % 3 = 0"),
    Opaque { henge: "LENGTH(path) > 5", duckdb: "utf16_length(path) > 5" },
    alike("UPPER(tenant) = 'ACME'"),
    alike("COALESCE(code, 0) < 300"),
    alike("CASE WHEN ok THEN code = 200 ELSE level < 0 END"),
    alike("EXTRACT(HOUR FROM __time) < 12"),
    alike("bytes + size > 1000"),
    alike("CAST(code AS VARCHAR) LIKE '4%'"),
    alike("CAST(__time AS DATE) = DATE '2026-03-29'"),
    alike("SUBSTR(host, 6, 1) = '1'"),
    Opaque { henge: "code > 404.5", duckdb: "CAST(code AS DOUBLE) > CAST('404.5' AS DOUBLE)" },
];

impl Predicate {
    /// At most `depth` levels of AND, OR, NOT and the like.
    pub fn random(numbers: &mut Numbers, table: &'static Table, depth: u32) -> Self {
        if depth == 0 || numbers.below(3) == 0 {
            return Self::leaf(numbers, table);
        }
        let count = 2 + numbers.below(2);
        let inner = |numbers: &mut Numbers| Self::random(numbers, table, depth - 1);
        match numbers.below(10) {
            0..4 => Self::And((0..count).map(|_| inner(numbers)).collect()),
            4..7 => Self::Or((0..count).map(|_| inner(numbers)).collect()),
            7 => Self::Not(Box::new(inner(numbers))),
            8 => {
                let truths = ["IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE", "IS NULL", "IS NOT NULL"];
                Self::Truth(Box::new(inner(numbers)), numbers.of(&truths))
            }
            _ => Self::Same(Box::new(inner(numbers)), numbers.of(&["=", "<>"]), Box::new(inner(numbers))),
        }
    }

    fn leaf(numbers: &mut Numbers, table: &'static Table) -> Self {
        if table.has_events {
            match numbers.below(20) {
                0 => return Self::Opaque(&OPAQUE[numbers.below(OPAQUE.len() as u64) as usize]),
                1 | 2 => return Self::columns(numbers, table),
                _ => {}
            }
        }
        let column = table.column(numbers, |column| column.has_values);
        let not = numbers.of(&["", "", "NOT "]);
        match (column.kind, numbers.below(10)) {
            (Kind::Time, 0..3) => {
                let bucket = Bucket::random(numbers, table);
                Self::Bucket(bucket, numbers.of(&COMPARISONS), numbers.of(column.literals))
            }
            // A time is not equal to any other of its six hours.
            (Kind::Time, _) if !table.has_events => {
                Self::Compare(column, numbers.of(&["<", ">="]), numbers.of(column.literals))
            }
            (Kind::Text, 0 | 1) => {
                Self::Like(column, not, numbers.of(&["LIKE", "LIKE", "ILIKE"]), numbers.of(&PATTERNS))
            }
            (Kind::Text, 2) => Self::Regex(column, numbers.of(&REGEXES)),
            (_, 3) => Self::IsNull(column, not),
            (_, 4 | 5) => {
                let count = 1 + numbers.below(5);
                Self::In(column, not, (0..count).map(|_| numbers.of(column.literals)).collect())
            }
            (Kind::Text | Kind::Long | Kind::Double | Kind::Time, 6) => {
                Self::Between(column, not, numbers.of(column.literals), numbers.of(column.literals))
            }
            (_, 7) => {
                let distinct = numbers.of(&["IS DISTINCT FROM", "IS NOT DISTINCT FROM"]);
                Self::Compare(column, distinct, numbers.of(column.literals))
            }
            _ => Self::Compare(column, numbers.of(&COMPARISONS), numbers.of(column.literals)),
        }
    }

    fn columns(numbers: &mut Numbers, table: &'static Table) -> Self {
        let left = table.column(numbers, |column| column.has_values && column.kind != Kind::Boolean);
        let right = table.column(numbers, |column| column.has_values && column.kind == left.kind);
        let distinct = ["IS DISTINCT FROM", "IS NOT DISTINCT FROM"];
        Self::Columns(left, if numbers.below(4) == 0 { numbers.of(&distinct) } else { numbers.of(&COMPARISONS) }, right)
    }

    pub fn sql(&self, dialect: Dialect) -> String {
        let all = |predicates: &[Self], joint: &str| {
            format!("({})", predicates.iter().map(|inner| inner.sql(dialect)).collect::<Vec<_>>().join(joint))
        };
        match self {
            Self::Compare(column, operator, literal) => {
                format!("({} {operator} {})", column.name, literal.sql(dialect))
            }
            Self::Columns(left, operator, right) => format!("({} {operator} {})", left.name, right.name),
            Self::In(column, not, literals) => {
                let listed = literals.iter().map(|literal| literal.sql(dialect)).collect::<Vec<_>>().join(", ");
                format!("({} {not}IN ({listed}))", column.name)
            }
            Self::Between(column, not, low, high) => {
                format!("({} {not}BETWEEN {} AND {})", column.name, low.sql(dialect), high.sql(dialect))
            }
            Self::IsNull(column, not) => format!("({} IS {not}NULL)", column.name),
            Self::Like(column, not, operator, pattern) => format!("({} {not}{operator} '{pattern}')", column.name),
            Self::Regex(column, pattern) => format!("regexp_like({}, '{pattern}')", column.name),
            Self::Bucket(bucket, operator, literal) => {
                format!("({} {operator} {})", bucket.sql(dialect), literal.sql(dialect))
            }
            Self::Opaque(opaque) => {
                let sql = if dialect == Dialect::Henge { opaque.henge } else { opaque.duckdb };
                format!("({sql})")
            }
            Self::Truth(inner, truth) => format!("({} {truth})", inner.sql(dialect)),
            Self::Not(inner) => format!("(NOT {})", inner.sql(dialect)),
            Self::And(inner) => all(inner, " AND "),
            Self::Or(inner) => all(inner, " OR "),
            Self::Same(left, operator, right) => {
                format!("({} {operator} {})", left.sql(dialect), right.sql(dialect))
            }
            Self::Frequent(column, not, inner, rows) => {
                let (name, filter) = (column.name, inner.sql(dialect));
                format!(
                    "{name} {not}IN (SELECT {name} FROM requests WHERE {filter} GROUP BY {name} HAVING COUNT(*) > {rows})"
                )
            }
        }
    }

    /// Conditions with one part less.
    pub fn simpler(&self) -> Vec<Self> {
        let without_one = |inner: &[Self], tree: fn(Vec<Self>) -> Self| {
            let mut simpler = inner.to_vec();
            for (at, part) in inner.iter().enumerate() {
                simpler.extend(part.simpler().into_iter().map(|part| {
                    let mut parts = inner.to_vec();
                    parts[at] = part;
                    tree(parts)
                }));
                if inner.len() > 2 {
                    let mut parts = inner.to_vec();
                    parts.remove(at);
                    simpler.push(tree(parts));
                }
            }
            simpler
        };
        match self {
            Self::And(inner) => without_one(inner, Self::And),
            Self::Or(inner) => without_one(inner, Self::Or),
            Self::Not(inner) => {
                let mut simpler = vec![inner.as_ref().clone()];
                simpler.extend(inner.simpler().into_iter().map(|inner| Self::Not(Box::new(inner))));
                simpler
            }
            Self::Truth(inner, truth) => {
                let mut simpler = vec![inner.as_ref().clone()];
                simpler.extend(inner.simpler().into_iter().map(|inner| Self::Truth(Box::new(inner), truth)));
                simpler
            }
            Self::Same(left, operator, right) => {
                let same =
                    |left: &Self, right: &Self| Self::Same(Box::new(left.clone()), operator, Box::new(right.clone()));
                let mut simpler = vec![left.as_ref().clone(), right.as_ref().clone()];
                simpler.extend(left.simpler().iter().map(|left| same(left, right)));
                simpler.extend(right.simpler().iter().map(|right| same(left, right)));
                simpler
            }
            Self::Frequent(column, not, inner, rows) => {
                inner.simpler().into_iter().map(|inner| Self::Frequent(column, not, Box::new(inner), *rows)).collect()
            }
            Self::In(column, not, literals) if literals.len() > 1 => (0..literals.len())
                .map(|at| {
                    let mut literals = literals.clone();
                    literals.remove(at);
                    Self::In(column, not, literals)
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}
