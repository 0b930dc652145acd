//! What clients are told, as bytes of messages.

use bytes::{BufMut, BytesMut};

use super::failure::Failure;
use super::kind::Kind;
use super::message::{Format, Secret, VERSION};
use super::session::Transaction;

/// A column as its client is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// Messages that are to be sent.
#[derive(Debug, Default)]
pub struct Replies(pub BytesMut);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    ParseComplete = b'1' as isize,
    BindComplete = b'2' as isize,
    CloseComplete = b'3' as isize,
    NoData = b'n' as isize,
    EmptyQuery = b'I' as isize,
    Suspended = b's' as isize,
}

/// Writes a message of a kind, and its length once that is known.
pub fn framed(out: &mut BytesMut, kind: u8, write: impl FnOnce(&mut BytesMut)) {
    out.put_u8(kind);
    sized(out, true, write);
}

/// Writes how long something is before it. `counts_itself`: the length of a message does, that of a value does not.
pub fn sized(out: &mut BytesMut, counts_itself: bool, write: impl FnOnce(&mut BytesMut)) {
    let at = out.len();
    out.put_i32(0);
    write(out);
    let start = if counts_itself { at } else { at + 4 };
    let length = i32::try_from(out.len() - start).expect("rows are far smaller than two gigabytes");
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
}

fn text(out: &mut BytesMut, text: &str) {
    // A zero would end the text; none that is told has one but by what a client sent.
    out.extend(text.bytes().filter(|byte| *byte != 0));
    out.put_u8(0);
}

impl Replies {
    pub fn authentication(&mut self, code: i32) {
        framed(&mut self.0, b'R', |out| out.put_i32(code));
    }

    pub fn key_data(&mut self, secret: Secret) {
        framed(&mut self.0, b'K', |out| {
            out.put_i32(secret.process);
            out.put_i32(secret.key);
        });
    }

    pub fn status(&mut self, name: &str, value: &str) {
        framed(&mut self.0, b'S', |out| {
            text(out, name);
            text(out, value);
        });
    }

    /// Which version is spoken, where a newer one is asked for.
    pub fn version(&mut self, unknown: &[String]) {
        framed(&mut self.0, b'v', |out| {
            out.put_i32(VERSION & 0xffff);
            out.put_i32(unknown.len() as i32);
            unknown.iter().for_each(|name| text(out, name));
        });
    }

    pub fn ready(&mut self, transaction: Transaction) {
        framed(&mut self.0, b'Z', |out| out.put_u8(transaction as u8));
    }

    pub fn parameters(&mut self, types: &[u32]) {
        framed(&mut self.0, b't', |out| {
            out.put_u16(types.len() as u16);
            types.iter().for_each(|kind| out.put_u32(*kind));
        });
    }

    pub fn columns(&mut self, columns: &[Column], formats: &[Format]) {
        framed(&mut self.0, b'T', |out| {
            out.put_u16(columns.len() as u16);
            for (at, column) in columns.iter().enumerate() {
                text(out, &column.name);
                // Of no table that could be told.
                out.put_i32(0);
                out.put_i16(0);
                out.put_u32(column.kind.oid());
                out.put_i16(column.kind.length());
                out.put_i32(-1);
                out.put_i16(Format::at(formats, at) as i16);
            }
        });
    }

    /// A row whose values are all text.
    pub fn text_row(&mut self, values: &[&str]) {
        framed(&mut self.0, b'D', |out| {
            out.put_u16(values.len() as u16);
            values.iter().for_each(|value| sized(out, false, |out| out.put_slice(value.as_bytes())));
        });
    }

    pub fn complete(&mut self, tag: &str) {
        framed(&mut self.0, b'C', |out| text(out, tag));
    }

    pub fn failed(&mut self, failure: &Failure, is_fatal: bool) {
        framed(&mut self.0, b'E', |out| {
            let severity = if is_fatal { "FATAL" } else { "ERROR" };
            let mut field = |kind: u8, value: &str| {
                out.put_u8(kind);
                text(out, value);
            };
            field(b'S', severity);
            field(b'V', severity);
            field(b'C', failure.code);
            field(b'M', &failure.message);
            if let Some(position) = failure.position {
                field(b'P', &position.to_string());
            }
            out.put_u8(0);
        });
    }

    /// A message that says nothing but what it is.
    pub fn plain(&mut self, kind: Plain) {
        framed(&mut self.0, kind as u8, |_| {});
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_how_long_they_are() {
        let mut out = Replies::default();
        out.complete("SELECT 1");
        out.plain(Plain::NoData);
        out.text_row(&["ab", ""]);
        out.ready(Transaction::None);
        let expected: &[&[u8]] =
            &[b"C\0\0\0\x0dSELECT 1\0", b"n\0\0\0\x04", b"D\0\0\0\x10\0\x02\0\0\0\x02ab\0\0\0\0", b"Z\0\0\0\x05I"];
        assert_eq!(out.0, expected.concat());
    }

    #[test]
    fn columns_have_types_and_formats() {
        let mut out = Replies::default();
        let column = Column { name: "n".into(), kind: Kind::Long };
        out.columns(&[column], &[Format::Binary]);
        let expected = b"T\0\0\0\x1a\0\x01n\0\0\0\0\0\0\0\0\0\0\x14\0\x08\xff\xff\xff\xff\0\x01";
        assert_eq!(out.0, expected.as_slice());
    }
}
