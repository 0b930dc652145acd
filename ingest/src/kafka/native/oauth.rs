//! Hands a token to the client.

use std::ffi::CString;
use std::ptr;

use rdkafka::bindings::{rd_kafka_oauthbearer_set_token, rd_kafka_resp_err_t};
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::kafka::error::KafkaError;
use crate::kafka::oauth_token::OauthToken;

/// An error when the token has expired.
pub fn set_token(consumer: &BaseConsumer, token: &OauthToken) -> Result<(), KafkaError> {
    let wrong = |detail| KafkaError::Token { detail };
    let value = CString::new(token.value.as_str()).map_err(|_| wrong("has a zero byte"))?;
    let principal = CString::new(token.principal.as_str()).map_err(|_| wrong("has a zero byte in its `sub`"))?;
    let mut reason = [0; 1];
    // SAFETY: the client is alive, both texts are C strings, there are no extensions, and the reason has the room stated.
    let code = unsafe {
        rd_kafka_oauthbearer_set_token(
            consumer.client().native_ptr(),
            value.as_ptr(),
            token.expires.0,
            principal.as_ptr(),
            ptr::null_mut(),
            0,
            reason.as_mut_ptr(),
            reason.len(),
        )
    };
    match code {
        rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__INVALID_ARG => Err(wrong("has expired or is not well formed")),
        code => Err(KafkaError::Unavailable { operation: "set the OAUTHBEARER token", code: code.into() }),
    }
}
