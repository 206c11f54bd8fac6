//! Beside the running service, a person can ask why an alert fires or does not, who can see what, and what a change would do.

use scorewatch::simulation::cloud::{EntraRefusal, SignIn};
use serde_json::Value;

use crate::harness::{LOW, OPS, SOC, World, entra};

async fn said(world: &World, arguments: &[&str]) -> String {
    let output = world.command(arguments).await;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

async fn json(world: &World, arguments: &[&str]) -> Value {
    serde_json::from_str(&said(world, arguments).await).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_an_alert_fires_or_not_is_explained_with_its_readings_and_messages() {
    let mut world = World::new().await;
    let extra = "  - name: drop\n    score: device-secure-score\n    when: { drop: 50%, within: 24h }\n    for: 1h\n    \
                 about: A sudden fall.\n    runbook: https://wiki.example/drop\n    notify: [soc]\n  - name: gold\n    \
                 score: device-secure-score\n    tenants: { tier: gold }\n    when: { below: 1 }\n    notify: [soc]\n";
    world.setup.rules.push_str(extra);
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.settle(&service, SOC).await;
    let quiet = said(&world, &["explain", "contoso", "device-score-low"]).await;
    assert!(quiet.contains("500 against 300: does not hold, 200 points to go"), "{quiet}");
    assert!(quiet.contains("=> it does not fire") && quiet.contains("it has never fired"), "{quiet}");

    world.set_score("contoso", LOW);
    world.settle(&service, SOC).await;
    world.quiet(&service).await;
    let firing = said(&world, &["explain", "contoso", "device-score-low"]).await;
    for part in [
        "Definition: below 300, of device-secure-score, warning",
        "device-secure-score: firing since",
        "200  -300",
        "200 against 300: holds, by 100 points",
        "resolves: at least 300; 100 points to go",
        "=> it keeps firing; there is nothing new to report",
        "alert.firing",
        "to soc: delivered",
        "Notified channels: soc",
    ] {
        assert!(firing.contains(part), "{part:?} is not in\n{firing}");
    }

    assert!(firing.trim_end().ends_with("=> it keeps firing; there is nothing new to report"), "{firing}");
    let whole = said(&world, &["explain", "contoso", "device-score-low", "-v"]).await;
    assert!(whole.contains("attempt 1 at"), "{whole}");

    let pending = said(&world, &["explain", "contoso", "drop"]).await;
    for part in [
        "A sudden fall.",
        "pending since",
        "300 points (60%) lost, 250 needed: holds",
        "the best of",
        "for: has held for",
        "=> it is pending until `for` has passed",
        "What to do: https://wiki.example/drop",
    ] {
        assert!(pending.contains(part), "{part:?} is not in\n{pending}");
    }
    let other = said(&world, &["explain", "contoso", "gold"]).await;
    assert!(
        other.contains("the rule is for tenants with `tier: gold`, but this tenant has no label `tier`"),
        "{other}"
    );

    let trace = json(&world, &["explain", "contoso", "device-score-low", "--json"]).await;
    let series = &trace["series"][0];
    assert_eq!(
        (&series["alert"]["state"]["state"], &series["explanation"]["verdict"]),
        (&"firing".into(), &"goes-on".into())
    );
    assert_eq!(series["messages"][0]["attempts"][0]["outcome"], "delivered");
    assert_eq!(world.command(&["explain", "contoso", "nothing"]).await.status.code(), Some(2));
    drop(service);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whether_an_unreadable_tenant_is_reported_is_explained_with_the_reason() {
    let mut world = World::with_cloud(|settings| settings.token_life = std::time::Duration::from_secs(2)).await;
    world.setup.blind_after = "3s";
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    let command = ["explain", "contoso", "operator.blind"];
    let readable = said(&world, &command).await;
    assert!(readable.contains("=> it is not reported: its last check succeeded (2"), "{readable}");
    assert!(
        readable.contains("Definition: no data for 3s") && readable.contains("Notified channels: ops"),
        "{readable}"
    );

    world.cloud.set_sign_in(entra("contoso"), Some(SignIn::Refuse(EntraRefusal::SecretExpired)));
    world.until(&service, OPS, |reported| reported.iter().any(|reported| reported.accepted)).await;
    world.quiet(&service).await;
    let reported = said(&world, &command).await;
    for part in [
        "Checks have been failing since",
        "(secret-expired)",
        "=> it is reported on its own, to `ops`",
        "operator.blind",
        "delivered",
    ] {
        assert!(reported.contains(part), "{part:?} is not in\n{reported}");
    }
    let trace = json(&world, &["explain", "contoso", "operator.blind", "--json"]).await;
    assert_eq!(
        (&trace["reported"], &trace["stage"], &trace["notified_channels"][0]),
        (&true.into(), &"reported".into(), &OPS.into())
    );
    assert_eq!(trace["messages"][0]["attempts"][0]["outcome"], "delivered");
    let refused = world.command(&["explain", "contoso", "operator.blind", "--subject", "x"]).await;
    assert_eq!(refused.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_effects_of_a_changed_configuration_are_shown_before_it_is_loaded() {
    let mut world = World::new().await;
    let hidden = world.receivers.add_webhook("own");
    world
        .setup
        .channels
        .push(format!("own: {{ type: webhook, url: \"{hidden}\", allow_private: true, tenants: [contoso] }}"));
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    world.settle(&service, SOC).await;
    world.quiet(&service).await;
    assert_eq!(said(&world, &["check", "--against-state"]).await, "nothing changes\n");
    assert!(service.stop().await.success());
    let before = world.listing(&["alerts", "list", "--all", "--json"]).await;

    for (rules, audience, expected) in [
        ("when: { below: 150 }", "[contoso]", ("closes", "recovered")),
        ("when: { below: 150 }\n    recover: { above: 190 }", "[contoso]", ("closes", "recovered")),
        ("when: { below: 300 }\n    tenants: { tier: gold }", "[contoso]", ("closes", "rule-removed")),
        ("when: { below: 300 }\n    for: 1h", "[contoso]", ("stays", "")),
        (
            "when: { below: 301 }\n    notify: [soc]\n  - name: second\n    score: device-secure-score\n    when: { below: 250 }",
            "[contoso]",
            ("opens", ""),
        ),
    ] {
        let name = "scorewatch.yaml";
        let folder = world.folder.path();
        let main = std::fs::read_to_string(folder.join(name)).unwrap();
        world.folder.write("old.yaml", &main.replace("rules/*.yaml", "old-rules.yaml"));
        world.folder.write("old-rules.yaml", &world.setup.rules);
        world.folder.write("new.yaml", &main.replace("rules/*.yaml", "new-rules.yaml").replace("[contoso]", audience));
        world.folder.write("new-rules.yaml", &world.setup.rules.replace("when: { below: 300 }", rules));
        let path = |file: &str| folder.join(file).display().to_string();
        let found = json(&world, &["check", "--against-state", "--json", "--config", &path("new.yaml")]).await;
        let lines = found.as_array().unwrap();
        let (what, reason) = expected;
        let fits = |line: &Value| {
            line["what"] == what && (reason.is_empty() || line["reason"] == reason || line["reason"] == "rule-changed")
        };
        assert!(lines.iter().any(fits), "{rules}: {found:#}");
        let difference = json(&world, &["diff", &path("old.yaml"), &path("new.yaml"), "--json"]).await;
        assert!(difference["rules"]["changed"]["device-score-low"].is_object(), "{difference:#}");
        assert_eq!(difference["alerts"].as_array().unwrap().iter().any(fits), what != "stays", "{difference:#}");
    }
    assert_eq!(world.listing(&["alerts", "list", "--all", "--json"]).await, before, "nothing is written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sees_whom_is_listed_and_a_widened_audience_comes_first() {
    let mut world = World::new().await;
    let url = world.receivers.add_webhook("own");
    world
        .setup
        .channels
        .push(format!("own: {{ type: webhook, url: \"{url}\", allow_private: true, tenants: [contoso] }}"));
    world.write();
    let sights = json(&world, &["who-sees", "--json"]).await;
    let of = |name: &str| sights.as_array().unwrap().iter().find(|line| line["channel"] == name).unwrap().clone();
    assert_eq!(
        (of("own")["may_show"].clone(), of("own")["open"].clone()),
        (serde_json::json!(["contoso"]), false.into())
    );
    assert_eq!(of(SOC)["rules"]["device-score-low"], serde_json::json!(["contoso", "sentinel"]));
    assert_eq!((of(OPS)["operator"].clone(), of(OPS)["open"].clone()), (true.into(), true.into()));
    let of_sentinel = said(&world, &["who-sees", "--tenant", "sentinel"]).await;
    assert!(of_sentinel.contains("soc") && !of_sentinel.contains("own"), "{of_sentinel}");

    let folder = world.folder.path();
    let main = std::fs::read_to_string(folder.join("scorewatch.yaml")).unwrap();
    world.folder.write("new.yaml", &main.replace("tenants: [contoso]", "tenants: [contoso, sentinel]"));
    let path = |file: &str| folder.join(file).display().to_string();
    let difference = said(&world, &["diff", &path("scorewatch.yaml"), &path("new.yaml")]).await;
    assert!(difference.starts_with("! channel own can now see: sentinel\n"), "{difference}");
    let same = said(&world, &["diff", &path("new.yaml"), &path("new.yaml")]).await;
    assert!(same.starts_with("no differences\n"), "{same}");
}
