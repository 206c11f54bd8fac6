//! The configuration folder: files as an operator writes them, in a temporary place.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use scorewatch::domain::EntraTenantId;
use uuid::Uuid;

/// A temporary folder with a configuration.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.path().join("data")).unwrap();
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path().join("scorewatch.yaml")
    }

    /// Replaces a file whole, so that nobody ever reads half of it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let fresh = path.with_extension("fresh");
        fs::write(&fresh, text).unwrap();
        fs::rename(&fresh, &path).unwrap();
    }
}

/// What `scorewatch.yaml` and the rules say.
pub(crate) struct Setup {
    base_url: String,
    /// Slugs, in the order of adding.
    pub(crate) tenants: Vec<String>,
    /// The lines below `channels:` in the configuration.
    pub(crate) channels: Vec<String>,
    /// Further top-level lines of the configuration.
    pub(crate) top: String,
    /// The whole rules file.
    pub(crate) rules: String,
    /// How long a tenant's checks may fail before the operator is notified.
    pub(crate) blind_after: &'static str,
    /// Where the store is.
    pub(crate) store: String,
}

impl Setup {
    pub(crate) fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            tenants: Vec::new(),
            channels: Vec::new(),
            top: String::new(),
            rules: "rules:\n  - name: device-score-low\n    score: device-secure-score\n    when: { below: 300 }\n    \
                    severity: warning\n    notify: [soc]\n"
                .to_owned(),
            blind_after: "2h",
            store: "sqlite://data/scorewatch.db".to_owned(),
        }
    }

    /// A webhook channel with an open URL, fast enough for a test.
    pub(crate) fn webhook(&mut self, name: &str, url: &str) {
        self.channel(name, &format!("type: webhook, url: \"{url}\""));
    }

    /// A channel of any kind, fast enough for a test.
    pub(crate) fn channel(&mut self, name: &str, keys: &str) {
        self.channels.push(format!(
            "{name}: {{ {keys}, allow_private: true, pace: 10ms, retry: {{ first: 50ms, max: 500ms, give_up: 24h }} }}"
        ));
    }

    /// No channel so far is ever drilled: where years pass, nothing is due but what the test brings about.
    pub(crate) fn without_drills(&mut self) {
        for channel in &mut self.channels {
            *channel = channel.replacen("allow_private:", "drill: off, allow_private:", 1);
        }
    }

    pub(super) fn yaml(&self) -> String {
        let base = &self.base_url;
        let mut yaml = format!(
            "store: {}\n\
             listen: 127.0.0.1:0\n\
             schedule: \"* * * * * *\"\n\
             timezone: UTC\n\
             spread: 0s\n\
             endpoints: {{ login: \"{base}\", defender: \"{base}\", graph: \"{base}\" }}\n\
             rules: [rules/*.yaml]\n\
             tenants: [tenants/*.yaml]\n\
             operator: {{ notify: [ops], blind_after: {} }}\n\
             channels:\n",
            self.store, self.blind_after
        );
        for channel in &self.channels {
            let _ = writeln!(yaml, "  {channel}");
        }
        // What happens in seconds here takes days elsewhere: scores go up and down, and whole fleets at once.
        for (key, written) in [
            ("scores:", "scores: [device-secure-score]\n"),
            ("fleet:", "fleet: { hold: 0s }\n"),
            ("flapping:", "flapping: { changes: 1000 }\n"),
        ] {
            if !self.top.contains(key) {
                yaml.push_str(written);
            }
        }
        yaml + &self.top
    }
}

pub(super) fn tenant_yaml(id: &str, entra: EntraTenantId, app: Uuid) -> String {
    format!(
        "id: {id}\nname: {id} Ltd\ntenant_id: {entra}\n\
         credential: {{ client_id: {app}, secret: {{ file: ../secrets/{id} }} }}\n"
    )
}
