//! Shifts that are reverted, follow each other, or meet alerts that fire.

use rand::RngExt;

use super::{
    super::{
        Trial,
        reference::world::{DAY, HOUR, MINUTE, Recover, Rule, Seconds, Severity, Size},
    },
    Table,
    draft::{Draft, QUARTER, low_rule},
};

pub(super) const ALL: &Table = &[
    ("a shift is reverted, then own falls", reverted),
    ("a shift is accepted, then reverted, then own falls", accepted_then_reverted),
    ("one works its way back after a shift, then falls", worked_back),
    ("a second shift of the same size after a revert", again),
    ("a second shift on top of firing alerts", second),
    ("two shifts one interval apart", one_interval_apart),
    ("a floor broken by a shift, and falling further", below),
    ("between the thresholds when a shift comes", between),
    ("own losses at the same time as a shift", outliers),
    ("an own fall right after a shift", right_after),
    ("a shift upwards hides no fall", upwards),
    ("what is over before the wait for the fleet is", brief),
];

fn everybody(draft: &Draft) -> Vec<usize> {
    (0..draft.lives.len()).collect()
}

/// The messages about a shift and its aftermath, within that time after it.
fn grouped(trial: &mut Trial, from: Seconds, messages_max: usize) {
    let until = from + 2 * QUARTER + trial.world.fleet.wait();
    trial.group(from, until, messages_max);
}

fn reverted(seed: u64) -> Trial {
    let mut draft = Draft::new("reverted", seed, 13, 4);
    draft.spread(5 * MINUTE);
    if seed.is_multiple_of(2) {
        draft.world.rules.push(low_rule(150.0));
    }
    let from = draft.time(20 * HOUR, 30 * HOUR);
    let until = from + draft.time(HOUR, 22 * HOUR);
    let all = everybody(&draft);
    let by = -draft.percent(6.5, 14.0);
    draft.common(&all, from, Some(until), by);
    for tenant in draft.some(4) {
        let begin = until + draft.time(HOUR, 20 * HOUR);
        let lasts = draft.time(HOUR, 20 * HOUR);
        let end = draft.random.random::<bool>().then_some(begin + lasts);
        let lost = -draft.percent(6.0, 12.0);
        draft.own(tenant, begin, end, lost, 0);
    }
    let mut trial = draft.finish();
    grouped(&mut trial, from, 2);
    grouped(&mut trial, until, 2);
    trial
}

fn accepted_then_reverted(seed: u64) -> Trial {
    let mut draft = Draft::new("accepted then reverted", seed, 14, 6);
    draft.world.rules[0].accept_after = Some(DAY);
    draft.spread(5 * MINUTE);
    let from = draft.time(20 * HOUR, 30 * HOUR);
    let until = from + draft.time(30 * HOUR, 60 * HOUR);
    let all = everybody(&draft);
    let by = -draft.percent(6.5, 14.0);
    draft.common(&all, from, Some(until), by);
    for tenant in draft.some(4) {
        let begin = until + draft.time(HOUR, 20 * HOUR);
        let lost = -draft.percent(6.0, 12.0);
        draft.own(tenant, begin, None, lost, 0);
    }
    draft.finish()
}

fn worked_back(seed: u64) -> Trial {
    let mut draft = Draft::new("worked back", seed, 16, 4);
    let from = draft.time(20 * HOUR, 26 * HOUR);
    let all = everybody(&draft);
    let by = -draft.percent(7.0, 12.0);
    draft.common(&all, from, None, by);
    for tenant in draft.some(3) {
        let back = from + draft.time(HOUR, 10 * HOUR);
        let fall = back + draft.time(HOUR, 12 * HOUR);
        // The change that undoes the shift for this tenant only.
        let regained = 100.0 * 100.0 / (100.0 + by) - 100.0;
        draft.change(tenant, back, Seconds::MAX, regained);
        draft.claim(tenant, 0, back, true);
        let lost = -draft.percent(7.0, 12.0);
        draft.own(tenant, fall, None, lost, 0);
    }
    draft.finish()
}

fn again(seed: u64) -> Trial {
    let mut draft = Draft::new("again", seed, 12, 4);
    draft.spread(4 * MINUTE);
    let from = draft.time(20 * HOUR, 26 * HOUR);
    let until = from + draft.time(2 * HOUR, 6 * HOUR);
    let second = until + draft.time(HOUR, 12 * HOUR);
    let all = everybody(&draft);
    let by = -draft.percent(8.0, 12.0);
    draft.common(&all, from, Some(until), by);
    let further = if seed.is_multiple_of(2) { by } else { by - draft.percent(1.0, 4.0) };
    draft.common(&all, second, None, further);
    for tenant in all {
        draft.claim(tenant, 0, second, false);
    }
    let mut trial = draft.finish();
    for at in [from, until, second] {
        grouped(&mut trial, at, 2);
    }
    trial
}

fn second(seed: u64) -> Trial {
    let mut draft = Draft::new("second", seed, 15, 4);
    draft.world.rules[0].repeat = Some(6 * HOUR);
    draft.spread(5 * MINUTE);
    let from = draft.time(20 * HOUR, 26 * HOUR);
    let second = from + draft.time(HOUR, 12 * HOUR);
    let reverted = seed.is_multiple_of(3).then(|| second + draft.time(4 * HOUR, 20 * HOUR));
    let all = everybody(&draft);
    let (by, further) = (-draft.percent(7.0, 12.0), -draft.percent(7.0, 12.0));
    draft.common(&all, from, None, by);
    draft.common(&all, second, reverted, further);
    for tenant in all {
        draft.claim(tenant, 0, from, false);
        draft.claim(tenant, 0, second, false);
    }
    let mut trial = draft.finish();
    for at in [from, second] {
        grouped(&mut trial, at, 2);
    }
    trial
}

fn one_interval_apart(seed: u64) -> Trial {
    let mut draft = Draft::new("one interval apart", seed, 12, 3);
    let from = draft.time(20 * HOUR, 26 * HOUR) / QUARTER * QUARTER;
    let all = everybody(&draft);
    let (by, further) = (-draft.percent(8.0, 12.0), -draft.percent(8.0, 12.0));
    draft.common(&all, from, None, by);
    draft.common(&all, from + QUARTER, None, further);
    for tenant in all {
        draft.claim(tenant, 0, from, false);
    }
    let mut trial = draft.finish();
    grouped(&mut trial, from, 3);
    trial
}

fn below(seed: u64) -> Trial {
    let mut draft = Draft::new("below", seed, 13, 4);
    let step = seed.is_multiple_of(2).then_some(Size::Points(50.0));
    let floor = Rule { severity: Severity::Critical, repeat: Some(6 * HOUR), step, ..low_rule(300.0) };
    draft.world.rules = vec![floor];
    draft.noise = draft.noise.min(0.02);
    for life in &mut draft.lives {
        life.base = 320.0;
    }
    let from = draft.time(4 * HOUR, 10 * HOUR);
    let all = everybody(&draft);
    draft.common(&all, from, None, -10.0);
    for tenant in draft.some(3) {
        let (further, back) = (from + draft.time(HOUR, 20 * HOUR), from + draft.time(24 * HOUR, 60 * HOUR));
        draft.change(tenant, further, back, -60.0);
        draft.change(tenant, back, Seconds::MAX, 30.0);
        draft.claim(tenant, 0, from, false);
        draft.claim(tenant, 0, back, true);
    }
    let mut trial = draft.finish();
    grouped(&mut trial, from, 2);
    trial
}

fn between(seed: u64) -> Trial {
    let mut draft = Draft::new("between", seed, 16, 4);
    let floor = Rule { recover: Some(Recover::Above(320.0)), step: Some(Size::Points(15.0)), ..low_rule(300.0) };
    if seed.is_multiple_of(2) {
        draft.world.rules.push(floor);
    } else {
        draft.world.rules = vec![floor];
    }
    draft.noise = draft.noise.min(0.02);
    let floor = draft.world.rules.len() - 1;
    let shift = draft.time(30 * HOUR, 40 * HOUR);
    let chosen = draft.some(4);
    for &tenant in &chosen {
        draft.lives[tenant].base = 340.0;
        // To 285, which is reported; then to 310, which is neither low nor recovered.
        let fall = draft.time(3 * HOUR, 6 * HOUR);
        draft.change(tenant, fall, shift - 4 * HOUR, -16.0);
        draft.change(tenant, shift - 4 * HOUR, Seconds::MAX, -9.0);
        draft.claim(tenant, floor, fall, false);
    }
    let all = everybody(&draft);
    let by = -draft.percent(7.0, 9.0);
    draft.common(&all, shift, None, by);
    for tenant in chosen {
        let back = shift + draft.time(5 * HOUR, 24 * HOUR);
        draft.change(tenant, back, Seconds::MAX, 25.0);
        draft.claim(tenant, floor, back, true);
    }
    draft.finish()
}

fn outliers(seed: u64) -> Trial {
    let mut draft = Draft::new("outliers", seed, 20, 3);
    draft.spread(6 * MINUTE);
    let at = draft.time(20 * HOUR, 30 * HOUR);
    let all = everybody(&draft);
    let by = -draft.percent(6.0, 8.0);
    draft.common(&all, at, None, by);
    let chosen = draft.some(3);
    for &tenant in &chosen {
        let (lost, until) = (-draft.percent(20.0, 40.0), at + draft.time(3 * HOUR, 20 * HOUR));
        draft.change(tenant, at, until, lost);
        draft.claim(tenant, 0, at, false);
    }
    let mut trial = draft.finish();
    grouped(&mut trial, at, 1 + chosen.len() + 1);
    trial
}

fn right_after(seed: u64) -> Trial {
    let mut draft = Draft::new("right after", seed, 14, 3);
    draft.spread(5 * MINUTE);
    let at = draft.time(20 * HOUR, 30 * HOUR);
    let all = everybody(&draft);
    let by = -draft.percent(6.0, 10.0);
    draft.common(&all, at, None, by);
    for tenant in draft.some(4) {
        // Enough to be worse than the original value by the rule's size.
        let fall = at + draft.time(40 * MINUTE, 6 * HOUR);
        let lost = -draft.percent(8.0, 16.0);
        draft.own(tenant, fall, None, lost, 0);
    }
    draft.finish()
}

fn upwards(seed: u64) -> Trial {
    let mut draft = Draft::new("upwards", seed, 14, 3);
    let at = draft.time(20 * HOUR, 30 * HOUR);
    let all = everybody(&draft);
    let by = draft.percent(6.0, 12.0);
    draft.common(&all, at, None, by);
    for tenant in draft.some(4) {
        let fall = at + draft.time(40 * MINUTE, 20 * HOUR);
        let lost = -draft.percent(6.0, 12.0);
        draft.own(tenant, fall, None, lost, 0);
    }
    draft.finish()
}

fn brief(seed: u64) -> Trial {
    let mut draft = Draft::new("brief", seed, 14, 3);
    draft.world.fleet.hold = 40 * MINUTE;
    let from = draft.time(20 * HOUR, 26 * HOUR) / QUARTER * QUARTER;
    let all = everybody(&draft);
    let by = -draft.percent(6.5, 12.0);
    draft.common(&all, from, Some(from + QUARTER), by);
    for tenant in draft.some(4) {
        let fall = from + draft.time(4 * HOUR, 30 * HOUR);
        let lost = -draft.percent(6.0, 12.0);
        draft.own(tenant, fall, Some(fall + 2 * QUARTER), lost, 0);
    }
    draft.finish()
}
