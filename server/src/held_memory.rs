//! Memory that the process holds, by owner, and giving back what nobody holds.
//!
//! The C library's allocator keeps what is freed in one of its arenas a thread, for the next large query: hundreds of
//! megabytes after heavy aggregations. That is right while queries run, for pages that the system gives anew cost more
//! than the query's own work on them; it is wrong once nobody asks.

mod trim;

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::app::Services;
use crate::process;

/// How often it is looked whether anybody asks.
const EVERY: Duration = Duration::from_secs(5);
/// Less than this on top of what is accounted for is not worth the pages that the next query takes anew.
const SURPLUS_BYTES: u64 = 32 << 20;

/// Bytes of memory by owner; the names are labels of a metric.
pub fn by_owner(services: &Services) -> [(&'static str, u64); 6] {
    let engine = services.engine.memory();
    let data_sources = services.store.data_sources();
    let open = data_sources.iter().filter_map(|name| services.store.data_source(name.as_str()));
    [
        ("operators", engine.operators as u64),
        ("plan_cache", engine.plans as u64),
        ("text_numbers", engine.text_numbers as u64),
        ("result_cache", engine.results as u64),
        ("code_sets", services.store.code_set_bytes() as u64),
        ("open_segments", open.map(|data_source| data_source.open_stats().bytes as u64).sum()),
    ]
}

/// Gives memory back whenever no query has run for a while, until the process stops.
pub async fn give_back(services: Services, stop: CancellationToken) {
    let mut idle = Idle::default();
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
        services.engine.let_go();
        let held: u64 = by_owner(&services).iter().map(|(_, bytes)| bytes).sum();
        let surplus = || process::usage().anonymous_bytes.saturating_sub(held);
        if !idle.is_worth_trimming(services.engine.running() == 0, surplus()) {
            continue;
        }
        if let Err(error) = tokio::task::spawn_blocking(trim::trim).await {
            warn!(%error, "giving memory back failed");
        }
        idle.trimmed(surplus());
        debug!(surplus_bytes = surplus(), "gave back memory that nobody holds");
    }
}

/// Tells when to trim.
#[derive(Debug, Default)]
struct Idle {
    /// Nobody asked when it was looked last.
    was_idle: bool,
    /// What trimming could not give back.
    left: u64,
}

impl Idle {
    /// Twice without a query, and more on top than trimming left the last time.
    fn is_worth_trimming(&mut self, is_idle: bool, surplus: u64) -> bool {
        let was_idle = std::mem::replace(&mut self.was_idle, is_idle);
        self.left = self.left.min(surplus);
        was_idle && is_idle && surplus > self.left + SURPLUS_BYTES
    }

    fn trimmed(&mut self, surplus: u64) {
        self.left = surplus;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_once_nobody_has_asked_for_a_while_and_there_is_more_again() {
        let mut idle = Idle::default();
        let mib = |count: u64| count << 20;
        let looks = [
            ((false, 500), false),
            ((true, 500), false),
            ((true, 500), true),
            ((true, 60), false),
            ((true, 90), false),
            ((true, 93), true),
            ((false, 900), false),
            ((true, 900), false),
            ((false, 900), false),
        ];
        for (number, ((is_idle, surplus), expected)) in looks.into_iter().enumerate() {
            assert_eq!(idle.is_worth_trimming(is_idle, mib(surplus)), expected, "look {number}");
            if expected {
                idle.trimmed(mib(60));
            }
        }
    }
}
