//! The one list of what may be said about a Kafka client's properties.

/// What a spec may do with a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Text,
    Number,
    Flag,
    /// In any case of letters.
    OneOf(&'static [&'static str]),
    /// Text, or a reference to it.
    Credential,
    /// Only a reference.
    Secret,
    /// Henge sets it: why.
    Ours(&'static str),
    /// Another client's property, or one that this build lacks: what to write instead.
    Instead(&'static str),
}

use Rule::{Credential, Flag, Instead, Number, OneOf, Ours, Secret, Text};

const OFFSETS: &str = "the manifest decides where reading starts, group offsets are only advisory";
const GROUP: &str = "partitions are assigned without a consumer group";
const FRESH: &str = "events are fetched as soon as they are there";
const BOUNDED: &str = "what is fetched ahead is bounded";
const BYTES: &str = "records are read as bytes";
const METRICS: &str = "counters are in `/metrics`";
const TRUSTSTORE: &str = "Java trust stores are not read: export the CA certificates as PEM and set `ssl.ca.location`";
const OIDC: &str = "this build fetches no OAuth tokens: use `sasl.oauthbearer.config`";

pub(super) fn rule(name: &str) -> Option<Rule> {
    PROPERTIES.iter().find(|(known, _)| *known == name).map(|(_, rule)| *rule)
}

/// Names as in librdkafka's CONFIGURATION.md; at the end those of the Java client that Druid's users write.
pub(super) const PROPERTIES: &[(&str, Rule)] = &[
    // Whom to talk to.
    ("bootstrap.servers", Text),
    ("client.id", Text),
    ("client.rack", Text),
    // Under this name offsets are committed, for lag monitors; brokers with access rules may allow only some.
    ("group.id", Text),
    ("broker.address.family", OneOf(&["any", "v4", "v6"])),
    ("broker.address.ttl", Number),
    ("client.dns.lookup", OneOf(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"])),
    // How to be sure of each other.
    ("security.protocol", OneOf(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])),
    ("sasl.mechanism", OneOf(&["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])),
    ("sasl.mechanisms", OneOf(&["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])),
    ("sasl.username", Credential),
    ("sasl.password", Secret),
    // The token itself; one in a file is read again when it expires.
    ("sasl.oauthbearer.config", Secret),
    ("ssl.ca.location", Text),
    ("ssl.ca.pem", Text),
    ("ssl.certificate.location", Text),
    ("ssl.certificate.pem", Text),
    ("ssl.key.location", Text),
    ("ssl.key.pem", Secret),
    ("ssl.key.password", Secret),
    ("ssl.keystore.location", Text),
    ("ssl.keystore.password", Secret),
    ("ssl.crl.location", Text),
    ("ssl.cipher.suites", Text),
    ("ssl.curves.list", Text),
    ("ssl.sigalgs.list", Text),
    ("ssl.endpoint.identification.algorithm", OneOf(&["none", "https"])),
    ("enable.ssl.certificate.verification", Flag),
    // What to read. Druid honours both levels; with read_uncommitted the records of aborted transactions count.
    ("isolation.level", OneOf(&["read_committed", "read_uncommitted"])),
    // How to fetch: sizes are for topics with large records, the rest for slow or distant brokers.
    ("fetch.message.max.bytes", Number),
    ("max.partition.fetch.bytes", Number),
    ("fetch.error.backoff.ms", Number),
    ("receive.message.max.bytes", Number),
    ("queued.min.messages", Number),
    ("connections.max.idle.ms", Number),
    ("metadata.max.age.ms", Number),
    ("reconnect.backoff.ms", Number),
    ("retry.backoff.ms", Number),
    ("retry.backoff.max.ms", Number),
    ("socket.timeout.ms", Number),
    ("socket.connection.setup.timeout.ms", Number),
    ("socket.keepalive.enable", Flag),
    ("socket.nagle.disable", Flag),
    ("socket.receive.buffer.bytes", Number),
    ("socket.send.buffer.bytes", Number),
    // Ours.
    ("fetch.min.bytes", Ours(FRESH)),
    ("fetch.wait.max.ms", Ours(FRESH)),
    ("topic.metadata.refresh.interval.ms", Ours("new partitions are looked for every ten seconds")),
    ("reconnect.backoff.max.ms", Ours("a broker that came back is used within seconds")),
    ("fetch.max.bytes", Ours(BOUNDED)),
    ("queued.max.messages.kbytes", Ours(BOUNDED)),
    ("group.instance.id", Ours(GROUP)),
    ("group.protocol", Ours(GROUP)),
    ("partition.assignment.strategy", Ours(GROUP)),
    ("session.timeout.ms", Ours(GROUP)),
    ("heartbeat.interval.ms", Ours(GROUP)),
    ("max.poll.interval.ms", Ours(GROUP)),
    ("max.poll.records", Ours("the size of a batch follows the bounds in bytes")),
    ("auto.offset.reset", Ours(OFFSETS)),
    ("enable.auto.commit", Ours(OFFSETS)),
    ("enable.auto.offset.store", Ours(OFFSETS)),
    ("auto.commit.enable", Ours(OFFSETS)),
    ("auto.commit.interval.ms", Ours(OFFSETS)),
    ("check.crcs", Ours("checksums are always verified")),
    ("allow.auto.create.topics", Ours("a reader creates no topics")),
    ("key.deserializer", Ours(BYTES)),
    ("value.deserializer", Ours(BYTES)),
    ("interceptor.classes", Ours("there is no Java to load classes into")),
    ("metric.reporters", Ours(METRICS)),
    ("metrics.recording.level", Ours(METRICS)),
    ("metrics.num.samples", Ours(METRICS)),
    ("request.timeout.ms", Ours("it is the Java client's; `socket.timeout.ms` is the nearest")),
    ("default.api.timeout.ms", Ours("it is the Java client's; `socket.timeout.ms` is the nearest")),
    // The Java client's, and what this build lacks.
    (
        "sasl.jaas.config",
        Instead(
            "JAAS is Java's: set `sasl.mechanism` and `sasl.username`, and `sasl.password` to {\"file\": \"/path\"} or \
             {\"env\": \"NAME\"}; if a password stood here, change it",
        ),
    ),
    ("sasl.login.callback.handler.class", Instead(OIDC)),
    ("sasl.client.callback.handler.class", Instead("there is no Java to load classes into: leave it out")),
    ("sasl.oauthbearer.token.endpoint.url", Instead(OIDC)),
    ("sasl.oauthbearer.method", Instead(OIDC)),
    ("sasl.oauthbearer.client.id", Instead(OIDC)),
    ("sasl.oauthbearer.client.secret", Instead(OIDC)),
    ("sasl.oauthbearer.scope", Instead(OIDC)),
    ("sasl.kerberos.service.name", Instead("this build has no Kerberos: use SCRAM, PLAIN or TLS certificates")),
    ("ssl.truststore.location", Instead(TRUSTSTORE)),
    ("ssl.truststore.password", Instead(TRUSTSTORE)),
    ("ssl.truststore.type", Instead(TRUSTSTORE)),
    ("ssl.truststore.certificates", Instead("write the PEM text into `ssl.ca.pem`")),
    ("ssl.keystore.certificate.chain", Instead("write the PEM text into `ssl.certificate.pem`")),
    (
        "ssl.keystore.key",
        Instead("give the key's PEM in `ssl.key.pem` as {\"file\": \"/path\"} or {\"env\": \"NAME\"}"),
    ),
    (
        "ssl.keystore.type",
        Instead("leave it out: `ssl.keystore.location` is read as PKCS#12, other kinds have to be converted"),
    ),
    ("ssl.protocol", Instead("leave it out: TLS 1.2 and 1.3 are negotiated")),
    ("ssl.enabled.protocols", Instead("leave it out: TLS 1.2 and 1.3 are negotiated")),
    ("fetch.max.wait.ms", Ours(FRESH)),
    ("receive.buffer.bytes", Instead("librdkafka calls it `socket.receive.buffer.bytes`")),
    ("send.buffer.bytes", Instead("librdkafka calls it `socket.send.buffer.bytes`")),
    ("socket.connection.setup.timeout.max.ms", Instead("librdkafka calls it `socket.connection.setup.timeout.ms`")),
    ("metadata.broker.list", Instead("write `bootstrap.servers`")),
];
