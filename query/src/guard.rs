//! Refuses statements whose shape alone would exhaust a stack or a planner, before a parser sees them.
//!
//! Parsing, planning and dropping a statement recurse as deep as its expressions; a 4 KB chain of `+` would end the
//! process. The checks here read tokens one after the other and need no stack. What a statement that breaks off in the
//! middle may cost the parser is bounded in `patient_dialect.rs`.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::QueryError;

/// What a statement's text and shape may be.
///
/// Of [`Self::operators`], [`Self::nesting`] and [`Self::set_arms`] the defaults are the most, too: parser and planner
/// recurse as deep as they allow, and their stacks were tried with those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementLimits {
    pub text_bytes: usize,
    pub tokens: usize,
    /// In one expression, operators inside its parentheses included.
    pub operators: usize,
    /// Arms of `UNION`, `EXCEPT` and `INTERSECT` in a statement.
    pub set_arms: usize,
    /// Parentheses and `CASE` within each other.
    pub nesting: usize,
    /// Items between one pair of parentheses.
    pub list_items: usize,
}

impl StatementLimits {
    /// Far above what dashboards and people write, and within what the parser's and the planner's stacks were tried with.
    pub const DEFAULT: Self =
        Self { text_bytes: 256 << 10, tokens: 20_000, operators: 500, set_arms: 100, nesting: 50, list_items: 10_000 };
}

impl Default for StatementLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Tables that a statement reads; what stands under WITH counts wherever it is named.
pub const RELATIONS_MAX: usize = 100;
/// Sets of keys that a statement groups by with `GROUPING SETS`, `ROLLUP` and `CUBE`; WITH queries count likewise. A planner
/// copies the keys of each set many times: 4,096 sets of twelve keys took a gigabyte.
pub const GROUPING_SETS_MAX: usize = 256;
/// Queries within each other, WITH queries where they are named. Planning doubles with each level of subqueries.
pub const QUERY_DEPTH_MAX: usize = 12;
/// Nodes of an expression once those of inner queries are put into it.
pub const EXPANDED_NODES_MAX: usize = 5_000;

/// Refuses a text that is too long to look at.
pub(crate) fn check_text(sql: &str, bytes_max: usize) -> Result<(), QueryError> {
    if sql.len() > bytes_max {
        return Err(QueryError::limit(format!(
            "the statement has {} bytes; at most {bytes_max} are read (`statement_size`): bind long lists as parameters of \
             shorter queries",
            sql.len()
        )));
    }
    Ok(())
}

/// Checks the number and the arrangement of tokens.
pub(crate) fn check_tokens(tokens: &[TokenWithSpan], limits: &StatementLimits) -> Result<(), QueryError> {
    let significant: Vec<&Token> =
        tokens.iter().map(|spanned| &spanned.token).filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    if significant.len() > limits.tokens {
        return Err(QueryError::limit(format!(
            "the statement has {} tokens; at most {} are read (`statement_tokens`): split it into several queries",
            significant.len(),
            limits.tokens
        )));
    }
    let mut shape = Shape::new(limits);
    for (at, token) in significant.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| significant.get(before));
        let is_operand = before.is_some_and(|before| is_operator(before))
            && significant.get(at + 1).is_some_and(|after| is_operator(after));
        shape.take(token, is_operand)?;
    }
    Ok(())
}

/// How deep the reader is, and how many operators the expressions around it hold.
struct Shape<'l> {
    limits: &'l StatementLimits,
    levels: Vec<Level>,
    set_arms: usize,
}

struct Level {
    is_case: bool,
    /// Operators of the expression being read, and the most of any expression before it on this level.
    operators: usize,
    operators_most: usize,
    items: usize,
}

impl Level {
    fn new(is_case: bool) -> Self {
        Self { is_case, operators: 0, operators_most: 0, items: 1 }
    }

    fn end_expression(&mut self) {
        self.operators_most = self.operators_most.max(self.operators);
        self.operators = 0;
    }
}

impl<'l> Shape<'l> {
    fn new(limits: &'l StatementLimits) -> Self {
        Self { limits, levels: vec![Level::new(false)], set_arms: 1 }
    }

    /// `is_operand`: between two operators even the keyword of a clause can only be a name.
    fn take(&mut self, token: &Token, is_operand: bool) -> Result<(), QueryError> {
        match token {
            Token::LParen => self.open(false),
            Token::RParen => self.close(false),
            Token::Comma => self.next_item(),
            token if is_operator(token) => self.add_operators(1),
            Token::Word(_) if is_operand => Ok(()),
            Token::Word(word) if word.keyword == Keyword::CASE => self.open(true),
            Token::Word(word) if word.keyword == Keyword::END => self.close(true),
            Token::Word(word) if is_clause(word.keyword) => {
                self.level().end_expression();
                self.count_set_arm(word.keyword)
            }
            _ => Ok(()),
        }
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the outermost level is never closed")
    }

    fn open(&mut self, is_case: bool) -> Result<(), QueryError> {
        if self.levels.len() > self.limits.nesting {
            return Err(QueryError::limit(format!(
                "parentheses or CASE are nested deeper than {} (`nesting`): name inner queries with WITH",
                self.limits.nesting
            )));
        }
        self.levels.push(Level::new(is_case));
        Ok(())
    }

    fn close(&mut self, is_case: bool) -> Result<(), QueryError> {
        if self.levels.len() == 1 || self.level().is_case != is_case {
            return Ok(());
        }
        let mut closed = self.levels.pop().expect("there are two levels");
        closed.end_expression();
        self.add_operators(closed.operators_most)
    }

    fn next_item(&mut self) -> Result<(), QueryError> {
        let items_max = self.limits.list_items;
        let level = self.level();
        level.end_expression();
        level.items += 1;
        if level.items > items_max {
            return Err(QueryError::limit(format!(
                "a list has more than {items_max} items (`list_items`): split it, or ask for a range"
            )));
        }
        Ok(())
    }

    fn add_operators(&mut self, count: usize) -> Result<(), QueryError> {
        let operators_max = self.limits.operators;
        let level = self.level();
        level.operators += count;
        if level.operators > operators_max {
            return Err(QueryError::limit(format!(
                "an expression has more than {operators_max} operators (`expression_operators`): write IN for chains of OR, \
                 or split the query"
            )));
        }
        Ok(())
    }

    fn count_set_arm(&mut self, keyword: Keyword) -> Result<(), QueryError> {
        if matches!(keyword, Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS) {
            self.set_arms += 1;
        }
        if self.set_arms > self.limits.set_arms {
            return Err(QueryError::limit(format!(
                "the statement combines more than {} queries with UNION, EXCEPT or INTERSECT (`set_arms`): split it",
                self.limits.set_arms
            )));
        }
        Ok(())
    }
}

/// Keywords between which expressions stand side by side, not within each other.
fn is_clause(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::SELECT
            | Keyword::FROM
            | Keyword::WHERE
            | Keyword::GROUP
            | Keyword::HAVING
            | Keyword::ORDER
            | Keyword::LIMIT
            | Keyword::ON
            | Keyword::WHEN
            | Keyword::THEN
            | Keyword::ELSE
            | Keyword::UNION
            | Keyword::EXCEPT
            | Keyword::INTERSECT
            | Keyword::MINUS
    )
}

fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::IS
                | Keyword::IN
                | Keyword::LIKE
                | Keyword::ILIKE
                | Keyword::SIMILAR
                | Keyword::RLIKE
                | Keyword::REGEXP
                | Keyword::BETWEEN
                | Keyword::COLLATE
                | Keyword::AT
                | Keyword::XOR
                | Keyword::DIV
                | Keyword::OVERLAPS
                | Keyword::MEMBER
                | Keyword::NOTNULL
        ),
        Token::Number(..)
        | Token::Char(_)
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::NationalStringLiteral(_)
        | Token::EscapedStringLiteral(_)
        | Token::UnicodeStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::Placeholder(_)
        | Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen
        | Token::SemiColon
        | Token::Whitespace(_)
        | Token::EOF => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;

    const LIMITS: StatementLimits = StatementLimits::DEFAULT;

    fn check(sql: &str) -> Result<(), String> {
        let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location().expect("it is text");
        check_tokens(&tokens, &LIMITS).map_err(|error| error.message)
    }

    #[test]
    fn each_limit_lets_pass_what_reaches_it_and_refuses_one_more() {
        let chain = |operators: usize| format!("SELECT 1{}", " + 1".repeat(operators));
        let hidden = |operators: usize| format!("SELECT 1{}", " + when + 1".repeat(operators / 2));
        let nested = |depth: usize| format!("SELECT {}1{}", "(".repeat(depth), ")".repeat(depth));
        let arms = |count: usize| format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(count - 1));
        let items = |count: usize| format!("SELECT x IN (1{})", ",1".repeat(count - 1));
        let not = |count: usize| format!("SELECT {} TRUE", "NOT ".repeat(count));
        type Case<'a> = (&'a dyn Fn(usize) -> String, usize, &'a str);
        let cases: [Case<'_>; 6] = [
            (&chain, LIMITS.operators, "more than 500 operators"),
            (&hidden, LIMITS.operators, "more than 500 operators"),
            (&not, LIMITS.operators, "more than 500 operators"),
            (&nested, LIMITS.nesting, "nested deeper than 50"),
            (&arms, LIMITS.set_arms, "more than 100 queries"),
            // Twice this many tokens reach the limit on tokens.
            (&|count| items(count).replace(",1", ","), LIMITS.list_items, "more than 10000 items"),
        ];
        for (build, limit, message) in cases {
            assert_eq!(check(&build(limit)), Ok(()), "{message}");
            let refused = check(&build(limit + 2)).expect_err(message);
            assert!(refused.contains(message), "{refused}");
        }
    }

    #[test]
    fn many_small_expressions_are_not_one_long_one() {
        let columns = vec!["a + b"; 2_000].join(", ");
        let branches = "WHEN a = 1 AND b = 2 THEN a + 1 ".repeat(400);
        assert_eq!(check(&format!("SELECT {columns}, CASE {branches} ELSE 0 END FROM t WHERE a = 1")), Ok(()));
    }

    #[test]
    fn operators_inside_parentheses_count_for_the_expression_around_them() {
        let inner = format!("(1{})", " + 1".repeat(300));
        assert_eq!(check(&format!("SELECT {inner}, {inner}")), Ok(()));
        assert!(check(&format!("SELECT {inner} + {inner}")).is_err());
    }

    #[test]
    fn text_and_tokens_are_bounded() {
        assert_eq!(check_text(&"x".repeat(LIMITS.text_bytes), LIMITS.text_bytes), Ok(()));
        assert!(check_text(&"x".repeat(LIMITS.text_bytes + 1), LIMITS.text_bytes).is_err());
        assert!(check(&"a ".repeat(LIMITS.tokens)).is_ok());
        assert!(check(&"a ".repeat(LIMITS.tokens + 1)).is_err());
    }
}
