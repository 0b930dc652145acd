//! The `henge` binary of the same build as a child process: asked over HTTP, and looked at through `/proc`.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{ClientBuilder, RequestBuilder};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(300);
/// The server ends connections that rest for some seconds; a request on such a one would fail.
const IDLE: Duration = Duration::from_secs(1);
const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// Killed when dropped.
pub struct Server {
    child: Child,
    client: Client,
    binary: PathBuf,
    dir: PathBuf,
    /// Whether the folder has a key of ours.
    has_key: bool,
}

/// Connections to a server, for one thread.
pub struct Client {
    url: String,
    /// What each request says.
    headers: HeaderMap,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Client {
    pub fn new(url: String) -> anyhow::Result<Self> {
        Self::with_headers(url, HeaderMap::new())
    }

    fn with_headers(url: String, headers: HeaderMap) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = Self::builder().default_headers(headers.clone()).build()?;
        Ok(Self { url, headers, runtime, client })
    }

    /// With the credentials of a key, id and secret with a dot between them.
    fn with_key(&self, key: &str) -> anyhow::Result<Self> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {key}").parse()?)]);
        Self::with_headers(self.url.clone(), headers)
    }

    fn builder() -> ClientBuilder {
        reqwest::Client::builder().no_proxy().timeout(PATIENCE).pool_idle_timeout(IDLE)
    }

    /// `None` when there is no answer, or none of status 200.
    pub fn get(&self, path: &str) -> anyhow::Result<Option<String>> {
        self.runtime.block_on(async {
            match self.client.get(format!("{}{path}", self.url)).send().await {
                Ok(answer) if answer.status() == 200 => Ok(Some(answer.text().await?)),
                _ => Ok(None),
            }
        })
    }

    /// The answer's bytes, to a SQL request in Druid's form.
    pub fn ask(&self, request: &Value) -> anyhow::Result<Vec<u8>> {
        self.post("/druid/v2/sql", request)
    }

    /// Reads an answer to a SQL request and keeps nothing of it: how many bytes it has.
    pub fn read(&self, request: &Value) -> anyhow::Result<u64> {
        self.runtime.block_on(async {
            let mut answer = self.client.post(format!("{}/druid/v2/sql", self.url)).json(request).send().await?;
            ensure!(answer.status() == 200, "{} {}", answer.status(), answer.text().await?);
            let mut bytes = 0;
            while let Some(piece) = answer.chunk().await? {
                bytes += piece.len() as u64;
            }
            Ok(bytes)
        })
    }

    /// The bytes of an answer of status 200 to a JSON document.
    pub fn post(&self, path: &str, document: &Value) -> anyhow::Result<Vec<u8>> {
        let (_, bytes) = self.answer(self.client.post(format!("{}{path}", self.url)).json(document))?;
        Ok(bytes)
    }

    /// Like [`Self::post`], with the method PUT.
    pub fn put(&self, path: &str, document: &Value) -> anyhow::Result<Vec<u8>> {
        let (_, bytes) = self.answer(self.client.put(format!("{}{path}", self.url)).json(document))?;
        Ok(bytes)
    }

    /// Like [`Self::post`], for questions about what may not be there, which 403 says.
    pub fn post_any(&self, path: &str, document: &Value) -> anyhow::Result<()> {
        self.runtime.block_on(async {
            let answer = self.client.post(format!("{}{path}", self.url)).json(document).send().await?;
            let status = answer.status();
            let bytes = answer.bytes().await?;
            ensure!(status == 200 || status == 403, "{status} {}", String::from_utf8_lossy(&bytes));
            Ok(())
        })
    }

    /// As [`ask`](Self::ask), but the answer is an Arrow IPC stream.
    pub fn ask_arrow(&self, request: &Value) -> anyhow::Result<Vec<u8>> {
        let post = self.client.post(format!("{}/druid/v2/sql", self.url)).json(request);
        let (content_type, bytes) = self.answer(post.header(ACCEPT, ARROW_STREAM))?;
        ensure!(content_type == ARROW_STREAM, "the answer is `{content_type}`, not `{ARROW_STREAM}`");
        Ok(bytes)
    }

    /// The content type and the bytes.
    fn answer(&self, request: RequestBuilder) -> anyhow::Result<(String, Vec<u8>)> {
        self.runtime.block_on(async {
            let mut answer = request.send().await?;
            let status = answer.status();
            let content_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let content_type = content_type.unwrap_or_default().to_owned();
            let mut bytes = Vec::new();
            while let Some(piece) = answer.chunk().await? {
                bytes.extend_from_slice(&piece);
            }
            ensure!(status == 200, "{status} {}", String::from_utf8_lossy(&bytes));
            Ok((content_type, bytes))
        })
    }

    /// Ends the running queries of that id; `false` where there is none.
    pub fn cancel(&self, query_id: &str) -> anyhow::Result<bool> {
        let url = format!("{}/druid/v2/sql/{query_id}", self.url);
        let answer = self.runtime.block_on(async { self.client.delete(url).send().await })?;
        Ok(answer.status().is_success())
    }
}

impl Server {
    /// Builds the binary in this bench's profile where needed, starts it in `dir` and waits until it is ready.
    pub fn start(dir: &Path, config: &str) -> anyhow::Result<Self> {
        let mut server = Self::spawn(&build()?, dir, config)?;
        server.wait_for("henge is ready", |server| Ok(server.get("/health/ready")?.map(|_| ())))?;
        Ok(server)
    }

    /// Starts the binary in `dir` and does not wait for it.
    pub fn spawn(binary: &Path, dir: &Path, config: &str) -> anyhow::Result<Self> {
        fs::write(dir.join("henge.toml"), config)?;
        let log = File::create(dir.join("henge.log"))?;
        let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let child = Command::new(binary)
            .current_dir(dir)
            .args(["server", "--config", "henge.toml", "--data-dir", "data", "--listen", &listen])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let client = Client::new(format!("http://{listen}"))?;
        Ok(Self { child, client, binary: binary.to_owned(), dir: dir.to_owned(), has_key: false })
    }

    /// Makes an admin's key, which every request needs until the server ends, and asks with it.
    pub fn use_key(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(&self.binary);
        self.has_key = true;
        command.current_dir(&self.dir).args(["keys", "create", "--role", "admin", "--json", "--data-dir", "data"]);
        let key: Value = serde_json::from_slice(&command.output()?.stdout).context("no key was made")?;
        let text = |field: &str| key[field].as_str().with_context(|| format!("the key has no {field}"));
        self.client = self.client.with_key(&format!("{}.{}", text("id")?, text("secret")?))?;
        Ok(())
    }

    /// Repeats `attempt` until it has a result.
    pub fn wait_for<T>(
        &mut self,
        what: &str,
        mut attempt: impl FnMut(&Self) -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(result) = attempt(self)? {
                return Ok(result);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("henge ended ({status}) before {what}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("waited {PATIENCE:?} in vain: {what}")
    }

    /// `None` when there is no answer, or none of status 200.
    pub fn get(&self, path: &str) -> anyhow::Result<Option<String>> {
        self.client.get(path)
    }

    /// Rows as arrays.
    pub fn sql(&self, query: &str) -> anyhow::Result<Vec<Vec<Value>>> {
        let answer = self.ask(&json!({ "query": query, "resultFormat": "array" }))?;
        serde_json::from_slice(&answer).with_context(|| String::from_utf8_lossy(&answer).into_owned())
    }

    /// The answer's bytes, to a SQL request in Druid's form.
    pub fn ask(&self, request: &Value) -> anyhow::Result<Vec<u8>> {
        self.client.ask(request)
    }

    /// As [`ask`](Self::ask), but the answer is an Arrow IPC stream.
    pub fn ask_arrow(&self, request: &Value) -> anyhow::Result<Vec<u8>> {
        self.client.ask_arrow(request)
    }

    /// Connections of its own for another thread.
    pub fn client(&self) -> anyhow::Result<Client> {
        Client::with_headers(self.client.url.clone(), self.client.headers.clone())
    }

    /// User and system time since its start.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        crate::cpu::seconds(self.child.id())
    }

    /// Memory that is there, mapped files included.
    pub fn resident_mib(&self) -> anyhow::Result<f64> {
        self.status_mib("VmRSS:")
    }

    /// Memory that is there and belongs to no file.
    pub fn anonymous_mib(&self) -> anyhow::Result<f64> {
        self.status_mib("RssAnon:")
    }

    fn status_mib(&self, name: &str) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("/proc/PID/status lacks a line")?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing of it must stay.
        self.child.kill().ok();
        self.child.wait().ok();
        if self.has_key {
            // The next bench on these segments has no key.
            fs::remove_dir_all(self.dir.join("data/store/keys")).ok();
        }
    }
}

/// The path of the binary, beside this one.
pub fn build() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("a binary lies in a folder")?;
    // A profile's folder has its name, but for that of `dev`.
    let folder_name = folder.file_name().and_then(|name| name.to_str()).context("a folder has a name")?;
    let profile = if folder_name == "debug" { "dev" } else { folder_name };
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let built = Command::new(cargo).args(["build", "--quiet", "--package", "henge", "--profile", profile]).status()?;
    ensure!(built.success(), "henge cannot be built");
    Ok(folder.join("henge"))
}
