//! What a text says: statements, each up to a `;`, and between them commands, each a line of its own.

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Without its `;`.
    Statement(String),
    /// Begins with a backslash.
    Command(String),
}

/// Cuts text into statements at each `;` that is not inside of quotes or a comment, and into commands at line ends.
#[derive(Debug, Default)]
pub struct Statements {
    rest: String,
}

impl Statements {
    pub fn push(&mut self, text: &str) {
        self.rest.push_str(text);
    }

    /// The next complete statement or command.
    pub fn next(&mut self) -> Option<Said> {
        loop {
            if let Some(at) = command_start(&self.rest) {
                let end = at + self.rest[at..].find('\n')?;
                let command = self.rest[at..end].trim().to_owned();
                self.rest.drain(..=end);
                return Some(Said::Command(command));
            }
            let end = statement_end(&self.rest)?;
            let statement = self.rest[..end].trim().to_owned();
            self.rest.drain(..=end);
            if !is_blank(&statement) {
                return Some(Said::Statement(statement));
            }
        }
    }

    /// What follows the last that was complete, if it says anything.
    pub fn take_rest(&mut self) -> Option<Said> {
        let rest = std::mem::take(&mut self.rest);
        if let Some(at) = command_start(&rest) {
            return Some(Said::Command(rest[at..].trim().to_owned()));
        }
        let rest = rest.trim();
        (!is_blank(rest)).then(|| Said::Statement(rest.to_owned()))
    }

    /// Whether nothing has been begun.
    pub fn is_empty(&self) -> bool {
        self.rest.trim().is_empty()
    }

    pub fn clear(&mut self) {
        self.rest.clear();
    }
}

/// Where a command stands in the place of a statement.
fn command_start(text: &str) -> Option<usize> {
    let (at, first) = pieces(text).find(|(_, piece)| !is_nothing(piece))?;
    (first == "\\").then_some(at)
}

/// The byte offset of the first `;` that ends a statement.
fn statement_end(text: &str) -> Option<usize> {
    pieces(text).find_map(|(at, piece)| (piece == ";").then_some(at))
}

/// Whether there are only spaces and comments.
fn is_blank(text: &str) -> bool {
    pieces(text).all(|(_, piece)| is_nothing(piece))
}

fn is_nothing(piece: &str) -> bool {
    piece.trim().is_empty() || piece.starts_with("--") || piece.starts_with("/*")
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
        let text = |said| match said {
            Said::Statement(sql) => sql,
            Said::Command(command) => format!("command {command}"),
        };
        (std::iter::from_fn(|| statements.next().map(text)).collect(), statements.take_rest().map(text))
    }

    #[test]
    fn statements_end_at_semicolons_outside_of_quotes_and_comments_and_commands_at_line_ends() {
        let cases: [(&str, &[&str], Option<&str>); 13] = [
            ("SELECT 1; SELECT 2", &["SELECT 1"], Some("SELECT 2")),
            ("SELECT 1;\n", &["SELECT 1"], None),
            ("SELECT ';', \"a;b\", 'it''s;' ;", &["SELECT ';', \"a;b\", 'it''s;'"], None),
            ("SELECT 1 -- no; end\n;", &["SELECT 1 -- no; end"], None),
            ("SELECT /* ; */ 1;", &["SELECT /* ; */ 1"], None),
            (";; -- nothing\n ; ", &[], None),
            ("SELECT 'open;", &[], Some("SELECT 'open;")),
            ("SELECT 'é';SELECT 2;", &["SELECT 'é'", "SELECT 2"], None),
            ("\\d", &[], Some("command \\d")),
            ("-- first\n \\d fleet \nSELECT 1;", &["command \\d fleet", "SELECT 1"], None),
            ("SELECT 1; \\format csv\nSELECT 2", &["SELECT 1", "command \\format csv"], Some("SELECT 2")),
            ("SELECT\n\\d\n;", &["SELECT\n\\d"], None),
            ("SELECT 'a\n\\d';", &["SELECT 'a\n\\d'"], None),
        ];
        for (text, expected, rest) in cases {
            let (statements, left) = cut(text);
            assert_eq!(statements, expected, "{text}");
            assert_eq!(left.as_deref(), rest, "{text}");
        }
    }
}
