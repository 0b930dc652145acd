//! Benches of Henge.

fn main() {}
