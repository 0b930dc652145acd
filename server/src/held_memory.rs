//! Memory that the process holds, by owner, and letting go of what is kept in vain.
//!
//! What is freed goes back to the system by itself: the allocator sees to that on a thread of its own, some seconds later.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::Services;

/// How often it is looked for what is kept in vain.
const EVERY: Duration = Duration::from_secs(5);

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

/// Lets go of what hardly anybody will ask for again, now and then, until the process stops.
pub async fn let_go(services: Services, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => services.engine.let_go(),
            () = stop.cancelled() => return,
        }
    }
}
