//! The cost of one step per rule, over a day of readings, one every quarter of an hour.

use std::time::Duration;

use divan::{Bencher, black_box};
use scorewatch::{
    domain::{Sample, Timestamp},
    rule::{Alert, BaselineChoice, Change, Condition, EvaluationContext, Event, Rule, RuleName, Size, step},
};

fn main() {
    divan::main();
}

fn judge(bencher: Bencher<'_, '_>, when: Condition) {
    let Ok(name) = RuleName::parse("rule") else { return };
    let rule = Rule::new(name, when);
    let at = |index: i64| Timestamp::from_seconds(1_000_000_000 + index * 900);
    let window: Vec<Sample> = (0..96).map(|index| Sample { at: at(index), value: 400.0 }).collect();
    let interval = Duration::from_mins(15);
    let context = EvaluationContext {
        now: at(96),
        window: &window,
        source_interval: interval,
        missed_checks: 0,
        onboarded_at: None,
        feeds: &[],
        notified_at: None,
        sendable_since: None,
        is_acknowledged: false,
        is_on_its_way: false,
        can_be_withdrawn: false,
        shifts: &[],
    };
    let (alert, event) = (Alert::default(), Event::Reading(Sample { at: at(96), value: 399.0 }));
    bencher.bench(|| step(black_box(&rule), black_box(&alert), black_box(event), black_box(&context)));
}

fn drop(from: BaselineChoice) -> Condition {
    Condition::Drop(Change { size: Size::Percent(5.0), within: Duration::from_hours(24), from })
}

#[divan::bench]
fn below(bencher: Bencher<'_, '_>) {
    judge(bencher, Condition::Below(300.0));
}

#[divan::bench]
fn drop_best(bencher: Bencher<'_, '_>) {
    judge(bencher, drop(BaselineChoice::Best));
}

#[divan::bench]
fn drop_average(bencher: Bencher<'_, '_>) {
    judge(bencher, drop(BaselineChoice::Average));
}
