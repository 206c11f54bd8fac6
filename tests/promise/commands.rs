//! What a person asks beside the running service: without its secrets, by short ids, and answered so that it can be read at 3 a.m.

use std::{fmt::Write, time::Duration};

use scorewatch::{
    domain::Timestamp,
    simulation::cloud::{EntraRefusal, SignIn},
};

use crate::harness::{LOW, SOC, Service, World, entra};

async fn said(world: &World, arguments: &[&str]) -> String {
    let output = world.command(arguments).await;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A world as under systemd: secrets are credentials of the service, and nobody else has them.
async fn under_systemd() -> (World, Service) {
    let mut world = World::new().await;
    for tenant in world.setup.tenants.clone() {
        let file = format!("tenants/{tenant}.yaml");
        let text = std::fs::read_to_string(world.folder.path().join(&file)).unwrap();
        let text = text.replace(&format!("file: ../secrets/{tenant}"), &format!("credential: {tenant}"));
        world.folder.write(&file, &text);
    }
    let url = world.receivers.add_slack("chat");
    world.folder.write("secrets/chat", &url);
    world.setup.channel("chat", "type: slack, url: { credential: chat }");
    world.write();
    let credentials = world.folder.path().join("secrets");
    let environment = [("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())];
    let service = Service::spawn(&world.folder.config(), &environment);
    service.listening().await;
    (world, service)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_not_known_is_met_with_the_one_that_was_probably_meant() {
    let world = World::new().await;
    world.write();
    world.command(&["once"]).await;
    let unknown = [
        (
            &["preview", "--rule", "device-score-lwo", "--channel", SOC][..],
            "there is no rule `device-score-lwo`; did you mean `device-score-low`?",
        ),
        (&["channels", "unpark", "socc"], "there is no channel `socc`; did you mean `soc`?"),
        (&["explain", "contosso", "device-score-low"], "there is no tenant `contosso`; did you mean `contoso`?"),
        (&["silences", "add", "--tenant", "contosso", "--for", "1h", "--comment", "x"], "did you mean `contoso`?"),
        (
            &["diff", "scorewatch.yml", "scorewatch.yml"],
            "scorewatch.yml: there is no such file; name two files to compare",
        ),
    ];
    for (arguments, said) in unknown {
        let output = world.command(arguments).await;
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && text.contains(said), "{arguments:?}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_of_a_lack_of_data_lasts_as_long_as_its_rule_says() {
    let mut world = World::new().await;
    world.setup.rules = "rules:\n  - { name: unread, when: { no_data: 6h }, notify: [soc] }\n".to_owned();
    world.write();
    let text = said(&world, &["preview", "--rule", "unread", "--channel", SOC, "--json"]).await;
    let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
    let data = &shown["body"]["data"];
    let at = |value: &serde_json::Value| Timestamp::parse(value.as_str().unwrap()).unwrap();
    let (since, read) = (at(&data["no_data"][0]["since"]), at(&data["score"]["observed_at"]));
    assert_eq!(at(&shown["body"]["timestamp"]).since(since), Duration::from_hours(6), "{text}");
    assert_eq!(read, since, "the last reading is as old as the gap");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listings_silences_and_explain_need_no_secret_and_actions_reach_the_service() {
    let (world, service) = under_systemd().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    world.settle(&service, SOC).await;
    world.quiet(&service).await;
    for command in [
        &["alerts", "list"][..],
        &["alerts", "show", "contoso", "device-score-low"],
        &["alerts", "acknowledge", "contoso", "device-score-low", "--comment", "seen"],
        &["alerts", "unacknowledge", "contoso", "device-score-low"],
        &["deliveries", "list"],
        &["deliveries", "show", "1"],
        &["silences", "add", "--tenant", "contoso", "--for", "2h", "--comment", "patching"],
        &["silences", "list"],
        &["silences", "show", "1"],
        &["silences", "end", "1"],
        &["tenants", "list"],
        &["tenants", "list", "--gone"],
        &["tenants", "show", "contoso"],
        &["tenants", "recheck", "contoso"],
        &["channels", "list"],
        &["who-sees"],
        &["explain", "contoso", "device-score-low"],
        &["explain", "contoso", "operator.blind"],
        &["check", "--against-state"],
        &["backtest", "--since", "1h"],
    ] {
        let output = world.command(command).await;
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command:?}: {complaints}");
        assert!(!complaints.contains("CREDENTIALS_DIRECTORY"), "{command:?} reads a secret: {complaints}");
    }
    // The service, which has the secret, sends what a command without it asked for.
    said(&world, &["channels", "drill", "chat"]).await;
    world.until(&service, "chat", |arrived| arrived.iter().any(|arrived| arrived.accepted)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_and_messages_go_by_their_ids_and_the_gravest_alert_is_listed_first() {
    let mut world = World::new().await;
    world.setup.rules += "  - name: severe\n    score: device-secure-score\n    when: { below: 250 }\n    severity: critical\n    \
                          notify: [soc, ops]\n";
    world.write();
    world.command(&["once"]).await;
    world.set_score("contoso", LOW);
    world.command(&["once"]).await;
    let alerts = world.listing(&["alerts", "list", "--json"]).await;
    let of = |index: usize, field: &str| alerts[index][field].clone();
    assert_eq!((of(0, "rule"), of(0, "severity")), ("severe".into(), "critical".into()));
    assert_eq!((of(1, "rule"), of(1, "severity")), ("device-score-low".into(), "warning".into()));
    // Nothing was lost against a bound that was never a reading.
    assert_eq!(
        (of(0, "value"), of(0, "compared_with"), of(0, "loss")),
        (200.0.into(), 250.0.into(), serde_json::Value::Null)
    );
    let listed = said(&world, &["alerts", "list"]).await;
    assert!(listed.lines().nth(1).unwrap().contains("critical  contoso  severe"), "{listed}");

    let id = alerts[0]["id"].as_str().unwrap();
    let message = alerts[0]["last_notification"]["data"]["notification"]["id"].as_str().unwrap();
    for name in [id, &id[..12], &id["alert_".len()..][..6], message, &message[4..10], &message[4..10].to_lowercase()] {
        let shown = said(&world, &["alerts", "show", name]).await;
        assert!(shown.contains("severe of contoso"), "{name}: {shown}");
        assert!(said(&world, &["explain", name]).await.contains("rule severe"), "{name}");
    }
    // This message went to two channels.
    let refused = world.command(&["deliveries", "show", &message[4..10]]).await;
    let complaint = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{complaint}");
    assert!(
        complaint.contains("2 deliveries") && complaint.contains("to soc") && complaint.contains("to ops"),
        "{complaint}"
    );
    let other = alerts[1]["last_notification"]["data"]["notification"]["short_id"].as_str().unwrap();
    assert!(said(&world, &["deliveries", "show", other]).await.contains("device-score-low"));
    for nobody in ["ZZZZZZ", "no-id", "x"] {
        assert_eq!(world.command(&["alerts", "show", nobody]).await.status.code(), Some(2), "{nobody}");
    }
    assert_eq!(world.command(&["deliveries", "show", "4711"]).await.status.code(), Some(2));
    let sent = said(&world, &["deliveries", "list"]).await;
    assert!(sent.contains("contoso Ltd") && sent.contains("200"), "it says what was sent: {sent}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_was_edited_for_two_hundred_tenants_is_two_lines() {
    let world = World::new().await;
    world.write();
    let main = std::fs::read_to_string(world.folder.config()).unwrap();
    let list = |schedule: &str| {
        let mut text = String::new();
        for number in 0..200 {
            let (entra, app) = (entra(&format!("t{number}")), entra(&format!("app{number}")));
            let _ = writeln!(
                text,
                "- {{ id: t{number:03}, tenant_id: {entra}, schedule: \"{schedule}\", \
                 credential: {{ client_id: {app}, secret: {{ env: SECRET }} }} }}"
            );
        }
        text
    };
    world.folder.write("old-tenants.yaml", &list("0 */15 * * * *"));
    world.folder.write("new-tenants.yaml", &list("0 */20 * * * *"));
    world.folder.write("old.yaml", &main.replace("tenants/*.yaml", "old-tenants.yaml"));
    world.folder.write("new.yaml", &main.replace("tenants/*.yaml", "new-tenants.yaml"));
    let path = |name: &str| world.folder.path().join(name).display().to_string();
    let difference = said(&world, &["diff", &path("old.yaml"), &path("new.yaml")]).await;
    let lines: Vec<_> = difference.lines().filter(|line| !line.contains("tenants[")).collect();
    assert_eq!(
        lines,
        [
            "~ 200 tenants: t000, t001, t002, t003, t004, t005, t006, t007, 192 more",
            "    schedule: 0 */15 * * * * -> 0 */20 * * * *"
        ],
        "{difference}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_explanation_fits_one_screen_and_ends_with_the_verdict() {
    let mut world = World::new().await;
    world.setup.top = "scores: [device-secure-score, exposure-score-by-group]\n".to_owned();
    world.setup.rules +=
        "  - name: groups\n    score: exposure-score-by-group\n    when: { above: 50 }\n    notify: [soc]\n";
    world.write();
    let groups = |worst: f64| {
        let group = |number: u32| {
            let score = if number == 7 { worst } else { f64::from(number) };
            serde_json::json!({ "time": "2026-01-01T00:00:00Z", "score": score, "rbacGroupName": format!("Group {number}"), "rbacGroupId": number })
        };
        (0..45).map(group).collect::<Vec<_>>()
    };
    for worst in [10.0, 70.0, 80.0, 10.0, 90.0] {
        world.cloud.set_groups(entra("contoso"), groups(worst));
        world.command(&["once"]).await;
    }
    for (arguments, ends_with) in [
        (&["explain", "contoso", "groups"][..], "it does not fire, because the condition does not hold"),
        (
            &["explain", "contoso", "groups", "--subject", "Group 7"],
            "=> it keeps firing; there is nothing new to report",
        ),
        (&["explain", "contoso", "device-score-low"], "=> it does not fire, because the condition does not hold"),
        (&["explain", "contoso", "operator.blind"], "=> it is not reported"),
    ] {
        let explained = said(&world, arguments).await;
        let lines: Vec<_> = explained.lines().collect();
        assert!(lines.len() <= 40, "{} lines:\n{explained}", lines.len());
        assert!(lines.last().unwrap().contains(ends_with), "{explained}");
    }
    let short = said(&world, &["explain", "contoso", "groups"]).await;
    assert!(short.contains("Group 7: firing") && short.contains("`-v` shows everything"), "{short}");
    let whole = said(&world, &["explain", "contoso", "groups", "-v"]).await;
    assert!(whole.lines().count() > 100 && !whole.contains("`-v` shows everything"), "{whole}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_without_consent_is_shown_with_the_link_that_gives_it() {
    let world = World::new().await;
    world.write();
    world.cloud.set_sign_in(entra("contoso"), Some(SignIn::Refuse(EntraRefusal::AppUnknown)));
    let once = world.command(&["once"]).await;
    let link = format!("/{}/adminconsent?client_id=", entra("contoso"));
    let checked = String::from_utf8(once.stdout).unwrap();
    assert!(checked.contains("consent-missing") && checked.contains(&link), "{checked}");
    for command in [&["tenants", "list", "--failing"][..], &["tenants", "show", "contoso"]] {
        let shown = said(&world, command).await;
        assert!(shown.contains(&link), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_is_signed_by_the_user_and_not_by_what_the_environment_says() {
    let world = World::new().await;
    world.write();
    world.command(&["once"]).await;
    let add = ["silences", "add", "--all", "--for", "1h", "--comment", "x"];
    for environment in [&[("USER", "mallory"), ("SUDO_USER", "")][..], &[("USER", "mallory"), ("SUDO_USER", "ann")]] {
        let output = world.command_with(&add, environment).await;
        assert!(output.status.success(), "{output:?}");
    }
    let silences = world.listing(&["silences", "list", "--json"]).await;
    let authors: Vec<_> = silences.iter().map(|silence| silence["author"].as_str().unwrap()).collect();
    assert!(authors.iter().all(|author| !author.contains("mallory") && !author.is_empty()), "{authors:?}");
    assert!(authors[0].ends_with(" (sudo by ann)") && authors[0].starts_with(authors[1]), "{authors:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_read_times_in_their_zone_and_machines_in_universal_time() {
    let world = World::new().await;
    world.write();
    let main = std::fs::read_to_string(world.folder.config()).unwrap();
    world.folder.write("scorewatch.yaml", &main.replace("timezone: UTC", "timezone: Asia/Kolkata"));
    world.command(&["once"]).await;
    world.set_score("contoso", LOW);
    world.command(&["once"]).await;
    let add = ["silences", "add", "--all", "--until", "2030-12-24T18:00:00Z", "--comment", "x"];
    let added = said(&world, &add).await;
    assert!(added.contains("until 2030-12-24 23:30:00 IST"), "{added}");
    let listed = said(&world, &["silences", "list"]).await;
    assert!(listed.contains("just now") || listed.contains("ago"), "{listed}");
    let silences = world.listing(&["silences", "list", "--json"]).await;
    assert_eq!(silences[0]["ends_at"], "2030-12-24T18:00:00Z");
    for (arguments, is_there) in [
        (&["silences", "list"][..], "2030-12-24 23:30:00 IST (in "),
        (&["explain", "contoso", "device-score-low"], " IST"),
        (&["explain", "contoso", "operator.blind"], " IST"),
        (&["alerts", "list"], "ago"),
        (&["alerts", "show", "contoso", "device-score-low"], " IST ("),
        (&["deliveries", "list"], "ago"),
        (&["deliveries", "show", "1"], " IST ("),
        (&["audit", "list"], " IST ("),
        (&["tenants", "show", "contoso"], " IST ("),
        (&["check", "-v"], " IST"),
        (&["channels", "list"], "soc"),
        (&["backtest"], " IST to "),
    ] {
        let said = said(&world, arguments).await;
        assert!(said.contains(is_there) || (is_there == "ago" && said.contains("just now")), "{arguments:?}: {said}");
        let is_for_machines = |word: &str| word.len() >= 19 && word.starts_with("20") && word[10..].starts_with('T');
        let left: Vec<&str> =
            said.split([' ', '(', ',']).filter(|word| word.is_ascii() && is_for_machines(word)).collect();
        assert!(left.is_empty(), "{arguments:?}: {left:?}: {said}");
    }
    let alerts = world.listing(&["alerts", "list", "--json"]).await;
    assert!(alerts[0]["since"].as_str().is_some_and(|since| since.ends_with('Z')), "{}", alerts[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_in_json_has_its_durations_as_they_are_configured() {
    let mut world = World::new().await;
    world.setup.rules = world.setup.rules.replace("when: { below: 300 }", "when: { drop: 5%, within: 36h }");
    world.write();
    world.command(&["once"]).await;
    world.set_score("contoso", LOW);
    world.command(&["once"]).await;
    let alerts = world.listing(&["alerts", "list", "--json"]).await;
    assert_eq!(alerts[0]["state"]["terms"]["when"]["drop"]["within"], "36h", "{:#}", alerts[0]);
    let explained = said(&world, &["explain", "contoso", "device-score-low", "--json"]).await;
    assert!(explained.contains("\"within\": \"36h\"") && !explained.contains("nanos"), "{explained}");
    // The store has it in its own form, from which the next check goes on.
    world.command(&["once"]).await;
    assert_eq!(world.listing(&["alerts", "list", "--json"]).await[0]["state"]["state"], "firing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typo_on_disk_keeps_nobody_from_looking_and_acknowledging() {
    let mut world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    world.settle(&service, SOC).await;
    // A colleague is half-way through an edit of the main file, and of a rule.
    world.setup.rules += "  - { name: new, score: device-secure-score, whn: { below: 1 }, notify: [soc] }\n";
    world.setup.top = "maintenance:\n  - { name: \"weekly\n".to_owned();
    world.write();
    for (arguments, expected) in [
        (&["alerts", "list"][..], "device-score-low"),
        (&["explain", "contoso"], "`scorewatch explain contoso device-score-low` shows why"),
        (&["explain", "contoso", "device-score-low"], "=> it keeps firing"),
        (&["alerts", "acknowledge", "contoso", "device-score-low", "--comment", "seen"], "acknowledged"),
        (&["silences", "add", "--tenant", "contoso", "--for", "2h", "--comment", "patching"], "silence 1"),
        (&["silences", "list"], "patching"),
        (&["deliveries", "show", "1"], "alert.firing"),
        (&["tenants", "list"], "contoso"),
        (&["channels", "list"], "soc"),
        (&["audit", "list"], "alert.acknowledge"),
    ] {
        let output = world.command(arguments).await;
        let (said, complaint) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr).into_owned());
        assert!(output.status.success() && said.contains(expected), "{arguments:?}: {said}{complaint}");
        assert_eq!(
            complaint.matches("the configuration on disk is rejected (").count(),
            1,
            "{arguments:?}: {complaint}"
        );
        assert!(complaint.contains("scorewatch.yaml:"), "{arguments:?}: {complaint}");
        assert!(!said.contains("\"why\""), "the receiver was never sent that: {said}");
    }
    // What would do something else by a part of the configuration than by all of it.
    for (arguments, why) in [
        (&["alerts", "accept", "contoso", "device-score-low"][..], "needs a valid configuration"),
        (&["silences", "add", "--all", "--for", "2h", "--comment", "patching"], "needs a valid configuration"),
        (&["token", "create", "portal", "--role", "viewer"], "needs a valid configuration"),
        (&["explain", "contoso", "new"], "or its part of the configuration can't be read"),
        (&["tenants", "forget", "contoso"], "scorewatch.yaml:"),
        (&["once"], "scorewatch.yaml:"),
    ] {
        let output = world.command(arguments).await;
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {complaint}");
        assert!(complaint.contains(why), "{arguments:?}: {complaint}");
    }
    assert!(service.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_resent_to_a_channel_that_is_gone() {
    let mut world = World::new().await;
    world.write();
    world.set_score("contoso", LOW);
    world.command(&["once"]).await;
    let sent = world.listing(&["deliveries", "list", "--json"]).await;
    let id = sent.iter().find(|delivery| delivery["channel"] == "soc").unwrap()["id"].to_string();
    world.setup.channels.retain(|channel| !channel.starts_with("soc:"));
    world.setup.rules = world.setup.rules.replace("[soc]", "[ops]");
    world.write();
    let refused = world.command(&["deliveries", "resend", &id]).await;
    let complaint = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && complaint.contains("is no longer configured"), "{complaint}");
    assert!(complaint.contains(&format!("`scorewatch deliveries show {id}` prints it")), "{complaint}");
}
