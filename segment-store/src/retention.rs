//! Which time chunks stay: rules as data, and the pure decision over a datasource's segments.
//!
//! A retired segment leaves the manifest in a record of its own; its file is deleted later, by the sweep.

mod plan;
mod rule;

pub use plan::{Retirement, plan};
pub use rule::{Rule, RuleError, RuleInterval, keep_for, kept_for};
