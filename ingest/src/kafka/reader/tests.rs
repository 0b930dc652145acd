use super::*;
use crate::fleet::mock_kafka::MockKafka;
use crate::test_support::producer::TestProducer;
use crate::test_support::{PATIENCE, properties};

#[test]
fn records_arrive_in_order_although_the_client_forgot_where_they_should() {
    let kafka = MockKafka::start().expect("a mock cluster can start");
    kafka.create_topic("events", 1).expect("a topic can be created");
    let properties = properties(&[("bootstrap.servers", kafka.bootstrap_servers())]);
    let payloads: Vec<String> = (0..1_000).map(|row| row.to_string()).collect();
    TestProducer::new(&properties, "events", &[]).send_all(0, payloads.iter().map(String::as_bytes));
    let client = StreamClient::new("test", &properties).expect("the properties make a client");
    let news = Arc::new(Mutex::new(ClientNews::new(&client).expect("a client has its news once")));
    let (mut reader, mut arrivals) = StreamReader::new(client, news).expect("a client has readers");
    let partition = StreamPartition { topic: "events".into(), partition: 0 };
    reader.assign(&[(partition.clone(), Offset(0))]).expect("a partition can be assigned");
    // As it does when it was still fetching for an assignment before.
    reader.queue.forget(c"events", 0);

    let deadline = Instant::now() + PATIENCE;
    let mut offsets = Vec::new();
    while offsets.len() < payloads.len() {
        reader.collect_again();
        arrivals.take(100, Duration::from_millis(50), |arrival| {
            reader.take(&arrival, |_, record| offsets.push(record.offset().0));
        });
        assert!(Instant::now() < deadline, "{} records have arrived", offsets.len());
    }
    assert_eq!(offsets, (0..1_000).collect::<Vec<_>>());
    assert_eq!(reader.position(&partition), Some(Offset(1_000)));
}
