//! The short form of a spec, and how it is written back.
//!
//! | key | meaning | default |
//! |---|---|---|
//! | `topic` | the Kafka topic | |
//! | `topic_pattern` | instead of `topic`: a regular expression; every topic whose whole name matches is read, those of Kafka itself left out | |
//! | `kafka` | properties of the client; `bootstrap.servers` is needed | |
//! | `time` | a field, or `{ column, format, missing }` | format `auto` |
//! | `dimensions` | names, or `{ name, type, from }`; in sort order | type `string`, from the field of that name |
//! | `sort` | dimensions or `__time` that rows are sorted by before all others | the order of `dimensions`, then time |
//! | `tenant` | the dimension that says whose a row is; tenants see their own rows, and without it none | no tenant sees the rows |
//! | `where` | an expression: records for which it is not true are counted and left out | all are kept |
//! | `measures` | name = `"count"`, an aggregation (`"long_sum"`), or `{ aggregation = field }` | none |
//! | `rollup` | fold events equal in dimensions and in time floored to this | keep every event |
//! | `query_granularity` | floor event times, but keep every event | `none` |
//! | `segment` | length of a time chunk | `1h` |
//! | `start` | `earliest` or `latest`: where an unread topic is begun | `earliest` |
//! | `late`, `early`, `not_before` | bounds on event time | none |
//! | `cut` | `{ rows, bytes, age }`: when open segments are published | [`CutConfig`] |
//! | `retention` | how long rows stay (`30d`), or Druid's load and drop rules | for ever |
//! | `rollup_after` | `[{ after, granularity }]`: roll older rows up to coarser times | never |
//! | `compaction` | `{ rows, bytes, quiet }`: the segment size that merging aims at, and how long after its last segment a time chunk is complete | [`CompactionTarget`](henge_segment_store::upkeep::CompactionTarget) |
//! | `record_bytes_max` | longer records are refused | 1 MiB |
//! | `suspended` | known, but not reading | `false` |
//!
//! Fields are written as in [`FieldSource`]; a dimension or measure may be computed by an expression instead, see
//! [`transform`](crate::transform). Aggregations are `long_sum`, `long_min`, `long_max`, `double_sum`,
//! `double_min`, `double_max`; `sum`, `min` and `max` are those of doubles. Sketches stand in `sketch_measure.rs`.

use henge_segment_store::schema::{Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure};
use henge_segment_store::time::{Granularity, TimestampMs};
use serde_json::{Map, Value, json};

use super::fields::{Fields, unknown};
use super::{
    CutConfig, FieldSource, InputSpec, Node, RECORD_BYTES_MAX_DEFAULT, StartAt, SupervisorSpec, TimeFormat, TimeSpec,
    Topics, granularity, period, row_filter, sketch_measure, upkeep,
};
use crate::client_properties::{ClientProperties, WrittenFor};
use crate::time_policy::TimePolicy;

const KEYS: &[&str] = &[
    "datasource",
    "topic",
    "topic_pattern",
    "kafka",
    "time",
    "dimensions",
    "sort",
    "tenant",
    "where",
    "measures",
    "rollup",
    "query_granularity",
    "segment",
    "start",
    "late",
    "early",
    "not_before",
    "cut",
    upkeep::KEYS[0],
    upkeep::KEYS[1],
    upkeep::KEYS[2],
    "record_bytes_max",
    "suspended",
];

const SEGMENT_DEFAULT: &str = "1h";

const AGGREGATIONS: [(&str, Aggregation); 9] = [
    ("long_sum", Aggregation::LongSum),
    ("long_min", Aggregation::LongMin),
    ("long_max", Aggregation::LongMax),
    ("double_sum", Aggregation::DoubleSum),
    ("double_min", Aggregation::DoubleMin),
    ("double_max", Aggregation::DoubleMax),
    ("sum", Aggregation::DoubleSum),
    ("min", Aggregation::DoubleMin),
    ("max", Aggregation::DoubleMax),
];

pub(super) const DIMENSION_TYPES: [(&str, DimensionType); 4] = [
    ("string", DimensionType::String),
    ("long", DimensionType::Long),
    ("double", DimensionType::Double),
    ("boolean", DimensionType::Boolean),
];

const STARTS: [(&str, StartAt); 2] = [("earliest", StartAt::Earliest), ("latest", StartAt::Latest)];

/// `name`: what the datasource is called when the spec stands under its name.
pub(super) fn read(node: &Node<'_>, name: Option<&str>) -> Option<SupervisorSpec> {
    let fields = node.fields(KEYS)?;
    let data_source = read_name(&fields, name);
    let topics = Topics::read(&fields, "topic", "topic_pattern");
    let client_properties = fields
        .required("kafka", r#"set at least { "bootstrap.servers" = "HOST:PORT" }"#)
        .and_then(|node| ClientProperties::read(&node, WrittenFor::Henge));
    let time = fields
        .required("time", "say which field holds the event time, such as `timestamp`")
        .and_then(|node| read_time(&node));
    let columns = read_columns(&fields);
    let start = fields.get("start").map_or(Some(StartAt::Earliest), |node| node.choice(&STARTS));
    let time_policy = read_time_policy(&fields);
    let cut = fields.get("cut").map_or(Some(CutConfig::default()), |node| CutConfig::read(&node));
    let policy = upkeep::read(&fields);
    let record_bytes_max =
        fields.get("record_bytes_max").map_or(Some(RECORD_BYTES_MAX_DEFAULT as u64), |node| node.number(1));
    let suspended = fields.get("suspended").map_or(Some(false), |node| node.boolean());
    let (schema, dimensions, measures) = columns?;
    let policy = policy?;
    upkeep::check(&policy, &schema, node)?;
    let input = InputSpec { time: time?, dimensions, measures };
    let filter = match fields.get("where") {
        Some(node) => Some(("where", node.text()?)),
        None => None,
    };
    let transform = row_filter::read(&fields, &schema, &input, filter, "dimensions")?;
    Some(SupervisorSpec {
        data_source: data_source?,
        schema,
        input,
        transform,
        topics: topics?,
        client_properties: client_properties?,
        start: start?,
        time_policy: time_policy?,
        cut: cut?,
        upkeep: policy,
        record_bytes_max: usize::try_from(record_bytes_max?).unwrap_or(usize::MAX),
        suspended: suspended?,
    })
}

fn read_name(fields: &Fields<'_>, name: Option<&str>) -> Option<DataSourceName> {
    let written = match (fields.get("datasource"), name) {
        (Some(node), Some(name)) => {
            let written = node.text()?;
            if written != name {
                node.problem(format!("the spec stands under the name `{name}`: leave this out"));
                return None;
            }
            written
        }
        (None, Some(name)) => name,
        (_, None) => fields.required("datasource", "name the datasource").and_then(|node| node.text())?,
    };
    DataSourceName::new(written).map_err(|error| fields.problem_at("datasource", error.to_string())).ok()
}

fn read_time(node: &Node<'_>) -> Option<TimeSpec> {
    if !node.value().is_object() {
        return Some(TimeSpec { source: FieldSource::read_field(node)?, format: TimeFormat::Auto, missing: None });
    }
    let fields = node.fields(&["column", "format", "missing"])?;
    let source = fields
        .required("column", "say which field holds the event time")
        .and_then(|node| FieldSource::read_field(&node));
    let format = fields.get("format").map_or(Some(TimeFormat::Auto), |node| node.choice(&TimeFormat::NAMES));
    let missing = fields.get("missing").map_or(Some(None), |node| read_instant(&node).map(Some));
    Some(TimeSpec { source: source?, format: format?, missing: missing? })
}

/// An instant that an event may carry.
pub(super) fn read_instant(node: &Node<'_>) -> Option<TimestampMs> {
    let instant = node.value().as_str().and_then(TimestampMs::parse_iso).filter(|instant| instant.is_storable());
    instant.or_else(|| node.expected("an ISO-8601 instant such as `2026-01-01T00:00:00Z`"))
}

type Columns = (DataSourceSchema, Vec<FieldSource>, Vec<Option<FieldSource>>);

fn read_columns(fields: &Fields<'_>) -> Option<Columns> {
    let dimensions = fields.get("dimensions").map_or(Some(Vec::new()), |node| read_dimensions(&node));
    let known = dimensions.as_deref().unwrap_or_default();
    let measures = fields.get("measures").map_or(Some(Vec::new()), |node| read_measures(&node, known));
    let rollup = match fields.get("rollup") {
        Some(node) if node.value() == &Value::Bool(false) => Some(None),
        Some(node) => granularity::read(&node).map(Some),
        None => Some(None),
    };
    let query_granularity = match (fields.get("query_granularity"), &rollup) {
        (Some(node), Some(Some(_))) => {
            node.problem("`rollup` already says what event times are floored to: leave this out");
            None
        }
        (Some(node), _) => granularity::read(&node),
        (None, _) => Some(Granularity::NONE),
    };
    let segment = match fields.get("segment") {
        Some(node) => granularity::read(&node),
        None => Some(SEGMENT_DEFAULT.parse().expect("a granularity")),
    };
    let sort = fields.get("sort").map_or(Some(Vec::new()), |node| read_sort(&node));
    let tenant = read_tenant(fields);
    let (dimensions, dimension_sources) = dimensions?.into_iter().unzip();
    let (measures, measure_sources) = measures?.into_iter().unzip();
    let rollup = rollup?;
    let schema = DataSourceSchema {
        dimensions,
        measures,
        rollup: rollup.is_some(),
        query_granularity: rollup.or(query_granularity)?,
        segment_granularity: segment?,
        sort: sort?,
        tenant: tenant?,
    };
    check(&schema, fields.node())?;
    Some((schema, dimension_sources, measure_sources))
}

/// Reports what makes a schema impossible.
pub(super) fn check(schema: &DataSourceSchema, node: &Node<'_>) -> Option<()> {
    if schema.dimensions.is_empty() && schema.measures.is_empty() {
        node.problem("declares no columns: list at least one dimension or measure");
        return None;
    }
    schema.validate().map_err(|error| node.problem(error.to_string())).ok()
}

/// The dimension that says whose a row is; whether there is one of that name is for the schema to say.
pub(super) fn read_tenant(fields: &Fields<'_>) -> Option<Option<String>> {
    fields.get("tenant").map_or(Some(None), |node| node.text().map(|name| Some(name.to_owned())))
}

fn read_sort(node: &Node<'_>) -> Option<Vec<String>> {
    node.items()?.iter().map(|item| item.text().map(str::to_owned)).collect()
}

fn read_dimensions(node: &Node<'_>) -> Option<Vec<(Dimension, FieldSource)>> {
    let read: Vec<_> = node.items()?.iter().map(read_dimension).collect();
    read.into_iter().collect()
}

fn read_dimension(node: &Node<'_>) -> Option<(Dimension, FieldSource)> {
    if let Some(name) = node.value().as_str() {
        let dimension = Dimension { name: name.to_owned(), kind: DimensionType::String };
        return Some((dimension, FieldSource::read(node)?));
    }
    if !node.value().is_object() {
        return node.expected("a name, or an object with `name`, `type` and `from`");
    }
    let fields = node.fields(&["name", "type", "from"])?;
    let name = fields.required("name", "name the column");
    let kind = fields.get("type").map_or(Some(DimensionType::String), |node| node.choice(&DIMENSION_TYPES));
    // A column without `from` is read from the field of its name.
    let source = fields.get("from").or_else(|| name.clone()).and_then(|node| FieldSource::read(&node));
    let name = name?.text()?.to_owned();
    Some((Dimension { name, kind: kind? }, source?))
}

fn read_measures(
    node: &Node<'_>,
    dimensions: sketch_measure::Dimensions<'_>,
) -> Option<Vec<(Measure, Option<FieldSource>)>> {
    let read: Vec<_> = node.entries()?.iter().map(|(name, node)| read_measure(name, node, dimensions)).collect();
    read.into_iter().collect()
}

const MEASURE_FORMS: &str =
    r#""count", an aggregation such as "long_sum", { long_sum = "FIELD" }, or a sketch such as { hll = "FIELD" }"#;

fn read_measure(
    name: &str,
    node: &Node<'_>,
    dimensions: sketch_measure::Dimensions<'_>,
) -> Option<(Measure, Option<FieldSource>)> {
    let measure = |aggregation| Measure { name: name.to_owned(), aggregation };
    match node.value() {
        Value::String(text) if text == "count" => Some((measure(Aggregation::Count), None)),
        Value::String(text) => {
            let source = || FieldSource::parse(name).map_err(|message| node.problem(message)).ok();
            if let Some((_, family)) = sketch_measure::FAMILIES.iter().find(|(known, _)| known == text) {
                let source = source()?;
                return Some((measure(sketch_measure::default_of(*family, &source, dimensions)), Some(source)));
            }
            Some((measure(aggregation(text, node)?), Some(source()?)))
        }
        Value::Object(map) if sketch_measure::family_in(map).is_some() => {
            let (aggregation, source) = sketch_measure::read(sketch_measure::family_in(map)?, node, dimensions)?;
            Some((measure(aggregation), source))
        }
        Value::Object(map) if map.len() == 1 => {
            let (key, field) = node.entries()?.remove(0);
            if key == "count" {
                field.problem(r#"a count needs no field: write "count""#);
                return None;
            }
            Some((measure(aggregation(key, &field)?), Some(FieldSource::read(&field)?)))
        }
        _ => node.expected(MEASURE_FORMS),
    }
}

fn aggregation(name: &str, node: &Node<'_>) -> Option<Aggregation> {
    let known = AGGREGATIONS.iter().find(|(known, _)| *known == name).map(|(_, aggregation)| *aggregation);
    if known.is_none() {
        let sketches = sketch_measure::FAMILIES.iter().map(|(known, _)| *known);
        let names = AGGREGATIONS.iter().map(|(known, _)| *known).chain(["count"]).chain(sketches);
        node.problem(format!("{}; expected {MEASURE_FORMS}", unknown(&format!("aggregation `{name}`"), name, names)));
    }
    known
}

fn read_time_policy(fields: &Fields<'_>) -> Option<TimePolicy> {
    let length = |name| fields.get(name).map_or(Some(None), |node| period::read(&node).map(Some));
    let (late_ms_max, early_ms_max) = (length("late"), length("early"));
    let not_before = fields.get("not_before").map_or(Some(None), |node| read_instant(&node).map(Some));
    Some(TimePolicy { late_ms_max: late_ms_max?, early_ms_max: early_ms_max?, not_before: not_before? })
}

pub(super) fn write(spec: &SupervisorSpec) -> Value {
    let mut json = Map::new();
    let mut put = |key: &str, value: Value| json.insert(key.to_owned(), value);
    put("datasource", json!(spec.data_source));
    let topics_key = if let Topics::One(_) = spec.topics { "topic" } else { "topic_pattern" };
    put(topics_key, json!(spec.topics.as_str()));
    put("kafka", spec.client_properties.write());
    put("time", write_time(&spec.input.time));
    put("dimensions", write_dimensions(spec));
    if !spec.schema.sort.is_empty() {
        put("sort", json!(spec.schema.sort));
    }
    if let Some(tenant) = &spec.schema.tenant {
        put("tenant", json!(tenant));
    }
    if let Some(filter) = spec.transform.filter_text() {
        put("where", json!(filter));
    }
    put("measures", write_measures(spec));
    let granularity = if spec.schema.rollup { "rollup" } else { "query_granularity" };
    put(granularity, json!(spec.schema.query_granularity));
    put("segment", json!(spec.schema.segment_granularity));
    put("start", json!(name_of(&STARTS, spec.start)));
    if let Some(late) = spec.time_policy.late_ms_max {
        put("late", json!(period::write(late)));
    }
    if let Some(early) = spec.time_policy.early_ms_max {
        put("early", json!(period::write(early)));
    }
    if let Some(not_before) = spec.time_policy.not_before {
        put("not_before", json!(not_before.to_string()));
    }
    put("cut", spec.cut.write());
    put("record_bytes_max", json!(spec.record_bytes_max));
    put("suspended", json!(spec.suspended));
    upkeep::write(&spec.upkeep, &mut json);
    Value::Object(json)
}

fn write_time(time: &TimeSpec) -> Value {
    let mut json = json!({ "column": time.source.write(), "format": name_of(&TimeFormat::NAMES, time.format) });
    if let Some(missing) = time.missing {
        json["missing"] = json!(missing.to_string());
    }
    json
}

fn write_dimensions(spec: &SupervisorSpec) -> Value {
    let columns = spec.schema.dimensions.iter().zip(&spec.input.dimensions);
    let written = |(dimension, source): (&Dimension, &FieldSource)| json!({ "name": dimension.name, "type": dimension.kind, "from": source.write() });
    Value::Array(columns.map(written).collect())
}

fn write_measures(spec: &SupervisorSpec) -> Value {
    let columns = spec.schema.measures.iter().zip(&spec.input.measures);
    let written = |(measure, source): (&Measure, &Option<FieldSource>)| {
        let value = match (source, measure.aggregation) {
            (None, _) => json!("count"),
            (Some(source), Aggregation::Sketch(sketch)) => sketch_measure::write(sketch, source),
            (Some(source), aggregation) => json!({ name_of(&AGGREGATIONS, aggregation): source.write() }),
        };
        (measure.name.clone(), value)
    };
    Value::Object(columns.map(written).collect())
}

/// The first name of a value.
pub(super) fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: T) -> &'static str {
    names.iter().find(|(_, named)| *named == value).map(|(name, _)| *name).expect("every value has a name")
}
