//! What is written for all kinds of answers, and that the check has nothing to say of it.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

use uuid::Uuid;

use super::*;
use crate::{
    channel::ChannelKind,
    config::{Answer, Loaded, asked, load},
    diagnostic::{Level, Warning},
    domain::{ChannelName, Cloud, EntraTenantId, ScoreKind, TenantId, Timestamp},
    secret::{PassedOn, SecretString},
};

const NOW: &str = "2026-11-30T12:00:00Z";

fn answers(folder: &Path) -> Answers {
    Answers {
        target: Target::Folder,
        folder: folder.to_owned(),
        has_unit: false,
        tenant: NewTenant {
            id: TenantId::parse("contoso").unwrap(),
            name: "Contoso Ltd".to_owned(),
            entra: EntraTenantId(Uuid::from_u128(0x2f1c_0a5e_0000_4000_8000_0000_0000_0001)),
            cloud: Cloud::Commercial,
            client_id: Uuid::from_u128(0x6d2a_0000_0000_4000_8000_0000_0000_0002),
            secret: "hunter2~value-of-a-secret".into(),
            expires: None,
        },
        scores: vec![ScoreKind::DeviceSecureScore],
        channel: webhook(),
        timezone: "Europe/Berlin".to_owned(),
    }
}

fn webhook() -> NewChannel {
    NewChannel {
        name: ChannelName::parse("soc").unwrap(),
        kind: "webhook",
        keys: BTreeMap::new(),
        secret: Some(("url", "https://soar.example/hook".into())),
    }
}

/// Places the files and checks them as `scorewatch check --strict` does.
async fn checked(answers: &Answers) -> (Placed, Loaded) {
    let placed = place(&files(answers)).unwrap();
    let loaded = load(&answers.folder.join("scorewatch.yaml")).with_secrets_tried().await;
    (placed, loaded.with_world_judged(Timestamp::parse(NOW).unwrap()))
}

fn said(loaded: &Loaded) -> Vec<String> {
    loaded.problems.iter().map(|problem| format!("{}: {}; {}", problem.place, problem.what, problem.instead)).collect()
}

/// What a receiver of that kind would be: its keys, and its secret.
fn example(kind: &'static str) -> NewChannel {
    let secret = match kind {
        "teams" => {
            "https://prod-01.westeurope.logic.azure.com/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        }
        "slack" => "https://hooks.slack.com/services/T00000000/B00000000/xxxxxxxxxxxxxxxxxxxxxxxx",
        "discord" => "https://discord.com/api/webhooks/123456789012345678/token",
        "google-chat" => "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t",
        "mattermost" => "https://chat.example/hooks/abcdefghijklmnopqrstuvwxyz",
        "pagerduty" => "0123456789abcdef0123456789abcdef",
        "email" => "a password",
        _ => "https://soar.example/hook",
    };
    let value = |key| match key {
        "server" => Some("smtps://smtp.example"),
        "from" => Some("Scorewatch <scores@mssp.example>"),
        "to" => Some("soc@mssp.example, lead@mssp.example"),
        "username" => Some("scores"),
        "url" => Some("https://alertmanager.example"),
        _ => None,
    };
    let all = asked(kind);
    NewChannel {
        kind,
        keys: all
            .iter()
            .filter(|asked| asked.answer != Answer::Secret)
            .filter_map(|asked| Some((asked.key, value(asked.key)?.to_owned())))
            .collect(),
        secret: all
            .iter()
            .find(|asked| asked.answer == Answer::Secret)
            .map(|asked| (asked.key, SecretString::from(secret))),
        ..webhook()
    }
}

#[tokio::test]
async fn a_folder_for_each_kind_of_channel_passes_the_strict_check() {
    for kind in ChannelKind::WORDS {
        let folder = tempfile::tempdir().unwrap();
        let answers = Answers { channel: example(kind), ..answers(&folder.path().join("scores")) };
        assert_eq!(channel_complaint(&answers), None, "{kind}");
        let (_placed, loaded) = checked(&answers).await;
        assert_eq!(said(&loaded), [""; 0], "{kind}");
        let config = loaded.config.unwrap();
        let channel = &config.channels["soc"];
        assert_eq!((channel.kind.as_str(), config.tenants.len()), (*kind, 1));
        let names: Vec<_> = config.rules.iter().map(|rule| rule.name.as_str()).collect();
        assert_eq!(names, ["device-score-drop", "device-score-slide", "blind"], "rules on scores that are polled");
        assert!(config.rules.iter().all(|rule| rule.notify == [channel.name.clone()]));
    }
}

#[tokio::test]
async fn every_target_and_odd_answers_pass_the_strict_check() {
    let base = tempfile::tempdir().unwrap();
    let of = |name: &str| answers(&base.path().join(name));
    let named = |name: &str, text: &str| {
        let mut answers = of(name);
        answers.tenant.name = text.to_owned();
        answers
    };
    let mut expiring = of("expiring");
    expiring.tenant.expires = Some("2027-03-01".to_owned());
    let mut government = of("government");
    (government.tenant.cloud, government.timezone) = (Cloud::GccHigh, "UTC".to_owned());
    let mut twins = of("twins");
    twins.channel.name = ChannelName::parse("app").unwrap();
    let all_scores = Answers { scores: ScoreKind::ALL.to_vec(), ..of("all-scores") };
    let mut cases = vec![expiring, government, twins, all_scores];
    cases.push(Answers { target: Target::Container, ..of("container") });
    for (number, name) in
        ["null", "a: b", "- x", "#1 \"Best\" {x}", "1e3", "日本", "yes", "Ünï & Co, Ltd.", "it's"].iter().enumerate()
    {
        cases.push(named(&format!("name-{number}"), name));
    }
    for answers in cases {
        let (_placed, loaded) = checked(&answers).await;
        assert_eq!(said(&loaded), [""; 0], "{answers:?}");
        let config = loaded.config.unwrap();
        assert_eq!(&*config.tenants["contoso"].name, answers.tenant.name);
        assert_eq!(config.tenants["contoso"].scores.to_vec(), answers.scores);
    }
}

#[tokio::test]
async fn the_folder_of_a_unit_has_its_paths_and_its_secrets_are_credentials() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("etc/scorewatch");
    let answers = Answers { target: Target::Systemd, ..answers(&folder) };
    PassedOn { id: "secrets".to_owned(), path: folder.join("secrets") }.apply();
    let (_placed, mut loaded) = checked(&answers).await;
    loaded.problems.retain(|problem| problem.warning != Some(Warning::StoreNotWritable));
    assert_eq!(said(&loaded), [""; 0]);
    let unit = fs::read_to_string(folder.join("scorewatch.service")).unwrap();
    for line in [
        format!("ExecStart=/usr/local/bin/scorewatch run --config {}/scorewatch.yaml", folder.display()),
        format!("LoadCredential=secrets:{}/secrets", folder.display()),
        "DynamicUser=yes".to_owned(),
    ] {
        assert!(unit.lines().any(|one| one == line), "{line}\n{unit}");
    }
    let mode = |name: &str| fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o7777;
    // The service is another user, and reads all but the secrets.
    for (name, expected) in [
        ("", 0o755),
        ("tenants", 0o755),
        ("tenants/contoso.yaml", 0o644),
        ("scorewatch.yaml", 0o644),
        ("secrets", 0o700),
        ("secrets/app", 0o600),
        ("secrets/soc", 0o600),
    ] {
        assert_eq!(format!("{:o}", mode(name)), format!("{expected:o}"), "{name}");
    }
}

#[test]
fn where_a_package_has_installed_the_unit_none_is_written() {
    let folder = Path::new("/etc/scorewatch");
    let answers = Answers { target: Target::Systemd, has_unit: true, ..answers(folder) };
    let written: Vec<_> = files(&answers).into_iter().map(|file| file.path).collect();
    assert!(!written.contains(&folder.join("scorewatch.service")), "{written:?}");
    assert!(written.contains(&folder.join("scorewatch.yaml")), "{written:?}");
}

#[test]
fn nothing_is_left_of_a_folder_that_could_not_be_written_whole() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("deep/scores");
    let files = files(&answers(&folder));
    drop(place(&files).unwrap());
    assert!(!base.path().join("deep").exists(), "what is dropped is taken away with its folders");
    fs::create_dir_all(folder.join("secrets")).unwrap();
    fs::write(folder.join("secrets/soc"), "somebody else's").unwrap();
    assert_eq!(existing(&files), [folder.join("secrets/soc")]);
    let error = place(&files).unwrap_err();
    assert!(error.to_string().contains("secrets/soc can't be written, so nothing was"), "{error}");
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["secrets"]);
    assert_eq!(fs::read_to_string(folder.join("secrets/soc")).unwrap(), "somebody else's");
}

#[test]
fn a_wrong_channel_is_known_before_anything_is_written() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("scores");
    let with = |kind, keys: &[(&'static str, &str)], secret: Option<&str>| Answers {
        channel: NewChannel {
            kind,
            keys: keys.iter().map(|(key, value)| (*key, (*value).to_owned())).collect(),
            secret: secret.map(|secret| ("url", SecretString::from(secret))),
            ..webhook()
        },
        ..answers(&folder)
    };
    for (answers, expected) in [
        (with("teams", &[], Some("https://hooks.slack.com/services/T/B/x")), "the channel is of type `teams`"),
        (with("teams", &[], Some("https://prod-01.westeurope.logic.azure.com/workflows/1?api-version=1")), "sig"),
        (with("webhook", &[], Some("http://10.0.0.7/hook")), ""),
        (with("alertmanager", &[("url", "http://10.0.0.7:9093")], None), "the channel's URL is refused"),
        (with("webhook", &[("allow_private", "somewhere")], Some("https://soar.example/hook")), "somewhere"),
    ] {
        let complaint = channel_complaint(&answers).unwrap_or_else(|| panic!("{answers:?}")).to_string();
        assert!(complaint.contains(expected), "{complaint}");
    }
    let inside = with("webhook", &[("allow_private", "10.0.0.0/8")], Some("http://10.0.0.7/hook"));
    assert_eq!(channel_complaint(&inside), None);
    assert!(!folder.exists());
}

#[test]
fn each_answer_has_a_grammar() {
    assert!(
        guid("2f1c0a5e-0000-4000-8000-000000000001").is_ok() && guid("00000000-0000-0000-0000-000000000000").is_err()
    );
    for (text, is_good) in [("2027-03-01", true), ("2027-3-1", false), ("2027-02-30", false), ("soon", false)] {
        assert_eq!(day(text).is_ok(), is_good, "{text}");
    }
    assert!(timezone("Europe/Berlin").is_ok() && timezone("UTC").is_ok() && timezone("CEST+1").is_err());
    assert!(timezone("Berlin").unwrap_err().to_string().contains("`Europe/Berlin`"));
    assert!(display_name("Contoso Ltd").is_ok() && display_name("a\u{202e}b").is_err());
    for (text, is_good) in [
        ("\u{feff}abc8Q~value-of-a-secret\r\n", true),
        (" abc8Q~value-of-a-secret ", true),
        ("\"abc8Q~value-of-a-secret\"", false),
        ("CLIENT_SECRET=abc8Q~value-of-a-secret", false),
        ("", false),
        ("\n", false),
        ("two\nlines", false),
        ("2f1c0a5e-0000-4000-8000-000000000001\n", false),
    ] {
        let secret = client_secret(text);
        assert_eq!(secret.is_ok(), is_good, "{text:?}");
        assert!(
            secret.is_ok_and(|secret| crate::secret::ExposeSecret::expose_secret(&secret) == "abc8Q~value-of-a-secret")
                || !is_good
        );
    }
    let entra = EntraTenantId(Uuid::from_u128(1));
    assert_eq!(slug_of("Müller & Söhne GmbH", entra).unwrap().as_str(), "mueller-and-soehne-gmbh");
}

#[test]
fn a_warning_would_be_found() {
    let base = tempfile::tempdir().unwrap();
    let answers = answers(&base.path().join("scores"));
    let placed = place(&files(&answers)).unwrap();
    let main = answers.folder.join("scorewatch.yaml");
    let text = fs::read_to_string(&main).unwrap().replace("# scorewatch: allow(operator-has-one-channel)\n", "");
    fs::write(&main, text).unwrap();
    let problems = load(&main).problems;
    assert!(problems.iter().any(|problem| problem.level == Level::Warning), "{problems:?}");
    drop(placed);
}
