//! What a request says of who sends it: `Authorization: Basic base64(ID:SECRET)`, or `Bearer ID.SECRET`.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::denied::Denied;
use super::key::KeyId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub id: KeyId,
    pub secret: String,
}

/// # Errors
/// There are none, they are in no form that is understood, or more than one stands there.
pub fn read(headers: &HeaderMap) -> Result<Credentials, Denied> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Err(Denied::Missing) };
    if values.next().is_some() {
        return Err(Denied::Malformed);
    }
    let (scheme, rest) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Denied::Malformed)?;
    let (id, secret) = if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(rest.trim()).map_err(|_| Denied::Malformed)?;
        let text = String::from_utf8(decoded).map_err(|_| Denied::Malformed)?;
        let (id, secret) = text.split_once(':').ok_or(Denied::Malformed)?;
        (id.to_owned(), secret.to_owned())
    } else if scheme.eq_ignore_ascii_case("bearer") {
        let (id, secret) = rest.trim().split_once('.').ok_or(Denied::Malformed)?;
        (id.to_owned(), secret.to_owned())
    } else {
        return Err(Denied::Malformed);
    };
    // A name that no key has is as wrong as one that none has now.
    let id = KeyId::parse(&id).ok_or(Denied::Wrong)?;
    Ok(Credentials { id, secret })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "ABCDEFGHIJKLM234";

    fn with(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (header::AUTHORIZATION, value.parse().unwrap())).collect()
    }

    #[test]
    fn both_schemes_say_the_same() {
        let expected = Ok(Credentials { id: KeyId::parse(ID).unwrap(), secret: "henge_a:b.c".into() });
        let basic = format!("Basic {}", STANDARD.encode(format!("{ID}:henge_a:b.c")));
        assert_eq!(read(&with(&[&basic])), expected);
        assert_eq!(read(&with(&[&format!("bearer {ID}.henge_a:b.c")])), expected);
    }

    #[test]
    fn what_is_not_understood_is_told_apart_from_what_is_wrong() {
        let none = STANDARD.encode("no colon");
        let short = format!("Basic {}", STANDARD.encode("short:secret"));
        let cases = [
            (vec![], Denied::Missing),
            (vec!["Basic"], Denied::Malformed),
            (vec!["Basic ???"], Denied::Malformed),
            (vec!["Digest x"], Denied::Malformed),
            (vec!["Bearer x"], Denied::Malformed),
            (vec!["Bearer a.b", "Bearer a.b"], Denied::Malformed),
            (vec![short.as_str()], Denied::Wrong),
            (vec!["Bearer a.b"], Denied::Wrong),
        ];
        for (values, expected) in cases {
            assert_eq!(read(&with(&values)), Err(expected), "{values:?}");
        }
        assert_eq!(read(&with(&[&format!("Basic {none}")])), Err(Denied::Malformed));
    }
}
