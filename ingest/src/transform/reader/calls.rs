//! Calls of functions.

use henge_segment_store::schema::DimensionType::{Boolean, Long, String as Text};
use henge_segment_store::time::Granularity;
use jiff::tz::TimeZone;
use regex::{Regex, RegexBuilder};
use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value, ValueWithSpan};
use sqlparser::tokenizer::Location;

use super::place::{place, place_of_call};
use super::typed::{alike, number_kind};
use super::{Read, Reader, Typed, arithmetic_node, error, text_literal};
use crate::spec::unknown;
use crate::transform::node::{Arithmetic, Comparison, Node, TrimSide};

const FUNCTIONS: [&str; 22] = [
    "ABS",
    "BTRIM",
    "CHARACTER_LENGTH",
    "CHAR_LENGTH",
    "COALESCE",
    "CONCAT",
    "LENGTH",
    "LOWER",
    "LTRIM",
    "MOD",
    "NULLIF",
    "NVL",
    "REGEXP_EXTRACT",
    "REGEXP_LIKE",
    "REPLACE",
    "RTRIM",
    "STRLEN",
    "SUBSTR",
    "SUBSTRING",
    "TIME_FLOOR",
    "TRIM",
    "UPPER",
];
/// What a compiled regular expression may take.
const REGEX_BYTES_MAX: usize = 1 << 20;

impl Reader<'_> {
    pub(super) fn call(&mut self, call: &Function) -> Read<Typed> {
        let name = call.name.to_string().to_ascii_uppercase();
        let at = place_of_call(call);
        if !FUNCTIONS.contains(&name.as_str()) {
            let known = FUNCTIONS.iter().copied();
            return Err(error(format!("`{name}`: {}", unknown("function", &name, known)), at));
        }
        let arguments = arguments(call).ok_or_else(|| error(format!("`{name}` takes plain arguments"), at))?;
        self.known_call(&name, &arguments, call)
            .unwrap_or_else(|| Err(error(format!("`{name}` does not take {} arguments", arguments.len()), at)))
    }

    /// `None` for a number of arguments that the function does not take.
    fn known_call(&mut self, name: &str, arguments: &[&Expr], call: &Function) -> Option<Read<Typed>> {
        Some(match (name, arguments) {
            ("ABS", [number]) => self.absolute(number),
            ("MOD", [left, right]) => self.remainder(left, right),
            ("COALESCE", [_, ..]) | ("NVL", [_, _]) => self.coalesce(arguments),
            ("NULLIF", [value, other]) => self.null_if(value, other),
            ("CONCAT", [_, ..]) => self.concat(arguments),
            ("LOWER", [text]) => self.text_call(text, Node::Lower),
            ("UPPER", [text]) => self.text_call(text, Node::Upper),
            ("LENGTH" | "CHAR_LENGTH" | "CHARACTER_LENGTH" | "STRLEN", [text]) => {
                self.as_boxed(text, Text).map(|text| Typed::new(Node::Length(text), Long))
            }
            ("SUBSTRING" | "SUBSTR", [text, start]) => self.substring(text, start, None),
            ("SUBSTRING" | "SUBSTR", [text, start, length]) => self.substring(text, start, Some(length)),
            ("TRIM" | "BTRIM", [text]) => self.trim(TrimSide::Both, text, None),
            ("TRIM" | "BTRIM", [text, characters]) => self.trim(TrimSide::Both, text, Some(characters)),
            ("LTRIM", [text]) => self.trim(TrimSide::Start, text, None),
            ("LTRIM", [text, characters]) => self.trim(TrimSide::Start, text, Some(characters)),
            ("RTRIM", [text]) => self.trim(TrimSide::End, text, None),
            ("RTRIM", [text, characters]) => self.trim(TrimSide::End, text, Some(characters)),
            ("REPLACE", [text, wanted, replacement]) => self.replace(text, wanted, replacement),
            ("REGEXP_LIKE", [text, pattern]) => self.regexp_like(text, pattern, place_of_call(call)),
            ("REGEXP_EXTRACT", [text, pattern]) => self.regexp_extract(text, pattern, None, place_of_call(call)),
            ("REGEXP_EXTRACT", [text, pattern, group]) => {
                self.regexp_extract(text, pattern, Some(group), place_of_call(call))
            }
            ("TIME_FLOOR", [time, period]) => self.time_floor(time, period, place_of_call(call)),
            _ => return None,
        })
    }

    fn absolute(&mut self, number: &Expr) -> Read<Typed> {
        let typed = self.read(number)?;
        let kind = number_kind(&[&typed], "`ABS`", number)?;
        let number = super::widened(typed, kind);
        Ok(Typed::new(Node::Absolute(kind, Box::new(number)), kind))
    }

    fn remainder(&mut self, left: &Expr, right: &Expr) -> Read<Typed> {
        let (left_value, right_value) = (self.read(left)?, self.read(right)?);
        arithmetic_node(Arithmetic::Remainder, left_value, right_value, "`MOD`", left)
    }

    fn coalesce(&mut self, arguments: &[&Expr]) -> Read<Typed> {
        let values = arguments.iter().map(|argument| self.read(argument)).collect::<Read<_>>()?;
        let (kind, values) = alike(values, place(arguments[0]))?;
        Ok(Typed::new(Node::Coalesce(kind, values), kind))
    }

    /// `CASE WHEN value = other THEN NULL ELSE value END`.
    fn null_if(&mut self, value: &Expr, other: &Expr) -> Read<Typed> {
        let condition = self.compare(Comparison::Equal, value, other)?.node;
        let Typed { node, kind } = self.read(value)?;
        let Some(kind) = kind else { return Ok(Typed { node, kind: None }) };
        let values = vec![Node::Null(kind), node];
        Ok(Typed::new(Node::Case { kind, conditions: vec![condition], values }, kind))
    }

    fn concat(&mut self, arguments: &[&Expr]) -> Read<Typed> {
        let parts = arguments.iter().map(|argument| self.as_text(argument)).collect::<Read<_>>()?;
        Ok(Typed::new(Node::Concat(parts), Text))
    }

    fn text_call(&mut self, text: &Expr, node: fn(Box<Node>) -> Node) -> Read<Typed> {
        Ok(Typed::new(node(self.as_boxed(text, Text)?), Text))
    }

    fn substring(&mut self, text: &Expr, start: &Expr, length: Option<&Expr>) -> Read<Typed> {
        let (text, start) = (self.as_boxed(text, Text)?, self.as_boxed(start, Long)?);
        let length = length.map(|length| self.as_boxed(length, Long)).transpose()?;
        Ok(Typed::new(Node::Substring { text, start, length }, Text))
    }

    fn replace(&mut self, text: &Expr, wanted: &Expr, replacement: &Expr) -> Read<Typed> {
        let text = self.as_boxed(text, Text)?;
        let (wanted, replacement) = (self.as_boxed(wanted, Text)?, self.as_boxed(replacement, Text)?);
        Ok(Typed::new(Node::Replace { text, wanted, replacement }, Text))
    }

    fn regexp_like(&mut self, text: &Expr, pattern: &Expr, at: Option<Location>) -> Read<Typed> {
        Ok(Typed::new(Node::RegexLike(self.as_boxed(text, Text)?, regex(pattern, at)?), Boolean))
    }

    fn regexp_extract(
        &mut self,
        text: &Expr,
        pattern: &Expr,
        group: Option<&Expr>,
        at: Option<Location>,
    ) -> Read<Typed> {
        let (text, pattern) = (self.as_boxed(text, Text)?, regex(pattern, at)?);
        let group = match group {
            None => Some(0),
            Some(Expr::Value(ValueWithSpan { value: Value::Number(digits, _), .. })) => digits.parse().ok(),
            Some(_) => None,
        };
        let Some(group) = group.filter(|&group| group < pattern.captures_len()) else {
            let groups = pattern.captures_len() - 1;
            return Err(error(format!("the group must be a number from 0 to {groups}, as the pattern has"), at));
        };
        Ok(Typed::new(Node::RegexExtract { text, pattern, group }, Text))
    }

    fn time_floor(&mut self, time: &Expr, period: &Expr, at: Option<Location>) -> Read<Typed> {
        let time = self.as_boxed(time, Long)?;
        let period =
            text_literal(period).ok_or_else(|| error("the period must be a literal such as 'PT1H'".to_owned(), at))?;
        let granularity =
            Granularity::period(period, None, TimeZone::UTC).map_err(|cause| error(cause.to_string(), at))?;
        Ok(Typed::new(Node::TimeFloor(time, granularity), Long))
    }
}

fn arguments(call: &Function) -> Option<Vec<&Expr>> {
    let is_plain = call.over.is_none()
        && call.filter.is_none()
        && call.null_treatment.is_none()
        && call.within_group.is_empty()
        && matches!(call.parameters, FunctionArguments::None);
    let FunctionArguments::List(list) = &call.args else { return None };
    if !is_plain || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return None;
    }
    list.args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}

fn regex(pattern: &Expr, at: Option<Location>) -> Read<Regex> {
    let text = text_literal(pattern).ok_or_else(|| error("the pattern must be a literal".to_owned(), at))?;
    RegexBuilder::new(text)
        .size_limit(REGEX_BYTES_MAX)
        .build()
        .map_err(|_| error(format!("`{text}` is not a regular expression, or too large a one"), at))
}
