use crate::*;
use bytes::Bytes;
#[derive(Debug)]
pub struct Dictionary(Vec<Vec<u8>>);
impl Dictionary {
    pub fn encode<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut out = ByteWriter::default();
        for v in values {
            out.varint(v.len() as u64);
            out.slice(v);
        }
        out.finish()
    }
    pub fn decode(bytes: Bytes) -> Result<Self, FormatError> {
        let mut r = ByteReader::new("d", bytes);
        let mut v = vec![];
        while r.remaining() > 0 {
            let n = r.varint_usize()?;
            v.push(r.slice(n)?.to_vec());
        }
        Ok(Self(v))
    }
    pub fn verify(&self) -> Result<(), FormatError> {
        Ok(())
    }
    pub fn distinct(&self) -> u32 {
        self.0.len() as u32
    }
    pub fn value(&self, c: u32) -> Vec<u8> {
        self.0[c as usize - 1].clone()
    }
}
#[derive(Debug)]
pub struct DimensionIndex;
pub struct BuiltIndex {
    pub bytes: Vec<u8>,
    pub form: IndexForm,
    pub reason: String,
}
#[derive(Debug, Clone, Copy)]
pub enum IndexForm {
    None,
}
impl std::fmt::Display for IndexForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("none")
    }
}
impl DimensionIndex {
    pub fn build(_: &[u32], _: u32) -> BuiltIndex {
        BuiltIndex { bytes: vec![], form: IndexForm::None, reason: String::new() }
    }
    pub fn decode(_: Bytes, _: u32, _: u32) -> Result<Self, FormatError> {
        Ok(Self)
    }
}
