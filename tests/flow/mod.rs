//! The flows between the layers: judging, visiting, closing, delivering, planning.

mod bed;
mod chat;
mod clock_jumps;
mod close;
mod credential;
mod delivery;
mod drill;
mod judge;
mod life;
mod outage;
mod planner;
mod reason;
mod records;
mod setup;
mod troubled;
mod visit;
mod worker;
