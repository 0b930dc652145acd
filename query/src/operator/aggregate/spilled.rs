//! The groups of a thread that did not fit into its memory, on disk part by part.

use std::sync::Arc;

use super::merged::MergedGroups;
use crate::error::QueryError;
use crate::operator::OperatorContext;
use crate::spill::{SpillFile, SpillSpace};

/// Where the groups stand.
#[derive(Debug)]
pub(super) struct SpilledGroups {
    file: SpillFile,
    /// For each part.
    extents: Vec<Vec<Extent>>,
}

/// What was written of one part at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    start: u64,
    bytes: usize,
    pub groups: usize,
}

impl SpilledGroups {
    pub fn new(space: &Arc<SpillSpace>) -> Result<Self, QueryError> {
        Ok(Self { file: space.file()?, extents: Vec::new() })
    }

    /// Writes all groups of all parts, which are as many in each call.
    pub fn add(&mut self, parts: &[MergedGroups], context: &OperatorContext) -> Result<(), QueryError> {
        self.extents.resize_with(parts.len(), Vec::new);
        let mut bytes = Vec::new();
        for (extents, part) in self.extents.iter_mut().zip(parts).filter(|(_, part)| part.len() > 0) {
            context.check()?;
            bytes.clear();
            part.store(&mut bytes);
            extents.push(Extent { start: self.file.append(&bytes)?, bytes: bytes.len(), groups: part.len() });
        }
        Ok(())
    }

    /// What was written of one part.
    pub fn extents(&self, part: usize) -> &[Extent] {
        &self.extents[part]
    }

    /// The bytes of an extent, as [`MergedGroups::add_stored`] takes them.
    pub fn read(&self, extent: &Extent) -> Result<Vec<u8>, QueryError> {
        let mut bytes = vec![0; extent.bytes];
        self.file.read_exact_at(&mut bytes, extent.start)?;
        Ok(bytes)
    }

    /// Written so far.
    pub fn bytes(&self) -> u64 {
        self.file.bytes()
    }
}
