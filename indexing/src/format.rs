//! Reading and writing the bytes of encodings: little-endian numbers, variable-length numbers, and slices.
//!
//! A variable-length number (`varint`) holds 7 bits a byte, the lowest first; the high bit says that more follow.

use bytes::Bytes;

/// Bytes that are not what they were taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {detail}")]
pub struct FormatError {
    /// The encoding, as its file names it: `packed codes`.
    pub what: &'static str,
    /// What does not hold: `ends early`.
    pub detail: &'static str,
}

/// Reads an encoding from its first byte to its last; what it hands out shares the memory.
#[derive(Debug, Clone)]
pub struct ByteReader {
    what: &'static str,
    bytes: Bytes,
}

impl ByteReader {
    /// Errors will name the encoding `what`.
    pub fn new(what: &'static str, bytes: Bytes) -> Self {
        Self { what, bytes }
    }

    /// An error about the encoding being read.
    pub fn error(&self, detail: &'static str) -> FormatError {
        FormatError { what: self.what, detail }
    }

    /// The number of bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// The next `len` bytes, without copying.
    pub fn slice(&mut self, len: usize) -> Result<Bytes, FormatError> {
        if len > self.bytes.len() {
            return Err(self.error("ends early"));
        }
        Ok(self.bytes.split_to(len))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let bytes = self.slice(N)?;
        let mut array = [0; N];
        array.copy_from_slice(&bytes);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8, FormatError> {
        self.array().map(u8::from_le_bytes)
    }

    pub fn u16(&mut self) -> Result<u16, FormatError> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, FormatError> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, FormatError> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn i64(&mut self) -> Result<i64, FormatError> {
        self.array().map(i64::from_le_bytes)
    }

    pub fn i128(&mut self) -> Result<i128, FormatError> {
        self.array().map(i128::from_le_bytes)
    }

    pub fn f64(&mut self) -> Result<f64, FormatError> {
        self.array().map(f64::from_le_bytes)
    }

    /// A variable-length number of at most 64 bits.
    pub fn varint(&mut self) -> Result<u64, FormatError> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.u8()?;
            let part = u64::from(byte & 0x7f);
            if part > u64::MAX >> shift {
                break;
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.error("a variable-length number of more than 64 bits"))
    }

    /// A length or count written as a variable-length number.
    pub fn varint_usize(&mut self) -> Result<usize, FormatError> {
        let value = self.varint()?;
        usize::try_from(value).map_err(|_| self.error("a length beyond memory"))
    }

    /// Everything has been read.
    pub fn finish(self) -> Result<(), FormatError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(self.error("more bytes than expected")) }
    }
}

/// Appends what [`ByteReader`] reads.
#[derive(Debug, Default)]
pub struct ByteWriter {
    bytes: Vec<u8>,
}

impl ByteWriter {
    /// The number of bytes written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes as they are, without their length.
    pub fn slice(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub fn u16(&mut self, value: u16) {
        self.slice(&value.to_le_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.slice(&value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.slice(&value.to_le_bytes());
    }

    pub fn i64(&mut self, value: i64) {
        self.slice(&value.to_le_bytes());
    }

    pub fn i128(&mut self, value: i128) {
        self.slice(&value.to_le_bytes());
    }

    pub fn f64(&mut self, value: f64) {
        self.slice(&value.to_le_bytes());
    }

    /// A number in 1 to 10 bytes, the smaller the fewer.
    pub fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// What has been written, to be appended to.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Everything written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_remains_is_what_was_not_read() {
        let mut reader = ByteReader::new("bytes", vec![1, 2, 3].into());
        assert_eq!((reader.remaining(), reader.u8(), reader.remaining()), (3, Ok(1), 2));
    }

    proptest! {
        #[test]
        fn numbers_come_back_as_they_were_written(long: i64, wide: i128, number: u64, shift in 0_u32..64) {
            let mut writer = ByteWriter::default();
            writer.i64(long);
            writer.varint(number >> shift);
            writer.i128(wide);
            writer.u16(number as u16);
            let mut reader = ByteReader::new("test", writer.finish().into());
            prop_assert_eq!(reader.i64(), Ok(long));
            prop_assert_eq!(reader.varint(), Ok(number >> shift));
            prop_assert_eq!(reader.i128(), Ok(wide));
            prop_assert_eq!(reader.u16(), Ok(number as u16));
            prop_assert_eq!(reader.finish(), Ok(()));
        }
    }

    #[test]
    fn a_number_that_ends_early_or_is_too_long_is_an_error() {
        let read = |bytes: &'static [u8]| ByteReader::new("test", Bytes::from_static(bytes)).varint();
        let error = |detail| Err(FormatError { what: "test", detail });
        assert_eq!(read(&[0x80]), error("ends early"));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), Ok(u64::MAX));
        let too_long = "a variable-length number of more than 64 bits";
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]), error(too_long));
        assert_eq!(read(&[0x80; 11]), error(too_long));
    }

    #[test]
    fn bytes_left_over_are_an_error() {
        let mut reader = ByteReader::new("test", Bytes::from_static(&[1, 2]));
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.finish(), Err(FormatError { what: "test", detail: "more bytes than expected" }));
    }
}
