//! PostgreSQL's protocol, for clients and tools that speak no other: the same engine, limits and keys as over HTTP.
//!
//! listener -> login (who asks) -> conversation (messages) -> statement (a query, or a command about the session)
//!
//! message (what clients send) and reply (what they are told) are version 3.0 of the protocol, wire moves their bytes.
//! Written by hand: the crate `pgwire` reads messages of a gigabyte, knows no limits of time, and plans twice what is described
//! before it is run. Only its types of messages, six crates without the rest, could stand in for those two files and wire.

mod cancellation;
mod command;
mod conversation;
mod failure;
mod kind;
pub mod listener;
mod login;
mod message;
mod numeric;
mod parameter;
mod portal;
mod reply;
mod row;
mod session;
mod wire;
