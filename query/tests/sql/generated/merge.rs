//! Rows of groups put together by their keys.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::column::Function;
use crate::differential::canonical::Row;

/// `kept`: how many of the first `keys` cells stay keys. `functions`: what merges each of the cells after them.
pub fn merged(rows: Vec<Row>, kept: usize, keys: usize, functions: &[Function]) -> Vec<Row> {
    let mut groups: BTreeMap<Row, Row> = BTreeMap::new();
    for row in rows {
        let (key, values) = (row[..kept].to_vec(), &row[keys..]);
        match groups.get_mut(&key) {
            None => {
                groups.insert(key, values.to_vec());
            }
            Some(merged) => {
                for ((merged, value), function) in merged.iter_mut().zip(values).zip(functions) {
                    *merged = merge(merged, value, *function);
                }
            }
        }
    }
    groups.into_iter().map(|(key, values)| key.into_iter().chain(values).collect()).collect()
}

/// Two cells in their canonical form; null is nothing.
fn merge(left: &str, right: &str, function: Function) -> String {
    if left == "null" || right == "null" {
        return if left == "null" { right.to_owned() } else { left.to_owned() };
    }
    let least = |is_wanted: bool| if is_wanted { left.to_owned() } else { right.to_owned() };
    match function {
        Function::Sum => match (left.strip_prefix("i:"), right.strip_prefix("i:")) {
            (Some(left), Some(right)) => format!("i:{}", long(left) + long(right)),
            _ => format!("f:{:016x}", (double(left) + double(right)).to_bits()),
        },
        Function::Min | Function::All => least(compare(left, right).is_le()),
        Function::Max | Function::Any => least(compare(left, right).is_ge()),
        Function::Count | Function::CountDistinct | Function::SumDistinct | Function::Avg => {
            panic!("{function:?} has no parts")
        }
    }
}

/// `false` is less than `true` as text, too.
fn compare(left: &str, right: &str) -> Ordering {
    match &left[..2] {
        "f:" => double(left).total_cmp(&double(right)),
        "i:" | "t:" => long(&left[2..]).cmp(&long(&right[2..])),
        _ => left.cmp(right),
    }
}

fn long(digits: &str) -> i64 {
    digits.parse().expect("it is a number")
}

fn double(cell: &str) -> f64 {
    f64::from_bits(u64::from_str_radix(&cell[2..], 16).expect("it is a number"))
}
