mod wire;
fn main() {}
