//! The demo's configuration: real files, as an operator would write them.

use std::{fmt::Write as _, fs, io, path::Path};

use crate::simulation::{Cloud, Receivers, scenario::Scenario};

/// When customers are checked while the story goes on.
const EVERY_SECOND: &str = "schedule: \"* * * * * *\"";
/// For how long a fall waits for the rest of the fleet.
const HOLD: &str = "fleet: { hold: 2s, at_least: 5 }";
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
    notify: [soc-teams, soar]
    runbook: https://wiki.example/device-score
  - name: device-score-floor
    about: No customer should stay below this.
    score: device-secure-score
    when: { below: 440 }
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
    notify: [soc-teams]
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
    /// As configuration.
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
) -> io::Result<()> {
    let secrets = folder.join("secrets");
    fs::create_dir(&secrets)?;
    let channels = [
        ("soc-teams", "teams", receivers.add_teams("soc-teams"), ", digest: { over: 3 }"),
        ("fabrikam-slack", "slack", receivers.add_slack("fabrikam-slack"), ", tenants: [fabrikam]"),
        ("soar", "webhook", receivers.add_webhook("soar"), ""),
    ];
    let base = cloud.base_url();
    let doors = doors.written();
    let mut text = format!(
        "{doors}store: sqlite://data/scorewatch.db\nlisten: 127.0.0.1:0\n{EVERY_SECOND}\ntimezone: UTC\nspread: 0s\n\
         scores: [device-secure-score, exposure-score, secure-score]\n{HOLD}\n\
         endpoints: {{ login: \"{base}\", defender: \"{base}\", graph: \"{base}\" }}\nrules: [rules.yaml]\n\
         maintenance:\n  - {{ name: patch-night, from: \"0 0 22 * * TUE,FRI\", for: 6h, tenants: {{ tier: gold }}, rules: exposure-rise }}\n\
         operator: {{ notify: [soc-teams], blind_after: 1s }}\nchannels:\n"
    );
    for (name, kind, url, more) in &channels {
        fs::write(secrets.join(name), url)?;
        // Writing to a `String` can't fail.
        let _ = writeln!(
            text,
            "  {name}: {{ type: {kind}, url: {{ file: secrets/{name} }}, allow_private: true, pace: 50ms, drill: off, \
             retry: {{ first: 200ms, max: 400ms, give_up: 1h }}{more} }}"
        );
    }
    text.push_str("tenants:\n");
    for actor in &scenario.tenants {
        fs::write(secrets.join(actor.id), actor.secret)?;
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

/// Lets each customer be checked once a minute from the next reload on.
///
/// # Errors
/// That of the disk.
pub(super) fn check_every_minute(folder: &Path) -> io::Result<()> {
    replace(folder, EVERY_SECOND, "schedule: \"0 * * * * *\"")
}

/// Lets a fall wait for as many seconds for the rest of the fleet from the next reload on.
///
/// # Errors
/// That of the disk.
pub(super) fn hold_for(folder: &Path, seconds: u64) -> io::Result<()> {
    replace(folder, HOLD, &format!("fleet: {{ hold: {seconds}s, at_least: 5 }}"))
}

fn replace(folder: &Path, written: &str, instead: &str) -> io::Result<()> {
    let file = folder.join("scorewatch.yaml");
    fs::write(&file, fs::read_to_string(&file)?.replace(written, instead))
}
