use bytes::Bytes; use crate::*;
#[derive(Debug)] pub struct DimensionIndex; pub struct BuiltIndex { pub bytes: Vec<u8>, pub form: IndexForm, pub reason: String }
#[derive(Debug, Clone, Copy)] pub enum IndexForm { None } impl std::fmt::Display for IndexForm { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("none") } }
impl DimensionIndex { pub fn build(_: &[u32], _: u32) -> BuiltIndex { BuiltIndex { bytes: vec![], form: IndexForm::None, reason: "stand-in".into() } } pub fn decode(_: Bytes, _: u32, _: u32) -> Result<Self, FormatError> { Ok(Self) } }
