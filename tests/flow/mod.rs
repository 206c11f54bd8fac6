//! The flows between the layers: judging, visiting, closing, delivering, planning.

mod bed;
mod blindness;
mod chat;
mod clock_jumps;
mod close;
mod credential;
mod decision;
mod delivery;
mod drill;
mod ended_silence;
mod fleet;
mod gaps;
mod judge;
mod life;
mod limits;
mod never_silent;
mod outage;
mod own_cloud;
#[cfg(feature = "pfx")]
mod pfx;
mod planner;
mod reason;
mod records;
mod rejected;
mod replaced;
mod replay;
mod report;
mod route;
mod setup;
mod silence;
mod slow;
mod stages;
mod troubled;
mod upstream;
mod visit;
mod worker;
