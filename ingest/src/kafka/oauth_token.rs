//! The token that a client shows a broker with SASL OAUTHBEARER.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use henge_segment_store::time::TimestampMs;
use serde_json::Value;

use super::error::KafkaError;

/// A JSON web token with what the client library wants to know of it. It is a secret, so it cannot be printed.
pub struct OauthToken {
    pub value: String,
    pub principal: String,
    pub expires: TimestampMs,
}

impl OauthToken {
    /// `None` when the mechanism is another one.
    pub fn from_properties(properties: &[(String, String)]) -> Result<Option<Self>, KafkaError> {
        let value = |names: [&str; 2]| {
            let found = properties.iter().rev().find(|(name, _)| names.contains(&name.as_str()));
            found.map_or("", |(_, value)| value.trim())
        };
        let is_wanted = value(["sasl.mechanism", "sasl.mechanisms"]).eq_ignore_ascii_case("OAUTHBEARER");
        if !is_wanted {
            return Ok(None);
        }
        Self::parse(value(["sasl.oauthbearer.config"; 2])).map(Some)
    }

    fn parse(token: &str) -> Result<Self, KafkaError> {
        let wrong = |detail| KafkaError::Token { detail };
        let mut parts = token.split('.');
        let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("does not have three parts"));
        };
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| wrong("is not base64"))?;
        let claims: Value = serde_json::from_slice(&payload).map_err(|_| wrong("has claims that are not JSON"))?;
        // Seconds since 1970, possibly with a fraction.
        let (Some(principal), Some(expires)) = (claims["sub"].as_str(), claims["exp"].as_f64()) else {
            return Err(wrong("lacks the claims `sub` and `exp`"));
        };
        Ok(Self {
            value: token.to_owned(),
            principal: principal.to_owned(),
            expires: TimestampMs((expires * 1_000.0) as i64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(mechanism: &str, token: &str) -> Vec<(String, String)> {
        [("sasl.mechanism", mechanism), ("sasl.oauthbearer.config", token)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }

    fn token(claims: &str) -> String {
        format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_claims_say_whose_the_token_is_and_until_when() {
        let value = token(r#"{"sub":"henge","exp":4102444800,"iat":1}"#);
        let found = OauthToken::from_properties(&properties("OAUTHBEARER", &format!("{value}\n")));
        let found = found.expect("the token is good").expect("the mechanism wants one");
        assert_eq!((found.value, found.principal.as_str()), (value, "henge"));
        assert_eq!(found.expires, TimestampMs(4_102_444_800_000));
        assert!(OauthToken::from_properties(&properties("PLAIN", "")).expect("nothing is wrong").is_none());
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_shown() {
        for (wrong, detail) in [
            ("secret", "does not have three parts"),
            ("e30.!secret.x", "is not base64"),
            (&token("secret"), "has claims that are not JSON"),
            (&token(r#"{"sub":"secret"}"#), "lacks the claims `sub` and `exp`"),
        ] {
            let error = OauthToken::from_properties(&properties("OAUTHBEARER", wrong)).map(|_| ());
            assert_eq!(error, Err(KafkaError::Token { detail }), "{wrong}");
        }
    }
}
