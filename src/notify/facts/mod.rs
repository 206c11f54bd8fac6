//! What notifications say: facts, as plain values. What makes them is above.

pub mod cause;
pub mod control;
pub mod digest;
pub mod fleet;
pub mod month;
pub mod operator;
pub mod report;
pub mod score;
pub mod wording;
