//! Which values of a column of strings there are in some rows.

use super::column::TextColumn;
use super::page::CodePage;
use crate::predicate::Predicate;
use crate::{BLOCK_ROWS, CodeSet, RowSet};

impl TextColumn<'_> {
    /// The codes for which a predicate on this column, called `name`, is true, null's among them; every value of the
    /// dictionary is some row's. `None` where the predicate asks for anything else.
    pub fn codes_where(&self, predicate: &Predicate, name: &str) -> Option<CodeSet> {
        self.codes_where_is(predicate, name, false)
    }

    /// Those for which it is true, or for which it is false where `is_negated`.
    fn codes_where_is(&self, predicate: &Predicate, name: &str, is_negated: bool) -> Option<CodeSet> {
        let distinct = self.distinct();
        let all = || CodeSet::from_range(distinct, 0..distinct + 1);
        Some(match predicate {
            Predicate::Const(is) if *is == Some(!is_negated) => all(),
            Predicate::Const(_) => CodeSet::none(distinct),
            Predicate::Not(part) => return self.codes_where_is(part, name, !is_negated),
            Predicate::And(parts) | Predicate::Or(parts) => {
                let parts = parts.iter().map(|part| self.codes_where_is(part, name, is_negated));
                let parts = parts.collect::<Option<Vec<_>>>()?;
                match matches!(predicate, Predicate::And(_)) != is_negated {
                    true => parts.iter().fold(all(), |codes, part| codes.and(part)),
                    false => parts.iter().fold(CodeSet::none(distinct), |codes, part| codes.or(part)),
                }
            }
            Predicate::IsNull(column) if **column == *name => match is_negated {
                true => CodeSet::values(distinct),
                false => CodeSet::null(distinct),
            },
            Predicate::Text { column, test } if **column == *name => {
                let codes = match self.known_codes(test) {
                    Ok(codes) => codes,
                    Err(_) => self.read_codes(test),
                };
                if is_negated { codes.complement_of_values() } else { (*codes).clone() }
            }
            _ => return None,
        })
    }

    /// The codes of some rows, null's among them.
    pub fn codes_in(&self, rows: &RowSet) -> CodeSet {
        let mut words = vec![0_u64; self.distinct() as usize / 64 + 1];
        let mut buffer = [0; BLOCK_ROWS];
        for (block, rows) in rows.blocks() {
            let codes = self.codes(block, &mut buffer);
            rows.for_each(codes.len(), |row| {
                // Codes of damaged bytes may lie beyond the dictionary.
                if let Some(word) = codes.get(row).and_then(|&code| Some((words.get_mut(code as usize / 64)?, code))) {
                    *word.0 |= 1 << (word.1 % 64);
                }
            });
        }
        CodeSet::from_bits(self.distinct(), &words)
    }

    /// Whether a row is null.
    pub fn has_nulls(&self) -> bool {
        match self {
            Self::Sorted { codes, .. } => CodePage::Packed(codes).has_nulls(),
            Self::Growing { pages, .. } => pages.iter().any(|page| page.has_nulls()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ops::Bound;

    use proptest::prelude::*;

    use crate::evaluate::evaluate;
    use crate::evaluate::tests::segment::{self, Form, Kind, Plan, Random, Segment, Shape};
    use crate::naive::Columns;
    use crate::predicate::tests::text_test;
    use crate::{Column, Predicate};

    fn predicate() -> impl Strategy<Value = Predicate> {
        let leaf = prop_oneof![
            4 => text_test().prop_map(|test| Predicate::Text { column: "text".into(), test }),
            1 => Just(Predicate::IsNull("text".into())),
            1 => prop::option::of(any::<bool>()).prop_map(Predicate::Const),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::And),
                prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::Or),
                inner.prop_map(|part| Predicate::Not(Box::new(part))),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_codes_that_pass_are_those_of_the_rows_that_do(predicate in predicate(), seed: u64, has_nulls: bool) {
            let plans = [("text".to_owned(), Plan { kind: Kind::Text, shape: Shape::Few, has_nulls })];
            let values = segment::values(plans[0].1, 2_000, &mut Random(seed));
            let columns = Columns::from([("text".to_owned(), values)]);
            let stored = Segment::new(&plans, &columns, seed, 0);
            for form in [Form::Packed, Form::Growing] {
                let Ok(Column::Text(column)) = stored.column("text", form) else { unreachable!("it is of texts") };
                prop_assert_eq!(column.has_nulls(), columns["text"].contains(&None));
                let Ok(rows) = evaluate(&predicate, 2_000, true, &|name: &str| stored.column(name, form));
                let present = column.codes_in(&rows);
                let by_row: BTreeSet<u32> = rows.iter().map(|row| column.code(row)).collect();
                prop_assert!(present.iter().eq(by_row));
                let mut passing = column.codes_where(&predicate, "text").expect("it is about this column");
                if !column.has_nulls() {
                    passing = passing.and(&crate::CodeSet::values(column.distinct()));
                }
                prop_assert_eq!(passing, present);
            }
        }
    }

    #[test]
    fn a_predicate_on_another_column_says_nothing_about_codes() {
        let plans = [("text".to_owned(), Plan { kind: Kind::Text, shape: Shape::Few, has_nulls: true })];
        let columns = Columns::from([("text".to_owned(), segment::values(plans[0].1, 100, &mut Random(1)))]);
        let stored = Segment::new(&plans, &columns, 1, 0);
        let Ok(Column::Text(column)) = stored.column("text", Form::Packed) else { unreachable!("it is of texts") };
        let other = Predicate::IsNull("other".into());
        let range = crate::TextTest::Range { lower: Bound::Unbounded, upper: Bound::Unbounded };
        let own = Predicate::Text { column: "text".into(), test: range };
        assert_eq!(column.codes_where(&Predicate::And(vec![own.clone(), other]), "text"), None);
        assert!(column.codes_where(&Predicate::And(vec![own]), "text").is_some());
    }
}
