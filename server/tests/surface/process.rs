use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

/// The binary, with none of the caller's settings.
pub fn henge(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_henge"));
    for variable in [
        "HENGE_CONFIG",
        "HENGE_LISTEN",
        "HENGE_PG_LISTEN",
        "HENGE_DATA_DIR",
        "HENGE_OBJECT_STORE",
        "HENGE_URL",
        "HENGE_KEY",
        "RUST_LOG",
    ] {
        command.env_remove(variable);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Exit code, stdout and stderr of a command that ends by itself.
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    ended(henge(arguments).output().expect("the binary starts"))
}

pub fn run_with_stdin(arguments: &[&str], stdin: &str) -> (i32, String, String) {
    let mut command = henge(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    ended(child.wait_with_output().unwrap())
}

fn ended(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (output.status.code().expect("it ended by itself"), text(output.stdout), text(output.stderr))
}

/// A process that serves until it is told to stop; killed when a test fails.
pub struct Serving {
    child: Child,
    pub address: SocketAddr,
    pub url: String,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: Option<BufReader<ChildStderr>>,
}

impl Serving {
    /// `henge server` on a free port; its log says which.
    pub fn server(data_dir: &Path, arguments: &[&str]) -> Self {
        Self::server_at("127.0.0.1:0", data_dir, arguments)
    }

    pub fn server_at(listen: &str, data_dir: &Path, arguments: &[&str]) -> Self {
        let mut command = henge(&["server", "--log-format", "json", "--listen", listen]);
        command.arg("--data-dir").arg(data_dir).args(arguments);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let address = find_line(&mut stderr, |line| {
            let line: serde_json::Value =
                serde_json::from_str(line).unwrap_or_else(|_| panic!("the server did not start: {line}"));
            (line["message"] == "henge answers").then(|| line["address"].as_str().unwrap().parse().unwrap())
        });
        Self { child, address, url: format!("http://{address}"), stdout: None, stderr: Some(stderr) }
    }

    /// `henge demo` on a free port; its greeting says which.
    pub fn demo(data_dir: &Path) -> Self {
        let mut command = henge(&["demo", "--listen", "127.0.0.1:0"]);
        command.arg("--data-dir").arg(data_dir);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let address = find_line(&mut stdout, |line| {
            let rest = line.strip_prefix("Henge listens on http://")?;
            Some(rest.split(';').next().unwrap().parse().unwrap())
        });
        Self { child, address, url: format!("http://{address}"), stdout: Some(stdout), stderr: None }
    }

    /// Reads stdout up to a line that `wanted` accepts.
    pub fn await_stdout<T>(&mut self, wanted: impl FnMut(&str) -> Option<T>) -> T {
        find_line(self.stdout.as_mut().expect("stdout is piped"), wanted)
    }

    /// Reads the log up to the line with this message.
    pub fn await_log(&mut self, message: &str) {
        find_line(self.stderr.as_mut().expect("stderr is piped"), |line| line.contains(message).then_some(()));
    }

    /// Where a server that was told `--pg-listen` speaks PostgreSQL's protocol.
    pub fn await_pg_address(&mut self) -> SocketAddr {
        find_line(self.stderr.as_mut().expect("stderr is piped"), |line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            let is_told = line["message"] == "henge speaks PostgreSQL's protocol";
            is_told.then(|| line["address"].as_str().unwrap().parse().unwrap())
        })
    }

    /// The body of an answer.
    pub fn get(&self, path: &str) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let url = format!("{}{path}", self.url);
        runtime.block_on(async { reqwest::get(url).await.unwrap().text().await.unwrap() })
    }

    /// Status and body of the answer to some JSON.
    pub fn post(&self, path: &str, body: &serde_json::Value) -> (u16, serde_json::Value) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let request = reqwest::Client::new().post(format!("{}{path}", self.url)).body(body.to_string());
        runtime.block_on(async {
            let response = request.header("content-type", "application/json").send().await.unwrap();
            let status = response.status().as_u16();
            (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
        })
    }

    /// The most memory that the process ever had.
    pub fn peak_memory_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak.expect("Linux tells it").parse::<u64>().unwrap() << 10
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end and returns the exit code.
    pub fn wait(mut self) -> i32 {
        // Whoever does not read fills the pipe and blocks the writer.
        if let Some(mut stdout) = self.stdout.take() {
            stdout.read_to_end(&mut Vec::new()).unwrap();
        }
        if let Some(mut stderr) = self.stderr.take() {
            stderr.read_to_end(&mut Vec::new()).unwrap();
        }
        self.child.wait().unwrap().code().expect("it ended by itself")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It has ended already in a test that passes.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

fn find_line<T>(lines: &mut impl BufRead, mut wanted: impl FnMut(&str) -> Option<T>) -> T {
    let mut seen = String::new();
    loop {
        let start = seen.len();
        let read = lines.read_line(&mut seen).unwrap();
        assert_ne!(read, 0, "it ended without the line; it said:\n{seen}");
        if let Some(found) = wanted(seen[start..].trim_end()) {
            return found;
        }
    }
}
