use super::*;
use crate::{
    domain::{Labels, Points, Timestamp},
    notify::{
        Notification, NotificationId, NotificationType, compose,
        fleet::{Scope, Span},
        notification::{Cause, ScoreFacts, TenantFacts},
        reason::Breakdown,
    },
};

fn day(number: i64) -> Timestamp {
    Timestamp::from_seconds(number * 86_400)
}

fn shift(score: ScoreKind) -> Shift {
    let span = Span { from: day(2), until: day(2) };
    Shift { scope: Scope::of(score, None), span, median: -4.0, tolerance: 1.0, moved: 12, read: 12 }
}

/// What an alert of that tenant says: whose doing, by its records of two days, with the maximum after, and its lost controls.
fn says(tenant: &str, changed_by: ChangedBy, from: i64, to: i64, maximum: f64, lost: &[&str]) -> Notification {
    let id = NotificationId::of_parts(&[tenant]);
    let mut says = compose::without_alert(NotificationType::AlertFiring, id, day(to));
    let data = &mut says.data;
    data.tenant =
        Some(TenantFacts { id: tenant.to_owned(), tenant_id: None, name: tenant.to_owned(), labels: Labels::new() });
    data.breakdown = Some(Breakdown {
        from: day(from),
        to: day(to),
        before: Points { earned: 500.0, of: 1000.0 },
        after: Points { earned: 460.0, of: maximum },
        changed_by,
        parts: Vec::new(),
    });
    let cause = |title: &&str| Cause { kind: CauseKind::Lost, title: (*title).to_owned(), ..Cause::default() };
    data.causes = lost.iter().map(cause).collect();
    data.score = Some(ScoreFacts {
        kind: ScoreKind::SecureScore,
        all: false,
        gap: None,
        subject: None,
        unit: "percent".to_owned(),
        value: Some(46.0),
        baseline: Some(50.0),
        previous: None,
        loss: Some(4.0),
        loss_percent: Some(8.0),
        observed_at: Some(day(to)),
        points: None,
        comparison: Some(Comparison { before: 52.0, after: 49.0 }),
        excluded: None,
    });
    says
}

fn covered(says: &[Notification]) -> Vec<Covered> {
    let tenant = |one: &Notification| TenantId::parse(&one.data.tenant.as_ref().unwrap().id).ok();
    let covered = |one: &Notification| Covered { tenant: tenant(one), notification: one.clone(), is_accepted: false };
    says.iter().map(covered).collect()
}

fn of(says: &[Notification]) -> ShiftEvidence {
    of_all(&shift(ScoreKind::SecureScore), &covered(says))
}

#[test]
fn the_evidence_says_what_each_tenant_s_records_show_and_no_more() {
    let microsoft = |name: &str| says(name, ChangedBy::Microsoft, 1, 2, 1040.0, &[]);
    let own = |name: &str| says(name, ChangedBy::Tenant, 1, 2, 1000.0, &["Require MFA"]);
    let unknown = |name: &str| says(name, ChangedBy::Product, 1, 2, 1040.0, &[]);
    for (messages, verdict, counts, why) in [
        (vec![microsoft("a"), microsoft("b")], Verdict::Microsoft, [2, 0, 0, 0], "Microsoft changed the score"),
        (vec![own("a"), own("b")], Verdict::Tenants, [0, 2, 0, 0], "their own controls, with an unchanged maximum"),
        (
            vec![says("a", ChangedBy::Tenant, 1, 2, 1040.0, &["Require MFA"])],
            Verdict::Mixed,
            [0, 0, 1, 0],
            "their own controls, and the maximum moved",
        ),
        (vec![says("a", ChangedBy::Both, 1, 2, 1040.0, &[])], Verdict::Mixed, [0, 0, 1, 0], "both at one"),
        (vec![microsoft("a"), own("b")], Verdict::Mixed, [1, 1, 0, 0], "one thing here, another there"),
        (vec![unknown("a")], Verdict::None, [0, 0, 0, 1], "a product came or went"),
        (vec![microsoft("a"), unknown("b")], Verdict::Microsoft, [1, 0, 0, 1], "nothing shows it at one"),
    ] {
        let evidence = of(&messages);
        assert_eq!(evidence.verdict, verdict, "{why}");
        let ShiftEvidence { by_microsoft, by_tenants, by_both, unknown, .. } = evidence;
        assert_eq!([by_microsoft, by_tenants, by_both, unknown], counts, "{why}");
    }
}

#[test]
fn the_controls_that_most_tenants_lost_points_on_are_named_first() {
    let own = |name: &str, lost: &[&str]| says(name, ChangedBy::Tenant, 1, 2, 1000.0, lost);
    let evidence =
        of(&[own("a", &["MFA", "MFA"]), own("b", &["Audit", "MFA"]), own("c", &["Mail"]), own("d", &["Wi-Fi"])]);
    let named: Vec<_> = evidence.controls.iter().map(|one| (one.title.as_str(), one.tenants)).collect();
    assert_eq!(named, [("MFA", 2), ("Audit", 1), ("Mail", 1)]);
}

#[test]
fn microsoft_s_average_counts_only_between_two_successive_records_and_only_if_it_moved_along_by_half() {
    let with = |to, before: f64, after: f64| {
        let mut messages = says("a", ChangedBy::Unknown, 1, to, 1000.0, &[]);
        messages.data.score.as_mut().unwrap().comparison = Some(Comparison { before, after });
        messages
    };
    for (messages, is_evidence, why) in [
        (with(2, 52.0, 49.0), true, "three of four points"),
        (with(2, 52.0, 50.0), true, "half"),
        (with(2, 52.0, 50.1), false, "less than half"),
        (with(2, 52.0, 55.0), false, "the other way"),
        (with(3, 52.0, 48.0), false, "a drift over two days"),
        (with(8, 52.0, 48.0), false, "a drift over a week"),
    ] {
        assert_eq!(of(std::slice::from_ref(&messages)).average.is_some(), is_evidence, "{why}");
        assert_eq!(of(&[messages]).verdict, Verdict::None, "it is a sentence, and never a verdict: {why}");
    }
    let messages = with(2, 52.0, 48.0);
    assert_eq!(of_all(&shift(ScoreKind::SecureScoreCategory), &covered(&[messages])).average, None);
}
