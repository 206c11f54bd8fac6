//! The flows between the layers: judging, visiting, closing, delivering, planning.

mod close;
mod delivery;
mod judge;
mod life;
mod planner;
mod setup;
mod told;
mod visit;
mod worker;
