//! Statements that are no queries: about the session, or about transactions, of which there are none.

use henge_query::postgres::statements::{Piece, Statement};

use super::failure::Failure;
use super::session::{Session, Transaction};

/// What there is to do for a statement.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Also what is unknown here: the engine says what it may be.
    Query,
    Begin(&'static str),
    Commit,
    Rollback,
    /// Of a part of a transaction.
    Savepoint(&'static str),
    RollbackTo,
    Set {
        name: String,
        value: String,
    },
    Reset(String),
    ResetAll,
    Show(String),
    /// Forgets what is prepared, too.
    DiscardAll,
    /// `None`: all that are prepared.
    Deallocate(Option<String>),
    /// Says that it is done, which it is, for there is nothing to do.
    Nothing(&'static str),
}

impl Command {
    pub fn of(statement: &Statement) -> Self {
        let second = statement.keyword(1);
        match statement.keyword(0).as_str() {
            "BEGIN" => Self::Begin("BEGIN"),
            "START" if second == "TRANSACTION" => Self::Begin("START TRANSACTION"),
            "COMMIT" | "END" => Self::Commit,
            "ROLLBACK" if (1..4).any(|at| statement.keyword(at) == "TO") => Self::RollbackTo,
            "ROLLBACK" | "ABORT" => Self::Rollback,
            "SAVEPOINT" => Self::Savepoint("SAVEPOINT"),
            "RELEASE" => Self::Savepoint("RELEASE"),
            "SET" => set(statement),
            "RESET" if second == "ALL" => Self::ResetAll,
            "RESET" => Self::Reset(name_at(statement, 1)),
            "SHOW" => Self::Show(name_at(statement, 1)),
            "DISCARD" => Self::DiscardAll,
            "DEALLOCATE" => {
                let at = if second == "PREPARE" { 2 } else { 1 };
                let is_all = statement.keyword(at) == "ALL";
                Self::Deallocate((!is_all).then(|| text(statement.pieces.get(at))))
            }
            "UNLISTEN" => Self::Nothing("UNLISTEN"),
            "CLOSE" if second == "ALL" => Self::Nothing("CLOSE CURSOR ALL"),
            _ => Self::Query,
        }
    }

    /// Whether it is done in a transaction that has failed.
    pub fn ends_transaction(&self) -> bool {
        matches!(self, Self::Commit | Self::Rollback | Self::RollbackTo)
    }
}

/// `SET [SESSION | LOCAL] name { = | TO } value, ..`, `SET TIME ZONE value`, `SET TRANSACTION ..`.
fn set(statement: &Statement) -> Command {
    let at = if matches!(statement.keyword(1).as_str(), "SESSION" | "LOCAL") { 2 } else { 1 };
    let next = statement.keyword(at + 1);
    match statement.keyword(at).as_str() {
        "TRANSACTION" | "CHARACTERISTICS" | "AUTHORIZATION" | "ROLE" => Command::Nothing("SET"),
        "TIME" if next == "ZONE" => Command::Set { name: "TimeZone".to_owned(), value: values(statement, at + 2) },
        "NAMES" => Command::Set { name: "client_encoding".to_owned(), value: values(statement, at + 1) },
        _ => {
            let is_between = |piece: &&Piece| match piece {
                Piece::Word(word) => !word.eq_ignore_ascii_case("TO"),
                Piece::Sign(sign) => sign != "=",
                Piece::Text(_) => true,
            };
            let name: Vec<&Piece> = statement.pieces.iter().skip(at).take_while(is_between).collect();
            let value = values(statement, at + name.len() + 1);
            Command::Set { name: name.into_iter().map(|piece| text(Some(piece))).collect(), value }
        }
    }
}

/// A name that may have several parts; the words of `TRANSACTION ISOLATION LEVEL` and `TIME ZONE` are one.
fn name_at(statement: &Statement, at: usize) -> String {
    match (statement.keyword(at).as_str(), statement.keyword(at + 1).as_str()) {
        ("TRANSACTION", "ISOLATION") => "transaction_isolation".to_owned(),
        ("TIME", "ZONE") => "TimeZone".to_owned(),
        _ => statement.pieces.iter().skip(at).map(|piece| text(Some(piece))).collect(),
    }
}

fn values(statement: &Statement, at: usize) -> String {
    let texts = statement.pieces.iter().skip(at).map(|piece| text(Some(piece)));
    texts.collect::<String>().replace(',', ", ")
}

fn text(piece: Option<&Piece>) -> String {
    match piece {
        Some(Piece::Word(text) | Piece::Text(text) | Piece::Sign(text)) => text.clone(),
        None => String::new(),
    }
}

/// What a command answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Done {
    pub tag: String,
    /// Of `SHOW`: name and value.
    pub shown: Option<(String, String)>,
}

impl Done {
    fn of(tag: impl Into<String>) -> Self {
        Self { tag: tag.into(), shown: None }
    }
}

/// Does what concerns the session alone.
///
/// # Errors
/// A setting cannot be what is said, or is not known.
pub fn run(command: Command, session: &mut Session) -> Result<Done, Failure> {
    Ok(match command {
        Command::Begin(tag) => {
            session.transaction = Transaction::Open;
            Done::of(tag)
        }
        Command::Commit => {
            let has_failed = session.transaction == Transaction::Failed;
            session.transaction = Transaction::None;
            Done::of(if has_failed { "ROLLBACK" } else { "COMMIT" })
        }
        Command::Rollback => {
            session.transaction = Transaction::None;
            Done::of("ROLLBACK")
        }
        Command::RollbackTo => {
            session.transaction = Transaction::Open;
            Done::of("ROLLBACK")
        }
        Command::Savepoint(tag) | Command::Nothing(tag) => Done::of(tag),
        Command::Set { name, value } => {
            session.set(&name, &value)?;
            Done::of("SET")
        }
        Command::Reset(name) => {
            session.reset(&name);
            Done::of("RESET")
        }
        Command::ResetAll => {
            session.reset_all();
            Done::of("RESET")
        }
        Command::Show(name) => {
            let value = session.get(&name).map(str::to_owned).ok_or_else(|| unknown(&name))?;
            Done { tag: "SHOW".to_owned(), shown: Some((name, value)) }
        }
        Command::DiscardAll => {
            session.reset_all();
            Done::of("DISCARD ALL")
        }
        Command::Deallocate(name) => Done::of(if name.is_some() { "DEALLOCATE" } else { "DEALLOCATE ALL" }),
        Command::Query => return Err(Failure::new("XX000", "a query is no command")),
    })
}

fn unknown(name: &str) -> Failure {
    Failure::new("42704", format!("there is no setting `{name}`"))
}

#[cfg(test)]
mod tests {
    use henge_query::postgres::statements::split;

    use super::*;

    fn command(sql: &str) -> Command {
        Command::of(&split(sql, 1_000).unwrap().remove(0))
    }

    #[test]
    fn commands_are_told_from_queries() {
        let set = |name: &str, value: &str| Command::Set { name: name.into(), value: value.into() };
        let cases = [
            ("select 1", Command::Query),
            ("INSERT INTO x VALUES (1)", Command::Query),
            ("begin read only", Command::Begin("BEGIN")),
            ("START TRANSACTION ISOLATION LEVEL SERIALIZABLE", Command::Begin("START TRANSACTION")),
            ("END", Command::Commit),
            ("ROLLBACK", Command::Rollback),
            ("ROLLBACK TO SAVEPOINT a", Command::RollbackTo),
            ("SET extra_float_digits = 3", set("extra_float_digits", "3")),
            ("SET SESSION TimeZone TO 'Europe/Berlin'", set("TimeZone", "Europe/Berlin")),
            ("SET TIME ZONE 'UTC'", set("TimeZone", "UTC")),
            ("SET search_path = public, x", set("search_path", "public, x")),
            ("SET my.own = -1", set("my.own", "-1")),
            ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", Command::Nothing("SET")),
            ("SHOW TRANSACTION ISOLATION LEVEL", Command::Show("transaction_isolation".into())),
            ("SHOW server_version", Command::Show("server_version".into())),
            ("RESET ALL", Command::ResetAll),
            ("DISCARD ALL", Command::DiscardAll),
            ("DEALLOCATE PREPARE a", Command::Deallocate(Some("a".into()))),
            ("DEALLOCATE ALL", Command::Deallocate(None)),
            ("UNLISTEN *", Command::Nothing("UNLISTEN")),
        ];
        for (sql, expected) in cases {
            assert_eq!(command(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_failed_transaction_cannot_be_committed() {
        let mut session = Session::default();
        session.transaction = Transaction::Failed;
        let done = run(Command::Commit, &mut session).unwrap();
        assert_eq!((done.tag.as_str(), session.transaction), ("ROLLBACK", Transaction::None));
    }

    #[test]
    fn settings_are_shown_and_unknown_ones_are_errors() {
        let mut session = Session::default();
        let shown = |session: &mut Session, name: &str| run(Command::Show(name.into()), session).map(|done| done.shown);
        let expected = Some(("TimeZone".to_owned(), "UTC".to_owned()));
        assert_eq!(shown(&mut session, "TimeZone"), Ok(expected));
        assert_eq!(shown(&mut session, "nothing").map_err(|failure| failure.code), Err("42704"));
    }
}
