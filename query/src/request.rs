use std::time::Duration;

use henge_segment_store::time::TimestampMs;

use crate::reader::Reader;

/// One statement to answer.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryRequest {
    pub sql: String,
    pub spelling: Spelling,
    /// Whom the answer is for.
    pub reader: Reader,
    /// Bound to the `?` of the statement in the order of its text, or to its `$1`, `$2`, .. by their numbers.
    pub parameters: Vec<Parameter>,
    /// What [`crate::engine::QueryEngine::cancel`] and the logs call this query.
    pub query_id: String,
    /// `None` takes the default; more than the limit becomes the limit.
    pub timeout: Option<Duration>,
    /// Limits of its own, below the engine's.
    pub limits: AskedLimits,
    /// The zone of time literals, `TIME_FLOOR` and the like: an IANA name or an offset; `None` is UTC.
    pub time_zone: Option<String>,
    /// Off, the same answer is found the slow way: every row is read and filtered above the scan (invariant Q1).
    pub use_indexes: bool,
    /// Off, DataFusion's operators compute what those on dictionary codes would: slower, and the answer is the same.
    pub use_native_operators: bool,
    /// Off, the statement is planned from its text whatever was asked before; the answer is the same.
    pub use_plan_cache: bool,
    /// Off, published segments are read whatever earlier queries have found of them; the answer is the same.
    pub use_result_cache: bool,
    /// Off, nothing is kept for later queries.
    pub populate_result_cache: bool,
    /// Whether the answer tells what it is made of.
    pub tells_provenance: bool,
}

impl QueryRequest {
    /// A statement in Druid's spelling with everything on, and nothing else said of it.
    pub fn new(sql: impl Into<String>, reader: Reader, query_id: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            spelling: Spelling::Druid,
            reader,
            parameters: Vec::new(),
            query_id: query_id.into(),
            timeout: None,
            limits: AskedLimits::default(),
            time_zone: None,
            use_indexes: true,
            use_native_operators: true,
            use_plan_cache: true,
            use_result_cache: true,
            populate_result_cache: true,
            tells_provenance: false,
        }
    }
}

/// How a statement is written, and which schemas tell of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    Druid,
    /// The same SQL, and what PostgreSQL's clients write instead: see [`crate::postgres`].
    Postgres,
}

/// What a query may use at the most by its own word: fields of [`crate::limits::QueryLimits`], which it cannot raise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AskedLimits {
    pub plan_time: Option<Duration>,
    pub query_memory_bytes: Option<usize>,
    pub result_rows: Option<u64>,
    pub result_bytes: Option<u64>,
    pub scanned_segments: Option<u64>,
    pub scanned_bytes: Option<u64>,
}

/// A value for a `?` or a `$1`.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    Null,
    Long(i64),
    Double(f64),
    Boolean(bool),
    String(String),
    Timestamp(TimestampMs),
    /// Days since 1970-01-01.
    Date(i32),
    /// For functions that take an array, such as `SCALAR_IN_ARRAY(x, ?)`.
    Array(Vec<Parameter>),
}
