//! From rows to a frame in the form that was asked for.

use arrow::datatypes::DataType;
use henge_segment_store::time::TimestampMs;

use super::answer::{Meta, Notice, PanelAnswer, Shape};
use super::bucket::Bucket;
use super::frame::{FillError, Frame};
use super::logs;
use super::prepared::{Prepared, Rows, unwritable};
use super::request::{Format, Surroundings};
use super::window::Window;
use crate::error::ApiError;

/// The rows in the form that was asked for.
pub fn shaped(prepared: Prepared, rows: Rows, around: &Surroundings, window: &Window) -> Result<PanelAnswer, ApiError> {
    let Prepared { fragment, format, bucket, notices, is_numeric, limit, unit, source: _ } = prepared;
    let mut frame = Frame::of(&rows.columns, &rows.batches).map_err(unwritable)?;
    let mut meta = Meta { sql: fragment.text, notices, interval_ms: window.interval_ms, unit, ..Meta::default() };
    if let Some(limit) = limit {
        meta.is_truncated = frame.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    meta.note_completeness(&rows.made_of);
    let time = frame.time_column();
    if format != Format::Table
        && let Some(time) = time
    {
        frame.read_times(time).map_err(unwritable)?;
    }
    let is_time = |at: usize| matches!(frame.batch.schema_ref().field(at).data_type(), DataType::Timestamp(..));
    let time = time.filter(|at| is_time(*at));
    match (format, time) {
        (Format::TimeSeries, Some(time)) => {
            frame.sort_by_time(time).map_err(unwritable)?;
            if let Some(bucket) = &bucket {
                complete_and_fill(&mut frame, time, bucket, &mut meta, around, window)?;
            }
        }
        (Format::TimeSeries, None) => {
            return Err(ApiError::invalid(
                "a time series needs a column of type TIMESTAMP, best named \"time\": select $__timeInterval(__time) AS \
                 \"time\", or ask for the format `table`",
            ));
        }
        (Format::Logs, Some(_)) => frame = logs::lines(&frame).map_err(unwritable)?,
        (Format::Logs, None) => {
            return Err(ApiError::invalid("a log needs a column of type TIMESTAMP, best named \"time\""));
        }
        (Format::Table, _) => {}
    }
    describe(&mut meta, &frame, format);
    if is_numeric {
        meta.shape = Shape::NumericLong;
    }
    Ok(PanelAnswer { meta, frame })
}

/// Leaves out buckets that events are still to come for, and fills the others.
pub fn complete_and_fill(
    frame: &mut Frame,
    time: usize,
    bucket: &Bucket,
    meta: &mut Meta,
    around: &Surroundings,
    window: &Window,
) -> Result<(), ApiError> {
    let complete = meta.complete_until.filter(|_| !around.include_partial_bucket);
    let is_complete = |start: TimestampMs| complete.is_none_or(|until| bucket.granularity.next(start) <= until);
    frame.keep_times(time, is_complete).map_err(unwritable)?;
    let (start, end) = (window.range.start(), window.range.end());
    let end = complete.map_or(end, |until| end.min(bucket.granularity.floor(until)));
    match frame.fill(time, bucket, start, end) {
        Ok(()) => Ok(()),
        Err(FillError::TooLong) => Err(ApiError::invalid(FillError::TooLong.to_string())),
        Err(FillError::Arrow(error)) => Err(unwritable(error)),
        Err(error @ (FillError::Ambiguous | FillError::NoBucket)) => {
            meta.notices.push(Notice::warning(error.to_string()));
            Ok(())
        }
    }
}

fn describe(meta: &mut Meta, frame: &Frame, format: Format) {
    meta.shape = match format {
        Format::TimeSeries => Shape::TimeSeriesLong,
        Format::Table => Shape::Table,
        Format::Logs => Shape::Logs,
    };
    let fields = frame.batch.schema_ref().fields();
    let is_time = |at: &usize| matches!(fields[*at].data_type(), DataType::Timestamp(..));
    let time_name = frame.time_column().filter(is_time).map(|at| fields[at].name().clone());
    let others = |names: Vec<String>| names.into_iter().filter(|name| Some(name) != time_name.as_ref()).collect();
    meta.label_columns = others(frame.names_of(|kind| matches!(kind, DataType::Utf8 | DataType::Boolean)));
    meta.value_columns = others(frame.names_of(|kind| matches!(kind, DataType::Int64 | DataType::Float64)));
    meta.time_column = time_name;
    meta.rows = frame.rows();
}
