//! SQL against a real store in a temporary directory.

mod answers;
mod differential;
mod fixture;
mod guards;
mod plan_cache;
mod refusals;
mod running;
mod scans;
mod snapshots;
