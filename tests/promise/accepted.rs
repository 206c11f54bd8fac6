//! A person accepts alerts together: all that a shift's notice covered, or all that filters pick, and nothing else.

use serde_json::Value;

use crate::harness::{Arrived, LOW, SOC, Service, World};

/// Fall with `contoso`, and have the label `tier: gold`.
const GOLD: [&str; 2] = ["fabrikam", "tailspin"];

/// Three of four tenants have fallen, by a `drop` and by a `below`, and one notice says so. Gives the shift.
async fn fallen() -> (World, Service, String) {
    let mut world = World::new().await;
    for tenant in GOLD {
        world.add_tenant(tenant);
        let file = format!("tenants/{tenant}.yaml");
        let yaml = std::fs::read_to_string(world.folder.path().join(&file)).unwrap();
        world.folder.write(&file, &format!("{yaml}labels: {{ tier: gold }}\n"));
    }
    // Long enough for a slow machine to have read everybody.
    world.setup.top.push_str("fleet: { hold: 3s, at_least: 3 }\n");
    world.setup.rules +=
        "  - name: fall\n    score: device-secure-score\n    when: { drop: 10%, within: 24h }\n    notify: [soc]\n";
    let service = world.run().await;
    world.all_checked(&service, 2).await;
    world.checked(&service, "tailspin", 2).await;
    for tenant in ["contoso", "fabrikam", "tailspin"] {
        world.set_score(tenant, LOW);
    }
    let shift_of = |arrived: &[Arrived]| {
        let notice = arrived.iter().find(|arrived| arrived.accepted && arrived.kind == "fleet.shift")?;
        notice.body["data"]["fleet"]["id"].as_str().map(str::to_owned)
    };
    world.until(&service, SOC, |arrived| shift_of(arrived).is_some()).await;
    let shift = shift_of(&world.arrived(SOC)).unwrap();
    let covered = async {
        loop {
            let firing = world.listing(&["alerts", "list", "--json"]).await;
            if firing.iter().filter(|alert| alert["shift"] == shift.as_str()).count() == 6 {
                return;
            }
            world.checked(&service, "contoso", 1).await;
        }
    };
    world.patiently(&service, "six alerts of the shift", covered).await;
    (world, service, shift)
}

/// The rule and tenant of each alert, in order.
fn names(rows: &[Value]) -> Vec<String> {
    let key = |row: &Value| {
        let key = if row["key"].is_object() { &row["key"] } else { row };
        format!("{} of {}", key["rule"].as_str().unwrap(), key["tenant"].as_str().unwrap())
    };
    let mut names: Vec<String> = rows.iter().map(key).collect();
    names.sort();
    names
}

async fn accept(world: &World, filters: &[&str]) -> String {
    let output = world.command(&[&["alerts", "accept"], filters].concat()).await;
    assert!(output.status.success(), "{filters:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_filter_accepts_what_it_picks_and_no_floor() {
    let (world, service, shift) = fallen().await;
    let listed = async || names(&world.listing(&["alerts", "list", "--json"]).await);
    let all = listed().await;

    let dry = ["alerts", "accept", "--shift", &shift, "--dry-run", "--json"];
    assert_eq!(names(&world.listing(&dry).await), ["fall of contoso", "fall of fabrikam", "fall of tailspin"]);
    let dry = ["alerts", "accept", "--shift", &shift, "--label", "tier=gold", "--dry-run", "--json"];
    assert_eq!(names(&world.listing(&dry).await), ["fall of fabrikam", "fall of tailspin"]);
    assert_eq!(listed().await, all, "nothing was changed");

    let floors = |count: &str| format!("not changed: {count} of `below`, `above` or `no_data` rules");
    let said = accept(&world, &["--shift", &shift, "--tenant", "tailspin"]).await;
    assert!(said.contains("accepted: `fall` for `tailspin`\naccepted: 1 alert\n"), "{said}");
    assert!(said.contains(&floors("1 alert")), "{said}");
    let said = accept(&world, &["--label", "tier=gold"]).await;
    assert!(said.contains("accepted: `fall` for `fabrikam`\naccepted: 1 alert\n"), "{said}");
    assert!(said.contains(&floors("2 alerts")), "{said}");
    let said = accept(&world, &["--rule", "fall", "--score", "device-secure-score"]).await;
    assert_eq!(said, "accepted: `fall` for `contoso`\naccepted: 1 alert\n");
    let said = accept(&world, &["--score", "device-secure-score"]).await;
    assert!(said.starts_with("accepted: 0 alerts\n") && said.contains(&floors("3 alerts")), "{said}");

    let floors_left = ["contoso", "fabrikam", "tailspin"].map(|tenant| format!("device-score-low of {tenant}"));
    assert_eq!(listed().await, floors_left);
    world.checked(&service, "contoso", 3).await;
    assert_eq!(listed().await, floors_left, "the new level is where a fall is measured from");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_that_pick_nothing_or_mean_nothing_change_nothing_and_say_why() {
    let (world, _service, shift) = fallen().await;
    for (filters, arrived) in [
        (&[][..], "no alerts are selected"),
        (&["--shift", "no-such-shift"], "`no-such-shift` is not an id"),
        (&["--rule", "no-such-rule"], "no firing alert matches"),
        (&["--score", "secure-score"], "no firing alert matches"),
        (&["--tenant", "sentinel"], "no firing alert matches"),
        (&["--shift", &shift, "--label", "tier=silver"], "no firing alert matches"),
        (&["--shift", &shift, "--tenant", "contoso", "--label", "tier=gold"], "no firing alert matches"),
        (&["--score", "best-score"], "unknown score; use one of device-secure-score"),
        (&["--label", "gold"], "expected `KEY=VALUE`"),
        (&["contoso", "fall", "--rule", "fall"], "cannot be used with"),
    ] {
        let output = world.command(&[&["alerts", "accept"], filters].concat()).await;
        assert_eq!(output.status.code(), Some(2), "{filters:?}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(arrived), "{filters:?}: {said}");
    }
    assert_eq!(world.listing(&["alerts", "list", "--json"]).await.len(), 6);
}
