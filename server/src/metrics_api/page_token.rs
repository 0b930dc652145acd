//! Where the next page of an answer begins: behind the labels of the last group of this one.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use henge_query::reader::Reader;
use henge_segment_store::time::TimestampMs;
use serde::{Deserialize, Serialize};

use super::problem::Problem;

/// How long a page token is good for: those who turn pages do it at once.
const AGE_MAX_MS: i64 = 15 * 60_000;

/// What a page token belongs to: the same question of the same reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(u64);

impl Fingerprint {
    pub fn of(reader: &Reader, path: &str, body: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (reader, path, body).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// What a token says, in base64 of its JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    asked: Fingerprint,
    issued: TimestampMs,
    after: Vec<Option<String>>,
}

/// The token of the page behind these labels.
pub fn issue(asked: Fingerprint, after: Vec<Option<String>>, now: TimestampMs) -> String {
    let json = serde_json::to_vec(&Token { asked, issued: now, after }).expect("a token is texts and numbers");
    URL_SAFE_NO_PAD.encode(json)
}

/// The labels behind which the page begins, `labels` of them.
pub fn read(token: &str, asked: Fingerprint, labels: usize, now: TimestampMs) -> Result<Vec<Option<String>>, Problem> {
    let read = URL_SAFE_NO_PAD.decode(token).ok().and_then(|json| serde_json::from_slice::<Token>(&json).ok());
    let invalid = |detail: &str| Problem::invalid("invalid_page_token", detail);
    let read = read.ok_or_else(|| invalid("`page_token` is none of ours: begin again without it"))?;
    if read.asked != asked || read.after.len() != labels {
        return Err(invalid("`page_token` belongs to another request: send the same body, or begin again without it"));
    }
    if !(0..=AGE_MAX_MS).contains(&(now.0.saturating_sub(read.issued.0))) {
        return Err(invalid("`page_token` has expired: begin again without it"));
    }
    Ok(read.after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_the_same_question_for_a_while() {
        let asked = Fingerprint::of(&Reader::Everything, "/v2/metrics/cloud/query", "{}");
        let other = Fingerprint::of(&Reader::Everything, "/v2/metrics/cloud/query", "{ }");
        let now = TimestampMs(1_000_000);
        let after = vec![Some("a/b".to_owned()), None];
        let token = issue(asked, after.clone(), now);
        let later = |millis: i64| TimestampMs(now.0 + millis);
        assert_eq!(read(&token, asked, 2, later(AGE_MAX_MS)), Ok(after));
        let detail = |result: Result<_, Problem>| result.unwrap_err().detail;
        assert!(detail(read(&token, asked, 2, later(AGE_MAX_MS + 1))).contains("has expired"));
        assert!(detail(read(&token, other, 2, now)).contains("another request"));
        assert!(detail(read(&token, asked, 1, now)).contains("another request"));
        for foreign in ["", "x", "e30", "4pyT", &token[1..]] {
            assert!(detail(read(foreign, asked, 2, now)).contains("none of ours"), "{foreign}");
        }
    }
}
