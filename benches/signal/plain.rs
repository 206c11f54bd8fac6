//! The semantics of a plain tool, on the same readings: each rule is evaluated at each reading, a fall is the difference of the last
//! two records, and all that is kept is whether the rule fired. No frozen baseline, no `for`, no fleet, no windows, and nothing when
//! no reading comes.

use scorewatch::{domain::ScoreKind, replay::ScoreHistory};

use super::{
    Reported,
    world::{FLOOR, World},
};

/// The messages that it sends.
pub fn plain(world: &World) -> Vec<Reported> {
    let mut reported = Vec::new();
    for (tenant, history) in world.histories.iter().enumerate() {
        let is_gold = history.labels.values().any(|value| &**value == "gold");
        for ScoreHistory { score, series, .. } in &history.scores {
            let is_daily = *score == ScoreKind::SecureScore;
            let fell = |before: f64, now: f64| {
                if is_daily { before - now >= 3.0 } else { (before - now) * 100.0 / before >= 5.0 }
            };
            for series in series {
                let samples = &series.samples;
                let falls = |place: usize| place > 0 && fell(samples[place - 1].value, samples[place].value);
                let is_low = |place: usize| is_gold && !is_daily && samples[place].value < FLOOR;
                let rules: [&dyn Fn(usize) -> bool; 2] = [&falls, &is_low];
                for rule in rules {
                    let mut was_firing = false;
                    for place in 0..samples.len() {
                        let is_firing = rule(place);
                        if is_firing != was_firing {
                            let at = series.seen_at(place).expect("a reading");
                            let is_end = !is_firing;
                            let (is_outage, is_of_shift) = (false, false);
                            reported.push(Reported { tenant, score: *score, at, is_end, is_outage, is_of_shift });
                        }
                        was_firing = is_firing;
                    }
                }
            }
        }
    }
    reported
}
