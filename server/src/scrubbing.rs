//! The scrub beside everything else: reads what is stored, slowly, until the process stops.

use std::sync::Arc;

use henge_segment_store::clock;
use henge_segment_store::scrub::{Scrub, ScrubPolicy, ScrubStep};
use henge_segment_store::store::Store;
use tokio_util::sync::CancellationToken;

use crate::upkeep_metrics::UpkeepMetrics;

/// Damage is logged, and queries that need a damaged segment fail with its id.
pub async fn run(store: Arc<Store>, policy: ScrubPolicy, metrics: Arc<UpkeepMetrics>, stop: CancellationToken) {
    let mut scrub = Scrub::new(policy);
    let scrubbing = async {
        loop {
            let step = scrub.step(&store, clock::now()).await;
            metrics.scrubbed(scrub.counts());
            if let ScrubStep::Idle(rest) = step {
                tokio::time::sleep(rest).await;
            }
        }
    };
    tokio::select! {
        () = scrubbing => unreachable!("the scrub goes on until the process stops"),
        () = stop.cancelled() => {}
    }
}
