//! The shipped rules, on ordinary tenants and on a day on which everybody is rescored.

use std::path::PathBuf;

use rand::RngExt;

use super::{
    super::{
        Claim, Trial, pack,
        reference::world::{DAY, HOUR, MINUTE, Rule, Score, Seconds, When},
    },
    Table,
    draft::{Draft, Timetable},
};

pub(super) const ALL: &Table =
    &[("the starter pack", starter), ("the strict pack", strict), ("the customers' pack", customer)];

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rules").join(name)
}

/// The first rule that judges falls of the device score within a day.
fn fall_of(rules: &[Rule]) -> usize {
    let is_fall = |rule: &Rule| rule.score == Some(Score::Device) && matches!(rule.when, When::Drop(..));
    rules.iter().position(is_fall).expect("a fall")
}

fn pack_of(name: &str, seed: u64, label: (&str, &str)) -> Trial {
    let mut draft = Draft::new(name, seed, 14, 10);
    draft.world.rules = pack::read(&file(name));
    draft.noise = 0.02;
    for life in &mut draft.lives {
        life.timetable = Timetable::every(30 * MINUTE);
        life.labels = vec![(label.0.to_owned(), label.1.to_owned())];
    }
    draft.spread(5 * MINUTE);
    let fall = fall_of(&draft.world.rules);
    let shift = draft.time(2 * DAY, 3 * DAY);
    let until = seed.is_multiple_of(2).then(|| shift + draft.time(5 * HOUR, 30 * HOUR));
    let all: Vec<usize> = (0..14).collect();
    let by = -draft.percent(6.5, 9.0);
    draft.common(&all, shift, until, by);
    for tenant in draft.some(4) {
        let from = 5 * DAY + draft.time(0, 2 * DAY);
        let lasts = draft.time(8 * HOUR, 30 * HOUR);
        let lost = -draft.percent(12.0, 30.0);
        let is_over = draft.random.random::<bool>();
        draft.change(tenant, from, if is_over { from + lasts } else { Seconds::MAX }, lost);
        let until = from + draft.world.rules[fall].pending_for + 2 * HOUR;
        draft.claims.push(Claim { tenant, rule: fall, is_end: false, from, until });
    }
    let failing = draft.time(4 * DAY, 5 * DAY);
    let tenant = draft.random.random_range(0..14);
    draft.lives[tenant].failing.push((failing, failing + 9 * HOUR));
    let mut trial = draft.finish();
    trial.pack = Some(file(name));
    trial
}

fn starter(seed: u64) -> Trial {
    pack_of("starter.yaml", seed, ("tier", "gold"))
}

fn strict(seed: u64) -> Trial {
    pack_of("strict.yaml", seed, ("watch", "strict"))
}

fn customer(seed: u64) -> Trial {
    pack_of("customer.yaml", seed, ("informed", "yes"))
}
