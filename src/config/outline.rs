//! What the files say, key by key, so that two versions of a configuration can be compared in their own words.

use std::{collections::BTreeMap, path::Path};

use serde_yaml::Value;

use super::{
    draft::Draft,
    files::{self, Source},
    scope::Scope,
};
use crate::secret::{redact::echo, redact_url};

/// Texts by the way to them: `when.drop` and `5%`.
pub type Fields = BTreeMap<String, String>;

/// Keys with text for people to read: a URL in such a text is not secret.
const PUBLIC: [&str; 4] = ["about", "runbook", "public_url", "reason"];

/// What the files of a configuration say. Defaults are absent, and so is what could hold a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// The tenants, by id.
    pub tenants: BTreeMap<String, Fields>,
    /// The rules, by name.
    pub rules: BTreeMap<String, Fields>,
    /// The channels, by name.
    pub channels: BTreeMap<String, Fields>,
    /// Everything else at the top of the main file.
    pub service: Fields,
}

impl Outline {
    /// Reads the files of a configuration that is known to be valid. What can't be read is left out.
    #[must_use]
    pub fn read(file: &Path) -> Self {
        let mut draft = Draft::default();
        let Some(source) = files::read(file, &mut draft) else { return Self::default() };
        let mut outline = Self::without_tenants(&source);
        if let Some(list) = source.value.get("tenants") {
            outline.take_all(Kind::Tenant, list, &source.scope().key("tenants"), &mut draft);
        }
        outline
    }

    /// What a main file says and the rule files that it names: tenants may be many.
    #[must_use]
    pub(super) fn without_tenants(source: &Source) -> Self {
        let (mut draft, mut outline) = (Draft::default(), Self::default());
        let top = source.scope();
        for (key, value) in entries(&source.value) {
            match key {
                "tenants" => {}
                "rules" => outline.take_all(Kind::Rule, value, &top.key("rules"), &mut draft),
                "channels" => {
                    let channels = entries(value).map(|(name, value)| (name.to_owned(), fields(value)));
                    outline.channels.extend(channels);
                }
                key => flatten(key, value, &mut outline.service),
            }
        }
        outline
    }

    /// Takes what a list holds, and what the files hold that it names.
    fn take_all(&mut self, kind: Kind, list: &Value, at: &Scope<'_>, draft: &mut Draft) {
        for item in list.as_sequence().into_iter().flatten() {
            let Value::String(pattern) = item else {
                self.take(kind, item);
                continue;
            };
            for path in files::find(pattern, at, draft) {
                if let Some(source) = files::read(&path, draft) {
                    let inner = if kind == Kind::Rule { source.value.get("rules") } else { Some(&source.value) };
                    match inner {
                        Some(Value::Sequence(all)) => all.iter().for_each(|one| self.take(kind, one)),
                        Some(one) => self.take(kind, one),
                        None => {}
                    }
                }
            }
        }
    }

    fn take(&mut self, kind: Kind, value: &Value) {
        let (key, all) = match kind {
            Kind::Tenant => ("id", &mut self.tenants),
            Kind::Rule => ("name", &mut self.rules),
        };
        let mut fields = fields(value);
        if let Some(name) = fields.remove(key) {
            all.insert(name, fields);
        }
    }
}

/// What is read from files of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tenant,
    Rule,
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_mapping().into_iter().flatten().filter_map(|(key, value)| Some((key.as_str()?, value)))
}

fn fields(value: &Value) -> Fields {
    let mut fields = Fields::new();
    for (key, value) in entries(value) {
        flatten(key, value, &mut fields);
    }
    fields
}

/// Notes every text below a key by the way to it. A list of texts is one text; items of other lists go by their name or number.
fn flatten(path: &str, value: &Value, fields: &mut Fields) {
    match value {
        Value::Mapping(_) => entries(value).for_each(|(key, value)| flatten(&format!("{path}.{key}"), value, fields)),
        Value::Sequence(items) if items.iter().any(Value::is_mapping) => {
            for (index, item) in items.iter().enumerate() {
                let name = item.get("name").and_then(Value::as_str);
                let name = name.map_or_else(|| (index + 1).to_string(), str::to_owned);
                flatten(&format!("{path}[{name}]"), item, fields);
            }
        }
        // Its arguments may be secret.
        Value::Sequence(items) if path.rsplit('.').next() == Some("exec") => {
            let mut texts = items.iter().filter_map(|item| text(path, item));
            let (program, arguments) = (texts.next().unwrap_or_default(), texts.collect::<Vec<_>>().join(" "));
            fields.insert(path.to_owned(), format!("[{program}, {}]", redact_url(&arguments)));
        }
        Value::Sequence(items) => {
            let texts: Vec<_> = items.iter().filter_map(|item| text(path, item)).collect();
            fields.insert(path.to_owned(), format!("[{}]", texts.join(", ")));
        }
        scalar => fields.extend(text(path, scalar).map(|text| (path.to_owned(), text))),
    }
}

/// A scalar as it is written. Of an address that may hold a secret, its host and a fingerprint.
fn text(path: &str, value: &Value) -> Option<String> {
    let is_public = PUBLIC.contains(&path.rsplit('.').next().unwrap_or(path));
    match value {
        Value::String(text) if !is_public && text.contains("://") && echo(text) == "…" => Some(redact_url(text)),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_are_read_as_they_are_written_without_what_may_be_secret() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            (
                "scorewatch.yaml",
                "spread: 90m\nfleet: { hold: 5m }\nrules: [rules.yaml]\ntenants: [tenants/*.yaml, { id: d, name: D }]\n\
                 maintenance: [{ name: weekly, from: \"0 0 2 * * SUN\" }]\n\
                 channels: { soc: { type: webhook, url: \"https://soar.example/hunter2\", tenants: [a, b] }, \
                 page: { type: teams, url: { exec: [/usr/bin/get, --token, hunter2] } } }\n",
            ),
            ("rules.yaml", "rules: [{ name: low, when: { below: 300 }, runbook: https://wiki.example/low }]"),
            ("tenants/one.yaml", "[{ id: a, credential: { secret: { file: x } } }, { id: b }]"),
            ("tenants/two.yaml", "{ id: c, name: C }"),
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let outline = Outline::read(&folder.path().join("scorewatch.yaml"));
        let written =
            |fields: &Fields| fields.iter().map(|(key, text)| format!("{key}: {text}")).collect::<Vec<_>>().join("; ");
        assert_eq!(
            written(&outline.service),
            "fleet.hold: 5m; maintenance[weekly].from: 0 0 2 * * SUN; maintenance[weekly].name: weekly; spread: 90m"
        );
        assert_eq!(written(&outline.rules["low"]), "runbook: https://wiki.example/low; when.below: 300");
        let channel = written(&outline.channels["soc"]);
        assert!(channel.starts_with("tenants: [a, b]; type: webhook; url: https://soar.example/…#"), "{channel}");
        let program = written(&outline.channels["page"]);
        assert!(program.contains("url.exec: [/usr/bin/get, …#") && !program.contains("hunter2"), "{program}");
        assert_eq!(outline.tenants.keys().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        assert_eq!(written(&outline.tenants["a"]), "credential.secret.file: x");
    }
}
