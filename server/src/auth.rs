//! Who asks, and what for.
//!
//! request -> access (what its door is open to) -> credentials (Basic or Bearer) -> key_ring (the keys there are) -> asker
//!
//! Nothing but the key says whose rows are read: no path, header, parameter or body does.

pub mod access;
pub mod asker;
pub mod credentials;
pub mod denied;
pub mod door;
pub mod key;
pub mod key_files;
pub mod key_ring;
