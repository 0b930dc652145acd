//! What Henge promises, shown on the built binary: it runs as a child process, reads from a real broker, is asked over
//! HTTP, and is killed. What it answers is compared with what the producer itself knows.
//!
//! Tests that need the broker are ignored without `--include-ignored`; they fail where it does not start.

mod crashes;
mod demo;
mod exactly_once;
mod expressions;
mod henge;
mod http;
mod ledger;
mod many;
mod one_process;
mod pressure;
mod production;
mod reference;
mod sketches;
mod topic_changes;
mod topic_pattern;
mod upkeep;
mod workload;
