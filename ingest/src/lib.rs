//! Turns Kafka records into published segments.
//!
//! kafka -> decode -> transform -> time policy -> appender -> cut policy -> publisher, owned by a supervisor

pub mod spec;

pub mod client_properties;
pub mod secret;

pub mod kafka;
mod partition_map;
mod resume;
mod topic_watch;

pub mod decode;
pub mod time_policy;
pub mod transform;

mod appender;
mod cut_policy;
mod lane;
mod lanes;
pub mod memory;
mod publisher;

mod session;
mod supervisor;
pub mod supervisors;

mod rates;
pub mod status;

pub mod error;

pub mod fleet;
#[cfg(feature = "test-support")]
pub mod fuzzing;
#[cfg(feature = "test-support")]
pub mod test_support;
