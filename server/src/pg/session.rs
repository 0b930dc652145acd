//! What a session has been told of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use henge_query::postgres::setting_of;
use henge_segment_store::time::time_zone;

use super::failure::Failure;
use crate::wire::time_text::TimeText;

/// Clients are told of these whenever they change.
pub const REPORTED: [&str; 4] = ["application_name", "client_encoding", "DateStyle", "TimeZone"];
/// Settings that mean nothing here are kept to be shown again, so many of them.
const SETTINGS_MAX: usize = 100;
const SETTING_BYTES_MAX: usize = 1_000;

/// As a client is told of it after each of its wishes: the byte is the protocol's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    None = b'I' as isize,
    Open = b'T' as isize,
    /// Nothing more is done before its end.
    Failed = b'E' as isize,
}

#[derive(Debug)]
pub struct Session {
    pub transaction: Transaction,
    /// By names in small letters.
    settings: BTreeMap<String, String>,
    zone: Option<String>,
    pub time: TimeText,
    /// Of a statement.
    pub timeout: Option<Duration>,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            transaction: Transaction::None,
            settings: BTreeMap::new(),
            zone: None,
            time: TimeText::utc(),
            timeout: None,
        }
    }
}

impl Session {
    /// In which times without an offset are read, and all are shown; `None` is UTC.
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// What is shown of a setting; `None` where there is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        let own = self.settings.get(&name.to_ascii_lowercase()).map(String::as_str);
        own.or_else(|| setting_of(name))
    }

    /// # Errors
    /// The value is none for that setting.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let wrong = |why: &str| Failure::new("22023", format!("`{name}` cannot be '{value}': {why}"));
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "timezone" => self.set_zone(value).map_err(|()| wrong("use a name such as Europe/Berlin, or an offset"))?,
            "statement_timeout" => {
                let millis = millis(value).ok_or_else(|| wrong("use milliseconds, or a time such as 30s"))?;
                self.timeout = (millis > 0).then(|| Duration::from_millis(millis));
            }
            "client_encoding" if !is_utf8(value) => return Err(wrong("all text is UTF8")),
            "datestyle" if !value.to_ascii_uppercase().starts_with("ISO") => {
                return Err(wrong("times are told in ISO"));
            }
            _ => {}
        }
        if name.len() + value.len() > SETTING_BYTES_MAX || self.settings.len() >= SETTINGS_MAX {
            return Err(Failure::new("54000", "a session keeps a hundred settings, each up to a kilobyte"));
        }
        if !matches!(name.as_str(), "client_encoding" | "datestyle") {
            self.settings.insert(name, value.to_owned());
        }
        Ok(())
    }

    /// Back to what it was at first.
    pub fn reset(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        self.settings.remove(&name);
        match name.as_str() {
            "timezone" => (self.zone, self.time) = (None, TimeText::utc()),
            "statement_timeout" => self.timeout = None,
            _ => {}
        }
    }

    pub fn reset_all(&mut self) {
        *self = Self { transaction: self.transaction, ..Self::default() };
    }

    fn set_zone(&mut self, value: &str) -> Result<(), ()> {
        if matches!(value.to_ascii_uppercase().as_str(), "DEFAULT" | "LOCAL" | "UTC" | "GMT") {
            (self.zone, self.time) = (None, TimeText::utc());
            return Ok(());
        }
        let zone = time_zone(value).map_err(|_| ())?;
        (self.zone, self.time) = (Some(value.to_owned()), TimeText::new(zone));
        Ok(())
    }
}

/// In any of the ways in which clients write it.
fn is_utf8(encoding: &str) -> bool {
    let plain = encoding.trim_matches('\'').replace(['-', '_'], "").to_ascii_uppercase();
    matches!(plain.as_str(), "UTF8" | "UNICODE" | "DEFAULT")
}

/// `500`, `500ms`, `30s`, `5min`, `1h`.
fn millis(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match text[digits..].trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_keeps_what_it_is_told_and_refuses_what_it_cannot_be() {
        let mut session = Session::default();
        let told = [
            ("TimeZone", "Europe/Berlin"),
            ("statement_timeout", "2s"),
            ("my.own", "x"),
            ("client_encoding", "'utf-8'"),
        ];
        for (name, value) in told {
            assert_eq!(session.set(name, value), Ok(()), "{name}");
        }
        assert_eq!((session.zone(), session.timeout), (Some("Europe/Berlin"), Some(Duration::from_secs(2))));
        assert_eq!((session.get("timezone"), session.get("MY.OWN")), (Some("Europe/Berlin"), Some("x")));
        for (name, value) in [("TimeZone", "Mars"), ("client_encoding", "LATIN1"), ("statement_timeout", "soon")] {
            assert_eq!(session.set(name, value).map_err(|failure| failure.code), Err("22023"), "{name}");
        }
        session.reset("TimeZone");
        assert_eq!((session.zone(), session.get("timezone"), session.get("nothing")), (None, Some("UTC"), None));
        session.reset_all();
        assert_eq!((session.timeout, session.get("my.own")), (None, None));
    }

    #[test]
    fn settings_are_bounded() {
        let mut session = Session::default();
        assert!(session.set("a", &"x".repeat(SETTING_BYTES_MAX)).is_err());
        let refused = (0..=SETTINGS_MAX).find(|number| session.set(&format!("a{number}"), "").is_err());
        assert_eq!(refused, Some(SETTINGS_MAX));
    }
}
