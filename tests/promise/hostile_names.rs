//! Whatever a tenant's groups and controls are called, no command, log, message or file of ours drives a terminal or turns text
//! around.

use scorewatch::domain::characters;
use serde_json::{Value, json};

use crate::harness::{SOC, World, entra};

/// Names with every kind of character that nobody may print as it is, and what chats take for more than text.
const NAMES: [&str; 6] = [
    "Servers\u{202E}gpj.exe",
    "\u{1b}[2J\u{1b}]0;owned\u{7}Clerks",
    "A\u{200B}B\u{FEFF}\u{2066}C",
    "line\u{2028}two\u{85}three\r\nfour",
    "<!channel> <https://evil.example|here>",
    "\u{9b}31m\u{E0041}tags",
];

/// Nothing hidden is in what was printed.
fn assert_shown(what: &str, printed: &[u8]) {
    let text = String::from_utf8(printed.to_vec()).unwrap();
    let hidden = text.chars().find(|letter| *letter != '\n' && characters::is_hidden(*letter));
    assert_eq!(hidden, None, "{what}: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_printed_or_sent_holds_a_hidden_character() {
    let mut world = World::new().await;
    world.setup.top = "scores: [device-secure-score, exposure-score-by-group, secure-score-category]\n".to_owned();
    world.setup.rules +=
        "  - name: group-exposed\n    score: exposure-score-by-group\n    when: { above: 50 }\n    notify: [soc]\n";
    let now = scorewatch::clock::Clock::System.now();
    let group = |name: &&str| json!({ "time": now, "score": 70, "rbacGroupName": name, "rbacGroupId": null });
    world.cloud.set_groups(entra("contoso"), NAMES.iter().map(group).collect());
    let control = |name: &&str| json!({ "controlName": name, "controlCategory": name, "score": 1.0 });
    let controls: Vec<Value> = NAMES.iter().map(control).collect();
    let day = now.to_string().split('T').next().unwrap().to_owned();
    let record = json!({ "id": format!("t_{day}"), "createdDateTime": now, "currentScore": 50.0, "maxScore": 200.0,
        "averageComparativeScores": [], "controlScores": controls });
    world.cloud.set_records(entra("contoso"), vec![record]);
    let service = world.run().await;
    world.until(&service, SOC, |arrived| arrived.len() >= NAMES.len()).await;
    for arrived in world.arrived(SOC) {
        assert_shown("a message", arrived.body.to_string().as_bytes());
    }

    let list = world.folder.path().join("list.csv");
    let rows: Vec<String> = NAMES.iter().map(|name| format!("{name},{name},label{name}")).collect();
    std::fs::write(&list, format!("tenant_id,name,label:{}\n{}\n", NAMES[0], rows.join("\n"))).unwrap();
    world.folder.write("broken.yaml", &format!("store: \"{}\"\nx\\u{{202E}}y: 1\n", NAMES[4]));
    world.folder.write(
        "named.yaml",
        "id: named\nname: \"a\\u202Eb\"\nlabels: { \"k\\u001b\": \"v\\u2028\" }\n\"z\\u202e\": 1\n",
    );
    let list = list.to_str().unwrap();
    for arguments in [
        &["once", "--tenant", "contoso"][..],
        &["alerts", "list"],
        &["deliveries", "list"],
        &["tenants", "list"],
        &["tenants", "show", "contoso"],
        &["channels", "list"],
        &["silences", "list"],
        &["who-sees"],
        &["explain", "contoso", "group-exposed"],
        &["preview", "--rule", "group-exposed", "--channel", "soc"],
        &["backtest", "--since", "1d"],
        &["tenants", "import", list],
        &["check"],
        &["check", "--config", "broken.yaml"],
        &["diff", "scorewatch.yaml", "named.yaml"],
    ] {
        for arguments in [arguments.to_vec(), [arguments, &["--json"]].concat()] {
            let output = world.command(&arguments).await;
            assert_shown(&format!("{arguments:?}"), &output.stdout);
            assert_shown(&format!("{arguments:?}"), &output.stderr);
        }
    }
    world
        .folder
        .write("tenants/named.yaml", "id: named\nname: \"a\\u202Eb\"\nlabels: { \"k\\u001b\": \"v\\u2028\" }\n");
    let output = world.command(&["check"]).await;
    let said = String::from_utf8_lossy(&output.stderr);
    for arrived in [
        "named.yaml:2:7: error: name: character 2 is U+202E (right-to-left override), which nobody can see",
        "character 2 is U+001B (escape), which nobody can see",
    ] {
        assert!(said.contains(arrived), "{arrived}: {said}");
    }
    assert_shown("check", &output.stderr);
    assert_shown("the log", service.log().as_bytes());
    assert!(service.stop().await.success());
}
