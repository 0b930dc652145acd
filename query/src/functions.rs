//! The functions that SQL may call: an allow-list of DataFusion's, and our own where Druid's differ.
//!
//! Left out is what makes large values from small ones (`repeat`, `lpad`, array builders, `generate_series`): the memory
//! pool does not see those. What can grow by being applied again and again is bounded, see [`growing_text`].

mod checked_arithmetic;
mod double_extreme;
mod growing_text;
mod long_sum;
mod millis;
mod plain_regex;
mod sketch;
mod time_bucket;
mod value_by_time;

use std::sync::Arc;

use datafusion::functions_aggregate::all_default_aggregate_functions;
use datafusion::functions_window::all_default_window_functions;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

pub(crate) use self::long_sum::fit as fit_long;
#[cfg(test)]
pub(crate) use self::sketch::Rank;
pub(crate) use self::sketch::{
    EXACT_VALUES, SketchCall, SketchResult, TYPE_KEY as SKETCH_TYPE_KEY, empty as empty_sketch,
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
    "character_length",
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
    "left",
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
    "right",
    "round",
    "rtrim",
    "signum",
    "sin",
    "split_part",
    "sqrt",
    "starts_with",
    "strpos",
    "substr",
    "tan",
    "trunc",
    "upper",
];

const AGGREGATES: &[&str] = &[
    "approx_percentile_cont",
    "avg",
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

pub(crate) fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    let defaults = datafusion::functions::all_default_functions();
    let growing = defaults.iter().filter_map(growing_text::bounded).collect::<Vec<_>>();
    let allowed = defaults.into_iter().filter(|function| SCALARS.contains(&function.name()));
    allowed
        .chain(growing)
        .chain(time_bucket::functions())
        .chain(millis::functions())
        .chain(sketch::scalars())
        .chain([plain_regex::function()])
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
        .collect()
}

/// `SUM`, of integers exact in any order.
pub(crate) fn sum() -> Arc<AggregateUDF> {
    long_sum::function()
}

/// Window functions look at rows that are there; none of them makes values.
pub(crate) fn window_functions() -> Vec<Arc<WindowUDF>> {
    all_default_window_functions()
}

/// Operators that must fail where DataFusion's would wrap or grow without bound, or mean what they say.
pub(crate) fn operator_rewrites() -> Vec<Arc<dyn FunctionRewrite + Send + Sync>> {
    vec![
        Arc::new(checked_arithmetic::CheckedIntegers),
        Arc::new(growing_text::BoundedConcatenation),
        Arc::new(plain_regex::PlainRegexOperators),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_on_the_lists_is_a_function_of_this_build() {
        let scalars = scalar_functions();
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
        let scalars = scalar_functions();
        for name in ["repeat", "lpad", "rpad", "range", "generate_series", "make_array", "array_repeat", "to_char"] {
            let found =
                scalars.iter().any(|function| function.name() == name || function.aliases().contains(&name.into()));
            assert!(!found, "{name}");
        }
    }
}
