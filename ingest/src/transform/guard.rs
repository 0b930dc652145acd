//! Refuses texts whose shape alone would cost a parser too much: it tries some forms one after the other, so that each
//! level of nesting may double its work.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::ExpressionError;

/// Parentheses and CASE within each other.
const NESTING_MAX: usize = 10;
/// Signs and NOT in a row.
const PREFIXES_MAX: usize = 4;
/// Forms that expressions do not have, and that cost the parser most.
const UNUSED: [Keyword; 8] = [
    Keyword::ARRAY,
    Keyword::CEIL,
    Keyword::CONVERT,
    Keyword::EXTRACT,
    Keyword::FLOOR,
    Keyword::INTERVAL,
    Keyword::OVERLAY,
    Keyword::POSITION,
];

pub(super) fn check(tokens: &[TokenWithSpan]) -> Result<(), ExpressionError> {
    let (mut nesting, mut prefixes) = (0_usize, 0_usize);
    for spanned in tokens.iter().filter(|spanned| !matches!(spanned.token, Token::Whitespace(_))) {
        let keyword = match &spanned.token {
            Token::Word(word) if word.quote_style.is_none() => word.keyword,
            _ => Keyword::NoKeyword,
        };
        let is_opening = matches!(spanned.token, Token::LParen | Token::LBracket | Token::LBrace);
        let is_closing = matches!(spanned.token, Token::RParen | Token::RBracket | Token::RBrace);
        let is_prefix = matches!(spanned.token, Token::Minus | Token::Plus | Token::Tilde | Token::ExclamationMark);
        if is_opening || keyword == Keyword::CASE {
            nesting += 1;
        } else if is_closing || keyword == Keyword::END {
            nesting = nesting.saturating_sub(1);
        }
        prefixes = if is_prefix || keyword == Keyword::NOT { prefixes + 1 } else { 0 };
        let start = spanned.span.start;
        let place = Some((start.line, start.column));
        if UNUSED.contains(&keyword) {
            let message = format!("`{}` cannot be used here: a field of that name is quoted, \"{0}\"", spanned.token);
            return Err(ExpressionError { message, place });
        }
        if nesting > NESTING_MAX {
            let message = format!("parentheses and CASE are nested deeper than {NESTING_MAX}");
            return Err(ExpressionError { message, place });
        }
        if prefixes > PREFIXES_MAX {
            return Err(ExpressionError { message: format!("more than {PREFIXES_MAX} signs or NOT in a row"), place });
        }
    }
    Ok(())
}
