//! SQL text -> tokens -> parameters bound -> one SELECT in DataFusion's dialect.

mod json_object;

use datafusion::sql::sqlparser::ast::Query;
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect, PostgreSqlDialect};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use henge_segment_store::time::TimestampMs;
use jiff::tz::TimeZone;

use crate::error::{QueryError, QueryErrorKind};
use crate::guard::StatementLimits;
use crate::patient_dialect::PatientDialect;
use crate::request::{Parameter, Spelling};
use crate::{dialect, guard, postgres, relations};

/// How deep the parser may call itself. Chains of unary operators and nested queries cost several levels each; the
/// planning threads have stack for far more.
const PARSER_DEPTH_MAX: usize = 400;

/// A statement in tokens, its parameters bound.
#[derive(Debug)]
pub(crate) struct SelectStatement {
    pub asked: Asked,
    spelling: Spelling,
    tokens: Vec<TokenWithSpan>,
    /// Where its query starts among the tokens.
    start: usize,
}

/// What to answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Rows,
    /// `EXPLAIN`.
    Plan,
    /// `EXPLAIN ANALYZE`: the plan, and what its operators did.
    MeasuredPlan,
}

impl SelectStatement {
    /// Reads one statement; whether its tokens make a query is for [`Self::parse`] to find out. `parameters`: `None` leaves
    /// those of PostgreSQL's spelling open.
    pub fn read(
        sql: &str,
        spelling: Spelling,
        parameters: Option<&[Parameter]>,
        limits: &StatementLimits,
    ) -> Result<Self, QueryError> {
        guard::check_text(sql, limits.text_bytes)?;
        let tokens = match (spelling, parameters) {
            (Spelling::Druid, parameters) => bind(tokenize(sql, &GenericDialect {})?, parameters.unwrap_or_default())?,
            (Spelling::Postgres, None) => tokenize(sql, &PostgreSqlDialect {})?,
            (Spelling::Postgres, Some(parameters)) => {
                postgres::bind(tokenize(sql, &PostgreSqlDialect {})?, parameters)?
            }
        };
        let tokens = json_object::with_commas(tokens);
        // An array among the parameters can be as long as a list in the text.
        guard::check_tokens(&tokens, limits)?;
        let (asked, start) = read_explain(&tokens)?;
        Ok(Self { asked, spelling, tokens, start })
    }

    /// Tokens of the query, without `EXPLAIN`.
    pub fn tokens(&self) -> &[TokenWithSpan] {
        &self.tokens[self.start..]
    }

    /// The query in DataFusion's dialect. Needs a large stack.
    pub fn parse(&self, zone: &TimeZone, now: TimestampMs) -> Result<Box<Query>, QueryError> {
        self.parse_tokens(self.tokens().to_vec(), zone, now)
    }

    /// The same of other tokens, such as those of its shape.
    pub fn parse_tokens(
        &self,
        tokens: Vec<TokenWithSpan>,
        zone: &TimeZone,
        now: TimestampMs,
    ) -> Result<Box<Query>, QueryError> {
        let mut query = parse(tokens)?;
        if self.spelling == Spelling::Postgres {
            postgres::rewrite(&mut query)?;
        }
        relations::check(&query)?;
        dialect::rewrite(&mut query, zone, now)?;
        Ok(query)
    }

    /// ` (line [1], column [8])` of the first mention of an identifier, empty where the text does not have it.
    pub fn place_of(&self, identifier: &str) -> String {
        let mention = self.tokens.iter().find(|spanned| match &spanned.token {
            Token::Word(word) => word.value == identifier,
            _ => false,
        });
        mention.map_or_else(String::new, |spanned| {
            let start = spanned.span.start;
            format!(" (line [{}], column [{}])", start.line, start.column)
        })
    }
}

/// Each token with its place in the text.
pub(crate) fn tokenize(sql: &str, dialect: &dyn Dialect) -> Result<Vec<TokenWithSpan>, QueryError> {
    let tokens = Tokenizer::new(dialect, sql).tokenize_with_location();
    tokens.map_err(|error| parse_error(&ParserError::TokenizerError(error.to_string())))
}

/// The query that some tokens make. Needs a large stack.
fn parse(tokens: Vec<TokenWithSpan>) -> Result<Box<Query>, QueryError> {
    let dialect = PatientDialect::new(tokens.len());
    let mut parser = Parser::new(&dialect).with_recursion_limit(PARSER_DEPTH_MAX).with_tokens_with_locations(tokens);
    let query = parser.parse_query().map_err(|error| parse_error(&error))?;
    while parser.consume_token(&Token::SemiColon) {}
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        return Err(QueryError::new(
            QueryErrorKind::Parse,
            format!("expected the end of the statement, found: {rest}{}", rest.span.start),
        ));
    }
    Ok(query)
}

pub(crate) fn parse_error(error: &ParserError) -> QueryError {
    match error {
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => {
            QueryError::new(QueryErrorKind::Parse, message.clone())
        }
        ParserError::RecursionLimitExceeded => QueryError::limit(
            "the statement cannot be read: it is nested too deeply, or has a mistake deep inside; name inner queries with WITH",
        ),
    }
}

/// Puts literals in the place of `?`, in the order of the text.
fn bind(tokens: Vec<TokenWithSpan>, parameters: &[Parameter]) -> Result<Vec<TokenWithSpan>, QueryError> {
    let mut bound = Vec::with_capacity(tokens.len());
    let mut placeholders = 0;
    for spanned in tokens {
        let Token::Placeholder(name) = &spanned.token else {
            bound.push(spanned);
            continue;
        };
        if name != "?" {
            return Err(QueryError::new(
                QueryErrorKind::Parse,
                format!("`{name}` is not a parameter: parameters are written `?`"),
            ));
        }
        if let Some(parameter) = parameters.get(placeholders) {
            let span = spanned.span;
            bound.extend(literal(parameter)?.into_iter().map(|token| TokenWithSpan::new(token, span)));
        }
        placeholders += 1;
    }
    if placeholders != parameters.len() {
        return Err(QueryError::plan(format!(
            "the statement has {placeholders} `?` and {} parameters came with it: send one for each",
            parameters.len()
        )));
    }
    Ok(bound)
}

/// The tokens of a value.
pub(crate) fn literal(parameter: &Parameter) -> Result<Vec<Token>, QueryError> {
    let number = |text: String| match text.strip_prefix('-') {
        None => vec![Token::Number(text, false)],
        Some(digits) => {
            vec![Token::LParen, Token::Minus, Token::Number(digits.to_owned(), false), Token::RParen]
        }
    };
    Ok(match parameter {
        Parameter::Null => vec![Token::make_keyword("NULL")],
        Parameter::Long(value) => number(value.to_string()),
        Parameter::Double(value) if value.is_finite() => number(format!("{value:?}")),
        Parameter::Double(value) => {
            return Err(QueryError::plan(format!("the parameter {value} is not a finite number")));
        }
        Parameter::Boolean(value) => vec![Token::make_keyword(if *value { "TRUE" } else { "FALSE" })],
        Parameter::String(text) => vec![Token::SingleQuotedString(text.clone())],
        Parameter::Timestamp(time) => {
            let mut call = vec![Token::make_word("MILLIS_TO_TIMESTAMP", None), Token::LParen];
            call.extend(number(time.0.to_string()));
            call.push(Token::RParen);
            call
        }
        Parameter::Date(days) => {
            let mut cast = vec![Token::make_keyword("CAST"), Token::LParen];
            cast.extend(literal(&Parameter::Timestamp(TimestampMs(i64::from(*days) * 86_400_000)))?);
            cast.extend([Token::make_keyword("AS"), Token::make_keyword("DATE"), Token::RParen]);
            cast
        }
        Parameter::Array(items) => {
            let mut array = vec![Token::make_keyword("ARRAY"), Token::LBracket];
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    array.push(Token::Comma);
                }
                array.extend(literal(item)?);
            }
            array.push(Token::RBracket);
            array
        }
    })
}

/// Whether the statement starts with `EXPLAIN [PLAN FOR]` or `EXPLAIN ANALYZE`, and where its query starts.
fn read_explain(tokens: &[TokenWithSpan]) -> Result<(Asked, usize), QueryError> {
    let mut words = tokens
        .iter()
        .enumerate()
        .filter(|(_, spanned)| !matches!(spanned.token, Token::Whitespace(_)))
        .map(|(at, spanned)| match &spanned.token {
            Token::Word(word) => (at, word.keyword, word.value.as_str()),
            _ => (at, Keyword::NoKeyword, ""),
        })
        .peekable();
    let mut asked = Asked::Rows;
    if words.next_if(|(_, keyword, _)| *keyword == Keyword::EXPLAIN).is_some() {
        asked = Asked::Plan;
        if words.next_if(|(_, keyword, _)| *keyword == Keyword::ANALYZE).is_some() {
            asked = Asked::MeasuredPlan;
        } else if words.next_if(|(_, keyword, _)| *keyword == Keyword::PLAN).is_some() {
            words.next_if(|(_, keyword, _)| *keyword == Keyword::FOR);
        }
    }
    let Some((start, keyword, text)) = words.next() else {
        return Err(QueryError::new(QueryErrorKind::Parse, "the statement is empty: write a SELECT"));
    };
    let reads = matches!(keyword, Keyword::SELECT | Keyword::WITH | Keyword::VALUES);
    if keyword != Keyword::NoKeyword && !reads {
        return Err(QueryError::unsupported(format!(
            "only SELECT and EXPLAIN of a SELECT can be run, not `{}`",
            text.to_uppercase()
        )));
    }
    Ok((asked, start))
}
