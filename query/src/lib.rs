use std::pin::Pin; use std::sync::Arc; use std::time::Duration;
use arrow::record_batch::RecordBatch; use futures::Stream; use henge_segment_store::time::TimestampMs;
pub struct QueryEngine;
impl QueryEngine {
  pub async fn execute(&self, _request: QueryRequest) -> Result<QueryAnswer, QueryError> { loop {} }
  pub fn cancel(&self, _query_id: &str) -> bool { false }
}
#[derive(Debug, Clone)]
pub struct QueryRequest { pub sql: String, pub parameters: Vec<Parameter>, pub query_id: String, pub timeout: Option<Duration>, pub time_zone: Option<String> }
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter { Null, Long(i64), Double(f64), Boolean(bool), String(String), Timestamp(TimestampMs), Date(i32) }
pub struct QueryAnswer { pub columns: Vec<ResultColumn>, pub batches: Pin<Box<dyn Stream<Item = Result<RecordBatch, QueryError>> + Send>> }
#[derive(Debug, Clone, PartialEq)]
pub struct ResultColumn { pub name: String, pub druid_type: String, pub sql_type: String }
#[derive(Debug, Clone, PartialEq)]
pub struct QueryError { pub kind: QueryErrorKind, pub message: String }
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryErrorKind { Parse, Plan, Unsupported, ResourceLimit, Timeout, Cancelled, Unavailable, Internal }
impl std::fmt::Display for QueryError { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.message) } }
impl std::error::Error for QueryError {}
