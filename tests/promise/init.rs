//! A new user gets from nothing to the first alert with `scorewatch init`, and a wrong answer leaves nothing behind.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio},
};

use scorewatch::domain::EntraTenantId;
use uuid::Uuid;

use crate::harness::{HIGH, LOW, Service, World, files_below};

const BINARY: &str = env!("CARGO_BIN_EXE_scorewatch");
const TENANT: &str = "2f1c0a5e-0000-4000-8000-000000000001";
const APP: &str = "6d2a0000-0000-4000-8000-000000000002";
const SECRET: &str = "zebra-value-of-a-secret";

/// Runs the binary in a folder; standard input is no terminal.
fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(BINARY);
    command.args(arguments).current_dir(folder).env_clear();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that does not read it may have ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The flags that suffice, with a webhook whose URL is in the file `url`.
const FLAGS: [&str; 14] = [
    "init",
    "scores",
    "--tenant-name",
    "Contoso Ltd",
    "--tenant-id",
    TENANT,
    "--client-id",
    APP,
    "--secret-file",
    "-",
    "--channel",
    "webhook",
    "--channel-secret-file",
    "url",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flags_alone_lead_from_nothing_to_the_first_alert() {
    let world = World::new().await;
    let entra = EntraTenantId(TENANT.parse().unwrap());
    world.cloud.add_tenant(entra, APP.parse::<Uuid>().unwrap(), SECRET, HIGH);
    let folder = world.folder.path();
    fs::write(folder.join("url"), world.receivers.add_webhook("first")).unwrap();

    let inside = ["--channel-key", "allow_private=127.0.0.0/8", "--timezone", "Europe/Berlin"];
    let output = run(folder, &[&FLAGS[..], &inside].concat(), &format!("{SECRET}\r\n"));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(
        !said(&output).contains(SECRET) && said(&output).contains("scorewatch check --online"),
        "{}",
        said(&output)
    );

    // Exactly one file has the secret, and nobody else may read it.
    let scores = folder.join("scores");
    let with_secret: Vec<_> =
        files_below(&scores).into_iter().filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains(SECRET)).collect();
    assert_eq!(with_secret, [(scores.join("secrets/app").display().to_string(), SECRET.into())]);
    let mode = |path: &str| fs::metadata(scores.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("secrets"), mode("secrets/app"), mode("secrets/soc-webhook")), (0o700, 0o600, 0o600));

    let output = run(&scores, &["check", "--strict"], "");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("fine"), "{}", said(&output));

    // The same configuration, with the simulated cloud in the place of Microsoft's.
    let main = scores.join("scorewatch.yaml");
    let base = world.cloud.base_url();
    let text = fs::read_to_string(&main).unwrap().replace("127.0.0.1:8080", "127.0.0.1:0");
    let text = text.replace("0 */15 * * * *", "* * * * * *").replace("spread: 10m", "spread: 0s");
    fs::write(&main, format!("{text}endpoints: {{ login: \"{base}\", defender: \"{base}\" }}\n")).unwrap();
    let service = Service::spawn(&main, &[]);
    service.listening().await;
    let read = world.cloud.wait_for(|cloud| cloud.tenant_counts(entra).score_requests > 2);
    world.patiently(&service, "checks of the new tenant", read).await;
    world.cloud.set_score(entra, scorewatch::domain::ScoreKind::DeviceSecureScore, LOW);
    world
        .until(&service, "first", |arrived| {
            arrived.iter().any(|arrived| arrived.kind == "alert.firing" && arrived.tenant == "contoso-ltd")
        })
        .await;
    assert!(service.stop().await.success());
}

#[test]
fn nothing_is_overwritten_and_a_wrong_answer_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("url"), "https://soar.example/hook").unwrap();
    fs::write(folder.join("bad"), "http://soar.example/hook").unwrap();
    let with = |flag: &str, value: &'static str| {
        let mut flags = FLAGS.to_vec();
        let at = flags.iter().position(|one| *one == flag).unwrap();
        flags[at + 1] = value;
        flags
    };
    for (flags, input, expected) in [
        (
            vec!["init"],
            "",
            "--tenant-name NAME\n  --tenant-id GUID\n  --client-id GUID\n  --secret-file FILE\n  --channel TYPE",
        ),
        (FLAGS[..12].to_vec(), SECRET, "add these flags:\n  --channel-secret-file FILE"),
        (with("--tenant-id", "contoso.com"), SECRET, "--tenant-id: `contoso.com` is not a GUID"),
        (with("--channel", "pigeon"), SECRET, "--channel: `pigeon` is not known; write one of teams, slack"),
        (with("--channel-secret-file", "bad"), SECRET, "the channel would not work: "),
        (with("--channel-secret-file", "nowhere"), SECRET, "file nowhere: does not exist"),
        (FLAGS.to_vec(), APP, "--secret-file: this is a GUID, which looks like the secret's ID"),
        (FLAGS.to_vec(), "", "--secret-file: the secret is empty"),
        (
            [&FLAGS[..], &["--channel-key", "color=red"]].concat(),
            SECRET,
            "--channel-key: `color` is not asked of a channel",
        ),
        ([&FLAGS[..], &["--timezone", "Berlin"]].concat(), SECRET, "--timezone: `Berlin` is not a time zone"),
    ] {
        let output = run(folder, &flags, input);
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {}", said(&output));
        assert!(said(&output).contains(expected), "{flags:?}: {}", said(&output));
        assert!(!said(&output).contains("zebra") && !folder.join("scores").exists(), "{flags:?}");
    }
    assert_eq!(run(folder, &FLAGS, SECRET).status.code(), Some(0));
    let before = files_below(folder);
    let output = run(folder, &FLAGS, "another-value-of-a-secret");
    assert_eq!(output.status.code(), Some(2));
    for file in
        ["scores/scorewatch.yaml", "scores/rules.yaml", "scores/tenants/contoso-ltd.yaml", "scores/secrets/soc-webhook"]
    {
        assert!(said(&output).contains(&format!("\n  {file}")), "{}", said(&output));
    }
    assert_eq!(files_below(folder), before);
}

/// The binary on a terminal of its own, which `script` gives it.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    shown: String,
}

impl Terminal {
    fn start(folder: &Path, command: &str) -> Self {
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", command, "/dev/null"]).current_dir(folder);
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (keys, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, keys, screen, shown: String::new() }
    }

    /// Reads the screen up to the next question and what is asked there; to the end if there is none.
    fn question(&mut self) -> String {
        let begin = self.shown.len();
        let mut byte = [0];
        while !self.shown[begin..].ends_with("\n> ") && self.screen.read(&mut byte).unwrap_or(0) == 1 {
            // The texts of `init` are ASCII, and so is what this test types.
            self.shown.push(char::from(byte[0]));
        }
        self.shown[begin..].to_owned()
    }

    fn answer(&mut self, line: &str) {
        self.keys.write_all(format!("{line}\n").as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }
}

#[test]
#[ignore = "needs script, for a terminal"]
fn a_person_is_asked_for_everything_and_no_secret_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("taken")).unwrap();
    fs::write(folder.path().join("taken/scorewatch.yaml"), "").unwrap();
    let mut terminal = Terminal::start(folder.path(), &format!("{BINARY} init"));
    let url = "https://hooks.slack.com/services/T00000000/B00000000/zebrazebrazebrazebrazebr";
    for (asked, answer) in [
        ("Where will the service run", "folder"),
        ("Folder [scores]", "taken"),
        ("there is a configuration in `taken` already", "mine"),
        ("Display name of the first tenant", "Contoso Ltd"),
        ("Directory (tenant) ID", "not a guid"),
        ("`not a guid` is not a GUID", TENANT),
        ("Id of the tenant in Scorewatch [contoso-ltd]", ""),
        ("Cloud [commercial]", ""),
        ("Application (client) ID", APP),
        ("Client secret (what you type or paste is not shown)", APP),
        ("looks like the secret's ID", SECRET),
        ("Day on which the client secret expires", ""),
        ("Scores to read", ""),
        ("Time zone [", "Europe/Berlin"),
        ("Type of the first channel", "teams"),
        ("Name of the channel [soc-teams]", ""),
        // A URL of another service.
        ("URL of the Teams workflow", url),
        ("This channel would not work: it is a Slack webhook", "slack"),
        ("Name of the channel [soc-slack]", ""),
        ("URL of the Slack webhook (what you type or paste is not shown)", url),
    ] {
        let shown = terminal.question();
        assert!(shown.contains(asked), "{asked} is not in {shown}\n{}", terminal.shown);
        terminal.answer(answer);
    }
    terminal.question();
    let status = terminal.child.wait().unwrap();
    assert!(status.success(), "{}", terminal.shown);
    assert!(terminal.shown.contains("cd mine") && !terminal.shown.contains("zebra"), "{}", terminal.shown);
    let output = run(&folder.path().join("mine"), &["check", "--strict"], "");
    assert!(output.status.success(), "{}", said(&output));
    let secret = fs::read_to_string(folder.path().join("mine/secrets/soc-slack")).unwrap();
    assert_eq!(secret, url);
}

#[test]
#[ignore = "needs script, for a terminal"]
fn a_person_who_ends_the_input_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for key in ["\u{3}", "\u{4}"] {
        let mut terminal = Terminal::start(folder.path(), &format!("{BINARY} init"));
        terminal.question();
        terminal.answer("");
        terminal.question();
        terminal.keys.write_all(key.as_bytes()).unwrap();
        terminal.keys.flush().unwrap();
        terminal.question();
        assert!(!terminal.child.wait().unwrap().success(), "{key:?}");
        assert!(terminal.shown.contains("nothing was written"), "{}", terminal.shown);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_missing_configuration_points_to_init() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["check"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("there is no such file; run `scorewatch init`"), "{}", said(&output));
}

#[test]
fn completions_and_man_pages_cover_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = run(folder.path(), &["completions", shell], "");
        let script = said(&output);
        assert!(output.status.success() && script.contains("scorewatch") && script.contains("who-sees"), "{shell}");
    }
    let output = run(folder.path(), &["man", "--out", "pages"], "");
    assert!(output.status.success(), "{}", said(&output));
    for page in ["scorewatch", "scorewatch-init", "scorewatch-alerts-list", "scorewatch-tenants-import"] {
        let text = fs::read_to_string(folder.path().join(format!("pages/{page}.1"))).unwrap();
        assert!(text.contains(".SH NAME") && text.contains("config"), "{page}");
    }
    let output = run(folder.path(), &["man"], "");
    assert!(output.status.success() && said(&output).contains(".TH scorewatch"));
    let version = said(&run(folder.path(), &["--version"], ""));
    assert!(version.starts_with(concat!("scorewatch ", env!("CARGO_PKG_VERSION"))), "{version}");
}
