//! Between instants and what clocks in a zone show.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::TimestampMs;

/// What clocks in `zone` show; `None` outside of the calendar.
pub(super) fn civil(time: TimestampMs, zone: &TimeZone) -> Option<DateTime> {
    let instant = jiff::Timestamp::from_millisecond(time.0).ok()?;
    Some(zone.to_datetime(instant))
}

/// The instant at which clocks in `zone` show `civil`: in a skipped hour the later one, in a repeated hour the first.
pub(super) fn instant(civil: DateTime, zone: &TimeZone) -> Option<TimestampMs> {
    let zoned = zone.to_ambiguous_zoned(civil).compatible().ok()?;
    storable(zoned.timestamp())
}

/// The instant at which clocks show what `change` makes of what they show at `time`. In an hour that is repeated the
/// offset stays that of `time`, if it is one of the two.
pub(super) fn moved(
    time: TimestampMs,
    zone: &TimeZone,
    change: impl Fn(DateTime) -> Option<DateTime>,
) -> Option<TimestampMs> {
    let before = jiff::Timestamp::from_millisecond(time.0).ok()?;
    let offset = zone.to_offset(before);
    let civil = change(offset.to_datetime(before))?;
    let same_offset = offset.to_timestamp(civil).ok()?;
    if zone.to_offset(same_offset) == offset { storable(same_offset) } else { instant(civil, zone) }
}

fn storable(instant: jiff::Timestamp) -> Option<TimestampMs> {
    Some(TimestampMs(instant.as_millisecond())).filter(|time| time.is_storable())
}
