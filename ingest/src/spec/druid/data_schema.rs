use henge_segment_store::schema::{
    Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure, SketchMeasure,
};
use henge_segment_store::time::Granularity;

use super::input_format::Columns;
use super::row_filter::{self, ColumnNames};
use super::transforms::{self, DeclaredNames};
use crate::spec::fields::Fields;
use crate::spec::short_form::{check, read_instant, read_tenant};
use crate::spec::sketch_measure::{self, DRUID_FAMILIES, Dimensions, Family};
use crate::spec::{FieldSource, Node, TimeFormat, TimeSpec, granularity};

/// What Druid's `dataSchema` says.
pub(super) struct DataSchema {
    pub(super) data_source: DataSourceName,
    pub(super) schema: DataSourceSchema,
    pub(super) time: TimeSpec,
    pub(super) dimension_sources: Vec<FieldSource>,
    pub(super) measure_sources: Vec<Option<FieldSource>>,
    /// In SQL.
    pub(super) row_filter: Option<String>,
}

const KNOWN: &[&str] = &[
    "dataSource",
    "timestampSpec",
    "dimensionsSpec",
    "metricsSpec",
    "granularitySpec",
    "transformSpec",
    "projections",
    "parser",
    "tenant",
];

impl DataSchema {
    pub(super) fn read(node: &Node<'_>, columns: &Columns) -> Option<Self> {
        let fields = node.fields(KNOWN)?;
        let data_source = fields
            .required("dataSource", "name the datasource")
            .and_then(|node| DataSourceName::new(node.text()?).map_err(|error| node.problem(error.to_string())).ok());
        fields.refuse(
            "parser",
            "parsers are gone from Druid too: use timestampSpec, dimensionsSpec and ioConfig.inputFormat",
        );
        fields
            .refuse("projections", "projections are not supported yet: leave them out, queries give the same answers");
        let time = read_time(&fields, columns);
        let declared = DeclaredNames::of(node.value());
        let names = ColumnNames { columns, declared: &declared };
        let transform_spec = fields.get("transformSpec").map(|node| node.fields(&["transforms", "filter"]));
        let part = |name| transform_spec.as_ref()?.as_ref()?.get(name);
        let computed = part("transforms").map_or(Some(columns.clone()), |node| transforms::read(&node, &names));
        // The problems of the columns are found all the same.
        let columns = computed.as_ref().unwrap_or(columns);
        let dimensions =
            fields.required("dimensionsSpec", "list the dimensions").and_then(|node| read_dimensions(&node, columns));
        let known = dimensions.as_deref().unwrap_or_default();
        let measures = match fields.get("metricsSpec") {
            None => Some(Vec::new()),
            Some(node) => read_measures(&node, columns, &names, known),
        };
        let granularities = read_granularities(&fields);
        // Not Druid's: what a spec needs besides, so that tenants may read.
        let tenant = read_tenant(&fields);
        let of_computed = ColumnNames { columns, declared: &declared };
        let row_filter = part("filter").map_or(Some(None), |node| row_filter::read(&node, &of_computed).map(Some));
        if computed.is_none() || matches!(transform_spec, Some(None)) {
            return None;
        }
        let (dimensions, dimension_sources) = dimensions?.into_iter().unzip();
        let (measures, measure_sources) = measures?.into_iter().unzip();
        let Granularities { segment_granularity, query_granularity, rollup } = granularities?;
        let schema = DataSourceSchema {
            dimensions,
            measures,
            rollup,
            query_granularity,
            segment_granularity,
            sort: Vec::new(),
            tenant: tenant?,
        };
        check(&schema, node)?;
        warn_of_uncounted_rollup(&schema, &fields);
        let row_filter = row_filter?;
        Some(Self { data_source: data_source?, schema, time: time?, dimension_sources, measure_sources, row_filter })
    }
}

fn warn_of_uncounted_rollup(schema: &DataSourceSchema, fields: &Fields<'_>) {
    if schema.rollup && !schema.measures.iter().any(|measure| measure.aggregation == Aggregation::Count) {
        fields.warn_at(
            "metricsSpec",
            "has no count, and rollup is on (Druid's default): how many events were folded into a row will not be known",
        );
    }
}

const TIME_FORMATS: [(&str, TimeFormat); 6] = [
    ("auto", TimeFormat::Auto),
    ("iso", TimeFormat::Iso),
    ("posix", TimeFormat::Seconds),
    ("millis", TimeFormat::Millis),
    ("micro", TimeFormat::Micros),
    ("nano", TimeFormat::Nanos),
];

/// Druid's `auto` takes every number for milliseconds; ours does so for those after March 1973.
fn read_time(fields: &Fields<'_>, columns: &Columns) -> Option<TimeSpec> {
    let node = fields.required("timestampSpec", "say which column holds the event time")?;
    let spec = node.fields(&["column", "format", "missingValue"])?;
    let column = spec.get("column").map_or(Some("timestamp"), |node| node.text());
    let source = column.and_then(|column| columns.source(column, &node));
    let format = spec.get("format").map_or(Some(TimeFormat::Auto), |node| {
        let named = node.value().as_str().and_then(|text| TIME_FORMATS.iter().find(|(name, _)| *name == text));
        named.map(|(_, format)| *format).or_else(|| {
            node.expected("one of auto, iso, posix, millis, micro, nano (patterns and `ruby` are not supported)")
        })
    });
    let missing = spec.get("missingValue").map_or(Some(None), |node| read_instant(&node).map(Some));
    Some(TimeSpec { source: source?, format: format?, missing: missing? })
}

const DISCOVERY: &str = "columns are not discovered yet: list each dimension";

fn read_dimensions(node: &Node<'_>, columns: &Columns) -> Option<Vec<(Dimension, FieldSource)>> {
    let known = &["dimensions", "includeAllDimensions", "useSchemaDiscovery", "spatialDimensions"];
    let fields = node.fields_or_ignored(known, &["dimensionExclusions", "forceSegmentSortByTime"])?;
    fields.refuse("includeAllDimensions", DISCOVERY);
    fields.refuse("useSchemaDiscovery", DISCOVERY);
    fields.refuse("spatialDimensions", "spatial dimensions are not supported");
    let listed = fields.required("dimensions", DISCOVERY)?;
    let items = listed.items()?;
    if items.is_empty() {
        listed.problem(DISCOVERY);
        return None;
    }
    let read: Vec<_> = items.iter().map(|node| read_dimension(node, columns)).collect();
    read.into_iter().collect()
}

const DIMENSION_TYPES: [(&str, DimensionType); 5] = [
    ("string", DimensionType::String),
    ("long", DimensionType::Long),
    ("double", DimensionType::Double),
    ("float", DimensionType::Double),
    ("boolean", DimensionType::Boolean),
];

fn read_dimension(node: &Node<'_>, columns: &Columns) -> Option<(Dimension, FieldSource)> {
    if let Some(name) = node.value().as_str() {
        let dimension = Dimension { name: name.to_owned(), kind: DimensionType::String };
        return Some((dimension, columns.source(name, node)?));
    }
    if !node.value().is_object() {
        return node.expected("a name, or an object with `name` and `type`");
    }
    let ignored = &["createBitmapIndex", "multiValueHandling", "columnFormatSpec"];
    let fields = node.fields_or_ignored(&["type", "name", "maxStringLength"], ignored)?;
    fields.refuse("maxStringLength", "strings are not shortened: leave this out");
    let name = fields.required("name", "name the column").and_then(|node| node.text());
    let kind = fields.get("type").map_or(Some(DimensionType::String), |node| {
        let text = node.text()?.to_ascii_lowercase();
        let known = DIMENSION_TYPES.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind);
        known.or_else(|| {
            node.expected("one of string, long, double, float, boolean (`auto` and `json` are not supported yet)")
        })
    });
    let source = name.and_then(|name| columns.source(name, node));
    Some((Dimension { name: name?.to_owned(), kind: kind? }, source?))
}

/// Floats are kept as doubles.
const AGGREGATIONS: [(&str, Aggregation); 10] = [
    ("count", Aggregation::Count),
    ("longSum", Aggregation::LongSum),
    ("longMin", Aggregation::LongMin),
    ("longMax", Aggregation::LongMax),
    ("doubleSum", Aggregation::DoubleSum),
    ("doubleMin", Aggregation::DoubleMin),
    ("doubleMax", Aggregation::DoubleMax),
    ("floatSum", Aggregation::DoubleSum),
    ("floatMin", Aggregation::DoubleMin),
    ("floatMax", Aggregation::DoubleMax),
];

fn read_measures(
    node: &Node<'_>,
    columns: &Columns,
    names: &ColumnNames<'_>,
    dimensions: Dimensions<'_>,
) -> Option<Vec<(Measure, Option<FieldSource>)>> {
    let read: Vec<_> = node.items()?.iter().map(|node| read_measure(node, columns, names, dimensions)).collect();
    read.into_iter().collect()
}

fn read_measure(
    node: &Node<'_>,
    columns: &Columns,
    names: &ColumnNames<'_>,
    dimensions: Dimensions<'_>,
) -> Option<(Measure, Option<FieldSource>)> {
    let named = |kind: &str| AGGREGATIONS.iter().find(|(name, _)| *name == kind).map(|(_, aggregation)| *aggregation);
    // Before the fields are checked: each kind of sketch has fields of its own.
    if let Some(kind) = node.value().get("type").and_then(|kind| kind.as_str()) {
        if let Some((_, family)) = DRUID_FAMILIES.iter().find(|(name, _)| *name == kind) {
            return read_sketch(*family, node, columns, dimensions);
        }
        if named(kind).is_none() {
            let known = AGGREGATIONS.iter().map(|(name, _)| *name).chain(DRUID_FAMILIES.iter().map(|(name, _)| *name));
            let known: Vec<&str> = known.collect();
            node.problem(format!("the aggregator `{kind}` is not supported yet: use {}", known.join(", ")));
            return None;
        }
    }
    let fields = node.fields(&["type", "name", "fieldName", "expression"])?;
    let name = fields.required("name", "name the measure").and_then(|node| node.text());
    let aggregation = named(fields.required("type", "use an aggregator such as `longSum`")?.text()?)?;
    let source = match aggregation {
        Aggregation::Count => None,
        _ => match fields.get("expression") {
            None => Some(read_field(&fields, columns)?),
            Some(node) if fields.get("fieldName").is_none() => Some(transforms::read_expression(&node, names)?),
            Some(node) => {
                node.problem("`fieldName` says already what is aggregated: leave one of the two out");
                return None;
            }
        },
    };
    Some((Measure { name: name?.to_owned(), aggregation }, source))
}

fn read_sketch(
    family: Family,
    node: &Node<'_>,
    columns: &Columns,
    dimensions: Dimensions<'_>,
) -> Option<(Measure, Option<FieldSource>)> {
    let (fields, kind) = sketch_measure::read_druid(family, node)?;
    let name = fields.required("name", "name the measure").and_then(|node| node.text());
    let source = read_field(&fields, columns)?;
    let of = sketch_measure::values_of(family, &source, dimensions);
    let aggregation = Aggregation::Sketch(SketchMeasure { kind, of });
    Some((Measure { name: name?.to_owned(), aggregation }, Some(source)))
}

fn read_field(fields: &Fields<'_>, columns: &Columns) -> Option<FieldSource> {
    let field = fields.required("fieldName", "name the field to aggregate")?;
    columns.source(field.text()?, &field)
}

struct Granularities {
    segment_granularity: Granularity,
    query_granularity: Granularity,
    rollup: bool,
}

/// Defaults are Druid's: time chunks of a day, event times as they are, rollup.
fn read_granularities(fields: &Fields<'_>) -> Option<Granularities> {
    let day = || "day".parse::<Granularity>().expect("a granularity");
    let Some(node) = fields.get("granularitySpec") else {
        return Some(Granularities { segment_granularity: day(), query_granularity: Granularity::NONE, rollup: true });
    };
    let spec = node.fields_or_ignored(&["type", "segmentGranularity", "queryGranularity", "rollup"], &["intervals"])?;
    if let Some(kind) = spec.get("type")
        && kind.text().is_some_and(|kind| kind != "uniform")
    {
        kind.problem("only `uniform` granularities are supported");
    }
    let segment_granularity =
        spec.get("segmentGranularity").map_or_else(|| Some(day()), |node| granularity::read(&node));
    let query_granularity =
        spec.get("queryGranularity").map_or(Some(Granularity::NONE), |node| granularity::read(&node));
    let rollup = spec.get("rollup").map_or(Some(true), |node| node.boolean());
    Some(Granularities {
        segment_granularity: segment_granularity?,
        query_granularity: query_granularity?,
        rollup: rollup?,
    })
}
