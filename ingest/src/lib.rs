//! Turns Kafka records into published segments.
//!
//! kafka -> decode -> time policy -> appender -> publisher

pub mod kafka;
