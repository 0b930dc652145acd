//! The systems of a run, each with all events.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::answer::Answer;
use super::child::Peers;
use super::dialect::Dialect;
use super::henge::{self, Henge};
use super::{Asked, Options};
use crate::cmu::fleet::Fleet;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum System {
    /// Henge's segments, over HTTP.
    Henge,
    /// Henge's open rows, over HTTP.
    HengeOpen,
    /// DuckDB, its own table.
    #[value(name = "duckdb")]
    DuckDb,
    /// Embedded ClickHouse, rows by cluster, metric and time.
    #[value(name = "clickhouse")]
    ClickHouse,
    /// Embedded ClickHouse, rows by time.
    #[value(name = "clickhouse-time")]
    ClickHouseByTime,
    /// DataFusion on the Parquet files.
    #[value(name = "datafusion")]
    DataFusion,
}

impl System {
    /// At the command line, in the table and to the child.
    pub fn name(self) -> &'static str {
        match self {
            Self::Henge => "henge",
            Self::HengeOpen => "henge-open",
            Self::DuckDb => "duckdb",
            Self::ClickHouse => "clickhouse",
            Self::ClickHouseByTime => "clickhouse-time",
            Self::DataFusion => "datafusion",
        }
    }

    pub fn is_peer(self) -> bool {
        !matches!(self, Self::Henge | Self::HengeOpen)
    }

    pub fn dialect(self) -> Dialect {
        match self {
            Self::Henge | Self::HengeOpen => Dialect::Henge,
            Self::DuckDb => Dialect::DuckDb,
            Self::ClickHouse | Self::ClickHouseByTime => Dialect::ClickHouse,
            Self::DataFusion => Dialect::DataFusion,
        }
    }

    pub fn table(self) -> &'static str {
        match self {
            Self::Henge | Self::HengeOpen => henge::TABLE,
            Self::DuckDb | Self::DataFusion => "ev",
            Self::ClickHouse => "cmu.ev",
            Self::ClickHouseByTime => "cmu.ev_time",
        }
    }
}

pub struct Systems {
    pub chosen: Vec<System>,
    henge: Option<Henge>,
    henge_open: Option<Henge>,
    peers: Peers,
    folder: PathBuf,
}

impl Systems {
    /// Loads the events where they are not loaded yet. DuckDB has them in any case: it is the oracle.
    pub fn start(options: &Options, fleet: &Fleet, folder: &Path) -> anyhow::Result<Self> {
        let threads = std::thread::available_parallelism()?.get();
        let mut peers = Peers::start(folder, threads)?;
        let others = options.systems.iter().copied().filter(|system| system.is_peer() && *system != System::DuckDb);
        for system in [System::DuckDb].into_iter().chain(others) {
            let loaded = peers.load(system.name(), &folder.join("parquet"), options.rows)?;
            let bytes = loaded.bytes as f64 / options.rows as f64;
            let (cpu, wall) = (loaded.cpu_seconds, loaded.seconds);
            println!("{}: {}, {bytes:.1} bytes/row, {cpu:.1} CPU-s, {wall:.0} s", system.name(), loaded.version);
        }
        let has = |system| options.systems.contains(&system);
        let segments = has(System::Henge).then(|| Henge::of_segments(fleet, folder, &options.store));
        let open = has(System::HengeOpen).then(|| Henge::of_open_rows(fleet, folder, &options.store));
        Ok(Self {
            chosen: options.systems.clone(),
            henge: segments.transpose()?,
            henge_open: open.transpose()?,
            peers,
            folder: folder.to_owned(),
        })
    }

    /// One turn.
    pub fn ask(&mut self, system: System, sql: &str, turn_ms: f64) -> anyhow::Result<Asked> {
        match self.henge(system)? {
            Some(henge) => henge.ask(sql, turn_ms),
            None => self.peers.ask(system.name(), sql, turn_ms),
        }
    }

    pub fn answer(&mut self, system: System, sql: &str) -> anyhow::Result<Answer> {
        if let Some(henge) = self.henge(system)? {
            return henge.answer(sql);
        }
        let path = self.folder.join("answer.parquet");
        self.peers.answer(system.name(), sql, &path)?;
        Answer::read(&path)
    }

    /// How long each answer took, statement by statement, of clients that ask one after the other.
    pub fn mix(
        &mut self,
        system: System,
        sql: &[String],
        clients: usize,
        seconds: f64,
    ) -> anyhow::Result<Vec<Vec<f64>>> {
        match self.henge(system)? {
            Some(henge) => henge.mix(sql, clients, seconds),
            None => self.peers.mix(system.name(), sql, clients, seconds),
        }
    }

    /// What Henge's server holds.
    pub fn henge_memory(&self) -> anyhow::Result<Option<String>> {
        self.henge.as_ref().map(Henge::memory).transpose()
    }

    /// `None` for a peer.
    fn henge(&self, system: System) -> anyhow::Result<Option<&Henge>> {
        let henge = match system {
            System::Henge => &self.henge,
            System::HengeOpen => &self.henge_open,
            _ => return Ok(None),
        };
        Ok(Some(henge.as_ref().context("the systems of a run are started")?))
    }
}
