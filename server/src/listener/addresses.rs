use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many connections are open from each address, so that one cannot take all of them.
#[derive(Debug)]
pub struct AddressCounts {
    max: usize,
    /// Only of addresses that have one, so it is no larger than the number of connections.
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection's place among those of its address, for as long as it lives.
#[derive(Debug)]
pub struct AddressPlace {
    address: IpAddr,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl AddressCounts {
    pub fn new(max: usize) -> Self {
        Self { max, open: Arc::default() }
    }

    /// `None` where the address has as many as it may have.
    pub fn enter(&self, address: IpAddr) -> Option<AddressPlace> {
        let mut open = locked(&self.open);
        if open.get(&address).is_some_and(|count| *count >= self.max) {
            return None;
        }
        *open.entry(address).or_default() += 1;
        Some(AddressPlace { address, open: self.open.clone() })
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut open = locked(&self.open);
        match open.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => _ = open.remove(&self.address),
        }
    }
}

/// A count is right whoever panicked beside it.
fn locked(open: &Mutex<HashMap<IpAddr, usize>>) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_connections_and_no_more_until_one_ends() {
        let counts = AddressCounts::new(2);
        let address = |last| IpAddr::from([10, 0, 0, last]);
        let first = counts.enter(address(1));
        let second = counts.enter(address(1));
        assert!(first.is_some() && second.is_some());
        assert!(counts.enter(address(1)).is_none());
        assert!(counts.enter(address(2)).is_some(), "another address is not concerned");
        drop(first);
        assert!(counts.enter(address(1)).is_some());
        drop(second);
        assert!(locked(&counts.open).is_empty());
    }
}
