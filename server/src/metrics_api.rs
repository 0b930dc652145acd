//! What readers of metrics ask and are told: the JSON of `/v2/metrics/{dataset}/...`.
//!
//! body -> question (filter, intervals, granularity) -> the engine's series -> points -> answer

pub mod answer;
mod client;
pub mod export;
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

/// The parameters of a query string, decoded, in their order; a name may stand there several times.
pub fn query_pairs(query: &str) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://query/?{query}")).expect("whatever stands behind `?` is a query");
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}
