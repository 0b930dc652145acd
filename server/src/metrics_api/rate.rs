//! How many requests a minute one client may make.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What a client's requests are counted over.
const WINDOW: Duration = Duration::from_secs(60);
/// Clients that are remembered; beyond that those whose window is over go, and where there are none, all.
const CLIENTS_MAX: usize = 10_000;

/// Requests of each client in its window of a minute, which begins with the first of them.
#[derive(Debug)]
pub struct RateLimit {
    limit: u32,
    clients: Mutex<HashMap<IpAddr, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    start: Instant,
    used: u32,
}

/// What a client may still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub is_granted: bool,
    /// In a window.
    pub limit: u32,
    /// In this window, after this request.
    pub remaining: u32,
    /// Until the window ends.
    pub reset: Duration,
}

impl RateLimit {
    /// `limit`: requests a minute of one client.
    pub fn new(limit: u32) -> Self {
        Self { limit, clients: Mutex::default() }
    }

    /// Counts a request.
    pub fn take(&self, client: IpAddr, now: Instant) -> Allowance {
        let mut clients = self.clients.lock().expect("no code panics while it counts");
        if clients.len() >= CLIENTS_MAX && !clients.contains_key(&client) {
            clients.retain(|_, window| !window.is_over(now));
            if clients.len() >= CLIENTS_MAX {
                clients.clear();
            }
        }
        let window = clients.entry(client).or_insert(Window { start: now, used: 0 });
        if window.is_over(now) {
            *window = Window { start: now, used: 0 };
        }
        let is_granted = window.used < self.limit;
        window.used += u32::from(is_granted);
        Allowance {
            is_granted,
            limit: self.limit,
            remaining: self.limit - window.used,
            reset: WINDOW - now.duration_since(window.start),
        }
    }
}

impl Window {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.start) >= WINDOW
    }
}

impl Allowance {
    /// Whole seconds until the window ends, the last one begun counting as one.
    pub fn reset_s(&self) -> u64 {
        self.reset.as_millis().div_ceil(1_000) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_so_many_requests_in_each_minute() {
        let (limit, start) = (RateLimit::new(2), Instant::now());
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let take = |client, at_ms| {
            let allowance = limit.take(client, start + Duration::from_millis(at_ms));
            (allowance.is_granted, allowance.remaining, allowance.reset_s())
        };
        assert_eq!(take(one, 0), (true, 1, 60));
        assert_eq!(take(one, 30_001), (true, 0, 30));
        assert_eq!(take(one, 59_999), (false, 0, 1));
        assert_eq!(take(other, 59_999), (true, 1, 60));
        assert_eq!(take(one, 60_000), (true, 1, 60));
    }
}
