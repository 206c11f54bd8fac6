//! A silence beside the running service: nothing is sent while it is in force, nothing is lost, and nobody is notified of what was over.

use crate::harness::{HIGH, LOW, SOC, Service, World, kinds};

async fn say(world: &World, arguments: &[&str]) -> String {
    let output = world.command(arguments).await;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Moves the score of `contoso` and waits until that was judged.
async fn turn(world: &World, service: &Service, score: f64) {
    world.set_score("contoso", score);
    world.checked(service, "contoso", 2).await;
}

async fn states(world: &World) -> Vec<String> {
    let rows = world.listing(&["deliveries", "list", "--json", "--tenant", "contoso"]).await;
    rows.iter().rev().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_suppresses_and_what_still_holds_is_sent_at_its_end() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    let add = ["silences", "add", "--tenant", "contoso", "--for", "1h", "--comment", "patching", "--author", "ann"];
    let said = say(&world, &add).await;
    assert!(said.starts_with("silence 1: tenant contoso, until "), "{said}");
    assert!(said.contains("it covers no firing alert"), "{said}");

    for score in [LOW, HIGH, LOW] {
        turn(&world, &service, score).await;
    }
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [], "others are reported, this tenant is not");
    assert_eq!(states(&world).await, ["held", "held", "held"]);
    let listed = world.listing(&["silences", "list", "--json"]).await;
    assert_eq!(
        (listed[0]["author"].as_str(), listed[0]["matchers"]["tenants"][0].as_str()),
        (Some("ann"), Some("contoso"))
    );
    assert!(say(&world, &["silences", "show", "1"]).await.contains("device-score-low"));

    assert!(service.stop().await.success());
    let service = world.run().await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [], "a restart sends nothing");

    say(&world, &["silences", "end", "1"]).await;
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.tenant == "contoso")).await;
    world.settle(&service, SOC).await;
    let arrived = world.accepted(SOC, "contoso");
    assert_eq!(kinds(&arrived), [("alert.firing", 1)], "of the second firing, once, and of the first nothing");
    assert_eq!(states(&world).await, ["suppressed", "suppressed", "delivered"]);

    say(&world, &["alerts", "acknowledge", "contoso", "device-score-low", "--comment", "seen", "--author", "ann"])
        .await;
    let rows = world.listing(&["alerts", "list", "--tenant", "contoso", "--json"]).await;
    assert_eq!(rows[0]["acknowledged"]["by"], "ann");
    say(&world, &add).await;
    turn(&world, &service, HIGH).await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")).len(), 1);
    say(&world, &["silences", "end", "2"]).await;
    world
        .until(&service, SOC, |arrived| {
            arrived.iter().any(|arrived| arrived.tenant == "contoso" && arrived.kind == "alert.resolved")
        })
        .await;
    let again = world.command(&["silences", "end", "2"]).await;
    assert_eq!(again.status.code(), Some(2), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_maintenance_window_suppresses_until_it_is_taken_out() {
    let mut world = World::new().await;
    world.setup.top.push_str(
        "maintenance:\n  - { name: freeze, tenants: [contoso], from: \"0 0 0 1 1 *\", until: \"59 59 23 31 12 *\" }\n",
    );
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    turn(&world, &service, LOW).await;
    world.settle(&service, SOC).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), []);
    world.setup.top.clear();
    world.write();
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.tenant == "contoso")).await;
    assert_eq!(kinds(&world.accepted(SOC, "contoso")), [("alert.firing", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_that_makes_no_sense_is_refused_with_all_that_is_wrong() {
    let world = World::new().await;
    world.write();
    let add =
        |more: &'static [&'static str]| [&["silences", "add", "--author", "ann", "--comment", "x"], more].concat();
    for (more, arrived) in [
        (&["--for", "1h"][..], &["no matchers given"][..]),
        (&["--all", "--tenant", "contoso", "--for", "1h"], &["`--all` covers everything"]),
        (&["--tenant", "contoso"], &["--for"]),
        (
            &[
                "--tenant",
                "fabrikam",
                "--rule",
                "none",
                "--score",
                "x",
                "--severity",
                "bad",
                "--label",
                "y",
                "--for",
                "z",
            ],
            &[
                "tenant `fabrikam`",
                "rule `none`",
                "score `x`",
                "severity `bad`",
                "`y` is not a label",
                "`z` is not a duration",
            ],
        ),
        (&["--all", "--until", "2020-01-01T00:00:00Z"], &["it ends (2020-01-01 00:00:00 UTC) before it begins"]),
    ] {
        let output = world.command(&add(more)).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{more:?}: {error}");
        assert!(arrived.iter().all(|arrived| error.contains(arrived)), "{more:?}: {error}");
    }
}
