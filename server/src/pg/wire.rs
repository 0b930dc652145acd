use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::reply::Replies;
use crate::listener::StallGuard;

/// What is sent at once while rows are written.
const FLUSH_BYTES: usize = 32 << 10;
/// What is read ahead while a query runs.
const AHEAD_BYTES: usize = 64 << 10;
/// A length counts itself.
const LENGTH_BYTES: usize = 4;

/// The connection, in messages.
pub struct Wire {
    socket: StallGuard,
    incoming: BytesMut,
    pub out: Replies,
    /// Of a message.
    bytes_max: usize,
}

/// A message as it comes.
#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub body: Bytes,
}

/// Why there is no next message.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("the client has gone")]
    Closed,
    #[error("a message of {0} bytes is too long: at most {1} are read (`request_size`)")]
    TooLong(usize, usize),
    #[error("a message says that it is {0} bytes long")]
    Malformed(i32),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Wire {
    pub fn new(socket: StallGuard, bytes_max: usize) -> Self {
        Self { socket, incoming: BytesMut::new(), out: Replies::default(), bytes_max }
    }

    /// The next message. Losing the future loses nothing.
    pub async fn frame(&mut self) -> Result<Frame, WireError> {
        self.need(1 + LENGTH_BYTES).await?;
        let length = self.length(1)?;
        self.need(1 + length).await?;
        let kind = self.incoming.get_u8();
        self.incoming.advance(LENGTH_BYTES);
        Ok(Frame { kind, body: self.incoming.split_to(length - LENGTH_BYTES).freeze() })
    }

    /// One of the messages before a session begins, which say not what they are.
    pub async fn first_frame(&mut self) -> Result<Bytes, WireError> {
        self.need(LENGTH_BYTES).await?;
        let length = self.length(0)?;
        self.need(length).await?;
        self.incoming.advance(LENGTH_BYTES);
        Ok(self.incoming.split_to(length - LENGTH_BYTES).freeze())
    }

    /// Ends when the client has gone; reads some of what it sends meanwhile.
    pub async fn closed(&mut self) {
        while self.incoming.len() < AHEAD_BYTES {
            if self.more().await.is_err() {
                return;
            }
        }
        std::future::pending().await
    }

    /// Whether the client has sent what nobody has read yet.
    pub fn has_more(&self) -> bool {
        !self.incoming.is_empty()
    }

    pub async fn flush(&mut self) -> Result<(), WireError> {
        self.socket.write_all_buf(&mut self.out.0).await?;
        Ok(self.socket.flush().await?)
    }

    /// Sends what has come together.
    pub async fn flush_much(&mut self) -> Result<(), WireError> {
        if self.out.0.len() >= FLUSH_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn need(&mut self, bytes: usize) -> Result<(), WireError> {
        while self.incoming.len() < bytes {
            self.more().await?;
        }
        Ok(())
    }

    async fn more(&mut self) -> Result<(), WireError> {
        match self.socket.read_buf(&mut self.incoming).await? {
            0 => Err(WireError::Closed),
            _ => Ok(()),
        }
    }

    /// That stands at a place of what has come.
    fn length(&self, at: usize) -> Result<usize, WireError> {
        let length = (&self.incoming[at..]).get_i32();
        let bytes = usize::try_from(length).ok().filter(|bytes| *bytes >= LENGTH_BYTES);
        let bytes = bytes.ok_or(WireError::Malformed(length))?;
        if bytes > self.bytes_max { Err(WireError::TooLong(bytes, self.bytes_max)) } else { Ok(bytes) }
    }
}
