//! Non-interference: what an organisation is told of metrics over the samples of all is, byte for byte, what it is told
//! over its own alone: statuses, headers, errors, pages, descriptors.
//!
//! `HENGE_GENERATED_QUERIES` says how many random requests are sent, and `HENGE_SEED` which. A page token says when it was
//! issued, which is left out of the comparison; so is one second of how long a client has to wait.

mod requests;
mod samples;

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::http::header::{AUTHORIZATION, HOST};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use henge_query::reader::Tenant;
use henge_segment_store::clock;
use henge_segment_store::dataset::DatasetName;

use self::requests::{Asked, Random};
use self::samples::MINUTE_MS;
use super::*;
use crate::auth::key::Role;
use crate::auth::key_files;
use crate::listener::Peer;

/// In CI; 2,000 are sent before a release.
const REQUESTS: u64 = 300;
const SEED: u64 = 20_260_101;
const ASKING: &str = "acme";
const OTHER: &str = "beta";

/// A server, and who asks it.
struct Side {
    fixture: Fixture,
    /// The organisation that is compared.
    asking: String,
    other: String,
    operator: String,
}

/// All that a client sees. Page tokens stand in the body without the time at which they were issued.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
    next_page: Option<String>,
}

impl Side {
    /// `now`: the minute that samples end in.
    async fn new(now: TimestampMs, requests_max: u32, is_kept: impl Fn(&str) -> bool) -> Self {
        let fixture = Fixture::with_limits(Limits { metrics_requests_max: requests_max, ..Limits::default() }).await;
        let store = &fixture.app.services().unwrap().store;
        samples::store(store, now, is_kept).await;
        store.put_dataset(DatasetName::new("cloud").unwrap(), samples::dataset()).await.unwrap();
        let objects = Objects::Local(fixture.data_dir.path().join("store"));
        let key = async |role: Role| {
            let (key, secret) = key_files::create(&objects, role, None).await.unwrap();
            format!("Bearer {}.{}", key.id, secret.reveal())
        };
        let viewer = |organisation| Role::MetricsViewer(Tenant::new(organisation).unwrap());
        let (asking, other) = (key(viewer(ASKING)).await, key(viewer(OTHER)).await);
        let operator = key(Role::Admin).await;
        Self { fixture, asking, other, operator }
    }

    /// `None`: without a key.
    async fn send(&self, asked: &Asked, key: Option<&str>, address: [u8; 4]) -> Response {
        let request = Request::builder().method(asked.method).uri(&asked.path).header(HOST, "henge:8888");
        let request = asked.accept.iter().fold(request, |request, accept| request.header("accept", *accept));
        let request = key.into_iter().fold(request, |request, key| request.header(AUTHORIZATION, key));
        let mut request = request.body(Body::from(asked.body.clone())).unwrap();
        request.extensions_mut().insert(Peer(IpAddr::from(address)));
        self.fixture.router.clone().oneshot(request).await.unwrap()
    }

    async fn told(&self, asked: &Asked, address: [u8; 4]) -> Told {
        let key = asked.has_key.then_some(self.asking.as_str());
        let response = self.send(asked, key, address).await;
        let status = response.status().as_u16();
        let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let headers = response.headers().iter().map(header).collect();
        let mut body = text_of(response).await;
        let json: Value = serde_json::from_str(&body).unwrap_or_default();
        let next_page = json["meta"]["pagination"]["next_page_token"].as_str().map(str::to_owned);
        if let Some(token) = &next_page {
            body = body.replace(token, &without_time(token));
        }
        Told { status, headers, body, next_page }
    }

    /// Others ask the same, and so does an operator, so that whatever is kept of answers is there.
    async fn told_to_others(&self, asked: &Asked) {
        for key in [&self.other, &self.operator] {
            let response = self.send(asked, Some(key), [10, 0, 0, 1]).await;
            axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        }
    }
}

/// What a page token says, but for when it was issued.
fn without_time(token: &str) -> String {
    let mut json: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).unwrap()).unwrap();
    assert!(json.as_object_mut().unwrap().remove("issued").is_some(), "{json}");
    json.to_string()
}

/// The same, and how many seconds are left of a client's minute may differ by the one that passed meanwhile.
fn is_alike(alone: &Told, among_others: &Told) -> bool {
    let rest = |told: &Told| {
        let mut headers = told.headers.clone();
        let reset = headers.remove("ratelimit-reset").map(|text| text.parse::<i64>().unwrap());
        (told.status, headers, told.body.clone(), told.next_page.is_some(), reset)
    };
    let (expected, found) = (rest(alone), rest(among_others));
    let is_near = match (expected.4, found.4) {
        (Some(expected), Some(found)) => expected.abs_diff(found) <= 1,
        (expected, found) => expected == found,
    };
    (expected.0, &expected.1, &expected.2, expected.3) == (found.0, &found.1, &found.2, found.3) && is_near
}

/// Asks both until the minute is the same before and after, for `now` means the same only then.
async fn told_by_both(sides: [&Side; 2], asked: [&Asked; 2], address: [u8; 4]) -> (Told, Told) {
    loop {
        let minute = clock::now().0 / MINUTE_MS;
        let told = (sides[0].told(asked[0], address).await, sides[1].told(asked[1], address).await);
        if clock::now().0 / MINUTE_MS == minute {
            return told;
        }
    }
}

fn number_of(variable: &str, otherwise: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is a whole number")))
}

/// How often each status was told, and pages behind the first.
#[derive(Debug, Default)]
struct Seen {
    statuses: BTreeMap<u16, usize>,
    later_pages: usize,
}

/// Asks one thing, and then page after page. `sides`: alone, and among others.
async fn ask(sides: [&Side; 2], asked: Asked, address: [u8; 4], seen: &mut Seen) {
    let mut pages = [asked.clone(), asked];
    loop {
        sides[1].told_to_others(&pages[1]).await;
        let (expected, found) = told_by_both(sides, [&pages[0], &pages[1]], address).await;
        assert!(is_alike(&expected, &found), "{:#?}\n alone: {expected:#?}\n among others: {found:#?}", pages[1]);
        *seen.statuses.entry(found.status).or_default() += 1;
        let (Some(expected), Some(found)) = (expected.next_page, found.next_page) else { return };
        seen.later_pages += 1;
        for (page, token) in pages.iter_mut().zip([expected, found]) {
            page.turn(&token);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_is_told_the_same_of_metrics_whatever_others_have() {
    let now = TimestampMs(clock::now().0 / MINUTE_MS * MINUTE_MS);
    let alone = Side::new(now, u32::MAX, |organisation| organisation == ASKING).await;
    let among_others = Side::new(now, u32::MAX, |_| true).await;
    let (mut random, count) = (Random(number_of("HENGE_SEED", SEED)), number_of("HENGE_GENERATED_QUERIES", REQUESTS));
    let mut seen = Seen::default();
    for number in 0..count {
        // At first nothing is known to be complete.
        if number == count / 10 {
            for side in [&alone, &among_others] {
                samples::complete(&side.fixture.app.services().unwrap().store, now);
            }
        }
        // Each request is the first of its client, for a client's minute may end between one side and the other.
        let address = (number as u32 + (172 << 24)).to_be_bytes();
        ask([&alone, &among_others], Asked::random(&mut random), address, &mut seen).await;
    }
    println!("{count} requests: {seen:?}");
    let told = |status: u16| seen.statuses.get(&status).copied().unwrap_or_default() as u64;
    assert!(told(200) * 2 > count, "{seen:?}");
    assert!([400, 401, 403, 404].iter().all(|status| told(*status) > 0) && seen.later_pages > 0, "{seen:?}");
    assert!(seen.statuses.keys().all(|status| *status < 500 || *status == 503), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_may_ask_as_often_whatever_others_ask() {
    let now = TimestampMs(clock::now().0 / MINUTE_MS * MINUTE_MS);
    let alone = Side::new(now, 4, |organisation| organisation == ASKING).await;
    let among_others = Side::new(now, 4, |_| true).await;
    let mut seen = Seen::default();
    for _ in 0..6 {
        let asked = Asked::get("/v2/metrics/cloud/descriptors/resources");
        ask([&alone, &among_others], asked, [10, 0, 0, 2], &mut seen).await;
    }
    assert_eq!(seen.statuses, BTreeMap::from([(200, 4), (429, 2)]));
}
