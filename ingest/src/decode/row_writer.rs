//! Puts the values of one record into a row, in whichever order they come.

use std::fmt;

use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::ledger::Reason;
use henge_segment_store::schema::{Aggregation, DimensionType, SketchMeasure};
use henge_segment_store::sketch::ThetaHasher;
use henge_segment_store::time::TimestampMs;

use super::number::{self, NumberError, is_number};
use super::{FieldValue, Refusal, STRING_BYTES_MAX, event_time};
use crate::spec::{FieldSource, SupervisorSpec, TimeFormat};
use crate::transform::InputSource;

/// A place in a row that a value goes to. Number 0 is the time; then come the dimensions and the measures, and what
/// expressions read, which stands in the row behind the dimensions.
#[derive(Debug, Clone)]
struct Slot {
    kind: SlotKind,
    /// For messages.
    column: String,
}

#[derive(Debug, Clone, Copy)]
enum SlotKind {
    Time(TimeFormat),
    Dimension(usize, DimensionType),
    /// A dimension to the row, a field to the reader of messages.
    Input(usize, DimensionType),
    LongMeasure(usize),
    DoubleMeasure(usize),
    SketchMeasure(usize, SketchMeasure),
}

/// The number of a slot.
pub(super) type SlotId = u16;

/// Writes values into a row's slots. A value that cannot be read only counts if no other value of the same slot follows.
#[derive(Debug)]
pub(super) struct RowWriter {
    slots: Vec<Slot>,
    time_missing: Option<TimestampMs>,
    time: Option<TimestampMs>,
    refusals: Vec<(SlotId, Refusal)>,
    /// Slots that the row filter reads.
    filter_reads: Vec<SlotId>,
    hasher: ThetaHasher,
}

impl RowWriter {
    /// The writer, and where each slot's values come from.
    pub(super) fn new(spec: &SupervisorSpec) -> (Self, Vec<FieldSource>) {
        let time = &spec.input.time;
        let mut slots = vec![Slot { kind: SlotKind::Time(time.format), column: "__time".to_owned() }];
        let mut sources = vec![time.source.clone()];
        for (index, (dimension, source)) in spec.schema.dimensions.iter().zip(&spec.input.dimensions).enumerate() {
            slots.push(Slot { kind: SlotKind::Dimension(index, dimension.kind), column: dimension.name.clone() });
            sources.push(source.clone());
        }
        for (index, (measure, source)) in spec.schema.measures.iter().zip(&spec.input.measures).enumerate() {
            let Some(source) = source else { continue };
            let kind = match measure.aggregation {
                Aggregation::Sketch(sketch) => SlotKind::SketchMeasure(index, sketch),
                aggregation if aggregation.is_long() => SlotKind::LongMeasure(index),
                _ => SlotKind::DoubleMeasure(index),
            };
            slots.push(Slot { kind, column: measure.name.clone() });
            sources.push(source.clone());
        }
        let mut filter_reads = Vec::new();
        for (index, input) in spec.transform.inputs().iter().enumerate() {
            let slot = match &input.source {
                InputSource::Time => 0,
                InputSource::Field(source) => {
                    let kind = SlotKind::Input(spec.schema.dimensions.len() + index, input.kind);
                    slots.push(Slot { kind, column: source.to_string() });
                    sources.push(source.clone());
                    slots.len() - 1
                }
            };
            if spec.transform.filter_reads(index) {
                filter_reads.push(SlotId::try_from(slot).expect("columns and what expressions read are few"));
            }
        }
        (
            Self {
                slots,
                time_missing: time.missing,
                time: None,
                refusals: Vec::new(),
                filter_reads,
                hasher: ThetaHasher::default(),
            },
            sources,
        )
    }

    pub(super) fn start(&mut self, row: &mut EventRow) {
        row.clear();
        self.time = None;
        self.refusals.clear();
    }

    pub(super) fn write(&mut self, id: SlotId, value: FieldValue<'_>, row: &mut EventRow) {
        if self.has_refusal() {
            self.refusals.retain(|(refused, _)| *refused != id);
        }
        let slot = &self.slots[usize::from(id)];
        let written = match slot.kind {
            SlotKind::Time(format) => event_time::read(format, value).map(|time| self.time = time),
            SlotKind::Dimension(index, kind) | SlotKind::Input(index, kind) => dimension_value(kind, value)
                .map(|value| row.set_dimension(index, value))
                .map_err(|wrong| slot.refusal(wrong, value)),
            SlotKind::LongMeasure(index) => long(value)
                .map(|number| row.set_measure(index, number.map_or(MeasureValue::Null, MeasureValue::Long)))
                .map_err(|wrong| slot.refusal(wrong, value)),
            SlotKind::DoubleMeasure(index) => double(value)
                .map(|number| row.set_measure(index, number.map_or(MeasureValue::Null, MeasureValue::Double)))
                .map_err(|wrong| slot.refusal(wrong, value)),
            SlotKind::SketchMeasure(index, sketch) => dimension_value(sketch.of, value)
                .map(|value| row.set_measure(index, MeasureValue::sketched(sketch.kind, value, &mut self.hasher)))
                .map_err(|wrong| slot.refusal(wrong, value)),
        };
        if let Err(refusal) = written {
            self.refusals.push((id, refusal));
        }
    }

    /// Writes a whole number as [`write`](Self::write) would write its digits. `false`, and nothing done, for slots that
    /// need the digits.
    #[inline]
    pub(super) fn write_whole(&mut self, id: SlotId, number: i64, row: &mut EventRow) -> bool {
        match self.slots[usize::from(id)].kind {
            _ if self.has_refusal() => return false,
            SlotKind::Dimension(index, DimensionType::Long) | SlotKind::Input(index, DimensionType::Long) => {
                row.set_dimension(index, DimensionValue::Long(number))
            }
            SlotKind::LongMeasure(index) => row.set_measure(index, MeasureValue::Long(number)),
            SlotKind::Time(TimeFormat::Millis) if TimestampMs(number).is_storable() => {
                self.time = Some(TimestampMs(number));
            }
            _ => return false,
        }
        true
    }

    pub(super) fn has_refusal(&self) -> bool {
        !self.refusals.is_empty()
    }

    /// Whether everything that the row filter reads of the record was read, once all of it was written.
    pub(super) fn is_filter_readable(&self) -> bool {
        let is_refused = |slot: SlotId| match slot {
            0 => self.time.or(self.time_missing).is_none(),
            slot => self.refusals.iter().any(|(refused, _)| *refused == slot),
        };
        !self.filter_reads.iter().any(|&slot| is_refused(slot))
    }

    /// Takes back what was written to a slot.
    pub(super) fn erase(&mut self, id: SlotId, row: &mut EventRow) {
        self.write(id, FieldValue::Null, row);
    }

    /// Refuses a value that is no [`FieldValue`], such as a header that is not UTF-8.
    pub(super) fn refuse_bytes(&mut self, id: SlotId, what: &str) {
        let slot = &self.slots[usize::from(id)];
        let detail = format!("{slot}: {what} is not UTF-8");
        self.refusals.push((id, Refusal::new(slot.unreadable(), detail)));
    }

    /// Completes the row, or gives the first slot's refusal.
    pub(super) fn finish(&mut self, row: &mut EventRow) -> Result<(), Refusal> {
        if let Some(time) = self.time.or(self.time_missing) {
            row.time = time;
        }
        let first =
            self.refusals.iter().enumerate().min_by_key(|(_, (slot, _))| *slot).map(|(at, (slot, _))| (at, *slot));
        let time_is_refused = first.is_some_and(|(_, slot)| slot == 0);
        match (self.time.or(self.time_missing), first) {
            (None, _) if !time_is_refused => Err(Refusal::new(Reason::TimeMissing, "event time is null or missing")),
            (_, Some((at, _))) => Err(self.refusals.swap_remove(at).1),
            (_, None) => Ok(()),
        }
    }
}

/// Why a value cannot go into a slot.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    Kind(&'static str),
    OutOfRange,
    TooLong,
}

impl Slot {
    fn refusal(&self, wrong: Wrong, value: FieldValue<'_>) -> Refusal {
        match wrong {
            Wrong::Kind(expected) => {
                Refusal::new(self.unreadable(), format!("{self}: expected {expected}, found {value}"))
            }
            Wrong::OutOfRange => {
                Refusal::new(Reason::NumberOutOfRange, format!("{self}: {value} does not fit into 64 bits"))
            }
            Wrong::TooLong => {
                let detail = format!("{self}: the string is longer than {STRING_BYTES_MAX} bytes");
                Refusal::new(Reason::StringTooLong, detail)
            }
        }
    }

    fn unreadable(&self) -> Reason {
        match self.kind {
            SlotKind::Time(_) => Reason::TimeUnreadable,
            SlotKind::Dimension(..) | SlotKind::Input(..) => Reason::DimensionUnreadable,
            SlotKind::LongMeasure(_) | SlotKind::DoubleMeasure(_) | SlotKind::SketchMeasure(..) => {
                Reason::MeasureUnreadable
            }
        }
    }
}

/// In messages.
impl fmt::Display for Slot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            SlotKind::Time(_) => out.write_str("event time"),
            SlotKind::Dimension(_, kind) => write!(out, "dimension `{}` ({kind})", self.column),
            SlotKind::Input(_, kind) => write!(out, "field `{}` ({kind})", self.column),
            SlotKind::LongMeasure(_) => write!(out, "measure `{}` (long)", self.column),
            SlotKind::DoubleMeasure(_) => write!(out, "measure `{}` (double)", self.column),
            SlotKind::SketchMeasure(_, sketch) => {
                write!(out, "measure `{}` ({})", self.column, Aggregation::Sketch(sketch))
            }
        }
    }
}

fn dimension_value(kind: DimensionType, value: FieldValue<'_>) -> Result<DimensionValue<'_>, Wrong> {
    match kind {
        DimensionType::String => string(value),
        DimensionType::Long => Ok(long(value)?.map_or(DimensionValue::Null, DimensionValue::Long)),
        DimensionType::Double => Ok(double(value)?.map_or(DimensionValue::Null, DimensionValue::Double)),
        DimensionType::Boolean => boolean(value),
    }
}

fn string(value: FieldValue<'_>) -> Result<DimensionValue<'_>, Wrong> {
    match value {
        FieldValue::Null => Ok(DimensionValue::Null),
        FieldValue::Boolean(true) => Ok(DimensionValue::String("true")),
        FieldValue::Boolean(false) => Ok(DimensionValue::String("false")),
        FieldValue::String(text) | FieldValue::Number(text) if text.len() > STRING_BYTES_MAX => Err(Wrong::TooLong),
        FieldValue::String(text) | FieldValue::Number(text) => Ok(DimensionValue::String(text)),
        FieldValue::Array | FieldValue::Object => Err(Wrong::Kind("text, a number or a boolean")),
    }
}

fn boolean(value: FieldValue<'_>) -> Result<DimensionValue<'_>, Wrong> {
    match value {
        FieldValue::Null => Ok(DimensionValue::Null),
        FieldValue::Boolean(flag) => Ok(DimensionValue::Boolean(flag)),
        FieldValue::String("true") => Ok(DimensionValue::Boolean(true)),
        FieldValue::String("false") => Ok(DimensionValue::Boolean(false)),
        _ => Err(Wrong::Kind("true or false")),
    }
}

fn long(value: FieldValue<'_>) -> Result<Option<i64>, Wrong> {
    number(value, number::whole, "a whole number")
}

fn double(value: FieldValue<'_>) -> Result<Option<f64>, Wrong> {
    number(value, number::double, "a number")
}

fn number<N>(
    value: FieldValue<'_>,
    read: fn(&str) -> Result<N, NumberError>,
    expected: &'static str,
) -> Result<Option<N>, Wrong> {
    let text = match value {
        FieldValue::Null => return Ok(None),
        FieldValue::Number(text) => text,
        FieldValue::String(text) if is_number(text) => text,
        _ => return Err(Wrong::Kind(expected)),
    };
    read(text).map(Some).map_err(|error| match error {
        NumberError::OutOfRange => Wrong::OutOfRange,
        NumberError::NotWhole | NumberError::NotANumber => Wrong::Kind(expected),
    })
}
