//! The `henge` binary as a child process, and its HTTP interface.

use std::fmt::Debug;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Answer, Http};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Repeats `attempt` until it has a result; panics when that takes too long.
pub fn wait_for<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(result) = attempt() {
            return result;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// As [`wait_for`], but patient as long as what `attempt` says of how far it is changes.
pub fn wait_while_it_gets_on<P: PartialEq + Debug>(what: &str, mut attempt: impl FnMut() -> Result<(), P>) {
    let (mut reached, mut deadline) = (None, Instant::now() + PATIENCE);
    while let Err(progress) = attempt() {
        if reached.as_ref() != Some(&progress) {
            (reached, deadline) = (Some(progress), Instant::now() + PATIENCE);
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}; it got to {reached:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A port on which nothing listens, below the range from which outgoing connections take theirs, so that a restarted
/// process finds it free again.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 1_000) as u16 * 12;
    loop {
        let port = 12_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 18_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A directory with a data directory and a configuration, and the process that runs on it, if one does.
///
/// The process is killed when this is dropped; when a test fails, the end of its log is printed.
pub struct Henge {
    dir: tempfile::TempDir,
    port: u16,
    arguments: Vec<String>,
    /// Of its own memory, in KiB.
    limit_kib: Option<u64>,
    child: Option<Child>,
    http: Http,
}

impl Henge {
    /// Not started. `config` is the text of `henge.toml`.
    pub fn server(config: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let path = dir.path().join("henge.toml");
        fs::write(&path, config).expect("a temporary file can be written");
        Self::new(dir, &["server", "--config", &path.to_string_lossy()])
    }

    /// Not started. `henge demo` with further arguments.
    pub fn demo(arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        Self::new(dir, &[&["demo"], arguments].concat())
    }

    fn new(dir: tempfile::TempDir, arguments: &[&str]) -> Self {
        let port = free_port();
        let data_dir = dir.path().join("data").to_string_lossy().into_owned();
        let listen = format!("127.0.0.1:{port}");
        let own = ["--data-dir", &data_dir, "--listen", &listen];
        let arguments = arguments.iter().chain(&own).map(ToString::to_string).collect();
        Self { dir, port, arguments, limit_kib: None, child: None, http: Http::new() }
    }

    /// Gets no more memory of its own than that, stacks and what is not used yet included: what it asks for beyond it is
    /// refused, and ends it. Files that it maps do not count; the system takes their memory back when it needs it.
    pub fn within(mut self, mib: u64) -> Self {
        self.limit_kib = Some(mib << 10);
        self
    }

    pub fn start(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        self.child = Some(self.spawn("henge.log"));
    }

    /// Starts and waits until it says that it is ready.
    pub fn start_ready(&mut self) {
        self.start();
        self.wait_ready();
    }

    pub fn wait_ready(&mut self) {
        wait_for("henge is ready", || {
            let ended = self.child.as_mut().expect("it was started").try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "henge ended before it was ready: {ended:?}");
            self.is_ready().then_some(())
        });
    }

    pub fn is_ready(&self) -> bool {
        self.http.get(&self.url("/health/ready")).is_some_and(|answer| answer.status == 200)
    }

    /// A second process with the same arguments but another port; returns how it ended and what it wrote.
    pub fn run_second(&self) -> (ExitStatus, String) {
        let listen = self.arguments.iter().position(|argument| argument == "--listen").expect("it is always given");
        let mut arguments = self.arguments.clone();
        arguments[listen + 1] = format!("127.0.0.1:{}", free_port());
        let mut second = self.command(&arguments, "second.log").spawn().expect("the binary was built");
        let status = wait_for("the second process ends", || second.try_wait().expect("a child can be asked"));
        (status, self.log("second.log"))
    }

    /// Sends a signal that does not end it.
    pub fn signal(&self, name: &str) {
        let id = self.child.as_ref().expect("it was started").id();
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status();
        assert!(sent.expect("there is a shell").success(), "the signal can be sent");
    }

    /// Resident memory of no file, as Linux tells it.
    pub fn anonymous_mib(&self) -> f64 {
        let id = self.child.as_ref().expect("it was started").id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).expect("it runs, so it has a status");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("it has memory");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it was started");
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be waited for");
    }

    /// Ctrl-C.
    pub fn interrupt(&mut self) -> ExitStatus {
        self.end("INT")
    }

    /// What a service manager sends.
    pub fn terminate(&mut self) -> ExitStatus {
        self.end("TERM")
    }

    fn end(&mut self, signal: &str) -> ExitStatus {
        self.signal(signal);
        let mut child = self.child.take().expect("it was started");
        wait_for("henge ends", || child.try_wait().expect("a child can be asked"))
    }

    fn spawn(&self, log: &str) -> Child {
        self.command(&self.arguments, log).spawn().expect("the binary was built")
    }

    fn command(&self, arguments: &[String], log: &str) -> Command {
        let log = File::options().create(true).append(true).open(self.dir.path().join(log));
        let log = log.expect("a temporary file can be written");
        let binary = env!("CARGO_BIN_EXE_henge");
        let mut command = match self.limit_kib {
            None => Command::new(binary),
            Some(kib) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("ulimit -d {kib} && exec \"$0\" \"$@\""), binary]);
                shell
            }
        };
        command.args(arguments).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a file can be shared")).stderr(log);
        command
    }

    /// Runs `compact` or `verify` on the data directory, which no process may hold; it has to succeed.
    pub fn run_offline(&self, command: &str) {
        let mut offline = Command::new(env!("CARGO_BIN_EXE_henge"));
        let done = offline.args([command, "--data-dir"]).arg(self.data_dir()).output().expect("the binary was built");
        let [stdout, stderr] = [&done.stdout, &done.stderr].map(|said| String::from_utf8_lossy(said));
        assert!(done.status.success(), "{command}: {stdout}{stderr}");
    }

    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }

    pub fn data_dir(&self) -> PathBuf {
        Path::new(self.dir.path()).join("data")
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The rows of a SQL answer; panics on any other answer.
    pub fn sql(&self, query: &str) -> Vec<Vec<Value>> {
        rows(query, &self.post("/druid/v2/sql", &question(query)))
    }

    /// `None` while the server does not answer or is not ready to.
    pub fn try_sql(&self, query: &str) -> Option<Answer> {
        sql(&self.http, &self.url(""), query)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.http.get(&self.url(path)).unwrap_or_else(|| panic!("no answer to GET {path}"))
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.http.post(&self.url(path), body).unwrap_or_else(|| panic!("no answer to POST {path}"))
    }

    /// The samples of one family of `GET /metrics`, by their labels as written; `None` while the server does not answer.
    pub fn try_metrics(&self, name: &str) -> Option<Vec<(String, f64)>> {
        let answer = self.http.get(&self.url("/metrics")).filter(|answer| answer.status == 200)?;
        let samples = answer.body.lines().filter_map(|line| {
            let (key, value) = line.rsplit_once(' ')?;
            let labels = key.strip_prefix(name)?;
            (labels.is_empty() || labels.starts_with('{'))
                .then(|| (labels.to_owned(), value.parse().expect("a number")))
        });
        Some(samples.collect())
    }

    /// The `payload` of a supervisor's status.
    pub fn status(&self, data_source: &str) -> Value {
        self.try_status(data_source).unwrap_or_else(|| panic!("no status of {data_source}"))
    }

    /// `None` while the server does not answer.
    pub fn try_status(&self, data_source: &str) -> Option<Value> {
        let url = self.url(&format!("/druid/indexer/v1/supervisor/{data_source}/status"));
        Some(self.http.get(&url).filter(|answer| answer.status == 200)?.json()["payload"].take())
    }
}

impl Drop for Henge {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
        if std::thread::panicking() {
            let log = self.log("henge.log");
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines[lines.len().saturating_sub(60)..].join("\n");
            eprintln!("the end of henge's log:\n{tail}");
        }
    }
}

/// Asks `server`; `None` when it does not answer, or says that it is not ready to (503).
pub fn sql(http: &Http, server: &str, query: &str) -> Option<Answer> {
    let answer = http.post(&format!("{server}/druid/v2/sql"), &question(query))?;
    (answer.status != 503).then_some(answer)
}

fn question(query: &str) -> Value {
    json!({ "query": query, "resultFormat": "array" })
}

/// The rows of a good answer.
pub fn rows(query: &str, answer: &Answer) -> Vec<Vec<Value>> {
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{query}: {error} in {}", answer.body))
}
