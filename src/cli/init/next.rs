//! What to do with a new folder.

use std::path::Path;

use crate::config::init::{Answers, Target};

/// Where the unit expects the binary.
const BINARY: &str = "/usr/local/bin/scorewatch";

/// Where the dashboard is: each target listens, or publishes its port, there.
const DASHBOARD: &str = "http://127.0.0.1:8080/";

/// A command, and what it does.
pub(super) type Step = (String, &'static str);

/// The next commands, in their order, and what else there is to know.
pub(super) fn steps(answers: &Answers) -> (Vec<Step>, Vec<String>) {
    let folder = answers.folder.display();
    let config = format!("--config {}", quoted(&answers.folder.join("scorewatch.yaml")));
    let second = "A channel can't report its own failure. Before you rely on Scorewatch, add a second channel for the operator: see \
                  `operator:` in scorewatch.yaml."
        .to_owned();
    let consent = "signs in to the tenant; says which permission is missing, and shows the consent link";
    let send = "sends a message that is marked as a test";
    let preview = format!("preview --rule blind --channel {} --send", answers.channel.name);
    let commands = match answers.target {
        Target::Folder => vec![
            (format!("cd {}", quoted(&answers.folder)), "the commands below look for `scorewatch.yaml` here"),
            ("scorewatch check --online".to_owned(), consent),
            (format!("scorewatch {preview}"), send),
            ("scorewatch once".to_owned(), "checks the tenant once, now"),
            ("scorewatch run".to_owned(), "runs the service"),
        ],
        Target::Systemd => {
            let secrets = std::path::absolute(answers.folder.join("secrets")).unwrap_or_default();
            let written = quoted(&std::path::absolute(answers.folder.join("scorewatch.service")).unwrap_or_default());
            // A package puts both where they are found by name.
            let (binary, unit) =
                if answers.has_unit { ("scorewatch", "scorewatch".to_owned()) } else { (BINARY, written) };
            let options = format!("{config} --credentials secrets:{}", quoted(&secrets));
            let running = std::env::current_exe().unwrap_or_default();
            let install = format!("sudo install {} {BINARY}", quoted(&running));
            let mut commands = vec![
                (format!("sudo {binary} check --online {options}"), consent),
                (format!("sudo {binary} {preview} {options}"), send),
                (format!("sudo systemctl enable --now {unit}"), "starts the service, now and at each boot"),
                ("journalctl --unit scorewatch --follow".to_owned(), "shows its log"),
            ];
            if !answers.has_unit && running != Path::new(BINARY) {
                commands.insert(0, (install, "puts the program where the unit expects it"));
            }
            commands
        }
        Target::Container => vec![
            (format!("scorewatch check --online {config}"), consent),
            (format!("scorewatch {preview} {config}"), send),
            (
                format!(
                    "podman run -d --name scorewatch --read-only --cap-drop all --security-opt no-new-privileges \
                     --userns=keep-id --user \"$(id -u):$(id -g)\" -p 127.0.0.1:8080:8080 -v {folder}:/etc/scorewatch:ro \
                     -v {folder}/data:/etc/scorewatch/data scorewatch:{version}",
                    version = env!("CARGO_PKG_VERSION"),
                    folder = quoted(&std::path::absolute(&answers.folder).unwrap_or_default()),
                ),
                "runs the image of a release; with Docker, leave out `--userns=keep-id`; with SELinux, add `,Z` to `:ro` and `:Z` to `data`",
            ),
            ("podman exec scorewatch scorewatch health".to_owned(), "asks the service whether it is ready"),
        ],
    };
    let where_next = format!(
        "To add customers, run `scorewatch tenants import` with a list, or put files into {folder}/tenants. Unless a file has a \
                 `credential:` of its own, the app in scorewatch.yaml signs in: a multi-tenant app that each customer consents to."
    );
    let dashboard = format!("While the service runs, its dashboard is at {DASHBOARD}.");
    (commands, vec![dashboard, second, where_next])
}

/// A path as a shell reads it back.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
