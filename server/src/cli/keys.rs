//! `henge keys`: makes, lists and revokes the credentials of a data directory.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, Table, presets};
use henge_segment_store::clock;
use henge_segment_store::time::TimestampMs;
use jiff::{Span, SpanRelativeTo};
use serde_json::json;

use super::directory::DirectoryArgs;
use super::{fatal, print_line};
use crate::auth::key::{Key, role_of};
use crate::auth::key_files::{self, Listed};
use crate::exit_code;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge keys create --role admin
  henge keys create --org acme --role metrics-viewer --expires 90d
  henge keys list
  henge keys revoke ABCDEFGHIJKLM234

Once there is a key, every request needs one: `Authorization: Basic`, with id and secret as user and password, or
`Authorization: Bearer ID.SECRET`. A server may run beside; what is made or revoked here counts there at once (with a
bucket, within two seconds).")]
pub struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key and show its secret, which cannot be shown again.
    Create(CreateArgs),
    /// Show which keys there are.
    List(ListArgs),
    /// End a key for good.
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
    /// `admin`: may do everything. `metrics-viewer`: may ask for the rows of one organisation.
    #[arg(long, value_name = "ROLE")]
    role: String,
    /// The organisation, as rows carry it in the tenant dimension of their datasource.
    #[arg(long, value_name = "ORG")]
    org: Option<String>,
    /// When it ends: a time such as `2027-01-01T00:00:00Z`, or how long from now, such as `90d`.
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RevokeArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
    #[arg(value_name = "ID")]
    id: String,
}

/// Why a command failed, and with which code.
type Failure = (String, u8);

pub async fn run(args: KeysArgs) -> ExitCode {
    let done = match args.command {
        KeysCommand::Create(args) => create(args).await,
        KeysCommand::List(args) => list(args).await,
        KeysCommand::Revoke(args) => revoke(args).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err((message, code)) => fatal(&message, code),
    }
}

async fn create(args: CreateArgs) -> Result<(), Failure> {
    let role = role_of(&args.role, args.org.as_deref()).map_err(used_wrongly)?;
    let expires_at = args.expires.as_deref().map(|text| end(text, clock::now())).transpose().map_err(used_wrongly)?;
    let objects = args.directory.objects().map_err(used_wrongly)?;
    let (key, secret) =
        key_files::create(&objects, role, expires_at).await.map_err(|error| failed(error.in_words()))?;
    if args.json {
        let mut json = described(&Listed { key, revoked_at: None });
        json["secret"] = json!(secret.reveal());
        return print_line(json).map_err(failed);
    }
    let (id, secret) = (&key.id, secret.reveal());
    print_line(format!("key     {id}\nsecret  {secret}\nbearer  {id}.{secret}")).map_err(failed)?;
    eprintln!(
        "The secret is not kept and cannot be shown again. Every request to this data directory's server needs a key now."
    );
    Ok(())
}

async fn list(args: ListArgs) -> Result<(), Failure> {
    let objects = args.directory.objects().map_err(used_wrongly)?;
    let keys = key_files::list(&objects).await.map_err(|error| failed(error.in_words()))?;
    if args.json {
        let json: Vec<_> = keys.iter().map(described).collect();
        return print_line(json!(json)).map_err(failed);
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["key", "role", "organisation", "created", "state"]);
    for listed in &keys {
        let Key { id, role, created_at, .. } = &listed.key;
        let organisation = role.organisation().map(ToString::to_string).unwrap_or_default();
        table.add_row([id.to_string(), role.name().to_owned(), organisation, created_at.to_string(), state(listed)]);
    }
    print_line(table).map_err(failed)
}

async fn revoke(args: RevokeArgs) -> Result<(), Failure> {
    let objects = args.directory.objects().map_err(used_wrongly)?;
    key_files::revoke(&objects, &args.id).await.map_err(|error| failed(error.in_words()))?;
    print_line(format!("revoked {}", args.id)).map_err(failed)
}

/// In words, from the clock of this machine.
fn state(listed: &Listed) -> String {
    match (listed.revoked_at, listed.key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) if listed.key.is_expired(clock::now()) => format!("expired {at}"),
        (None, Some(at)) => format!("valid until {at}"),
        (None, None) => "valid".to_owned(),
    }
}

fn described(listed: &Listed) -> serde_json::Value {
    let Key { id, role, created_at, expires_at, .. } = &listed.key;
    let text = |time: &TimestampMs| time.to_string();
    json!({
        "id": id.as_str(),
        "role": role.name(),
        "org": role.organisation().map(ToString::to_string),
        "created_at": text(created_at),
        "expires_at": expires_at.as_ref().map(text),
        "revoked_at": listed.revoked_at.as_ref().map(text),
    })
}

/// A time, or a length of time from now on.
fn end(text: &str, now: TimestampMs) -> Result<TimestampMs, String> {
    let wrong =
        || format!("`{text}` is no end of a key: write a time such as 2027-01-01T00:00:00Z, or a length such as 90d");
    if let Some(time) = TimestampMs::parse_iso(text) {
        return Ok(time);
    }
    let span: Span = text.parse().map_err(|_| wrong())?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    let millis = i64::try_from(length.as_millis()).ok().filter(|millis| *millis > 0).ok_or_else(wrong)?;
    Ok(TimestampMs(now.0.saturating_add(millis)))
}

fn failed(message: String) -> Failure {
    (message, exit_code::FAILURE)
}

fn used_wrongly(message: String) -> Failure {
    (message, exit_code::USAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_at_a_time_or_after_one() {
        let now = TimestampMs(1_000);
        let cases = [
            ("90d", Ok(TimestampMs(1_000 + 90 * 86_400_000))),
            ("PT1H", Ok(TimestampMs(3_601_000))),
            ("1970-01-02T00:00:00Z", Ok(TimestampMs(86_400_000))),
        ];
        for (text, expected) in cases {
            assert_eq!(end(text, now), expected, "{text}");
        }
        for text in ["", "soon", "-1d", "0s", "1y"] {
            assert!(end(text, now).is_err(), "{text}");
        }
    }
}
