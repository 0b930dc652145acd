//! Rows as tab-separated values: tabs, line ends and backslashes of texts are written with a backslash, null as nothing.

use serde_json::Value;
use serde_json::value::RawValue;

use super::client::ClientError;

/// Turns `arrayLines` into tab-separated lines, as they come.
#[derive(Debug, Default)]
pub struct TsvLines {
    /// The beginning of a line.
    rest: Vec<u8>,
}

impl TsvLines {
    /// The lines that a piece of the answer completes.
    pub fn take(&mut self, piece: &[u8]) -> Result<Vec<u8>, ClientError> {
        self.rest.extend_from_slice(piece);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Ok(Vec::new()) };
        let rest = self.rest.split_off(end + 1);
        let lines = std::mem::replace(&mut self.rest, rest);
        let mut out = Vec::new();
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let no_result = |error: serde_json::Error| ClientError::NoResult(error.to_string());
            // Raw, because a decimal of 38 digits must not pass through a double.
            let values: Vec<&RawValue> = serde_json::from_slice(line).map_err(no_result)?;
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(b'\t');
                }
                write_value(value.get(), &mut out);
            }
            out.push(b'\n');
        }
        Ok(out)
    }
}

fn write_value(json: &str, out: &mut Vec<u8>) {
    let text = match json.as_bytes().first() {
        Some(b'n') => return,
        Some(b'"') => match serde_json::from_str(json) {
            Ok(Value::String(text)) => text,
            _ => json.to_owned(),
        },
        _ => json.to_owned(),
    };
    for byte in text.bytes() {
        match byte {
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            byte => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_as_they_are_complete_and_texts_break_none() {
        let mut tsv = TsvLines::default();
        let mut out = tsv.take(b"[\"a\",\"b\"]\n[1,\"x\\ty").unwrap();
        assert_eq!(out, b"a\tb\n");
        out.extend(tsv.take(b"\\\\\\n\"]\n[null,170141183460469231731687303715884105]\n\n").unwrap());
        let expected = "a\tb\n1\tx\\ty\\\\\\n\n\t170141183460469231731687303715884105\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert!(tsv.take(b"no\n").is_err());
    }
}
