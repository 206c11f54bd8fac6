//! The promises, each on the real binary.
