//! A real Druid with the events. A script starts and stops its processes; it is loaded by a task and asked over HTTP.
//!
//! Its processes are stopped (SIGSTOP) outside of its turns, so that five JVMs do not take time from the others.

mod loading;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::answer::Answer;
use super::{Asked, mix};
use crate::cmu::fleet::Fleet;
use crate::cpu;
use crate::druid_process::{BROKER, DruidProcesses};
use crate::server::Client;

pub const TABLE: &str = "events";
/// Stands in the folder once all rows are segments.
const COMPLETE: &str = "complete";
/// After a start, a load or a rest, until all segments are served.
const SERVED_AFTER_MAX: Duration = Duration::from_secs(180);
const ATTEMPTS: usize = 3;
/// Runs of a query before it is timed: the JVM compiles what it sees often.
const WARM_UP_RUNS: usize = 20;
/// Or so long, for what is slow.
const WARM_UP_MAX: Duration = Duration::from_secs(10);

/// Stopped when dropped.
pub struct Druid {
    processes: DruidProcesses,
    data: PathBuf,
    broker: Client,
    rows: u64,
    /// Whose CPU time a query takes.
    serving: Vec<u32>,
}

impl Druid {
    /// Starts it by `script` with its data in `folder/druid`, and loads the events unless an earlier run did.
    pub fn start(script: &Path, fleet: &Fleet, folder: &Path) -> anyhow::Result<Self> {
        let data = folder.join("druid");
        let processes = DruidProcesses::start(script, data.clone())?;
        let serving = vec![processes.pid("historical")?, processes.pid("broker")?];
        let druid = Self { broker: Client::new(BROKER.into())?, rows: fleet.rows, serving, processes, data };
        druid.load(fleet, folder)?;
        druid.processes.signal("STOP")?;
        Ok(druid)
    }

    fn load(&self, fleet: &Fleet, folder: &Path) -> anyhow::Result<()> {
        let (mark, wanted) = (self.data.join(COMPLETE), format!("{} rows", fleet.rows));
        let began = Instant::now();
        match fs::read_to_string(&mark) {
            Ok(found) => ensure!(found.trim() == wanted, "{} holds {found}: remove it", self.data.display()),
            Err(_) => loading::load(fleet, &folder.join("ndjson"))?,
        }
        self.wait_for_rows()?;
        fs::write(mark, wanted)?;
        let bytes = self.sql("SELECT SUM(\"size\") FROM sys.segments WHERE datasource = 'events' AND is_active = 1")?;
        let bytes = bytes[0][0].as_f64().context("sizes are numbers")? / fleet.rows as f64;
        let status: Value = serde_json::from_str(&self.broker.get("/status")?.context("the broker answers")?)?;
        let version = status["version"].as_str().context("a broker has a version")?;
        println!("druid: Druid {version}, {bytes:.1} bytes/row, {:.0} s", began.elapsed().as_secs_f64());
        Ok(())
    }

    fn found_rows(&self) -> anyhow::Result<u64> {
        self.sql(&format!("SELECT COUNT(*) FROM {TABLE}"))?[0][0].as_u64().context("a count is a number")
    }

    fn sql(&self, sql: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.broker.ask(&request(sql))?)?)
    }

    /// One turn: until the last byte of the answer is here, as JSON arrays.
    pub fn ask(&self, sql: &str, turn_ms: f64) -> anyhow::Result<Asked> {
        self.awake(|| Asked::within(turn_ms, || self.cpu_seconds(), || self.broker.ask(&request(sql)).map(drop)))
    }

    /// Before the first turn of a query.
    pub fn warm_up(&self, sql: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        self.awake(|| {
            for _ in 0..WARM_UP_RUNS {
                if began.elapsed() >= WARM_UP_MAX {
                    break;
                }
                self.broker.ask(&request(sql))?;
            }
            Ok(())
        })
    }

    /// How long each answer took, statement by statement.
    pub fn mix(&self, sql: &[String], clients: usize, seconds: f64) -> anyhow::Result<Vec<Vec<f64>>> {
        let bodies: Vec<Value> = sql.iter().map(|sql| request(sql)).collect();
        self.awake(|| mix::over_http(|| Client::new(BROKER.into()), &bodies, clients, seconds))
    }

    pub fn answer(&self, sql: &str) -> anyhow::Result<Answer> {
        let mut body = request(sql);
        body["resultFormat"] = json!("arrayLines");
        for name in ["header", "sqlTypesHeader"] {
            body[name] = json!(true);
        }
        let lines = self.awake(|| self.broker.ask(&body))?;
        Answer::parse(std::str::from_utf8(&lines).context("JSON is UTF-8")?)
    }

    /// While it runs: what its processes missed has passed by the time that they serve all rows, which is not timed.
    fn awake<T>(&self, work: impl Fn() -> anyhow::Result<T>) -> anyhow::Result<T> {
        self.processes.signal("CONT")?;
        let done = self.with_all_rows(work);
        self.processes.signal("STOP")?;
        done
    }

    /// After a long rest ZooKeeper may take its servers for lost a little later: what was answered meanwhile does not count.
    fn with_all_rows<T>(&self, work: impl Fn() -> anyhow::Result<T>) -> anyhow::Result<T> {
        for _ in 1..ATTEMPTS {
            self.wait_for_rows()?;
            let done = work();
            if self.found_rows().is_ok_and(|rows| rows == self.rows) {
                return done;
            }
        }
        self.wait_for_rows()?;
        work()
    }

    fn wait_for_rows(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        while self.found_rows().unwrap_or_default() != self.rows {
            ensure!(began.elapsed() < SERVED_AFTER_MAX, "of {} rows Druid serves {:?}", self.rows, self.found_rows());
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    fn cpu_seconds(&self) -> anyhow::Result<f64> {
        self.serving.iter().map(|process| cpu::seconds(*process)).sum()
    }
}

/// Results and partial results of earlier queries are not used, and what cannot be vectorised is an error.
fn request(sql: &str) -> Value {
    let mut context = json!({ "vectorize": "force", "useApproximateCountDistinct": false });
    for name in ["useCache", "populateCache", "useResultLevelCache", "populateResultLevelCache"] {
        context[name] = json!(false);
    }
    json!({ "query": sql, "resultFormat": "array", "context": context })
}
