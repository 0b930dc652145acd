use serde_json::json;

use super::*;

fn spec(kafka: &Value) -> Result<SupervisorSpec, crate::spec::SpecError> {
    let spec = json!({ "topic": "t", "kafka": kafka, "time": "ts", "dimensions": ["a"] });
    SupervisorSpec::from_short_form("usage", &spec)
}

/// The warnings of a Druid spec with these consumer properties, or its problems.
fn druid(properties: &Value) -> Result<(ClientProperties, Vec<String>), String> {
    let spec = json!({
        "dataSchema": {
            "dataSource": "usage", "timestampSpec": {}, "dimensionsSpec": { "dimensions": ["a"] },
            "granularitySpec": { "rollup": false },
        },
        "ioConfig": {
            "topic": "t", "inputFormat": { "type": "json" }, "useEarliestOffset": true, "consumerProperties": properties,
        },
    });
    let accepted = SupervisorSpec::from_druid(&spec).map_err(|error| error.to_string())?;
    Ok((accepted.spec.client_properties, accepted.warnings))
}

#[test]
fn properties_are_resolved_with_their_secrets_which_nothing_else_shows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "canary\n").unwrap();
    let kafka = json!({
        "bootstrap.servers": "b:9092",
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": { "env": "CARGO_PKG_NAME" },
        "sasl.password": { "file": path },
        "socket.timeout.ms": 5000,
        "socket.keepalive.enable": true,
        "client.rack": null,
    });
    let spec = spec(&kafka).unwrap();
    let expected = [
        ("bootstrap.servers", "b:9092"),
        ("sasl.mechanism", "SCRAM-SHA-512"),
        ("sasl.password", "canary"),
        ("sasl.username", "henge-ingest"),
        ("security.protocol", "sasl_ssl"),
        ("socket.keepalive.enable", "true"),
        ("socket.timeout.ms", "5000"),
    ];
    let expected: Vec<_> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(resolve(&spec).unwrap(), expected);
    assert!(!format!("{spec:?} {}", spec.to_json()).contains("canary"));
    assert_eq!(spec.client_properties.literal("bootstrap.servers"), Some("b:9092"));
    assert_eq!(spec.client_properties.literal("sasl.password"), None);

    std::fs::remove_file(&path).unwrap();
    assert_eq!(resolve(&spec).unwrap_err().to_string(), "Kafka property `sasl.password` has no value");
}

#[test]
fn a_value_is_never_shown_by_what_is_wrong_with_it() {
    let values = [
        json!("canary"),
        json!(["canary"]),
        json!({ "other": "canary" }),
        json!({ "file": "canary" }),
        json!({ "env": "not-a-name-but-a-canary" }),
        json!({ "type": "default", "password": "canary" }),
    ];
    for (name, _) in PROPERTIES {
        for value in &values {
            let mut kafka = json!({ "bootstrap.servers": "b:9092" });
            kafka[*name] = value.clone();
            let Err(error) = spec(&kafka) else { continue };
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("canary"), "{name}: {shown}");
        }
    }
}

#[test]
fn each_wrong_property_is_refused_with_advice() {
    let cases = [
        (json!({}), "kafka: `bootstrap.servers` is missing: name at least one broker, such as `127.0.0.1:9092`"),
        (
            json!({ "bootstrap.server": "b:1" }),
            "the spec has 2 problems:\n\
             - datasource.usage.kafka.\"bootstrap.server\": unknown property (did you mean `bootstrap.servers`?); it is not \
             among the properties that pass through to the Kafka client\n\
             - datasource.usage.kafka: `bootstrap.servers` is missing: name at least one broker, such as `127.0.0.1:9092`",
        ),
        (json!({ "bootstrap.servers": "" }), "kafka.\"bootstrap.servers\": expected text"),
        (
            json!({ "bootstrap.servers": {} }),
            "kafka.\"bootstrap.servers\": expected a string, a number, or true or false",
        ),
        (
            json!({ "plugin.library.paths": "x.so" }),
            "kafka.\"plugin.library.paths\": unknown property; it is not among the properties that pass through to the Kafka \
             client",
        ),
        (
            json!({ "sasl.password": "canary" }),
            r#"kafka."sasl.password": a secret does not belong in a spec: use {"file": "/path"} or {"env": "NAME"}, and change the secret if it was real"#,
        ),
        (
            json!({ "sasl.oauthbearer.config": "canary" }),
            r#"kafka."sasl.oauthbearer.config": a secret does not belong in a spec: use {"file": "/path"} or {"env": "NAME"}, and change the secret if it was real"#,
        ),
        (
            json!({ "sasl.password": { "file": "/p", "env": "P" } }),
            r#"kafka."sasl.password": expected {"file": "/path"} with an absolute path, or {"env": "NAME"}"#,
        ),
        (
            json!({ "sasl.jaas.config": "org.apache.kafka... password=\"canary\";" }),
            "kafka.\"sasl.jaas.config\": JAAS is Java's: set `sasl.mechanism` and `sasl.username`, and `sasl.password` to \
             {\"file\": \"/path\"} or {\"env\": \"NAME\"}; if a password stood here, change it",
        ),
        (
            json!({ "ssl.truststore.location": "/t.jks" }),
            "kafka.\"ssl.truststore.location\": Java trust stores are not read: export the CA certificates as PEM and set \
             `ssl.ca.location`",
        ),
        (
            json!({ "enable.auto.commit": false }),
            "kafka.\"enable.auto.commit\": cannot be set, leave it out: the manifest decides where reading starts, group \
             offsets are only advisory",
        ),
        (
            json!({ "security.protocol": "TLS" }),
            "kafka.\"security.protocol\": expected one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL",
        ),
        (
            json!({ "isolation.level": "read_all" }),
            "kafka.\"isolation.level\": expected one of read_committed, read_uncommitted",
        ),
        (json!({ "socket.timeout.ms": "many" }), "kafka.\"socket.timeout.ms\": expected a whole number"),
        (json!({ "socket.keepalive.enable": 1 }), "kafka.\"socket.keepalive.enable\": expected true or false"),
    ];
    for (mut kafka, message) in cases {
        if message.starts_with("kafka.\"") && kafka.get("bootstrap.servers").is_none() {
            kafka["bootstrap.servers"] = json!("b:9092");
        }
        let error = spec(&kafka).unwrap_err().to_string();
        let message =
            if message.starts_with("kafka") { format!("datasource.usage.{message}") } else { message.to_owned() };
        assert_eq!(error, message);
    }
}

#[test]
fn what_druids_users_bring_along_is_ignored_with_a_warning() {
    let (properties, warnings) = druid(&json!({
        "bootstrap.servers": "b:9092",
        "group.id": "g",
        "auto.offset.reset": "latest",
        "key.deserializer": "org.apache.kafka.common.serialization.ByteArrayDeserializer",
        "isolation.level": "read_uncommitted",
    }))
    .unwrap();
    assert_eq!(properties.literal("isolation.level"), Some("read_uncommitted"));
    assert_eq!(properties.literal("group.id"), Some("g"));
    assert_eq!(properties.literal("auto.offset.reset"), None);
    assert_eq!(
        warnings,
        [
            "ioConfig.consumerProperties.\"auto.offset.reset\": is ignored: the manifest decides where reading starts, group \
             offsets are only advisory",
            "ioConfig.consumerProperties.\"key.deserializer\": is ignored: records are read as bytes",
            "ioConfig.consumerProperties.\"isolation.level\": the records of aborted transactions are counted too",
        ]
    );
}

#[test]
fn druids_providers_become_references() {
    let (properties, warnings) = druid(&json!({
        "bootstrap.servers": "b:9092",
        "ssl.key.password": { "type": "environment", "variable": "KEY_PASSWORD" },
        "druid.dynamic.config.provider": {
            "type": "environment",
            "variables": { "sasl.username": "KAFKA_USER", "sasl.password": "KAFKA_PASSWORD" },
        },
    }))
    .unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    let expected = json!({
        "bootstrap.servers": "b:9092",
        "sasl.password": { "env": "KAFKA_PASSWORD" },
        "sasl.username": { "env": "KAFKA_USER" },
        "ssl.key.password": { "env": "KEY_PASSWORD" },
    });
    assert_eq!(properties.write(), expected);

    let provider = |provider: Value| {
        druid(&json!({ "bootstrap.servers": "b:9092", "druid.dynamic.config.provider": provider })).unwrap_err()
    };
    let path = "ioConfig.consumerProperties.\"druid.dynamic.config.provider\"";
    assert_eq!(
        provider(json!({ "type": "mapString", "config": { "sasl.password": "canary" } })),
        format!(
            "{path}.config.\"sasl.password\": a secret does not belong in a spec: use {{\"file\": \"/path\"}} or \
             {{\"env\": \"NAME\"}}, and change the secret if it was real"
        )
    );
    assert_eq!(
        provider(json!({ "type": "vault" })),
        format!("{path}.type: this provider is not supported: use `environment`")
    );
    assert_eq!(
        provider(json!({ "type": "environment", "variables": { "client.id": "X" } })),
        format!(
            "{path}.variables.\"client.id\": only user names and secrets come from the environment: write the value itself"
        )
    );
}
