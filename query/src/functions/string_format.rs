//! `STRING_FORMAT(pattern, value..)` as Java's `String.format`: `%s`, `%d`, `%x`, `%o`, `%f`, `%e`, `%%` and `%n`, with flags,
//! width and precision.

use super::row_function::{Kind, Row, RowFunction, Value, check_bytes};
use crate::error::QueryError;

const NAME: &str = "string_format";

pub(super) const FUNCTIONS: &[RowFunction] = &[RowFunction {
    name: NAME,
    aliases: &[],
    usage: "STRING_FORMAT('%s has %05d', org, code), with up to 15 values",
    parameters: &[Kind::Text; 16],
    required: 1,
    result: Kind::Text,
    bind: |_| Ok(Box::new(formatted)),
}];

fn formatted(row: &Row<'_>) -> Result<Value, QueryError> {
    let (mut out, mut rest, mut next) = (String::new(), row.text(0), 1);
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (directive, after) = Directive::parse(&rest[at + 1..])?;
        rest = after;
        match directive.conversion {
            '%' => directive.pad("%", &mut out)?,
            'n' => out.push('\n'),
            _ if !row.has(next) => {
                return Err(QueryError::plan(format!("STRING_FORMAT has no value for its directive {next}")));
            }
            _ => {
                directive.write(row.text(next), &mut out)?;
                next += 1;
            }
        }
        check_bytes(NAME, out.len())?;
    }
    out.push_str(rest);
    Ok(Value::Text(out))
}

/// What follows a `%`.
#[derive(Debug, Default)]
struct Directive {
    is_left: bool,
    has_sign: bool,
    has_zeros: bool,
    has_commas: bool,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

impl Directive {
    /// The directive, and the text after it.
    fn parse(text: &str) -> Result<(Self, &str), QueryError> {
        let fail = || {
            QueryError::plan(format!(
                "STRING_FORMAT does not know '%{}': use %s, %d, %x, %o, %f, %e, %% or %n, such as %-10s, %05d or %.2f",
                text.chars().take(8).collect::<String>()
            ))
        };
        let mut directive = Self::default();
        let flags = text.find(|c| !matches!(c, '-' | '+' | '0' | ',')).ok_or_else(fail)?;
        for flag in text[..flags].chars() {
            match flag {
                '-' => directive.is_left = true,
                '+' => directive.has_sign = true,
                '0' => directive.has_zeros = true,
                _ => directive.has_commas = true,
            }
        }
        let (width, rest) = number(&text[flags..]);
        directive.width = width.unwrap_or(0);
        let rest = match rest.strip_prefix('.') {
            Some(after) => {
                let (precision, after) = number(after);
                directive.precision = Some(precision.ok_or_else(fail)?);
                after
            }
            None => rest,
        };
        directive.conversion = rest.chars().next().ok_or_else(fail)?;
        if !matches!(directive.conversion, 's' | 'S' | 'd' | 'x' | 'X' | 'o' | 'f' | 'e' | '%' | 'n') {
            return Err(fail());
        }
        check_bytes(NAME, directive.width.max(directive.precision.unwrap_or(0)))?;
        let after = &rest[directive.conversion.len_utf8()..];
        Ok((directive, after))
    }

    fn write(&self, value: &str, out: &mut String) -> Result<(), QueryError> {
        match self.conversion {
            's' => self.pad(&self.cut(value), out),
            'S' => self.pad(&self.cut(value).to_uppercase(), out),
            'd' => self.pad_number(long(value)?.to_string(), out),
            'x' => self.pad_number(format!("{:x}", long(value)?), out),
            'X' => self.pad_number(format!("{:X}", long(value)?), out),
            'o' => self.pad_number(format!("{:o}", long(value)?), out),
            'f' => self.pad_number(format!("{:.*}", self.precision.unwrap_or(6), double(value)?), out),
            _ => self.pad_number(scientific(double(value)?, self.precision.unwrap_or(6)), out),
        }
    }

    fn cut(&self, text: &str) -> String {
        text.chars().take(self.precision.unwrap_or(usize::MAX)).collect()
    }

    fn pad_number(&self, number: String, out: &mut String) -> Result<(), QueryError> {
        let (sign, digits) = match number.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => (if self.has_sign { "+" } else { "" }, number.as_str()),
        };
        let digits = if self.has_commas { with_commas(digits) } else { digits.to_owned() };
        let missing = self.width.saturating_sub(sign.len() + digits.len());
        if self.has_zeros && !self.is_left {
            out.push_str(sign);
            out.extend(std::iter::repeat_n('0', missing));
            out.push_str(&digits);
            return Ok(());
        }
        self.pad(&format!("{sign}{digits}"), out)
    }

    fn pad(&self, text: &str, out: &mut String) -> Result<(), QueryError> {
        let missing = self.width.saturating_sub(text.chars().count());
        check_bytes(NAME, out.len() + missing + text.len())?;
        let blanks = std::iter::repeat_n(' ', missing);
        if self.is_left {
            out.push_str(text);
            out.extend(blanks);
        } else {
            out.extend(blanks);
            out.push_str(text);
        }
        Ok(())
    }
}

/// Digits at the start, and what follows; more than fit are the most there is.
fn number(text: &str) -> (Option<usize>, &str) {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = (digits > 0).then(|| text[..digits].parse().unwrap_or(usize::MAX));
    (number, &text[digits..])
}

fn long(value: &str) -> Result<i64, QueryError> {
    value
        .trim()
        .parse()
        .map_err(|_| QueryError::plan(format!("STRING_FORMAT needs a whole number, and '{value}' is none")))
}

fn double(value: &str) -> Result<f64, QueryError> {
    value.trim().parse().map_err(|_| QueryError::plan(format!("STRING_FORMAT needs a number, and '{value}' is none")))
}

/// `1.500000e+03`: two digits of the exponent at the least.
fn scientific(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, digits) = match exponent.strip_prefix('-') {
                Some(digits) => ('-', digits),
                None => ('+', exponent),
            };
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        None => text,
    }
}

/// A comma before each three digits, those behind the point aside.
fn with_commas(digits: &str) -> String {
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}
