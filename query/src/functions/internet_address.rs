//! `IPV4_*` and `IPV6_MATCH`.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::row_function::{Body, Constants, Kind, RowFunction, Value};
use crate::error::QueryError;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "ipv4_match",
        aliases: &[],
        usage: "IPV4_MATCH(address, '10.0.0.0/8')",
        parameters: &[Kind::Text, Kind::Text],
        required: 2,
        result: Kind::Boolean,
        bind: match_v4,
    },
    RowFunction {
        name: "ipv6_match",
        aliases: &[],
        usage: "IPV6_MATCH(address, '2001:db8::/32')",
        parameters: &[Kind::Text, Kind::Text],
        required: 2,
        result: Kind::Boolean,
        bind: match_v6,
    },
    RowFunction {
        name: "ipv4_parse",
        aliases: &[],
        usage: "IPV4_PARSE('10.0.0.1')",
        parameters: &[Kind::Text],
        required: 1,
        result: Kind::Long,
        bind: |_| Ok(Box::new(|row| Ok(Value::long_or_null(read_v4(row.text(0)).map(i64::from))))),
    },
    RowFunction {
        name: "ipv4_stringify",
        aliases: &[],
        usage: "IPV4_STRINGIFY(167772161)",
        parameters: &[Kind::Text],
        required: 1,
        result: Kind::Text,
        bind: |_| {
            Ok(Box::new(|row| {
                let address = read_v4(row.text(0)).map(|bits| Ipv4Addr::from_bits(bits).to_string());
                Ok(address.map_or(Value::Null, Value::Text))
            }))
        },
    },
];

/// An address in four numbers, or in one.
fn read_v4(text: &str) -> Option<u32> {
    text.parse::<Ipv4Addr>().map(Ipv4Addr::to_bits).ok().or_else(|| text.parse().ok())
}

fn split(subnet: &str, bits: u32) -> Option<(&str, u32)> {
    match subnet.split_once('/') {
        Some((address, length)) => Some((address, length.parse().ok().filter(|length| *length <= bits)?)),
        None => Some((subnet, bits)),
    }
}

fn no_subnet(subnet: &str) -> QueryError {
    QueryError::plan(format!("'{subnet}' is not a subnet: write an address, or one with a length such as 10.0.0.0/8"))
}

fn match_v4(constants: &Constants<'_>) -> Result<Body, QueryError> {
    let subnet = constants.required_text(1)?;
    let (address, length) = split(subnet, 32).ok_or_else(|| no_subnet(subnet))?;
    let address = address.parse::<Ipv4Addr>().map_err(|_| no_subnet(subnet))?.to_bits();
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    Ok(Box::new(move |row| {
        Ok(Value::Boolean(read_v4(row.text(0)).is_some_and(|given| given & mask == address & mask)))
    }))
}

fn match_v6(constants: &Constants<'_>) -> Result<Body, QueryError> {
    let subnet = constants.required_text(1)?;
    let (address, length) = split(subnet, 128).ok_or_else(|| no_subnet(subnet))?;
    let address = address.parse::<Ipv6Addr>().map_err(|_| no_subnet(subnet))?.to_bits();
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
    Ok(Box::new(move |row| {
        let given = row.text(0).parse::<Ipv6Addr>().map(Ipv6Addr::to_bits);
        Ok(Value::Boolean(given.is_ok_and(|given| given & mask == address & mask)))
    }))
}
