//! A control that a customer covers otherwise does not count: its loss notifies nobody, a loss of others does, and neither the beginning
//! nor the end of an exclusion is news.

use serde_json::{Value, json};

use crate::harness::{Arrived, SOC, World, entra, kinds};

/// A day, counted from today.
fn day(days: i64) -> String {
    let now = scorewatch::clock::Clock::System.now().to_chrono();
    (now + chrono::Duration::days(days)).format("%Y-%m-%d").to_string()
}

/// A record that many days ago: what the control that may be excluded and the others earn, of 10 and 90 points.
fn record(days_ago: i64, mfa: f64, others: f64) -> Value {
    let day = day(-days_ago);
    let control = |name, score: f64| json!({ "controlName": name, "controlCategory": "Identity", "score": score });
    json!({
        "id": format!("t_{day}"), "createdDateTime": format!("{day}T00:00:00Z"), "averageComparativeScores": [],
        "currentScore": mfa + others, "maxScore": 100.0,
        "controlScores": [control("AdminMFAV2", mfa), control("Others", others)],
    })
}

/// The exclusion of the control at these tenants.
fn exclude(tenants: &str) -> String {
    format!(
        "scores: [device-secure-score, secure-score]\nexclude:\n  - controls: [AdminMFAV2]\n    tenants: [{tenants}]\n    \
         reason: Okta enforces MFA\n    until: {}\n",
        day(100)
    )
}

async fn world() -> World {
    let mut world = World::new().await;
    world.add_tenant("fabrikam");
    world.add_tenant("northwind");
    world.setup.rules += "  - name: drop\n    score: secure-score\n    when: { drop: 5pts, within: 30d }\n    fleet: off\n    notify: [soc]\n";
    let profile =
        json!({ "id": "AdminMFAV2", "title": "Require MFA for administrators", "maxScore": 10.0, "deprecated": false });
    for tenant in &world.setup.tenants {
        world.cloud.set_profiles(entra(tenant), vec![profile.clone()]);
        world.cloud.set_records(entra(tenant), vec![record(4, 10.0, 45.0), record(5, 10.0, 45.0)]);
    }
    world
}

fn of_rule(world: &World, tenant: &str) -> Vec<Arrived> {
    let arrived = world.accepted(SOC, tenant).into_iter();
    arrived.filter(|arrived| arrived.body["data"]["rule"]["name"] == "drop").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fall_of_an_excluded_control_is_not_news_and_neither_is_its_exclusion() {
    let mut world = world().await;
    world.setup.top = exclude("fabrikam, northwind");
    let service = world.run().await;
    for tenant in ["contoso", "fabrikam", "northwind"] {
        world.checked(&service, tenant, 4).await;
    }
    // The control loses its points everywhere; at one customer others lose some, too.
    for (tenant, others) in [("contoso", 45.0), ("fabrikam", 45.0), ("northwind", 36.0)] {
        world.cloud.set_records(entra(tenant), vec![record(3, 0.0, others), record(4, 10.0, 45.0)]);
    }
    for tenant in ["contoso", "northwind"] {
        world.until(&service, SOC, |arrived| arrived.iter().any(|one| one.tenant == tenant && one.accepted)).await;
    }
    world.checked(&service, "fabrikam", 4).await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&of_rule(&world, "contoso")), [("alert.firing", 1)], "without the exclusion, it fires");
    assert_eq!(kinds(&of_rule(&world, "fabrikam")), [], "with it, it does not");
    let data = &of_rule(&world, "northwind")[0].body["data"].clone();
    let score = &data["score"];
    assert_eq!((&score["baseline"], &score["value"]), (&json!(50.0), &json!(40.0)), "the rest fires alone");
    assert_eq!(score["points"], json!({ "earned": 36.0, "of": 90.0 }));
    assert_eq!(score["excluded"], excluded());
    let titles: Vec<_> = data["causes"].as_array().unwrap().iter().map(|cause| cause["title"].clone()).collect();
    assert_eq!(titles, ["Others"], "an excluded control is not a cause");

    assert_eq!(replayed(&world).await, [1, 0, 1], "a replay judges the readings as the service did");

    // The exclusion ends at one customer and begins at another, between two records and with the next one.
    world.setup.top = exclude("contoso, northwind");
    world.write();
    service.says("the changed configuration is now in force").await;
    for tenant in ["contoso", "fabrikam"] {
        world.checked(&service, tenant, 4).await;
        world.cloud.set_records(entra(tenant), vec![record(2, 0.0, 45.0), record(3, 0.0, 45.0)]);
        world.checked(&service, tenant, 4).await;
    }
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&of_rule(&world, "contoso")), [("alert.firing", 1)], "what fires goes on");
    assert_eq!(kinds(&of_rule(&world, "fabrikam")), [], "what was lost meanwhile is not lost now");

    // A loss with the change itself.
    world.setup.top = exclude("fabrikam, northwind");
    world.write();
    world.cloud.set_records(entra("fabrikam"), vec![record(1, 0.0, 36.0), record(2, 0.0, 45.0)]);
    world.until(&service, SOC, |arrived| arrived.iter().any(|one| one.tenant == "fabrikam" && one.accepted)).await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&of_rule(&world, "fabrikam")), [("alert.firing", 1)]);

    is_shown(&world).await;
    unknown_names_are_said(&mut world).await;
}

/// What messages and reports say of the exclusion.
fn excluded() -> Value {
    json!({
        "value_with_them": 36.0,
        "controls": [{ "control": "AdminMFAV2", "until": format!("{}T00:00:00Z", day(100)), "reason": "Okta enforces MFA" }],
    })
}

/// How often the rule would have fired for each tenant.
async fn replayed(world: &World) -> [u64; 3] {
    let output = world.command(&["backtest", "--rule", "drop", "--since", "30d", "--json"]).await;
    let replayed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let firing = |tenant: &str| {
        let lines = replayed["tenants"].as_array().unwrap().iter();
        lines.filter(|line| line["of"] == tenant).map(|line| line["firing"].as_u64().unwrap()).sum::<u64>()
    };
    ["contoso", "fabrikam", "northwind"].map(firing)
}

/// People see the exclusion wherever they look.
async fn is_shown(world: &World) {
    let output = world.command(&["explain", "northwind", "drop"]).await;
    let explained = String::from_utf8_lossy(&output.stdout);
    let sentence = format!("1 control is excluded until {}: Okta enforces MFA (`AdminMFAV2`)", day(100));
    assert!(explained.contains(&sentence), "{explained}");
    let output = world.command(&["report", "--tenant", "northwind", "--json"]).await;
    let month: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(month["excluded"], excluded()["controls"], "{month:#}");
    let is_named = |list: &Value| list.to_string().contains("Require MFA for administrators");
    assert!(!is_named(&month["actions"]) && !is_named(&month["controls"]), "{month:#}");
}

/// A name that no record has: what was probably meant.
async fn unknown_names_are_said(world: &mut World) {
    world.setup.top = exclude("northwind").replace("AdminMFAV2", "AdminMFAV3");
    world.write();
    for arguments in [&["check", "--against-state"][..], &["check", "--online"]] {
        let output = world.command(arguments).await;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(said.contains("`AdminMFAV3` is not in the newest record: did you mean `AdminMFAV2`?"), "{said}");
    }
}
