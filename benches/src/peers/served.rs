//! Henge alone with the standard workload, for benches that need no peer.

use std::path::PathBuf;

use anyhow::Context;
use tempfile::TempDir;

use super::arriving::Arriving;
use super::dialect::Dialect;
use super::henge::{self, Henge};
use super::workload::{self, Workload};
use super::{query, store};
use crate::cmu::parameters::Parameters;
use crate::server::Server;

/// What may be changed at the command line.
#[derive(clap::Args)]
#[group(skip)]
pub struct Options {
    /// Events of the day; 10,000,000 where a bench does not say otherwise.
    #[arg(long)]
    rows: Option<u64>,
    /// Clusters that they come from; one for fifty events where a bench does not say otherwise.
    #[arg(long)]
    clusters: Option<u64>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where events and segments are kept for the next run; without it they are made anew and removed.
    #[arg(long)]
    data: Option<PathBuf>,
    #[command(flatten)]
    store: store::Options,
}

impl Options {
    /// Where the command line says how many.
    pub fn rows(&self) -> Option<u64> {
        self.rows
    }
}

/// A server of the standard workload's events, in segments.
pub struct Served {
    henge: Henge,
    pub parameters: Parameters,
    queries: Vec<query::Query>,
    workload: Workload,
    store: store::Options,
    folder: PathBuf,
    _temporary: TempDir,
}

impl Served {
    /// Makes the events unless they are there, so many unless the command line says how many.
    pub fn start(options: &Options, rows: u64) -> anyhow::Result<Self> {
        let temporary = tempfile::tempdir()?;
        let folder = options.data.as_deref().unwrap_or(temporary.path()).to_owned();
        std::fs::create_dir_all(&folder)?;
        let folder = folder.canonicalize()?;
        let rows = options.rows.unwrap_or(rows);
        let workload = Workload::standard(rows, options.clusters.unwrap_or(rows / 50), options.seed, &folder)?;
        let mut store = options.store.clone();
        if store.sort.is_empty() {
            store.sort = workload.default_sort();
        }
        let henge = Henge::of_segments(&workload, &folder, &store)?;
        let (_, parameters) = workload.fleet.as_ref().context("the standard workload has parameters")?;
        let (parameters, queries) = (parameters.clone(), workload::cmu_queries()?);
        Ok(Self { henge, parameters, queries, workload, store, folder, _temporary: temporary })
    }

    /// A server of a copy of the segments, into which so many events a second go too.
    pub fn arriving(&self, per_second: u64) -> anyhow::Result<Arriving> {
        Arriving::start(&self.workload, &self.folder, &self.store, per_second)
    }

    pub fn server(&self) -> &Server {
        self.henge.server()
    }

    pub fn server_mut(&mut self) -> &mut Server {
        self.henge.server_mut()
    }

    /// The workload's queries with their ids, as Henge is asked.
    pub fn statements(&self) -> Vec<(String, String)> {
        let sql = |query: &query::Query| {
            let places = workload::cmu_places(query, &self.parameters);
            (query.id.clone(), query.sql(Dialect::Henge, henge::TABLE, &places))
        };
        self.queries.iter().map(sql).collect()
    }

    /// One of them.
    pub fn statement(&self, id: &str) -> anyhow::Result<String> {
        let found = self.statements().into_iter().find(|(known, _)| known == id);
        Ok(found.with_context(|| format!("there is no query {id}"))?.1)
    }
}
