//! CPU time as Linux counts it.

use std::fs;

use anyhow::Context;

/// Ticks a second in which Linux counts CPU time for every process.
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system time of a process since its start.
pub fn seconds(process: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything; after it, user and system time are the 12th and 13th field.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| -> anyhow::Result<f64> {
        Ok(fields.get(index).context("/proc/PID/stat has too few fields")?.parse()?)
    };
    Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}

/// CPU time of this process, all its threads together, while it does something.
pub fn seconds_of<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, f64)> {
    let before = seconds(std::process::id())?;
    let done = work()?;
    Ok((done, seconds(std::process::id())? - before))
}
