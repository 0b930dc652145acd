use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::fleet::Fleet;
use super::parameters::Parameters;

/// All values of a thousand events as text, and what that text has always been.
#[test]
fn a_seed_makes_the_same_events_on_every_machine() {
    let fleet = Fleet::new(1, 100_000, 2_000);
    let batch = super::parquet::batch(&fleet, 0..1_000).expect("columns match the schema");
    let options = FormatOptions::default().with_null("null");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).expect("all types have a text"))
        .collect();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for row in 0..batch.num_rows() {
        let line = columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("\t") + "\n";
        hash = line.bytes().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    }
    assert_eq!(format!("{hash:016x}"), "2034c8e52c9e6b27");
}

#[test]
fn parameters_name_clusters_that_are_there() {
    let fleet = Fleet::new(1, 100_000, 2_000);
    let parameters = Parameters::of(&fleet);
    assert_eq!((parameters.hot.rank, parameters.hot.topics.len()), (3, 7));
    assert_eq!((parameters.warm.rank, parameters.cold.cluster.len()), (1_000, "lkc-000000".len()));
    assert!(parameters.many.len() > 50 && parameters.many.iter().all(|name| name.starts_with("lkc-")));
}
