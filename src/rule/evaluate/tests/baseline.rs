//! What a `drop` or `rise` is measured against, and by how much.

use super::world::{World, rule, time, walk};
use crate::rule::Gap;

#[test]
fn a_drop_is_inclusive_though_its_numbers_have_no_exact_binary_form() {
    walk("drop 10%", "00:00 33.3 inactive -\n 00:30 29.97 firing fired");
    walk("drop 10%", "00:00 33.3 inactive -\n 00:30 29.971 inactive -");
}

#[test]
fn a_window_ends_before_the_reading_and_begins_exactly_within_before_it() {
    walk("drop 10%, within 2h", "00:00 400 inactive -\n 02:00 360 firing fired");
    walk("drop 10%, within 2h", "00:00 400 inactive -\n 01:00 380 inactive -\n 02:00 360 firing fired");
    walk("drop 10%, within 2h", "00:00 400 inactive -\n 01:00 380 inactive -\n 02:01 360 inactive -");
    walk("drop 10%", "00:00 400 inactive -\n 00:00 300 inactive -                  # at t is not before t");
}

#[test]
fn the_newest_reading_before_is_a_candidate_however_old_it_is() {
    for from in ["", ", from previous", ", from average"] {
        let rule = format!("drop 10%, within 24h{from}");
        for later in ["1d00:01", "1d01:00", "2d00:00", "30d00:00", "4000d00:00"] {
            walk(&rule, &format!("00:00 400 inactive -\n {later} 360 firing fired"));
        }
    }
    walk("rise 10%, within 24h", "00:00 400 inactive -\n 9d00:00 440 firing fired");
    // Only that one: the sample before it is outside of the window.
    walk("drop 10%, within 10m", "00:00 400 inactive -\n 00:20 390 inactive -\n 00:40 355 inactive -");
    walk("drop 10%, within 24h", "00:00 400 inactive -\n 00:30 380 inactive -\n 5d00:00 350 inactive -");
    // A zero is believed only with another.
    walk("drop 10%", "00:00 400 inactive -\n 9d00:00 0 inactive -\n 9d00:30 0 firing fired");
    walk(
        "drop 10%",
        "00:00 400 inactive -\n 9d00:00 0 inactive -\n 9d00:30 400 inactive -\n 20d00:00 360 firing fired",
    );
    World::of_daily_records().walk(&rule("drop 10%, within 24h"), "00:00 400 inactive -\n 3d00:00 360 firing fired");
}

#[test]
fn a_change_says_which_gap_it_spans() {
    let mut world = World::new();
    world.walk(&rule("drop 10%"), "00:00 400 inactive -\n 2d00:00 360 firing fired\n 2d00:30 300 firing worsened");
    let gap = Some(Gap { from: time("00:00"), until: time("2d00:00") });
    assert_eq!(world.transitions.iter().map(|notified| notified.gap).collect::<Vec<_>>(), [gap, gap]);
    let mut world = World::new();
    world.walk(&rule("drop 10%"), "00:00 400 inactive -\n 00:30 360 firing fired");
    assert_eq!(world.transitions[0].gap, None, "no reading is missing");
}

#[test]
fn the_baseline_is_the_best_the_previous_or_the_average() {
    let history = "00:00 400 inactive -\n 00:30 300 inactive -\n";
    walk("drop 30%", &format!("{history} 01:00 280 firing fired").replace("300 inactive -", "290 inactive -"));
    walk("drop 30%, from previous", &format!("{history} 01:00 280 inactive -"));
    walk("drop 30%, from previous", &format!("{history} 01:00 210 firing fired"));
    let average = "00:00 400 inactive -\n 00:30 330 inactive -\n"; // 365, of which 80 % is 292
    walk("drop 20%, from average", &format!("{average} 01:00 293 inactive -"));
    walk("drop 20%, from average", &format!("{average} 01:00 292 firing fired"));
}

#[test]
fn the_best_of_a_rise_is_the_lowest() {
    walk("rise 10pts", "00:00 20 inactive -\n 00:30 25 inactive -\n 01:00 30 firing fired");
    walk("rise 10pts", "00:00 25 inactive -\n 00:30 21 inactive -\n 01:00 30 inactive -");
}

#[test]
fn a_rise_of_a_score_that_is_better_when_lower_fires_and_resolves() {
    walk(
        "rise 20%",
        "00:00 30 inactive -\n 00:30 35.9 inactive -\n 01:00 36 firing fired\n 01:30 35.9 inactive resolved",
    );
    walk("rise 20%", "00:00 30 inactive -\n 00:30 20 inactive -\n 01:00 10 inactive -   # better and better");
}

#[test]
fn a_size_is_in_points_or_in_percent_of_the_baseline() {
    walk("drop 20pts", "00:00 400 inactive -\n 00:30 380.1 inactive -\n 01:00 380 firing fired");
    walk("drop 5%", "00:00 400 inactive -\n 00:30 380.1 inactive -\n 01:00 380 firing fired");
    walk("drop 20pts", "00:00 40 inactive -\n 00:30 20 firing fired");
    walk("drop 5%", "00:00 40 inactive -\n 00:30 38.1 inactive -\n 01:00 38 firing fired");
}

#[test]
fn a_percentage_of_zero_or_less_never_fires() {
    walk("drop 10%", "00:00 0 inactive -\n 00:30 0 inactive -\n 01:00 -50 inactive -");
    walk("drop 10%", "00:00 -100 inactive -\n 00:30 -200 inactive -");
    walk("rise 10%", "00:00 0 inactive -\n 00:30 0 inactive -\n 01:00 50 inactive -");
    walk("rise 10%", "00:00 -100 inactive -\n 00:30 -10 inactive -");
    walk("rise 10pts", "00:00 0 inactive -\n 00:30 0 inactive -\n 01:00 50 firing fired");
}

#[test]
fn without_a_baseline_there_is_no_alert() {
    walk("drop 1pts", "00:00 1 inactive -");
    walk("rise 1pts, from average", "00:00 1 inactive -");
}

#[test]
fn a_zero_needs_a_second_one() {
    walk("below 300", "00:00 400 inactive -\n 00:30 0 inactive -\n 01:00 0 firing fired");
    walk("below 300", "00:00 200 firing fired\n 00:30 0 firing -\n 01:00 301 inactive resolved");
    walk("above 50", "00:00 60 firing fired\n 00:30 0 firing -\n 01:00 0 inactive resolved");
    walk("drop 10%", "00:00 400 inactive -\n 00:30 350 firing fired\n 01:00 0 firing -\n 01:30 0 firing worsened");
}

#[test]
fn a_zero_that_was_never_confirmed_is_not_a_baseline() {
    walk("rise 10pts", "00:00 30 inactive -\n 00:30 0 inactive -\n 01:00 31 inactive -");
    walk("drop 10%, from previous", "00:00 400 inactive -\n 00:30 0 inactive -\n 01:00 360 firing fired");
    walk("drop 10%, from average", "00:00 400 inactive -\n 00:30 0 inactive -\n 01:00 360 firing fired");
}

#[test]
fn a_confirmed_fall_to_zero_is_measured_as_the_fall_and_not_against_the_zero_it_confirms() {
    let fall = "00:00 400 inactive -\n 00:30 0 inactive -\n 01:00 0 firing fired\n 01:30 0 firing -";
    walk("drop 10%", fall);
    walk("drop 10%, from previous", fall);
    walk("drop 10%, within 10m", fall);
    walk("drop 100%, from average", fall);
    let daily = "00:00 400 inactive -\n 1d00:00 0 inactive -\n 2d00:00 0 firing fired";
    World::of_daily_records().walk(&rule("drop 10%, within 24h"), daily);
}

#[test]
fn a_zero_of_long_standing_is_not_a_fall() {
    let table = "00:00 0 inactive -\n 00:30 0 inactive -\n 01:00 0 inactive -";
    walk("drop 1pts, from previous", table);
    walk("drop 1pts", table);
}
