use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::domain::Selector;

const PERIOD: Period = Period { from: at(24), until: at(48) };

/// That many hours after the epoch.
const fn at(hours: i64) -> Timestamp {
    Timestamp::from_seconds(hours * 3_600)
}

fn status(id: &str) -> TenantStatus {
    TenantStatus {
        has_excluded: false,
        tenant: TenantId::parse(id).unwrap(),
        name: format!("{id} Ltd").into(),
        labels: Arc::new(Labels::new()),
        moves: Vec::new(),
        firing: Vec::new(),
        blind: None,
    }
}

fn moves(score: ScoreKind, before: f64, value: f64) -> Vec<Move> {
    vec![Move { score, subject: None, before, value }]
}

fn fires(severity: Severity, since: i64) -> Fires {
    let (score, rule) = (Some(ScoreKind::SecureScore), RuleName::parse("low").unwrap());
    Fires { rule, severity, score, subject: None, since: at(since) }
}

fn report_for(audience: &Audience, statuses: &[TenantStatus]) -> ReportFacts {
    let id = id("store", &ChannelName::parse("soc").unwrap(), PERIOD.until);
    let report = message(id, audience, PERIOD, statuses, ReportDeliveries { held: 1, dead: 2 }, at(49));
    assert_eq!((report.kind, report.timestamp), (NotificationType::Report, at(49)));
    assert!(report.data.tenant.is_none() && report.data.items.is_empty());
    report.data.report.unwrap()
}

#[test]
fn a_value_moved_from_what_it_was_at_the_beginning_to_what_it_is_at_the_end() {
    for (samples, expected, why) in [
        (&[][..], None, "nothing is known"),
        (&[(10, 5.0)], None, "nothing came in the period"),
        (&[(10, 5.0), (20, 6.0), (30, 7.0), (40, 9.0)], Some((6.0, 9.0)), "the newest before the beginning"),
        (&[(24, 6.0), (48, 7.0)], Some((6.0, 7.0)), "both ends belong to it"),
        (&[(24, 6.0), (49, 7.0)], None, "what came later does not"),
        (&[(30, 7.0), (40, 9.0)], Some((7.0, 9.0)), "known since the middle of it"),
        (&[(30, 7.0)], None, "one value is no move"),
        (&[(20, 7.0), (30, 9.0), (40, 7.0)], None, "it came back"),
        (&[(-49, 5.0), (30, 7.0), (40, 8.0)], Some((7.0, 8.0)), "too old to say how it stood"),
        (&[(-48, 5.0), (30, 7.0), (40, 8.0)], Some((5.0, 8.0)), "just not too old"),
    ] {
        let samples: Vec<_> = samples.iter().map(|&(hours, value)| Sample { at: at(hours), value }).collect();
        assert_eq!(moved(&samples, PERIOD), expected, "{why}");
    }
}

#[test]
fn whether_a_move_is_for_the_better_depends_on_the_score() {
    for (score, before, value, is_better) in [
        (ScoreKind::SecureScore, 50.0, 60.0, true),
        (ScoreKind::SecureScore, 60.0, 50.0, false),
        (ScoreKind::DeviceSecureScore, 400.0, 340.0, false),
        (ScoreKind::ExposureScore, 20.0, 35.0, false),
        (ScoreKind::ExposureScoreByGroup, 35.0, 20.0, true),
    ] {
        let report =
            report_for(&Audience::default(), &[TenantStatus { moves: moves(score, before, value), ..status("a") }]);
        let [said] = &report.scores[..] else { panic!("{report:?}") };
        assert_eq!((said.better_count, said.worse_count), if is_better { (1, 0) } else { (0, 1) }, "{score}");
        let moved = if is_better { &said.better } else { &said.worse };
        assert!((moved[0].change - (value - before)).abs() < 1e-9, "{moved:?}");
    }
}

#[test]
fn five_are_named_of_each_kind_the_farthest_or_oldest_first_and_all_are_counted() {
    let one = |number: i32| TenantStatus {
        moves: moves(ScoreKind::SecureScore, 50.0, 50.0 + f64::from(number - 8)),
        firing: vec![fires(if number % 2 == 0 { Severity::Critical } else { Severity::Info }, i64::from(40 - number))],
        blind: Some((at(i64::from(number)), "secret-expired".to_owned())),
        ..status(&format!("t{number:02}"))
    };
    let statuses: Vec<TenantStatus> = (1..=20).filter(|number| *number != 8).map(one).collect();
    let report = report_for(&Audience::default(), &statuses);
    let moved = |moves: &[ReportMove]| moves.iter().map(|moved| moved.tenant.id.clone()).collect::<Vec<_>>();
    assert_eq!((report.tenant_count, report.tenants.len()), (19, 19));
    assert_eq!((report.scores[0].worse_count, report.scores[0].better_count), (7, 12));
    assert_eq!(moved(&report.scores[0].worse), ["t01", "t02", "t03", "t04", "t05"]);
    assert_eq!(moved(&report.scores[0].better), ["t20", "t19", "t18", "t17", "t16"]);
    assert_eq!((report.alerts.critical, report.alerts.warning, report.alerts.info), (9, 0, 10));
    let oldest: Vec<_> = report.alerts.oldest.iter().map(|alert| alert.tenant.id.as_str()).collect();
    assert_eq!(oldest, ["t20", "t19", "t18", "t17", "t16"]);
    let unread: Vec<_> = report.blind.tenants.iter().map(|unread| unread.tenant.id.as_str()).collect();
    assert_eq!((report.blind.count, unread), (19, vec!["t01", "t02", "t03", "t04", "t05"]));
    assert_eq!(report.deliveries, ReportDeliveries { held: 1, dead: 2 });
}

#[test]
fn the_list_of_tenants_is_cut_only_where_every_tenant_may_be_shown() {
    let statuses: Vec<TenantStatus> = (0..1_500).map(|number| status(&format!("t{number:04}"))).collect();
    let outside_audience =
        Audience { tenants: Some(statuses.iter().map(|one| one.tenant.clone()).collect()), ..Audience::default() };
    for (audience, listed) in [(Audience::default(), 1_000), (outside_audience, 1_500)] {
        let report = report_for(&audience, &statuses);
        assert_eq!((report.tenant_count, report.tenants.len()), (1_500, listed));
    }
}

#[test]
fn a_missed_report_is_made_up_for_a_day_but_never_longer_than_it_would_be_known() {
    let hours = Duration::from_hours;
    for (retention, after) in [(hours(400 * 24), 48 - 24), (hours(24), 48 - 24), (hours(6), 48 - 6)] {
        assert_eq!(made_up_after(retention, at(48)), at(after));
    }
}

/// Tenants `t0` … with some labels, moves, alerts and troubles.
fn fleets() -> impl Strategy<Value = Vec<TenantStatus>> {
    let one = (0..3_u8, -5.0..5.0_f64, 0..3_usize, any::<bool>());
    prop::collection::vec(one, 0..30).prop_map(|tenants| {
        let status = |(number, (tier, change, alerts, is_blind)): (usize, (u8, f64, usize, bool))| TenantStatus {
            labels: Arc::new(BTreeMap::from([("tier".into(), tier.to_string().into())])),
            moves: moves(ScoreKind::ALL[number % 4], 50.0, 50.0 + change),
            firing: vec![fires(Severity::Warning, i64::try_from(number).unwrap()); alerts],
            blind: is_blind.then(|| (at(1), "role-missing".to_owned())),
            ..status(&format!("t{number}-x"))
        };
        tenants.into_iter().enumerate().map(status).collect()
    })
}

fn audiences() -> impl Strategy<Value = Audience> {
    let tenants = prop::option::of(prop::collection::btree_set(0..30_usize, 0..20));
    (tenants, prop::option::of(0..3_u8)).prop_map(|(tenants, tier)| Audience {
        tenants: tenants.map(|all| {
            all.into_iter().map(|number| TenantId::parse(&format!("t{number}-x")).unwrap()).collect::<BTreeSet<_>>()
        }),
        labels: Selector(tier.map(|tier| ("tier".into(), tier.to_string().into())).into_iter().collect()),
    })
}

proptest! {
    #[test]
    fn a_report_for_an_audience_is_as_if_there_were_no_other_tenants(statuses in fleets(), audience in audiences()) {
        let (own, foreign): (Vec<TenantStatus>, Vec<TenantStatus>) =
            statuses.iter().cloned().partition(|one| audience.admits(&one.tenant, &one.labels));
        let report = report_for(&audience, &statuses);
        prop_assert_eq!(&report, &report_for(&Audience::default(), &own));
        let text = serde_json::to_string(&report).unwrap();
        for tenant in foreign {
            prop_assert!(!text.contains(&format!("\"{}", tenant.tenant)), "{} in {}", tenant.tenant, text);
        }
        prop_assert_eq!(report.tenant_count, own.len());
    }
}
