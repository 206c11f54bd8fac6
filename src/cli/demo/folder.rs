//! The demo's configuration: real files, as an operator would write them.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use crate::{
    domain::Timestamp,
    simulation::{Cloud, Receivers, scenario::Scenario},
};

/// When customers are checked while the story goes on.
const EVERY_SECOND: &str = "* * * * * *";
/// When they are checked on a slow machine: more often, our own limit of calls per minute would end a long story.
const EVERY_OTHER_SECOND: &str = "*/2 * * * * *";
/// When they are checked once the story is over.
const EVERY_MINUTE: &str = "0 * * * * *";
/// For how many seconds a fall waits for the rest of the fleet.
const HOLD_SECONDS: u64 = 2;
/// How far ahead the maintenance window opens: messages of a demo during it would wait for its end.
const UNTIL_MAINTENANCE: Duration = Duration::from_hours(72);
/// The rules: one that looks at each tenant on its own, and one that waits for the fleet.
const RULES: &str = "\
rules:
  - name: device-score-drop
    about: Devices became less secure.
    score: device-secure-score
    when: { drop: 5%, within: 24h }
    severity: critical
    repeat: 8h
    fleet: off
    notify: [soc, soar]
    runbook: https://wiki.example/device-score
  - name: device-score-floor
    about: No customer should stay below this.
    score: device-secure-score
    when: { below: 432 }
    for: 8h
    severity: info
    fleet: off
    notify: []
  - name: exposure-rise
    about: More weaknesses are exposed.
    score: exposure-score
    when: { rise: 10pts, within: 24h }
    severity: warning
    tenant_channels: off
    notify: [soc]
";

/// Who gets in, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doors<'a> {
    /// Whether people sign in.
    pub(super) sign_in: bool,
    /// Where a proxy on this machine serves the dashboard.
    pub(super) public_url: Option<&'a str>,
}

impl Doors<'_> {
    fn written(self) -> String {
        let public_url = self.public_url.map_or_else(String::new, |url| format!("public_url: \"{url}\"\n"));
        let sign_in = if self.sign_in { "always" } else { "auto" };
        format!("{public_url}access: {{ sign_in: {sign_in}, trusted_proxies: [127.0.0.1] }}\n")
    }
}

/// Writes configuration, rules and secrets into a folder.
///
/// # Errors
/// That of the disk.
pub(super) fn write(
    folder: &Path,
    scenario: &Scenario,
    cloud: &Cloud,
    receivers: &Receivers,
    doors: Doors<'_>,
    now: Timestamp,
) -> io::Result<()> {
    let secrets = folder.join("secrets");
    fs::create_dir(&secrets)?;
    let channels = [
        ("soc", "teams", receivers.add_teams("soc"), ", digest: { over: 3 }"),
        ("fabrikam-slack", "slack", receivers.add_slack("fabrikam-slack"), ", tenants: [fabrikam]"),
        ("soar", "webhook", receivers.add_webhook("soar"), ""),
    ];
    let base = cloud.base_url();
    let doors = doors.written();
    let (schedule, fleet) = (schedule(EVERY_SECOND), fleet(HOLD_SECONDS));
    let weekday = maintenance_day(now);
    let mut text = format!(
        "{doors}store: sqlite://data/scorewatch.db\nlisten: 127.0.0.1:0\n{schedule}\ntimezone: UTC\nspread: 0s\n\
         scores: [device-secure-score, exposure-score, secure-score]\n{fleet}\n\
         endpoints: {{ login: \"{base}\", defender: \"{base}\", graph: \"{base}\" }}\nrules: [rules.yaml]\n\
         maintenance:\n  - {{ name: patch-night, from: \"0 0 22 * * {weekday}\", for: 6h, tenants: {{ tier: gold }}, rules: exposure-rise }}\n\
         operator: {{ notify: [soc], blind_after: 1s }}\nchannels:\n"
    );
    for (name, kind, url, more) in &channels {
        write_secret(&secrets.join(name), url)?;
        // Writing to a `String` can't fail.
        let _ = writeln!(
            text,
            "  {name}: {{ type: {kind}, url: {{ file: secrets/{name} }}, allow_private: true, pace: 50ms, drill: off, \
             retry: {{ first: 200ms, max: 400ms, give_up: 1h }}{more} }}"
        );
    }
    text.push_str("tenants:\n");
    for actor in &scenario.tenants {
        write_secret(&secrets.join(actor.id), actor.secret)?;
        let notify = if actor.id == "fabrikam" { "[fabrikam-slack]" } else { "[]" };
        let _ = writeln!(
            text,
            "  - {{ id: {id}, name: \"{name}\", tenant_id: {entra}, notify: {notify}, labels: {{ {labels} }}, \
             credential: {{ client_id: {client}, secret: {{ file: secrets/{id} }} }} }}",
            id = actor.id,
            name = actor.name,
            entra = actor.entra,
            labels = actor.labels.map(|(key, value)| format!("{key}: {value}")).join(", "),
            client = actor.client_id
        );
    }
    fs::write(folder.join("scorewatch.yaml"), text)?;
    fs::write(folder.join("rules.yaml"), RULES)
}

/// Writes a secret into a file that only its owner can read, as the folder may be kept.
fn write_secret(path: &Path, secret: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(secret.as_bytes())
}

/// Lets each customer be checked once a minute from the next reload on.
///
/// # Errors
/// That of the disk.
pub(super) fn check_every_minute(folder: &Path) -> io::Result<()> {
    let slow = schedule(EVERY_MINUTE);
    replace(folder, &[(&schedule(EVERY_SECOND), &slow), (&schedule(EVERY_OTHER_SECOND), &slow)])
}

/// On a slow machine, lets customers be checked less often from the next reload on, and a fall wait for as many seconds for the rest
/// of the fleet.
///
/// # Errors
/// That of the disk.
pub(super) fn slow_down(folder: &Path, hold_seconds: u64) -> io::Result<()> {
    let changes = [(schedule(EVERY_SECOND), schedule(EVERY_OTHER_SECOND)), (fleet(HOLD_SECONDS), fleet(hold_seconds))];
    replace(folder, &changes.each_ref().map(|(written, instead)| (written.as_str(), instead.as_str())))
}

/// The day of the week on which the maintenance window opens.
fn maintenance_day(now: Timestamp) -> String {
    now.plus(UNTIL_MAINTENANCE).to_chrono().format("%a").to_string().to_uppercase()
}

fn schedule(cron: &str) -> String {
    format!("schedule: \"{cron}\"")
}

fn fleet(hold_seconds: u64) -> String {
    format!("fleet: {{ hold: {hold_seconds}s, at_least: 5 }}")
}

fn replace(folder: &Path, changes: &[(&str, &str)]) -> io::Result<()> {
    let file = folder.join("scorewatch.yaml");
    let text = fs::read_to_string(&file)?;
    fs::write(&file, changes.iter().fold(text, |text, (written, instead)| text.replace(written, instead)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_maintenance_window_is_open_during_a_demo() {
        let day = |at: Timestamp| at.to_chrono().format("%a").to_string().to_uppercase();
        for hour in 0..7 * 24 {
            let now = Timestamp::from_seconds(hour * 3_600);
            // It may have opened last night, or open while the demo runs.
            let near = [now, now.minus(Duration::from_hours(24)), now.plus(Duration::from_hours(24))].map(day);
            assert!(!near.contains(&maintenance_day(now)), "{now:?}");
        }
    }
}
