//! Small worlds for slower runs with real checks, a store and real requests. All tenants are read once an hour, at a whole minute.

use super::{
    super::{
        Claim, Trial, Wording,
        reference::world::{DAY, Evidence, HOUR, MINUTE, Recover, Rule, Score, Seconds, Severity, Size, When},
    },
    Scenario, Table,
    draft::{Draft, Timetable, low_rule},
    named,
};

/// All scenarios of this module.
pub fn all() -> Vec<Scenario> {
    let table: &Table = &[
        ("live: a shift is reverted, then own falls", reverted),
        ("live: a second shift on top of firing alerts", second),
        ("live: a floor broken by a shift, and falling further", below),
        ("live: tenants that are read late", late),
        ("live: a change that the MSSP made in many tenants", mistake),
        ("live: Microsoft retires a control", retired),
    ];
    named(table)
}

fn hourly(name: &str, seed: u64, hours: Seconds) -> Draft {
    let mut draft = Draft::new(name, seed, 12, 1);
    draft.world.until = hours * HOUR;
    for life in &mut draft.lives {
        life.timetable = Timetable::every(HOUR);
    }
    draft.spread(6 * MINUTE);
    draft
}

const EVERYBODY: [usize; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

fn reverted(seed: u64) -> Trial {
    let mut draft = hourly("live reverted", seed, 18);
    let from = draft.time(3 * HOUR, 5 * HOUR);
    let until = from + draft.time(2 * HOUR, 6 * HOUR);
    let by = -draft.percent(6.5, 12.0);
    draft.common(&EVERYBODY, from, Some(until), by);
    for tenant in draft.some(3) {
        let fall = until + draft.time(HOUR, 5 * HOUR);
        let lost = -draft.percent(6.0, 12.0);
        draft.own(tenant, fall, None, lost, 0);
    }
    draft.finish()
}

fn second(seed: u64) -> Trial {
    let mut draft = hourly("live second", seed, 14);
    draft.world.rules[0].repeat = Some(4 * HOUR);
    let from = draft.time(3 * HOUR, 5 * HOUR);
    let second = from + draft.time(HOUR, 4 * HOUR);
    let (by, further) = (-draft.percent(7.0, 10.0), -draft.percent(7.0, 10.0));
    draft.common(&EVERYBODY, from, None, by);
    draft.common(&EVERYBODY, second, None, further);
    draft.finish()
}

fn below(seed: u64) -> Trial {
    let mut draft = hourly("live below", seed, 18);
    let floor = Rule {
        severity: Severity::Critical,
        repeat: Some(6 * HOUR),
        recover: Some(Recover::Above(310.0)),
        ..low_rule(300.0)
    };
    draft.world.rules = vec![floor];
    draft.noise = 0.0;
    for life in &mut draft.lives {
        life.base = 320.0;
    }
    let from = draft.time(3 * HOUR, 5 * HOUR);
    draft.common(&EVERYBODY, from, None, -10.0);
    for tenant in draft.some(2) {
        let (further, back) = (from + draft.time(HOUR, 5 * HOUR), from + draft.time(7 * HOUR, 11 * HOUR));
        draft.change(tenant, further, back, -60.0);
        draft.change(tenant, back, Seconds::MAX, 30.0);
        draft.claim(tenant, 0, back, true);
    }
    draft.finish()
}

fn late(seed: u64) -> Trial {
    let mut draft = hourly("live late", seed, 14);
    draft.world.fleet.at_least = 6;
    let at = draft.time(3 * HOUR, 5 * HOUR);
    let by = -draft.percent(6.5, 12.0);
    draft.common(&EVERYBODY, at, None, by);
    let again = at + draft.time(2 * HOUR, 6 * HOUR);
    for tenant in draft.some(4) {
        draft.lives[tenant].failing.push((at - HOUR, again));
        draft.claim(tenant, 0, again, false);
    }
    draft.finish()
}

fn records(name: &str, seed: u64, evidence: Evidence) -> Trial {
    let mut draft = hourly(name, seed, 4 * 24);
    let when = When::Drop(Size::Points(3.0), 72 * HOUR);
    draft.world.rules = vec![Rule { severity: Severity::Critical, ..Rule::new("secure-drop", Score::Secure, when) }];
    draft.noise = 0.0;
    for life in &mut draft.lives {
        (life.score, life.base) = (Score::Secure, 60.0 + life.base / 100.0);
        life.timetable = Timetable::every(6 * HOUR);
    }
    for day in 0..4 {
        draft.world.average.push((day * DAY, 48.0));
    }
    let by = -draft.percent(4.0, 6.0);
    draft.common_with(&EVERYBODY, 2 * DAY, None, by, evidence);
    for tenant in EVERYBODY {
        draft.claims.push(Claim { tenant, rule: 0, is_end: false, from: 2 * DAY, until: 3 * DAY });
    }
    draft.finish()
}

fn mistake(seed: u64) -> Trial {
    let mut trial = records("live mistake", seed, Evidence::LostByTenants);
    let until = trial.world.until;
    trial.wording.push(Wording { from: 0, until, text: "Microsoft changed", is_said: false });
    trial.wording.push(Wording { from: 0, until, text: "12 tenants lost points on the same control", is_said: true });
    trial
}

fn retired(seed: u64) -> Trial {
    let mut trial = records("live retired", seed, Evidence::ChangedByMicrosoft);
    let until = trial.world.until;
    trial.wording.push(Wording { from: 0, until, text: "Microsoft changed the score", is_said: true });
    trial.wording.push(Wording { from: 0, until, text: "nothing is left to do", is_said: true });
    trial
}
