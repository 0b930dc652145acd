//! Puts what macros and variables stand for into a statement, token by token: nothing inside of texts in quotes but data,
//! nothing in names or comments.

use std::collections::BTreeMap;
use std::ops::Range;

use henge_query::guard::StatementLimits;
use henge_query::pieces::{Piece, PieceKind};

use super::ad_hoc::{self, Gap, Statement};
use super::answer::Notice;
use super::bucket::Bucket;
use super::macros::{self, Scalar};
use super::position::{Fragment, Position};
use super::request::Surroundings;
use super::sight::Sight;
use super::sql_text;
use super::variable;
use super::window::Window;
use crate::error::ApiError;

/// More would not be read.
const TEXT_BYTES_MAX: usize = StatementLimits::DEFAULT.text_bytes;

/// What macros and variables look at.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub window: &'a Window,
    pub around: &'a Surroundings,
    pub sight: Sight<'a>,
}

/// A statement that the engine can read.
#[derive(Debug, Default)]
pub struct Expansion {
    pub fragment: Fragment,
    /// Of the first macro that makes buckets.
    pub bucket: Option<Bucket>,
    pub notices: Vec<Notice>,
}

/// Expands a statement that was cut into `pieces`.
///
/// # Errors
/// Each has the position of what is at fault.
pub fn expand(sql: &str, pieces: &[Piece], context: Context<'_>) -> Result<Expansion, ApiError> {
    let statement = Statement { sql, pieces };
    let mut expander = Expander { statement, context, bucket: None, notices: Vec::new(), inserted: BTreeMap::new() };
    expander.insert_filters()?;
    let fragment = expander.range(0..pieces.len())?;
    Ok(Expansion { fragment, bucket: expander.bucket, notices: expander.notices })
}

pub(super) struct Expander<'a> {
    pub statement: Statement<'a>,
    pub context: Context<'a>,
    pub bucket: Option<Bucket>,
    pub notices: Vec<Notice>,
    /// By piece, what comes behind it.
    inserted: BTreeMap<usize, String>,
}

impl Expander<'_> {
    pub fn source(&self, at: usize) -> &str {
        &self.statement.sql[self.statement.pieces[at].bytes.clone()]
    }

    /// An error at a piece.
    pub fn fault(&self, at: usize, error: ApiError) -> ApiError {
        if error.body.position.is_some() {
            return error;
        }
        error.at(Position::of(&self.statement.pieces[at], self.statement.sql))
    }

    /// What is put in can be long, and often.
    pub fn check_length(&self, text: &str, at: usize) -> Result<(), ApiError> {
        if text.len() <= TEXT_BYTES_MAX {
            return Ok(());
        }
        let message = format!(
            "with its variables and macros the statement has more than {TEXT_BYTES_MAX} bytes: choose fewer values"
        );
        Err(self.fault(at, ApiError::invalid(message)))
    }

    /// Pieces of the statement, expanded.
    pub fn range(&mut self, range: Range<usize>) -> Result<Fragment, ApiError> {
        let mut out = Fragment::default();
        let mut at = range.start;
        while at < range.end {
            let end = match &self.statement.pieces[at].kind {
                PieceKind::Dollar(name) => {
                    let name = name.clone();
                    let (expanded, end) = self.dollar(&name, at, range.end)?;
                    self.push_apart(&mut out, &expanded, at, end);
                    end
                }
                PieceKind::Text => {
                    let text = self.text(at)?;
                    out.push(&text, at);
                    at + 1
                }
                _ => {
                    out.push(self.source(at), at);
                    at + 1
                }
            };
            self.check_length(&out.text, at)?;
            for piece in at..end {
                if let Some(inserted) = self.inserted.get(&piece) {
                    out.push(inserted, piece);
                }
            }
            at = end;
        }
        Ok(out)
    }

    /// Blanks keep what is put in from growing together with what stands beside it.
    fn push_apart(&self, out: &mut Fragment, expanded: &Fragment, at: usize, end: usize) {
        let is_apart = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';');
        if out.text.chars().next_back().is_some_and(|before| !is_apart(before)) {
            out.push(" ", at);
        }
        out.push_fragment(expanded);
        let next = self.statement.pieces.get(end).and_then(|_| self.source(end).chars().next());
        if next.is_some_and(|next| !is_apart(next)) {
            out.push(" ", at);
        }
    }

    /// What a `$` and what follows it stand for, and where that ends.
    fn dollar(&mut self, name: &str, at: usize, end: usize) -> Result<(Fragment, usize), ApiError> {
        if name.is_empty() {
            let (inner, behind) = self.braces(at, end)?;
            let (name, format) = split_format(&inner);
            let expanded = match name.strip_prefix("__") {
                Some(called) if format.is_none() => macros::expand(self, called, at, &[])?,
                Some(_) => {
                    return Err(self.fault(at, ApiError::invalid(format!("`${{{inner}}}`: macros have no formats"))));
                }
                None => self.variable(name, format, at)?,
            };
            return Ok((expanded, behind));
        }
        match name.strip_prefix("__") {
            Some(called) => {
                let (arguments, behind) = self.arguments(at + 1, end)?;
                Ok((macros::expand(self, called, at, &arguments)?, behind))
            }
            None => Ok((self.variable(name, None, at)?, at + 1)),
        }
    }

    /// The inside of `${..}`, and where it ends.
    fn braces(&self, at: usize, end: usize) -> Result<(String, usize), ApiError> {
        let is_open = at + 1 < end && self.source(at + 1) == "{";
        let close = (at + 2..end).find(|place| self.source(*place) == "}").filter(|_| is_open);
        let close = close.ok_or_else(|| {
            self.fault(at, ApiError::invalid("`$` stands for nothing by itself: write $name or ${name} for a variable"))
        })?;
        Ok(((at + 2..close).map(|place| self.source(place)).collect(), close + 1))
    }

    /// The ranges between commas of `(..)` that begins at a piece, if it does, and where it ends.
    fn arguments(&self, at: usize, end: usize) -> Result<(Vec<Range<usize>>, usize), ApiError> {
        if at >= end || self.source(at) != "(" {
            return Ok((Vec::new(), at));
        }
        let (mut depth, mut start, mut arguments) = (0, at + 1, Vec::new());
        for place in at..end {
            match self.source(place) {
                "(" => depth += 1,
                ")" => depth -= 1,
                "," if depth == 1 => {
                    arguments.push(start..place);
                    start = place + 1;
                }
                _ => {}
            }
            if depth == 0 {
                let last = start..place;
                if !arguments.is_empty() || last.clone().any(|at| self.statement.pieces[at].kind != PieceKind::Blank) {
                    arguments.push(last);
                }
                return Ok((arguments, place + 1));
            }
        }
        Err(self.fault(at, ApiError::invalid("this parenthesis is not closed")))
    }

    fn variable(&self, name: &str, format: Option<&str>, at: usize) -> Result<Fragment, ApiError> {
        let variables = &self.context.around.variables;
        let found = variables.get(name).ok_or_else(|| {
            let known: Vec<&str> = variables.keys().map(String::as_str).collect();
            let known =
                if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
            ApiError::invalid(format!("`${name}` is no variable of the dashboard; {known}"))
        });
        let text = found.and_then(|variable| variable::in_statement(name, variable, format, self.context.sight));
        let mut fragment = Fragment::default();
        fragment.push(&text.map_err(|error| self.fault(at, error))?, at);
        Ok(fragment)
    }

    /// A text in quotes, with data in the place of variables and of macros that are single values.
    fn text(&self, at: usize) -> Result<String, ApiError> {
        let source = self.source(at);
        let mut out = String::with_capacity(source.len());
        let mut rest = source;
        while let Some(start) = rest.find('$') {
            out.push_str(&rest[..start]);
            rest = &rest[start..];
            let (inner, length) = match rest[1..].strip_prefix('{') {
                Some(braced) => match braced.find('}') {
                    Some(close) => (&braced[..close], close + 3),
                    None => ("", 1),
                },
                None => {
                    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    let length = rest[1..].find(|c| !is_name(c)).unwrap_or(rest.len() - 1);
                    (&rest[1..=length], length + 1)
                }
            };
            match self.data(inner).map_err(|error| self.fault(at, error))? {
                Some(data) => out.push_str(&sql_text::doubled(&data)),
                None => out.push_str(&rest[..length]),
            }
            self.check_length(&out, at)?;
            rest = &rest[length..];
        }
        out.push_str(rest);
        Ok(out)
    }

    /// `None` where that is no variable and no value.
    fn data(&self, inner: &str) -> Result<Option<String>, ApiError> {
        let (name, format) = split_format(inner);
        if let Some(called) = name.strip_prefix("__") {
            return Ok(macros::scalar(called, self.context.window).filter(|_| format.is_none()).map(Scalar::into_text));
        }
        let found = self.context.around.variables.get(name);
        found.map(|variable| variable::in_text(variable, format)).transpose()
    }

    /// Of a statement without `$__adhocFilters`.
    fn insert_filters(&mut self) -> Result<(), ApiError> {
        let is_placed = |piece: &Piece| matches!(&piece.kind, PieceKind::Dollar(name) if name == "__adhocFilters");
        let filters = &self.context.around.filters;
        if filters.iter().all(|filter| filter.key.is_empty()) || self.statement.pieces.iter().any(is_placed) {
            return Ok(());
        }
        let Some(Gap { data_source, where_at, end }) = self.statement.gap(self.context.sight) else {
            self.notices.push(Notice::warning(
                "the filters of the dashboard do not apply: write $__adhocFilters where this statement is to take them",
            ));
            return Ok(());
        };
        let columns = self.context.sight.columns(&data_source)?;
        if let Some(condition) = ad_hoc::predicate(filters, &data_source, &columns, &mut self.notices)? {
            match where_at {
                Some(at) => {
                    self.inserted.insert(at, format!(" {condition} AND ("));
                    self.inserted.insert(end, ")".to_owned());
                }
                None => {
                    self.inserted.insert(end, format!(" WHERE {condition}"));
                }
            }
        }
        Ok(())
    }
}

/// `name:format`.
fn split_format(inner: &str) -> (&str, Option<&str>) {
    inner.split_once(':').map_or((inner, None), |(name, format)| (name, Some(format)))
}
