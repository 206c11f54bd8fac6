//! Every page is written, whether there is much to show or nothing, for whoever may see it; and says of others nothing.

use std::{sync::Arc, time::Duration};

use axum::http::header::LOCATION;

use super::{
    access::{Fixture, PUBLIC, TENANTS},
    config_of,
};
use crate::{
    domain::{
        Averages, EntraTenantId, Impact, RecommendationSnapshot, Role, Sample, ScoreKind, SnapshotRow, TenantId,
        Timestamp,
    },
    rule::{Alert, AlertState, Condition, Escalated, Firing, Rule, RuleName, Terms},
    secret::ExposeSecret,
    store::{AlertFilter, AlertUpdate, CheckOutcome, Commit, SeriesUpdate, TenantHealth, TenantIdentity},
};

/// Who had the slug `contoso` before.
const FORMER: &str = "2f1c0a5e-0000-4000-8000-00000000000f";

const PATHS: [&str; 16] = [
    "/",
    "/?score=secure-score",
    "/tenants/contoso",
    "/tenants/contoso?span=30d",
    "/alerts",
    "/alerts?show=all&rule=drop",
    "/work",
    "/deliveries",
    "/deliveries?state=dead",
    "/channels",
    "/silences",
    "/rules",
    "/rules/drop",
    "/rules/drop?run=yes&since=7d&number=5&unit=%25&within=12h&for=0s&tenant=contoso",
    "/rules/drop?run=yes&since=7d&number=none&unit=%25&within=12h",
    "/system",
];

pub(super) async fn fixture() -> Fixture {
    let more = "scores: [device-secure-score, secure-score]\nchannels: { soc: { type: webhook, url: 'https://a.example/' } }\n";
    let mut config = (*config_of(&format!("{PUBLIC}{TENANTS}{more}"))).clone();
    let when = Condition::from_words("drop 20% within 1d").unwrap();
    let rule = Rule { score: Some(ScoreKind::DeviceSecureScore), ..Rule::new(RuleName::parse("drop").unwrap(), when) };
    config.rules.push(Arc::new(rule));
    Fixture::with(Arc::new(config)).await
}

/// A check of `contoso`, whose device score fell by a tenth, and of whom Microsoft says something.
pub(super) async fn checked(fixture: &Fixture) {
    checked_as(fixture, TenantIdentity::default()).await;
}

async fn checked_as(fixture: &Fixture, identity: TenantIdentity) {
    assert_eq!(fixture.store.commit(outcome(fixture, identity)).await.unwrap(), Commit::Done);
}

fn outcome(fixture: &Fixture, identity: TenantIdentity) -> CheckOutcome {
    let now = fixture.clock.now();
    let series = |score, values: [f64; 3]| {
        let sample = |(hours, value)| Sample { at: now.minus(Duration::from_hours(hours)), value };
        SeriesUpdate {
            score,
            subject: None,
            window: [48, 24, 1].into_iter().zip(values).map(sample).collect(),
            keep: Duration::from_hours(24),
            onboarded_at: None,
            last_data_at: now,
        }
    };
    let advice = |id: &str, name: Option<&str>| SnapshotRow {
        id: id.to_owned(),
        exposed: Some(3),
        total: Some(40),
        impact: Some(9.5),
        is_exception: false,
        name: name.map(str::to_owned),
    };
    CheckOutcome {
        tenant: TenantId::parse("contoso").unwrap(),
        identity,
        expected_version: None,
        health: TenantHealth {
            first_seen_at: now,
            next_due_at: now.plus(Duration::from_mins(15)),
            wake_at: None,
            checked_at: Some(now),
            failing: None,
            failures: Vec::new(),
            watched_since: None,
        },
        series: vec![
            series(ScoreKind::DeviceSecureScore, [500.0, 500.0, 450.0]),
            series(ScoreKind::SecureScore, [60.0, 61.0, 62.0]),
        ],
        alerts: Vec::new(),
        notifications: Vec::new(),
        movements: Vec::new(),
        excluded: None,
        recommendations: vec![RecommendationSnapshot {
            impact: Impact::DeviceScore,
            taken_at: now,
            is_complete: true,
            rows: vec![advice("sca-_-1", Some("Turn on <protection>")), advice("sca-_-2", None)],
        }],
        averages: Some(Averages { day: now, similar_size: Some(52.5), same_industry: None, all_tenants: Some(47.5) }),
        now,
    }
}

/// An alert that fires because its score is below a floor: there is no level to accept.
fn below_a_floor(now: Timestamp) -> AlertUpdate {
    let firing = Firing {
        since: now,
        fired_at: now,
        terms: Terms { when: Condition::Below(470.0), recover: None },
        baseline: None,
        measured_at: None,
        worst_notified: Some(450.0),
        worst_notified_at: None,
        worst_seen: None,
        worst_before: None,
        worst_before_at: None,
        taken_back: 0,
        end_taken_back: 0,
        gap: None,
        unread: Vec::new(),
        escalated: Escalated::default(),
    };
    let (rule, score) = (RuleName::parse("floor").unwrap(), Some(ScoreKind::DeviceSecureScore));
    let alert = Alert { state: AlertState::Firing(firing), generation: 1, sequence: 1, ..Alert::default() };
    AlertUpdate { rule, score, subject: None, alert, inherits: None }
}

/// `contoso` with these alerts, and the header of an administrator.
async fn fires(alerts: &[fn(Timestamp) -> AlertUpdate]) -> (Fixture, String) {
    let fixture = fixture().await;
    let mut outcome = outcome(&fixture, TenantIdentity::default());
    outcome.alerts = alerts.iter().map(|alert| alert(fixture.clock.now())).collect();
    assert_eq!(fixture.store.commit(outcome).await.unwrap(), Commit::Done);
    let token = fixture.token("all", Role::Admin, None, "1d").await;
    let bearer = format!("Bearer {}", token.secret.expose_secret());
    (fixture, bearer)
}

/// How many alerts fire.
async fn firing(fixture: &Fixture) -> usize {
    let filter = AlertFilter { firing_only: true, ..AlertFilter::default() };
    fixture.store.alerts(&filter).await.unwrap().len()
}

#[tokio::test]
async fn accepting_all_says_so_if_none_has_a_level_to_accept() {
    let (fixture, bearer) = fires(&[below_a_floor]).await;
    let headers = [("authorization", &*bearer), ("content-type", "application/x-www-form-urlencoded")];
    let answer = fixture.send("POST /alerts", &headers, "do=accept-all&tenant=contoso").await;
    assert_eq!((answer.status, answer.header(LOCATION)), (303, "/alerts?done=none-left"), "{}", answer.body);
    assert_eq!(firing(&fixture).await, 1, "nothing was done");
}

/// An alert that fires because its score fell from 500 to 450.
fn after_a_drop(now: Timestamp) -> AlertUpdate {
    let mut update = below_a_floor(now);
    update.rule = RuleName::parse("drop").unwrap();
    if let AlertState::Firing(firing) = &mut update.alert.state {
        firing.terms.when = Condition::from_words("drop 5% within 1d").unwrap();
        firing.baseline = Some(500.0);
    }
    update
}

#[tokio::test]
async fn accepting_all_that_match_asks_first_and_records_why_and_from_which_level() {
    let (fixture, bearer) = fires(&[after_a_drop]).await;
    let headers = [("authorization", &*bearer), ("content-type", "application/x-www-form-urlencoded")];
    let list = fixture.get("/alerts?rule=drop", &headers).await;
    assert!(list.body.contains("Accept the one that matches"), "{}", list.body);
    let asked = fixture.send("POST /alerts", &headers, "do=accept-all&rule=drop&comment=New+model").await;
    assert!(asked.status == 200 && asked.body.contains("Accept 1 alert as the new level?"), "{}", asked.body);
    assert!(asked.body.contains("value=\"New model\""), "{}", asked.body);
    let set = asked.body.split("name=\"set\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let changed = fixture.send("POST /alerts", &headers, "do=accept-listed&rule=drop&set=other").await;
    assert!(changed.status == 409 && changed.body.contains("nothing was accepted"), "{}", changed.body);
    let long = format!("do=accept-listed&rule=drop&set={set}&comment={}", "x".repeat(501));
    let refused = fixture.send("POST /alerts", &headers, &long).await;
    assert!(refused.status == 422 && refused.body.contains("role=\"alert\""), "{}", refused.body);
    assert_eq!(firing(&fixture).await, 1, "nothing was done");
    let yes = format!("do=accept-listed&rule=drop&comment=New+model&set={set}");
    let done = fixture.send("POST /alerts", &headers, &yes).await;
    assert_eq!((done.status, done.header(LOCATION)), (303, "/alerts?count=1&done=accepted"), "{}", done.body);
    assert_eq!(firing(&fixture).await, 0);
    let said = fixture.get("/alerts?count=1&done=accepted", &headers).await;
    assert!(said.body.contains("Accepted 1 alert as the new level."), "{}", said.body);
    let audit = fixture.get("/api/v1/audit?action=alert.accept", &headers).await.body;
    for recorded in ["\"comment\":\"New model\"", "\"baseline\":500.0"] {
        assert!(audit.contains(recorded), "{audit} lacks {recorded}");
    }
}

#[tokio::test]
async fn accepting_those_that_are_selected_asks_first_and_says_which_have_no_level() {
    let (fixture, bearer) = fires(&[after_a_drop, below_a_floor]).await;
    let headers = [("authorization", &*bearer), ("content-type", "application/x-www-form-urlencoded")];
    let between = |text: &str, begin: &str| -> Vec<String> {
        text.split(begin).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
    };
    let list = fixture.get("/alerts", &headers).await.body;
    let selected = between(&list, "name=\"alert\" value=\"").join("&alert=");
    let ask = format!("do=accept&rule=&comment=New+model&alert={selected}");
    let asked = fixture.send("POST /alerts", &headers, &ask).await;
    assert!(asked.status == 200 && asked.body.contains("Accept 1 alert as the new level?"), "{}", asked.body);
    assert!(asked.body.contains("1 other alert has no level to accept and stays as it is"), "{}", asked.body);
    let kept = between(&asked.body, "type=\"hidden\" name=\"alert\" value=\"").join("&alert=");
    assert_eq!(kept, selected, "the page keeps what was selected");
    assert_eq!(firing(&fixture).await, 2, "it only asks");
    let set = between(&asked.body, "name=\"set\" value=\"").remove(0);
    let yes = format!("do=accept-listed&comment=New+model&alert={kept}&set={set}");
    let done = fixture.send("POST /alerts", &headers, &yes).await;
    assert_eq!((done.status, done.header(LOCATION)), (303, "/alerts?count=1&done=accepted"), "{}", done.body);
    assert_eq!(firing(&fixture).await, 1, "a floor is a floor");
    let again = fixture.send("POST /alerts", &headers, &yes).await;
    assert_eq!((again.status, again.header(LOCATION)), (303, "/alerts?done=none-left"), "{}", again.body);
}

#[tokio::test]
async fn the_api_records_why_a_level_is_accepted() {
    let (fixture, bearer) = fires(&[after_a_drop]).await;
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    let list: serde_json::Value = serde_json::from_str(&fixture.get("/api/v1/alerts", &headers).await.body).unwrap();
    let accept = format!("POST /api/v1/alerts/{}/accept", list["items"][0]["id"].as_str().unwrap());
    let refused = fixture.send(&accept, &headers, "{\"comment\":\" \"}").await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let done = fixture.send(&accept, &headers, "{\"comment\":\"New model\"}").await;
    assert_eq!(done.status, 200, "{}", done.body);
    let audit = fixture.get("/api/v1/audit?action=alert.accept", &headers).await.body;
    assert!(audit.contains("\"comment\":\"New model\""), "{audit}");
    let again = fixture.send(&accept, &headers, "").await;
    assert_eq!(again.status, 409, "a comment may be left out: {}", again.body);
}

#[tokio::test]
async fn a_silence_with_a_mistake_is_shown_again_as_it_was_written() {
    let fixture = fixture().await;
    let token = fixture.token("all", Role::Analyst, None, "1d").await;
    let bearer = format!("Bearer {}", token.secret.expose_secret());
    let headers = [("authorization", &*bearer), ("content-type", "application/x-www-form-urlencoded")];
    for (written, shown) in [
        (
            "tenants=contoso%2C+nobodyy&labels=tier&rule=drop&for=24h&comment=patching",
            &[
                "There is no tenant",
                "is not a label",
                "value=\"contoso, nobodyy\"",
                "value=\"tier\"",
                "<option selected>drop</option>",
                "<option value=\"24h\" selected>",
                "value=\"patching\"",
            ][..],
        ),
        ("comment=patching", &["Name a tenant, a label or a rule"]),
        ("everything=yes&tenants=contoso&comment=patching", &["The box for everything is ticked", "\"yes\" checked"]),
    ] {
        let answer = fixture.send("POST /silences", &headers, written).await;
        assert_eq!(answer.status, 422, "{written}");
        for text in shown {
            assert!(answer.body.contains(text), "{written} lacks {text}: {}", answer.body);
        }
        let main = answer.body.split("role=\"alert\"").nth(1).unwrap();
        assert!(!main.contains("scorewatch ") && !main.contains("--"), "{main}");
    }
    assert!(fixture.store.silences(None).await.unwrap().is_empty());
    let answer = fixture.send("POST /silences", &headers, "tenants=contoso&comment=patching").await;
    assert_eq!((answer.status, answer.header(LOCATION)), (303, "/silences?done=silenced"), "{}", answer.body);
}

#[tokio::test]
async fn every_page_is_written_for_whoever_may_see_it() {
    let fixture = fixture().await;
    let tokens = [
        fixture.token("all", Role::Admin, None, "1d").await,
        fixture.token("one", Role::Viewer, Some("contoso"), "1d").await,
    ];
    let [all, one] = tokens.map(|token| format!("Bearer {}", token.secret.expose_secret()));
    for is_full in [false, true] {
        if is_full {
            checked(&fixture).await;
        }
        for (bearer, is_limited) in [(&all, false), (&one, true)] {
            for path in PATHS.into_iter().chain(["/audit"]) {
                let answer = fixture.get(path, &[("authorization", bearer), ("accept", "text/html")]).await;
                let expected = if path == "/audit" && is_limited { 403 } else { 200 };
                assert_eq!(answer.status, expected, "{path}: {}", answer.body);
                assert!(answer.body.contains("<h1"), "{path}");
                assert!(!is_limited || !answer.body.contains("fabrikam"), "{path}: {}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn pages_say_names_portals_averages_and_what_is_tried() {
    let fixture = fixture().await;
    checked(&fixture).await;
    let token = fixture.token("all", Role::Admin, None, "1d").await;
    let bearer = format!("Bearer {}", token.secret.expose_secret());
    let tried = "/rules/drop?run=yes&since=7d&number=5&unit=%25&within=1d";
    for (path, shown) in [
        (
            "/work",
            &["Turn on &lt;protection&gt;", "sca-_-2", "tvm_dashboard?tid&#x3D;2f1c0a5e-0000-4000-8000-000000000001"][..],
        ),
        ("/tenants/contoso", &["Turn on &lt;protection&gt;", "+9.5 against 52.5%", "tenants of similar size"]),
        ("/?score=secure-score", &["vs similar", "+9.5"]),
        (tried, &["As written and as tried", "bar-tried", "when: { drop: 5%, within: 24h }", "contoso"]),
        ("/system", &["Fingerprint", "Time zone data"]),
    ] {
        let answer = fixture.get(path, &[("authorization", &bearer), ("accept", "text/html")]).await;
        for text in shown {
            assert!(answer.body.contains(text), "{path} lacks {text}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn whoever_has_a_slug_now_sees_nothing_of_whoever_had_it_before() {
    for (entra, is_shown) in [("2f1c0a5e-0000-4000-8000-000000000001", true), (FORMER, false)] {
        let fixture = fixture().await;
        let now = fixture.clock.now();
        checked_as(&fixture, TenantIdentity::new(EntraTenantId(entra.parse().unwrap()), now)).await;
        let token = fixture.token("all", Role::Admin, None, "1d").await;
        let bearer = format!("Bearer {}", token.secret.expose_secret());
        for (path, said) in [
            ("/work", "sca-_-2"),
            ("/tenants/contoso", "protection"),
            ("/tenants/contoso", "52.5"),
            ("/?score=secure-score", "+9.5"),
            ("/api/v1/work", "sca-_-2"),
        ] {
            let answer = fixture.get(path, &[("authorization", &bearer), ("accept", "text/html")]).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            assert_eq!(answer.body.contains(said), is_shown, "{path}, {entra}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_stream_says_at_once_what_has_changed_since_its_page_was_written() {
    for stream in ["/events", "/api/v1/events"] {
        let fixture = fixture().await;
        let token = fixture.token("all", Role::Admin, None, "1d").await;
        let bearer = format!("Bearer {}", token.secret.expose_secret());
        let headers = [("authorization", bearer.as_str()), ("accept", "text/html")];
        let seen = async || {
            let page = fixture.get("/", &headers).await.body;
            page.split("data-seen=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned()
        };
        let before = seen().await;
        checked(&fixture).await;
        // The store is looked at every few seconds.
        fixture.clock.advance(Duration::from_secs(5));
        let events = fixture.events(&format!("{stream}?seen={before}"), &headers, 2).await;
        let after = seen().await;
        assert_ne!(before, after);
        for (event, (name, seen)) in events.iter().zip([("open", &before), ("change", &after)]) {
            let is_it = event.contains(&format!("event: {name}\n")) && event.contains(&format!("id: {seen}\n"));
            assert!(is_it, "{stream}: {event}");
        }
        // Whoever opens the stream again has seen what it said last, whatever its address says.
        let again = [headers[0], ("last-event-id", after.as_str())];
        let events = fixture.events(&format!("{stream}?seen={before}"), &again, 1).await;
        let is_open = events[0].contains("event: open\n") && events[0].contains(&format!("id: {after}\n"));
        assert!(is_open, "{stream}: {events:?}");
    }
}
