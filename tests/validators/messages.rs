//! What the makers of chat applications ship to build and show messages takes ours, and nothing in a name does harm.

use super::*;

#[test]
#[ignore = "needs tests/validators/install"]
fn microsofts_renderer_and_schema_take_every_card() {
    let validators = installed();
    let schema = env::var_os("SCOREWATCH_ADAPTIVE_CARD_SCHEMA").map(PathBuf::from);
    let folder = tempfile::tempdir().unwrap();
    let teams = open(ChannelKind::Teams(Teams { url: secret(&folder, "url", TEAMS_URL) }));
    let cards = said(&*teams);
    assert!(cards.iter().all(|card| card.len() <= channel::teams::BYTES_MAX));
    let script = script("teams.mjs");
    let arguments: Vec<&Path> =
        [Some(&script), Some(&validators), schema.as_ref()].into_iter().flatten().map(PathBuf::as_path).collect();
    judge("node", &arguments, &cards);
}

#[test]
#[ignore = "needs tests/validators/install"]
fn slacks_own_models_take_every_message() {
    let validators = installed();
    let folder = tempfile::tempdir().unwrap();
    let slack = open(ChannelKind::Slack(Slack { url: secret(&folder, "url", SLACK_URL) }));
    judge("python3", &[&script("slack.py"), &validators.join("python")], &said(&*slack));
}

#[test]
#[ignore = "needs tests/validators/install"]
fn the_other_chat_applications_take_every_message_and_see_nothing_but_text_in_names() {
    let validators = installed();
    let folder = tempfile::tempdir().unwrap();
    let python = validators.join("python");
    let url = |url: &str| secret(&folder, "url", url);
    let discord = || ChannelKind::Discord(Discord { url: url("https://discord.com/api/webhooks/1/x") });
    let google_chat = || {
        ChannelKind::GoogleChat(GoogleChat {
            url: url("https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t"),
        })
    };
    let mattermost = || ChannelKind::Mattermost(Mattermost { url: url("https://chat.example/hooks/x") });
    // All of them keep their secret in the same file, so each is made when it is its turn.
    let kinds: [(&dyn Fn() -> ChannelKind, _, _, _); 3] = [
        (&discord, "node", "discord.mjs", &validators),
        (&google_chat, "python3", "google_chat.py", &python),
        (&mattermost, "node", "mattermost.mjs", &validators),
    ];
    for (kind, program, name, installed) in kinds {
        judge(program, &[&script(name), installed], &said(&*open(kind())));
    }
}

#[test]
#[ignore = "needs tests/validators/install"]
fn validators_of_chat_applications_refuse_what_would_do_harm() {
    let validators = installed();
    let calls_nobody = serde_json::json!({ "parse": [] });
    let discord = |content: &str, description: &str| {
        serde_json::json!({
            "content": content, "allowed_mentions": calls_nobody, "embeds": [{ "color": 1, "description": description }],
        })
    };
    let text = |text: &str| serde_json::json!({ "text": text });
    let discord = [
        discord("@everyone", "x"),
        discord("||x||", "x"),
        discord("x", "https://evil.example/"),
        discord("x", &"x".repeat(4_097)),
        serde_json::json!({ "content": "x" }),
    ];
    let google_chat = [
        serde_json::json!({ "text": "x", "blocks": [] }),
        serde_json::json!({ "text": ["x"] }),
        text(&"x".repeat(32_000)),
    ];
    let mattermost =
        [text("hi @channel"), text("~~x~~"), text("<!here>"), text("# x"), text("[x](https://evil.example)")];
    let python = validators.join("python");
    for (program, name, installed, payloads) in [
        ("node", "discord.mjs", &validators, &discord[..]),
        ("python3", "google_chat.py", &python, &google_chat),
        ("node", "mattermost.mjs", &validators, &mattermost),
    ] {
        let lines: Vec<String> = payloads.iter().map(ToString::to_string).collect();
        let (is_content, said) = ask(program, &[&script(name), installed], &lines);
        assert!(!is_content && said.contains(&format!("{0} judged, {0} refused", lines.len())), "{said}");
    }
}

#[test]
#[ignore = "needs tests/validators/install"]
fn the_standards_libraries_verify_every_signature_by_either_key() {
    let validators = installed();
    let folder = tempfile::tempdir().unwrap();
    let webhook = open(ChannelKind::Webhook(Webhook {
        url: WebhookUrl::Open("https://soar.example/hook".to_owned()),
        signing_secrets: [("new", NEW_KEY), ("old", OLD_KEY), ("pair", NEW_PAIR.0), ("old-pair", OLD_PAIR.0)]
            .map(|(name, key)| secret(&folder, name, key))
            .to_vec(),
    }));
    // The libraries refuse a time that is not about now.
    let now = Clock::System.now();
    let mut requests = Vec::new();
    for sample in sample::all() {
        let outgoing = compose(&*webhook, &sample, now);
        let headers: std::collections::BTreeMap<&str, &str> =
            outgoing.headers.iter().map(|(name, value)| (*name, value.expose_secret())).collect();
        assert_eq!(headers["webhook-signature"].split(' ').count(), 4);
        for key in [NEW_KEY, OLD_KEY, NEW_PAIR.1, OLD_PAIR.1] {
            let request = serde_json::json!({ "secret": key, "headers": headers, "body": body(&outgoing) });
            requests.push(request.to_string());
        }
    }
    judge("node", &[&script("webhook.mjs"), &validators], &requests);
    judge("python3", &[&script("webhook.py"), &validators.join("python")], &requests);
}
