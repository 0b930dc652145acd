use std::collections::HashMap;

use crate::spec::fields::Fields;
use crate::spec::{FieldSource, KafkaField, Node};

/// Which field of a record a column's name stands for.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    named: HashMap<String, FieldSource>,
    header_prefix: Option<String>,
    /// Other names are keys of the record's outermost object.
    discovers_fields: bool,
}

impl Default for Columns {
    fn default() -> Self {
        Self { named: HashMap::new(), header_prefix: None, discovers_fields: true }
    }
}

impl Columns {
    /// Lets a name stand for something else.
    pub(super) fn put(&mut self, name: String, source: FieldSource) {
        self.named.insert(name, source);
    }

    /// Reports a name that no field has.
    pub(super) fn source(&self, name: &str, node: &Node<'_>) -> Option<FieldSource> {
        self.find(name).map_err(|message| node.problem(message)).ok()
    }

    /// The error says that no field has the name.
    pub(super) fn find(&self, name: &str) -> Result<FieldSource, String> {
        if let Some(source) = self.named.get(name) {
            return Ok(source.clone());
        }
        let header = self.header_prefix.as_ref().and_then(|prefix| name.strip_prefix(prefix.as_str()));
        if let Some(header) = header.filter(|header| !header.is_empty()) {
            return Ok(FieldSource::Kafka(KafkaField::Header(header.to_owned())));
        }
        if !self.discovers_fields {
            return Err(format!("`{name}` is not among the fields of flattenSpec, and useFieldDiscovery is false"));
        }
        Ok(FieldSource::key(name))
    }
}

pub(super) fn read(node: &Node<'_>) -> Option<Columns> {
    match node.value().get("type").and_then(|kind| kind.as_str()) {
        Some("kafka") => read_kafka(node),
        _ => read_json(node),
    }
}

const JSON_IGNORED: &[&str] = &["keepNullColumns", "assumeNewlineDelimited", "useJsonNodeReader"];

fn read_json(node: &Node<'_>) -> Option<Columns> {
    let fields = node.fields_or_ignored(&["type", "flattenSpec", "featureSpec"], JSON_IGNORED)?;
    let kind = fields.required("type", "use `json`")?;
    if kind.text()? != "json" {
        return kind.expected("`json`, or `kafka` around `json` (other formats are not supported yet)");
    }
    fields.refuse("featureSpec", "features of Druid's JSON parser are not supported: records are strict JSON");
    fields.get("flattenSpec").map_or(Some(Columns::default()), |node| read_flatten(&node))
}

fn read_flatten(node: &Node<'_>) -> Option<Columns> {
    let fields = node.fields(&["useFieldDiscovery", "fields"])?;
    let discovers_fields = fields.get("useFieldDiscovery").map_or(Some(true), |node| node.boolean())?;
    let mut columns = Columns { discovers_fields, ..Columns::default() };
    let listed = fields.get("fields").map_or(Some(Vec::new()), |node| node.items())?;
    let read: Vec<_> = listed.iter().map(read_field).collect();
    for field in read {
        let (name, source) = field?;
        columns.named.insert(name, source);
    }
    Some(columns)
}

fn read_field(node: &Node<'_>) -> Option<(String, FieldSource)> {
    if let Some(name) = node.value().as_str() {
        return Some((name.to_owned(), FieldSource::key(name)));
    }
    let fields = node.fields(&["type", "name", "expr", "nodes"])?;
    let kind = fields.required("type", "use `root` or `path`")?;
    let name = fields.required("name", "name the column").and_then(|node| node.text())?;
    let source = match kind.text()? {
        "root" => FieldSource::key(fields.get("expr").map_or(Some(name), |node| node.text())?),
        "path" => {
            let expr = fields.required("expr", "write a path such as `$.a.b`")?;
            FieldSource::Path(parse_path(expr.text()?).or_else(|| {
                expr.problem("only paths of plain keys are supported, such as `$.a.b` or `$['a']['b.c']`");
                None
            })?)
        }
        "tree" => {
            let keys = fields.required("nodes", "list the keys from the outermost inward")?.items()?;
            FieldSource::Path(keys.iter().map(|key| key.text().map(str::to_owned)).collect::<Option<_>>()?)
        }
        _ => return kind.expected("`root`, `path` or `tree` (jq expressions are not supported)"),
    };
    match &source {
        FieldSource::Path(keys) if keys.is_empty() => node.expected("at least one key in `nodes`"),
        _ => Some((name.to_owned(), source)),
    }
}

/// The keys of a JSONPath that only walks down through objects.
fn parse_path(text: &str) -> Option<Vec<String>> {
    let mut rest = text.strip_prefix('$')?;
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let key;
        if let Some(quoted) = rest.strip_prefix("['") {
            (key, rest) = quoted.split_once("']")?;
        } else {
            let bare = rest.strip_prefix('.')?;
            let end = bare.find(['.', '[']).unwrap_or(bare.len());
            (key, rest) = bare.split_at(end);
            // Wildcards, functions and filters stand where a key would.
            if !key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | ' ' | ':' | '/')) {
                return None;
            }
        }
        if key.is_empty() {
            return None;
        }
        keys.push(key.to_owned());
    }
    (!keys.is_empty()).then_some(keys)
}

const KAFKA: &[&str] = &[
    "type",
    "valueFormat",
    "keyFormat",
    "headerFormat",
    "timestampColumnName",
    "topicColumnName",
    "partitionColumnName",
    "offsetColumnName",
    "keyColumnName",
    "headerColumnPrefix",
];

fn read_kafka(node: &Node<'_>) -> Option<Columns> {
    let fields = node.fields(KAFKA)?;
    let value_format = fields.required("valueFormat", r#"use {"type": "json"}"#).and_then(|node| read_json(&node));
    check_header_format(&fields);
    check_key_format(&fields);
    let name =
        |key, default: &str| fields.get(key).map_or(Some(default.to_owned()), |node| node.text().map(str::to_owned));
    let metadata = [
        (name("timestampColumnName", "kafka.timestamp"), KafkaField::Timestamp),
        (name("topicColumnName", "kafka.topic"), KafkaField::Topic),
        (name("partitionColumnName", "kafka.partition"), KafkaField::Partition),
        (name("offsetColumnName", "kafka.offset"), KafkaField::Offset),
        (name("keyColumnName", "kafka.key"), KafkaField::Key),
    ];
    let mut columns = value_format?;
    columns.header_prefix = Some(name("headerColumnPrefix", "kafka.header.")?);
    for (name, field) in metadata {
        columns.named.insert(name?, FieldSource::Kafka(field));
    }
    Some(columns)
}

fn check_header_format(fields: &Fields<'_>) {
    let Some(format) = fields.get("headerFormat").and_then(|node| node.fields(&["type", "encoding"])) else { return };
    if let Some(kind) = format.get("type")
        && kind.text().is_some_and(|kind| kind != "string")
    {
        kind.problem("headers are read as text: use `string`");
    }
    if let Some(encoding) = format.get("encoding")
        && encoding.text().is_some_and(|encoding| !["UTF-8", "US-ASCII"].contains(&encoding))
    {
        encoding.problem("headers are read as UTF-8");
    }
}

/// Druid reads a text key as a line of CSV or TSV with one column; the key is taken whole here.
fn check_key_format(fields: &Fields<'_>) {
    let Some(node) = fields.get("keyFormat") else { return };
    let known = &["type", "columns", "findColumnsFromHeader", "delimiter", "listDelimiter", "skipHeaderRows"];
    match node.value().get("type").and_then(|kind| kind.as_str()) {
        Some("csv" | "tsv") => {
            let Some(format) = node.fields(known) else { return };
            format.refuse("findColumnsFromHeader", "a key has no header line: use false");
            if let Some(columns) = format.get("columns")
                && columns.items().is_some_and(|columns| columns.len() != 1)
            {
                columns.problem("a key is read as one column");
            }
        }
        _ => node.problem("keys are read as text: leave this out, or use `tsv` with one column"),
    }
}
