//! Turns Kafka records into published segments.
//!
//! kafka -> decode -> time policy -> appender -> publisher

pub mod fleet;
pub mod kafka;
#[cfg(feature = "test-support")]
pub mod test_support;
