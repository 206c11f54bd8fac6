//! A simulated world around the real binary: Microsoft, receivers, configuration.
