//! Druid's Kafka supervisor spec: what exists here is mapped, what would change results and does not exist is an error,
//! and what only tells Druid how to run its tasks is accepted with a warning.

mod data_schema;
mod expression;
mod input_format;
mod io_config;
mod row_filter;
mod transforms;

use self::data_schema::DataSchema;
use self::input_format::Columns;
use self::io_config::IoConfig;
use super::fields::Fields;
use henge_segment_store::upkeep::{CompactionTarget, UpkeepPolicy};

use super::{CutConfig, InputSpec, Node, RECORD_BYTES_MAX_DEFAULT, SupervisorSpec, period};

/// Fields of the outermost object in both shapes; the parts of a spec stand beside them when it is flat.
const ENVELOPE_FLAT: &[&str] = &["type", "id", "suspended", "dataSchema", "ioConfig", "tuningConfig"];
const ENVELOPE_NESTED: &[&str] = &["type", "id", "suspended", "spec"];
const PARTS: &[&str] = &["dataSchema", "ioConfig", "tuningConfig"];
const ENVELOPE_IGNORED: &[&str] = &["context"];
/// Druid adds these to the nested spec that it stores and shows.
const PARTS_IGNORED: &[&str] = &["type", "suspended", "context", "id"];

pub(super) fn read(node: &Node<'_>) -> Option<SupervisorSpec> {
    let is_nested = node.value().get("spec").is_some();
    let known = if is_nested { ENVELOPE_NESTED } else { ENVELOPE_FLAT };
    let envelope = node.fields_or_ignored(known, ENVELOPE_IGNORED)?;
    if let Some(kind) = envelope.get("type")
        && kind.text()? != "kafka"
    {
        kind.problem("only Kafka supervisors exist here: use `kafka`");
    }
    let suspended = envelope.get("suspended").map_or(Some(false), |node| node.boolean());
    let inner = match is_nested {
        true => Some(envelope.required("spec", "nest the spec here")?.fields_or_ignored(PARTS, PARTS_IGNORED)?),
        false => None,
    };
    let parts = inner.as_ref().unwrap_or(&envelope);
    let io_config = parts.required("ioConfig", "say which topic to read").and_then(|node| IoConfig::read(&node));
    let columns = match &io_config {
        Some(io_config) => io_config.columns.clone(),
        // Only to find the problems of the data schema too.
        None => Columns::default(),
    };
    let data_schema = parts
        .required("dataSchema", "declare the time, the dimensions and the measures")
        .and_then(|node| DataSchema::read(&node, &columns));
    let tuning = parts.get("tuningConfig").map_or(Some(Tuning::default()), |node| read_tuning(&node));
    let (io_config, data_schema) = (io_config?, data_schema?);
    let tuning = tuning?;
    check_id(&envelope, &data_schema);
    let input = InputSpec {
        time: data_schema.time,
        dimensions: data_schema.dimension_sources,
        measures: data_schema.measure_sources,
    };
    let filter = data_schema.row_filter.as_deref().map(|text| ("dataSchema", text));
    let transform = super::row_filter::read(parts, &data_schema.schema, &input, filter, "dataSchema")?;
    Some(SupervisorSpec {
        data_source: data_schema.data_source,
        schema: data_schema.schema,
        input,
        transform,
        topics: io_config.topics,
        client_properties: io_config.client_properties,
        start: io_config.start,
        time_policy: io_config.time_policy,
        cut: tuning.cut,
        upkeep: UpkeepPolicy { compaction: tuning.compaction, ..UpkeepPolicy::default() },
        record_bytes_max: RECORD_BYTES_MAX_DEFAULT,
        suspended: suspended?,
    })
}

fn check_id(envelope: &Fields<'_>, data_schema: &DataSchema) {
    if let Some(id) = envelope.get("id").and_then(|node| node.text())
        && id != data_schema.data_source.as_str()
    {
        envelope.warn_at("id", "is ignored: a supervisor has the name of its datasource");
    }
}

const TUNING: &[&str] = &["type", "maxRowsPerSegment", "maxTotalRows", "maxBytesInMemory", "intermediateHandoffPeriod"];

const TUNING_IGNORED: &[&str] = &[
    "appendableIndexSpec",
    "basePersistDirectory",
    "buildV9Directly",
    "chatHandlerNumRetries",
    "chatHandlerTimeout",
    "chatRetries",
    "chatThreads",
    "handoffConditionTimeout",
    "httpTimeout",
    "indexSpec",
    "indexSpecForIntermediatePersists",
    "intermediatePersistPeriod",
    "logParseExceptions",
    "maxColumnsToMerge",
    "maxParseExceptions",
    "maxPendingPersists",
    "maxRowsInMemory",
    "maxSavedParseExceptions",
    "numPersistThreads",
    "offsetFetchPeriod",
    "releaseLocksOnHandoff",
    "reportParseExceptions",
    "resetOffsetAutomatically",
    "segmentWriteOutMediumFactory",
    "shutdownTimeout",
    "skipBytesInMemoryOverheadCheck",
    "skipSequenceNumberAvailabilityCheck",
    "workerThreads",
];

/// Longer handoff periods are Druid's way to say "never"; Kafka may not keep what is unpublished for that long.
const AGE_MS_MAX: i64 = 24 * 3_600_000;

/// What of the `tuningConfig` has a meaning here.
#[derive(Default)]
struct Tuning {
    cut: CutConfig,
    compaction: CompactionTarget,
}

/// `maxRowsInMemory` is left out on purpose: it bounds what Druid writes to disk in between, not what it publishes.
///
/// Druid's segment size bounds what is published at once, and what compaction merges them into.
fn read_tuning(node: &Node<'_>) -> Option<Tuning> {
    let fields = node.fields_or_ignored(TUNING, TUNING_IGNORED)?;
    io_config::check_type(&fields);
    let Tuning { mut cut, mut compaction } = Tuning::default();
    if let Some(node) = fields.get("maxRowsPerSegment") {
        compaction.rows = node.number(1)?;
    }
    for name in ["maxRowsPerSegment", "maxTotalRows"] {
        if let Some(node) = fields.get(name) {
            cut.rows_max = cut.rows_max.min(node.number(1)?);
        }
    }
    if let Some(node) = fields.get("maxBytesInMemory") {
        // 0 and -1 leave the choice to Druid.
        match node.value().as_i64() {
            Some(0 | -1) => {}
            _ => cut.bytes_max = node.number(1)?,
        }
    }
    if let Some(node) = fields.get("intermediateHandoffPeriod") {
        match period::read(&node)? {
            age @ 1..=AGE_MS_MAX => cut.age_ms_max = age,
            _ => node.warn("is ignored: segments are published at least daily, and by default every five minutes"),
        }
    }
    Some(Tuning { cut, compaction })
}
