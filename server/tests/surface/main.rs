//! The binary as a user meets it: its arguments, its output, its exit codes, its signals.

mod cli;
mod clients;
mod compact;
mod deaths;
mod demo;
mod directory;
mod grafana;
mod keys;
mod metrics;
mod postgres;
mod process;
mod python;
mod readers;
mod scrapers;
mod segments;
mod server;
mod verify;
