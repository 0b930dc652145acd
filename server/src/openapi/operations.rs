use crate::auth::access::Access;

/// What can be asked at one path with one method.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    pub tag: &'static str,
    /// In lower case, as OpenAPI has it.
    pub method: &'static str,
    pub path: &'static str,
    /// In plain words without markup.
    pub summary: &'static str,
    pub body: Body,
    pub answer: Answer,
    /// Whether 503 says with the same body that something is not as it should be.
    pub tells_by_status: bool,
    pub access: Access,
}

/// What a request brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    Nothing,
    Sql,
    Object,
    Array,
}

/// What is answered where all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Object,
    Array,
    ArrayOrObject,
    Texts,
    Flag,
    /// Of a query, in the form that it asked for.
    Rows,
    Text,
    Page,
    /// The status says it all.
    Nothing,
    Accepted,
}

impl Operation {
    /// `get_druid_v2_datasources`.
    pub fn id(&self) -> String {
        let words = self.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.fold(self.method.to_owned(), |id, word| format!("{id}_{word}"))
    }

    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    const fn told_by_status(self) -> Self {
        Self { tells_by_status: true, ..self }
    }

    const fn for_tenants(self) -> Self {
        Self { access: Access::Tenants, ..self }
    }

    const fn for_anyone(self) -> Self {
        Self { access: Access::Anyone, ..self }
    }
}

const fn operation(
    tag: &'static str,
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    body: Body,
    answer: Answer,
) -> Operation {
    Operation { tag, method, path, summary, body, answer, tells_by_status: false, access: Access::Admins }
}

const fn get(tag: &'static str, path: &'static str, summary: &'static str, answer: Answer) -> Operation {
    operation(tag, "get", path, summary, Body::Nothing, answer)
}

const fn post(tag: &'static str, path: &'static str, summary: &'static str, body: Body, answer: Answer) -> Operation {
    operation(tag, "post", path, summary, body, answer)
}

const PANELS: &str = "Dashboards";
const METRICS: &str = "Metrics";
const QUERIES: &str = "Queries";
const METADATA: &str = "Datasources and segments";
const CLUSTER: &str = "What Druid's servers say of themselves";
const TASKS: &str = "Tasks";
const SUPERVISORS: &str = "Supervisors";
const PROCESS: &str = "The process";

/// All of them, those of a tag together.
pub const OPERATIONS: &[Operation] = &[
    post(QUERIES, "/druid/v2/sql", "Answers a statement of SQL", Body::Sql, Answer::Rows).for_tenants(),
    operation(QUERIES, "delete", "/druid/v2/sql/{id}", "Cancels a running query", Body::Nothing, Answer::Accepted)
        .for_tenants(),
    post(
        QUERIES,
        "/druid/v2/sql/statements",
        "Runs a statement of SQL and keeps its result",
        Body::Sql,
        Answer::Object,
    ),
    get(QUERIES, "/druid/v2/sql/statements/{id}", "How far such a statement is", Answer::Object),
    operation(
        QUERIES,
        "delete",
        "/druid/v2/sql/statements/{id}",
        "Cancels it (202), or forgets its result (200)",
        Body::Nothing,
        Answer::Accepted,
    ),
    get(QUERIES, "/druid/v2/sql/statements/{id}/results", "Its result, whole or a page of it", Answer::Rows),
    operation(QUERIES, "delete", "/druid/v2/{id}", "Cancels a query, running or not", Body::Nothing, Answer::Accepted)
        .for_tenants(),
    get(QUERIES, "/henge/v1/queries", "The queries that are running, and how far they are", Answer::Array),
    get(QUERIES, "/henge/v1/queries/{id}", "How far a running query is", Answer::Object),
    post(
        PANELS,
        "/henge/v1/panel/query",
        "The rows of a panel, as JSON or as an Arrow stream",
        Body::Object,
        Answer::Object,
    )
    .for_tenants(),
    post(
        PANELS,
        "/henge/v1/panel/check",
        "The statement of a panel and its columns, not run",
        Body::Object,
        Answer::Object,
    )
    .for_tenants(),
    get(
        PANELS,
        "/henge/v1/panel/catalogue",
        "What panels can ask: datasources, metrics, functions, macros",
        Answer::Object,
    )
    .for_tenants(),
    post(
        PANELS,
        "/henge/v1/panel/values",
        "Values of a column or a label, for completion",
        Body::Object,
        Answer::Object,
    )
    .for_tenants(),
    post(PANELS, "/henge/v1/panel/variable", "Options of a dashboard's variable", Body::Object, Answer::Object)
        .for_tenants(),
    get(PANELS, "/grafana/json", "Whether there is a source for Grafana's JSON plugins", Answer::Nothing).for_tenants(),
    post(PANELS, "/grafana/json/metrics", "Measures that can be targets", Body::Object, Answer::Array).for_tenants(),
    post(
        PANELS,
        "/grafana/json/metric-payload-options",
        "What can be chosen beside a target, which is nothing",
        Body::Object,
        Answer::Array,
    )
    .for_tenants(),
    post(PANELS, "/grafana/json/search", "Names of measures that can be targets", Body::Object, Answer::Texts)
        .for_tenants(),
    post(
        PANELS,
        "/grafana/json/query",
        "Points in time or tables for the targets of a panel",
        Body::Object,
        Answer::Array,
    )
    .for_tenants(),
    post(PANELS, "/grafana/json/variable", "Values of a variable of a dashboard", Body::Object, Answer::Array)
        .for_tenants(),
    post(PANELS, "/grafana/json/annotations", "Marks on the time of a dashboard", Body::Object, Answer::Array)
        .for_tenants(),
    post(PANELS, "/grafana/json/tag-keys", "Columns that filters can be about", Body::Object, Answer::Array)
        .for_tenants(),
    post(PANELS, "/grafana/json/tag-values", "Values of such a column", Body::Object, Answer::Array).for_tenants(),
    post(PANELS, "/henge/v1/panel/annotations", "Marks on a dashboard's time", Body::Object, Answer::Object)
        .for_tenants(),
    post(
        PANELS,
        "/henge/v1/panel/tail",
        "Rows that are newer than those of the last look",
        Body::Object,
        Answer::Object,
    )
    .for_tenants(),
    get(METADATA, "/druid/v2/datasources", "Names of all datasources", Answer::Texts),
    get(METADATA, "/druid/v2/datasources/{name}", "Names of dimensions and measures", Answer::Object),
    get(METADATA, "/druid/v2/datasources/{name}/dimensions", "Names of dimensions", Answer::Texts),
    get(METADATA, "/druid/v2/datasources/{name}/metrics", "Names of measures", Answer::Texts),
    get(METADATA, "/druid/coordinator/v1/datasources", "Datasources that have published segments", Answer::Array),
    get(METADATA, "/druid/coordinator/v1/datasources/{name}", "Segments of a datasource in figures", Answer::Object),
    get(
        METADATA,
        "/druid/coordinator/v1/datasources/{name}/loadstatus",
        "How much of a datasource is loaded",
        Answer::Object,
    ),
    get(METADATA, "/druid/coordinator/v1/loadstatus", "How much of each datasource is loaded", Answer::Object),
    get(METADATA, "/druid/coordinator/v1/metadata/datasources", "Names of all datasources", Answer::Texts),
    get(
        METADATA,
        "/druid/coordinator/v1/metadata/datasources/{name}/segments",
        "Ids of published segments",
        Answer::Texts,
    ),
    get(METADATA, "/druid/coordinator/v1/metadata/segments", "Published segments", Answer::Array),
    get(METADATA, "/druid/coordinator/v1/rules", "Retention rules by datasource", Answer::Object),
    get(METADATA, "/druid/coordinator/v1/rules/{name}", "Retention rules of a datasource", Answer::Array),
    post(
        METADATA,
        "/druid/coordinator/v1/rules/{name}",
        "Sets the retention rules of a datasource",
        Body::Array,
        Answer::Nothing,
    ),
    get(CLUSTER, "/druid/broker/v1/loadstatus", "Whether all segments are known", Answer::Object),
    get(CLUSTER, "/druid/broker/v1/readiness", "200 once answers are complete", Answer::Nothing).told_by_status(),
    get(CLUSTER, "/druid/historical/v1/loadstatus", "Whether all segments are known", Answer::Object),
    get(CLUSTER, "/druid/historical/v1/readiness", "200 once answers are complete", Answer::Nothing).told_by_status(),
    get(CLUSTER, "/druid/coordinator/v1/leader", "The URL of this process", Answer::Text),
    get(CLUSTER, "/druid/coordinator/v1/isLeader", "It is", Answer::Object),
    get(CLUSTER, "/druid/coordinator/v1/lookups/config/all", "There are no lookups", Answer::Object),
    get(CLUSTER, "/druid/indexer/v1/leader", "The URL of this process", Answer::Text),
    get(CLUSTER, "/druid/indexer/v1/isLeader", "It is", Answer::Object),
    get(TASKS, "/druid/indexer/v1/tasks", "Each supervisor that reads, as a task", Answer::Array),
    get(TASKS, "/druid/indexer/v1/runningTasks", "The same", Answer::Array),
    get(TASKS, "/druid/indexer/v1/pendingTasks", "Nothing", Answer::Array),
    get(TASKS, "/druid/indexer/v1/waitingTasks", "Nothing", Answer::Array),
    get(TASKS, "/druid/indexer/v1/completeTasks", "Nothing", Answer::Array),
    post(TASKS, "/druid/indexer/v1/task", "Refused: rows come from Kafka", Body::Object, Answer::Object),
    get(TASKS, "/druid/indexer/v1/task/{id}", "A supervisor's spec, as a task", Answer::Object),
    get(TASKS, "/druid/indexer/v1/task/{id}/status", "A supervisor's state, as a task", Answer::Object),
    post(METRICS, "/v2/metrics/{dataset}/query", "What a metric was", Body::Object, Answer::Object).for_tenants(),
    post(METRICS, "/v2/metrics/{dataset}/attributes", "The values of a label", Body::Object, Answer::Object)
        .for_tenants(),
    get(METRICS, "/v2/metrics/{dataset}/export", "The newest complete minute, for scrapers", Answer::Text)
        .for_tenants(),
    get(METRICS, "/v2/metrics/{dataset}/discovery", "What scrapers may scrape", Answer::Array).for_tenants(),
    get(METRICS, "/v2/metrics/{dataset}/descriptors/metrics", "The metrics of a dataset", Answer::Object).for_tenants(),
    get(METRICS, "/v2/metrics/{dataset}/descriptors/resources", "What they are about", Answer::Object).for_tenants(),
    get(METRICS, "/henge/v1/datasets", "Names of datasets", Answer::Texts),
    get(METRICS, "/henge/v1/datasets/{name}", "What a dataset declares", Answer::Object),
    operation(METRICS, "put", "/henge/v1/datasets/{name}", "Declares a dataset", Body::Object, Answer::Object),
    operation(METRICS, "delete", "/henge/v1/datasets/{name}", "Takes a dataset away", Body::Nothing, Answer::Object),
    get(SUPERVISORS, "/druid/indexer/v1/supervisor", "Names of supervisors; with ?full their specs", Answer::Array),
    post(SUPERVISORS, "/druid/indexer/v1/supervisor", "Starts or changes a supervisor", Body::Object, Answer::Object),
    get(SUPERVISORS, "/druid/indexer/v1/supervisor/{id}", "A supervisor's spec", Answer::Object),
    get(
        SUPERVISORS,
        "/druid/indexer/v1/supervisor/{id}/status",
        "State, offsets, lag, ledger, gaps, errors",
        Answer::Object,
    ),
    get(SUPERVISORS, "/druid/indexer/v1/supervisor/{id}/stats", "Counts of records", Answer::Object),
    get(SUPERVISORS, "/druid/indexer/v1/supervisor/{id}/health", "Whether it works", Answer::Object).told_by_status(),
    get(
        SUPERVISORS,
        "/druid/indexer/v1/supervisor/{id}/parseErrors",
        "Records that were refused, and why",
        Answer::ArrayOrObject,
    ),
    post(SUPERVISORS, "/druid/indexer/v1/supervisor/{id}/suspend", "Stops reading", Body::Nothing, Answer::Object),
    post(SUPERVISORS, "/druid/indexer/v1/supervisor/{id}/resume", "Reads on", Body::Nothing, Answer::Object),
    post(
        SUPERVISORS,
        "/druid/indexer/v1/supervisor/{id}/terminate",
        "Ends it; its data stays",
        Body::Nothing,
        Answer::Object,
    ),
    post(SUPERVISORS, "/druid/indexer/v1/supervisor/{id}/shutdown", "The same", Body::Nothing, Answer::Object),
    post(
        SUPERVISORS,
        "/druid/indexer/v1/supervisor/{id}/reset",
        "Begins a new generation of offsets",
        Body::Nothing,
        Answer::Object,
    ),
    get(PROCESS, "/status", "Version and memory", Answer::Object),
    get(PROCESS, "/status/health", "The process answers", Answer::Flag).for_anyone(),
    get(PROCESS, "/status/ready", "Whether answers are complete", Answer::Flag).told_by_status().for_anyone(),
    get(PROCESS, "/status/properties", "Settings that clients look for", Answer::Object),
    get(PROCESS, "/status/selfDiscovered", "200: it has found itself", Answer::Nothing),
    get(PROCESS, "/status/selfDiscovered/status", "The same in words", Answer::Object),
    get(PROCESS, "/health/live", "The process answers", Answer::Object).for_anyone(),
    get(PROCESS, "/health/ready", "Whether answers are complete, and what is missing", Answer::Object)
        .told_by_status()
        .for_anyone(),
    get(PROCESS, "/metrics", "Figures for Prometheus", Answer::Text),
    get(PROCESS, "/openapi.json", "This interface as an OpenAPI document", Answer::Object).for_tenants(),
    get(PROCESS, "/docs", "This interface as a page", Answer::Page).for_tenants(),
];
