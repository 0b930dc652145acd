//! One directory belongs to one process.

use serde_json::json;

use crate::henge::Henge;

#[test]
fn a_second_process_on_the_same_directory_is_refused() {
    let mut first = Henge::server("");
    first.start_ready();
    let (status, log) = first.run_second();
    assert!(!status.success(), "{log}");
    assert!(status.code().is_some(), "it ends by itself: {status}");
    let data_dir = first.data_dir().to_string_lossy().into_owned();
    assert!(log.contains(&data_dir) && log.contains("another"), "it says which directory, and why: {log}");
    assert_eq!(first.sql("SELECT 1"), [[json!(1)]], "the first one goes on");
}
