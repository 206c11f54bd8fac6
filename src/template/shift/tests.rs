use super::*;
use crate::{
    notify::{NotificationType, fleet::evidence::ShiftEvidence},
    template::sample,
};

fn facts() -> FleetFacts {
    let facts = sample::notification(NotificationType::FleetShift, "Identity").data.fleet.expect("it has facts");
    FleetFacts {
        evidence: ShiftEvidence::default(),
        left_out: 0,
        apart: Vec::new(),
        notified_before: Vec::new(),
        ..facts
    }
}

const fn words() -> &'static Words {
    Words::of(crate::domain::Language::En)
}

/// The headline, with what is known of why.
fn said(facts: &FleetFacts) -> String {
    let (what, why) = headline(facts, words());
    format!("{what}{why}")
}

fn note(facts: &FleetFacts) -> String {
    let unlisted = unlisted(facts, words()).unwrap_or_default();
    format!("{} {} {unlisted}", reason(facts, words()), left_to_do(facts, words()))
}

fn control(tenants: usize) -> LostControl {
    LostControl { title: "Require MFA".to_owned(), tenants }
}

#[test]
fn own_losses_name_the_controls_and_not_microsoft() {
    let controls = vec![control(12)];
    let evidence = ShiftEvidence { verdict: Verdict::Tenants, by_tenants: 12, controls, ..ShiftEvidence::default() };
    let facts = FleetFacts { tenant_count: 12, alerts: 12, evidence, ..facts() };
    assert!(said(&facts).starts_with("12 tenants lost points on the same control: "), "{}", said(&facts));
    assert!(note(&facts).contains("Controls that lost points: Require MFA (12 tenants)."), "{}", note(&facts));
    assert!(!format!("{} {}", said(&facts), note(&facts)).contains("Microsoft"), "{}", note(&facts));
}

#[test]
fn only_evidence_says_that_microsoft_changed_the_score() {
    let evidence = ShiftEvidence { verdict: Verdict::Microsoft, by_microsoft: 2, ..ShiftEvidence::default() };
    let proven = FleetFacts { evidence, accepted: true, accepted_count: 3, ..facts() };
    assert!(said(&proven).ends_with(": Microsoft changed the score"));
    assert!(note(&proven).contains("nothing is left to do"), "{}", note(&proven));
    let unknown = facts();
    assert!(!said(&unknown).contains("Microsoft"), "{}", said(&unknown));
    assert!(note(&unknown).contains("What changed is not known."), "{}", note(&unknown));
    let defender = FleetFacts { score: crate::domain::ScoreKind::DeviceSecureScore, ..facts() };
    assert!(note(&defender).contains("This is probably a change in the score, not in these tenants."));
}

#[test]
fn a_channel_that_is_shown_one_tenant_reads_of_that_one() {
    let one = FleetFacts {
        score: crate::domain::ScoreKind::DeviceSecureScore,
        subject: None,
        tenant_count: 1,
        alerts: 1,
        ..facts()
    };
    assert!(said(&one).contains(", as at other tenants"), "{}", said(&one));
    assert!(note(&one).contains("not in this tenant."), "{}", note(&one));
}

#[test]
fn mixed_evidence_says_exactly_both() {
    let evidence = ShiftEvidence {
        verdict: Verdict::Mixed,
        by_microsoft: 3,
        by_tenants: 1,
        controls: vec![control(1)],
        ..ShiftEvidence::default()
    };
    let note = note(&FleetFacts { evidence, ..facts() });
    for part in ["At 3 tenants, Microsoft changed the score", "At 1 tenant, points were lost on existing controls"] {
        assert!(note.contains(part), "{note}");
    }
}

#[test]
fn what_has_no_line_is_counted_and_can_be_found() {
    let facts = FleetFacts { alerts: 60, left_out: 10, ..facts() };
    let note = note(&facts);
    assert!(
        note.contains(&format!("10 of 60 alerts are not listed here; `scorewatch alerts list --shift {}`", facts.id))
    );
}
