//! Lengths of time in a spec, such as `7d` or `PT1H`.

use super::Node;

/// Units and their milliseconds, longest first.
const UNITS: [(&str, i64); 6] =
    [("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Milliseconds of a length written as a number and a unit (`7d`) or as an ISO-8601 duration (`P7D`, `PT1H30M`).
pub(super) fn read(node: &Node<'_>) -> Option<i64> {
    let text = node.text()?;
    let millis = if text.starts_with(['P', 'p']) { parse_iso(text) } else { parse_short(text) };
    millis.or_else(|| node.expected("a length of time such as `90s`, `5m`, `7d`, `PT1H` or `P7D` (no months or years)"))
}

/// The short form that [`read`] understands; `0ms` for nothing.
pub(super) fn write(millis: i64) -> String {
    let fits = |(_, length): &&(&str, i64)| millis % length == 0 && millis != 0;
    let (unit, length) = UNITS.iter().find(fits).unwrap_or(&UNITS[5]);
    format!("{}{unit}", millis / length)
}

fn parse_short(text: &str) -> Option<i64> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (_, length) = UNITS.iter().find(|(unit, _)| *unit == &text[unit_at..])?;
    text[..unit_at].parse::<i64>().ok()?.checked_mul(*length)
}

fn parse_iso(text: &str) -> Option<i64> {
    let (mut rest, mut in_time, mut total, mut parts) = (&text[1..], false, 0_i64, 0);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(['T', 't']).filter(|_| !in_time) {
            (rest, in_time) = (after, true);
            continue;
        }
        let unit_at = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: i64 = rest[..unit_at].parse().ok()?;
        let length = match (in_time, rest.as_bytes()[unit_at].to_ascii_uppercase()) {
            (false, b'W') => 7 * 86_400_000,
            (false, b'D') => 86_400_000,
            (true, b'H') => 3_600_000,
            (true, b'M') => 60_000,
            (true, b'S') => 1_000,
            _ => return None,
        };
        total = total.checked_add(count.checked_mul(length)?)?;
        parts += 1;
        rest = &rest[unit_at + 1..];
    }
    (parts > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_in_both_notations() {
        let cases = [
            ("90s", Some(90_000)),
            ("7d", Some(604_800_000)),
            ("0ms", Some(0)),
            ("5", None),
            ("5y", None),
            ("", None),
            ("-5m", None),
            ("99999999999999999w", None),
            ("PT1H", Some(3_600_000)),
            ("P1DT12H", Some(129_600_000)),
            ("P2147483647D", Some(2_147_483_647 * 86_400_000)),
            ("P1M", None),
            ("P1Y", None),
            ("P", None),
            ("PT", None),
            ("PT5\u{e9}", None),
        ];
        for (text, expected) in cases {
            let read = if text.starts_with('P') { parse_iso(text) } else { parse_short(text) };
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn a_written_length_reads_back() {
        for millis in [0, 1, 999, 1_000, 90_000, 3_600_000, 604_800_000, 604_800_001] {
            assert_eq!(parse_short(&write(millis)), Some(millis), "{}", write(millis));
        }
    }
}
