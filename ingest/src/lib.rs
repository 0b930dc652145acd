//! Turns Kafka records into published segments.
//!
//! spec -> consumer -> decode -> time_policy -> appender -> publisher

pub mod client_properties;
pub mod decode;
pub mod error;
pub mod secret;
pub mod spec;
pub mod time_policy;
