//! Random requests: questions that make sense, those that are spoilt somewhere, and others' names.

use super::*;

/// The last one is a cluster of both.
pub const CLUSTERS_OWN: &[&str] = &["lkc-a1", "lkc-a2", "lkc-both"];
pub const CLUSTERS_OTHER: &[&str] = &["lkc-b1", "lkc-b2", "lkc-b3", "lkc-both"];
/// Those of nobody among them.
const CLUSTERS: [&str; 8] = ["lkc-a1", "lkc-a2", "lkc-both", "lkc-both", "lkc-a1", "lkc-b1", "lkc-b2", "lkc-nobodys"];
const TOPICS: [&str; 5] = ["a", "b\"c", "b", "z", ""];
const FIELDS: [&str; 6] = [
    "resource.kafka.id",
    "resource.kafka.environment",
    "metric.topic",
    "metric.partition",
    "metric.topic",
    "metric.secret",
];
const METRICS: [&str; 6] =
    ["server/bytes", "server/bytes", "server/lag", "server/load", "internal/bytes", "server/bites"];

/// Splitmix64: the same requests in every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    pub fn is_one_of(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub fn of<'a, T: ?Sized + 'a, L: AsRef<[&'a T]>>(&mut self, items: L) -> &'a T {
        let items = items.as_ref();
        items[self.below(items.len() as u64) as usize]
    }
}

/// A request, whoever sends it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: &'static str,
    pub path: String,
    pub accept: Option<&'static str>,
    pub body: String,
    pub has_key: bool,
}

impl Asked {
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), accept: None, body: String::new(), has_key: true }
    }

    fn post(path: &str, body: impl ToString) -> Self {
        Self { method: "POST", body: body.to_string(), ..Self::get(path) }
    }

    /// Asks for the page of a token.
    pub fn turn(&mut self, token: &str) {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let others = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("page_token="));
        let pairs: Vec<String> = others.map(str::to_owned).chain([format!("page_token={token}")]).collect();
        self.path = format!("{path}?{}", pairs.join("&"));
    }

    pub fn random(random: &mut Random) -> Self {
        let mut asked = match random.below(20) {
            0..=7 => Self::post("/v2/metrics/cloud/query", query(random)),
            8..=10 => Self::post("/v2/metrics/cloud/attributes", attributes(random)),
            11 => Self::get(format!("/v2/metrics/cloud/descriptors/metrics?{}", list(random))),
            12 => Self::get(format!("/v2/metrics/cloud/descriptors/resources?{}", list(random))),
            13..=15 => export(random),
            16 => Self::get(format!("/v2/metrics/cloud/discovery?{}", discovery(random))),
            17 => spoilt(random),
            18 => with_foreign_token(random),
            _ => Self::get(random.of([
                "/v2/metrics/cloud/nothing",
                "/v2/metrics/clowd/descriptors/metrics",
                "/v2/metrics/cloud/query",
                "/henge/v1/datasets/cloud",
                "/v2/metrics/cloud/descriptors/metrics/",
            ])),
        };
        asked.has_key = !random.is_one_of(50);
        asked
    }
}

fn query(random: &mut Random) -> Value {
    let metric = random.of(METRICS);
    let mut aggregation = json!({ "metric": metric });
    // The order in which means of doubles are added is nobody's promise: of `server/load` neither is asked for.
    let functions: &[&str] =
        if metric == "server/load" { &["MIN", "MAX", "COUNT"] } else { &["SUM", "MIN", "MAX", "AVG"] };
    for name in ["agg", "time_agg"] {
        if random.is_one_of(3) {
            aggregation[name] = random.of(functions).into();
        }
    }
    let granularity = random.of(["PT1M", "PT1M", "PT5M", "PT15M", "PT1H", "P1D", "ALL"]);
    let mut body = json!({
        "aggregations": [aggregation], "granularity": granularity, "intervals": [interval(random, granularity)],
    });
    let group_by = group_by(random);
    if !group_by.is_empty() && random.is_one_of(3) {
        body["format"] = "GROUPED".into();
    }
    if !group_by.is_empty() {
        body["group_by"] = group_by.into();
    }
    if !random.is_one_of(12) {
        body["filter"] = about_clusters(random);
    }
    if random.is_one_of(2) {
        body["limit"] = (1 + random.below(5)).into();
    }
    if granularity == "ALL" && random.is_one_of(2) {
        body["order_by"] = json!([{ "metric": metric, "order": random.of(["ASCENDING", "DESCENDING"]) }]);
    }
    body
}

/// The times of one bucket stand in its answer, so that its interval may not begin within a minute that goes on.
fn interval(random: &mut Random, granularity: &str) -> String {
    let whole = ["PT1H/now-2m|m", "now-30m|m/now|m", "now-45m|m/PT20M", "now-35m|m/PT1M"];
    let all_day = ["P3D/now", "PT2H/now"];
    let minutely = granularity == "PT1M" || granularity == "ALL";
    let text = if minutely || random.is_one_of(2) { random.of(whole) } else { random.of(all_day) };
    if granularity == "ALL" && random.is_one_of(3) { "now-3d|d/now|d".to_owned() } else { text.to_owned() }
}

fn group_by(random: &mut Random) -> Vec<&'static str> {
    let mut fields: Vec<&str> = Vec::new();
    for _ in 0..random.below(4) {
        // The last one is no field at all, and is rarely asked for.
        let field = if random.is_one_of(10) { FIELDS[5] } else { FIELDS[random.below(5) as usize] };
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields
}

fn about_clusters(random: &mut Random) -> Value {
    let one = |random: &mut Random| json!({ "op": "EQ", "field": FIELDS[0], "value": random.of(CLUSTERS) });
    let clusters = match random.below(3) {
        0 => one(random),
        _ => json!({ "op": "OR", "filters": [one(random), one(random), one(random)] }),
    };
    match random.is_one_of(2) {
        true => clusters,
        false => json!({ "op": "AND", "filters": [clusters, condition(random, 0)] }),
    }
}

fn condition(random: &mut Random, depth: u32) -> Value {
    match random.below(if depth > 2 { 2 } else { 4 }) {
        0 | 1 => {
            let (field, op) = (FIELDS[random.below(5) as usize], random.of(["EQ", "GT", "GTE"]));
            let value = match field {
                "resource.kafka.id" => random.of(CLUSTERS),
                "resource.kafka.environment" => random.of(["dev", "prod", ""]),
                "metric.partition" => random.of(["0", "1", "7"]),
                _ => random.of(TOPICS),
            };
            json!({ "op": op, "field": field, "value": value })
        }
        2 => json!({ "op": "NOT", "filter": condition(random, depth + 1) }),
        _ => {
            let filters = [condition(random, depth + 1), condition(random, depth + 1)];
            json!({ "op": random.of(["AND", "OR"]), "filters": filters })
        }
    }
}

fn attributes(random: &mut Random) -> Value {
    let mut body = json!({ "group_by": [FIELDS[random.below(6) as usize]], "limit": 1 + random.below(6) });
    if random.is_one_of(2) {
        body["metric"] = random.of(METRICS).into();
    }
    if !random.is_one_of(3) {
        body["filter"] = if random.is_one_of(2) { condition(random, 0) } else { about_clusters(random) };
    }
    if random.is_one_of(2) {
        body["intervals"] = json!([interval(random, "PT1H")]);
    }
    body
}

fn list(random: &mut Random) -> &'static str {
    random.of([
        "",
        "page_size=1",
        "page_size=2",
        "page_size=0",
        "resource_type=kafka",
        "resource_type=none&page_size=1",
    ])
}

fn export(random: &mut Random) -> Asked {
    let mut pairs: Vec<String> = Vec::new();
    for _ in 0..random.below(4) {
        let name = random.of(["resource.kafka.id", "resource_kafka_id"]);
        pairs.push(format!("{name}={},{}", random.of(CLUSTERS), random.of(CLUSTERS)));
    }
    for _ in 0..random.below(2) {
        pairs.push(format!("metric={}", random.of(METRICS)));
    }
    if random.is_one_of(2) {
        pairs.push("ignore_failed_metrics=true".to_owned());
    }
    let accept = random.is_one_of(2).then_some("application/openmetrics-text;version=1.0.0");
    Asked { accept, ..Asked::get(format!("/v2/metrics/cloud/export?{}", pairs.join("&"))) }
}

fn discovery(random: &mut Random) -> &'static str {
    random.of([
        "",
        "env=dev",
        "env=prod",
        "associated_kafka_id=lkc-both",
        "associated_kafka_id=lkc-b1",
        "resource_type=kafka&resource_type=kafka",
        "resource_type=none",
    ])
}

/// A question of which one member is gone or is something else, or that breaks off.
fn spoilt(random: &mut Random) -> Asked {
    let mut body = query(random);
    let members: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
    let member = &members[random.below(members.len() as u64) as usize];
    let others =
        [json!(7), json!("lkc-b1"), json!([]), json!({}), json!([{}]), json!(["b", 1]), json!(-1.5), json!(true)];
    match random.below(3) {
        0 => _ = body.as_object_mut().unwrap().remove(member),
        _ => body[member] = others[random.below(others.len() as u64) as usize].clone(),
    }
    let mut text = body.to_string();
    if random.is_one_of(4) {
        text.truncate(random.below(text.len() as u64) as usize);
    }
    Asked::post(random.of(["/v2/metrics/cloud/query", "/v2/metrics/cloud/attributes"]), text)
}

/// With tokens that were never issued, or for other questions.
fn with_foreign_token(random: &mut Random) -> Asked {
    let mut asked = match random.below(3) {
        0 => Asked::post("/v2/metrics/cloud/query", query(random)),
        1 => Asked::post("/v2/metrics/cloud/attributes", attributes(random)),
        _ => Asked::get("/v2/metrics/cloud/descriptors/metrics"),
    };
    let forged = json!({ "asked": random.below(9), "issued": clock::now(), "after": ["lkc-b1"] });
    let forged = URL_SAFE_NO_PAD.encode(forged.to_string());
    asked.turn(random.of(["", "e30", "lkc-b1", forged.as_str()]));
    asked
}
