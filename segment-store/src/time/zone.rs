use jiff::tz::TimeZone;

/// A time zone that the IANA database does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a time zone: use an IANA name such as `America/Los_Angeles`, `UTC`, or an offset such as `-08:00`"
)]
pub struct TimeZoneError(pub String);

/// Finds a zone by its IANA name, `Z`, or an offset such as `+05:30`.
pub fn time_zone(name: &str) -> Result<TimeZone, TimeZoneError> {
    let unknown = || TimeZoneError(name.to_owned());
    if matches!(name, "UTC" | "Z" | "Etc/UTC") {
        return Ok(TimeZone::UTC);
    }
    if let Some(sign) = name.chars().next().filter(|sign| matches!(sign, '+' | '-')) {
        let (hours, minutes) = name[1..].split_once(':').unwrap_or((&name[1..], "0"));
        let hours: i32 = hours.parse().map_err(|_| unknown())?;
        let minutes: i32 = minutes.parse().map_err(|_| unknown())?;
        if !(0..=18).contains(&hours) || !(0..60).contains(&minutes) {
            return Err(unknown());
        }
        let seconds = (hours * 60 + minutes) * 60 * if sign == '-' { -1 } else { 1 };
        return jiff::tz::Offset::from_seconds(seconds).map(TimeZone::fixed).map_err(|_| unknown());
    }
    TimeZone::get(name).map_err(|_| unknown())
}
