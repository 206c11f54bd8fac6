//! What `check` finds out about addresses, days, permissions and secrets.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::{config::load, diagnostic::render, domain::Timestamp};

const NOW: &str = "2026-11-30T12:00:00Z";
const TEAMS: &str = "https://prod-11.westeurope.logic.azure.com/workflows/0f/triggers/manual/paths/invoke?api-version=1&sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const SECRET: &str = "abc8Q~xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// A configuration with one tenant and one channel, in a folder of its own; what is said of it.
fn judge(folder: &Path, channel: &str, expires: &str) -> String {
    let main = format!(
        "store: sqlite://data/s.db\ntimezone: UTC\nrules: []\n\
         tenants: [{{ id: contoso, tenant_id: 2f1c0a5e-0000-4000-8000-000000000001, \
         credential: {{ client_id: 6d2a0000-0000-4000-8000-000000000002, secret: {{ file: secret }}{expires} }} }}]\n\
         channels:\n  soc: {channel}\noperator: {{ notify: [soc] }}\n"
    );
    fs::write(folder.join("scorewatch.yaml"), main).unwrap();
    let loaded = load(&folder.join("scorewatch.yaml")).with_world_judged(Timestamp::parse(NOW).unwrap());
    assert!(loaded.config.is_some(), "the configuration is kept");
    render::terminal(&loaded.problems, &loaded.excerpts, false)
}

fn private(folder: &Path, name: &str, bytes: &[u8]) {
    fs::write(folder.join(name), bytes).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn an_address_that_its_channel_can_not_send_to_is_an_error() {
    for (kind, url, said) in [
        ("teams", TEAMS, ""),
        (
            "teams",
            "https://prod-52.usgovtexas.logic.azure.us:443/workflows/0/triggers/manual/paths/invoke?api-version=1&sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "",
        ),
        ("teams", TEAMS.split("&sig").next().unwrap(), "its `sig=` is missing, so it was cut off"),
        ("teams", &*TEAMS.replace('&', "&amp;"), "it has `&amp;` where `&` belongs"),
        ("teams", &*TEAMS.replace("https", "http"), "it must begin with `https://`"),
        ("teams", "https://contoso.webhook.office.com/webhookb2/x", "it is an Office 365 connector"),
        (
            "teams",
            "https://hooks.slack.com/services/T/B/x",
            "it is a Slack webhook, and the channel is of type `teams`; write `type: slack`",
        ),
        ("slack", TEAMS, "it is a Teams webhook, and the channel is of type `slack`; write `type: teams`"),
        ("slack", "https://discord.com/api/webhooks/1/x", "it is a Discord webhook"),
        ("slack", "https://hooks.slack.com/services/T/B/x", ""),
        ("slack", "https://hooks.slack.com/services/T/B", "its path is not that of a webhook"),
        ("discord", "https://discord.com/api/webhooks/1/x", ""),
        ("discord", "https://discord.com/api/webhooks/1", "its path is not that of a webhook"),
        ("google-chat", "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t", ""),
        ("google-chat", "https://chat.googleapis.com/v1/spaces/A/messages?key=k", "its `token=` is missing"),
        ("google-chat", "https://chat.googleapis.com/v1/spaces/A/messages?key=k&amp;token=t", "it has `&amp;`"),
        ("webhook", "https://chat.googleapis.com/v1/spaces/A/messages?key=k", "write `type: google-chat`"),
        ("webhook", "http://soar.example/hook", "it must begin with `https://`"),
        ("webhook", "https://soar.example/hook", ""),
        ("mattermost", "hunter2", "it is not a URL"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        private(folder.path(), "secret", SECRET.as_bytes());
        private(folder.path(), "url", url.as_bytes());
        let text = judge(folder.path(), &format!("{{ type: {kind}, url: {{ file: url }} }}"), "");
        assert_eq!(
            text.contains("error: channels.soc.url: the channel's URL is refused"),
            !said.is_empty(),
            "{url}: {text}"
        );
        assert!(text.contains(said) && !text.contains("hunter2"), "{said} is not in\n{text}");
    }
    let folder = tempfile::tempdir().unwrap();
    private(folder.path(), "secret", SECRET.as_bytes());
    let text = judge(folder.path(), "{ type: webhook, url: http://soar.example/hook }", "");
    assert!(text.contains("channels.soc.url: the channel's URL is refused: it must begin with `https://`"), "{text}");
}

#[test]
fn an_address_that_lost_a_part_in_copying_is_a_warning() {
    for (from, to, said) in [
        ("api-version=1&", "", "its `api-version=` is missing, without which the flow refuses all"),
        ("api-version=1", "api-version=", "its `api-version=` is missing, without which the flow refuses all"),
        (
            "/triggers/manual/paths/invoke",
            "",
            "its path has no `/triggers/…/invoke`, which leads to the flow's trigger",
        ),
        ("/paths/invoke", "", "its path has no `/triggers/…/invoke`, which leads to the flow's trigger"),
        ("AAA", "", "its `sig=` has 40 characters, and Microsoft's have 43"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        private(folder.path(), "secret", SECRET.as_bytes());
        private(folder.path(), "url", TEAMS.replacen(from, to, 1).as_bytes());
        let text = judge(folder.path(), "{ type: teams, url: { file: url } }", "");
        let said =
            format!("warning[url-looks-damaged]: channels.soc.url: the channel's URL is probably damaged: {said}");
        assert!(text.contains(&said) && !text.contains("error: "), "{said} is not in\n{text}");
    }
}

#[test]
fn a_secret_that_can_not_be_one_is_named_and_never_shown() {
    for (bytes, said) in [
        (SECRET.as_bytes().to_vec(), ""),
        ([b"\xef\xbb\xbf", SECRET.as_bytes(), b"\r\n\r\n"].concat(), ""),
        (
            [SECRET.as_bytes(), b" \n"].concat(),
            "warning[secret-has-blanks]: tenants[0].credential.secret: file `secret` begins or ends with a blank",
        ),
        ([SECRET.as_bytes(), b"\t"].concat(), "begins or ends with a blank"),
        ([b"first\n", SECRET.as_bytes()].concat(), "file `secret` holds a line break"),
        (b"6d2a0000-0000-4000-8000-00000000abcd".to_vec(), "warning[secret-looks-like-id]"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        private(folder.path(), "secret", &bytes);
        let text = judge(folder.path(), "{ type: webhook, url: https://soar.example/hook }", "");
        assert_eq!(text.contains("warning[secret-"), !said.is_empty(), "{text}");
        assert!(text.contains(said) && !text.contains("8Q~") && !text.contains("abcd"), "{said} is not in\n{text}");
    }
}

#[test]
fn a_day_that_is_over_and_a_secret_that_others_read_are_warnings() {
    let folder = tempfile::tempdir().unwrap();
    private(folder.path(), "secret", SECRET.as_bytes());
    let channel = "{ type: webhook, url: https://soar.example/hook }";
    let text = judge(folder.path(), channel, ", expires: 2025-03-01");
    assert!(
        text.contains("warning[credential-expired]: tenants[0].credential.expires: the secret expired on 2025-03-01"),
        "{text}"
    );
    let text = judge(folder.path(), channel, ", expires: 2026-12-24");
    assert!(!text.contains("warning[credential-expired]"), "{text}");
    assert!(!text.contains("secret-open-to-others"), "{text}");
    fs::set_permissions(folder.path().join("secret"), fs::Permissions::from_mode(0o644)).unwrap();
    let text = judge(folder.path(), channel, "");
    assert!(
        text.contains("others may read or change file `secret` (mode 644); let nobody else in: `chmod 600`"),
        "{text}"
    );
    fs::set_permissions(folder.path().join("secret"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let text = judge(folder.path(), channel, "");
    assert!(text.contains("others may put another file in the place of file `secret`"), "{text}");
}

#[test]
fn a_store_that_can_never_be_written_is_an_error() {
    let channel = "{ type: webhook, url: https://soar.example/hook }";
    for (is_folder, said) in [(false, "is not a folder"), (true, "is a folder, not a file; name a file in it")] {
        let folder = tempfile::tempdir().unwrap();
        private(folder.path(), "secret", SECRET.as_bytes());
        let path = folder.path().join("data");
        if is_folder {
            fs::create_dir_all(path.join("s.db")).unwrap();
        } else {
            fs::write(path, "").unwrap();
        }
        let text = judge(folder.path(), channel, "");
        assert!(text.contains(": error: store: `") && text.contains(said), "{text}");
    }
    let folder = tempfile::tempdir().unwrap();
    private(folder.path(), "secret", SECRET.as_bytes());
    let text = judge(folder.path(), channel, "");
    assert!(!text.contains("store"), "the folder of the store is made when it is first used: {text}");
}

#[test]
fn a_store_that_others_may_read_change_or_replace_is_named_with_what_to_do() {
    let channel = "{ type: webhook, url: https://soar.example/hook }";
    let folder = tempfile::tempdir().unwrap();
    private(folder.path(), "secret", SECRET.as_bytes());
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let said = |of_folder, of_database, of_log| {
        for (name, mode) in [("s.db", of_database), ("s.db-wal", of_log)] {
            private(&data, name, b"");
            fs::set_permissions(data.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::set_permissions(&data, fs::Permissions::from_mode(of_folder)).unwrap();
        judge(folder.path(), channel, "")
    };
    for (of_folder, of_database, of_log, what) in [
        (0o700, 0o600, 0o600, ""),
        (0o755, 0o600, 0o600, ""),
        (0o1777, 0o600, 0o600, ""),
        (0o777, 0o600, 0o600, "any user of this machine may put another file in the place of the store"),
        (0o777, 0o666, 0o600, "s.db` (mode 666)"),
        (0o700, 0o644, 0o600, "s.db` (mode 644)"),
        (0o700, 0o640, 0o600, "s.db` (mode 640)"),
        (0o700, 0o600, 0o606, "s.db-wal` (mode 606)"),
    ] {
        let text = said(of_folder, of_database, of_log);
        let is_said = text.contains("scorewatch.yaml:1:8: warning[store-open-to-others]: store: ");
        assert_eq!(is_said, !what.is_empty(), "{of_folder:o} {of_database:o} {of_log:o}: {text}");
        assert!(text.contains(what) && (what.is_empty() || text.contains("let nobody else in: `chmod ")), "{text}");
    }
}

#[test]
fn a_configuration_that_others_may_change_is_named_where_it_begins() {
    let channel = "{ type: webhook, url: https://soar.example/hook }";
    let folder = tempfile::tempdir().unwrap();
    private(folder.path(), "secret", SECRET.as_bytes());
    let main = folder.path().join("scorewatch.yaml");
    for (file, of_folder, said) in [
        (0o644, 0o755, None),
        (0o660, 0o770, None),
        (0o666, 0o755, Some("any user of this machine may change this file (mode 666)")),
        (0o644, 0o777, Some("any user of this machine may put another file in the place of this one")),
        (0o644, 0o1777, None),
    ] {
        judge(folder.path(), channel, "");
        fs::set_permissions(&main, fs::Permissions::from_mode(file)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(of_folder)).unwrap();
        let text = judge(folder.path(), channel, "");
        let is_said = text.contains("scorewatch.yaml:1:1: warning[configuration-open-to-others]");
        assert_eq!(is_said, said.is_some(), "{file:o} {of_folder:o}: {text}");
        assert!(text.contains(said.unwrap_or_default()), "{text}");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn a_comment_switches_such_a_warning_off_and_no_error() {
    let folder = tempfile::tempdir().unwrap();
    private(folder.path(), "secret", SECRET.as_bytes());
    let allowed =
        "{ type: webhook, url: http://soar.example/hook } # scorewatch: allow(no-rules, operator-has-one-channel)";
    let text = judge(folder.path(), allowed, "");
    assert!(text.contains("error: channels.soc.url"), "{text}");
}

#[test]
fn an_exclusion_ends_within_a_year_and_its_end_is_said_in_time() {
    for (until, said) in [
        ("2026-11-30", "warning[exclusion-ended]: tenants[0].exclude[0].until: the exclusion ended on 2026-11-30"),
        ("2026-12-01", "warning[exclusion-ends-soon]: tenants[0].exclude[0].until: the exclusion ends on 2026-12-01"),
        ("2026-12-30", "warning[exclusion-ends-soon]"),
        ("2026-12-31", ""),
        ("2027-11-30", ""),
        ("2027-12-02", "error: tenants[0].exclude[0].until: an exclusion lasts at most a year"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        private(folder.path(), "secret", SECRET.as_bytes());
        private(folder.path(), "url", b"https://soar.example/hook");
        let exclusion = format!(" }}, exclude: [{{ controls: [MFA], reason: Okta, until: {until} }}], labels: {{");
        let text = judge(folder.path(), "{ type: webhook, url: { file: url } }", &exclusion);
        let is_said = text.contains("exclude[0].until");
        assert!(text.contains(said) && is_said != said.is_empty(), "{until}: {text}");
    }
}

#[test]
fn a_client_secret_that_can_not_be_one_and_a_cut_signature_are_warned_of() {
    let (long, cut) = ("a".repeat(300), TEAMS.get(..TEAMS.len() - 30).unwrap());
    for (secret, url, said) in [
        (SECRET, TEAMS, ""),
        ("\"abc8Q~dEfGhIjKlMnOpQrStUv\"", TEAMS, "warning[secret-looks-wrong]: tenants[0].credential.secret: "),
        ("CLIENT_SECRET=abc8Q~dEfGhIjKlMnOpQrStUv", TEAMS, "begins with a name, like `CLIENT_SECRET=`"),
        ("<client secret>", TEAMS, "looks like a placeholder"),
        ("x", TEAMS, "has only 1 character, and a client secret has about 40"),
        (&long, TEAMS, "has 300 characters, and a client secret has about 40"),
        (
            SECRET,
            cut,
            "warning[url-looks-damaged]: channels.soc.url: the channel's URL is probably damaged: its `sig=` has 13",
        ),
        (SECRET, &format!("{TEAMS}."), "the channel's URL is refused: it ends with `.`, which is not a part of it"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        private(folder.path(), "secret", secret.as_bytes());
        private(folder.path(), "url", url.as_bytes());
        let text = judge(folder.path(), "{ type: teams, url: { file: url } }", ", expires: 2027-03-01");
        let is_said = if said.is_empty() { !text.contains("secret-looks-wrong") } else { text.contains(said) };
        assert!(is_said && text.contains("url-looks-damaged") == said.contains("url-looks"), "{said}: {text}");
        assert!(!text.contains("abc8Q") && !text.contains("aaaa"), "{text}");
    }
}
