//! CPU time as Linux counts it, in nanoseconds, threads that have ended included.

use std::time::Duration;

use nix::time::ClockId;
use nix::unistd::Pid;

/// User and system time of a process since its start.
pub fn seconds(process: u32) -> anyhow::Result<f64> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(process)?))?;
    Ok(Duration::from(clock.now()?).as_secs_f64())
}

/// CPU time of this process, all its threads together, while it does something.
pub fn seconds_of<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, f64)> {
    let before = seconds(std::process::id())?;
    let done = work()?;
    Ok((done, seconds(std::process::id())? - before))
}
