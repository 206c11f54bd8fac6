//! Fleets that are read at different times, or of which only a part moves.

use super::{
    super::{
        Claim, Trial, Wording,
        reference::world::{DAY, Evidence, HOUR, MINUTE, Rule, Score, Seconds, Severity, Size, When},
    },
    Table,
    draft::{Draft, QUARTER, Timetable, channel},
};

pub(super) const ALL: &Table = &[
    ("a scoring model reaches tenants one after another", staggered),
    ("a scoring model reaches groups below the quorum", staggered_below_quorum),
    ("a spread that is longer than the hold", long_spread),
    ("a fleet below the quorum", small),
    ("fast and slow schedules", mixed),
    ("tenants that are read late", late),
    ("a change that the MSSP made in many tenants", mistake),
    ("Microsoft's average drifts, one tenant loses points", drift),
    ("a shift of exposure scores", exposure),
    ("more alerts than a digest waits for", many),
    ("a shift within a silence", silenced),
];

fn staggered(seed: u64) -> Trial {
    let mut draft = Draft::new("staggered", seed, 36, 5);
    draft.spread(5 * MINUTE);
    let order = draft.some(36);
    let mut waves = Vec::new();
    for (number, group) in (0..).zip(order.chunks(12)) {
        let at = DAY + number * 8 * HOUR + draft.time(0, 4 * HOUR);
        let by = -draft.percent(6.5, 9.0);
        draft.common(group, at, None, by);
        for &tenant in group {
            draft.claim(tenant, 0, at, false);
        }
        waves.push(at);
    }
    for &tenant in &order[..3] {
        let fall = 2 * DAY + draft.time(6 * HOUR, 20 * HOUR);
        let lost = -draft.percent(8.0, 15.0);
        draft.change(tenant, fall, Seconds::MAX, lost);
        draft.claim(tenant, 0, fall, false);
    }
    let mut trial = draft.finish();
    for from in waves {
        trial.group(from, from + 2 * QUARTER, 2);
    }
    trial
}

fn staggered_below_quorum(seed: u64) -> Trial {
    let mut draft = Draft::new("staggered below", seed, 30, 4);
    let order = draft.some(30);
    for (number, group) in (0..).zip(order.chunks(5)) {
        let at = DAY + number * 3 * HOUR + draft.time(0, HOUR);
        let by = -draft.percent(6.5, 9.0);
        draft.common(group, at, None, by);
        for &tenant in group {
            draft.claim(tenant, 0, at, false);
        }
    }
    draft.finish()
}

fn long_spread(seed: u64) -> Trial {
    let mut draft = Draft::new("long spread", seed, 24, 3);
    for life in &mut draft.lives {
        life.timetable = Timetable::every(HOUR);
    }
    draft.spread([30, 45, 50][usize::try_from(seed % 3).expect("small")] * MINUTE);
    let at = draft.time(20 * HOUR, 30 * HOUR) / HOUR * HOUR;
    let all: Vec<usize> = (0..24).collect();
    let by = -draft.percent(6.5, 12.0);
    draft.common(&all, at, None, by);
    for tenant in all {
        draft.claim(tenant, 0, at, false);
    }
    let mut trial = draft.finish();
    trial.group(at, at + 3 * HOUR, 2);
    trial
}

fn small(seed: u64) -> Trial {
    let mut draft = Draft::new("small", seed, 5, 4);
    let from = draft.time(20 * HOUR, 30 * HOUR);
    let until = from + draft.time(3 * HOUR, 20 * HOUR);
    let all: Vec<usize> = (0..5).collect();
    let by = -draft.percent(6.5, 12.0);
    draft.common(&all, from, Some(until), by);
    for tenant in 0..5 {
        draft.claim(tenant, 0, from, false);
        draft.claim(tenant, 0, until, true);
    }
    draft.finish()
}

fn mixed(seed: u64) -> Trial {
    let mut draft = Draft::new("mixed", seed, 24, 5);
    let slow = [6 * HOUR, 12 * HOUR, DAY][usize::try_from(seed % 3).expect("small")];
    for life in &mut draft.lives[12..] {
        life.timetable = Timetable::every(slow);
    }
    let at = DAY + draft.time(2 * HOUR, 20 * HOUR);
    let all: Vec<usize> = (0..24).collect();
    let by = -draft.percent(6.5, 12.0);
    draft.common(&all, at, None, by);
    for tenant in all {
        draft.claim(tenant, 0, at, false);
    }
    let mut trial = draft.finish();
    trial.group(at, at + 2 * QUARTER, 2);
    trial
}

fn late(seed: u64) -> Trial {
    let mut draft = Draft::new("late", seed, 20, 4);
    draft.spread(5 * MINUTE);
    let at = draft.time(20 * HOUR, 30 * HOUR);
    let all: Vec<usize> = (0..20).collect();
    let by = -draft.percent(6.5, 12.0);
    draft.common(&all, at, None, by);
    let again = at + draft.time(2 * HOUR, 30 * HOUR);
    for tenant in draft.some(6) {
        let own = again + draft.time(0, 5 * MINUTE);
        draft.lives[tenant].failing.push((at - HOUR, own));
        draft.claim(tenant, 0, own, false);
    }
    draft.finish()
}

/// A secure score in percent, with one record a day.
fn secure(draft: &mut Draft, rule: Rule) {
    draft.world.rules = vec![rule];
    draft.noise = 0.02;
    for life in &mut draft.lives {
        life.score = Score::Secure;
        life.base = 60.0 + life.base / 100.0;
        life.timetable = Timetable::every(HOUR);
    }
    for day in 0..draft.world.until / DAY {
        draft.world.average.push((day * DAY, 48.0));
    }
}

fn secure_rule() -> Rule {
    let when = When::Drop(Size::Points(3.0), 72 * HOUR);
    Rule { severity: Severity::Critical, ..Rule::new("secure-drop", Score::Secure, when) }
}

fn mistake(seed: u64) -> Trial {
    let mut draft = Draft::new("mistake", seed, 20, 12);
    secure(&mut draft, secure_rule());
    draft.spread(5 * MINUTE);
    let day = (4 + Seconds::try_from(seed % 3).expect("small")) * DAY;
    let by = -draft.percent(4.0, 6.0);
    let hit = draft.some(12);
    draft.common_with(&hit, day, None, by, Evidence::LostByTenants);
    for &tenant in &hit {
        draft.claims.push(Claim { tenant, rule: 0, is_end: false, from: day, until: day + DAY });
    }
    let mut trial = draft.finish();
    for text in ["Microsoft changed", "Microsoft re-scored", "the ruler"] {
        trial.wording.push(Wording { from: day, until: day + 2 * DAY, text, is_said: false });
    }
    trial
}

fn drift(seed: u64) -> Trial {
    let mut draft = Draft::new("drift", seed, 1 + usize::try_from(seed % 4).expect("small"), 16);
    let when = When::Drop(Size::Percent(5.0), 48 * HOUR);
    secure(&mut draft, Rule { severity: Severity::Critical, ..Rule::new("secure-drop", Score::Secure, when) });
    for (day, (_, average)) in (0..).zip(&mut draft.world.average) {
        *average -= 0.1 * f64::from(day);
    }
    let day = draft.time(8 * DAY, 10 * DAY) / DAY * DAY;
    draft.change(0, day, Seconds::MAX, -6.2);
    draft.claims.push(Claim { tenant: 0, rule: 0, is_end: false, from: day, until: day + DAY });
    let mut trial = draft.finish();
    for text in ["Microsoft changed", "Microsoft re-scored", "the ruler"] {
        trial.wording.push(Wording { from: day, until: day + 2 * DAY, text, is_said: false });
    }
    trial
}

fn exposure(seed: u64) -> Trial {
    let mut draft = Draft::new("exposure", seed, 15, 4);
    let when = When::Rise(Size::Points(5.0), 24 * HOUR);
    let high = Rule { severity: Severity::Critical, ..Rule::new("high", Score::Exposure, When::Above(69.0)) };
    draft.world.rules = vec![Rule::new("rise", Score::Exposure, when), high];
    for life in &mut draft.lives {
        life.score = Score::Exposure;
        life.base = 20.0 + life.base / 30.0;
    }
    draft.spread(5 * MINUTE);
    let from = draft.time(20 * HOUR, 30 * HOUR);
    let until = from + draft.time(3 * HOUR, 20 * HOUR);
    let all: Vec<usize> = (0..15).collect();
    let by = draft.percent(7.0, 12.0);
    draft.common(&all, from, Some(until), by);
    for tenant in draft.some(4) {
        let begin = until + draft.time(HOUR, 20 * HOUR);
        let lost = draft.percent(6.0, 20.0);
        draft.own(tenant, begin, None, lost, 0);
    }
    draft.finish()
}

fn many(seed: u64) -> Trial {
    let mut draft = Draft::new("many", seed, 40, 3);
    draft.world.rules[0].fleet = false;
    let over = [3, 10, 20, 39][usize::try_from(seed % 4).expect("small")];
    draft.world.channels = vec![channel("soc", None), channel("own", Some((0..15).collect()))];
    draft.world.channels[0].digest_over = over;
    let (from, until) = (25 * HOUR, 30 * HOUR);
    for tenant in 0..40 {
        let lost = -draft.percent(6.0, 30.0);
        draft.own(tenant, from, Some(until), lost, 0);
    }
    let mut trial = draft.finish();
    for from in [from, until] {
        trial.group(from, from + QUARTER, 1);
    }
    trial
}

fn silenced(seed: u64) -> Trial {
    let mut draft = Draft::new("silenced", seed, 14, 4);
    let from = draft.time(20 * HOUR, 30 * HOUR);
    let until = from + draft.time(6 * HOUR, 30 * HOUR);
    let all: Vec<usize> = (0..14).collect();
    let by = -draft.percent(6.5, 12.0);
    draft.common(&all, from, Some(until), by);
    // A loss that begins before the shift and ends before or after the revert.
    let begin = from - draft.time(10 * MINUTE, 5 * HOUR);
    let end = from + draft.time(HOUR, 40 * HOUR);
    draft.world.silences.push((begin, end));
    for tenant in draft.some(3) {
        let fall = until.max(end) + draft.time(HOUR, 10 * HOUR);
        let lost = -draft.percent(6.0, 12.0);
        draft.own(tenant, fall, None, lost, 0);
    }
    draft.finish()
}
