//! Rules are trusted before they run: their tests say what they send, and a replay of the past what they would have sent.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::harness::{LOW, SOC, World};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A test that passes and one that fails, of the rule that every world has.
const TESTS: &str = "rules: [rules/rules.yaml]\ntests:\n  - name: a fall is reported\n    tenants: [{ id: contoso, series: \"400 200 400\" }]\n    \
    expect:\n      - { at: 15m, type: alert.firing, rule: device-score-low, text: is 200 }\n      - { at: 30m, type: alert.resolved }\n  \
    - name: a fall <is> \"reported\" & late\n    tenants: [{ id: contoso, series: \"400 200\" }]\n    \
    expect: [{ at: 30m, rule: device-score-low, channel: soc }]\n";

fn said(output: &std::process::Output, world: &World) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    said.replace(&world.folder.path().display().to_string(), "FOLDER")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rule_pack_passes_its_tests() {
    let world = World::new().await;
    let folder = Path::new(ROOT).join("rules/tests");
    let files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        let output = world.command(&["test", &file.display().to_string()]).await;
        assert_eq!(output.status.code(), Some(0), "{}", said(&output, &world));
    }
}

/// The code block of that language that follows the text.
fn block<'a>(text: &'a str, after: &str) -> &'a str {
    let rest = text.split_once(after).unwrap_or_else(|| panic!("{after} is not in the README")).1;
    rest.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readme_s_tests_pass() {
    let world = World::new().await;
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    world.folder.write("rules.yaml", block(&readme, "\nand `rules.yaml`"));
    world.folder.write("tests.yaml", block(&readme, "### Trusting a rule before it runs"));
    let output = world.command(&["test", &world.folder.path().join("tests.yaml").display().to_string()]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output, &world));
    assert!(said(&output, &world).contains("2 passed, 0 failed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_that_fails_shows_what_was_expected_and_what_was_sent() {
    let world = World::new().await;
    world.write();
    world.folder.write("tests.yaml", TESTS);
    let (file, report) = (world.folder.path().join("tests.yaml"), world.folder.path().join("report.xml"));
    let (file, report) = (file.display().to_string(), report.display().to_string());
    let output = world.command(&["test", &file, "--junit", &report]).await;
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(said(&output, &world));
    let xml = std::fs::read_to_string(&report).unwrap().replace(&world.folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(xml);

    let output = world.command(&["test", &file, "--filter", "a fall is", "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output, &world));
    let verdicts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdicts[0]["passed"], true);
    assert_eq!(verdicts[0]["sent"][0]["about"][0]["rule"], "device-score-low");

    world.folder.write("tests.yaml", &TESTS.replace("400 200 400", "400 two").replace("expect:\n", "expected:\n"));
    let output = world.command(&["test", &file]).await;
    assert_eq!(output.status.code(), Some(2));
    let said = said(&output, &world);
    assert!(
        said.contains("tests.yaml:4:")
            && said.contains("`two` is not a reading")
            && said.contains("did you mean `expect`"),
        "{said}"
    );
    for arguments in [&["test"][..], &["test", &file, "--filter", "no such test"], &["test", "nowhere.yaml"]] {
        assert_eq!(world.command(arguments).await.status.code(), Some(2), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backtest_says_what_would_have_been_sent() {
    let world = World::new().await;
    world.write();
    let mut csv = "tenant,score,time,value\n".to_owned();
    for (day, value) in [(1, 400), (2, 290), (3, 310), (4, 280), (5, 320), (9, 250), (10, 400)] {
        // Writing to a `String` can't fail.
        let _ = writeln!(csv, "contoso,device-secure-score,2026-01-{day:02}T00:00:00Z,{value}");
    }
    csv += "stranger,device-secure-score,2026-01-02T00:00:00Z,100\n";
    world.folder.write("history.csv", &csv);
    let file = world.folder.path().join("history.csv").display().to_string();
    let output = world.command(&["backtest", "--csv", &file, "--since", "2026-01-01T00:00:00Z"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output, &world));
    insta::assert_snapshot!(said(&output, &world));
    let output = world
        .command(&[
            "backtest",
            "--csv",
            &file,
            "--since",
            "2026-01-01T00:00:00Z",
            "--tenant",
            "contoso",
            "--suggest",
            "1/week",
        ])
        .await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output, &world));
    insta::assert_snapshot!(said(&output, &world));

    world.folder.write(
        "new.yaml",
        "rules:\n  - name: new\n    score: device-secure-score\n    when: { below: 260 }\n    notify: [yet-to-come]\n",
    );
    let rules = world.folder.path().join("new.yaml").display().to_string();
    let output = world.command(&["backtest", "--csv", &file, "--rules", &rules, "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output, &world));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["channels"][0]["channel"], &report["channels"][0]["messages"]),
        (&"yet-to-come".into(), &3.into())
    );
    world.folder.write("bad.csv", "tenant,score,time,value\ncontoso,device-secure-score,monday,1\n");
    let bad = world.folder.path().join("bad.csv").display().to_string();
    for (arguments, arrived) in [
        (&["backtest", "--csv", &bad][..], "bad.csv:2: expected a time"),
        (&["backtest", "--csv", &file, "--rule", "nobody"], "there is no rule `nobody`"),
        (&["backtest", "--csv", &file, "--since", "ever"], "`ever` is not a time"),
        (&["backtest", "--tenant", "nobody"], "there is no tenant `nobody`"),
        (&["backtest", "--suggest", "3"], "3/week"),
    ] {
        let output = world.command(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said(&output, &world).contains(arrived), "{}", said(&output, &world));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backtest_beside_the_service_gives_the_notifications_that_the_service_sent() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.kind == "alert.firing")).await;
    world.checked(&service, "contoso", 2).await;
    let output = world.command(&["backtest", "--tenant", "contoso", "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output, &world));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["tenants"][0]["of"], &report["tenants"][0]["firing"]), (&"contoso".into(), &1.into()));
    assert_eq!((&report["channels"][0]["channel"], &report["channels"][0]["messages"]), (&SOC.into(), &1.into()));
    assert!(report["readings"].as_u64().unwrap() >= 4);
}
