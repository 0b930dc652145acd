//! A Kafka broker of the test's own, started by `tests/kafka/kafka.sh`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

use super::properties;

/// Makes the SASL listener accept unsigned tokens beside passwords.
const TOKENS_ON_SASL: &str = "\
listener.name.sasl.sasl.enabled.mechanisms=PLAIN,OAUTHBEARER
listener.name.sasl.oauthbearer.sasl.jaas.config=\
org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\";
listener.name.sasl.oauthbearer.sasl.server.callback.handler.class=\
org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler
";

/// A running broker on loopback; it is killed and its data removed when dropped.
///
/// Tests that need one carry `#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and
/// Maven)"]`.
pub struct RealBroker {
    dir: TempDir,
    has_listeners: bool,
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
        let broker = Arc::new(Self::start_with(true));
        *shared = Arc::downgrade(&broker);
        broker
    }

    /// A broker of its own, for tests that kill it or change its files; it has the plain listener only.
    pub fn start() -> Self {
        Self::start_with(false)
    }

    fn start_with(has_listeners: bool) -> Self {
        let dir = TempDir::new().expect("a temporary directory can be made");
        let mut broker = Self { dir, has_listeners, bootstrap_servers: String::new() };
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

    /// For the SASL listener with a token, which it accepts unsigned.
    pub fn token_properties(&self, token: &str) -> Vec<(String, String)> {
        properties(&[
            ("bootstrap.servers", &self.address("sasl")),
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "OAUTHBEARER"),
            ("sasl.oauthbearer.config", token),
        ])
    }

    /// The first log file of a partition; change it only while the broker is stopped.
    pub fn log_file(&self, topic: &str, partition: i32) -> PathBuf {
        self.dir.path().join(format!("data/{topic}-{partition}/00000000000000000000.log"))
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
        let mut run = Command::new(script);
        run.arg(command).arg(self.dir.path());
        if self.has_listeners {
            run.env("HENGE_KAFKA_LISTENERS", "sasl tls").env("HENGE_KAFKA_PROPERTIES", TOKENS_ON_SASL);
        }
        let output = run.output().expect("kafka.sh can be run");
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
