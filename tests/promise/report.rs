//! A channel gets its report at each of its times, each once, also over a restart; one with an audience is notified of its own tenants alone.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Arrived, LOW, SENTINEL, SOC, World};

const CUSTOMER: &str = "customer";

fn reports(arrived: &[Arrived]) -> Vec<&Value> {
    arrived
        .iter()
        .filter(|arrived| arrived.kind == "report" && arrived.accepted && !arrived.possible_duplicate)
        .map(|arrived| &arrived.body["data"]["report"])
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_comes_at_each_of_its_times_once_and_a_customer_s_shows_no_other_tenant() {
    let mut world = World::new().await;
    let report = "report: { at: \"*/2 * * * * *\", timezone: Europe/Berlin }";
    world.setup.channels[0] =
        world.setup.channels[0].replacen("allow_private:", &format!("{report}, allow_private:"), 1);
    let url = world.receivers.add_webhook(CUSTOMER);
    world.setup.channel(CUSTOMER, &format!("type: webhook, url: \"{url}\", tenants: [contoso], {report}"));
    let service = world.run().await;
    world.checked(&service, SENTINEL, 2).await;
    world.set_score(SENTINEL, LOW);
    let fires = |arrived: &[Arrived]| reports(arrived).iter().any(|report| report["alerts"]["warning"] == 1);
    world.until(&service, SOC, fires).await;
    world.until(&service, CUSTOMER, |arrived| reports(arrived).len() >= 2).await;
    drop(service);
    let before = reports(&world.arrived(CUSTOMER)).len();
    let service = world.run().await;
    world.until(&service, CUSTOMER, |arrived| reports(arrived).len() >= before + 2).await;

    for (channel, tenants) in [(CUSTOMER, 1), (SOC, 2)] {
        let arrived = world.arrived(channel);
        let said = reports(&arrived);
        assert!(said.iter().all(|report| report["tenant_count"] == tenants), "{said:#?}");
        let times: BTreeSet<&str> = said.iter().filter_map(|report| report["until"].as_str()).collect();
        assert_eq!(times.len(), said.len(), "each once: {said:#?}");
    }
    let output = world.command(&["preview", "--report", "--channel", CUSTOMER]).await;
    let preview = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && preview.contains("\"tenant_count\": 1"), "{preview}");
    assert!(preview.contains("contoso") && !preview.contains(SENTINEL), "{preview}");
    let heard: Vec<String> = reports(&world.arrived(CUSTOMER)).iter().map(ToString::to_string).collect();
    assert!(heard.iter().all(|report| report.contains("contoso") && !report.contains(SENTINEL)), "{heard:#?}");
}
