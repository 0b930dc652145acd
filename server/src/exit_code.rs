//! How a process ends, as `henge --help` says it.

/// It was asked for something that cannot be done.
pub const FAILURE: u8 = 1;
/// Used wrongly, as clap has it for arguments.
pub const USAGE: u8 = 2;
/// Ended by Ctrl-C, as shells have it.
pub const INTERRUPTED: u8 = 130;
