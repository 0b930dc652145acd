//! Druid's native expressions, as the expressions in SQL that mean the same.
//!
//! ```text
//! text -> tokens -> SQL, by precedence:  ! -  then  * / %  then  + -  then  < <= > >= == !=  then  && ||
//! ```
//!
//! What cannot be said in SQL over records is an error that names it. Types are checked when the SQL is read.

mod tokens;

use self::tokens::{Token, tokens};

/// Parentheses and calls within each other.
const DEPTH_MAX: usize = 32;

/// How tightly the outermost operator of an expression in SQL binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Sign,
    Tightest,
}

/// An expression in SQL.
struct Sql {
    text: String,
    binding: Binding,
    /// Druid's conditions are the numbers 1 and 0, ours are booleans, which become other texts.
    is_condition: bool,
}

impl Sql {
    /// As an operand that has to bind so tightly, or stand in parentheses, of which there should be few: their number within
    /// each other is bounded.
    fn binding(&self, wanted: Binding) -> String {
        if self.binding >= wanted { self.text.clone() } else { format!("({})", self.text) }
    }
}

/// Translates; `name` says what a name in the expression is called in SQL.
pub(super) fn to_sql(text: &str, name: impl FnMut(&str) -> Result<String, String>) -> Result<String, String> {
    let mut translation = Translation { tokens: tokens(text)?, next: 0, depth: 0, name };
    let sql = translation.logic()?;
    match translation.peek() {
        None => Ok(sql.text),
        Some(token) => Err(format!("expected the end of the expression, found `{token}`")),
    }
}

struct Translation<N> {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    name: N,
}

type Read<T> = Result<T, String>;

impl<N: FnMut(&str) -> Result<String, String>> Translation<N> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    /// The next token, if it is one of these symbols.
    fn symbol(&mut self, symbols: &[&'static str]) -> Option<&'static str> {
        let Some(Token::Symbol(found)) = self.peek() else { return None };
        let found = symbols.iter().find(|symbol| *symbol == found)?;
        self.next += 1;
        Some(found)
    }

    fn expect(&mut self, symbol: &'static str) -> Read<()> {
        if self.symbol(&[symbol]).is_some() {
            return Ok(());
        }
        let found = self.peek().map_or("its end".to_owned(), |token| format!("`{token}`"));
        Err(format!("expected `{symbol}`, found {found}"))
    }

    /// Druid gives both operators the same precedence.
    fn logic(&mut self) -> Read<Sql> {
        let mut left = self.comparison()?;
        while let Some(symbol) = self.symbol(&["&&", "||"]) {
            let right = self.comparison()?;
            left = match symbol {
                "&&" => {
                    let (left, right) = (left.binding(Binding::And), right.binding(Binding::Not));
                    condition(format!("{left} AND {right}"), Binding::And)
                }
                _ => {
                    let (left, right) = (left.binding(Binding::Or), right.binding(Binding::And));
                    condition(format!("{left} OR {right}"), Binding::Or)
                }
            };
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Read<Sql> {
        let mut left = self.sum()?;
        while let Some(symbol) = self.symbol(&["<=", ">=", "==", "!=", "<", ">"]) {
            let right = self.sum()?;
            let operator = match symbol {
                "==" => "=",
                "!=" => "<>",
                other => other,
            };
            let (first, second) = (left.binding(Binding::Sum), right.binding(Binding::Sum));
            left = condition(format!("{first} {operator} {second}"), Binding::Comparison);
        }
        Ok(left)
    }

    fn sum(&mut self) -> Read<Sql> {
        let mut left = self.product()?;
        while let Some(operator) = self.symbol(&["+", "-"]) {
            let right = self.product()?.binding(Binding::Product);
            left = value(format!("{} {operator} {right}", left.binding(Binding::Sum)), Binding::Sum);
        }
        Ok(left)
    }

    fn product(&mut self) -> Read<Sql> {
        let mut left = self.signed()?;
        while let Some(operator) = self.symbol(&["*", "/", "%"]) {
            let right = self.signed()?.binding(Binding::Sign);
            left = value(format!("{} {operator} {right}", left.binding(Binding::Product)), Binding::Product);
        }
        Ok(left)
    }

    fn signed(&mut self) -> Read<Sql> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("the expression is nested more than {DEPTH_MAX} deep"));
        }
        let signed = match self.symbol(&["!", "-"]) {
            Some("!") => self
                .signed()
                .map(|inner| condition(format!("NOT {}", inner.binding(Binding::Comparison)), Binding::Not)),
            // Two signs in a row would begin a comment.
            Some(_) => {
                self.signed().map(|inner| value(format!("-{}", inner.binding(Binding::Tightest)), Binding::Sign))
            }
            None => self.operand(),
        };
        self.depth -= 1;
        signed
    }

    fn operand(&mut self) -> Read<Sql> {
        let Some(token) = self.peek().cloned() else { return Err("expected a value at its end".to_owned()) };
        self.next += 1;
        match token {
            Token::Symbol("(") => {
                let inner = self.logic()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Number(digits) => Ok(atom(digits)),
            Token::Text(text) => Ok(atom(quoted(&text))),
            Token::Name(word) if word.eq_ignore_ascii_case("null") => Ok(atom("NULL".to_owned())),
            Token::Name(word) if self.symbol(&["("]).is_some() => self.call(&word),
            Token::Name(name) | Token::QuotedName(name) => (self.name)(&name).map(atom),
            Token::Symbol(symbol) => Err(format!("expected a value, found `{symbol}`")),
        }
    }

    /// Behind the opening parenthesis.
    fn call(&mut self, function: &str) -> Read<Sql> {
        let first = self.next;
        let mut arguments = Vec::new();
        if self.symbol(&[")"]).is_none() {
            loop {
                arguments.push(self.logic()?);
                if self.symbol(&[","]).is_none() {
                    break;
                }
            }
            self.expect(")")?;
        }
        // A literal is one token behind the parenthesis or a comma.
        let literals = self.tokens[first..self.next].iter().filter_map(|token| match token {
            Token::Text(text) => Some(text.as_str()),
            _ => None,
        });
        call(&function.to_ascii_lowercase(), &arguments, literals.last())
    }
}

/// `literal` is the last string in the call.
fn call(function: &str, arguments: &[Sql], literal: Option<&str>) -> Read<Sql> {
    let texts: Vec<&str> = arguments.iter().map(|argument| argument.text.as_str()).collect();
    let has_condition = arguments.iter().any(|argument| argument.is_condition);
    let no_condition = |sql: String| match has_condition {
        true => Err(format!("`{function}` of a condition: its text is not `1` or `0` here; use `if(.., '1', '0')`")),
        false => Ok(atom(sql)),
    };
    let operand = |place: usize| arguments[place].binding(Binding::Sum);
    let comparison = |sql: String| Ok(condition(sql, Binding::Comparison));
    match (function, texts.as_slice()) {
        ("if", [test, yes, no]) => Ok(Sql {
            text: format!("CASE WHEN {test} THEN {yes} ELSE {no} END"),
            binding: Binding::Tightest,
            is_condition: arguments[1].is_condition || arguments[2].is_condition,
        }),
        ("case_searched", [_, _, ..]) => Ok(case(String::new(), arguments)),
        ("case_simple", [operand, _, _, ..]) => Ok(case(format!(" {operand}"), &arguments[1..])),
        ("nvl", [_, _]) | ("coalesce", [_, ..]) => {
            let text = format!("COALESCE({})", texts.join(", "));
            Ok(Sql { text, binding: Binding::Tightest, is_condition: has_condition })
        }
        ("isnull", [_]) => comparison(format!("{} IS NULL", operand(0))),
        ("notnull", [_]) => comparison(format!("{} IS NOT NULL", operand(0))),
        // Without an escape character Druid has none.
        ("like", [_, pattern]) => comparison(format!("{} LIKE {pattern} ESCAPE ''", operand(0))),
        ("like", [_, pattern, escape]) => comparison(format!("{} LIKE {pattern} ESCAPE {escape}", operand(0))),
        ("regexp_like", [_, _]) => Ok(condition(format!("REGEXP_LIKE({})", texts.join(", ")), Binding::Tightest)),
        ("regexp_extract", [_, _] | [_, _, _])
        | ("lower" | "upper" | "abs", [_])
        | ("trim" | "btrim" | "ltrim" | "rtrim", [_] | [_, _])
        | ("replace", [_, _, _]) => no_condition(format!("{}({})", function.to_ascii_uppercase(), texts.join(", "))),
        ("concat", [_, ..]) => no_condition(format!("CONCAT({})", texts.join(", "))),
        ("strlen", [text]) => no_condition(format!("LENGTH({text})")),
        // Druid's native function counts from 0, SQL's from 1.
        ("substring", [text, _, "-1"]) => no_condition(format!("SUBSTRING({text}, {} + 1)", operand(1))),
        ("substring", [text, _, length]) => no_condition(format!("SUBSTRING({text}, {} + 1, {length})", operand(1))),
        ("timestamp_floor", [time, period]) => no_condition(format!("TIME_FLOOR({time}, {period})")),
        ("cast", [inner, _]) => cast(inner, literal.unwrap_or_default(), arguments[0].is_condition),
        _ => Err(format!(
            "`{function}` with {} arguments is not known here; write the column in the short form, in SQL",
            texts.len()
        )),
    }
}

/// Pairs of a test and a value, and a last value for all else, if there is one.
fn case(operand: String, parts: &[Sql]) -> Sql {
    let (pairs, rest) = parts.as_chunks::<2>();
    let branches = pairs.iter().map(|[test, value]| format!(" WHEN {} THEN {}", test.text, value.text));
    let otherwise = rest.first().map_or(String::new(), |otherwise| format!(" ELSE {}", otherwise.text));
    let is_condition = pairs.iter().map(|[_, value]| value).chain(rest).any(|value| value.is_condition);
    let text = format!("CASE{operand}{}{otherwise} END", branches.collect::<String>());
    Sql { text, binding: Binding::Tightest, is_condition }
}

fn cast(inner: &str, kind: &str, is_condition: bool) -> Read<Sql> {
    let kind = match kind.to_ascii_uppercase().as_str() {
        "STRING" if is_condition => {
            return Err("a condition as text is not `1` or `0` here; use `if(.., '1', '0')`".to_owned());
        }
        "STRING" => "VARCHAR",
        "LONG" => "BIGINT",
        "DOUBLE" | "FLOAT" => "DOUBLE",
        _ => return Err(format!("`{kind}` is no type to cast to: use 'STRING', 'LONG' or 'DOUBLE'")),
    };
    Ok(atom(format!("CAST({inner} AS {kind})")))
}

fn atom(text: String) -> Sql {
    value(text, Binding::Tightest)
}

fn value(text: String, binding: Binding) -> Sql {
    Sql { text, binding, is_condition: false }
}

fn condition(text: String, binding: Binding) -> Sql {
    Sql { text, binding, is_condition: true }
}

/// A string literal in SQL.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(text: &str) -> Result<String, String> {
        to_sql(text, |name| match name {
            "unknown" => Err("`unknown` is no field".to_owned()),
            name => Ok(format!("\"{name}\"")),
        })
    }

    #[test]
    fn an_expression_means_the_same_in_sql() {
        let cases = [
            ("a", r#""a""#),
            (r#""a b" + 1"#, r#""a b" + 1"#),
            ("a + b * c - 2", r#""a" + "b" * "c" - 2"#),
            ("a - (b - c) - -d", r#""a" - ("b" - "c") - -"d""#),
            ("(a + b) * -c / (d / 2)", r#"("a" + "b") * -"c" / ("d" / 2)"#),
            ("- -a", r#"-(-"a")"#),
            ("a && b && (c || d) && e || f && g", r#"("a" AND "b" AND ("c" OR "d") AND "e" OR "f") AND "g""#),
            ("a == 'it\\'s' || b != 1.5e3 && c", r#"("a" = 'it''s' OR "b" <> 1.5e3) AND "c""#),
            ("!isnull(a) && a >= 3 % 2", r#"NOT "a" IS NULL AND "a" >= 3 % 2"#),
            ("if(a > 0, 'yes', null)", r#"CASE WHEN "a" > 0 THEN 'yes' ELSE NULL END"#),
            (
                "case_searched(a == 1, 'x', a == 2, 'y', 'z')",
                r#"CASE WHEN "a" = 1 THEN 'x' WHEN "a" = 2 THEN 'y' ELSE 'z' END"#,
            ),
            ("case_simple(a, 1, 'x', 2, 'y')", r#"CASE "a" WHEN 1 THEN 'x' WHEN 2 THEN 'y' END"#),
            ("nvl(a, b)", r#"COALESCE("a", "b")"#),
            ("concat(upper(a), '-', strlen(b))", r#"CONCAT(UPPER("a"), '-', LENGTH("b"))"#),
            ("substring(a, 0, 3)", r#"SUBSTRING("a", 0 + 1, 3)"#),
            ("substring(a, b, -1)", r#"SUBSTRING("a", "b" + 1)"#),
            ("like(a, 'x%')", r#""a" LIKE 'x%' ESCAPE ''"#),
            ("cast(a, 'LONG') / 1000", r#"CAST("a" AS BIGINT) / 1000"#),
            ("cast(cast(a, 'double'), 'STRING')", r#"CAST(CAST("a" AS DOUBLE) AS VARCHAR)"#),
            ("timestamp_floor(__time, 'PT1H')", r#"TIME_FLOOR("__time", 'PT1H')"#),
            ("regexp_extract(a, '^(\\\\w+)\\u002e', 1)", r#"REGEXP_EXTRACT("a", '^(\w+).', 1)"#),
        ];
        for (text, expected) in cases {
            assert_eq!(translated(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_named() {
        let deep = format!("{}a{}", "(".repeat(40), ")".repeat(40));
        let cases = [
            ("", "expected a value at its end"),
            ("a +", "expected a value at its end"),
            ("a b", "expected the end of the expression, found `b`"),
            ("(a", "expected `)`, found its end"),
            ("a ^ 2", "`^` is not known here"),
            ("[1, 2]", "`[` is not known here"),
            ("x -> x + 1", "expected a value, found `>`"),
            ("'open", "the text that begins with `'open` has no end"),
            ("unknown + 1", "`unknown` is no field"),
            ("sqrt(a)", "`sqrt` with 1 arguments is not known here; write the column in the short form, in SQL"),
            ("cast(a, 'ARRAY')", "`ARRAY` is no type to cast to: use 'STRING', 'LONG' or 'DOUBLE'"),
            ("cast(a > 1, 'STRING')", "a condition as text is not `1` or `0` here; use `if(.., '1', '0')`"),
            (
                "concat(if(a, b == 1, c), 'x')",
                "`concat` of a condition: its text is not `1` or `0` here; use `if(.., '1', '0')`",
            ),
            (deep.as_str(), "the expression is nested more than 32 deep"),
        ];
        for (text, expected) in cases {
            assert_eq!(translated(text).unwrap_err(), expected, "{text}");
        }
    }
}
