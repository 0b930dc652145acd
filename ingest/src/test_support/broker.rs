//! A Kafka broker of the test's own, started by `tests/kafka/kafka.sh`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

use super::properties;

/// A running broker on loopback; it is killed and its data removed when dropped.
///
/// Tests that need one carry `#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and
/// Maven)"]`.
pub struct RealBroker {
    dir: TempDir,
    listeners: &'static str,
    bootstrap_servers: String,
}

impl RealBroker {
    /// The broker that this test process shares. It ends with its last user, so tests that run one after the other may
    /// get different ones; each test creates topics of its own. It has all [listeners](Self::sasl_properties).
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<RealBroker>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(broker) = shared.upgrade() {
            return broker;
        }
        let broker = Arc::new(Self::start_with("sasl tls"));
        *shared = Arc::downgrade(&broker);
        broker
    }

    /// A broker of its own, for tests that kill it or change its clock-wise settings.
    pub fn start() -> Self {
        Self::start_with("")
    }

    fn start_with(listeners: &'static str) -> Self {
        let dir = TempDir::new().expect("a temporary directory can be made");
        let mut broker = Self { dir, listeners, bootstrap_servers: String::new() };
        broker.restart();
        broker
    }

    /// Starts the broker in its directory, where its data, topics and ports are kept; no effect while it runs.
    pub fn restart(&mut self) {
        let output = self.run("start");
        self.bootstrap_servers = output.lines().last().expect("start prints the broker's address").to_owned();
    }

    /// A clean shutdown.
    pub fn stop(&self) {
        self.run("stop");
    }

    /// A crash.
    pub fn kill(&self) {
        self.run("kill");
    }

    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    /// For the plain listener.
    pub fn properties(&self) -> Vec<(String, String)> {
        properties(&[("bootstrap.servers", &self.bootstrap_servers)])
    }

    /// For the SASL PLAIN listener, which knows the user `henge` with the password `henge-secret`.
    pub fn sasl_properties(&self, password: &str) -> Vec<(String, String)> {
        properties(&[
            ("bootstrap.servers", &self.address("sasl")),
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.username", "henge"),
            ("sasl.password", password),
        ])
    }

    /// For the TLS listener, trusting the certificates in the file `ca`.
    pub fn tls_properties(&self, ca: &Path) -> Vec<(String, String)> {
        properties(&[
            ("bootstrap.servers", &self.address("tls")),
            ("security.protocol", "SSL"),
            ("ssl.ca.location", &ca.to_string_lossy()),
        ])
    }

    /// The file with the certificate that signs the TLS listener's.
    pub fn ca(&self) -> PathBuf {
        self.dir.path().join("tls/ca.pem")
    }

    fn address(&self, listener: &str) -> String {
        let file = self.dir.path().join(format!("{listener}.port"));
        let port = std::fs::read_to_string(file).expect("the broker was started with this listener");
        format!("127.0.0.1:{}", port.trim())
    }

    fn run(&self, command: &str) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kafka/kafka.sh");
        let output = Command::new(script)
            .arg(command)
            .arg(self.dir.path())
            .env("HENGE_KAFKA_LISTENERS", self.listeners)
            .output()
            .expect("kafka.sh can be run");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kafka.sh {command}: {errors}");
        String::from_utf8(output.stdout).expect("kafka.sh prints text")
    }
}

impl Drop for RealBroker {
    fn drop(&mut self) {
        self.kill();
    }
}
