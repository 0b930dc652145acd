//! How columns change their types: each name keeps the narrowest type that holds everything ever declared under it.
//!
//! ```text
//! dimensions   long -> double -> string        boolean -> string
//! measures     long_sum -> double_sum          long_min -> double_min          long_max -> double_max
//! sketches     of the same family and of values of the same type -> the smallest size
//! ```
//!
//! The type of a name is the least one that every declaration of it can be promoted to, those of columns that were
//! dropped since included. So it does not depend on the order of the declarations, and never narrows. Stored rows keep
//! the type that they were written with and are promoted when they are read or merged: longs become doubles (beyond 2^53
//! the nearest one), numbers and booleans become their text. Sketches become as coarse as the coarsest when they are merged.
//!
//! A name that was a dimension never becomes a measure, nor the other way round, and a measure keeps how it is
//! aggregated: its stored values could not be read as the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Aggregation, DataSourceSchema, DimensionType, SketchMeasure};

/// Every column name that a datasource ever declared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ColumnHistory(BTreeMap<String, ColumnRole>);

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnRole {
    Dimension(DimensionType),
    Measure(Aggregation),
}

/// Why a declaration cannot follow the earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvolutionError {
    #[error("column `{0}` was a dimension and cannot become a measure: use a new name for it")]
    WasDimension(String),
    #[error("column `{0}` was a measure and cannot become a dimension: use a new name for it")]
    WasMeasure(String),
    #[error("measure `{column}` was aggregated by {was} and cannot become {now}: use a new name for it")]
    Aggregation { column: String, was: Aggregation, now: Aggregation },
}

impl ColumnHistory {
    /// The history after `declared`, and the schema that is then in force: the declared one, with promoted types.
    pub fn declare(&self, declared: &DataSourceSchema) -> Result<(Self, DataSourceSchema), EvolutionError> {
        let (mut history, mut schema) = (self.clone(), declared.clone());
        for dimension in &mut schema.dimensions {
            dimension.kind = match history.0.get(&dimension.name) {
                None => dimension.kind,
                Some(ColumnRole::Dimension(earlier)) => earlier.promoted_with(dimension.kind),
                Some(ColumnRole::Measure(_)) => return Err(EvolutionError::WasMeasure(dimension.name.clone())),
            };
            history.0.insert(dimension.name.clone(), ColumnRole::Dimension(dimension.kind));
        }
        for measure in &mut schema.measures {
            let (name, now) = (&measure.name, measure.aggregation);
            measure.aggregation = match history.0.get(name) {
                None => now,
                Some(ColumnRole::Dimension(_)) => return Err(EvolutionError::WasDimension(name.clone())),
                Some(ColumnRole::Measure(was)) => was.promoted_with(now).ok_or_else(|| {
                    let column = name.clone();
                    EvolutionError::Aggregation { column, was: *was, now }
                })?,
            };
            history.0.insert(name.clone(), ColumnRole::Measure(measure.aggregation));
        }
        Ok((history, schema))
    }
}

impl DimensionType {
    /// The least type that holds the values of both.
    pub fn promoted_with(self, other: Self) -> Self {
        match (self, other) {
            (same, other) if same == other => same,
            (Self::Long, Self::Double) | (Self::Double, Self::Long) => Self::Double,
            _ => Self::String,
        }
    }
}

impl Aggregation {
    /// The aggregation that holds the values of both; `None` where they mean different things.
    pub fn promoted_with(self, other: Self) -> Option<Self> {
        match (self, other) {
            (same, other) if same == other => Some(same),
            (Self::LongSum, Self::DoubleSum) | (Self::DoubleSum, Self::LongSum) => Some(Self::DoubleSum),
            (Self::LongMin, Self::DoubleMin) | (Self::DoubleMin, Self::LongMin) => Some(Self::DoubleMin),
            (Self::LongMax, Self::DoubleMax) | (Self::DoubleMax, Self::LongMax) => Some(Self::DoubleMax),
            (Self::Sketch(sketch), Self::Sketch(other)) if sketch.of == other.of => {
                let kind = sketch.kind.coarser(other.kind)?;
                Some(Self::Sketch(SketchMeasure { kind, of: sketch.of }))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::schema::{Dimension, Measure};
    use crate::sketch::SketchKind;

    fn schema(dimensions: &[(&str, DimensionType)], measures: &[(&str, Aggregation)]) -> DataSourceSchema {
        let dimensions = dimensions.iter().map(|&(name, kind)| Dimension { name: name.into(), kind });
        let measures = measures.iter().map(|&(name, aggregation)| Measure { name: name.into(), aggregation });
        DataSourceSchema {
            dimensions: dimensions.collect(),
            measures: measures.collect(),
            rollup: true,
            query_granularity: "1m".parse().unwrap(),
            segment_granularity: "1h".parse().unwrap(),
            sort: vec![],
            tenant: None,
        }
    }

    fn declare_all(schemas: &[DataSourceSchema]) -> Result<(ColumnHistory, DataSourceSchema), EvolutionError> {
        let start = (ColumnHistory::default(), schema(&[], &[]));
        schemas.iter().try_fold(start, |(history, _), schema| history.declare(schema))
    }

    fn hll(lg_k: u8, of: DimensionType) -> Aggregation {
        Aggregation::Sketch(SketchMeasure { kind: SketchKind::Hll { lg_k }, of })
    }

    #[test]
    fn types_are_promoted_and_never_narrow() {
        use Aggregation::*;
        use DimensionType::*;
        let dimensions = [
            (Long, Double, Double),
            (Long, String, String),
            (Double, String, String),
            (Boolean, String, String),
            (Boolean, Long, String),
            (Boolean, Double, String),
            (Boolean, Boolean, Boolean),
        ];
        for (first, second, promoted) in dimensions {
            for (first, second) in [(first, second), (second, first)] {
                let (_, now) = declare_all(&[schema(&[("a", first)], &[]), schema(&[("a", second)], &[])]).unwrap();
                assert_eq!(now.dimensions[0].kind, promoted, "{first} {second}");
            }
        }
        let measures = [
            (LongSum, DoubleSum, DoubleSum),
            (LongMin, DoubleMin, DoubleMin),
            (Count, Count, Count),
            (hll(14, String), hll(11, String), hll(11, String)),
        ];
        for (first, second, promoted) in measures {
            for (first, second) in [(first, second), (second, first)] {
                let (_, now) = declare_all(&[schema(&[], &[("m", first)]), schema(&[], &[("m", second)])]).unwrap();
                assert_eq!(now.measures[0].aggregation, promoted, "{first} {second}");
            }
        }
    }

    #[test]
    fn a_dropped_column_is_remembered() {
        use DimensionType::*;
        let declarations = [schema(&[("a", String)], &[]), schema(&[], &[]), schema(&[("a", Long)], &[])];
        let (_, now) = declare_all(&declarations).unwrap();
        assert_eq!(now.dimensions[0].kind, String);
    }

    #[test]
    fn another_role_or_aggregation_is_refused_by_name() {
        use Aggregation::*;
        let dimension = || schema(&[("a", DimensionType::Long)], &[]);
        let measure = |aggregation| schema(&[], &[("a", aggregation)]);
        let cases = [
            ([dimension(), measure(LongSum)], "column `a` was a dimension and cannot become a measure"),
            ([measure(LongSum), dimension()], "column `a` was a measure and cannot become a dimension"),
            ([measure(LongSum), measure(LongMax)], "measure `a` was aggregated by long_sum and cannot become long_max"),
            ([measure(Count), measure(DoubleSum)], "measure `a` was aggregated by count and cannot become double_sum"),
            (
                [measure(LongSum), measure(hll(12, DimensionType::String))],
                "measure `a` was aggregated by long_sum and cannot become HLL(12) of strings",
            ),
            (
                [measure(hll(12, DimensionType::Long)), measure(hll(12, DimensionType::String))],
                "measure `a` was aggregated by HLL(12) of longs and cannot become HLL(12) of strings",
            ),
        ];
        for (declarations, message) in cases {
            let error = declare_all(&declarations).unwrap_err().to_string();
            assert_eq!(error, format!("{message}: use a new name for it"));
        }
    }

    #[test]
    fn a_history_reads_back_equal() {
        let measures = [("m", Aggregation::DoubleMin), ("s", hll(12, DimensionType::String))];
        let (history, _) = declare_all(&[schema(&[("a", DimensionType::Long)], &measures)]).unwrap();
        let json = serde_json::to_string(&history).unwrap();
        assert_eq!(
            json,
            r#"{"a":{"dimension":"long"},"m":{"measure":"double_min"},"s":{"measure":{"sketch":{"kind":{"hll":{"lg_k":12}},"of":"string"}}}}"#
        );
        let message = serde_json::from_str::<ColumnHistory>(&json.replace("12", "40")).unwrap_err().to_string();
        assert!(message.starts_with("lgK of an HLL sketch must lie between 4 and 21, not 40"), "{message}");
        assert_eq!(serde_json::from_str::<ColumnHistory>(&json).unwrap(), history);
    }

    /// Declarations over four names that do not contradict each other: two dimensions, two measures.
    fn declarations() -> impl Strategy<Value = Vec<DataSourceSchema>> {
        use Aggregation::*;
        use DimensionType::*;
        let kind = prop::option::of(prop::sample::select(vec![String, Long, Double, Boolean]));
        let sum = prop::option::of(prop::sample::select(vec![LongSum, DoubleSum]));
        let max = prop::option::of(prop::sample::select(vec![LongMax, DoubleMax]));
        let one = (kind.clone(), kind, sum, max).prop_map(|(a, b, sum, max)| {
            let dimensions = [("a", a), ("b", b)].into_iter().filter_map(|(name, kind)| Some((name, kind?)));
            let measures = [("s", sum), ("m", max)].into_iter().filter_map(|(name, kind)| Some((name, kind?)));
            schema(&dimensions.collect::<Vec<_>>(), &measures.collect::<Vec<_>>())
        });
        prop::collection::vec(one, 1..6)
    }

    proptest! {
        #[test]
        fn any_order_of_the_same_declarations_gives_the_same_types(
            (ordered, shuffled) in declarations().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
        ) {
            let (history, _) = declare_all(&ordered).unwrap();
            let (other, _) = declare_all(&shuffled).unwrap();
            prop_assert_eq!(&history, &other);
            // Whichever is declared last, and declared again, has the types that hold all of them.
            for schema in &ordered {
                let (after, effective) = history.declare(schema).unwrap();
                prop_assert_eq!(&after, &history);
                prop_assert_eq!(other.declare(schema).unwrap().1, effective.clone());
                prop_assert_eq!(after.declare(&effective).unwrap(), (after.clone(), effective));
            }
        }

        #[test]
        fn promotion_is_a_join(
            types in prop::collection::vec(
                prop::sample::select(vec![
                    DimensionType::String, DimensionType::Long, DimensionType::Double, DimensionType::Boolean,
                ]),
                3,
            )
        ) {
            let [a, b, c] = types[..] else { unreachable!() };
            prop_assert_eq!(a.promoted_with(b), b.promoted_with(a));
            prop_assert_eq!(a.promoted_with(b).promoted_with(c), a.promoted_with(b.promoted_with(c)));
            prop_assert_eq!(a.promoted_with(a), a);
        }
    }
}
