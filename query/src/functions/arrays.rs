//! Arrays of longs, doubles or texts: `ARRAY[..]`, `ARRAY_*`, and Druid's functions of multi-value strings, `MV_*`, which
//! are arrays of texts here.
//!
//! What a batch of rows makes is bounded as texts are: the memory pool does not see it.

mod aggregate;
mod call;
mod item;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use self::call::{ArrayFunction, ArrayUdf, Given, Made, Parameter, ResultKind};
use self::item::Item;
use super::regex_text;
use crate::error::QueryError;

pub(super) fn scalars() -> impl Iterator<Item = Arc<ScalarUDF>> {
    FUNCTIONS.iter().map(|function| Arc::new(ScalarUDF::from(ArrayUdf::new(function))))
}

pub(super) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    aggregate::functions()
}

const fn function(
    name: &'static str,
    aliases: &'static [&'static str],
    usage: &'static str,
    parameters: &'static [Parameter],
    result: ResultKind,
    body: fn(&[Given]) -> Result<Made, QueryError>,
) -> ArrayFunction {
    ArrayFunction { name, aliases, usage, parameters, is_variadic: false, result, body }
}

const FUNCTIONS: &[ArrayFunction] = {
    use Parameter::{Array, ArrayOrNull, Item, Long, Text};
    &[
        ArrayFunction {
            is_variadic: true,
            ..function("array", &[], "ARRAY[1, 2]", &[Item], ResultKind::Array, |given| Ok(Made::Array(items(given))))
        },
        function("array_length", &["mv_length"], "ARRAY_LENGTH(items)", &[Array], ResultKind::Long, |given| {
            Ok(Made::Item(self::Item::Long(given[0].array().len() as i64)))
        }),
        function("array_offset", &["mv_offset"], "ARRAY_OFFSET(items, 0)", &[Array, Long], ResultKind::Item, |given| {
            Ok(at(given[0].array(), given[1].long()))
        }),
        function(
            "array_ordinal",
            &["mv_ordinal"],
            "ARRAY_ORDINAL(items, 1)",
            &[Array, Long],
            ResultKind::Item,
            |given| Ok(at(given[0].array(), given[1].long().saturating_sub(1))),
        ),
        function(
            "array_offset_of",
            &["mv_offset_of"],
            "ARRAY_OFFSET_OF(items, 'x')",
            &[Array, Item],
            ResultKind::Long,
            |given| Ok(place_of(given, 0)),
        ),
        function(
            "array_ordinal_of",
            &["mv_ordinal_of"],
            "ARRAY_ORDINAL_OF(items, 'x')",
            &[Array, Item],
            ResultKind::Long,
            |given| Ok(place_of(given, 1)),
        ),
        function(
            "array_contains",
            &["mv_contains"],
            "ARRAY_CONTAINS(items, 'x'), or ARRAY_CONTAINS(items, ARRAY['x', 'y'])",
            &[Array, ArrayOrNull],
            ResultKind::Boolean,
            |given| Ok(Made::flag(wanted(&given[1]).iter().all(|item| given[0].array().contains(item)))),
        ),
        function(
            "array_overlap",
            &["mv_overlap"],
            "ARRAY_OVERLAP(items, ARRAY['x', 'y'])",
            &[Array, Array],
            ResultKind::Boolean,
            |given| Ok(Made::flag(given[1].array().iter().any(|item| given[0].array().contains(item)))),
        ),
        function("scalar_in_array", &[], "SCALAR_IN_ARRAY(x, items)", &[Item, Array], ResultKind::Boolean, |given| {
            Ok(Made::flag(given[1].array().contains(given[0].item())))
        }),
        function(
            "array_slice",
            &["mv_slice"],
            "ARRAY_SLICE(items, 0, 2)",
            &[Array, Long, Long],
            ResultKind::Array,
            |given| Ok(slice(given[0].array(), given[1].long(), given[2].long())),
        ),
        function(
            "array_append",
            &["mv_append"],
            "ARRAY_APPEND(items, 'x')",
            &[Array, Item],
            ResultKind::Array,
            |given| Ok(Made::Array([given[0].array(), &[given[1].item().clone()]].concat())),
        ),
        function(
            "array_prepend",
            &["mv_prepend"],
            "ARRAY_PREPEND('x', items)",
            &[Item, Array],
            ResultKind::Array,
            |given| Ok(Made::Array([&[given[0].item().clone()], given[1].array()].concat())),
        ),
        function(
            "array_concat",
            &["mv_concat"],
            "ARRAY_CONCAT(items, others)",
            &[ArrayOrNull, ArrayOrNull],
            ResultKind::Array,
            joined,
        ),
        function(
            "array_to_string",
            &["mv_to_string"],
            "ARRAY_TO_STRING(items, ', ')",
            &[Array, Text],
            ResultKind::Text,
            |given| {
                let texts: Vec<String> = given[0].array().iter().map(self::Item::text).collect();
                Ok(Made::Item(self::Item::Text(texts.join(given[1].text()))))
            },
        ),
        function("array_to_mv", &["mv_to_array"], "ARRAY_TO_MV(items)", &[Array], ResultKind::Array, |given| {
            Ok(Made::Array(given[0].array().to_vec()))
        }),
        function(
            "mv_filter_only",
            &[],
            "MV_FILTER_ONLY(items, ARRAY['x'])",
            &[Array, Array],
            ResultKind::Array,
            |given| filtered(&given[0], |item| given[1].array().contains(item)),
        ),
        function(
            "mv_filter_none",
            &[],
            "MV_FILTER_NONE(items, ARRAY['x'])",
            &[Array, Array],
            ResultKind::Array,
            |given| filtered(&given[0], |item| !given[1].array().contains(item)),
        ),
        function("mv_filter_prefix", &[], "MV_FILTER_PREFIX(items, 'x')", &[Array, Text], ResultKind::Array, |given| {
            filtered(&given[0], |item| matches!(item, self::Item::Text(text) if text.starts_with(given[1].text())))
        }),
        function("mv_filter_regex", &[], "MV_FILTER_REGEX(items, '^x')", &[Array, Text], ResultKind::Array, |given| {
            let pattern = regex_text::compile(given[1].text())?;
            filtered(&given[0], |item| matches!(item, self::Item::Text(text) if pattern.is_match(text)))
        }),
    ]
};

fn items(given: &[Given]) -> Vec<Item> {
    given.iter().map(|given| given.item().clone()).collect()
}

/// Null outside of the array.
fn at(items: &[Item], place: i64) -> Made {
    let item = usize::try_from(place).ok().and_then(|place| items.get(place));
    Made::Item(item.cloned().unwrap_or(Item::Null))
}

/// Null where it is not there.
fn place_of(given: &[Given], first: i64) -> Made {
    let place = given[0].array().iter().position(|item| item == given[1].item());
    Made::Item(place.map_or(Item::Null, |place| Item::Long(place as i64 + first)))
}

/// What is looked for: all items of an array, or a value, which may be null.
fn wanted(given: &Given) -> Vec<Item> {
    match given {
        Given::Array(items) => items.clone(),
        Given::Item(item) => vec![item.clone()],
    }
}

/// From one place to before another; null where one of them is outside, nulls behind the end, as in Druid.
fn slice(items: &[Item], start: i64, end: i64) -> Made {
    match (usize::try_from(start), usize::try_from(end)) {
        (Ok(start), Ok(end)) if start <= end && start <= items.len() && end <= items.len() => {
            Made::Array(items[start..end].to_vec())
        }
        _ => Made::NULL,
    }
}

/// Where one is null, the other.
fn joined(given: &[Given]) -> Result<Made, QueryError> {
    Ok(match (&given[0], &given[1]) {
        (Given::Item(_), Given::Item(_)) => Made::NULL,
        (left, right) => Made::Array([left.array(), right.array()].concat()),
    })
}

fn filtered(given: &Given, keeps: impl Fn(&Item) -> bool) -> Result<Made, QueryError> {
    Ok(Made::Array(given.array().iter().filter(|item| keeps(item)).cloned().collect()))
}
