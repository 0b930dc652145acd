//! SQL against a real store in a temporary directory.

mod answers;
mod differential;
mod fixture;
mod generated;
mod guards;
mod limits;
mod measured_plans;
mod native_plans;
mod plan_cache;
mod postgres;
mod python;
mod refusals;
mod result_cache;
mod row_plans;
mod running;
mod scans;
mod series;
mod sharing;
mod sketch_measures;
mod sketches;
mod slt;
mod snapshots;
mod spilling;
mod system_tables;
mod tenants;
mod workload_plans;
