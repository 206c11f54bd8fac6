//! What to do with a new folder.

use std::path::{Path, PathBuf};

use crate::config::init::{Answers, Target};

/// Where the unit expects the binary.
const BINARY: &str = "/usr/local/bin/scorewatch";

/// Where the dashboard is: each target listens, or publishes its port, there.
const DASHBOARD: &str = "http://127.0.0.1:8080/";

const CONSENT: &str = "signs in to the tenant; says which permission is missing, and shows the consent link";
const SEND: &str = "sends a message that is marked as a test";
/// How the commands of a container differ from one engine to the next.
const ENGINES: &str = "As root or with Docker, leave out `--userns=keep-id`. With SELinux, add `,Z` to `:ro`, and `:Z` to the folder `data`.";

/// A command, and what it does.
pub(super) type Step = (String, &'static str);

/// The next commands, in their order, and what else there is to know.
pub(super) fn steps(answers: &Answers) -> (Vec<Step>, Vec<String>) {
    let config = format!("--config {}", quoted(&answers.folder.join("scorewatch.yaml")));
    let second = "A channel can't report its own failure. Before you rely on Scorewatch, add a second channel for the operator: see \
                  `operator:` in scorewatch.yaml."
        .to_owned();
    let preview = format!("preview --rule blind --channel {} --send", answers.channel.name);
    let commands = match answers.target {
        Target::Folder => vec![
            (format!("cd {}", quoted(&answers.folder)), "the commands below look for `scorewatch.yaml` here"),
            ("scorewatch check --online".to_owned(), CONSENT),
            (format!("scorewatch {preview}"), SEND),
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
                (format!("sudo {binary} check --online {options}"), CONSENT),
                (format!("sudo {binary} {preview} {options}"), SEND),
                (format!("sudo systemctl enable --now {unit}"), "starts the service, now and at each boot"),
                ("journalctl --unit scorewatch --follow".to_owned(), "shows its log"),
            ];
            if !answers.has_unit && running != Path::new(BINARY) {
                commands.insert(0, (install, "puts the program where the unit expects it"));
            }
            commands
        }
        Target::Container => container(&preview, &seen_outside(&answers.folder)),
    };
    let folder = match answers.target {
        Target::Container => seen_outside(&answers.folder),
        Target::Folder | Target::Systemd => answers.folder.clone(),
    };
    let folder = folder.display();
    let where_next = format!(
        "To add customers, run `scorewatch tenants import` with a list, or put files into {folder}/tenants. Unless a file has a \
                 `credential:` of its own, the app in scorewatch.yaml signs in: a multi-tenant app that each customer consents to."
    );
    let dashboard = format!("While the service runs, its dashboard is at {DASHBOARD}.");
    let mut notes = vec![dashboard, second, where_next];
    if answers.target == Target::Container {
        notes.insert(0, ENGINES.to_owned());
    }
    (commands, notes)
}

/// A container's service runs in the image, and so do the commands that come before it.
fn container(preview: &str, folder: &Path) -> Vec<Step> {
    let (version, data) = (env!("CARGO_PKG_VERSION"), folder.join("data"));
    let image = format!(
        "--userns=keep-id --user \"$(id -u):$(id -g)\" -v {}:/etc/scorewatch:ro -v {}:/etc/scorewatch/data scorewatch:{version}",
        quoted(folder),
        quoted(&data)
    );
    vec![
        (format!("podman run --rm {image} check --online"), CONSENT),
        (format!("podman run --rm {image} {preview}"), SEND),
        (
            format!(
                "podman run -d --name scorewatch --read-only --cap-drop all --security-opt no-new-privileges \
                 -p 127.0.0.1:8080:8080 {image}"
            ),
            "runs the image of a release",
        ),
        ("podman exec scorewatch scorewatch health".to_owned(), "asks the service whether it is ready"),
    ]
}

/// The folder as the engine finds it. One directly below `/` was mounted there, so `init` runs in a container itself, which can't know where
/// the folder is outside; as the guide has it, it is mounted from the current folder under the same name.
fn seen_outside(folder: &Path) -> PathBuf {
    let folder = std::path::absolute(folder).unwrap_or_default();
    match (folder.parent(), folder.file_name()) {
        (Some(parent), Some(name)) if parent == Path::new("/") => Path::new(".").join(name),
        _ => folder,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_s_commands_run_in_the_image_on_the_folder_as_the_engine_finds_it() {
        for (folder, outside) in [("/scores", "./scores"), ("/home/ann/scores", "/home/ann/scores")] {
            let steps = container("preview --send", &seen_outside(Path::new(folder)));
            let mounts = format!(" -v {outside}:/etc/scorewatch:ro -v {outside}/data:/etc/scorewatch/data scorewatch:");
            let (last, before) = steps.split_last().unwrap();
            assert_eq!(before.len(), 3);
            assert!(before.iter().all(|(command, _)| command.starts_with("podman run ") && command.contains(&mounts)));
            assert!(before[0].0.ends_with(" check --online"), "{}", before[0].0);
            assert!(last.0.starts_with("podman exec "));
        }
        assert_eq!(seen_outside(Path::new("scores")), std::env::current_dir().unwrap().join("scores"));
    }
}
