//! What macros stand for.

use std::ops::Range;

use henge_query::pieces::PieceKind;
use henge_segment_store::schema::TIME_COLUMN;
use henge_segment_store::time::Granularity;
use jiff::tz::TimeZone;

use super::ad_hoc;
use super::bucket::{Bucket, Fill, period_of, period_of_text};
use super::expansion::Expander;
use super::position::Fragment;
use super::sql_text;
use super::window::Window;
use crate::error::ApiError;

/// A macro as people are told of it.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Macro {
    pub name: &'static str,
    pub signature: &'static str,
    pub description: &'static str,
}

const fn described(name: &'static str, signature: &'static str, description: &'static str) -> Macro {
    Macro { name, signature, description }
}

/// All of them.
pub const MACROS: [Macro; 38] = [
    described("$__timeFilter", "$__timeFilter(column)", "whether a time lies in the panel's range"),
    described("$__timeFilter_ms", "$__timeFilter_ms(column)", "the same of a number of milliseconds since 1970"),
    described("$__timeFrom", "$__timeFrom", "the start of the range as a TIMESTAMP"),
    described("$__timeTo", "$__timeTo", "the end of the range, which is not part of it"),
    described("$__timeFrom_ms", "$__timeFrom_ms", "the start in milliseconds since 1970"),
    described("$__timeTo_ms", "$__timeTo_ms", "the end in milliseconds since 1970"),
    described("$__fromTime", "$__fromTime", "the same as $__timeFrom"),
    described("$__toTime", "$__toTime", "the same as $__timeTo"),
    described("$__fromTime_ms", "$__fromTime_ms", "the same as $__timeFrom_ms"),
    described("$__toTime_ms", "$__toTime_ms", "the same as $__timeTo_ms"),
    described(
        "$__timeGroup",
        "$__timeGroup(column, '5m'[, fill])",
        "the bucket of a time; fill is NULL, 0, previous or linear",
    ),
    described("$__timeGroupAlias", "$__timeGroupAlias(column, '5m'[, fill])", "the same AS \"time\""),
    described("$__timeInterval", "$__timeInterval(column)", "the bucket of a time, as long as the panel wants it"),
    described("$__dateBin", "$__dateBin(column)", "the same"),
    described("$__dateBinAlias", "$__dateBinAlias(column)", "the same AS \"time\""),
    described("$__interval", "$__interval", "the length of the panel's buckets as a period, 'PT1M'"),
    described("$__interval_ms", "$__interval_ms", "the same in milliseconds"),
    described("$__interval_s", "$__interval_s", "the same in seconds"),
    described("$__rate_interval", "$__rate_interval", "a period that is long enough for rates"),
    described("$__rate_interval_ms", "$__rate_interval_ms", "the same in milliseconds"),
    described("$__rate_interval_s", "$__rate_interval_s", "the same in seconds"),
    described("$__range", "$__range", "the length of the range as a period"),
    described("$__range_ms", "$__range_ms", "the same in milliseconds"),
    described("$__range_s", "$__range_s", "the same in seconds"),
    described("$__from", "$__from", "the start in milliseconds since 1970"),
    described("$__to", "$__to", "the end in milliseconds since 1970"),
    described("$__unixEpochFilter", "$__unixEpochFilter(column)", "whether seconds since 1970 lie in the range"),
    described("$__unixEpochFrom", "$__unixEpochFrom()", "the start in seconds since 1970"),
    described("$__unixEpochTo", "$__unixEpochTo()", "the end in seconds since 1970"),
    described("$__unixEpochGroup", "$__unixEpochGroup(column, '5m'[, fill])", "the bucket of seconds since 1970"),
    described("$__unixEpochGroupAlias", "$__unixEpochGroupAlias(column, '5m'[, fill])", "the same AS \"time\""),
    described(
        "$__unixEpochNanoFilter",
        "$__unixEpochNanoFilter(column)",
        "whether nanoseconds since 1970 lie in the range",
    ),
    described("$__unixEpochNanoFrom", "$__unixEpochNanoFrom()", "the start in nanoseconds since 1970"),
    described("$__unixEpochNanoTo", "$__unixEpochNanoTo()", "the end in nanoseconds since 1970"),
    described(
        "$__unixEpochNanoGroup",
        "$__unixEpochNanoGroup(column, '5m'[, fill])",
        "the bucket of nanoseconds since 1970",
    ),
    described("$__unixEpochNanoGroupAlias", "$__unixEpochNanoGroupAlias(column, '5m'[, fill])", "the same AS \"time\""),
    described("$__adhocFilters", "$__adhocFilters", "whether a row passes the filters of the dashboard"),
    described(
        "$__conditionalAll",
        "$__conditionalAll(condition, $variable)",
        "the condition, or TRUE where all values are chosen",
    ),
];

/// A macro that is a single value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    Text(String),
    Number(String),
}

impl Scalar {
    pub fn into_text(self) -> String {
        match self {
            Self::Text(text) | Self::Number(text) => text,
        }
    }

    fn literal(&self) -> String {
        match self {
            Self::Text(text) => sql_text::text(text),
            Self::Number(digits) => sql_text::number(digits),
        }
    }
}

/// `None` of other macros.
pub fn scalar(name: &str, window: &Window) -> Option<Scalar> {
    let (start, end) = (window.range.start().0, window.range.end().0);
    let lengths =
        [("interval", window.interval_ms), ("rate_interval", window.rate_interval_ms()), ("range", window.length_ms())];
    for (length, millis) in lengths {
        match name.strip_prefix(length) {
            Some("") => return Some(Scalar::Text(period_of(millis))),
            Some("_ms") => return Some(Scalar::Number(millis.to_string())),
            Some("_s") if millis % 1_000 == 0 => return Some(Scalar::Number((millis / 1_000).to_string())),
            Some("_s") => return Some(Scalar::Number(format!("{}.{:03}", millis / 1_000, millis % 1_000))),
            _ => {}
        }
    }
    Some(Scalar::Number(match name {
        "from" | "timeFrom_ms" | "fromTime_ms" => start.to_string(),
        "to" | "timeTo_ms" | "toTime_ms" => end.to_string(),
        "unixEpochFrom" => seconds_from(start).to_string(),
        "unixEpochTo" => seconds_from(end).to_string(),
        "unixEpochNanoFrom" => nanos(start).to_string(),
        "unixEpochNanoTo" => nanos(end).to_string(),
        _ => return None,
    }))
}

/// The first whole second that is not before.
fn seconds_from(millis: i64) -> i64 {
    -(-millis).div_euclid(1_000)
}

/// Beyond 64 bits the nearest that fits.
fn nanos(millis: i64) -> i64 {
    millis.saturating_mul(1_000_000)
}

/// The units that unix times come in.
#[derive(Clone, Copy)]
enum Unit {
    Seconds,
    Nanos,
}

/// What a macro stands for; `name` without its `$__`.
pub(super) fn expand(
    expander: &mut Expander<'_>,
    name: &str,
    at: usize,
    arguments: &[Range<usize>],
) -> Result<Fragment, ApiError> {
    Call { expander, name, at, arguments }.expand()
}

struct Call<'c, 'a> {
    expander: &'c mut Expander<'a>,
    name: &'c str,
    at: usize,
    arguments: &'c [Range<usize>],
}

impl Call<'_, '_> {
    fn expand(mut self) -> Result<Fragment, ApiError> {
        let range = self.expander.context.window.range;
        let (from, to) = (sql_text::time(range.start()), sql_text::time(range.end()));
        let window = self.expander.context.window;
        let bound = |name: &str| scalar(name, window).map(|scalar| scalar.literal()).unwrap_or_default();
        match self.name {
            "timeFilter" => self.between(&from, &to),
            "timeFilter_ms" | "unixEpochFilter" | "unixEpochNanoFilter" => {
                let (start, end) = match self.name {
                    "timeFilter_ms" => ("from", "to"),
                    "unixEpochFilter" => ("unixEpochFrom", "unixEpochTo"),
                    _ => ("unixEpochNanoFrom", "unixEpochNanoTo"),
                };
                let (start, end) = (bound(start), bound(end));
                self.between(&start, &end)
            }
            "timeFrom" | "fromTime" => self.bound(" >= ", &from),
            "timeTo" | "toTime" => self.bound(" < ", &to),
            "timeGroup" => self.group(""),
            "timeGroupAlias" => self.group(" AS \"time\""),
            "timeInterval" | "dateBin" => self.bin(""),
            "dateBinAlias" => self.bin(" AS \"time\""),
            "unixEpochGroup" => self.unix_group(Unit::Seconds, ""),
            "unixEpochGroupAlias" => self.unix_group(Unit::Seconds, " AS \"time\""),
            "unixEpochNanoGroup" => self.unix_group(Unit::Nanos, ""),
            "unixEpochNanoGroupAlias" => self.unix_group(Unit::Nanos, " AS \"time\""),
            "adhocFilters" => self.ad_hoc_filters(),
            "conditionalAll" => self.conditional_all(),
            name => match scalar(name, window) {
                Some(value) if self.arguments.is_empty() => self.written(&[Part::Text(&value.literal())]),
                Some(_) => Err(self.usage()),
                None => Err(self.unknown()),
            },
        }
    }

    fn fault(&self, message: impl Into<String>) -> ApiError {
        self.expander.fault(self.at, ApiError::invalid(message))
    }

    fn usage(&self) -> ApiError {
        let name = format!("$__{}", self.name);
        let signature = MACROS.iter().find(|known| known.name == name).map_or("", |known| known.signature);
        self.fault(format!("`{name}` is written {signature}"))
    }

    fn unknown(&self) -> ApiError {
        let name = format!("$__{}", self.name);
        let nearest = MACROS.iter().min_by_key(|known| strsim::osa_distance(known.name, &name));
        let nearest = nearest.map(|nearest| format!("; the nearest is {}", nearest.signature)).unwrap_or_default();
        self.fault(format!("`{name}` is no macro{nearest}"))
    }

    fn written(&self, parts: &[Part<'_>]) -> Result<Fragment, ApiError> {
        let mut fragment = Fragment::default();
        for part in parts {
            match part {
                Part::Text(text) => fragment.push(text, self.at),
                Part::Fragment(inner) => fragment.push_fragment(inner),
            }
            // Macros within each other double what they say.
            self.expander.check_length(&fragment.text, self.at)?;
        }
        Ok(fragment)
    }

    /// An argument, expanded, without the blanks around it.
    fn argument(&mut self, number: usize) -> Result<Option<Fragment>, ApiError> {
        let Some(range) = self.arguments.get(number).cloned() else { return Ok(None) };
        let pieces = self.expander.statement.pieces;
        let is_said = |at: &usize| pieces[*at].kind != PieceKind::Blank;
        let Some(start) = range.clone().find(is_said) else { return Err(self.usage()) };
        let end = range.rev().find(is_said).map_or(start, |last| last + 1);
        self.expander.range(start..end).map(Some)
    }

    /// The column of a macro that has no other argument; `__time` where it has none.
    fn only_column(&mut self) -> Result<Fragment, ApiError> {
        if self.arguments.len() > 1 {
            return Err(self.usage());
        }
        Ok(match self.argument(0)? {
            Some(column) => column,
            None => self.written(&[Part::Text(&sql_text::name(TIME_COLUMN))])?,
        })
    }

    fn between(&mut self, from: &str, to: &str) -> Result<Fragment, ApiError> {
        let column = self.only_column()?;
        let column = Part::Fragment(&column);
        let (low, high) = (format!(" >= {from} AND "), format!(" < {to})"));
        self.written(&[Part::Text("("), column, Part::Text(&low), column, Part::Text(&high)])
    }

    /// A bound of the range, or whether a column is within it.
    fn bound(&mut self, sign: &str, time: &str) -> Result<Fragment, ApiError> {
        if self.arguments.is_empty() {
            return self.written(&[Part::Text(time)]);
        }
        let column = self.only_column()?;
        self.written(&[Part::Fragment(&column), Part::Text(sign), Part::Text(time)])
    }

    fn bin(&mut self, alias: &str) -> Result<Fragment, ApiError> {
        let column = self.only_column()?;
        let window = self.expander.context.window;
        let period = period_of(window.interval_ms);
        self.note(Bucket { granularity: window.granularity(), fill: Fill::None });
        self.floored(&column, &period, alias)
    }

    fn floored(&self, column: &Fragment, period: &str, alias: &str) -> Result<Fragment, ApiError> {
        let end = format!(", {}){alias}", sql_text::text(period));
        self.written(&[Part::Text("TIME_FLOOR("), Part::Fragment(column), Part::Text(&end)])
    }

    fn note(&mut self, bucket: Bucket) {
        self.expander.bucket.get_or_insert(bucket);
    }

    /// Column, period and fill.
    fn grouping(&mut self) -> Result<(Fragment, String, Fill), ApiError> {
        if !(2..=3).contains(&self.arguments.len()) {
            return Err(self.usage());
        }
        let column = self.argument(0)?.ok_or_else(|| self.usage())?;
        let period = self.argument(1)?.ok_or_else(|| self.usage())?;
        let period = period_of_text(unquoted(&period.text)).ok_or_else(|| {
            self.fault(format!("{} is no length of a bucket: write '5m', '1h', '1d' or 'PT5M'", period.text))
        })?;
        let fill = match self.argument(2)? {
            None => Fill::None,
            Some(fill) => Fill::of_argument(unquoted(&fill.text)).ok_or_else(|| self.usage())?,
        };
        Ok((column, period, fill))
    }

    fn group(&mut self, alias: &str) -> Result<Fragment, ApiError> {
        let (column, period, fill) = self.grouping()?;
        let zone = self.expander.context.window.zone.clone();
        let granularity = Granularity::period(&period, None, zone).map_err(|error| self.fault(error.to_string()))?;
        self.note(Bucket { granularity, fill });
        self.floored(&column, &period, alias)
    }

    fn unix_group(&mut self, unit: Unit, alias: &str) -> Result<Fragment, ApiError> {
        let (column, period, fill) = self.grouping()?;
        let granularity =
            Granularity::period(&period, None, TimeZone::UTC).map_err(|error| self.fault(error.to_string()))?;
        let length = granularity.length_ms().and_then(|millis| match unit {
            Unit::Seconds => (millis % 1_000 == 0).then_some(millis / 1_000),
            Unit::Nanos => millis.checked_mul(1_000_000),
        });
        let length =
            length.ok_or_else(|| self.fault(format!("`{period}` is no whole number of seconds, always as long")))?;
        self.note(Bucket { granularity, fill });
        // Also before 1970, where MOD is negative.
        let column = Part::Fragment(&column);
        let mut parts = vec![Part::Text("(("), column, Part::Text(") - MOD(MOD("), column];
        let end = format!(", {length}) + {length}, {length})){alias}");
        parts.push(Part::Text(&end));
        self.written(&parts)
    }

    fn ad_hoc_filters(&mut self) -> Result<Fragment, ApiError> {
        if !self.arguments.is_empty() {
            return Err(self.usage());
        }
        let filters = &self.expander.context.around.filters;
        if filters.iter().all(|filter| filter.key.is_empty()) {
            return self.written(&[Part::Text("TRUE")]);
        }
        let sight = self.expander.context.sight;
        let Some(data_source) = self.expander.statement.data_source_around(self.at, sight) else {
            return Err(
                self.fault("`$__adhocFilters` stands in a SELECT that reads a datasource: write it into its WHERE")
            );
        };
        let columns = sight.columns(&data_source)?;
        let condition = ad_hoc::predicate(filters, &data_source, &columns, &mut self.expander.notices);
        let condition = condition.map_err(|error| self.expander.fault(self.at, error))?;
        self.written(&[Part::Text(condition.as_deref().unwrap_or("TRUE"))])
    }

    /// The last argument names a variable; commas before it belong to the condition.
    fn conditional_all(&mut self) -> Result<Fragment, ApiError> {
        let [first, .., last] = self.arguments else { return Err(self.usage()) };
        let source: String = last.clone().map(|at| self.expander.source(at)).collect();
        let name = source.trim().trim_start_matches('$').trim_start_matches('{').trim_end_matches('}');
        let name = name.split(':').next().unwrap_or_default();
        let Some(variable) = self.expander.context.around.variables.get(name) else {
            return Err(self.fault(format!("`{}` is no variable of the dashboard", source.trim())));
        };
        if variable.is_all {
            return self.written(&[Part::Text("TRUE")]);
        }
        let condition = self.expander.range(first.start..last.start - 1)?;
        self.written(&[Part::Text("("), Part::Fragment(&condition), Part::Text(")")])
    }
}

/// What the text of a macro is put together of.
#[derive(Clone, Copy)]
enum Part<'f> {
    Text(&'f str),
    Fragment(&'f Fragment),
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches('\'')
}
