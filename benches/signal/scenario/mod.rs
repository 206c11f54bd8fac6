//! The scenarios: each makes a world of its kind for every seed.

mod draft;
mod fleets;
pub mod live;
mod packs;
mod shifts;
mod times;

use super::Trial;

/// Scenarios by name: each makes the world of a seed.
type Table = [(&'static str, fn(u64) -> Trial)];

/// A kind of world.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    pub make: fn(u64) -> Trial,
}

/// All scenarios of this module.
pub fn all() -> Vec<Scenario> {
    let tables = [shifts::ALL, fleets::ALL, times::ALL, packs::ALL];
    tables.into_iter().flat_map(named).collect()
}

fn named(table: &Table) -> Vec<Scenario> {
    table.iter().map(|&(name, make)| Scenario { name, make }).collect()
}
