//! What an operator sets: flags before environment before file before defaults.
//!
//! ```toml
//! [server]
//! listen = "127.0.0.1:8888"
//! pg_listen = "127.0.0.1:5432"         # PostgreSQL's protocol; absent: it is not spoken
//! data_dir = "henge-data"
//! object_store = "s3://bucket/prefix"   # or file:///shared/directory; absent: in data_dir
//! slot = "0/2"                          # of the partitions, for processes that share an object store; absent: all of them
//! refresh = "1s"                        # how often what the others published is looked for
//!
//! [limits]
//! query_timeout = "60s"
//! plan_timeout = "2s"
//! query_memory = "1GiB"
//! spill_size = "16GiB"                  # on disk, for what does not fit into the memory of queries
//! queries = 64                          # that run at once; more wait
//! queries_waiting = 256                 # more get 429
//! metrics_requests = 300                # of /v2/metrics, from one address in a minute
//! async_statements = 100                # run, or have results on disk, without anybody waiting
//! async_size = "4GiB"                   # of their results
//! async_age = "24h"                     # results go this long after their statement came
//! queue_timeout = "5s"                  # and so do those that have waited so long
//! scanned_segments = 10000              # that a query reads
//! scanned_size = "50GiB"                # of those segments' files
//! result_rows = 1000000
//! result_size = "256MiB"
//! statement_size = "256KiB"             # of SQL; statement_tokens, list_items, expression_operators, nesting and set_arms, too
//! ingest_memory = "1GiB"                # rows of all datasources that are not published yet; beyond it Kafka holds them
//! cache_size = "64GiB"                  # serving forms of segments, in data_dir
//! result_cache = "128MiB"               # what queries found of published segments, in memory
//!
//! [upkeep]
//! cpu = 0.3                             # of one core, for merging segments
//! every = "10s"
//! sweep_grace = "1h"                    # files that nothing needs stay this long
//! scrub_rate = "12MiB"                  # a second: stored files are read again and compared with their digests
//!
//! [lookup.regions]                      # for LOOKUP(region, 'regions'); or file = "regions.csv" or "regions.json"
//! map = { "eu-1" = "Frankfurt" }
//!
//! [datasource.usage]                    # the short form of a supervisor spec
//! topic = "usage"
//!
//! [dataset.cloud.resources.kafka]       # what readers of metrics know columns as
//! id = "cluster_id"
//! ```

mod lookups;
mod section;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use henge_ingest::memory::MemoryLimit;
use henge_ingest::spec::{SpecError, SupervisorSpec};
use henge_query::guard::StatementLimits;
use henge_query::limits::QueryLimits;
use henge_query::lookups::Lookups;
use henge_segment_store::dataset::{Dataset, DatasetError, DatasetName};
use henge_segment_store::slot::Slot;
use henge_segment_store::store::StoreOptions;

use self::section::Section;
use crate::listener::ConnectionLimits;
use crate::statements::AsyncLimits;

pub const LISTEN_DEFAULT: &str = "127.0.0.1:8888";
const DATA_DIR_DEFAULT: &str = "henge-data";
const SLOT_WANTED: &str = "a slot such as \"0/2\", the first of two";
/// A look costs one request to the object store.
const REFRESH_DEFAULT: Duration = Duration::from_secs(1);

/// Everything that `henge server` runs by.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub listen: SocketAddr,
    /// Where PostgreSQL's protocol is spoken; `None`: nowhere.
    pub pg_listen: Option<SocketAddr>,
    pub data_dir: PathBuf,
    /// A bucket for the durable objects; `None` keeps them in `data_dir`.
    pub object_store: Option<String>,
    /// The partitions that this process reads.
    pub slot: Slot,
    /// Between two looks for what other processes have written to the manifest.
    pub refresh: Duration,
    pub limits: Limits,
    pub upkeep: UpkeepConfig,
    pub lookups: Lookups,
    /// Supervisors that the file asks for.
    pub specs: Vec<SupervisorSpec>,
    /// Datasets that the file declares over their datasources.
    pub datasets: Vec<(DatasetName, Dataset)>,
}

/// What requests, queries and the end of the process may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub connection: ConnectionLimits,
    /// Of a request's body.
    pub request_bytes_max: usize,
    pub query: QueryLimits,
    /// Of `/v2/metrics`, from one address in a minute.
    pub metrics_requests_max: u32,
    /// Of statements that nobody waits for.
    pub asynchronous: AsyncLimits,
    /// Of the rows of all datasources that are not published yet.
    pub ingest_bytes_max: usize,
    /// Of the serving forms on disk.
    pub cache_bytes_max: usize,
    /// For publishing what is open and finishing what runs, once the process is told to stop.
    pub shutdown_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connection: ConnectionLimits::default(),
            request_bytes_max: 2 << 20,
            query: QueryLimits::default(),
            metrics_requests_max: 300,
            asynchronous: AsyncLimits::default(),
            ingest_bytes_max: MemoryLimit::BYTES_DEFAULT,
            cache_bytes_max: StoreOptions::CACHE_BYTES_DEFAULT as usize,
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// How segments are looked after once they are published.
#[derive(Debug, Clone, PartialEq)]
pub struct UpkeepConfig {
    /// Of one core: what merging takes at most.
    pub cpu: f64,
    /// Between two rounds.
    pub every: Duration,
    /// How long a file stays that nothing needs: longer than the oldest backup of the manifest is old when it is restored.
    pub sweep_grace: Duration,
    /// Bytes a second that the scrub reads of stored files.
    pub scrub_rate: usize,
}

impl Default for UpkeepConfig {
    fn default() -> Self {
        Self { cpu: 0.3, every: Duration::from_secs(10), sweep_grace: Duration::from_secs(3_600), scrub_rate: 12 << 20 }
    }
}

/// What flags and environment say; clap has already put the one before the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    pub listen: Option<SocketAddr>,
    pub pg_listen: Option<SocketAddr>,
    pub data_dir: Option<PathBuf>,
    pub object_store: Option<String>,
    pub slot: Option<Slot>,
}

/// Why there is no configuration. Each names the file and the setting.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {file}: {cause}")]
    Read { file: String, cause: String },
    #[error("{file}:{line}:{column}: {message}")]
    Syntax { file: String, line: usize, column: usize, message: String },
    #[error("{file}: `{key}` is no setting{}", did_you_mean(.suggestion))]
    UnknownKey { file: String, key: String, suggestion: Option<String> },
    #[error("{file}: `{key}` must be {wanted}, not {found}")]
    Value { file: String, key: String, wanted: Cow<'static, str>, found: String },
    #[error("{file}: `lookup.{name}`: {why}")]
    Lookup { file: String, name: String, why: String },
    #[error("{file}: {}", in_one_line(.error))]
    Spec { file: String, error: SpecError },
    #[error("{file}: {error}")]
    Dataset { file: String, error: DatasetError },
}

fn in_one_line(error: &SpecError) -> String {
    error.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn did_you_mean(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

impl Config {
    /// Reads the file, if one is named, and puts the overrides over it.
    pub fn load(file: Option<&Path>, overrides: Overrides) -> Result<Self, ConfigError> {
        let Some(path) = file else { return Self::parse("", "", overrides) };
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Read { file: name.clone(), cause: error.to_string() })?;
        Self::parse(&name, &text, overrides)
    }

    fn parse(file: &str, text: &str, overrides: Overrides) -> Result<Self, ConfigError> {
        let table: toml::Table = text.parse().map_err(|error| syntax_error(file, text, &error))?;
        let mut root = Section::new(file, "", &table);
        let mut server = root.section("server")?;
        let listen = server.parsed("listen", "an address such as \"127.0.0.1:8888\"", |text| text.parse().ok())?;
        let pg_listen =
            server.parsed("pg_listen", "an address such as \"127.0.0.1:5432\"", |text| text.parse().ok())?;
        let data_dir = server.text("data_dir")?.map(PathBuf::from);
        let object_store = server.text("object_store")?;
        let slot = server.parsed("slot", SLOT_WANTED, |text| text.parse().ok())?;
        let mut refresh = REFRESH_DEFAULT;
        server.duration("refresh", &mut refresh)?;
        server.finish()?;
        let limits = limits(root.section("limits")?)?;
        let upkeep = upkeep(root.section("upkeep")?)?;
        let lookups = lookups::read(file, root.section("lookup")?.tables()?)?;
        let data_sources = root.section("datasource")?.tables()?;
        let datasets = datasets(file, root.section("dataset")?)?;
        root.finish()?;
        let slot = overrides.slot.or(slot).unwrap_or_default();
        check_grace(file, slot, &upkeep, limits.query.timeout_max)?;
        let spec = |(name, json): &(String, serde_json::Value)| {
            SupervisorSpec::from_short_form(name, json)
                .map_err(|error| ConfigError::Spec { file: file.to_owned(), error })
        };
        let specs = data_sources.iter().map(spec).collect::<Result<_, _>>()?;
        let listen_default = || LISTEN_DEFAULT.parse().expect("the default is an address");
        Ok(Self {
            listen: overrides.listen.or(listen).unwrap_or_else(listen_default),
            pg_listen: overrides.pg_listen.or(pg_listen),
            data_dir: overrides.data_dir.or(data_dir).unwrap_or_else(|| DATA_DIR_DEFAULT.into()),
            object_store: overrides.object_store.or(object_store),
            slot,
            refresh,
            limits,
            upkeep,
            lookups,
            specs,
            datasets,
        })
    }
}

/// Queries of other slots' processes read what is retired here until they end (invariant G1).
fn check_grace(file: &str, slot: Slot, upkeep: &UpkeepConfig, query_time_max: Duration) -> Result<(), ConfigError> {
    if slot.is_whole() || upkeep.sweep_grace > query_time_max {
        return Ok(());
    }
    Err(ConfigError::Value {
        file: file.to_owned(),
        key: "upkeep.sweep_grace".to_owned(),
        wanted: "longer than `limits.query_timeout_max` where there are slots".into(),
        found: format!("{:?}", upkeep.sweep_grace),
    })
}

fn datasets(file: &str, section: Section<'_>) -> Result<Vec<(DatasetName, Dataset)>, ConfigError> {
    let declared = section.tables()?.into_iter().map(|(name, json)| {
        let failed = |problems| ConfigError::Dataset {
            file: file.to_owned(),
            error: DatasetError { name: name.clone(), problems },
        };
        let dataset = Dataset::from_json(&json).map_err(failed)?;
        let name = DatasetName::new(&name).map_err(|error| failed(vec![error.to_string()]))?;
        Ok((name, dataset))
    });
    declared.collect()
}

fn limits(mut section: Section<'_>) -> Result<Limits, ConfigError> {
    let mut limits = Limits::default();
    section.count("connections", &mut limits.connection.connections_max)?;
    section.count("connections_per_address", &mut limits.connection.per_address_max)?;
    section.duration("header_timeout", &mut limits.connection.header_timeout)?;
    section.duration("idle_timeout", &mut limits.connection.idle_timeout)?;
    section.duration("stall_timeout", &mut limits.connection.stall_timeout)?;
    section.bytes("request_size", &mut limits.request_bytes_max)?;
    statement_limits(&mut section, &mut limits.query.statement)?;
    section.duration("plan_timeout", &mut limits.query.plan_time_max)?;
    section.duration("query_timeout", &mut limits.query.timeout_default)?;
    section.duration("query_timeout_max", &mut limits.query.timeout_max)?;
    section.count("queries", &mut limits.query.queries_max)?;
    section.count("queries_waiting", &mut limits.query.queries_waiting_max)?;
    section.duration("queue_timeout", &mut limits.query.wait_max)?;
    section.bytes("query_memory", &mut limits.query.query_memory_bytes)?;
    section.bytes("queries_memory", &mut limits.query.memory_bytes)?;
    section.bytes("result_cache", &mut limits.query.result_cache_bytes)?;
    section.bytes("spill_size", &mut limits.query.spill_bytes)?;
    section.count("result_rows", &mut limits.query.result_rows_max)?;
    section.bytes("result_size", &mut limits.query.result_bytes_max)?;
    section.count("metrics_requests", &mut limits.metrics_requests_max)?;
    section.count("async_statements", &mut limits.asynchronous.count_max)?;
    section.bytes("async_size", &mut limits.asynchronous.bytes_max)?;
    section.duration("async_age", &mut limits.asynchronous.age_max)?;
    section.count("scanned_segments", &mut limits.query.scanned_segments_max)?;
    section.bytes("scanned_size", &mut limits.query.scanned_bytes_max)?;
    section.bytes("ingest_memory", &mut limits.ingest_bytes_max)?;
    section.bytes("cache_size", &mut limits.cache_bytes_max)?;
    section.duration("shutdown_timeout", &mut limits.shutdown_timeout)?;
    section.finish()?;
    Ok(limits)
}

fn statement_limits(section: &mut Section<'_>, limits: &mut StatementLimits) -> Result<(), ConfigError> {
    section.bytes("statement_size", &mut limits.text_bytes)?;
    section.count("statement_tokens", &mut limits.tokens)?;
    section.count("list_items", &mut limits.list_items)?;
    section.count_up_to_default("expression_operators", &mut limits.operators)?;
    section.count_up_to_default("set_arms", &mut limits.set_arms)?;
    section.count_up_to_default("nesting", &mut limits.nesting)
}

fn upkeep(mut section: Section<'_>) -> Result<UpkeepConfig, ConfigError> {
    let mut upkeep = UpkeepConfig::default();
    section.share("cpu", &mut upkeep.cpu)?;
    section.duration("every", &mut upkeep.every)?;
    section.duration("sweep_grace", &mut upkeep.sweep_grace)?;
    section.bytes("scrub_rate", &mut upkeep.scrub_rate)?;
    section.finish()?;
    Ok(upkeep)
}

fn syntax_error(file: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    // The parser's messages may span lines; a fatal error is one.
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    ConfigError::Syntax { file: file.to_owned(), line, column, message }
}

#[cfg(test)]
mod tests;
