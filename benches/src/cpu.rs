//! CPU time as Linux counts it, in nanoseconds, threads that have ended included.

use std::time::Duration;

use anyhow::Context;
use nix::time::ClockId;
use nix::unistd::Pid;

/// User and system time of a process since its start.
pub fn seconds(process: u32) -> anyhow::Result<f64> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(process)?))?;
    Ok(Duration::from(clock.now()?).as_secs_f64())
}

/// User and system time of a process's children that have ended, and of theirs, in hundredths of a second.
pub fn seconds_of_ended_children(process: u32) -> anyhow::Result<f64> {
    // Fields 16 and 17 of proc(5) in units of USER_HZ; the second may hold spaces, so counting starts behind its end.
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).context("a process has a name")?;
    let ticks = fields.split_whitespace().skip(13).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(ticks as f64 / 100.0)
}

/// CPU time of this process, all its threads together, while it does something.
pub fn seconds_of<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, f64)> {
    let before = seconds(std::process::id())?;
    let done = work()?;
    Ok((done, seconds(std::process::id())? - before))
}
