/// Cuts text into statements at each `;` that is not inside of quotes or a comment.
#[derive(Debug, Default)]
pub struct Statements {
    rest: String,
}

impl Statements {
    pub fn push(&mut self, text: &str) {
        self.rest.push_str(text);
    }

    /// The next complete statement, without its `;`.
    pub fn next(&mut self) -> Option<String> {
        loop {
            let end = statement_end(&self.rest)?;
            let statement = self.rest[..end].trim().to_owned();
            self.rest.drain(..=end);
            if !is_blank(&statement) {
                return Some(statement);
            }
        }
    }

    /// What follows the last `;`, if it says anything.
    pub fn take_rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.rest).trim().to_owned();
        (!is_blank(&rest)).then_some(rest)
    }

    /// Whether nothing has been begun.
    pub fn is_empty(&self) -> bool {
        self.rest.trim().is_empty()
    }

    pub fn clear(&mut self) {
        self.rest.clear();
    }
}

/// The byte offset of the first `;` that ends a statement.
fn statement_end(text: &str) -> Option<usize> {
    pieces(text).find_map(|(at, piece)| (piece == ";").then_some(at))
}

/// Whether there are only spaces and comments.
fn is_blank(text: &str) -> bool {
    pieces(text).all(|(_, piece)| piece.trim().is_empty() || piece.starts_with("--") || piece.starts_with("/*"))
}

/// Quoted texts, comments, and each other character by itself, with their byte offsets. A piece that is not closed
/// reaches to the end.
fn pieces(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let first = rest.chars().next()?;
        let length = match first {
            '\'' | '"' => 1 + through(&rest[1..], &rest[..1]),
            '-' if rest.starts_with("--") => through(rest, "\n"),
            '/' if rest.starts_with("/*") => 2 + through(&rest[2..], "*/"),
            _ => first.len_utf8(),
        };
        let start = at;
        at += length;
        Some((start, &text[start..at]))
    })
}

/// Bytes up to the end of the first `closing`, or all of them.
fn through(text: &str, closing: &str) -> usize {
    text.find(closing).map_or(text.len(), |found| found + closing.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> (Vec<String>, Option<String>) {
        let mut statements = Statements::default();
        statements.push(text);
        (std::iter::from_fn(|| statements.next()).collect(), statements.take_rest())
    }

    #[test]
    fn statements_end_at_semicolons_outside_of_quotes_and_comments() {
        let cases: [(&str, &[&str], Option<&str>); 8] = [
            ("SELECT 1; SELECT 2", &["SELECT 1"], Some("SELECT 2")),
            ("SELECT 1;\n", &["SELECT 1"], None),
            ("SELECT ';', \"a;b\", 'it''s;' ;", &["SELECT ';', \"a;b\", 'it''s;'"], None),
            ("SELECT 1 -- no; end\n;", &["SELECT 1 -- no; end"], None),
            ("SELECT /* ; */ 1;", &["SELECT /* ; */ 1"], None),
            (";; -- nothing\n ; ", &[], None),
            ("SELECT 'open;", &[], Some("SELECT 'open;")),
            ("SELECT 'é';SELECT 2;", &["SELECT 'é'", "SELECT 2"], None),
        ];
        for (text, expected, rest) in cases {
            let (statements, left) = cut(text);
            assert_eq!(statements, expected, "{text}");
            assert_eq!(left.as_deref(), rest, "{text}");
        }
    }
}
