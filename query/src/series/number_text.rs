//! Comparing whole numbers as the texts that they are written as: `10` comes before `9`, and `-1` before both.

use std::ops::Bound;

use henge_indexing::NumberTest;

use super::LabelTest;

/// Tests that together are true of those numbers whose text passes.
pub(super) fn tests(test: LabelTest, value: &str) -> Vec<NumberTest<i64>> {
    if test == LabelTest::Equal {
        let number = value.parse::<i64>().ok().filter(|number| number.to_string() == value);
        return number.map(|number| NumberTest::In(vec![number])).into_iter().collect();
    }
    let passes = |number: i64| {
        let text = number.to_string();
        if test == LabelTest::Greater { text.as_str() > value } else { text.as_str() >= value }
    };
    lengths().filter_map(|(least, greatest)| passing(least, greatest, &passes)).collect()
}

/// Numbers whose texts have the same length and sign: the first of them in the order of texts, and the last.
fn lengths() -> impl Iterator<Item = (i64, i64)> {
    let digits = |count: u32| {
        let first = if count == 1 { 0 } else { 10_i64.pow(count - 1) };
        let last = 10_i64.checked_pow(count).map_or(i64::MAX, |next| next - 1);
        (first, last)
    };
    let negative = |count: u32| {
        let last = 10_i64.checked_pow(count).map_or(i64::MIN, |next| 1 - next);
        (-10_i64.pow(count - 1), last)
    };
    (1..=19).map(digits).chain((1..=19).map(negative))
}

/// Within a length texts grow from `first` to `last`, so what passes is the end of that way.
fn passing(first: i64, last: i64, passes: &impl Fn(i64) -> bool) -> Option<NumberTest<i64>> {
    if !passes(last) {
        return None;
    }
    // `low` steps from `first` do not pass and `high` steps do, where `low` exists.
    let step = |count: u64| {
        if first <= last { first.wrapping_add_unsigned(count) } else { first.wrapping_sub_unsigned(count) }
    };
    let (mut low, mut high) = (0, first.abs_diff(last));
    while low < high {
        let middle = low + (high - low) / 2;
        if passes(step(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let (least, greatest) = if first <= last { (step(high), last) } else { (last, step(high)) };
    Some(NumberTest::Range { lower: Bound::Included(least), upper: Bound::Included(greatest) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passes(tests: &[NumberTest<i64>], number: i64) -> bool {
        tests.iter().any(|test| match test {
            NumberTest::In(numbers) => numbers.contains(&number),
            NumberTest::Range { lower: Bound::Included(least), upper: Bound::Included(greatest) } => {
                (*least..=*greatest).contains(&number)
            }
            NumberTest::Range { .. } => unreachable!("ranges have both ends"),
        })
    }

    fn number() -> impl Strategy<Value = i64> {
        let edges =
            [0, 1, -1, 9, 10, -9, -10, 99, 100, i64::MAX, i64::MIN, i64::MIN + 1, 10_i64.pow(18), -(10_i64.pow(18))];
        prop_oneof![prop::sample::select(edges.to_vec()), any::<i64>(), -1_000_i64..1_000]
    }

    proptest! {
        #[test]
        fn ranges_of_numbers_are_those_whose_texts_pass(
            number in number(),
            value in prop_oneof![number().prop_map(|number| number.to_string()), "[-0-9a]{0,4}"],
        ) {
            let text = number.to_string();
            prop_assert_eq!(passes(&tests(LabelTest::Equal, &value), number), text == value);
            prop_assert_eq!(passes(&tests(LabelTest::Greater, &value), number), text > value);
            prop_assert_eq!(passes(&tests(LabelTest::GreaterOrEqual, &value), number), text >= value);
        }
    }
}
