use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use axum::http::{Extensions, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::rate::Allowance;
use crate::app::App;
use crate::listener::Peer;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Answers a client, unless it has asked too often, and tells it how often it may still ask.
pub async fn respond(
    app: &App,
    extensions: &Extensions,
    work: impl Future<Output = Result<Response, Problem>>,
) -> Response {
    // Without a connection there is only this process.
    let address = extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0);
    let allowance = app.metrics_rate.take(address, Instant::now());
    let answered = if allowance.is_granted { work.await } else { Err(too_often(&allowance)) };
    let mut response = answered.unwrap_or_else(IntoResponse::into_response);
    let headers = response.headers_mut();
    headers.insert(LIMIT, HeaderValue::from(allowance.limit));
    headers.insert(REMAINING, HeaderValue::from(allowance.remaining));
    headers.insert(RESET, HeaderValue::from(allowance.reset_s()));
    response
}

fn too_often(allowance: &Allowance) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        format!(
            "more than {} requests in a minute came from this address: wait {} s, and ask for several resources or \
             intervals at once (`limits.metrics_requests`)",
            allowance.limit,
            allowance.reset_s()
        ),
    )
}
