//! Keeps answers from going backwards: after a crash, what was queryable but not published is read again from Kafka,
//! and until that is done counts are lower than a client has already seen.

use std::time::Duration;

use henge_ingest::supervisors::Recovering;
use henge_query::reader::Reader;
use tokio::time::{Instant, sleep};

use crate::app::Services;
use crate::error::ApiError;

/// How long a query waits for it; most recoveries take less.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits until no datasource that a text, such as that of a query, may name is recovering, or answers 503.
///
/// A statement cannot ask a table without writing its name, so looking for the name waits too often at worst. One that its
/// reader does not know of is not waited for.
pub async fn wait_for(services: &Services, reader: &Reader, text: &str) -> Result<(), ApiError> {
    let deadline = Instant::now() + PATIENCE;
    let is_known = |name: &str| {
        let data_source = services.store.data_source(name);
        data_source.is_some_and(|data_source| reader.sees(&data_source.schema()))
    };
    loop {
        let recovering = services.supervisors.recovering();
        let is_asked = |name: &str| text.contains(name) && is_known(name);
        let Some(first) = recovering.into_iter().find(|recovering| is_asked(recovering.data_source.as_str())) else {
            return Ok(());
        };
        if Instant::now() >= deadline {
            let told = match reader {
                Reader::Everything => first,
                // How many records others have sent is not for a tenant.
                Reader::Tenant(_) => Recovering { lag_records: None, ..first },
            };
            return Err(ApiError::unavailable(format!("{}: try again in a moment", explain(&told))));
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
