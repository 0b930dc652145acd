use std::borrow::Cow;
use std::time::Duration;

use toml::{Table, Value};

use super::ConfigError;

/// A table of the file, read key by key. What nobody asked for by the end is an unknown setting.
pub struct Section<'a> {
    file: &'a str,
    /// Where the table stands: `limits.`, or nothing for the root.
    prefix: String,
    table: Option<&'a Table>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub fn new(file: &'a str, prefix: &str, table: &'a Table) -> Self {
        Self { file, prefix: prefix.to_owned(), table: Some(table), known: Vec::new() }
    }

    /// A table inside of this one; empty where the file has none.
    pub fn section(&mut self, key: &'static str) -> Result<Section<'a>, ConfigError> {
        let table = match self.value(key) {
            None => None,
            Some(Value::Table(table)) => Some(table),
            Some(other) => return Err(self.wrong(key, "a table", other)),
        };
        Ok(Section { file: self.file, prefix: format!("{}{key}.", self.prefix), table, known: Vec::new() })
    }

    /// Every entry, each of which must be a table, as JSON: names of one's own choice, in alphabetical order.
    pub fn tables(self) -> Result<Vec<(String, serde_json::Value)>, ConfigError> {
        let entries = self.table.into_iter().flatten().map(|(name, value)| match value {
            Value::Table(_) => Ok((name.clone(), to_json(value))),
            other => Err(self.wrong(name, "a table", other)),
        });
        entries.collect()
    }

    pub fn text(&mut self, key: &'static str) -> Result<Option<String>, ConfigError> {
        self.parsed(key, "a string", |text| Some(text.to_owned()))
    }

    /// A string that `parse` understands.
    pub fn parsed<T>(
        &mut self,
        key: &'static str,
        wanted: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        match value.as_str().and_then(parse) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(self.wrong(key, wanted, value)),
        }
    }

    /// Sets a whole number of at least 1, if the file has it.
    pub fn count<T: TryFrom<i64>>(&mut self, key: &'static str, into: &mut T) -> Result<(), ConfigError> {
        let Some(value) = self.value(key) else { return Ok(()) };
        let count = value.as_integer().filter(|&count| count > 0).and_then(|count| T::try_from(count).ok());
        *into = count.ok_or_else(|| self.wrong(key, "a whole number of at least 1", value))?;
        Ok(())
    }

    /// Sets a whole number of at least 1, and at most what it is without the file's word.
    pub fn count_up_to_default(&mut self, key: &'static str, into: &mut usize) -> Result<(), ConfigError> {
        let default = *into;
        self.count(key, into)?;
        match self.table.and_then(|table| table.get(key)).filter(|_| *into > default) {
            Some(value) => Err(self.wrong(key, format!("a whole number from 1 to {default}"), value)),
            None => Ok(()),
        }
    }

    /// Sets a part of one, if the file has it.
    pub fn share(&mut self, key: &'static str, into: &mut f64) -> Result<(), ConfigError> {
        let Some(value) = self.value(key) else { return Ok(()) };
        let share = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
        let share = share.filter(|share| *share > 0.0 && *share <= 1.0);
        *into = share.ok_or_else(|| self.wrong(key, "a number above 0 and up to 1", value))?;
        Ok(())
    }

    /// Sets a duration of more than zero, if the file has it.
    pub fn duration(&mut self, key: &'static str, into: &mut Duration) -> Result<(), ConfigError> {
        let parse = |text: &str| {
            let duration = Duration::try_from(text.parse::<jiff::SignedDuration>().ok()?).ok()?;
            (!duration.is_zero()).then_some(duration)
        };
        if let Some(duration) = self.parsed(key, "a duration such as \"30s\" or \"5m\"", parse)? {
            *into = duration;
        }
        Ok(())
    }

    /// Sets a number of bytes of at least 1, if the file has it.
    pub fn bytes<T: TryFrom<u64>>(&mut self, key: &'static str, into: &mut T) -> Result<(), ConfigError> {
        let parse = |text: &str| T::try_from(parse_bytes(text)?).ok();
        if let Some(bytes) = self.parsed(key, "a size such as \"512MiB\" or \"2GiB\"", parse)? {
            *into = bytes;
        }
        Ok(())
    }

    /// Refuses what is left over.
    pub fn finish(self) -> Result<(), ConfigError> {
        let Some(unknown) =
            self.table.into_iter().flat_map(Table::keys).find(|key| !self.known.contains(&key.as_str()))
        else {
            return Ok(());
        };
        Err(ConfigError::UnknownKey {
            file: self.file.to_owned(),
            key: format!("{}{unknown}", self.prefix),
            suggestion: nearest(unknown, &self.known).map(|name| format!("{}{name}", self.prefix)),
        })
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.table?.get(key)
    }

    fn wrong(&self, key: &str, wanted: impl Into<Cow<'static, str>>, found: &Value) -> ConfigError {
        ConfigError::Value {
            file: self.file.to_owned(),
            key: format!("{}{key}", self.prefix),
            wanted: wanted.into(),
            found: found.to_string(),
        }
    }
}

/// The known name that the unknown one is probably meant to be.
fn nearest(unknown: &str, known: &[&'static str]) -> Option<&'static str> {
    let scored = known.iter().map(|&name| (strsim::jaro_winkler(unknown, name), name));
    scored.filter(|&(score, _)| score > 0.8).max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, name)| name)
}

fn parse_bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let shift = match text[digits..].trim_start() {
        "B" | "" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(1 << shift).filter(|&bytes| bytes > 0)
}

/// TOML's values as JSON; dates become their text.
fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::String(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Boolean(flag) => (*flag).into(),
        Value::Datetime(time) => time.to_string().into(),
        Value::Array(items) => items.iter().map(to_json).collect(),
        Value::Table(table) => table.iter().map(|(key, value)| (key.clone(), to_json(value))).collect(),
    }
}
