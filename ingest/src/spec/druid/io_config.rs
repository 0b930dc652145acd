use super::input_format::{self, Columns};
use crate::client_properties::{ClientProperties, WrittenFor};
use crate::spec::fields::Fields;
use crate::spec::short_form::read_instant;
use crate::spec::{Node, StartAt, Topics, period};
use crate::time_policy::TimePolicy;

/// What Druid's `ioConfig` says.
pub(super) struct IoConfig {
    pub(super) topics: Topics,
    pub(super) client_properties: ClientProperties,
    pub(super) columns: Columns,
    pub(super) start: StartAt,
    pub(super) time_policy: TimePolicy,
}

const KNOWN: &[&str] = &[
    "type",
    "topic",
    "topicPattern",
    "multiTopic",
    "inputFormat",
    "consumerProperties",
    "useEarliestOffset",
    "useEarliestSequenceNumber",
    "lateMessageRejectionPeriod",
    "lateMessageRejectionStartDateTime",
    "earlyMessageRejectionPeriod",
];

const IGNORED: &[&str] = &[
    "autoScalerConfig",
    "completionTimeout",
    "configOverrides",
    "emitTimeLagMetrics",
    "idleConfig",
    "period",
    "pollTimeout",
    "replicas",
    "serverPriorityToReplicas",
    "startDelay",
    "stopTaskCount",
    "stopTaskCountRatio",
    "taskCount",
    "taskDuration",
];

impl IoConfig {
    pub(super) fn read(node: &Node<'_>) -> Option<Self> {
        let fields = node.fields_or_ignored(KNOWN, IGNORED)?;
        check_type(&fields);
        let topics =
            match fields.refuse("multiTopic", "is what Druid had before `topicPattern`: write that one instead") {
                true => None,
                false => Topics::read(&fields, "topic", "topicPattern"),
            };
        let client_properties = fields
            .required("consumerProperties", "set at least `bootstrap.servers`")
            .and_then(|node| ClientProperties::read(&node, WrittenFor::Druid));
        let columns = fields
            .required("inputFormat", r#"only JSON is read: use {"type": "json"}"#)
            .and_then(|node| input_format::read(&node));
        let start = read_start(&fields);
        let time_policy = read_time_policy(&fields);
        Some(Self {
            topics: topics?,
            client_properties: client_properties?,
            columns: columns?,
            start: start?,
            time_policy: time_policy?,
        })
    }
}

/// Both configurations repeat the supervisor's type.
pub(super) fn check_type(fields: &Fields<'_>) {
    if let Some(node) = fields.get("type")
        && node.text().is_some_and(|kind| kind != "kafka")
    {
        node.problem("only Kafka is read here: use `kafka`");
    }
}

/// Druid starts at the end of a topic unless told otherwise.
fn read_start(fields: &Fields<'_>) -> Option<StartAt> {
    let Some(node) = fields.get("useEarliestOffset").or_else(|| fields.get("useEarliestSequenceNumber")) else {
        fields.warn_at(
            "useEarliestOffset",
            "is false by default, so records that are in the topic already are not read; set it to true to read them",
        );
        return Some(StartAt::Latest);
    };
    Some(if node.boolean()? { StartAt::Earliest } else { StartAt::Latest })
}

fn read_time_policy(fields: &Fields<'_>) -> Option<TimePolicy> {
    let length = |name| fields.get(name).map_or(Some(None), |node| period::read(&node).map(Some));
    let late_ms_max = length("lateMessageRejectionPeriod");
    let early_ms_max = length("earlyMessageRejectionPeriod");
    let start = fields.get("lateMessageRejectionStartDateTime");
    let not_before = start.map_or(Some(None), |node| read_instant(&node).map(Some));
    Some(TimePolicy { late_ms_max: late_ms_max?, early_ms_max: early_ms_max?, not_before: not_before? })
}
