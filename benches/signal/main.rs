//! Counts the messages that report a real event and the real events that no message reports, for this product and a plain tool on the
//! same generated fleet. Arguments: tenants, days, seed, and how many worlds of each scenario the reference model judges.

#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

use std::{collections::BTreeMap, env, time::Instant};

use signal::{
    Tally, plain,
    world::{Size, World},
};

#[path = "signal.rs"]
#[expect(clippy::expect_used, unreachable_pub, reason = "a benchmark's own parts, shared with its test")]
mod signal;

#[path = "trial.rs"]
#[expect(clippy::expect_used, unreachable_pub, dead_code, reason = "shared with a test, which asks for more of it")]
mod trial;

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
    let (reported, notices) = signal::product(&world);
    println!("replayed through every stage in {:.1} s", began.elapsed().as_secs_f64());
    show("scorewatch", &signal::tally(&world, &reported, notices));
    show("plain tool", &signal::tally(&world, &plain::plain(&world), BTreeMap::new()));
    scenarios(number(3, 20));
}

/// A row for each scenario, over that number of worlds.
fn scenarios(worlds: u64) {
    println!("\n| scenario | events | recall | messages per event | false |\n| --- | --- | --- | --- | --- |");
    for scenario in trial::scenario::all() {
        let mut row = Row::default();
        for seed in 0..worlds {
            let verdict = (scenario.make)(seed).run();
            row.events += verdict.required;
            row.covered += verdict.covered;
            row.messages += verdict.messages;
            row.false_lines += verdict.false_lines;
            for complaint in verdict.complaints {
                println!("{}, seed {seed}: {:?}: {}", scenario.name, complaint.fault, complaint.what);
            }
        }
        println!("{}", row.shown(scenario.name));
    }
}

#[derive(Debug, Default)]
struct Row {
    events: usize,
    covered: usize,
    messages: usize,
    false_lines: usize,
}

impl Row {
    #[expect(clippy::cast_precision_loss, reason = "counts of messages are small")]
    fn shown(&self, name: &str) -> String {
        let each = self.messages as f64 / self.events.max(1) as f64;
        format!("| {name} | {} | {} of {} | {each:.2} | {} |", self.events, self.covered, self.events, self.false_lines)
    }
}

fn show(who: &str, tally: &Tally) {
    println!("\n{who}: recall {:.4}, {:.3} messages per event", tally.recall(), tally.messages_per_event());
    println!("{:.3} false messages per tenant-year\n{tally:#?}", tally.false_per_tenant_year);
}
