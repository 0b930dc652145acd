//! Lengths of texts and places in them, counted as Java does: in units of UTF-16. A character outside of the basic plane is
//! two units; a part that would hold half of one goes without it.

use super::row_function::{Body, Constants, Kind, Row, RowFunction, Value};
use crate::error::QueryError;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "length",
        aliases: &["char_length", "character_length", "strlen"],
        usage: "LENGTH(text)",
        parameters: &[Kind::Text],
        required: 1,
        result: Kind::Long,
        bind: |_| Ok(Box::new(|row| Ok(Value::Long(units(row.text(0)))))),
    },
    RowFunction {
        name: "substring",
        aliases: &["substr"],
        usage: "SUBSTRING(text, 1[, 3])",
        parameters: &[Kind::Text, Kind::Long, Kind::Long],
        required: 2,
        result: Kind::Text,
        bind: |_| Ok(Box::new(substring)),
    },
    RowFunction {
        name: "left",
        aliases: &[],
        usage: "LEFT(text, 3)",
        parameters: &[Kind::Text, Kind::Long],
        required: 2,
        result: Kind::Text,
        bind: left,
    },
    RowFunction {
        name: "right",
        aliases: &[],
        usage: "RIGHT(text, 3)",
        parameters: &[Kind::Text, Kind::Long],
        required: 2,
        result: Kind::Text,
        bind: right,
    },
    RowFunction {
        name: "strpos",
        aliases: &["instr"],
        usage: "STRPOS(text, part), or POSITION(part IN text)",
        parameters: &[Kind::Text, Kind::Text],
        required: 2,
        result: Kind::Long,
        bind: |_| Ok(Box::new(place_of)),
    },
];

fn units(text: &str) -> i64 {
    let units = if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() };
    units as i64
}

/// From one unit to before another, both counted from 0, as far as the text goes.
fn part(text: &str, start: i64, end: i64) -> &str {
    let last = text.len() as i64;
    let (start, end) = (start.clamp(0, last), end.clamp(0, last));
    if start >= end {
        return "";
    }
    if text.is_ascii() {
        return &text[start as usize..end as usize];
    }
    let mut unit = 0;
    let mut bytes = None;
    for (byte, c) in text.char_indices() {
        let next = unit + c.len_utf16() as i64;
        if unit >= start && next <= end {
            let first = bytes.map_or(byte, |(first, _)| first);
            bytes = Some((first, byte + c.len_utf8()));
        }
        unit = next;
    }
    bytes.map_or("", |(first, end)| &text[first..end])
}

/// What lies before the text counts to the length, as in SQL.
fn substring(row: &Row<'_>) -> Result<Value, QueryError> {
    let start = row.long(1).saturating_sub(1);
    let end = match row.has(2) {
        true if row.long(2) < 0 => {
            return Err(QueryError::plan("SUBSTRING cannot take a negative number of characters"));
        }
        true => start.saturating_add(row.long(2)),
        false => i64::MAX,
    };
    Ok(Value::Text(part(row.text(0), start, end).to_owned()))
}

fn negative(name: &str) -> QueryError {
    QueryError::plan(format!("{name} cannot take a negative number of characters"))
}

fn left(_: &Constants<'_>) -> Result<Body, QueryError> {
    Ok(Box::new(|row| match row.long(1) {
        ..0 => Err(negative("LEFT")),
        count => Ok(Value::Text(part(row.text(0), 0, count).to_owned())),
    }))
}

fn right(_: &Constants<'_>) -> Result<Body, QueryError> {
    Ok(Box::new(|row| match row.long(1) {
        ..0 => Err(negative("RIGHT")),
        count => {
            let text = row.text(0);
            Ok(Value::Text(part(text, units(text).saturating_sub(count), i64::MAX).to_owned()))
        }
    }))
}

/// From 1; 0 where it is not there.
fn place_of(row: &Row<'_>) -> Result<Value, QueryError> {
    let text = row.text(0);
    let place = text.find(row.text(1)).map_or(0, |byte| units(&text[..byte]) + 1);
    Ok(Value::Long(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_in_utf16_and_hold_no_half_characters() {
        let text = "aé😀z";
        assert_eq!(units(text), 5);
        let cases = [(0, 2, "aé"), (2, 4, "😀"), (2, 3, ""), (3, 5, "z"), (0, 3, "aé"), (4, 99, "z"), (-3, 1, "a")];
        for (start, end, expected) in cases {
            assert_eq!(part(text, start, end), expected, "{start}..{end}");
        }
        assert_eq!(part("abc", 1, i64::MAX), "bc");
        assert_eq!(part("abc", 5, 9), "");
    }
}
