//! Where all memory comes from, that of libraries in C too.
//!
//! Threads that have stepped back must not keep others waiting for memory: those of the C library's allocator share a few
//! locks, and one that waited for a core with such a lock in its hand kept short queries waiting for 100 ms.

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Pages that nobody has used for three seconds go back to the system, and their addresses too, which a limit on addresses
/// (`ulimit -v`) counts.
#[allow(unsafe_code, reason = "the allocator looks for its options under this name")]
// SAFETY: nothing else has the name, and it stands for what the allocator expects: the address of a text that a zero byte ends.
#[cfg_attr(target_os = "linux", unsafe(export_name = "malloc_conf"))]
#[cfg_attr(not(target_os = "linux"), unsafe(export_name = "_rjem_malloc_conf"))]
pub static OPTIONS: &[u8; 56] = b"background_thread:true,retain:false,dirty_decay_ms:3000\0";
