//! The directory of serving files: bounded by bytes, least recently used first, never what a query reads.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use henge_indexing::CodeSetCache;

use crate::error::StoreError;
use crate::segment::{SegmentId, ServingError, ServingSegment};

const EXTENSION: &str = "serving";
const TEMPORARY_EXTENSION: &str = "tmp";
/// Files that are mapped at once. Linux maps at most 65,530 regions for a process unless told otherwise.
const OPEN_MAX: usize = 16_384;

/// Memory for what LIKE, regular expressions and long IN lists found in dictionaries.
const CODE_SETS_BYTES_MAX: usize = 64 << 20;

/// Serving files by segment.
#[derive(Debug)]
pub struct ServingCache {
    directory: PathBuf,
    bytes_max: u64,
    code_sets: Arc<CodeSetCache>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<SegmentId, Entry>,
    bytes: u64,
    open: usize,
    /// Counts uses; the greater, the later.
    now: u64,
}

#[derive(Debug)]
struct Entry {
    bytes: u64,
    used: u64,
    open: Option<Arc<ServingSegment>>,
}

/// What the cache holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStats {
    pub files: usize,
    pub bytes: u64,
    pub bytes_max: u64,
}

impl ServingCache {
    /// Takes over a directory: what belongs to `live` segments is kept, everything else is deleted.
    pub fn open(directory: PathBuf, bytes_max: u64, live: impl Iterator<Item = SegmentId>) -> Result<Self, StoreError> {
        let failed = |source| StoreError::File { action: "open", path: directory.display().to_string(), source };
        fs::create_dir_all(&directory).map_err(failed)?;
        let mut found: HashMap<PathBuf, u64> = HashMap::new();
        collect_files(&directory, &mut found).map_err(failed)?;
        let mut state = State::default();
        for id in live {
            if let Some(bytes) = found.remove(&path_below(&directory, &id)) {
                state.bytes += bytes;
                state.entries.insert(id, Entry { bytes, used: 0, open: None });
            }
        }
        for path in found.keys() {
            remove(path);
        }
        let code_sets = Arc::new(CodeSetCache::new(CODE_SETS_BYTES_MAX));
        let cache = Self { directory, bytes_max, code_sets, state: Mutex::new(state) };
        cache.make_room(&mut cache.state(), None);
        Ok(cache)
    }

    /// Memory for what predicates found in dictionaries.
    pub fn code_set_bytes(&self) -> usize {
        self.code_sets.bytes()
    }

    pub fn stats(&self) -> CacheStats {
        let state = self.state();
        CacheStats { files: state.entries.len(), bytes: state.bytes, bytes_max: self.bytes_max }
    }

    /// What costly tests of strings found, in whatever segment.
    pub fn code_sets(&self) -> &Arc<CodeSetCache> {
        &self.code_sets
    }

    /// Whether there is a file for the segment.
    pub fn contains(&self, id: &SegmentId) -> bool {
        self.state().entries.contains_key(id)
    }

    /// Whether this many more bytes fit without evicting anything.
    pub fn has_room_for(&self, bytes: u64) -> bool {
        self.state().bytes + bytes <= self.bytes_max
    }

    /// The mapped file; `None` where there is none.
    pub fn get(&self, id: &SegmentId) -> Result<Option<Arc<ServingSegment>>, ServingError> {
        let mut state = self.state();
        state.now += 1;
        let now = state.now;
        let Some(entry) = state.entries.get_mut(id) else { return Ok(None) };
        entry.used = now;
        if let Some(open) = &entry.open {
            return Ok(Some(open.clone()));
        }
        let opened = Arc::new(ServingSegment::open(&self.path(id), &self.code_sets)?);
        entry.open = Some(opened.clone());
        state.open += 1;
        if state.open > OPEN_MAX {
            state.close_oldest();
        }
        Ok(Some(opened))
    }

    /// Stores a segment's file and evicts others to make room for it.
    pub fn insert(&self, id: &SegmentId, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(id);
        let temporary = path.with_extension(TEMPORARY_EXTENSION);
        fs::create_dir_all(path.parent().expect("the path of a segment has folders"))?;
        // Not synced: checksums tell a torn file, and it can be made again.
        let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            remove(&temporary);
        }
        written?;
        let mut state = self.state();
        state.forget(id);
        state.now += 1;
        let entry = Entry { bytes: bytes.len() as u64, used: state.now, open: None };
        state.bytes += entry.bytes;
        state.entries.insert(id.clone(), entry);
        self.make_room(&mut state, Some(id));
        Ok(())
    }

    /// A file's bytes in memory as if they were mapped, for when there is no room on disk.
    pub fn open_in_memory(&self, bytes: Vec<u8>) -> Result<ServingSegment, ServingError> {
        ServingSegment::from_bytes(bytes.into(), &self.code_sets)
    }

    /// Deletes a segment's file; who has it mapped reads on.
    pub fn discard(&self, id: &SegmentId) {
        self.state().forget(id);
        remove(&self.path(id));
    }

    /// Unmaps a file without deleting it.
    #[cfg(test)]
    pub fn close(&self, id: &SegmentId) {
        let mut state = self.state();
        let entry = state.entries.get_mut(id).expect("it is there");
        let was_open = entry.open.take().is_some();
        state.open -= usize::from(was_open);
    }

    /// Where a segment's file lies, or would lie.
    pub fn path(&self, id: &SegmentId) -> PathBuf {
        path_below(&self.directory, id)
    }

    fn make_room(&self, state: &mut State, keep: Option<&SegmentId>) {
        if state.bytes <= self.bytes_max {
            return;
        }
        let mut idle: Vec<(u64, SegmentId)> = state
            .entries
            .iter()
            .filter(|(id, entry)| Some(*id) != keep && entry.is_idle())
            .map(|(id, entry)| (entry.used, id.clone()))
            .collect();
        idle.sort_unstable();
        for (_, id) in idle {
            if state.bytes <= self.bytes_max {
                break;
            }
            state.forget(&id);
            remove(&self.path(&id));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds the cache")
    }
}

impl State {
    fn forget(&mut self, id: &SegmentId) {
        if let Some(entry) = self.entries.remove(id) {
            self.bytes -= entry.bytes;
            self.open -= usize::from(entry.open.is_some());
        }
    }

    /// Unmaps the half of the idle files that was not used for the longest time.
    fn close_oldest(&mut self) {
        let is_closable = |entry: &&mut Entry| entry.open.is_some() && entry.is_idle();
        let mut uses: Vec<u64> = self.entries.values_mut().filter(is_closable).map(|entry| entry.used).collect();
        uses.sort_unstable();
        let Some(&median) = uses.get(uses.len() / 2) else { return };
        for entry in self.entries.values_mut().filter(is_closable).filter(|entry| entry.used <= median) {
            entry.open = None;
            self.open -= 1;
        }
    }
}

impl Entry {
    fn is_idle(&self) -> bool {
        self.open.as_ref().is_none_or(|open| Arc::strong_count(open) == 1)
    }
}

/// Where a segment's file lies in the cache of a directory.
pub(crate) fn path_below(directory: &Path, id: &SegmentId) -> PathBuf {
    directory.join(id.path()).with_extension(EXTENSION)
}

fn collect_files(directory: &Path, found: &mut HashMap<PathBuf, u64>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        match entry.metadata()? {
            metadata if metadata.is_dir() => collect_files(&entry.path(), found)?,
            metadata => {
                found.insert(entry.path(), metadata.len());
            }
        }
    }
    Ok(())
}

/// The cache can only be smaller for it; a file that stays is found again at the next start.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a serving file cannot be deleted");
    }
}
