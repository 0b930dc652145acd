//! What is new since the last look: `POST /henge/v1/panel/tail`.

use arrow::array::AsArray;
use arrow::datatypes::TimestampMillisecondType;
use henge_segment_store::time::TimestampMs;
use serde::Deserialize;

use super::answer::{Notice, PanelAnswer};
use super::logs::{LogsQuery, Order};
use super::prepared::{Prepared, unwritable};
use super::request::{PanelQuery, Range, Surroundings};
use super::run::Panel;
use super::window::Window;
use crate::error::ApiError;

const LIMIT_DEFAULT: u64 = 1_000;
/// Of a statement that is asked for the first time.
const FIRST_LOOK_MS: i64 = 60_000;
/// Buckets of a statement that follows events.
const INTERVAL_MS: f64 = 1_000.0;

#[derive(Debug, Clone, Deserialize)]
pub struct TailRequest {
    pub query: PanelQuery,
    /// The time of the newest row that is known; `None` at the first look.
    #[serde(default)]
    pub after: Option<i64>,
    #[serde(default)]
    pub limit: Option<u64>,
    #[serde(flatten)]
    pub around: Surroundings,
}

impl Panel {
    /// Rows with later times, the oldest first. Those that come late, with earlier times, are not among them.
    pub async fn tail(&self, request: &TailRequest, now: TimestampMs) -> Result<PanelAnswer, ApiError> {
        let limit = request.limit.unwrap_or(LIMIT_DEFAULT);
        let (prepared, around) = self.following(request, limit, now)?;
        let window = Window::of(&around)?;
        let mut answer = self.run(prepared, &around, &window).await?;
        let (frame, meta) = (&mut answer.frame, &mut answer.meta);
        let time = frame.time_column().ok_or_else(|| ApiError::invalid("a tail needs a column of type TIMESTAMP"))?;
        frame.sort_by_time(time).map_err(unwritable)?;
        meta.is_truncated |= frame.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        // At the first look it is older rows that are left out.
        meta.is_truncated &= request.after.is_some();
        if meta.is_truncated {
            drop_last_time(frame, time);
        }
        let times = frame.batch.column(time).as_primitive::<TimestampMillisecondType>();
        let newest = times.values().last().map(|time| TimestampMs(*time));
        meta.next = newest.or(request.after.map(TimestampMs));
        meta.rows = frame.rows();
        if meta.is_truncated {
            meta.notices.push(Notice::info("there is more: ask again with `after`"));
        }
        Ok(answer)
    }

    fn following(
        &self,
        request: &TailRequest,
        limit: u64,
        now: TimestampMs,
    ) -> Result<(Prepared, Surroundings), ApiError> {
        let is_log = matches!(request.query, PanelQuery::Logs(_));
        let from = match request.after {
            Some(after) => after.saturating_add(1).max(TimestampMs::MIN.0),
            None if is_log => TimestampMs::MIN.0,
            None => now.0 - FIRST_LOOK_MS,
        };
        let range = Range { from, to: TimestampMs::MAX.0 };
        let interval_ms = request.around.interval_ms.or(Some(INTERVAL_MS));
        let around =
            Surroundings { range: Some(range), interval_ms, include_partial_bucket: true, ..request.around.clone() };
        let window = Window::of(&around)?;
        let order = if request.after.is_some() { Order::OldestFirst } else { Order::NewestFirst };
        let prepared = match &request.query {
            PanelQuery::Logs(query) => {
                let query = LogsQuery { limit: Some(limit), ..query.clone() };
                self.logs(&query, order, &around, &window)?
            }
            PanelQuery::Sql(_) => self.planned(&request.query, &around, &window)?,
            _ => return Err(ApiError::invalid("only the modes `logs` and `sql` can be followed")),
        };
        Ok((prepared, around))
    }
}

/// Rows of the last time may go on behind the limit: the next look begins with them. Where all rows are of one time, there
/// is no other way than to go on behind it.
fn drop_last_time(frame: &mut super::frame::Frame, time: usize) {
    let times = frame.batch.column(time).as_primitive::<TimestampMillisecondType>().values().clone();
    if let (Some(first), Some(last)) = (times.first(), times.last())
        && first < last
    {
        let kept = times.partition_point(|time| time < last);
        frame.truncate(kept);
    }
}
