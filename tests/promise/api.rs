//! A program reads over HTTP what the service knows, and scrapes the scores of tenants if the configuration says so.

use serde_json::Value;

use crate::harness::{LOW, SENTINEL, SOC, World};

/// The status and the body.
async fn get(address: std::net::SocketAddr, path: &str) -> (u16, String) {
    let (status, answer) = crate::harness::get(address, path).await;
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_reads_what_fires_and_every_sample() {
    let world = World::new().await;
    let service = world.run().await;
    let address = service.listening().await;
    world.checked(&service, "contoso", 1).await;
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |arrived| arrived.len() == 1).await;
    let (status, body) = get(address, "/api/v1/alerts?state=firing").await;
    let alerts: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &alerts["items"][0]["rule"]), (200, &"device-score-low".into()), "{body}");
    let id = alerts["items"][0]["short_id"].as_str().unwrap();
    let (status, body) = get(address, &format!("/api/v1/alerts/{id}/explain")).await;
    assert!(status == 200 && body.contains("\"tenant\":\"contoso\""), "{body}");
    let (status, csv) = get(address, "/api/v1/tenants/contoso/samples.csv").await;
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!((status, lines[0]), (200, "tenant,score,subject,time,value"), "{csv}");
    assert!(lines[1].starts_with("contoso,device-secure-score,,") && lines[1].ends_with(",500"), "{csv}");
    assert!(lines.last().unwrap().ends_with(",200"), "{csv}");
    // What is exported can be replayed.
    let file = world.folder.path().join("history.csv");
    std::fs::write(&file, csv).unwrap();
    let output = world.command(&["backtest", "--csv", file.to_str().unwrap(), "--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["rules"][0]["firing"], 1, "{report}");
    let (_, metrics) = get(address, "/metrics").await;
    assert!(!metrics.contains("contoso") && metrics.contains("scorewatch_tenants 2"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scores_of_tenants_are_metrics_if_the_configuration_says_so() {
    let mut world = World::new().await;
    world.setup.top.push_str("metrics: { tenants: true }\n");
    let service = world.run().await;
    let address = service.listening().await;
    // The second check follows once what the first found is stored.
    for tenant in ["contoso", SENTINEL] {
        world.checked(&service, tenant, 2).await;
    }
    let (_, metrics) = get(address, "/metrics").await;
    for tenant in ["contoso", SENTINEL] {
        let labels = format!("{{tenant=\"{tenant}\",score=\"device-secure-score\",subject=\"\"}}");
        assert!(metrics.contains(&format!("\nscorewatch_tenant_score{labels} 500.0\n")), "{metrics}");
        assert!(metrics.contains(&format!("\nscorewatch_tenant_score_age_seconds{labels} ")), "{metrics}");
    }
}
