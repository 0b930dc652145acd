//! What clients send, read from the bytes of a message.

use bytes::{Buf, Bytes};

use super::wire::Frame;

/// The parts of a protocol's version, 3.0.
pub const VERSION: i32 = 3 << 16;
const CANCEL: i32 = 80_877_102;
const TLS: i32 = 80_877_103;
const GSSAPI: i32 = 80_877_104;
/// More are none that anybody sends.
const OPTIONS_MAX: usize = 100;

/// What a connection begins with.
#[derive(Debug, PartialEq, Eq)]
pub enum First {
    /// TLS or GSSAPI are asked for.
    Encryption,
    Cancel(Secret),
    /// Names and values, in the order in which they came.
    Start(Vec<(String, String)>),
    /// A version that is not spoken; the client may go on with ours.
    Newer(i32, Vec<(String, String)>),
}

/// What a session is known by to whoever cancels its query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Secret {
    pub process: i32,
    pub key: i32,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    Password(String),
    Query(String),
    Parse {
        name: String,
        sql: String,
        types: Vec<u32>,
    },
    Bind(Bind),
    Describe(Target),
    Execute {
        portal: String,
        rows_max: usize,
    },
    Close(Target),
    Flush,
    Sync,
    Terminate,
    /// Of a copy that was never begun.
    Copy,
    Unknown(u8),
}

#[derive(Debug, PartialEq, Eq)]
pub struct Bind {
    pub portal: String,
    pub statement: String,
    /// Of the parameters: none, one for all, or one for each.
    pub formats: Vec<Format>,
    /// `None` is null.
    pub values: Vec<Option<Bytes>>,
    /// Of the columns, likewise.
    pub result_formats: Vec<Format>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Binary,
}

impl Format {
    /// The one at a place of a list that may be short for several.
    pub fn at(formats: &[Self], place: usize) -> Self {
        match formats {
            [] => Self::Text,
            [all] => *all,
            each => each.get(place).copied().unwrap_or(Self::Text),
        }
    }
}

/// Which kind of thing a name is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Statement(String),
    Portal(String),
}

/// A message that breaks the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message of the client is not understood: {0}")]
pub struct Malformed(&'static str);

const SHORT: Malformed = Malformed("it ends early");

impl First {
    pub fn read(mut body: Bytes) -> Result<Self, Malformed> {
        let code = body.try_get_i32().map_err(|_| SHORT)?;
        Ok(match code {
            TLS | GSSAPI => Self::Encryption,
            CANCEL => Self::Cancel(Secret {
                process: body.try_get_i32().map_err(|_| SHORT)?,
                key: body.try_get_i32().map_err(|_| SHORT)?,
            }),
            VERSION => Self::Start(options(body)?),
            version if version >> 16 == VERSION >> 16 => Self::Newer(version, options(body)?),
            _ => return Err(Malformed("it asks for another version of the protocol than 3")),
        })
    }
}

fn options(body: Bytes) -> Result<Vec<(String, String)>, Malformed> {
    let mut reader = Reader(body);
    let mut options = Vec::new();
    loop {
        let name = reader.text()?;
        if name.is_empty() {
            return Ok(options);
        }
        if options.len() == OPTIONS_MAX {
            return Err(Malformed("it has too many options"));
        }
        options.push((name, reader.text()?));
    }
}

impl Message {
    pub fn read(frame: Frame) -> Result<Self, Malformed> {
        let mut body = Reader(frame.body);
        Ok(match frame.kind {
            b'p' => Self::Password(body.text()?),
            b'Q' => Self::Query(body.text()?),
            b'P' => {
                let (name, sql) = (body.text()?, body.text()?);
                let types = body.list(|body| body.0.try_get_u32().map_err(|_| SHORT))?;
                Self::Parse { name, sql, types }
            }
            b'B' => Self::Bind(Bind {
                portal: body.text()?,
                statement: body.text()?,
                formats: body.list(Reader::format)?,
                values: body.list(Reader::value)?,
                result_formats: body.list(Reader::format)?,
            }),
            b'D' => Self::Describe(body.target()?),
            b'E' => {
                let (portal, rows) = (body.text()?, body.0.try_get_i32().map_err(|_| SHORT)?);
                // Zero and less are no limit.
                let rows_max = usize::try_from(rows).ok().filter(|rows| *rows > 0).unwrap_or(usize::MAX);
                Self::Execute { portal, rows_max }
            }
            b'C' => Self::Close(body.target()?),
            b'H' => Self::Flush,
            b'S' => Self::Sync,
            b'X' => Self::Terminate,
            b'd' | b'c' | b'f' => Self::Copy,
            other => Self::Unknown(other),
        })
    }
}

struct Reader(Bytes);

impl Reader {
    /// Up to a zero.
    fn text(&mut self) -> Result<String, Malformed> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or(SHORT)?;
        let bytes = self.0.split_to(end);
        self.0.advance(1);
        String::from_utf8(bytes.into()).map_err(|_| Malformed("its text is not UTF-8"))
    }

    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
        let count = self.0.try_get_u16().map_err(|_| SHORT)?;
        (0..count).map(|_| item(self)).collect()
    }

    fn format(&mut self) -> Result<Format, Malformed> {
        match self.0.try_get_i16().map_err(|_| SHORT)? {
            0 => Ok(Format::Text),
            1 => Ok(Format::Binary),
            _ => Err(Malformed("it names a format that is neither text nor binary")),
        }
    }

    fn value(&mut self) -> Result<Option<Bytes>, Malformed> {
        let length = self.0.try_get_i32().map_err(|_| SHORT)?;
        let Ok(length) = usize::try_from(length) else { return Ok(None) };
        if length > self.0.len() { Err(SHORT) } else { Ok(Some(self.0.split_to(length))) }
    }

    fn target(&mut self) -> Result<Target, Malformed> {
        let kind = self.0.try_get_u8().map_err(|_| SHORT)?;
        let name = self.text()?;
        match kind {
            b'S' => Ok(Target::Statement(name)),
            b'P' => Ok(Target::Portal(name)),
            _ => Err(Malformed("it names neither a statement nor a portal")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: u8, body: &'static [u8]) -> Result<Message, Malformed> {
        Message::read(Frame { kind, body: Bytes::from_static(body) })
    }

    #[test]
    fn messages_are_read_part_by_part() {
        let bind = Bind {
            portal: "p".into(),
            statement: String::new(),
            formats: vec![Format::Binary],
            values: vec![Some(Bytes::from_static(b"xy")), None],
            result_formats: vec![Format::Text, Format::Binary],
        };
        let cases: [(u8, &'static [u8], Message); 7] = [
            (b'Q', b"SELECT 1\0", Message::Query("SELECT 1".into())),
            (
                b'P',
                b"s\0SELECT $1\0\0\x01\0\0\0\x14",
                Message::Parse { name: "s".into(), sql: "SELECT $1".into(), types: vec![20] },
            ),
            (b'B', b"p\0\0\0\x01\0\x01\0\x02\0\0\0\x02xy\xff\xff\xff\xff\0\x02\0\0\0\x01", Message::Bind(bind)),
            (b'D', b"Ss\0", Message::Describe(Target::Statement("s".into()))),
            (b'E', b"\0\0\0\0\0", Message::Execute { portal: String::new(), rows_max: usize::MAX }),
            (b'E', b"\0\0\0\0\x07", Message::Execute { portal: String::new(), rows_max: 7 }),
            (b'?', b"", Message::Unknown(b'?')),
        ];
        for (kind, body, expected) in cases {
            assert_eq!(read(kind, body), Ok(expected));
        }
    }

    #[test]
    fn what_ends_early_or_says_what_cannot_be_is_refused() {
        let cases: [(u8, &'static [u8]); 7] = [
            (b'Q', b"SELECT 1"),
            (b'Q', b"\xff\0"),
            (b'P', b"s\0sql\0\0\x02\0\0\0\x14"),
            (b'B', b"p\0s\0\0\x01\0\x02"),
            (b'B', b"p\0s\0\0\0\0\x01\0\0\0\x09xy\0\0"),
            (b'D', b"Xs\0"),
            (b'E', b"p\0\0"),
        ];
        for (kind, body) in cases {
            assert!(read(kind, body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn a_connection_begins_with_a_version_or_a_wish() {
        let first = |body: &'static [u8]| First::read(Bytes::from_static(body));
        assert_eq!(first(b"\x04\xd2\x16\x2f"), Ok(First::Encryption));
        let secret = Secret { process: 1, key: 2 };
        assert_eq!(first(b"\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02"), Ok(First::Cancel(secret)));
        let user = vec![("user".to_owned(), "me".to_owned())];
        assert_eq!(first(b"\0\x03\0\0user\0me\0\0"), Ok(First::Start(user.clone())));
        assert_eq!(first(b"\0\x03\0\x02user\0me\0\0"), Ok(First::Newer(VERSION + 2, user)));
        assert!(first(b"\0\x02\0\0\0").is_err());
        assert!(first(b"\0\x03\0\0user\0me\0").is_err());
    }
}
