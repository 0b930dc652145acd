//! Filters as they are written.

use henge_query::series::{LabelFilter, LabelTest};
use serde_json::Value;

use super::problem::Problem;

/// Filters within filters: more is no question of a person.
const DEPTH_MAX: usize = 32;
/// Tests of one filter.
const TESTS_MAX: usize = 5_000;

/// Reads a filter; members that are not known are left alone.
pub fn read(json: &Value) -> Result<LabelFilter, Problem> {
    let mut reading = Reading { tests: 0 };
    reading.filter(json, "filter", 0)
}

struct Reading {
    tests: usize,
}

impl Reading {
    fn filter(&mut self, json: &Value, place: &str, depth: usize) -> Result<LabelFilter, Problem> {
        if depth > DEPTH_MAX {
            return Err(invalid(format!("filters are at most {DEPTH_MAX} deep: write fewer within each other")));
        }
        if !json.is_object() {
            return Err(invalid(format!("`{place}` is an object with `op`, not {json}")));
        }
        match json.get("op").and_then(Value::as_str) {
            Some("EQ") => self.test(json, place, LabelTest::Equal),
            Some("GT") => self.test(json, place, LabelTest::Greater),
            Some("GTE") => self.test(json, place, LabelTest::GreaterOrEqual),
            Some("AND") => Ok(LabelFilter::All(self.filters(json, place, depth)?)),
            Some("OR") => Ok(LabelFilter::Any(self.filters(json, place, depth)?)),
            Some("NOT") => {
                let place = format!("{place}.filter");
                let inner = json.get("filter").unwrap_or(&Value::Null);
                Ok(LabelFilter::Not(Box::new(self.filter(inner, &place, depth + 1)?)))
            }
            _ => {
                let found = json.get("op").unwrap_or(&Value::Null);
                Err(invalid(format!("`{place}.op` is one of EQ, GT, GTE, AND, OR and NOT, not {found}")))
            }
        }
    }

    fn filters(&mut self, json: &Value, place: &str, depth: usize) -> Result<Vec<LabelFilter>, Problem> {
        let filters = json.get("filters").and_then(Value::as_array).filter(|filters| !filters.is_empty());
        let filters = filters.ok_or_else(|| {
            invalid(format!("`{place}.filters` is an array of one filter at least: add what it joins"))
        })?;
        let each = filters.iter().enumerate();
        each.map(|(at, filter)| self.filter(filter, &format!("{place}.filters[{at}]"), depth + 1)).collect()
    }

    fn test(&mut self, json: &Value, place: &str, test: LabelTest) -> Result<LabelFilter, Problem> {
        self.tests += 1;
        if self.tests > TESTS_MAX {
            return Err(invalid(format!("a filter has at most {TESTS_MAX} tests: ask in several requests")));
        }
        let field = json.get("field").and_then(Value::as_str);
        let field = field.ok_or_else(|| {
            invalid(format!("`{place}.field` is the name of a label such as `metric.topic` or `resource.kafka.id`"))
        })?;
        let value = match json.get("value") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
            other => {
                let found = other.unwrap_or(&Value::Null);
                return Err(invalid(format!("`{place}.value` is a string or a whole number, not {found}")));
            }
        };
        Ok(LabelFilter::Test { field: field.to_owned(), test, value })
    }
}

fn invalid(detail: String) -> Problem {
    Problem::invalid("invalid_filter", detail)
}
