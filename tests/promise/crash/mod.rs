//! At least once; at most one repeat per message per crash, and it is marked; nothing lost, nothing out of order. Nothing that
//! anybody saw is lost when the power fails, and a full disk loses nothing either.
//!
//! The real binary is killed, stopped, aborted at named points, robbed of its power and of its disk while scores move, and
//! started again. What receivers accepted is compared with what the store says has happened.
//! Settings: `SCOREWATCH_CRASH_SEED` repeats a run, `SCOREWATCH_CRASH_KILLS`, `SCOREWATCH_CRASH_TIMES` (at
//! each named point), `SCOREWATCH_REPLICA_KILLS`, `SCOREWATCH_REPLICA_STOPS`, `SCOREWATCH_REPLICA_TROUBLES`, `SCOREWATCH_PATRONI_KILLS`
//! and `SCOREWATCH_CUTS` make it longer.

use std::io::Write;

#[cfg(debug_assertions)]
mod apart;
mod clocks;
mod disk_trouble;
mod failover;
mod history;
#[cfg(debug_assertions)]
mod late;
mod migration;
mod model;
mod patroni;
#[cfg(debug_assertions)]
mod person;
#[cfg(debug_assertions)]
mod points;
#[cfg(debug_assertions)]
mod power;
mod random;
mod replicas;
mod shim;
mod stage;
mod stop;
mod takeover;
mod troubled;

/// The seed of this run.
fn seed() -> u64 {
    setting("SCOREWATCH_CRASH_SEED").unwrap_or_else(rand::random)
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

/// How many rounds a test goes: as many as the environment says. None would prove nothing.
fn rounds(name: &str, otherwise: u64) -> u64 {
    let rounds = setting(name).unwrap_or(otherwise);
    assert!(rounds > 0, "{name} is 0: leave the test out");
    rounds
}

/// Says it past the test runner, which keeps what a green test prints to itself: seeds and figures are for everybody.
#[expect(clippy::explicit_write, reason = "what `eprintln!` prints is kept back")]
fn report(line: &str) {
    writeln!(std::io::stderr(), "{line}").unwrap();
}
