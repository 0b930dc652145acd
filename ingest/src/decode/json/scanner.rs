//! A strict reader of JSON text (RFC 8259) that is driven by its caller.
//!
//! It is used instead of a general parser because it gives numbers as they are written, counts levels and keys also in
//! what is skipped, and its errors cost nothing until someone wants to read them.

use super::{FIELDS_MAX, NESTING_MAX};
use crate::decode::number::number_length;

/// Why a text is refused; [`Scanner::byte_offset`] says where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanError {
    Malformed(&'static str),
    NotAnObject,
    NestedTooDeep,
    TooManyFields,
}

/// The kind of value that begins. Of a string, an array or an object only the first character has been read, of a number
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Null,
    Boolean(bool),
    Number,
    String,
    Array,
    Object,
}

#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    fields: usize,
}

type Scan<T> = Result<T, ScanError>;

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, fields: 0 }
    }

    pub(super) fn byte_offset(&self) -> usize {
        self.at
    }

    /// Begins the document.
    pub(super) fn begin(&mut self) -> Scan<Token> {
        if self.text.starts_with('\u{feff}') {
            return Err(ScanError::Malformed("a byte order mark"));
        }
        match self.next_byte() {
            None => Err(ScanError::Malformed("nothing")),
            Some(_) => self.begin_value(),
        }
    }

    /// Goes back to the start of the document.
    pub(super) fn restart(&mut self) {
        (self.at, self.fields) = (0, 0);
    }

    /// Only white space may follow the document.
    pub(super) fn end(&mut self) -> Scan<()> {
        match self.next_byte() {
            None => Ok(()),
            Some(_) => Err(ScanError::Malformed("text after the JSON value")),
        }
    }

    /// Skips white space before a value, and says where the value begins.
    pub(super) fn next_value(&mut self) -> usize {
        self.next_byte();
        self.at
    }

    #[inline]
    pub(super) fn begin_value(&mut self) -> Scan<Token> {
        let token = match self.next_byte() {
            Some(b'"') => Token::String,
            Some(b'-' | b'0'..=b'9') => return Ok(Token::Number),
            Some(b'{') => Token::Object,
            Some(b'[') => Token::Array,
            Some(b't') => return self.literal("true", Token::Boolean(true)),
            Some(b'f') => return self.literal("false", Token::Boolean(false)),
            Some(b'n') => return self.literal("null", Token::Null),
            Some(_) => return Err(ScanError::Malformed("no JSON value")),
            None => return Err(ScanError::Malformed("the end")),
        };
        self.at += 1;
        Ok(token)
    }

    fn literal(&mut self, word: &str, token: Token) -> Scan<Token> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(ScanError::Malformed("no JSON value"));
        }
        self.at += word.len();
        Ok(token)
    }

    /// The number that was begun, as written.
    pub(super) fn number(&mut self) -> Scan<&'a str> {
        let length = number_length(self.rest()).ok_or(ScanError::Malformed("no JSON number"))?;
        let start = self.at;
        self.at += length;
        Ok(&self.text[start..self.at])
    }

    /// The rest of the string that was begun. `buffer` holds it where it has escapes.
    #[inline]
    pub(super) fn string<'s>(&mut self, buffer: &'s mut String) -> Scan<&'s str>
    where
        'a: 's,
    {
        let start = self.at;
        self.at += plain_length(self.rest());
        if self.peek() == Some(b'"') {
            let text = &self.text[start..self.at];
            self.at += 1;
            return Ok(text);
        }
        self.escaped_string(start, buffer)
    }

    /// A string that is not over where its plain characters end.
    fn escaped_string<'s>(&mut self, mut start: usize, buffer: &'s mut String) -> Scan<&'s str> {
        buffer.clear();
        loop {
            buffer.push_str(&self.text[start..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(buffer);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let character = self.escape()?;
                    buffer.push(character);
                }
                Some(_) => return Err(ScanError::Malformed("a control character in a string")),
                None => return Err(ScanError::Malformed("the end within a string")),
            }
            start = self.at;
            self.at += plain_length(self.rest());
        }
    }

    /// The character of an escape whose backslash has been read.
    fn escape(&mut self) -> Scan<char> {
        let character = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(ScanError::Malformed("no JSON escape")),
        };
        self.at += 1;
        Ok(character)
    }

    /// The character of four hex digits, or of a pair of surrogates.
    fn unicode_escape(&mut self) -> Scan<char> {
        const LONE: ScanError = ScanError::Malformed("a lone surrogate");
        let first = self.hex_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(LONE);
        }
        if !self.rest().starts_with(b"\\u") {
            return Err(LONE);
        }
        self.at += 2;
        let second = self.hex_digits()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(LONE);
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(LONE)
    }

    fn hex_digits(&mut self) -> Scan<u32> {
        let mut number = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            number = number * 16 + digit.ok_or(ScanError::Malformed("no hex digit"))?;
            self.at += 1;
        }
        Ok(number)
    }

    /// Whether an object that was begun ends without a key.
    pub(super) fn is_empty_object(&mut self) -> Scan<bool> {
        self.is_closed_by(b'}')
    }

    /// Begins a key: its quote is read, and it is counted.
    #[inline]
    pub(super) fn begin_key(&mut self) -> Scan<()> {
        if self.next_byte() != Some(b'"') {
            return Err(ScanError::Malformed("no key"));
        }
        self.at += 1;
        self.fields += 1;
        if self.fields > FIELDS_MAX { Err(ScanError::TooManyFields) } else { Ok(()) }
    }

    /// Whether the rest of the key that was begun is `key_and_quote`; then it is read.
    #[inline]
    pub(super) fn take_key(&mut self, key_and_quote: &str) -> bool {
        let is_it = self.rest().starts_with(key_and_quote.as_bytes());
        if is_it {
            self.at += key_and_quote.len();
        }
        is_it
    }

    /// Reads the colon after a key.
    #[inline]
    pub(super) fn colon(&mut self) -> Scan<()> {
        if self.next_byte() != Some(b':') {
            return Err(ScanError::Malformed("no colon"));
        }
        self.at += 1;
        Ok(())
    }

    /// After a field's value: whether the object ends, or else a comma was read.
    #[inline]
    pub(super) fn is_last_field(&mut self) -> Scan<bool> {
        self.is_last(b'}', ScanError::Malformed("no comma and no end of the object"))
    }

    pub(super) fn check_depth(&self, depth: usize) -> Scan<()> {
        if depth > NESTING_MAX { Err(ScanError::NestedTooDeep) } else { Ok(()) }
    }

    /// Reads a value that nobody needs, at `depth` levels. `buffer` is overwritten.
    pub(super) fn skip_value(&mut self, depth: usize, buffer: &mut String) -> Scan<()> {
        match self.begin_value()? {
            Token::Null | Token::Boolean(_) => Ok(()),
            Token::Number => self.number().map(|_| ()),
            Token::String => self.string(buffer).map(|_| ()),
            token @ (Token::Array | Token::Object) => self.skip_rest(token, depth + 1, buffer),
        }
    }

    /// Reads the rest of an array or object that was begun; `depth` counts it, and bounds the recursion.
    pub(super) fn skip_rest(&mut self, token: Token, depth: usize, buffer: &mut String) -> Scan<()> {
        self.check_depth(depth)?;
        let is_object = token == Token::Object;
        let close = if is_object { b'}' } else { b']' };
        if self.is_closed_by(close)? {
            return Ok(());
        }
        loop {
            if is_object {
                self.begin_key()?;
                self.string(buffer)?;
                self.colon()?;
            }
            self.skip_value(depth, buffer)?;
            if self.is_last(close, ScanError::Malformed("no comma and no end of the array or object"))? {
                return Ok(());
            }
        }
    }

    fn is_closed_by(&mut self, close: u8) -> Scan<bool> {
        let is_closed = self.next_byte() == Some(close);
        self.at += usize::from(is_closed);
        Ok(is_closed)
    }

    #[inline]
    fn is_last(&mut self, close: u8, otherwise: ScanError) -> Scan<bool> {
        let is_last = match self.next_byte() {
            Some(b',') => false,
            Some(byte) if byte == close => true,
            _ => return Err(otherwise),
        };
        self.at += 1;
        Ok(is_last)
    }

    /// Skips white space; the byte after it is not read.
    #[inline]
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other,
            }
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }
}

/// How many bytes come before the next quote, backslash or control character.
///
/// Eight at a time, by the usual bit tricks ("Bit Twiddling Hacks", S. E. Anderson: determine if a word has a byte less
/// than n, or equal to n).
#[inline]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let less_than = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let mut length = 0;
    for chunk in bytes.chunks_exact(8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
        let quote = less_than(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = less_than(word ^ (ONES * u64::from(b'\\')), 1);
        let found = quote | backslash | less_than(word, 0x20);
        if found != 0 {
            // A borrow can mark bytes after the first one wrongly, never before it.
            return length + found.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let is_plain = |byte: &&u8| !matches!(**byte, b'"' | b'\\' | 0..0x20);
    length + bytes[length..].iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_ends_at_a_quote_a_backslash_or_a_control_character_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let ends = byte == b'"' || byte == b'\\' || byte < 0x20;
            for at in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[at] = byte;
                assert_eq!(plain_length(&bytes), if ends { at } else { 20 }, "{byte} at {at}");
                bytes[19] = b'"';
                assert_eq!(plain_length(&bytes), if ends { at } else { 19 }, "{byte} at {at}, then a quote");
            }
        }
    }
}
