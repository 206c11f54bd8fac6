//! Payloads judged by things that nobody here wrote.
