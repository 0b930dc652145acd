//! Answers SQL over the open and published segments of a store.
//!
//! statement -> guard -> plan cache -> dialect -> planner (catalog: one snapshot of each table) -> scan -> operators ->
//! answer
//!
//! question about a metric -> series (plan) -> operators -> answer

mod admission;
pub mod answer;
mod approximation;
mod catalog;
mod cpu_pool;
pub mod description;
mod dialect;
pub mod engine;
pub mod error;
mod execution;
mod expansion;
mod functions;
pub mod guard;
mod interruption;
pub mod limits;
pub mod lookups;
pub mod memory;
mod operator;
mod patient_dialect;
pub mod pieces;
pub mod plan_cache;
mod planner;
pub mod postgres;
pub mod provenance;
mod pushdown;
mod query_threads;
mod question;
pub mod reader;
mod relations;
pub mod request;
pub mod result_cache;
mod rule;
pub mod running;
mod scan;
mod segment_reads;
pub mod series;
mod session;
pub mod settings;
mod sketch_use;
pub mod spill;
mod statement;
mod suggestion;
pub mod system_tables;
mod table;
mod wanted;
