//! Measures that are sketches, in both written forms.
//!
//! | short form | Druid's | parameter | of |
//! |---|---|---|---|
//! | `{ hll = "FIELD", lg_k = 12, type = "string" }` | `HLLSketchBuild` | `lgK` | different values |
//! | `{ theta = "FIELD", size = 16384, type = "string" }` | `thetaSketch` | `size` | different values |
//! | `{ quantiles = "FIELD", k = 200 }` | `KllDoublesSketch`, `quantilesDoublesSketch` | `k` | doubles |
//!
//! Different values are read, and told apart, as a dimension of their `type` would be. Where none is said it is that of
//! a dimension that is read from the same field, so that the dimension and the sketch can be counted together.

use henge_segment_store::schema::{Aggregation, Dimension, DimensionType, SketchMeasure};
use henge_segment_store::sketch::{SketchError, SketchKind};
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::short_form::{DIMENSION_TYPES, name_of};
use super::{FieldSource, Node};

/// Columns that were declared before, with where they are read from.
pub(super) type Dimensions<'d> = &'d [(Dimension, FieldSource)];

/// The kind of a sketch without its parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Hll,
    Theta,
    Quantiles,
}

/// How a family is written in the short form.
pub(super) const FAMILIES: [(&str, Family); 3] =
    [("hll", Family::Hll), ("theta", Family::Theta), ("quantiles", Family::Quantiles)];

impl Family {
    /// Of the default size.
    fn kind(self) -> SketchKind {
        match self {
            Self::Hll => SketchKind::HLL,
            Self::Theta => SketchKind::THETA,
            Self::Quantiles => SketchKind::QUANTILES,
        }
    }

    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Hll => &["hll", "lg_k", "type"],
            Self::Theta => &["theta", "size", "type"],
            Self::Quantiles => &["quantiles", "k"],
        }
    }
}

/// The family whose field an object names.
pub(super) fn family_in(map: &Map<String, Value>) -> Option<Family> {
    FAMILIES.iter().find(|(name, _)| map.contains_key(*name)).map(|(_, family)| *family)
}

/// Of the default size, over values like those of the dimension that is read from the same field.
pub(super) fn default_of(family: Family, source: &FieldSource, dimensions: Dimensions<'_>) -> Aggregation {
    Aggregation::Sketch(SketchMeasure { kind: family.kind(), of: values_of(family, source, dimensions) })
}

/// An object with the family's key.
pub(super) fn read(
    family: Family,
    node: &Node<'_>,
    dimensions: Dimensions<'_>,
) -> Option<(Aggregation, Option<FieldSource>)> {
    let fields = node.fields(family.keys())?;
    let [field, parameter, ..] = family.keys() else { return None };
    let source = fields.required(field, "name the field").and_then(|node| FieldSource::read(&node));
    let kind = parameter_of(family, &fields, parameter);
    let of = match family {
        Family::Quantiles => Some(None),
        _ => fields.get("type").map_or(Some(None), |node| node.choice(&DIMENSION_TYPES).map(Some)),
    };
    let (source, kind, of) = (source?, kind?, of?);
    let of = of.unwrap_or_else(|| values_of(family, &source, dimensions));
    Some((Aggregation::Sketch(SketchMeasure { kind, of }), Some(source)))
}

pub(super) fn write(sketch: SketchMeasure, source: &FieldSource) -> Value {
    let of = name_of(&DIMENSION_TYPES, sketch.of);
    match sketch.kind {
        SketchKind::Hll { lg_k } => json!({ "hll": source.write(), "lg_k": lg_k, "type": of }),
        SketchKind::Theta { lg_k } => json!({ "theta": source.write(), "size": 1_u32 << lg_k, "type": of }),
        SketchKind::Quantiles { k } => json!({ "quantiles": source.write(), "k": k }),
    }
}

/// Druid's aggregators that build sketches of values.
pub(super) const DRUID_FAMILIES: [(&str, Family); 4] = [
    ("HLLSketchBuild", Family::Hll),
    ("thetaSketch", Family::Theta),
    ("KllDoublesSketch", Family::Quantiles),
    ("quantilesDoublesSketch", Family::Quantiles),
];

/// What has to do with how Druid answers, not with what it stores.
const DRUID_IGNORED: &[&str] = &["shouldFinalize", "round", "errorBoundsStdDev", "maxStreamLength", "tgtHllType"];

/// One of Druid's aggregators: its name, and the field it is over.
pub(super) fn read_druid<'a>(family: Family, node: &Node<'a>) -> Option<(Fields<'a>, SketchKind)> {
    let known: &[&str] = match family {
        Family::Hll => &["type", "name", "fieldName", "lgK", "stringEncoding"],
        Family::Theta => &["type", "name", "fieldName", "size", "isInputThetaSketch"],
        Family::Quantiles => &["type", "name", "fieldName", "k"],
    };
    let fields = node.fields_or_ignored(known, DRUID_IGNORED)?;
    let kind = match family {
        Family::Hll => {
            if let Some(encoding) = fields.get("stringEncoding").filter(|node| node.value() != "utf8") {
                encoding.problem("strings are hashed as `utf8`: write that, or leave this out");
            }
            parameter_of(family, &fields, "lgK")
        }
        Family::Theta => {
            fields.refuse("isInputThetaSketch", "sketches are built of values here: produce those");
            parameter_of(family, &fields, "size")
        }
        Family::Quantiles => parameter_of(family, &fields, "k"),
    }?;
    if node.value()["type"] == "quantilesDoublesSketch" {
        return Some((fields, as_exact(kind, node)));
    }
    Some((fields, kind))
}

/// A KLL sketch that ranks at least as exactly as Druid's older sketch of the same `k`, whose default of 128 errs by 1.7 % of
/// the ranks where a KLL sketch of 200 errs by 1.3 %.
fn as_exact(kind: SketchKind, node: &Node<'_>) -> SketchKind {
    let SketchKind::Quantiles { k } = kind else { return kind };
    let given = node.value().get("k").is_some_and(|k| !k.is_null());
    let k = if given { (u32::from(k) * 200).div_ceil(128).clamp(8, u16::MAX.into()) as u16 } else { k };
    node.warn(&format!("is kept as a KLL sketch of k = {k}, which is as exact"));
    SketchKind::Quantiles { k }
}

/// What `fieldName` is read like.
pub(super) fn values_of(family: Family, source: &FieldSource, dimensions: Dimensions<'_>) -> DimensionType {
    let known = dimensions.iter().find(|(_, known)| known == source).map(|(dimension, _)| dimension.kind);
    match family {
        Family::Quantiles => DimensionType::Double,
        Family::Hll | Family::Theta => known.unwrap_or(DimensionType::String),
    }
}

fn parameter_of(family: Family, fields: &Fields<'_>, name: &'static str) -> Option<SketchKind> {
    let Some(node) = fields.get(name) else { return Some(family.kind()) };
    let number = node.number(1)?;
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let kind: Result<SketchKind, SketchError> = match family {
        Family::Hll => SketchKind::hll(number),
        Family::Theta => SketchKind::theta(number),
        Family::Quantiles => SketchKind::quantiles(number),
    };
    kind.map_err(|error| node.problem(error.to_string())).ok()
}
