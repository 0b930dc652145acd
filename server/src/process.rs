//! What the process uses, as Linux tells it.

/// The kernel's unit of CPU time in `/proc`, which is 1/100 s on every architecture (`USER_HZ`).
const TICKS_PER_S: f64 = 100.0;
/// `/proc/self/statm` counts pages; 4 KiB ones on every machine that we run on.
const PAGE_BYTES: u64 = 4_096;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// User and system.
    pub cpu_seconds: f64,
    pub resident_bytes: u64,
    /// Resident, and of no file: what the process has asked for, and what its allocator has not given back.
    pub anonymous_bytes: u64,
    pub open_files: u64,
}

/// All zero where there is no `/proc`.
pub fn usage() -> Usage {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    Usage {
        cpu_seconds: cpu_ticks(&read("stat")).unwrap_or_default() as f64 / TICKS_PER_S,
        resident_bytes: resident_pages(&read("statm")).unwrap_or_default() * PAGE_BYTES,
        anonymous_bytes: anonymous_kib(&read("status")).unwrap_or_default() << 10,
        open_files: std::fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64),
    }
}

/// Fields 14 and 15 of proc(5); the second field may hold spaces, so counting starts behind its parenthesis.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn resident_pages(statm: &str) -> Option<u64> {
    statm.split_whitespace().nth(1)?.parse().ok()
}

fn anonymous_kib(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_a_name_with_spaces() {
        let stat = "12 (a ) b) S 1 12 12 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 1 0 100 1 1 1";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(resident_pages("100 25 5 1 0 7 0"), Some(25));
        assert_eq!(anonymous_kib("VmRSS:\t   9 kB\nRssAnon:\t     7 kB\nRssFile:\t 2 kB\n"), Some(7));
    }

    #[test]
    fn a_running_process_holds_memory_and_files() {
        let usage = usage();
        assert!(
            usage.resident_bytes > usage.anonymous_bytes && usage.anonymous_bytes > 0 && usage.open_files > 2,
            "{usage:?}"
        );
    }
}
