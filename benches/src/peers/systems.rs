//! The systems of a run, each with all events.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::answer::Answer;
use super::child::Peers;
use super::dialect::Dialect;
use super::druid::{self, Druid};
use super::henge::{self, Cache, Henge};
use super::workload::Workload;
use super::{Asked, Options};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum System {
    /// Henge's segments, over HTTP.
    Henge,
    /// The same server, which keeps and uses partial results of its segments.
    #[value(name = "henge-cache")]
    HengeCache,
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
    /// A real Druid, over HTTP; its script is named by `--druid`.
    Druid,
}

/// How an answer is wanted, of systems that have several ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    Arrow,
}

impl Form {
    /// Beyond so many rows nobody wants text.
    const JSON_ROWS_MAX: usize = 100_000;

    pub fn of(rows: usize) -> Self {
        if rows > Self::JSON_ROWS_MAX { Self::Arrow } else { Self::Json }
    }
}

/// A query in a system's dialect.
#[derive(Debug)]
pub struct Question {
    pub sql: String,
    pub form: Form,
}

impl System {
    /// At the command line, in the table and to the child.
    pub fn name(self) -> &'static str {
        match self {
            Self::Henge => "henge",
            Self::HengeCache => "henge-cache",
            Self::HengeOpen => "henge-open",
            Self::DuckDb => "duckdb",
            Self::ClickHouse => "clickhouse",
            Self::ClickHouseByTime => "clickhouse-time",
            Self::DataFusion => "datafusion",
            Self::Druid => "druid",
        }
    }

    pub fn is_peer(self) -> bool {
        !matches!(self, Self::Henge | Self::HengeCache | Self::HengeOpen)
    }

    pub fn cache(self) -> Cache {
        if self == Self::HengeCache { Cache::On } else { Cache::Off }
    }

    pub fn dialect(self) -> Dialect {
        match self {
            Self::Henge | Self::HengeCache | Self::HengeOpen => Dialect::Henge,
            Self::DuckDb => Dialect::DuckDb,
            Self::ClickHouse | Self::ClickHouseByTime => Dialect::ClickHouse,
            Self::DataFusion => Dialect::DataFusion,
            Self::Druid => Dialect::Druid,
        }
    }

    pub fn table(self) -> &'static str {
        match self {
            Self::Henge | Self::HengeCache | Self::HengeOpen => henge::TABLE,
            Self::Druid => druid::TABLE,
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
    druid: Option<Druid>,
    pub folder: PathBuf,
}

impl Systems {
    /// Loads the events where they are not loaded yet. DuckDB has them in any case: it is the oracle.
    pub fn start(options: &Options, workload: &Workload, folder: &Path) -> anyhow::Result<Self> {
        let threads = std::thread::available_parallelism()?.get();
        let mut peers = Peers::start(folder, threads, options.workload)?;
        let in_child = |system: &System| system.is_peer() && ![System::DuckDb, System::Druid].contains(system);
        let others = options.systems.iter().copied().filter(in_child);
        for system in [System::DuckDb].into_iter().chain(others) {
            let loaded = peers.load(system.name(), &folder.join("parquet"), workload.rows)?;
            let bytes = loaded.bytes as f64 / workload.rows as f64;
            let (cpu, wall) = (loaded.cpu_seconds, loaded.seconds);
            println!("{}: {}, {bytes:.1} bytes/row, {cpu:.1} CPU-s, {wall:.0} s", system.name(), loaded.version);
        }
        let has = |system| options.systems.contains(&system);
        let segments = (has(System::Henge) || has(System::HengeCache))
            .then(|| Henge::of_segments(workload, folder, &options.store));
        let open = has(System::HengeOpen).then(|| Henge::of_open_rows(workload, folder, &options.store));
        let (henge, henge_open) = (segments.transpose()?, open.transpose()?);
        let mut chosen = options.systems.clone();
        ensure!(options.druid.is_some() || !has(System::Druid), "name Druid's script: --druid SCRIPT");
        if options.druid.is_some() && !has(System::Druid) {
            chosen.push(System::Druid);
        }
        Ok(Self {
            chosen,
            henge,
            henge_open,
            peers,
            druid: options.druid.as_ref().map(|script| Druid::start(script, workload.fleet()?, folder)).transpose()?,
            folder: folder.to_owned(),
        })
    }

    /// One turn.
    pub fn ask(&mut self, system: System, question: &Question, turn_ms: f64) -> anyhow::Result<Asked> {
        match (self.henge(system)?, system) {
            (Some(henge), _) => henge.ask(question, system.cache(), turn_ms),
            (None, System::Druid) => self.druid()?.ask(&question.sql, turn_ms),
            (None, _) => self.peers.ask(system.name(), &question.sql, turn_ms),
        }
    }

    /// Of what becomes faster while it runs, before its first turn.
    pub fn warm_up(&self, system: System, question: &Question) -> anyhow::Result<()> {
        match system {
            System::Druid => self.druid()?.warm_up(&question.sql),
            _ => Ok(()),
        }
    }

    pub fn answer(&mut self, system: System, question: &Question) -> anyhow::Result<Answer> {
        if let Some(henge) = self.henge(system)? {
            if system == System::HengeCache {
                // What the next answer, which is compared, is put together from.
                henge.answer(question, Cache::On)?;
            }
            return henge.answer(question, system.cache());
        }
        if system == System::Druid {
            return self.druid()?.answer(&question.sql);
        }
        let path = self.folder.join("answer.parquet");
        self.peers.answer(system.name(), &question.sql, &path)?;
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
        match (self.henge(system)?, system) {
            (Some(henge), _) => henge.mix(sql, system.cache(), clients, seconds),
            (None, System::Druid) => self.druid()?.mix(sql, clients, seconds),
            (None, _) => self.peers.mix(system.name(), sql, clients, seconds),
        }
    }

    /// What Henge's server holds.
    pub fn henge_memory(&self) -> anyhow::Result<Option<String>> {
        self.henge.as_ref().map(Henge::memory).transpose()
    }

    fn druid(&self) -> anyhow::Result<&Druid> {
        self.druid.as_ref().context("the systems of a run are started")
    }

    /// `None` for a peer.
    fn henge(&self, system: System) -> anyhow::Result<Option<&Henge>> {
        let henge = match system {
            System::Henge | System::HengeCache => &self.henge,
            System::HengeOpen => &self.henge_open,
            _ => return Ok(None),
        };
        Ok(Some(henge.as_ref().context("the systems of a run are started")?))
    }
}
