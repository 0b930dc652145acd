//! Sketches of open rows.

use std::sync::Arc;

use crate::event::MeasureValue;
use crate::sketch::{Sketch, SketchKind};

/// One sketch a row, null until an event brings a value. A query shares those that it takes; a shared one is copied when the
/// next event comes.
#[derive(Debug, Clone)]
pub(super) struct SketchColumn {
    kind: SketchKind,
    rows: Vec<Option<Arc<Sketch>>>,
    bytes: usize,
}

/// Of rows that never change again.
#[derive(Debug)]
pub(super) struct SealedSketches {
    pub rows: Vec<Option<Arc<Sketch>>>,
    /// Memory that they take outside of `rows`.
    pub bytes: usize,
}

impl SketchColumn {
    pub fn new(kind: SketchKind) -> Self {
        Self { kind, rows: Vec::new(), bytes: 0 }
    }

    /// Appends a row for one event.
    pub fn push(&mut self, value: MeasureValue) {
        self.rows.push(None);
        self.add(self.rows.len() - 1, value);
    }

    /// Adds an event to a row.
    pub fn add(&mut self, row: usize, value: MeasureValue) {
        let MeasureValue::Sketched(input) = value else { return };
        let slot = &mut self.rows[row];
        let before = slot.as_deref().map_or(0, bytes_of);
        let sketch =
            slot.get_or_insert_with(|| Arc::new(Sketch::new(self.kind).expect("a schema's parameters are possible")));
        let sketch = Arc::make_mut(sketch);
        sketch.add(input);
        self.bytes += bytes_of(sketch);
        self.bytes -= before;
    }

    /// Memory that the sketches take outside of the list of rows.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn seal(self) -> SealedSketches {
        SealedSketches { rows: self.rows, bytes: self.bytes }
    }
}

/// The sketch, the counters of its `Arc`, and what it has allocated.
fn bytes_of(sketch: &Sketch) -> usize {
    2 * size_of::<usize>() + size_of::<Sketch>() + sketch.bytes()
}
