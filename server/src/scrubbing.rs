//! The scrub beside everything else: reads what is stored, slowly, until the process stops.

use std::sync::Arc;

use henge_segment_store::clock;
use henge_segment_store::scrub::{Scrub, ScrubPolicy, ScrubStep};
use henge_segment_store::store::Store;
use tokio_util::sync::CancellationToken;

/// Damage is logged, and queries that need a damaged segment fail with its id.
pub async fn run(store: Arc<Store>, policy: ScrubPolicy, stop: CancellationToken) {
    let mut scrub = Scrub::new(policy);
    let scrubbing = async {
        loop {
            if let ScrubStep::Idle(rest) = scrub.step(&store, clock::now()).await {
                tokio::time::sleep(rest).await;
            }
        }
    };
    tokio::select! {
        () = scrubbing => unreachable!("the scrub goes on until the process stops"),
        () = stop.cancelled() => {}
    }
}
