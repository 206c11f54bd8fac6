//! One table per promise. A line is: time (`[DAYd]HH:MM`), value (`-`: a tick), state after, what is told.

use std::time::Duration;

use super::*;
use crate::{
    domain::{Selector, Severity, parse_duration},
    rule::{BaselineChoice, Change, Recover, RuleName, Size},
};

fn size(text: &str) -> Size {
    match text.strip_suffix('%') {
        Some(percent) => Size::Percent(percent.parse().unwrap()),
        None => Size::Points(text.trim_end_matches("pts").parse().unwrap()),
    }
}

/// A rule from `drop 5%, within 24h, recover regained 80%`; the condition comes first.
fn rule(text: &str) -> Rule {
    let mut rule = Rule {
        name: RuleName::parse("rule").unwrap(),
        score: None,
        tenants: Selector::default(),
        when: Condition::Below(0.0),
        recover: None,
        hold: Duration::ZERO,
        severity: Severity::Warning,
        repeat: None,
        step: None,
        accept_after: None,
        notify: Vec::new(),
        good_news: false,
        fleet: true,
    };
    let mut change = Change { size: Size::Points(0.0), within: Duration::from_hours(24), from: BaselineChoice::Best };
    for part in text.split(", ") {
        let words: Vec<&str> = part.split(' ').collect();
        let duration = || parse_duration(words[1]).unwrap();
        match words[0] {
            "below" => rule.when = Condition::Below(words[1].parse().unwrap()),
            "above" => rule.when = Condition::Above(words[1].parse().unwrap()),
            "no_data" => rule.when = Condition::NoData(duration()),
            "drop" | "rise" => {
                change.size = size(words[1]);
                rule.when = if words[0] == "drop" { Condition::Drop(change) } else { Condition::Rise(change) };
            }
            "within" => change.within = duration(),
            "from" => {
                change.from = if words[1] == "average" { BaselineChoice::Average } else { BaselineChoice::Previous }
            }
            "for" => rule.hold = duration(),
            "repeat" => rule.repeat = Some(duration()),
            "step" => rule.step = Some(size(words[1])),
            "accept_after" => rule.accept_after = Some(duration()),
            "recover" if words[1] == "above" => rule.recover = Some(Recover::Above(words[2].parse().unwrap())),
            "recover" if words[1] == "below" => rule.recover = Some(Recover::Below(words[2].parse().unwrap())),
            "recover" => rule.recover = Some(Recover::Regained(words[2].trim_end_matches('%').parse().unwrap())),
            other => panic!("`{other}` is no part of a rule"),
        }
    }
    match &mut rule.when {
        Condition::Drop(written) | Condition::Rise(written) => *written = change,
        _ => {}
    }
    rule
}

fn time(text: &str) -> Timestamp {
    let (days, clock) = text.split_once('d').unwrap_or(("0", text));
    let (hours, minutes) = clock.split_once(':').unwrap();
    let number = |text: &str| text.parse::<i64>().unwrap();
    Timestamp::from_seconds(1_000_000_000 + number(days) * 86_400 + number(hours) * 3600 + number(minutes) * 60)
}

/// One alert and its samples; every notification is delivered at once.
struct World {
    alert: Alert,
    window: Vec<Sample>,
    told_at: Option<Timestamp>,
    last_data: Timestamp,
}

impl World {
    fn new() -> Self {
        Self { alert: Alert::default(), window: Vec::new(), told_at: None, last_data: time("00:00") }
    }

    fn step(&mut self, rule: &Rule, now: Timestamp, value: Option<f64>) -> Step {
        let half_an_hour = Duration::from_mins(30);
        let event = value.map_or(Event::Tick, |value| Event::Reading(Sample { at: now, value }));
        let situation = Situation {
            now,
            window: &self.window,
            poll_interval: half_an_hour,
            source_interval: half_an_hour,
            last_data: self.last_data,
            away: Duration::ZERO,
            told_at: self.told_at,
        };
        let step = step(rule, &self.alert, event, &situation);
        if let Some(value) = value {
            self.window.push(Sample { at: now, value });
            self.last_data = now;
        }
        if step.transition.is_some() {
            self.told_at = Some(now);
        }
        if let Some(alert) = &step.alert {
            self.alert = alert.clone();
        }
        step
    }

    fn walk(&mut self, rule: &Rule, table: &str) {
        for line in table.lines().map(|line| line.split('#').next().unwrap().trim()).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let step = self.step(rule, time(words[0]), words[1].parse().ok());
            let state = match self.alert.state {
                AlertState::Inactive => "inactive",
                AlertState::Pending(_) => "pending",
                AlertState::Firing(_) => "firing",
            };
            let told = match step.transition.map(|transition| transition.kind) {
                None => "-",
                Some(TransitionKind::Fired) => "fired",
                Some(TransitionKind::Worsened) => "worsened",
                Some(TransitionKind::Reminder) => "reminder",
                Some(TransitionKind::Resolved(Resolution::Recovered)) => "resolved",
                Some(TransitionKind::Resolved(Resolution::Accepted)) => "accepted",
                Some(TransitionKind::Resolved(Resolution::RuleChanged)) => "changed",
                Some(TransitionKind::Resolved(_)) => "removed",
            };
            assert_eq!((state, told), (words[2], words[3]), "at `{line}` under `{}`", rule.when);
        }
    }
}

fn walk(text: &str, table: &str) {
    World::new().walk(&rule(text), table);
}

#[test]
fn a_rule_fires_after_its_hold_and_resolves_at_its_recovery_mark() {
    walk(
        "below 300, recover above 320, for 1h",
        "00:00  300  inactive  -         # strict
         00:15  299  pending   -
         01:15  298  firing    fired     # exactly one hour
         01:30  310  firing    -
         01:45  320  firing    -
         02:00  321  inactive  resolved",
    );
}

#[test]
fn a_gap_longer_than_three_polls_and_a_reading_that_does_not_hold_start_the_hold_again() {
    walk(
        "above 50, for 2h",
        "00:00  51  pending   -
         01:30  51  pending   -          # exactly three polls
         03:01  51  pending   -          # a minute more
         04:00  -   pending   -          # a failed fetch confirms nothing
         04:30  50  inactive  -
         05:00  51  pending   -
         06:00  51  pending   -
         07:00  51  firing    fired",
    );
}

#[test]
fn a_drop_is_inclusive_and_its_window_ends_before_the_reading_and_begins_exactly_within_before_it() {
    walk("drop 10%, within 2h", "00:00 33.3 inactive -\n 02:00 29.97 firing fired");
    walk("drop 10%, within 2h", "00:00 33.3 inactive -\n 02:01 29.97 inactive -");
    walk("drop 10%, within 10m", "00:00 400 inactive -\n 00:59 360 firing fired    # younger than two intervals");
    walk("drop 10%, within 10m", "00:00 400 inactive -\n 01:00 360 inactive -      # exactly two");
    walk("drop 10%", "00:00 400 inactive -\n 00:00 300 inactive -                  # at t is not before t");
}

#[test]
fn the_baseline_is_the_best_the_previous_or_the_average() {
    let history = "00:00 400 inactive -\n 00:30 300 inactive -\n";
    walk("drop 30%", "00:00 400 inactive -\n 00:30 300 inactive -\n 01:00 280 firing fired");
    walk("drop 30%, from previous", &format!("{history} 01:00 280 inactive -"));
    let average = "00:00 400 inactive -\n 00:30 330 inactive -\n"; // 365, of which 80 % is 292
    walk("drop 20%, from average", &format!("{average} 01:00 293 inactive -"));
    walk("drop 20%, from average", &format!("{average} 01:00 292 firing fired"));
    walk("rise 10pts", "00:00 20 inactive -\n 00:30 25 inactive -\n 01:00 30 firing fired");
}

#[test]
fn a_firing_drop_is_judged_by_its_frozen_baseline_not_by_the_moving_window() {
    walk(
        "drop 10%, within 1h",
        "00:00   400  inactive  -
         00:30   360  firing    fired
         9d00:00 360  firing    -
         9d00:30 361  inactive  resolved",
    );
}

#[test]
fn regained_counts_from_the_greatest_loss_and_does_not_fire_again_at_once() {
    walk(
        "drop 50pts, recover regained 50%",
        "00:00  400  inactive  -
         00:30  340  firing    fired
         01:00  300  firing    -
         01:30  349  firing    -
         02:00  350  inactive  resolved
         02:30  349  inactive  -",
    );
}

#[test]
fn a_loss_is_accepted_as_the_new_level_after_its_time() {
    walk(
        "drop 10%, accept_after 7d",
        "00:00    400  inactive  -
         00:30    350  firing    fired
         7d00:29  -    firing    -
         7d00:30  -    inactive  accepted
         7d01:00  350  inactive  -",
    );
}

#[test]
fn worsening_is_told_once_per_size_and_a_reminder_after_repeat() {
    walk(
        "drop 10%, repeat 24h",
        "00:00    400  inactive  -
         00:30    360  firing    fired
         01:00    321  firing    -
         01:30    320  firing    worsened
         1d01:29  -    firing    -
         1d01:30  -    firing    reminder
         2d01:30  280  firing    worsened    # beats the reminder
         3d01:30  400  inactive  resolved    # beats both",
    );
    walk("below 300, step 10pts", "00:00 299 firing fired\n 00:30 290 firing -\n 01:00 289 firing worsened");
    walk("below 300", "00:00 299 firing fired\n 00:30 1 firing -");
}

#[test]
fn a_zero_needs_a_second_one() {
    walk("below 300", "00:00 400 inactive -\n 00:30 0 inactive -\n 01:00 0 firing fired");
    walk("below 300", "00:00 200 firing fired\n 00:30 0 firing -\n 01:00 301 inactive resolved");
    walk("rise 10pts", "00:00 30 inactive -\n 00:30 0 inactive -\n 01:00 31 inactive -");
}

#[test]
fn silence_fires_by_time_alone_and_any_reading_ends_it() {
    walk(
        "no_data 6h",
        "00:00  10  inactive  -
         05:59  -   inactive  -
         06:00  -   firing    fired
         06:30  0   inactive  resolved",
    );
}

#[test]
fn an_edited_rule_is_judged_by_its_new_text() {
    let mut world = World::new();
    world.walk(&rule("below 300"), "00:00 290 firing fired");
    world.walk(&rule("below 280"), "00:30 290 inactive changed");
    let mut world = World::new();
    world.walk(&rule("below 300, recover above 320"), "00:00 290 firing fired");
    world.walk(&rule("below 280, recover above 320"), "00:30 290 firing -\n 01:00 321 inactive resolved");
    let mut world = World::new();
    world.walk(&rule("no_data 1h"), "02:00 - firing fired");
    world.walk(&rule("below 300"), "02:30 290 inactive resolved\n 03:00 290 firing fired");
}

#[test]
fn a_clock_that_jumps_back_fires_nothing() {
    walk(
        "below 300, for 1h",
        "5d00:00 290 pending -\n 00:00 290 pending -\n 00:30 290 pending -\n 01:00 290 firing fired",
    );
}
