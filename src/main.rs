//! The `scorewatch` binary.

fn main() {}
