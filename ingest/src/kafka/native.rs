//! What the safe wrapper of the client library does not offer: batch consumption, header views without a copy, topic ids,
//! cached watermarks, and the client's own events. The only unsafe code of this crate; everything it hands out is safe.
#![allow(unsafe_code)]

pub mod batch;
pub mod client_event;
pub mod describe;
pub mod mock;
pub mod oauth;
pub mod queue;
pub mod record;
pub mod watermark;

use rdkafka::bindings::rd_kafka_resp_err_t;
use rdkafka::error::RDKafkaErrorCode;

/// Reads a response code as the number it is: brokers may send codes that the enumeration does not know, and a Rust enum
/// must never hold those.
///
/// # Safety
/// `code` points to an initialised `rd_kafka_resp_err_t`.
unsafe fn error_code(code: *const rd_kafka_resp_err_t) -> RDKafkaErrorCode {
    // SAFETY: the enumeration is `repr(i32)`, so the memory holds an i32.
    let number = unsafe { code.cast::<i32>().read() };
    rd_kafka_resp_err_t::try_from(number).map_or(RDKafkaErrorCode::Unknown, RDKafkaErrorCode::from)
}

/// Whole milliseconds as the C interface takes them.
fn millis(timeout: std::time::Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}
