//! Follows what other processes write to the manifest: their segments, and what operators have told them.

use std::time::Duration;

use henge_segment_store::error::{StoreError, with_sources};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::app::Services;

/// Looks again and again until the process stops. A process whose slot another one has taken goes on answering over what
/// is published.
pub async fn run(services: Services, every: Duration, stop: CancellationToken) {
    let following = async {
        let (mut followed, mut is_fenced, mut making) = (0, false, None::<JoinHandle<usize>>);
        loop {
            tokio::time::sleep(every).await;
            match services.store.refresh().await {
                Ok(()) => {}
                Err(fenced @ StoreError::Fenced { .. }) => {
                    if !std::mem::replace(&mut is_fenced, true) {
                        error!(error = %fenced, slot = %services.store.slot(), "another process has this one's slot");
                    }
                }
                Err(error) => warn!(error = %with_sources(&error), "the manifest cannot be read, trying again"),
            }
            let changes = services.store.changes_followed();
            if changes != followed {
                followed = changes;
                if let Err(error) = services.supervisors.follow().await {
                    warn!(error = %with_sources(&error), "a supervisor of another process cannot be followed");
                }
                // The first query over what came would wait for it otherwise.
                if making.as_ref().is_none_or(JoinHandle::is_finished) {
                    let store = services.store.clone();
                    making = Some(tokio::spawn(async move { store.make_missing_serving_forms().await }));
                }
            }
        }
    };
    tokio::select! {
        () = following => unreachable!("it goes on until the process stops"),
        () = stop.cancelled() => {}
    }
}
