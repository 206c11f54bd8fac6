//! The flows between the layers: judging, visiting, closing, delivering, planning.

mod bed;
mod close;
mod delivery;
mod judge;
mod life;
mod outage;
mod planner;
mod records;
mod setup;
mod troubled;
mod visit;
mod worker;
