//! `JSON_OBJECT(KEY 'a' VALUE x, 'b' VALUE y, 'c': z NULL ON NULL)` as `JSON_OBJECT('a', x, 'b', y, 'c', z)`, which any parser
//! reads.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

const NAME: &str = "JSON_OBJECT";

/// The tokens with commas between names and values.
pub(super) fn with_commas(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !tokens.iter().any(|spanned| is_name(&spanned.token)) {
        return tokens;
    }
    let mut reading = Reading { open: Vec::new(), is_called: false, is_at_start: false };
    let mut found = Vec::with_capacity(tokens.len());
    for (at, spanned) in tokens.iter().enumerate() {
        if let Some(token) = reading.read(&spanned.token, &tokens[at + 1..]) {
            found.push(TokenWithSpan::new(token, spanned.span));
        }
    }
    found
}

fn is_name(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(NAME))
}

fn is_keyword(token: &Token, keyword: Keyword) -> bool {
    matches!(token, Token::Word(word) if word.keyword == keyword)
}

struct Reading {
    /// Of each bracket that is open, whether arguments of a call of ours stand in it.
    open: Vec<bool>,
    /// Whether the name was read last.
    is_called: bool,
    /// Whether an argument begins.
    is_at_start: bool,
}

impl Reading {
    /// What stands in the token's place. `rest`: the tokens behind it.
    fn read(&mut self, token: &Token, rest: &[TokenWithSpan]) -> Option<Token> {
        if matches!(token, Token::Whitespace(_)) {
            return Some(token.clone());
        }
        let was_called = std::mem::replace(&mut self.is_called, is_name(token));
        let was_at_start = std::mem::replace(&mut self.is_at_start, false);
        match token {
            Token::LParen => {
                self.open.push(was_called);
                self.is_at_start = was_called;
            }
            Token::LBracket => self.open.push(false),
            Token::RParen | Token::RBracket => _ = self.open.pop(),
            _ if self.open.last() != Some(&true) => {}
            Token::Comma => self.is_at_start = true,
            Token::Colon => return Some(self.comma()),
            token if is_keyword(token, Keyword::VALUE) && !was_at_start => return Some(self.comma()),
            token if is_keyword(token, Keyword::KEY) && was_at_start && begins_argument(rest) => {
                self.is_at_start = true;
                return None;
            }
            _ => {}
        }
        Some(token.clone())
    }

    fn comma(&mut self) -> Token {
        self.is_at_start = true;
        Token::Comma
    }
}

/// Whether what comes is the name that `KEY` announces; else `KEY` is a column.
fn begins_argument(rest: &[TokenWithSpan]) -> bool {
    let next = rest.iter().map(|spanned| &spanned.token).find(|token| !matches!(token, Token::Whitespace(_)));
    match next {
        Some(Token::SingleQuotedString(_)) => true,
        Some(token @ Token::Word(_)) => !is_keyword(token, Keyword::VALUE),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;

    #[test]
    fn names_and_values_have_commas_between_them() {
        let cases = [
            ("JSON_OBJECT(KEY 'a' VALUE 1, 'b' VALUE 2, 'c':3)", "JSON_OBJECT( 'a' , 1, 'b' , 2, 'c',3)"),
            ("json_object('a', f(1, x), b, [c : d])", "json_object('a', f(1, x), b, [c : d])"),
            ("JSON_OBJECT(KEY 'a' VALUE JSON_OBJECT('b':(c)))", "JSON_OBJECT( 'a' , JSON_OBJECT('b',(c)))"),
            ("JSON_OBJECT(KEY name VALUE value, key VALUE key)", "JSON_OBJECT( name , value, key , key)"),
            ("JSON_OBJECT ()", "JSON_OBJECT ()"),
            ("\"JSON_OBJECT\"(KEY 'a' VALUE 1), JSON_OBJECT", "\"JSON_OBJECT\"(KEY 'a' VALUE 1), JSON_OBJECT"),
            ("JSON_OBJECT) VALUE : KEY (", "JSON_OBJECT) VALUE : KEY ("),
        ];
        for (sql, expected) in cases {
            let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location().expect("it is read");
            let found: String = with_commas(tokens).iter().map(|spanned| spanned.token.to_string()).collect();
            assert_eq!(found, expected, "{sql}");
        }
    }
}
