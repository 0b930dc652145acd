//! What readers of metrics ask and are told: the JSON of `/v2/metrics/{dataset}/...`.
//!
//! body -> question (filter, intervals, granularity) -> the engine's series -> points -> answer

pub mod answer;
mod client;
mod filter;
pub mod granularity;
pub mod interval;
pub mod listing;
pub mod page_token;
pub mod problem;
pub mod question;
pub mod rate;
pub mod reading;
pub mod resources;

pub use self::client::respond;
