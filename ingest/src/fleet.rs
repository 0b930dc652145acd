//! A synthetic fleet of Kafka clusters, for the demo and for tests: who used how much of what, as JSON events.
//!
//! random -> world -> event -> producer, into a broker of one's own or the mock

pub mod event;
pub mod mock_kafka;
pub mod producer;
pub(crate) mod random;
pub mod spec;
pub mod topic;
pub mod world;
