//! Gathers the sketches of merged rows.

use crate::segment::SketchBytes;
use crate::sketch::{Sketch, SketchError, SketchKind};

/// One for each row so far. Bytes that nothing is merged into are passed on as they are.
pub struct MergedSketches {
    kind: SketchKind,
    /// Of all rows but the last.
    finished: SketchBytes,
    finished_bytes: usize,
    last: Option<Last>,
}

/// The last row's sketch.
enum Last {
    Null,
    Bytes(Vec<u8>),
    Merged(Box<Sketch>),
}

impl MergedSketches {
    pub fn new(kind: SketchKind) -> Self {
        Self { kind, finished: SketchBytes::default(), finished_bytes: 0, last: None }
    }

    pub fn kind(&self) -> SketchKind {
        self.kind
    }

    /// Memory that they take.
    pub fn bytes(&self) -> usize {
        self.finished_bytes
    }

    /// Begins another row.
    pub fn push(&mut self, sketch: Option<&[u8]>) {
        self.finish_last();
        self.last = Some(sketch.map_or(Last::Null, |bytes| Last::Bytes(bytes.to_vec())));
    }

    /// Null with a sketch is the sketch.
    ///
    /// # Errors
    /// A sketch is damaged, or of another family.
    pub fn merge_into_last(&mut self, sketch: Option<&[u8]>) -> Result<(), SketchError> {
        let Some(bytes) = sketch else { return Ok(()) };
        let mut last = match self.last.take() {
            None | Some(Last::Null) => {
                self.last = Some(Last::Bytes(bytes.to_vec()));
                return Ok(());
            }
            Some(Last::Bytes(known)) => Box::new(Sketch::read_as(self.kind, &known)?),
            Some(Last::Merged(known)) => known,
        };
        last.merge(&Sketch::read_as(self.kind, bytes)?)?;
        self.last = Some(Last::Merged(last));
        Ok(())
    }

    /// All of them, so that the next piece can begin.
    pub fn take(&mut self) -> SketchBytes {
        self.finish_last();
        self.finished_bytes = 0;
        std::mem::take(&mut self.finished)
    }

    fn finish_last(&mut self) {
        let bytes = match self.last.take() {
            None => return,
            Some(Last::Null) => None,
            Some(Last::Bytes(bytes)) => Some(bytes),
            Some(Last::Merged(sketch)) => Some(sketch.to_bytes()),
        };
        self.finished_bytes += bytes.as_ref().map_or(0, Vec::len);
        self.finished.push(bytes.as_deref());
    }
}
