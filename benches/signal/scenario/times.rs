//! Gaps, schedules with pauses, and our own downtime.

use rand::RngExt;

use super::{
    super::{
        Claim, Trial,
        reference::world::{DAY, HOUR, Rule, Seconds, Size, When},
    },
    Table,
    draft::{Draft, Timetable, blind_rule, drop_rule, low_rule},
};

pub(super) const ALL: &Table = &[
    ("a fall across a gap longer than the rule looks back", gap),
    ("a fall while we did not run", down),
    ("a daily schedule", daily),
    ("business hours", business_hours),
    ("we were suspended", suspended),
    ("a condition that must hold for a while", lasting),
    ("missing daily records", missing_records),
    ("a rule that looks back far", far),
];

fn gap(seed: u64) -> Trial {
    let mut draft = Draft::new("gap", seed, 4, 5);
    draft.world.rules = vec![
        drop_rule(),
        Rule { pending_for: HOUR, ..Rule { name: "drop-for".to_owned(), ..drop_rule() } },
        blind_rule(),
    ];
    for tenant in 0..3 {
        let from = draft.time(20 * HOUR, 40 * HOUR);
        let until = from + draft.time(HOUR, 50 * HOUR);
        let fall = from + draft.time(0, until - from);
        draft.lives[tenant].failing.push((from, until));
        let lost = -draft.percent(6.0, 50.0);
        draft.change(tenant, fall, Seconds::MAX, lost);
        draft.claim(tenant, 0, until, false);
        draft.claims.push(Claim { tenant, rule: 1, is_end: false, from: until, until: until + 2 * HOUR });
    }
    draft.finish()
}

fn down(seed: u64) -> Trial {
    let mut draft = Draft::new("down", seed, 12, 5);
    draft.world.rules.push(blind_rule());
    let from = draft.time(20 * HOUR, 40 * HOUR);
    let until = from + draft.time(HOUR, 50 * HOUR);
    draft.world.downtime.push((from, until));
    for tenant in draft.some(4) {
        let fall = from + draft.time(0, until - from);
        let lost = -draft.percent(6.0, 50.0);
        draft.change(tenant, fall, Seconds::MAX, lost);
        draft.claim(tenant, 0, until, false);
    }
    draft.finish()
}

fn daily(seed: u64) -> Trial {
    let mut draft = Draft::new("daily", seed, 6, 20);
    let wide = Rule { when: When::Drop(Size::Percent(5.0), 3 * DAY), ..drop_rule() };
    let lasting = Rule { pending_for: 2 * DAY, ..low_rule(300.0) };
    draft.world.rules = vec![wide, lasting, blind_rule()];
    for life in &mut draft.lives {
        life.timetable = Timetable::every(DAY);
        life.phase = 0;
    }
    draft.lives[1].base = 320.0;
    for tenant in 0..2 {
        let fall = draft.time(5 * DAY, 12 * DAY);
        let lost = -draft.percent(10.0, 40.0);
        draft.change(tenant, fall, Seconds::MAX, lost);
        draft.claim(tenant, 0, fall, false);
    }
    // Several days in a row fail.
    let from = draft.time(5 * DAY, 10 * DAY);
    let until = from + draft.time(3 * DAY, 5 * DAY);
    draft.lives[2].failing.push((from, until));
    draft.finish()
}

fn business_hours(seed: u64) -> Trial {
    let mut draft = Draft::new("business", seed, 6, 14);
    let lasting = Rule { pending_for: 10 * HOUR, ..low_rule(300.0) };
    let week = Rule { when: When::Drop(Size::Percent(5.0), 24 * HOUR), ..drop_rule() };
    draft.world.rules = vec![week, lasting, blind_rule()];
    let (opens, closes) = (7 + draft.time(0, 3 * 60) / 60, 16 + draft.time(0, 3 * 60) / 60);
    for life in &mut draft.lives {
        life.timetable = Timetable { every: 15 * 60, hours: Some((opens, closes)) };
    }
    draft.lives[0].base = 310.0;
    let fall = draft.time(DAY, 3 * DAY);
    draft.change(0, fall, Seconds::MAX, -10.0);
    // The condition holds across the pauses of two nights, which are not gaps.
    draft.claims.push(Claim { tenant: 0, rule: 1, is_end: false, from: fall, until: fall + 3 * DAY });
    // Over a weekend, longer than the rule looks back.
    let weekend = 5 * DAY + draft.time(0, 40 * HOUR);
    let lost = -draft.percent(6.0, 30.0);
    draft.change(1, weekend, Seconds::MAX, lost);
    let monday = 7 * DAY + opens * HOUR;
    draft.claim(1, 0, monday, false);
    // Nothing is read from one morning to the evening of the next day.
    let from = 8 * DAY + draft.time(opens * HOUR, 12 * HOUR);
    draft.lives[2].failing.push((from, from + 30 * HOUR));
    draft.finish()
}

fn suspended(seed: u64) -> Trial {
    let mut draft = Draft::new("suspended", seed, 6, 5);
    let lasting = Rule { pending_for: 3 * HOUR, ..low_rule(300.0) };
    draft.world.rules = vec![drop_rule(), lasting, blind_rule()];
    draft.lives[0].base = 310.0;
    let fall = draft.time(24 * HOUR, 30 * HOUR);
    draft.change(0, fall, Seconds::MAX, -10.0);
    // While the alert is pending, the service is down for longer than three checks.
    let from = fall + draft.time(HOUR, 2 * HOUR);
    let until = from + draft.time(HOUR, 20 * HOUR);
    draft.world.downtime.push((from, until));
    draft.claims.push(Claim { tenant: 0, rule: 1, is_end: false, from: fall, until: until + 3 * HOUR });
    let lost = -draft.percent(7.0, 30.0);
    let own = until + draft.time(HOUR, 10 * HOUR);
    draft.own(1, own, None, lost, 0);
    draft.finish()
}

fn lasting(seed: u64) -> Trial {
    let mut draft = Draft::new("lasting", seed, 5, 4);
    draft.world.rules =
        vec![Rule { pending_for: 2 * HOUR, ..drop_rule() }, Rule { pending_for: HOUR, ..low_rule(300.0) }];
    draft.noise = 0.02;
    for tenant in 0..5 {
        draft.lives[tenant].base = 330.0;
        let from = draft.time(26 * HOUR, 40 * HOUR);
        let lost = -draft.percent(12.0, 20.0);
        draft.change(tenant, from, Seconds::MAX, lost);
        // Some checks fail: up to three in a row are not a gap, more restart `for`.
        let failing = from + draft.time(HOUR / 2, HOUR);
        let count = draft.random.random_range(1..6);
        draft.lives[tenant].failing.push((failing, failing + count * 15 * 60));
        let until = from + 5 * HOUR;
        draft.claims.push(Claim { tenant, rule: 0, is_end: false, from, until });
    }
    draft.finish()
}

fn missing_records(seed: u64) -> Trial {
    use super::super::reference::world::Score;
    let mut draft = Draft::new("missing records", seed, 4, 16);
    let rule = |name: &str, within: Seconds| Rule::new(name, Score::Secure, When::Drop(Size::Percent(5.0), within));
    draft.world.rules = vec![rule("day", 24 * HOUR), rule("two-days", 48 * HOUR)];
    draft.noise = 0.02;
    for tenant in 0..4 {
        let from = draft.time(5 * DAY, 8 * DAY) / DAY * DAY + 6 * HOUR;
        let until = from + draft.time(DAY, 5 * DAY) / DAY * DAY;
        let lost = -draft.percent(6.0, 30.0);
        let life = &mut draft.lives[tenant];
        (life.score, life.base, life.timetable) = (Score::Secure, 80.0, Timetable::every(6 * HOUR));
        life.failing.push((from, until));
        draft.change(tenant, from, Seconds::MAX, lost);
        for rule in 0..2 {
            let until = until + DAY;
            draft.claims.push(Claim { tenant, rule, is_end: false, from, until });
        }
    }
    draft.finish()
}

fn far(seed: u64) -> Trial {
    let mut draft = Draft::new("far", seed, 14, 12);
    let slide = Rule {
        name: "slide".to_owned(),
        when: When::Drop(Size::Percent(10.0), 7 * DAY),
        pending_for: 24 * HOUR,
        ..drop_rule()
    };
    draft.world.rules.push(slide);
    for life in &mut draft.lives {
        life.timetable = Timetable::every(HOUR);
    }
    let shift = draft.time(3 * DAY, 4 * DAY);
    let all: Vec<usize> = (0..14).collect();
    let (by, until) = (-draft.percent(6.0, 8.0), shift + draft.time(DAY, 3 * DAY));
    draft.common(&all, shift, seed.is_multiple_of(2).then_some(until), by);
    // Slow leaks that no single day shows.
    for tenant in draft.some(3) {
        let begin = 7 * DAY + draft.time(0, 6 * HOUR);
        for hour in 0..60 {
            draft.change(tenant, begin + hour * HOUR, Seconds::MAX, -0.32);
        }
        let until = begin + 4 * DAY;
        draft.claims.push(Claim { tenant, rule: 1, is_end: false, from: begin, until });
    }
    draft.finish()
}
