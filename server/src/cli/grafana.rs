//! `henge grafana provision`: files that make a Grafana show Henge, once it has the plugin `henge-datasource`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::output_file::OutputFile;
use super::{fatal, print_line};
use crate::exit_code;

const DATA_SOURCE: &str = include_str!("../../grafana/datasource.yaml");
const PROVIDER: &str = include_str!("../../grafana/dashboards.yaml");
const ALERTS: &str = include_str!("../../grafana/alerts.yaml");
const DASHBOARDS: [(&str, &str); 5] = [
    ("fleet.json", include_str!("../../grafana/dashboards/fleet.json")),
    ("cluster.json", include_str!("../../grafana/dashboards/cluster.json")),
    ("usage.json", include_str!("../../grafana/dashboards/usage.json")),
    ("ingestion.json", include_str!("../../grafana/dashboards/ingestion.json")),
    ("henge.json", include_str!("../../grafana/dashboards/henge.json")),
];

#[derive(Debug, Args)]
pub struct GrafanaArgs {
    #[command(subcommand)]
    command: GrafanaCommand,
}

#[derive(Debug, Subcommand)]
enum GrafanaCommand {
    /// Write a data source, dashboards and alert rules into Grafana's provisioning directory.
    Provision(ProvisionArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge grafana provision --dir /etc/grafana/provisioning
  henge grafana provision --dir grafana --url http://henge:8888 --with-key   Grafana reads the key from its own $HENGE_KEY

Files of an earlier run are replaced; others are left alone.")]
pub struct ProvisionArgs {
    /// Grafana's provisioning directory; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Where Grafana reaches Henge.
    #[arg(long, default_value = "http://127.0.0.1:8888", value_parser = url)]
    url: String,
    /// Send a key, ID.SECRET, that Grafana finds in its environment as HENGE_KEY; it is not written down.
    #[arg(long)]
    with_key: bool,
}

pub fn run(args: &GrafanaArgs) -> ExitCode {
    let GrafanaCommand::Provision(args) = &args.command;
    let done = provision(args).and_then(|written| written.iter().try_for_each(print_line));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fatal(&error, exit_code::FAILURE),
    }
}

/// Of `http` or `https`, without anything that would end a line of YAML.
fn url(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" => Ok(url.as_str().trim_end_matches('/').to_owned()),
        other => Err(format!("`{other}` is no scheme of HTTP: use http or https")),
    }
}

/// The files that were written.
fn provision(args: &ProvisionArgs) -> Result<Vec<String>, String> {
    let shown = args.dir.join("dashboards/henge");
    for directory in [shown.as_path(), &args.dir.join("datasources"), &args.dir.join("alerting")] {
        fs::create_dir_all(directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
    }
    // Grafana does not start where this command does.
    let absolute = fs::canonicalize(&shown).map_err(|error| format!("cannot find {}: {error}", shown.display()))?;
    let path = serde_json::Value::from(absolute.display().to_string()).to_string();
    let (authentication, secrets) = match args.with_key {
        true => ("bearer", "    secureJsonData:\n      key: $HENGE_KEY"),
        false => ("none", ""),
    };
    let source = DATA_SOURCE.replace("{url}", &args.url).replace("{authentication}", authentication);
    let mut files = vec![
        (args.dir.join("datasources/henge.yaml"), source.replace("{secrets}", secrets)),
        (args.dir.join("dashboards/henge.yaml"), PROVIDER.replace("{path}", &path)),
        (args.dir.join("alerting/henge.yaml"), ALERTS.to_owned()),
    ];
    files.extend(DASHBOARDS.map(|(name, json)| (shown.join(name), json.to_owned())));
    files.iter().map(|(path, text)| write(path, text)).collect()
}

fn write(path: &Path, text: &str) -> Result<String, String> {
    OutputFile::create(path)?.finish_with(text.as_bytes())?;
    Ok(path.display().to_string())
}
