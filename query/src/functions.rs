//! The functions that SQL may call: an allow-list of DataFusion's, and our own where Druid's differ.
//!
//! Left out is what makes large values from small ones (`generate_series` and its like): the memory pool does not see
//! those. What can grow by being applied again and again is bounded, see [`growing_text`] and [`row_function`].

mod arrays;
mod calendar;
mod checked_arithmetic;
mod conversion;
mod division;
mod double_extreme;
mod first_bytes;
mod growing_text;
mod human_readable;
mod internet_address;
mod interpolation;
mod joined_text;
mod json_object;
mod json_parts;
mod json_text;
mod long_sum;
mod lookup;
mod millis;
mod padding;
mod plain_regex;
mod regex_text;
mod row_function;
mod said_as;
mod samples;
mod sketch;
mod string_format;
mod text_cast;
mod text_units;
mod time_bucket;
mod value_by_time;
mod whole_number;
mod zoned_cast;

use std::sync::Arc;

use datafusion::functions_aggregate::all_default_aggregate_functions;
use datafusion::functions_window::all_default_window_functions;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

use crate::lookups::Lookups;

pub(crate) use self::long_sum::fit as fit_long;
pub(crate) use self::lookup::NAME as LOOKUP;
use self::row_function::RowFunction;
#[cfg(test)]
pub(crate) use self::sketch::Rank;
pub(crate) use self::sketch::{
    EXACT_VALUES, SketchCall, SketchResult, empty as empty_sketch, is_aggregate as is_sketch_aggregate,
};
pub(crate) use self::time_bucket::time_floor;

/// DataFusion's scalar functions by their names; their aliases come with them.
const SCALARS: &[&str] = &[
    "abs",
    "acos",
    "ascii",
    "asin",
    "atan",
    "atan2",
    "btrim",
    "ceil",
    "coalesce",
    "contains",
    "cos",
    "cot",
    "date_part",
    "degrees",
    "ends_with",
    "exp",
    "floor",
    "greatest",
    "initcap",
    "isnan",
    "iszero",
    "least",
    "ln",
    "log",
    "log10",
    "log2",
    "lower",
    "ltrim",
    "nanvl",
    "nullif",
    "nvl",
    "nvl2",
    "octet_length",
    "pi",
    "power",
    "radians",
    "regexp_count",
    "reverse",
    "round",
    "rtrim",
    "signum",
    "sin",
    "split_part",
    "sqrt",
    "starts_with",
    "tan",
    "trunc",
    "upper",
];

const AGGREGATES: &[&str] = &[
    "approx_percentile_cont",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "first_value",
    "grouping",
    "last_value",
    "median",
    "percentile_cont",
    "stddev",
    "stddev_pop",
    "var",
    "var_pop",
];

/// Our own functions of single rows, a family each.
const ROW_FUNCTIONS: &[&[RowFunction]] = &[
    calendar::FUNCTIONS,
    conversion::FUNCTIONS,
    division::FUNCTIONS,
    human_readable::FUNCTIONS,
    internet_address::FUNCTIONS,
    json_parts::FUNCTIONS,
    json_text::FUNCTIONS,
    padding::FUNCTIONS,
    regex_text::FUNCTIONS,
    string_format::FUNCTIONS,
    text_units::FUNCTIONS,
    whole_number::FUNCTIONS,
];

pub(crate) fn scalar_functions(lookups: &Arc<Lookups>) -> Vec<Arc<ScalarUDF>> {
    let defaults = datafusion::functions::all_default_functions();
    let growing = defaults.iter().filter_map(growing_text::bounded).collect::<Vec<_>>();
    let allowed = defaults.into_iter().filter(|function| SCALARS.contains(&function.name()));
    allowed
        .chain(growing)
        .chain(time_bucket::functions())
        .chain(millis::functions())
        .chain(sketch::scalars())
        .chain([plain_regex::function(), first_bytes::function(), said_as::function(), lookup::function(lookups)])
        .chain([json_object::function()])
        .chain(zoned_cast::functions())
        .chain(arrays::scalars())
        .chain(ROW_FUNCTIONS.iter().copied().flat_map(row_function::udfs))
        .collect()
}

pub(crate) fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    let defaults = all_default_aggregate_functions();
    let allowed = defaults.iter().filter(|function| AGGREGATES.contains(&function.name())).cloned();
    allowed
        .chain([long_sum::function()])
        .chain(double_extreme::functions())
        .chain(sketch::aggregates())
        .chain(value_by_time::functions())
        .chain([joined_text::function()])
        .chain(arrays::aggregates())
        .chain(samples::functions())
        .collect()
}

/// `SUM`, of integers exact in any order.
pub(crate) fn sum() -> Arc<AggregateUDF> {
    long_sum::function()
}

/// Window functions look at rows that are there, and make no more.
pub(crate) fn window_functions() -> Vec<Arc<WindowUDF>> {
    all_default_window_functions().into_iter().chain([interpolation::function()]).collect()
}

/// Operators that must fail where DataFusion's would wrap or grow without bound, or mean what they say.
pub(crate) fn operator_rewrites() -> Vec<Arc<dyn FunctionRewrite + Send + Sync>> {
    vec![
        Arc::new(checked_arithmetic::CheckedIntegers),
        Arc::new(growing_text::BoundedConcatenation),
        Arc::new(plain_regex::PlainRegexOperators),
        Arc::new(text_cast::CastsOfText),
        Arc::new(zoned_cast::CastsOfTimes),
        Arc::new(whole_number::WholeNumbers),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_on_the_lists_is_a_function_of_this_build() {
        let scalars = scalar_functions(&Arc::default());
        let missing: Vec<_> =
            SCALARS.iter().filter(|name| !scalars.iter().any(|function| function.name() == **name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let aggregates = aggregate_functions();
        let missing: Vec<_> =
            AGGREGATES.iter().filter(|name| !aggregates.iter().any(|function| function.name() == **name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn functions_that_make_large_values_are_not_there() {
        let scalars = scalar_functions(&Arc::default());
        for name in ["range", "generate_series", "make_array", "array_repeat", "to_char"] {
            let found =
                scalars.iter().any(|function| function.name() == name || function.aliases().contains(&name.into()));
            assert!(!found, "{name}");
        }
    }
}
