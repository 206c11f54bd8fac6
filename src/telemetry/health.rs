//! Whether the service does its work: what `/healthz` and `/readyz` answer.

/// Signs of life of the parts, as they report them.
#[derive(Debug, Clone, Default)]
pub struct Health {}
