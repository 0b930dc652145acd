use crate::*;
use bytes::Bytes;
use std::ops::Range;
#[derive(Debug)]
pub struct Dictionary {
    values: Vec<Vec<u8>>,
}
impl Dictionary {
    pub fn encode<'a>(sorted: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut out = vec![];
        for v in sorted {
            out.extend((v.len() as u32).to_le_bytes());
            out.extend(v);
        }
        out
    }
    pub fn decode(bytes: Bytes) -> Result<Self, FormatError> {
        let mut values = vec![];
        let mut at = 0;
        while at < bytes.len() {
            let n = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            values.push(bytes[at + 4..at + 4 + n].to_vec());
            at += 4 + n;
        }
        Ok(Self { values })
    }
    pub fn distinct(&self) -> u32 {
        self.values.len() as u32
    }
    pub fn value_into(&self, code: u32, out: &mut Vec<u8>) {
        out.extend(&self.values[code as usize - 1])
    }
    pub fn find(&self, text: &[u8]) -> Result<u32, u32> {
        self.values.binary_search_by(|v| v[..].cmp(text)).map(|x| x as u32 + 1).map_err(|x| x as u32 + 1)
    }
    pub fn scan(&self, codes: Range<u32>, mut f: impl FnMut(u32, &[u8])) {
        for c in codes {
            f(c, &self.values[c as usize - 1])
        }
    }
    pub fn decode_into(&self, codes: Range<u32>, bytes: &mut Vec<u8>, ends: &mut Vec<u32>) {
        for c in codes {
            bytes.extend(&self.values[c as usize - 1]);
            ends.push(bytes.len() as u32);
        }
    }
}
#[derive(Debug)]
pub struct DimensionIndex {
    rows: Vec<Vec<u32>>,
    row_count: u32,
}
pub struct BuiltIndex {
    pub bytes: Vec<u8>,
}
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum IndexForm {
    Runs,
    Roaring,
    RowList,
    None,
}
impl DimensionIndex {
    pub fn build(codes: &[u32], _distinct: u32) -> BuiltIndex {
        BuiltIndex { bytes: codes.iter().flat_map(|c| c.to_le_bytes()).collect() }
    }
    pub fn decode(bytes: Bytes, row_count: u32, distinct: u32) -> Result<Self, FormatError> {
        let mut rows = vec![vec![]; distinct as usize + 1];
        for (r, c) in bytes.chunks(4).enumerate() {
            rows[u32::from_le_bytes(c.try_into().unwrap()) as usize].push(r as u32)
        }
        Ok(Self { rows, row_count })
    }
    pub fn form(&self) -> IndexForm {
        IndexForm::Roaring
    }
    pub fn rows(&self, codes: &CodeSet) -> Option<RowSet> {
        Some(RowSet::from_sorted_rows(
            self.row_count,
            codes.iter().flat_map(|c| self.rows[c as usize].clone()).collect(),
        ))
    }
    pub fn estimated_rows(&self, codes: &CodeSet) -> Option<u64> {
        Some(codes.iter().map(|c| self.rows[c as usize].len() as u64).sum())
    }
}
