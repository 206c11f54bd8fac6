//! A daily record is reported once however often it is read, and a falling category by its name.

use serde_json::{Value, json};

use crate::harness::{SOC, World, entra, kinds};

/// A record that many days ago: the category `Identity` has `identity` of 200 points, `Data` has 50.
fn record(days_ago: i64, identity: f64) -> Value {
    let now = scorewatch::clock::Clock::System.now().to_chrono();
    let day = (now - chrono::Duration::days(days_ago)).format("%Y-%m-%d");
    json!({
        "id": format!("t_{day}"), "createdDateTime": format!("{day}T00:00:00Z"), "averageComparativeScores": [],
        "currentScore": identity + 50.0, "maxScore": 200.0,
        "controlScores": [
            { "controlName": "a", "controlCategory": "Identity", "score": identity, "count": "69" },
            { "controlName": "b", "controlCategory": "Data", "score": 50.0 },
        ],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_category_that_falls_with_a_late_record_is_reported_once_and_by_its_name() {
    let mut world = World::new().await;
    world.setup.top = "scores: [device-secure-score, secure-score, secure-score-category]\n".to_owned();
    world.setup.rules += "  - name: category-drop\n    score: secure-score-category\n    \
                          when: { drop: 5pts, within: 7d }\n    notify: [soc]\n";
    for tenant in &world.setup.tenants {
        world.cloud.set_records(entra(tenant), vec![record(1, 100.0), record(2, 140.0)]);
    }
    let service = world.run().await;
    world.checked(&service, "contoso", 6).await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [], "history alerts nobody");

    world.cloud.set_records(entra("contoso"), vec![record(0, 80.0), record(1, 100.0)]);
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.tenant == "contoso")).await;
    world.checked(&service, "contoso", 6).await;
    world.settle(&service, SOC).await;
    let arrived = world.accepted(SOC, "contoso");
    assert_eq!(kinds(&arrived), [("alert.firing", 1)], "one record is one sample, however often it is read");
    let score = &arrived[0].body["data"]["score"];
    assert_eq!(
        (&score["subject"], &score["value"], &score["baseline"]),
        (&json!("Identity"), &json!(40.0), &json!(50.0))
    );
    assert_eq!(score["points"], json!({ "earned": 80.0, "of": 200.0 }));
}
