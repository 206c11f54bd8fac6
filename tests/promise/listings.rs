//! What the listings print for people: each column, each row, and the sentence where there is nothing.

use scorewatch::notify::NotificationId;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::harness::{LOW, World};

/// What a command says, with instants, ids and addresses by their kind and columns apart by two spaces.
async fn said(world: &World, arguments: &[&str]) -> String {
    let output = world.command(arguments).await;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let lines = said.lines().map(|line| {
        let columns = line.trim().split("  ").map(str::trim).filter(|column| !column.is_empty());
        let columns = columns.map(|column| column.split(' ').map(masked).collect::<Vec<_>>().join(" "));
        columns.collect::<Vec<_>>().join("  ")
    });
    let said = format!("$ scorewatch {}\n{}\n", arguments.join(" "), lines.collect::<Vec<_>>().join("\n"));
    let said = without_spans(&said).replace("DATE CLOCK UTC", "TIME");
    said.replace(&world.folder.path().display().to_string(), "FOLDER")
}

/// With `just now`, `now`, `5 s ago` and `in 2 h` as one word.
fn without_spans(text: &str) -> String {
    let mut text = text.replace("just now", "AGO").replace("  now", "  AGO");
    for minutes in 60..600 {
        let span = format!("{} h {} min", minutes / 60, minutes % 60);
        text = text.replace(&format!("{span} ago"), "AGO").replace(&format!("in {span}"), "AGO");
    }
    for number in (0..200).rev() {
        for unit in ["s", "min", "h"] {
            text = text.replace(&format!("{number} {unit} ago"), "AGO").replace(&format!("in {number} {unit}"), "AGO");
        }
    }
    text
}

fn masked(word: &str) -> String {
    let bare = word.trim_end_matches([',', ';', ')', ':']).trim_start_matches('(');
    let is_made_of = |sign: char| bare.chars().all(|letter| letter.is_ascii_digit() || letter == sign);
    let mask = if bare.len() == 10 && bare.starts_with("20") && is_made_of('-') {
        "DATE"
    } else if matches!(bare.len(), 5 | 8) && bare.contains(':') && is_made_of(':') {
        "CLOCK"
    } else if bare.starts_with("msg_") {
        "MESSAGE"
    } else if bare.starts_with("alert_") {
        "ALERT"
    } else if bare.starts_with("http://") {
        "ADDRESS"
    } else {
        return word.to_owned();
    };
    word.replace(bare, mask)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_listing_shows_its_columns() {
    let mut world = World::new().await;
    // Nothing comes on its own but what is asked for.
    world.setup.without_drills();
    world.write();
    let mut transcript = String::new();
    world.command(&["once"]).await;
    for empty in
        [&["alerts", "list"][..], &["deliveries", "list"], &["silences", "list"], &["tenants", "list", "--gone"]]
    {
        transcript.push_str(&said(&world, empty).await);
    }
    world.set_score("contoso", LOW);
    world.command(&["once"]).await;
    for command in [
        &["alerts", "acknowledge", "contoso", "device-score-low", "--comment", "ticket 4711", "--author", "ann"][..],
        &["silences", "add", "--tenant", "contoso", "--for", "2h", "--comment", "patching", "--author", "ann"],
        &["silences", "add", "--label", "tier=gold", "--for", "2h", "--comment", "migration", "--author", "ann"],
        &["silences", "end", "2"],
        &["channels", "drill", "ops"],
    ] {
        transcript.push_str(&said(&world, command).await);
    }
    for listing in [
        &["alerts", "list"][..],
        &["alerts", "show", "contoso", "device-score-low"],
        &["deliveries", "list"],
        &["deliveries", "show", "1"],
        &["silences", "list"],
        &["silences", "list", "--all"],
        &["silences", "show", "1"],
        &["tenants", "list"],
        &["channels", "list"],
        &["who-sees"],
        &["explain", "contoso", "device-score-low"],
        &["explain", "sentinel", "operator.blind"],
    ] {
        transcript.push_str(&said(&world, listing).await);
    }
    for alert in world.listing(&["alerts", "list", "--json"]).await {
        transcript = transcript.replace(alert["short_id"].as_str().unwrap(), "SHORT");
    }
    for delivery in world.listing(&["deliveries", "list", "--json"]).await {
        let id = NotificationId::from_text(delivery["notification"].as_str().unwrap());
        transcript = transcript.replace(&id.short().to_string(), "SHORT");
    }
    insta::assert_snapshot!("listings", transcript.trim_end());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comparison_shows_who_sees_whom_first() {
    let mut world = World::new().await;
    let url = world.receivers.add_webhook("own");
    world.setup.channel("own", &format!("type: webhook, url: \"{url}\", tenants: [contoso]"));
    world.write();
    world.command(&["once"]).await;
    world.set_score("contoso", LOW);
    world.command(&["once"]).await;
    let folder = world.folder.path().to_owned();
    let main = std::fs::read_to_string(folder.join("scorewatch.yaml")).unwrap();
    let changed = main.replace("rules/*.yaml", "new-rules.yaml").replace("tenants: [contoso]", "tenants: [sentinel]");
    world.folder.write("new.yaml", &changed.replace("blind_after: 2h", "blind_after: 3h"));
    let rules = world.setup.rules.replace("below: 300", "below: 100").replace("severity: warning", "severity: info");
    world.folder.write("new-rules.yaml", &rules);
    let path = |file: &str| folder.join(file).display().to_string();
    insta::assert_snapshot!("comparison", said(&world, &["diff", &path("scorewatch.yaml"), &path("new.yaml")]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_says_since_when_the_service_has_not_run() {
    let world = World::new().await;
    let service = world.run().await;
    world.checked(&service, "contoso", 1).await;
    let complained = async |command: &[&str]| String::from_utf8(world.command(command).await.stderr).unwrap();
    for command in [&["alerts", "list"][..], &["tenants", "list", "--json"]] {
        assert!(!complained(command).await.contains("has not run"), "{command:?}");
    }
    assert!(service.stop().await.success());
    let options = SqliteConnectOptions::new().filename(world.folder.path().join("data/scorewatch.db"));
    let mut store = SqliteConnection::connect_with(&options).await.unwrap();
    let an_hour_ago = "UPDATE meta SET value = value - 3600000000000 WHERE key = 'beat'";
    sqlx::query(an_hour_ago).execute(&mut store).await.unwrap();
    store.close().await.unwrap();
    for command in [&["alerts", "list"][..], &["tenants", "list", "--json"]] {
        let said = complained(command).await;
        assert!(said.contains("the service has not run since 20") && said.contains("how things stood then"), "{said}");
    }
}
