//! The flows between the layers: judging, visiting, closing, delivering, planning.

mod bed;
mod chat;
mod clock_jumps;
mod close;
mod credential;
mod delivery;
mod drill;
mod fleet;
mod judge;
mod life;
mod outage;
#[cfg(feature = "pfx")]
mod pfx;
mod planner;
mod records;
mod replay;
mod setup;
mod silence;
mod troubled;
mod visit;
mod worker;
