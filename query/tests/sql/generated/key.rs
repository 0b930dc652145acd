//! What rows are grouped by.

use super::column::{Column, Dialect, Kind, Table};
use crate::differential::data::Numbers;

#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    Column(&'static Column),
    Bucket(Bucket),
    Computed(&'static Computed),
}

/// An expression of `requests`.
#[derive(Debug, PartialEq)]
pub struct Computed {
    henge: &'static str,
    duckdb: &'static str,
    kind: Kind,
}

/// The start of the span of time that holds `__time`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    period: &'static Period,
    zone: Option<&'static str>,
    origin: Option<&'static str>,
}

#[derive(Debug, PartialEq)]
struct Period {
    iso: &'static str,
    interval: &'static str,
    /// Where Henge starts to count without being told.
    origin: &'static str,
    /// Whether six hours lie within one of it.
    is_coarse: bool,
}

const EPOCH: &str = "1970-01-01 00:00:00";
const MONDAY: &str = "1969-12-29 00:00:00";
/// Each lies within one bucket of six hours or more, so that rolled-up rows do not cross buckets counted from it.
const ORIGINS: [&str; 3] = ["2026-03-28 06:00:00", "2001-07-15 18:00:00", "1969-12-28 00:00:00"];
/// Whose clocks change at other times than midnight.
const ZONES: [&str; 4] = ["Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe"];

static PERIODS: [Period; 14] = [
    fixed("PT1S", "1 second", false),
    fixed("PT1M", "1 minute", false),
    fixed("PT5M", "5 minutes", false),
    fixed("PT90M", "90 minutes", false),
    fixed("PT1H", "1 hour", false),
    fixed("PT6H", "6 hours", true),
    fixed("PT12H", "12 hours", true),
    fixed("P1D", "1 day", true),
    fixed("P3D", "3 days", true),
    Period { iso: "P1W", interval: "7 days", origin: MONDAY, is_coarse: true },
    Period { iso: "P2W", interval: "14 days", origin: MONDAY, is_coarse: true },
    fixed("P1M", "1 month", true),
    fixed("P3M", "3 months", true),
    fixed("P1Y", "12 months", true),
];

const fn fixed(iso: &'static str, interval: &'static str, is_coarse: bool) -> Period {
    Period { iso, interval, origin: EPOCH, is_coarse }
}

const fn alike(sql: &'static str, kind: Kind) -> Computed {
    Computed { henge: sql, duckdb: sql, kind }
}

const fn told(henge: &'static str, duckdb: &'static str) -> Computed {
    Computed { henge, duckdb, kind: Kind::Time }
}

static COMPUTED: [Computed; 18] = [
    alike("UPPER(tenant)", Kind::Text),
    alike("SUBSTR(host, 1, 6)", Kind::Text),
    alike("path || '!'", Kind::Text),
    alike("COALESCE(tenant, 'nobody')", Kind::Text),
    alike("CASE WHEN code >= 500 THEN 'server' WHEN code >= 400 THEN 'client' ELSE 'fine' END", Kind::Text),
    alike("CASE WHEN tenant = 'acme' THEN host END", Kind::Text),
    Computed { henge: "LENGTH(path)", duckdb: "utf16_length(path)", kind: Kind::Long },
    alike("code % 100", Kind::Long),
    alike("seq % 7", Kind::Long),
    alike("code + 1", Kind::Long),
    alike("EXTRACT(HOUR FROM __time)", Kind::Long),
    alike("tenant IS NULL", Kind::Boolean),
    alike("code >= 400", Kind::Boolean),
    alike("host = peer", Kind::Boolean),
    told("FLOOR(__time TO HOUR)", "date_trunc('hour', __time)"),
    told("FLOOR(__time TO WEEK)", "date_trunc('week', __time)"),
    told("DATE_TRUNC('quarter', __time)", "date_trunc('quarter', __time)"),
    told("DATE_TRUNC('day', __time)", "date_trunc('day', __time)"),
];

impl Key {
    pub fn random(numbers: &mut Numbers, table: &'static Table) -> Self {
        match numbers.below(10) {
            0..3 => Self::Bucket(Bucket::random(numbers, table)),
            3 | 4 if table.has_events => Self::Computed(&COMPUTED[numbers.below(COMPUTED.len() as u64) as usize]),
            _ => Self::Column(table.column(numbers, |column| {
                // Zeros of either sign are two groups: difference 2 of the list.
                column.has_values && column.name != "signed" && (table.has_events || column.kind != Kind::Time)
            })),
        }
    }

    pub fn sql(&self, dialect: Dialect) -> String {
        match self {
            Self::Column(column) => column.name.to_owned(),
            Self::Bucket(bucket) => bucket.sql(dialect),
            Self::Computed(computed) if dialect == Dialect::Henge => computed.henge.to_owned(),
            Self::Computed(computed) => computed.duckdb.to_owned(),
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Column(column) => column.kind,
            Self::Bucket(_) => Kind::Time,
            Self::Computed(computed) => computed.kind,
        }
    }
}

impl Bucket {
    pub fn random(numbers: &mut Numbers, table: &'static Table) -> Self {
        let fits = |period: &&Period| table.has_events || period.is_coarse;
        let periods: Vec<&Period> = PERIODS.iter().filter(fits).collect();
        let period = numbers.of(&periods);
        // An hour that a change of clocks repeats is two, of which texts that name it mean one.
        let zone = (table.has_events && period.is_coarse && numbers.below(2) == 0).then(|| numbers.of(&ZONES));
        let has_months = period.interval.ends_with("month") || period.interval.ends_with("months");
        let origin = (zone.is_none() && !has_months && numbers.below(4) == 0).then(|| numbers.of(&ORIGINS));
        Self { period, zone, origin }
    }

    pub fn sql(&self, dialect: Dialect) -> String {
        let Period { iso, interval, origin, .. } = self.period;
        let origin = self.origin.unwrap_or(origin);
        match (dialect, self.zone) {
            (Dialect::Henge, Some(zone)) => format!("TIME_FLOOR(__time, '{iso}', NULL, '{zone}')"),
            (Dialect::Henge, None) if self.origin.is_some() => {
                format!("TIME_FLOOR(__time, '{iso}', TIMESTAMP '{origin}')")
            }
            (Dialect::Henge, None) => format!("TIME_FLOOR(__time, '{iso}')"),
            (Dialect::DuckDb, None) => format!("time_bucket(INTERVAL '{interval}', __time, TIMESTAMP '{origin}')"),
            (Dialect::DuckDb, Some(zone)) => format!(
                "time_bucket(INTERVAL '{interval}', __time AT TIME ZONE 'UTC' AT TIME ZONE '{zone}', \
                 TIMESTAMP '{origin}') AT TIME ZONE '{zone}' AT TIME ZONE 'UTC'"
            ),
        }
    }
}
