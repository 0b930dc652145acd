use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::QueryError;
use crate::request::Parameter;
use crate::statement::literal;

/// Puts literals in the place of `$1`, `$2`, ..
pub(crate) fn bind(tokens: Vec<TokenWithSpan>, parameters: &[Parameter]) -> Result<Vec<TokenWithSpan>, QueryError> {
    let mut bound = Vec::with_capacity(tokens.len());
    for spanned in tokens {
        let Token::Placeholder(name) = &spanned.token else {
            bound.push(spanned);
            continue;
        };
        let number = name.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
        let parameter = number.and_then(|number| parameters.get(number.checked_sub(1)?));
        let parameter = parameter.ok_or_else(|| {
            QueryError::plan(format!(
                "there is no parameter {name}: {} came with the statement{}",
                parameters.len(),
                place(&spanned)
            ))
        })?;
        let span = spanned.span;
        bound.extend(literal(parameter)?.into_iter().map(|token| TokenWithSpan::new(token, span)));
    }
    Ok(bound)
}

fn place(spanned: &TokenWithSpan) -> String {
    let start = spanned.span.start;
    format!(" (line [{}], column [{}])", start.line, start.column)
}
