//! The words of a native expression.

use std::fmt;

/// What an expression is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Of a function or a column.
    Name(String),
    /// Of a column only.
    QuotedName(String),
    /// As written.
    Number(String),
    /// Without its quotes.
    Text(String),
    Symbol(&'static str),
}

/// Longer ones first.
const SYMBOLS: [&str; 17] = ["&&", "||", "<=", ">=", "==", "!=", "(", ")", ",", "<", ">", "!", "+", "-", "*", "/", "%"];

impl fmt::Display for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(text) | Self::Number(text) => out.write_str(text),
            Self::QuotedName(text) => write!(out, "\"{text}\""),
            Self::Text(text) => write!(out, "'{text}'"),
            Self::Symbol(symbol) => out.write_str(symbol),
        }
    }
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let token = match first {
            '\'' | '"' => {
                let (inner, end) = quoted(rest)?;
                rest = &rest[end..];
                if first == '\'' { Token::Text(inner) } else { Token::QuotedName(inner) }
            }
            '0'..='9' => {
                let end = number_bytes(rest);
                Token::Number(take(&mut rest, end).to_owned())
            }
            'a'..='z' | 'A'..='Z' | '_' | '$' => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
                let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                Token::Name(take(&mut rest, end).to_owned())
            }
            _ => {
                let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
                let symbol = symbol.ok_or_else(|| format!("`{first}` is not known here"))?;
                take(&mut rest, symbol.len());
                Token::Symbol(symbol)
            }
        };
        tokens.push(token);
        rest = rest.trim_start();
    }
    Ok(tokens)
}

fn take<'t>(rest: &mut &'t str, bytes: usize) -> &'t str {
    let (taken, behind) = rest.split_at(bytes);
    *rest = behind;
    taken
}

/// Digits, a fraction, an exponent.
fn number_bytes(text: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(text);
    if let Some(fraction) = text[end..].strip_prefix('.') {
        end += 1 + digits(fraction);
    }
    if let Some(exponent) = text[end..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let count = digits(&exponent[sign..]);
        if count > 0 {
            end += 1 + sign + count;
        }
    }
    end
}

/// What stands between the quotes at the beginning, and where the rest begins.
fn quoted(text: &str) -> Result<(String, usize), String> {
    let mut inner = String::new();
    let mut chars = text.char_indices();
    let quote = chars.next().map(|(_, quote)| quote);
    let no_end = || format!("the text that begins with `{}` has no end", text.chars().take(20).collect::<String>());
    loop {
        let (place, next) = chars.next().ok_or_else(no_end)?;
        match next {
            _ if Some(next) == quote => return Ok((inner, place + next.len_utf8())),
            '\\' => inner.push(escaped(&mut chars).ok_or_else(no_end)?),
            _ => inner.push(next),
        }
    }
}

/// What stands behind a backslash.
fn escaped(chars: &mut std::str::CharIndices<'_>) -> Option<char> {
    Some(match chars.next()?.1 {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => {
            let digits: String = chars.by_ref().take(4).map(|(_, digit)| digit).collect();
            char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
        }
        other => other,
    })
}
