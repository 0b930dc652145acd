use henge_ingest::kafka::client::StreamClient;
use henge_ingest::kafka::error::KafkaError;
use henge_ingest::kafka::event::{StreamEvent, Trouble};
use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::TestProducer;

use crate::{payloads, poll_until, read_to, reader, records};

fn topic_with_ten_records(broker: &RealBroker, topic: &str) {
    let properties = broker.properties();
    Admin::new(&properties).create_topic(topic, 1, &[]);
    let payloads = payloads(0..10);
    TestProducer::new(&properties, topic, &[]).send_all(0, payloads.iter().map(String::as_bytes));
}

/// The first trouble of the whole client, with what the library says of it.
fn first_trouble(properties: &[(String, String)], topic: &str, wanted: Trouble) -> String {
    let mut reader = reader(properties, topic, &[(0, 0)]);
    let is_wanted =
        |event: &StreamEvent| matches!(event, StreamEvent::Trouble { partition: None, kind, .. } if *kind == wanted);
    let event = poll_until(&mut reader, |_, _| (), is_wanted);
    let StreamEvent::Trouble { detail, .. } = event else { unreachable!("asked for trouble") };
    detail
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn sasl_plain_reads_and_a_wrong_password_is_named_but_not_shown() {
    let broker = RealBroker::shared();
    topic_with_ten_records(&broker, "sasl");
    let mut good = reader(&broker.sasl_properties("henge-secret"), "sasl", &[(0, 0)]);
    assert_eq!(read_to(&mut good, &[(0, 10)]), records(0, 0..10));
    let detail = first_trouble(&broker.sasl_properties("wrong-secret"), "sasl", Trouble::Authentication);
    assert!(!detail.contains("wrong-secret") && !detail.is_empty(), "{detail}");
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn an_oauthbearer_token_reads_and_an_expired_one_is_refused_before_it_is_sent() {
    let broker = RealBroker::shared();
    topic_with_ten_records(&broker, "token");
    // {"alg":"none"}, then {"sub":"henge","iat":1700000000,"exp":4102444800}, and no signature.
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJoZW5nZSIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjo0MTAyNDQ0ODAwfQ.";
    let mut good = reader(&broker.token_properties(token), "token", &[(0, 0)]);
    assert_eq!(read_to(&mut good, &[(0, 10)]), records(0, 0..10));
    // The same until 1700000001.
    let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJoZW5nZSIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAwMDAxfQ.";
    let refused = StreamClient::new("test", &broker.token_properties(token)).map(|_| ());
    assert_eq!(refused, Err(KafkaError::Token { detail: "has expired or is not well formed" }));
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn tls_reads_and_a_certificate_that_is_not_trusted_is_refused() {
    let broker = RealBroker::shared();
    topic_with_ten_records(&broker, "tls");
    let mut trusting = broker.tls_properties(&broker.ca());
    let mut good = reader(&trusting, "tls", &[(0, 0)]);
    assert_eq!(read_to(&mut good, &[(0, 10)]), records(0, 0..10));
    // Without the broker's own certificate only the public authorities are trusted.
    trusting.retain(|(name, _)| name != "ssl.ca.location");
    let detail = first_trouble(&trusting, "tls", Trouble::Tls);
    assert!(detail.contains("certificate verify failed"), "{detail}");
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn a_reader_outlives_a_crash_of_its_broker() {
    let mut broker = RealBroker::start();
    topic_with_ten_records(&broker, "crash");
    let mut reader = reader(&broker.properties(), "crash", &[(0, 0)]);
    assert_eq!(read_to(&mut reader, &[(0, 10)]), records(0, 0..10));
    broker.kill();
    let is_unreachable =
        |event: &StreamEvent| matches!(event, StreamEvent::Trouble { partition: None, kind: Trouble::Unreachable, .. });
    poll_until(&mut reader, |_, _| (), is_unreachable);
    broker.restart();
    let payloads = payloads(10..20);
    TestProducer::new(&broker.properties(), "crash", &[]).send_all(0, payloads.iter().map(String::as_bytes));
    assert_eq!(read_to(&mut reader, &[(0, 20)]), records(0, 10..20));
}
