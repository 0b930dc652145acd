//! The one call into the C library's allocator.

/// Gives back to the system all whole pages that are free, of every arena; takes up to about 100 ms.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the allocator has no safe door for this")]
pub fn trim() {
    // SAFETY: malloc_trim(3) takes its own locks, may be called from any thread at any time, and moves nothing that is
    // in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other C libraries give memory back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn trim() {}
