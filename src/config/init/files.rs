//! What is in each file of a new folder.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use serde_yaml::Value;

use super::{
    super::{
        channel::{Answer, asked},
        place::NewFile,
    },
    Answers, NewChannel, NewTenant, Target,
    rules::rules,
};
use crate::{domain::Cloud, secret::SecretString};

/// The unit that is shipped, which is the same in another folder.
const UNIT: &str = include_str!("../../../deploy/scorewatch.service");
/// The folder that it names.
const UNIT_FOLDER: &str = "/etc/scorewatch";

/// The mode of what anyone may read; the service is another user than the one who writes.
const READABLE: u32 = 0o644;
/// The mode of a secret.
const PRIVATE: u32 = 0o600;

/// The file with the secret of the app that signs in to every tenant.
const APP: &str = "app";

/// Words that some YAML readers take for something else than text.
const NOT_TEXT: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// Every file of the folder, with its text; secrets have a mode of their own.
#[must_use]
pub fn files(answers: &Answers) -> Vec<NewFile> {
    let Answers { target, folder, tenant, scores, channel, .. } = answers;
    // The service of another user must be able to read it; one's own follow the umask.
    let mode = (*target == Target::Systemd).then_some(READABLE);
    let text = |path: &str, text: String| NewFile { path: folder.join(path), text: text.into(), mode };
    let secret = |name: &str, secret: &SecretString| NewFile {
        path: folder.join("secrets").join(name),
        text: secret.clone(),
        mode: Some(PRIVATE),
    };
    let mut files = vec![
        text("scorewatch.yaml", main(answers)),
        text("rules.yaml", rules(&channel.name, scores)),
        text(&format!("tenants/{}.yaml", tenant.id), of_tenant(tenant)),
        secret(APP, &tenant.secret),
    ];
    if let Some((_, kept)) = &channel.secret {
        files.push(secret(&of_channel(answers), kept));
    }
    match target {
        Target::Systemd if answers.has_unit => {}
        Target::Systemd => files.push(text("scorewatch.service", unit(folder))),
        Target::Folder => files.push(text(".gitignore", "/data/\n/secrets/\n".to_owned())),
        Target::Container => {
            files.push(text(".gitignore", "/data/\n/secrets/\n".to_owned()));
            // The container mounts the store's folder there.
            files.push(text("data/.gitignore", "*\n".to_owned()));
        }
    }
    files
}

/// The name of the file with the channel's secret; the app's has another.
fn of_channel(answers: &Answers) -> String {
    let name = answers.channel.name.as_str();
    if name == APP { format!("channel-{name}") } else { name.to_owned() }
}

fn main(answers: &Answers) -> String {
    let Answers { target, scores, channel, timezone, .. } = answers;
    let store = match target {
        Target::Folder | Target::Container => "sqlite://data/scorewatch.db",
        Target::Systemd => "sqlite:///var/lib/scorewatch/scorewatch.db",
    };
    let listen = match target {
        Target::Folder | Target::Systemd => {
            "listen: 127.0.0.1:8080            # dashboard, API, metrics, /healthz, /readyz; without a password\n"
        }
        Target::Container => {
            "# Dashboard, API, metrics, /healthz, /readyz, inside the container. Publish the port on loopback only.\n\
             # scorewatch: allow(listen-beyond-loopback)\n\
             listen: 0.0.0.0:8080\n"
        }
    };
    let scores: Vec<&str> = scores.iter().map(|score| score.as_str()).collect();
    format!(
        "# Written by `scorewatch init`. Every path is relative to this file. After a change, run `scorewatch check`.\n\n\
         store: {store}\n\
         {listen}\
         schedule: \"0 */15 * * * *\"        # every 15 minutes: second minute hour day month weekday\n\
         timezone: {timezone}\n\
         spread: 10m                       # the checks of a tick are spread over this window\n\n\
         scores: [{}]\n\
         rules: [rules.yaml]\n\
         tenants: [tenants/*.yaml]\n\n\
         # The app that signs in to every tenant. A tenant with an app of its own has a `credential:` in its own file.\n\
         credential:\n  \
         client_id: {}\n  \
         secret: {}\n\
         {}\n\
         channels:\n{}\n\
         # Notified when a tenant can't be read or a channel fails. A channel can't report its own failure: add a second\n\
         # one here, and then delete the next line.\n\
         # scorewatch: allow(operator-has-one-channel)\n\
         operator: {{ notify: [{}] }}\n",
        scores.join(", "),
        answers.tenant.client_id,
        kept(*target, APP),
        expires(&answers.tenant),
        channel_text(channel, *target, &of_channel(answers)),
        channel.name
    )
}

fn channel_text(channel: &NewChannel, target: Target, file: &str) -> String {
    let mut text = format!("  {}:\n    type: {}\n", channel.name, channel.kind);
    for asked in asked(channel.kind) {
        let value = match (asked.answer, &channel.secret) {
            (Answer::Secret, Some((key, _))) if *key == asked.key => Some(kept(target, file)),
            (Answer::Secret, _) => None,
            (Answer::Text, _) => channel.keys.get(asked.key).map(|value| scalar(value)),
            (Answer::List, _) => channel.keys.get(asked.key).map(|value| list(value)),
        };
        if let Some(value) = value {
            // Writing to a `String` can't fail.
            let _ = writeln!(text, "    {}: {value}", asked.key);
        }
    }
    text
}

/// The day on which the secret expires, or how to write it.
fn expires(tenant: &NewTenant) -> String {
    match &tenant.expires {
        Some(day) => format!("  expires: {day}             # warnings 30, 14 and 7 days and one day ahead\n"),
        None => "  # expires: 2027-03-01           # the day on which the secret expires: warnings are sent ahead\n"
            .to_owned(),
    }
}

fn of_tenant(tenant: &NewTenant) -> String {
    let NewTenant { id, name, entra, cloud, .. } = tenant;
    let cloud = if *cloud == Cloud::default() { String::new() } else { format!("cloud: {cloud}\n") };
    format!("id: {id}\nname: {}\ntenant_id: {entra}\n{cloud}", scalar(name))
}

/// The reference to a secret.
fn kept(target: Target, name: &str) -> String {
    match target {
        Target::Folder | Target::Container => format!("{{ file: secrets/{name} }}"),
        // As the unit passes on each file of the folder.
        Target::Systemd => format!("{{ credential: secrets_{name} }}"),
    }
}

fn unit(folder: &Path) -> String {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| PathBuf::from(folder));
    UNIT.replace(UNIT_FOLDER, &folder.to_string_lossy())
}

/// A text as YAML reads it back, whatever is in it.
fn scalar(text: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, ' ' | '.' | '_' | '-' | '/' | '@');
    let reads_back = serde_yaml::from_str::<Value>(text).is_ok_and(|value| value.as_str() == Some(text));
    let is_word = !NOT_TEXT.contains(&text.to_lowercase().as_str());
    if text.starts_with(char::is_alphabetic) && text.chars().all(is_plain) && reads_back && is_word {
        return text.to_owned();
    }
    // What JSON writes in quotes, YAML reads.
    serde_json::Value::from(text).to_string()
}

/// A list of texts that are separated by commas; `true` stays as it is.
fn list(text: &str) -> String {
    if text == "true" {
        return text.to_owned();
    }
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    format!("[{}]", items.map(scalar).collect::<Vec<_>>().join(", "))
}
