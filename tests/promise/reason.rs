//! An alert says what regressed, as far as the numbers show it: the tenant's controls, or Microsoft's ruler; for Defender's scores
//! the likely contributors, or the role that would name them.

use serde_json::{Value, json};

use crate::harness::{Arrived, SOC, World, entra, kinds};

/// A record that many days ago with these controls: name, points.
fn record(days_ago: i64, maximum: f64, average: f64, controls: &[(&str, f64)]) -> Value {
    let now = scorewatch::clock::Clock::System.now().to_chrono();
    let day = (now - chrono::Duration::days(days_ago)).format("%Y-%m-%d");
    let control = |(name, score): &(&str, f64)| json!({ "controlName": name, "controlCategory": "Identity", "score": score, "count": "50", "total": "69" });
    json!({
        "id": format!("t_{day}"), "createdDateTime": format!("{day}T00:00:00Z"), "enabledServices": ["HasEXOP2"],
        "averageComparativeScores": [{ "basis": "AllTenants", "averageScore": average }],
        "currentScore": controls.iter().map(|(_, score)| score).sum::<f64>(), "maxScore": maximum,
        "controlScores": controls.iter().map(control).collect::<Vec<_>>(),
    })
}

fn profile(id: &str, title: &str, maximum: f64) -> Value {
    json!({
        "id": id, "title": title, "maxScore": maximum, "actionUrl": format!("https://entra.example/{id}"),
        "deprecated": false, "lastModifiedDateTime": null, "controlStateUpdates": [{ "state": null, "updatedDateTime": null }],
    })
}

/// Reads what `scorewatch report` says of a tenant.
async fn month_of(world: &World, arguments: &[&str]) -> Value {
    let output = world.command(&[&["report", "--tenant", "contoso", "--json"], arguments].concat()).await;
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn message_of(world: &World, tenant: &str) -> Arrived {
    let mut arrived = world.accepted(SOC, tenant);
    assert_eq!(kinds(&arrived), [("alert.firing", 1)]);
    arrived.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_falling_secure_score_is_distinguished_from_a_changed_maximum() {
    let mut world = World::new().await;
    world.add_tenant("fabrikam");
    world.setup.top = "scores: [device-secure-score, secure-score]\n".to_owned();
    world.setup.rules +=
        "  - name: drop\n    score: secure-score\n    when: { drop: 5pts, within: 7d }\n    notify: [soc]\n";
    let before = &[("mfa", 60.0), ("legacy", 20.0)];
    for tenant in &world.setup.tenants {
        world.cloud.set_records(entra(tenant), vec![record(1, 100.0, 47.5, before)]);
        let profiles =
            vec![profile("mfa", "Require MFA for everybody", 60.0), profile("new", "Turn on the new thing", 10.0)];
        world.cloud.set_profiles(entra(tenant), profiles);
    }
    let service = world.run().await;
    for tenant in ["contoso", "fabrikam"] {
        world.checked(&service, tenant, 2).await;
    }
    let yesterday = record(1, 100.0, 47.5, before);
    let lost = record(0, 100.0, 47.5, &[("mfa", 50.0), ("legacy", 20.0)]);
    world.cloud.set_records(entra("contoso"), vec![lost, yesterday.clone()]);
    let wider = record(0, 110.0, 43.0, &[("mfa", 60.0), ("legacy", 20.0), ("new", 0.0)]);
    world.cloud.set_records(entra("fabrikam"), vec![wider, yesterday]);
    for tenant in ["contoso", "fabrikam"] {
        world
            .until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.tenant == tenant && arrived.accepted))
            .await;
    }
    let contoso = message_of(&world, "contoso");
    let data = &contoso.body["data"];
    assert_eq!(data["breakdown"]["changed_by"], "tenant", "{data:#}");
    assert!(data["explanation"].as_str().unwrap().ends_with(": 1 control of the tenant lost 10 points."), "{data:#}");
    let cause = &data["causes"][0];
    assert_eq!(
        *cause,
        json!({
            "kind": "lost", "title": "Require MFA for everybody", "category": "Identity", "points": 10.0,
            "counts": { "count": 50, "total": 69 }, "link": "https://entra.example/mfa",
        })
    );
    assert_eq!(data["score"]["comparison"], json!({ "before": 47.5, "after": 47.5 }));

    let fabrikam = message_of(&world, "fabrikam");
    let data = &fabrikam.body["data"];
    assert_eq!(data["breakdown"]["changed_by"], "microsoft", "{data:#}");
    let said = data["explanation"].as_str().unwrap();
    assert!(
        said.ends_with(": Microsoft added 1 control worth 10 points; no control of the tenant lost points."),
        "{said}"
    );
    assert_eq!(
        (&data["causes"][0]["kind"], &data["causes"][0]["title"]),
        (&json!("added"), &json!("Turn on the new thing"))
    );
    assert_eq!(data["score"]["comparison"], json!({ "before": 47.5, "after": 43.0 }));
    let asked = world.cloud.tenant_counts(entra("contoso")).guidance_requests;
    assert_eq!(asked, 1, "profiles are asked for when an alert fires, and not at each check");

    // The customer's month says the same, whoever asks for it next to the service.
    let month = month_of(&world, &[]).await;
    let lost = &month["controls"]["lost"][0];
    assert_eq!((&month["controls"]["state"], &lost["title"]), (&json!("known"), &json!("Require MFA for everybody")));
    assert_eq!((&lost["points"], &month["controls"]["changed_by"]), (&json!(-10.0), &json!("tenant")), "{month:#}");
    let best = &month["actions"][0];
    assert_eq!((&best["title"], &best["points"]), (&json!("Require MFA for everybody"), &json!(10.0)), "{month:#}");
    let alert = &month["alerts"][0];
    assert_eq!((&alert["rule"], &alert["score"]), (&json!("drop"), &json!("secure-score")), "{month:#}");
    let score = month["scores"].as_array().unwrap().iter().find(|score| score["score"] == "secure-score").unwrap();
    assert_eq!((&score["value"], &score["is_better"]), (&json!(70.0), &json!(false)), "{month:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_score_that_falls_comes_with_likely_contributors_or_with_the_role_that_would_name_them() {
    let mut world = World::new().await;
    world.add_tenant("fabrikam");
    world.cloud.set_roles(entra("fabrikam"), &["Score.Read.All", "SecurityRecommendation.Read.All"]);
    let recommendation = |id: &str, impact: f64, exposed: u32| {
        json!({
            "id": id, "recommendationName": format!("Do {id}"), "recommendationCategory": "OS",
            "remediationType": "ConfigurationChange", "configScoreImpact": impact, "exposureImpact": 0.1,
            "exposedMachinesCount": exposed, "totalMachineCount": 40, "status": "Active",
        })
    };
    let software = json!({ "id": "va-_-x", "recommendationName": "Update x", "remediationType": "Update", "configScoreImpact": 0 });
    let first = vec![recommendation("sca-_-a", 2.0, 3), recommendation("sca-_-b", 9.0, 12), software.clone()];
    world.cloud.set_recommendations(entra("fabrikam"), first);
    let service = world.run().await;
    for tenant in ["contoso", "fabrikam"] {
        world.checked(&service, tenant, 2).await;
        world.set_score(tenant, 200.0);
        world
            .until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.tenant == tenant && arrived.accepted))
            .await;
    }
    let contoso = message_of(&world, "contoso");
    let data = &contoso.body["data"];
    let said = data["explanation"].as_str().unwrap();
    assert!(said.contains("grant the app role `SecurityRecommendation.Read.All`"), "{said}");
    assert_eq!(data["causes"], json!([]));

    let fabrikam = message_of(&world, "fabrikam");
    let data = &fabrikam.body["data"];
    let said = data["explanation"].as_str().unwrap();
    assert!(said.starts_with("There is no earlier list of recommendations to compare with"), "{said}");
    let causes = &data["causes"];
    assert_eq!(
        (&causes[0]["title"], &causes[0]["points"], &causes[1]["title"]),
        (&json!("Do sca-_-b"), &json!(9.0), &json!("Do sca-_-a"))
    );
    assert_eq!((&causes[0]["kind"], &causes[0]["counts"]), (&json!("likely"), &json!({ "count": 12, "total": 40 })));

    // The next alert knows what changed since.
    world.set_score("fabrikam", 500.0);
    world
        .until(&service, SOC, |arrived| arrived.iter().filter(|arrived| arrived.tenant == "fabrikam").count() == 2)
        .await;
    let second = vec![recommendation("sca-_-a", 2.0, 8), recommendation("sca-_-b", 9.0, 12), software];
    world.cloud.set_recommendations(entra("fabrikam"), second);
    world.set_score("fabrikam", 200.0);
    world
        .until(&service, SOC, |arrived| arrived.iter().filter(|arrived| arrived.tenant == "fabrikam").count() == 3)
        .await;
    let arrived = world.accepted(SOC, "fabrikam");
    let data = &arrived[2].body["data"];
    assert_eq!(data["causes"].as_array().unwrap().len(), 1, "{data:#}");
    assert_eq!(data["causes"][0]["detail"], "5 devices more exposed than before");
    assert_eq!(world.cloud.tenant_counts(entra("fabrikam")).guidance_requests, 2, "asked for when an alert fires only");
}
