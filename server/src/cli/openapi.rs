//! `henge openapi`: the HTTP interface as an OpenAPI document on stdout.

use std::process::ExitCode;

use clap::Args;

use super::{fatal, print_line};
use crate::{exit_code, openapi};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge openapi > henge.json
  schemathesis run henge.json --url http://127.0.0.1:8888")]
pub struct OpenApiArgs {}

pub fn run() -> ExitCode {
    match print_line(format_args!("{:#}", openapi::document())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fatal(&error, exit_code::FAILURE),
    }
}
