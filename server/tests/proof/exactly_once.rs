//! A million events through transactions, a third of them aborted: every number that SQL answers is the producer's.

use std::time::Duration;

use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::read_committed::read_committed;

use crate::henge::Henge;
use crate::ledger;
use crate::production::{Plan, Production};
use crate::reference::Reference;
use crate::workload;

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn a_million_events_are_each_counted_once() {
    let broker = RealBroker::shared();
    let plan = Plan { topic: "million".into(), partitions: 8, transactions: 1_430, duration: Duration::ZERO };
    Admin::new(&broker.properties()).create_topic(&plan.topic, plan.partitions, &[]);
    let mut henge = Henge::server(&workload::config(broker.bootstrap_servers(), &plan.topic));
    henge.start_ready();
    let production = Production::start(&plan, &broker.properties());
    production.finish();
    ledger::wait_until_all_is_read(&henge, &plan);

    let reference = Reference::of(&plan);
    reference.assert_is_answered(&henge);
    ledger::assert_is_exact(&henge, &plan);
    let seen: u64 = read_committed(&broker.properties(), &plan.topic, |_| {}).values().sum();
    assert_eq!(seen, plan.record_count(), "an independent reader sees what was produced");

    // What is published answers like what was open.
    assert!(henge.terminate().success(), "SIGTERM ends it well");
    henge.start_ready();
    reference.assert_is_answered(&henge);
    ledger::assert_is_exact(&henge, &plan);
}
