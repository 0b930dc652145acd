//! A partition's ends as the last fetch told them.

use std::ffi::CStr;

use henge_segment_store::stream::{Offset, OffsetRange};
use rdkafka::bindings::{rd_kafka_get_watermark_offsets, rd_kafka_resp_err_t};
use rdkafka::consumer::{BaseConsumer, Consumer};

/// The log start and the high watermark that came with the partition's last fetch; asks nobody. `None` before the first
/// fetch.
pub fn cached(consumer: &BaseConsumer, topic: &CStr, partition: i32) -> Option<OffsetRange> {
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client is alive, the topic is a C string, both places are valid.
    let code = unsafe {
        let client = consumer.client().native_ptr();
        rd_kafka_get_watermark_offsets(client, topic.as_ptr(), partition, &mut low, &mut high)
    };
    let is_known = code == rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && low >= 0 && high >= 0;
    is_known.then_some(OffsetRange { start: Offset(low), end: Offset(high) })
}
