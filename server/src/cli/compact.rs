//! `henge compact`: merges segments as far as possible, while no server uses the directory.

mod text;

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use henge_segment_store::clock;
use henge_segment_store::compaction::{self, CompactionError, CompactionTask, Pace, Urgency};
use henge_segment_store::error::with_sources;
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::segment::{SegmentId, SegmentMeta};
use henge_segment_store::store::Store;
use tokio::runtime::Handle;

use self::text::Merge;
use super::directory::DirectoryArgs;
use super::progress::ByteBar;
use super::{fatal, print_line};
use crate::{colour, exit_code};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge compact
  henge compact --data-dir /var/lib/henge --datasource usage

Does at once, on a whole core, what a running server does bit by bit: merges each time chunk into the fewest segments,
rolls rows up as far as they go, and coarsens times that are old enough for it. It becomes the directory's only writer, so
no server may use it meanwhile. Files that were replaced stay until the sweep of a server removes them. Ctrl-C ends it
between merges; what was merged stays merged.

Exit codes: 0 done, 1 failed, 130 interrupted.")]
pub struct CompactArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
    /// Only this datasource.
    #[arg(long, value_name = "NAME")]
    datasource: Option<String>,
}

/// Why there are no more merges.
enum Stop {
    Interrupted,
    Failed(String),
}

pub async fn run(args: CompactArgs) -> ExitCode {
    let is_cancelled = Arc::new(AtomicBool::new(false));
    let on_interrupt = is_cancelled.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            on_interrupt.store(true, Ordering::Relaxed);
        }
    });
    let mut merges = Vec::new();
    let outcome = compact(&args, &is_cancelled, &mut merges).await;
    if outcome.is_ok() || !merges.is_empty() {
        let table = text::render(&merges, colour::is_wanted(&std::io::stdout()));
        if let Err(message) = print_line(table) {
            return fatal(&message, exit_code::FAILURE);
        }
    }
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Interrupted) => fatal("interrupted; what was merged stays merged", exit_code::INTERRUPTED),
        Err(Stop::Failed(message)) => fatal(&message, exit_code::FAILURE),
    }
}

/// One merge after another, each planned anew.
async fn compact(args: &CompactArgs, is_cancelled: &Arc<AtomicBool>, merges: &mut Vec<Merge>) -> Result<(), Stop> {
    let failed = |error: &(dyn std::error::Error + 'static)| Stop::Failed(with_sources(error));
    let options = args.directory.options().map_err(Stop::Failed)?;
    let store = Store::open(options).await.map_err(|error| failed(&error))?;
    let is_wanted = |name: &DataSourceName| args.datasource.as_deref().is_none_or(|only| only == name.as_str());
    if !store.data_sources().iter().any(is_wanted) && args.datasource.is_some() {
        let name = args.datasource.as_deref().unwrap_or_default();
        return Err(Stop::Failed(format!("there is no datasource `{name}`")));
    }
    let bar = ByteBar::new("merging");
    let mut done_bytes = 0;
    loop {
        let mut planned = store.plan_compaction(Urgency::Now, clock::now()).await;
        planned.retain(|(name, _)| is_wanted(name));
        let sizes = sizes(&store);
        let left =
            planned.iter().flat_map(|(_, task)| &task.inputs).filter_map(|id| sizes.get(id)).map(|meta| meta.bytes);
        bar.show(done_bytes, done_bytes + left.sum::<u64>());
        let Some((name, task)) = planned.into_iter().next() else { return Ok(()) };
        let inputs: Vec<SegmentMeta> = task.inputs.iter().filter_map(|id| sizes.get(id)).cloned().collect();
        done_bytes += inputs.iter().map(|meta| meta.bytes).sum::<u64>();
        let added = merge(&store, &name, task, is_cancelled).await?;
        merges.push(Merge { inputs, added });
    }
}

fn sizes(store: &Store) -> HashMap<SegmentId, SegmentMeta> {
    let names = store.data_sources();
    let data_sources = names.iter().filter_map(|name| store.data_source(name.as_str()));
    data_sources.flat_map(|data_source| data_source.published()).map(|meta| (meta.id.clone(), meta)).collect()
}

async fn merge(
    store: &Arc<Store>,
    name: &DataSourceName,
    task: CompactionTask,
    is_cancelled: &Arc<AtomicBool>,
) -> Result<Vec<SegmentMeta>, Stop> {
    let data_source = store.data_source(name.as_str()).expect("it was planned for");
    let (store, runtime, mut pace) = (store.clone(), Handle::current(), Pace::new(1.0, is_cancelled.clone()));
    let chunk = task.chunk;
    let run = move || compaction::run(&store, &runtime, &data_source, &task, &mut || pace.step());
    match tokio::task::spawn_blocking(run).await.expect("a merge does not panic") {
        Ok(compacted) => Ok(compacted.added),
        Err(CompactionError::Cancelled(_)) => Err(Stop::Interrupted),
        Err(error) => Err(Stop::Failed(format!("datasource `{name}`, {chunk}: {}", with_sources(&error)))),
    }
}
