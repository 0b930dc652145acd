//! Keeps answers from going backwards: after a crash, what was queryable but not published is read again from Kafka,
//! and until that is done counts are lower than a client has already seen.

use std::time::Duration;

use henge_ingest::supervisors::{Recovering, Supervisors};
use tokio::time::{Instant, sleep};

use crate::error::ApiError;

/// How long a query waits for it; most recoveries take less.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits until no datasource that `sql` may name is recovering, or answers 503.
///
/// A statement cannot ask a table without writing its name, so looking for the name waits too often at worst.
pub async fn wait_for(supervisors: &Supervisors, sql: &str) -> Result<(), ApiError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let recovering = supervisors.recovering();
        let Some(first) = recovering.iter().find(|recovering| sql.contains(recovering.data_source.as_str())) else {
            return Ok(());
        };
        if Instant::now() >= deadline {
            return Err(ApiError::unavailable(format!("{}: try again in a moment", explain(first))));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// In words for whoever waits.
pub fn explain(recovering: &Recovering) -> String {
    let left = match recovering.lag_records {
        Some(records) => format!(" ({records} records to go)"),
        None => String::new(),
    };
    format!("datasource `{}` reads again what was not published before the restart{left}", recovering.data_source)
}
