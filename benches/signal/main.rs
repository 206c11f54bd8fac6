//! Which messages tell of something that happened, and what happened that no message tells: this product and a plain tool on the same
//! made-up fleet. Arguments: tenants, days, seed.

#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use std::{collections::BTreeMap, env, time::Instant};

use signal::{
    Tally, plain,
    world::{Size, World},
};

#[path = "signal.rs"]
#[expect(clippy::expect_used, unreachable_pub, reason = "a benchmark's own parts, shared with its test")]
mod signal;

fn main() {
    let numbers: Vec<u64> = env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let number = |place: usize, default: u64| numbers.get(place).copied().unwrap_or(default);
    let size = Size {
        tenants: usize::try_from(number(0, 500)).unwrap_or(500),
        days: number(1, 180).cast_signed(),
        seed: number(2, 1),
    };
    let began = Instant::now();
    let world = World::new(size);
    println!("{size:?}: made up in {:.1} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    let (told, notices) = signal::product(&world);
    println!("replayed through every stage in {:.1} s", began.elapsed().as_secs_f64());
    show("scorewatch", &signal::tally(&world, &told, notices));
    show("plain tool", &signal::tally(&world, &plain::plain(&world), BTreeMap::new()));
}

fn show(who: &str, tally: &Tally) {
    println!("\n{who}: recall {:.4}, {:.3} messages per event", tally.recall(), tally.messages_per_event());
    println!("{:.3} false messages per tenant-year\n{tally:#?}", tally.false_per_tenant_year);
}
