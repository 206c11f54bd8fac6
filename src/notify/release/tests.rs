use proptest::prelude::*;

use super::*;
use crate::{
    notify::drill,
    rule::{AlertState, Condition, Escalated, Firing, Flapping, Terms as RuleTerms, Unstable},
};

/// `F` fires, `W` worsens, `B` worsened and came back, `D` worsened and ended without a word, `U` is unstable, `C` was and is calm, `R`
/// reminds, `E` is escalated, `X` was escalated and is acknowledged by now, `O` is over; the number is that of the firing.
fn step(word: &str, number: i64) -> HeldDelivery {
    let (said, firing) = word.split_at(1);
    let kind = match said {
        "F" => NotificationType::AlertFiring,
        "W" | "B" | "D" => NotificationType::AlertWorsened,
        "U" | "C" => NotificationType::AlertUnstable,
        "R" => NotificationType::AlertReminder,
        "E" | "X" => NotificationType::AlertEscalated,
        _ => NotificationType::AlertResolved,
    };
    let began = Some(Timestamp::from_seconds(firing.parse().unwrap()));
    let hold = Hold { why: HoldReason::Silence, until: Timestamp::EPOCH };
    let hold = (number == 1).then_some(hold);
    let still = match said {
        "B" | "X" => Still::TakenBack,
        "D" | "C" => Still::Over,
        _ => Still::So,
    };
    let sequence = u64::try_from(number).unwrap();
    HeldDelivery {
        delivery: DeliveryId(number),
        kind,
        began,
        observed_at: None,
        is_over: said == "O",
        is_accepted: false,
        made_at: Timestamp::EPOCH,
        sequence,
        still,
        hold,
    }
}

fn run(text: &str, was_notified: bool) -> HeldGroup {
    let steps = text.split_whitespace().zip(1..).map(|(word, number)| step(word, number)).collect();
    let channel = ChannelName::parse("soc").unwrap();
    let newest = drill::message(drill::id("store", &channel, Timestamp::EPOCH), None, Timestamp::EPOCH);
    let envelope = Envelope::new(&newest, None, None);
    HeldGroup { channel, steps, was_notified, envelope, newest }
}

/// `!` is sent, `.` suppressed, `h` held, a number: merged into that delivery.
fn shown(fates: &[(DeliveryId, Decision)]) -> String {
    let word = |(_, fate): &(DeliveryId, Decision)| match fate {
        Decision::Send => "!".to_owned(),
        Decision::Suppress => ".".to_owned(),
        Decision::Hold(_) => "h".to_owned(),
        Decision::Merged(by) => by.to_string(),
    };
    fates.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn at_the_end_of_a_silence_each_channel_is_sent_what_is_new_to_it_and_still_matters() {
    // What waits; whether the first firing was reported; what a chat is sent; what a stateful receiver is sent.
    for (text, was_notified, chat, stateful) in [
        // Fired inside, and still fires.
        ("F1", false, "!", "!"),
        ("F1 W1", false, "2 !", "! !"),
        ("F1 W1 W1", false, "3 3 !", "! ! !"),
        ("F1 R1", false, "! .", "! ."),
        ("F1 R1 W1 R1", false, "3 . ! .", "! . ! ."),
        ("R1 R1", false, ". !", ". !"),
        // Fired and over inside: nobody is notified.
        ("F1 O1", false, ". .", ". ."),
        ("F1 W1 R1 O1", false, ". . . .", ". . . ."),
        ("O1", false, ".", "."),
        // Reported before.
        ("O1", true, "!", "!"),
        ("W1", true, "!", "!"),
        ("W1 W1", true, "2 !", "! !"),
        ("R1", true, ".", "."),
        ("R1 R1", true, ". .", ". ."),
        ("W1 R1", true, "! .", "! ."),
        ("W1 R1 O1", true, "3 . !", ". . !"),
        // Worse for a while, and not any more.
        ("B1", true, ".", "."),
        ("B1 B1", true, ". .", ". ."),
        ("B1 R1", true, ". .", ". ."),
        ("B1 W1", true, ". !", ". !"),
        ("W1 B1", true, "! .", "! ."),
        ("F1 B1", false, "! .", "! ."),
        ("F1 W1 B1", false, "2 ! .", "! ! ."),
        ("B1", false, "!", "!"),
        ("B1 O1", true, "2 !", ". !"),
        ("F1 B1 O1", false, ". . .", ". . ."),
        // It ended, and another step says so.
        ("D1", true, ".", "."),
        ("D1", false, ".", "."),
        ("D1 F2", true, ". !", ". !"),
        // Unstable for a while; its state is sent.
        ("U1", true, "!", "!"),
        ("U1", false, "!", "!"),
        ("C1 O1", true, "2 !", ". !"),
        ("F1 C1 F2", false, ". . !", ". . !"),
        ("C1 F2", true, ". !", ". !"),
        // Several firings inside.
        ("O1 F2", true, "! !", "! !"),
        ("O1 F2 O2", true, "! . .", "! . ."),
        ("F1 O1 F2", false, ". . !", ". . !"),
        ("W1 O1 F2 O2 F3 W3", true, "2 ! . . 6 !", ". ! . . ! !"),
    ] {
        for (keeps_state, expected) in [(false, chat), (true, stateful)] {
            let fates = decide(&run(text, was_notified), keeps_state, None);
            assert_eq!(shown(&fates), expected, "{text}, notified: {was_notified}, keeps state: {keeps_state}");
        }
    }
}

#[test]
fn an_end_that_is_taken_back_is_never_sent_and_decides_nothing() {
    for (text, was_notified, expected) in [("O1", true, "."), ("F1 O1", false, "! ."), ("F1 W1 O1", false, "2 ! .")] {
        let mut run = run(text, was_notified);
        run.steps.last_mut().unwrap().still = Still::TakenBack;
        assert_eq!(shown(&decide(&run, false, None)), expected, "{text}");
    }
}

#[test]
fn what_is_covered_still_is_held_further_whole() {
    let hold = Hold { why: HoldReason::Silence, until: Timestamp::from_seconds(9) };
    let fates = decide(&run("F1 O1 F2", false), false, Some(hold));
    assert_eq!(shown(&fates), "h h h");
    assert!(fates.iter().all(|(_, fate)| *fate == Decision::Hold(hold)));
}

#[test]
fn a_message_without_an_alert_covers_no_other() {
    let mut run = run("F1 F1", false);
    for step in &mut run.steps {
        step.began = None;
    }
    assert_eq!(shown(&decide(&run, false, None)), "! !");
}

/// A firing since that second.
fn firing_since(since: i64, taken_back: u64) -> Firing {
    Firing {
        since: Timestamp::from_seconds(since),
        fired_at: Timestamp::from_seconds(since),
        terms: RuleTerms { when: Condition::Below(300.0), recover: None },
        baseline: None,
        measured_at: None,
        worst_notified: Some(200.0),
        worst_notified_at: None,
        worst_seen: Some(200.0),
        worst_before: None,
        worst_before_at: None,
        taken_back,
        end_taken_back: 0,
        gap: None,
        unread: Vec::new(),
        escalated: Escalated::default(),
    }
}

#[test]
fn what_is_held_is_so_for_as_long_as_its_alert_says_so() {
    use Still::{Over, So, TakenBack};
    let alert = |state, unstable| {
        let flapping = Flapping { changes: Vec::new(), unstable };
        Alert { state, generation: 1, sequence: 9, rebased_at: None, ended: None, flapping }
    };
    let fires = |since, taken_back| alert(AlertState::Firing(firing_since(since, taken_back)), None);
    let is_unstable = || {
        let unstable = Unstable { changed_at: Timestamp::EPOCH, fired: firing_since(1, 0) };
        alert(AlertState::Inactive, Some(unstable))
    };
    let over = || alert(AlertState::Inactive, None);
    for (text, alert, expected) in [
        ("F1 W1 W1", fires(1, 0), &[So, So, So][..]),
        ("F1 W1 W1", fires(1, 2), &[So, TakenBack, So]),
        ("F1 W1 W1", fires(1, 3), &[So, TakenBack, TakenBack]),
        ("F1 W1 R1", over(), &[So, Over, So]),
        ("F1 W1 F5", fires(5, 0), &[So, Over, So]),
        ("F1 U1", is_unstable(), &[So, So]),
        ("F1 U1", over(), &[So, Over]),
        ("F1 U1 F5", fires(5, 0), &[So, Over, So]),
    ] {
        let mut run = run(text, false);
        run.hold_against(&alert, false);
        assert_eq!(run.steps.iter().map(|step| step.still).collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn an_escalation_that_was_held_is_sent_unless_somebody_has_acknowledged_the_alert() {
    for (text, expected) in
        [("E1", "!"), ("E1 W1", "2 !"), ("E1 O1", ". ."), ("X1", "."), ("X1 W1", ". !"), ("X1 O1", ". .")]
    {
        let mut fates = decide(&run(text, false), false, None);
        fates.sort_by_key(|(delivery, _)| *delivery);
        assert_eq!(shown(&fates), expected, "{text}");
    }
    for (is_acknowledged, expected) in [(false, Still::So), (true, Still::TakenBack)] {
        let mut run = run("E1", false);
        let alert = Alert { state: AlertState::Firing(firing_since(1, 0)), generation: 1, ..Alert::default() };
        run.hold_against(&alert, is_acknowledged);
        assert_eq!(run.steps[0].still, expected);
    }
}

#[test]
fn a_wait_for_other_tenants_suppresses_nothing() {
    for (text, was_notified, chat, stateful) in [
        ("F1", false, "!", "!"),
        ("F1 W1", false, "2 !", "! !"),
        ("F1 R1", false, "! 1", "! !"),
        ("F1 O1", false, "2 !", "! !"),
        ("F1 W1 R1 O1", false, "4 4 4 !", "! ! ! !"),
        ("O1", true, "!", "!"),
        ("R1", true, "!", "!"),
        ("B1", true, "!", "!"),
        ("F1 B1 O1", false, "3 3 !", "! ! !"),
        ("F1 O1 F2", false, "2 ! !", "! ! !"),
        ("O1 F2 O2", true, "! 3 !", "! ! !"),
    ] {
        for why in [HoldReason::Fleet, HoldReason::Outage] {
            let mut run = run(text, was_notified);
            let hold = Hold { why, until: Timestamp::EPOCH };
            run.steps.iter_mut().for_each(|step| step.hold = Some(hold));
            for (keeps_state, expected) in [(false, chat), (true, stateful)] {
                let fates = decide(&run, keeps_state, None);
                assert_eq!(shown(&fates), expected, "{text}, notified: {was_notified}, keeps state: {keeps_state}");
            }
        }
    }
}

#[test]
fn a_silence_that_begins_during_a_wait_for_other_tenants_suppresses_only_what_began_later() {
    let until = |minutes: i64| Timestamp::from_seconds(minutes * 60);
    let mut run = run("F1 O1 F2 O2", false);
    let holds =
        [(HoldReason::Fleet, 10), (HoldReason::Outage, 10), (HoldReason::Silence, 60), (HoldReason::Silence, 60)];
    for (step, (why, minutes)) in run.steps.iter_mut().zip(holds) {
        step.hold = Some(Hold { why, until: until(minutes) });
    }
    let silence = Hold { why: HoldReason::Silence, until: until(60) };
    let fates = decide(&run, false, Some(silence));
    for (step, (_, fate)) in run.steps.iter_mut().zip(fates) {
        let Decision::Hold(hold) = fate else { panic!("{fate:?}") };
        assert_eq!(hold.until, silence.until);
        step.hold = Some(hold);
    }
    assert_eq!(shown(&decide(&run, false, None)), "2 ! . .");
}

/// A whole life: firings with any steps between, from any point on, the last perhaps not over.
fn lives() -> impl Strategy<Value = (String, bool)> {
    let firing = prop::collection::vec(0..3_usize, 0..4);
    (prop::collection::vec(firing, 1..4), prop::bool::ANY, prop::bool::ANY).prop_map(
        |(firings, is_over, was_notified)| {
            let last = firings.len();
            let mut words = Vec::new();
            for (number, middle) in (1..).zip(firings) {
                // What was reported before had its firing reported.
                if number > 1 || !was_notified {
                    words.push(format!("F{number}"));
                }
                words.extend(middle.into_iter().map(|middle_word| format!("{}{number}", ["W", "R", "B"][middle_word])));
                if is_over || number < last {
                    words.push(format!("O{number}"));
                }
            }
            (words.join(" "), was_notified)
        },
    )
}

#[test]
fn the_newest_firing_is_distinguished_from_those_before_it() {
    for (text, earlier, newest) in [("F1", 0, 1), ("F1 W1", 0, 2), ("F1 O1 F2", 2, 1), ("O1 F2 W2 O2 F3 W3", 4, 2)] {
        let run = run(text, true);
        let (before, after) = newest_firing(&run.steps);
        assert_eq!((before.len(), after.len()), (earlier, newest), "{text}");
    }
    assert_eq!(newest_firing(&[]), (&[][..], &[][..]));
}

proptest! {
    /// The law of silences: whoever reads only what is sent knows in the end of each alert what is so.
    #[test]
    fn a_silence_loses_nothing_and_repeats_nothing((text, was_notified) in lives(), keeps_state in prop::bool::ANY) {
        let run = run(&text, was_notified);
        let fates = decide(&run, keeps_state, None);
        prop_assert_eq!(fates.len(), run.steps.len());
        let sent = |number: i64| fates.iter().any(|(id, fate)| id.0 == number && *fate == Decision::Send);
        for (id, fate) in &fates {
            if let Decision::Merged(by) = fate {
                prop_assert!(by > id && sent(by.0), "what carries is later, and is sent");
            }
        }
        // The receiver's own view, by firing: none, open or closed.
        let mut views = std::collections::BTreeMap::from([(1, was_notified)]);
        for step in run.steps.iter().filter(|step| sent(step.delivery.0)) {
            let firing = step.began.unwrap().as_seconds();
            let open = views.entry(firing).or_insert(false);
            prop_assert!(!step.is_over || *open, "only the end of a reported alert is sent");
            *open = !step.is_over;
        }
        for steps in run.steps.chunk_by(is_same_firing) {
            let firing = steps[0].began.unwrap().as_seconds();
            let is_open = !steps.last().unwrap().is_over;
            prop_assert_eq!(views.get(&firing).copied().unwrap_or(false), is_open, "{}", firing);
        }
    }
}
