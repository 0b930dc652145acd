//! Whether an answer is the oracle's.

use std::cmp::Ordering;

use serde::Deserialize;

use super::answer::{Answer, Cell};

/// Doubles are sums in another order.
const RELATIVE_ERROR: f64 = 1e-9;

/// A column of the oracle, and where the answer has its like.
enum Column {
    Equal { oracle: usize, answer: usize },
    Between { low: usize, high: usize, answer: usize },
}

/// What a query keeps of its rows: those with the most in a column.
#[derive(Debug, Clone, Deserialize)]
pub struct Top {
    pub by: String,
    pub rows: usize,
}

/// As [`difference`], but where rows are left out by a limit, any of those that tie for the last places may be there.
pub fn difference_of_top(oracle: &mut Answer, answer: &mut Answer, top: &Top) -> Option<String> {
    let places = (oracle.column(&top.by), answer.column(&top.by));
    let (Some(in_oracle), Some(in_answer)) = places else { return difference(oracle, answer) };
    let Some(last) = oracle.rows.iter().map(|row| row[in_oracle].clone()).min_by(Cell::order) else {
        return difference(oracle, answer);
    };
    if oracle.rows.len() != top.rows || answer.rows.len() != top.rows {
        return difference(oracle, answer);
    }
    let above = |rows: &[Vec<Cell>], place: usize| -> Vec<Vec<Cell>> {
        rows.iter().filter(|row| !is_equal(&last, &row[place])).cloned().collect()
    };
    let mut expected = Answer { columns: oracle.columns.clone(), rows: above(&oracle.rows, in_oracle) };
    answer.rows = above(&answer.rows, in_answer);
    difference(&mut expected, answer)
}

/// What differs, in a few words; `None` where nothing does. Rows are a set, of which some may be equal.
pub fn difference(oracle: &mut Answer, answer: &mut Answer) -> Option<String> {
    let columns = match matched(oracle, answer) {
        Ok(columns) => columns,
        Err(difference) => return Some(difference),
    };
    if oracle.rows.len() != answer.rows.len() {
        return Some(format!("{} rows, not {}", answer.rows.len(), oracle.rows.len()));
    }
    // What must be equal decides the order, so that bounds stand beside what they bound.
    let exact: Vec<(usize, usize)> = columns.iter().filter_map(Column::exact_places).collect();
    oracle.rows.sort_by(|left, right| order(left, right, exact.iter().map(|places| places.0)));
    answer.rows.sort_by(|left, right| order(left, right, exact.iter().map(|places| places.1)));
    let mut rows = oracle.rows.iter().zip(&answer.rows);
    let is_right =
        |(oracle, answer): (&Vec<Cell>, &Vec<Cell>)| columns.iter().all(|column| column.holds(oracle, answer));
    let (expected, found) = rows.find(|(oracle, answer)| !is_right((oracle, answer)))?;
    let wrong = 1 + rows.filter(|row| !is_right(*row)).count();
    Some(format!("{wrong} of {} rows differ, the first {found:?}, not {expected:?}", answer.rows.len()))
}

fn matched(oracle: &Answer, answer: &Answer) -> Result<Vec<Column>, String> {
    let missing = |name: &str| format!("no column `{name}` among {:?}", answer.columns);
    let mut columns = Vec::new();
    for (place, name) in oracle.columns.iter().enumerate() {
        if let Some(bounded) = name.strip_suffix("_low") {
            let high = oracle.column(&format!("{bounded}_high")).ok_or(format!("the oracle has no {bounded}_high"))?;
            let answer = answer.column(bounded).ok_or_else(|| missing(bounded))?;
            columns.push(Column::Between { low: place, high, answer });
        } else if !name.ends_with("_high") {
            columns.push(Column::Equal { oracle: place, answer: answer.column(name).ok_or_else(|| missing(name))? });
        }
    }
    match columns.len() == answer.columns.len() {
        true => Ok(columns),
        false => Err(format!("columns {:?}, not {:?}", answer.columns, oracle.columns)),
    }
}

impl Column {
    fn exact_places(&self) -> Option<(usize, usize)> {
        match self {
            Self::Equal { oracle, answer } => Some((*oracle, *answer)),
            Self::Between { .. } => None,
        }
    }

    fn holds(&self, oracle: &[Cell], found: &[Cell]) -> bool {
        match self {
            Self::Equal { oracle: place, answer } => is_equal(&oracle[*place], &found[*answer]),
            Self::Between { low, high, answer } => {
                match (oracle[*low].number(), found[*answer].number(), oracle[*high].number()) {
                    (Some(low), Some(value), Some(high)) => low <= value && value <= high,
                    _ => false,
                }
            }
        }
    }
}

fn order(left: &[Cell], right: &[Cell], mut places: impl Iterator<Item = usize>) -> Ordering {
    places
        .find_map(|place| Some(left[place].order(&right[place])).filter(|order| order.is_ne()))
        .unwrap_or(Ordering::Equal)
}

fn is_equal(expected: &Cell, found: &Cell) -> bool {
    match (expected, found) {
        (Cell::Double(_), Cell::Double(_) | Cell::Integer(_)) | (Cell::Integer(_), Cell::Double(_)) => {
            match (expected.number(), found.number()) {
                (Some(expected), Some(found)) => (expected - found).abs() <= RELATIVE_ERROR * expected.abs().max(1e-9),
                _ => false,
            }
        }
        _ => expected == found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(lines: &str) -> Answer {
        Answer::parse(lines).expect("the lines of a test are an answer")
    }

    fn compared(oracle: &str, found: &str) -> Option<String> {
        difference(&mut answer(oracle), &mut answer(found))
    }

    #[test]
    fn rows_are_a_set_and_columns_go_by_their_names() {
        let oracle = "[\"a\",\"t\"]\n[\"BIGINT\",\"TIMESTAMP\"]\n[1,\"2026-03-01T00:00:00.000Z\"]\n[2,null]\n";
        let same = "[\"t\",\"a\"]\n[\"BIGINT\",\"BIGINT\"]\n[null,2]\n[1772323200000,1]\n";
        assert_eq!(compared(oracle, same), None);
        let other = "[\"t\",\"a\"]\n[\"BIGINT\",\"BIGINT\"]\n[null,2]\n[1772323200001,1]\n";
        assert!(compared(oracle, other).is_some_and(|text| text.starts_with("1 of 2 rows differ")));
        let fewer = "[\"t\",\"a\"]\n[\"BIGINT\",\"BIGINT\"]\n[null,2]\n";
        assert_eq!(compared(oracle, fewer).as_deref(), Some("1 rows, not 2"));
        let unnamed = "[\"t\",\"b\"]\n[\"BIGINT\",\"BIGINT\"]\n";
        assert_eq!(compared(oracle, unnamed).as_deref(), Some("no column `a` among [\"b\", \"t\"]"));
    }

    #[test]
    fn bounds_hold_what_lies_between_them() {
        let oracle = "[\"k\",\"n_low\",\"n_high\"]\n[\"VARCHAR\",\"DOUBLE\",\"DOUBLE\"]\n[\"x\",92,108]\n[\"y\",1,1]\n";
        let found = |x: f64| format!("[\"n\",\"k\"]\n[\"BIGINT\",\"VARCHAR\"]\n[1,\"y\"]\n[{x},\"x\"]\n");
        assert_eq!(compared(oracle, &found(108.0)), None);
        assert!(compared(oracle, &found(108.5)).is_some());
    }

    #[test]
    fn rows_that_tie_for_the_last_place_stand_for_each_other() {
        let rows = |last: &str| format!("[\"k\",\"s\"]\n[\"VARCHAR\",\"BIGINT\"]\n[\"x\",9]\n[{last}]\n");
        let compared = |rows_max: usize, found: &str| {
            let top = Top { by: "s".into(), rows: rows_max };
            difference_of_top(&mut answer(&rows("\"y\",1")), &mut answer(&rows(found)), &top)
        };
        assert_eq!(compared(2, "\"z\",1"), None);
        assert!(compared(2, "\"z\",2").is_some());
        assert!(compared(10, "\"z\",1").is_some(), "nothing was left out");
    }

    #[test]
    fn doubles_may_differ_in_their_last_digits_and_integers_may_not() {
        let one = |value: &str| format!("[\"a\"]\n[\"DOUBLE\"]\n[{value}]\n");
        assert_eq!(compared(&one("0.1"), &one("0.10000000000000002")), None);
        assert!(compared(&one("0.1"), &one("0.1000001")).is_some());
        assert!(compared(&one("10000000000"), &one("10000000001")).is_some());
    }
}
