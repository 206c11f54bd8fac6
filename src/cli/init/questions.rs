//! The questions: what is asked, why, and what is written if nobody answers.

use std::{
    collections::BTreeMap,
    fmt::Display,
    io::Read,
    path::{Path, PathBuf},
};

use super::{Arguments, network::Network, terminal};
use crate::{
    channel::ChannelKind,
    cli::{Failure, output, wrong_input},
    config::{
        Answer, Asked, asked,
        init::{
            Answers, NewChannel, NewTenant, Target, channel_complaint, client_secret, day, display_name, guid,
            one_line, slug_of, timezone,
        },
        nearest,
    },
    domain::{ChannelName, Cloud, Complaint, EntraTenantId, ScoreKind, TenantId},
    secret::{ExposeSecret, SecretReference, SecretString},
};

/// The name of the first channel if no other is wanted.
const CHANNEL: &str = "soc";
/// Where packages install the unit; the second is the older place.
const PACKAGED_UNITS: [&str; 2] =
    ["/usr/lib/systemd/system/scorewatch.service", "/lib/systemd/system/scorewatch.service"];
/// Where a unit with `ProtectHome=` and `PrivateTmp=` sees nothing of what is there.
const HIDDEN_BY_UNIT: [&str; 5] = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];
/// Most bytes of a secret on standard input.
const STDIN_BYTES_MAX: u64 = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The flags alone: a question without a flag takes its default or is an error.
    Flags,
    /// A person, as far as the flags do not.
    Person,
}

struct Question<'a> {
    /// The flag that answers it, with its value: `--tenant-id GUID`.
    flag: &'a str,
    /// What is asked, as a noun phrase.
    what: &'a str,
    /// Why it is asked, or where to find the answer.
    why: &'a str,
    /// The answer if nobody gives another; empty: there is none.
    default: &'a str,
    /// Whether there may be no answer at all.
    is_optional: bool,
    is_secret: bool,
}

impl<'a> Question<'a> {
    const fn new(flag: &'a str, what: &'a str, why: &'a str) -> Self {
        Self { flag, what, why, default: "", is_optional: false, is_secret: false }
    }

    const fn or(self, default: &'a str) -> Self {
        Self { default, ..self }
    }

    const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    const fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }
}

/// Asks, and keeps what could not be answered.
pub(super) struct Asker {
    by: By,
    missing: Vec<String>,
}

impl Asker {
    pub(super) const fn new(by: By) -> Self {
        Self { by, missing: Vec::new() }
    }

    /// The flags that would have answered what nobody did.
    pub(super) fn missing(&self) -> &[String] {
        &self.missing
    }

    /// The answer, by the flag if it was given. `None`: there is none, or nobody gave it.
    fn answer<T>(
        &mut self,
        question: &Question<'_>,
        given: Option<&str>,
        check: impl Fn(&str) -> Result<T, Complaint>,
    ) -> Result<Option<T>, Failure> {
        if let Some(text) = given {
            let flag = question.flag.split(' ').next().unwrap_or_default();
            return check(text).map(Some).map_err(|complaint| wrong_input(format!("{flag}: {complaint}")));
        }
        match self.by {
            By::Flags if !question.default.is_empty() => {
                check(question.default).map(Some).map_err(|complaint| wrong_input(complaint.to_string()))
            }
            By::Flags => {
                if !question.is_optional {
                    self.missing.push(question.flag.to_owned());
                }
                Ok(None)
            }
            By::Person => ask(question, check),
        }
    }
}

/// Asks a person until the answer is one.
fn ask<T>(question: &Question<'_>, check: impl Fn(&str) -> Result<T, Complaint>) -> Result<Option<T>, Failure> {
    let Question { what, why, default, is_optional, is_secret, .. } = question;
    let default_shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
    let hidden = if *is_secret { " (what you type or paste is not shown)" } else { "" };
    output::complain(&format!("\n{what}{default_shown}{hidden}\n  {why}"));
    loop {
        let line = terminal::line(*is_secret).map_err(|_| wrong_input("the input ended; nothing was written"))?;
        let text = match line.trim() {
            "" if !default.is_empty() => default,
            "" if *is_optional => return Ok(None),
            "" => {
                output::complain("  An answer is needed.");
                continue;
            }
            text => text,
        };
        match check(text) {
            Ok(answer) => return Ok(Some(answer)),
            Err(complaint) => output::complain(&format!("  {complaint}")),
        }
    }
}

/// All answers; `None`: some are missing, and the asker knows which.
pub(super) fn answers(arguments: &Arguments, asker: &mut Asker) -> Result<Option<Answers>, Failure> {
    if asker.by == By::Person {
        output::complain("Press Enter to accept what is in brackets. Ctrl-C ends without writing anything.");
    }
    let target = Question::new(
        "--target TARGET",
        "Where will the service run: folder, systemd or container",
        "`folder` is right for trying it out; the other two also write what systemd or a container needs.",
    );
    let target = asker.answer(&target.or(Target::Folder.as_str()), arguments.target.as_deref(), |text| {
        one_of(text, &Target::ALL, Target::as_str)
    })?;
    let target = target.unwrap_or(Target::Folder);
    let question = Question::new("DIR", "Folder", "It is created if needed. Nothing in it is overwritten.");
    let given = arguments.folder.as_ref().map(|folder| folder.to_string_lossy());
    let is_asked = asker.by == By::Person;
    let hidden = |text: &str| if target == Target::Systemd { hidden_from_unit(Path::new(text)) } else { None };
    let folder = asker.answer(&question.or(target.default_folder()), given.as_deref(), |text| match hidden(text) {
        Some(hidden) if is_asked => Err(hidden),
        _ => free(text, is_asked),
    })?;
    if let (false, Some(hidden)) = (is_asked, folder.as_ref().and_then(|folder| hidden(&folder.to_string_lossy()))) {
        output::complain(&format!("warning: {hidden}"));
    }
    let tenant = tenant(arguments, asker)?;
    let scores = scores(arguments, asker)?;
    let zone = Question::new(
        "--timezone ZONE",
        "Time zone",
        "Schedules, maintenance windows and the times in messages follow it.",
    );
    let zone = asker.answer(&zone.or(&detected_zone()), arguments.timezone.as_deref(), timezone)?;
    loop {
        let channel = channel(arguments, asker)?;
        let (Some(folder), Some(tenant), Some(scores), Some(channel), Some(zone)) =
            (&folder, &tenant, &scores, channel, &zone)
        else {
            return Ok(None);
        };
        let answers = Answers {
            target,
            folder: folder.clone(),
            has_unit: target == Target::Systemd && is_packaged(folder),
            tenant: tenant.clone(),
            scores: scores.clone(),
            channel,
            timezone: zone.clone(),
        };
        match channel_complaint(&answers) {
            None => return Ok(Some(answers)),
            Some(complaint) if asker.by == By::Flags => {
                return Err(wrong_input(format!("the channel would not work: {complaint}")));
            }
            Some(complaint) => output::complain(&format!("\nThis channel would not work: {complaint}")),
        }
    }
}

fn tenant(arguments: &Arguments, asker: &mut Asker) -> Result<Option<NewTenant>, Failure> {
    let name =
        Question::new("--tenant-name NAME", "Display name of the first tenant", "Messages call the customer by it.");
    let name = asker.answer(&name, arguments.tenant_name.as_deref(), display_name)?;
    let entra = Question::new(
        "--tenant-id GUID",
        "Directory (tenant) ID",
        "It is on the overview page of the app registration in the customer's Entra admin center.",
    );
    let entra = asker.answer(&entra, arguments.tenant_id.as_deref(), guid)?.map(EntraTenantId);
    let made = name.as_ref().zip(entra).and_then(|(name, entra)| slug_of(name, entra)).map(|id| id.to_string());
    let id = Question::new("--tenant ID", "Id of the tenant in Scorewatch", "Commands and file names use it.");
    let id = asker.answer(&id.or(made.as_deref().unwrap_or("tenant")), arguments.tenant.as_deref(), |text| {
        named(TenantId::parse(text))
    })?;
    let cloud =
        Question::new("--cloud CLOUD", "Cloud", "commercial, or one of the US government's: gcc, gcc-high, dod.");
    let cloud = asker.answer(&cloud.or(Cloud::default().as_str()), arguments.cloud.as_deref(), |text| {
        one_of(text, &Cloud::ALL, Cloud::as_str)
    })?;
    let client_id = Question::new(
        "--client-id GUID",
        "Application (client) ID",
        "It is on the overview page of the app registration. The app needs the application permission `Score.Read.All` of \
         `WindowsDefenderATP`.",
    );
    let client_id = asker.answer(&client_id, arguments.client_id.as_deref(), guid)?;
    let secret = Question::new(
        "--secret-file FILE",
        "Client secret",
        "Paste its value, not its ID. It is kept in a file that only you can read.",
    );
    let secret = secret_answer(asker, &secret.secret(), arguments.secret_file.as_deref(), client_secret)?;
    let expires = Question::new(
        "--expires DAY",
        "Day on which the client secret expires, like 2027-03-01",
        "The operator is warned 30, 14 and 7 days and one day ahead. Leave it empty if you don't know.",
    );
    let expires = asker.answer(&expires.optional(), arguments.expires.as_deref(), day)?;
    let all = (name, entra, id, cloud, client_id, secret);
    let (Some(name), Some(entra), Some(id), Some(cloud), Some(client_id), Some(secret)) = all else { return Ok(None) };
    Ok(Some(NewTenant { id, name, entra, cloud, client_id, secret, expires }))
}

fn scores(arguments: &Arguments, asker: &mut Asker) -> Result<Option<Vec<ScoreKind>>, Failure> {
    let given = (!arguments.score.is_empty()).then(|| arguments.score.join(","));
    let question = Question::new(
        "--score SCORE",
        "Scores to read, separated by commas",
        "device-secure-score and exposure-score need `Score.Read.All`; secure-score needs `SecurityEvents.Read.All` of Microsoft \
         Graph, too.",
    );
    let check = |text: &str| {
        let one = |score: &str| one_of(score.trim(), &ScoreKind::ALL, ScoreKind::as_str);
        text.split(',').map(one).collect::<Result<Vec<_>, _>>()
    };
    asker.answer(&question.or(ScoreKind::ALL[0].as_str()), given.as_deref(), check)
}

fn channel(arguments: &Arguments, asker: &mut Asker) -> Result<Option<NewChannel>, Failure> {
    let kinds = ChannelKind::WORDS.join(", ");
    let flag = format!("--channel TYPE    ({kinds})");
    let why = format!("Alerts are sent there: {kinds}.");
    let kind = Question::new(&flag, "Type of the first channel", &why);
    let given = arguments.channel.as_deref();
    let by = if asker.by == By::Person { kind.or(ChannelKind::WORDS[0]) } else { kind };
    let kind = asker.answer(&by, given, |text| one_of(text, ChannelKind::WORDS, |word| word))?;
    let name = Question::new("--channel-name NAME", "Name of the channel", "Rules and commands use it.");
    // For Teams, that is the one that the packs of rules name.
    let usual = kind.map_or_else(|| CHANNEL.to_owned(), |kind| format!("{CHANNEL}-{kind}"));
    let name =
        asker.answer(&name.or(&usual), arguments.channel_name.as_deref(), |text| named(ChannelName::parse(text)))?;
    let (Some(kind), Some(name)) = (kind, name) else { return Ok(None) };
    let given = given_keys(arguments, kind)?;
    let (mut keys, mut secret, mut lacks) = (BTreeMap::new(), None, false);
    for asked in asked(kind) {
        if asked.needs.is_some_and(|needs| !keys.contains_key(needs)) {
            continue;
        }
        let Asked { key, what, why, answer, is_optional, .. } = *asked;
        if answer == Answer::Secret {
            let question = Question::new("--channel-secret-file FILE", what, why).secret();
            secret = secret_answer(asker, &question, arguments.channel_secret_file.as_deref(), one_line)?
                .map(|secret| (key, secret));
            lacks |= secret.is_none();
            continue;
        }
        let flag = format!("--channel-key {key}=…    ({what})");
        let network =
            if key == "allow_private" { Network::of(secret.as_ref().map(|(_, url)| url)) } else { Network::Unknown };
        if network == Network::Public && !given.contains_key(key) {
            continue;
        }
        // Flags say all that is meant.
        let default = match &network {
            Network::Private(only) if asker.by == By::Person => only.as_str(),
            _ => "",
        };
        let question = Question { default, is_optional, ..Question::new(&flag, what, why) };
        let value = asker.answer(&question, given.get(key).copied(), |text| Ok(text.to_owned()))?;
        lacks |= value.is_none() && !is_optional;
        keys.extend(value.map(|value| (key, value)));
    }
    Ok((!lacks).then_some(NewChannel { name, kind, keys, secret }))
}

/// The keys that were given by flags.
fn given_keys<'a>(arguments: &'a Arguments, kind: &str) -> Result<BTreeMap<&'a str, &'a str>, Failure> {
    let mut given = BTreeMap::new();
    for pair in &arguments.channel_key {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let known = asked(kind).iter().filter(|asked| asked.answer != Answer::Secret).map(|asked| asked.key);
        if !known.clone().any(|one| one == key) {
            let known: Vec<&str> = known.collect();
            let instead =
                if known.is_empty() { "leave it out".to_owned() } else { format!("write one of {}", known.join(", ")) };
            return Err(wrong_input(format!(
                "--channel-key: `{key}` is not asked of a channel of type `{kind}`; {instead}"
            )));
        }
        given.insert(key, value);
    }
    Ok(given)
}

/// A secret: typed without echo, from a file, or from standard input.
fn secret_answer(
    asker: &mut Asker,
    question: &Question<'_>,
    file: Option<&Path>,
    check: impl Fn(&str) -> Result<SecretString, Complaint>,
) -> Result<Option<SecretString>, Failure> {
    let Some(file) = file else { return asker.answer(question, None, check) };
    let text = if file == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().lock().take(STDIN_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|error| wrong_input(format!("standard input can't be read: {error}")))?;
        SecretString::from(text)
    } else {
        let kept = SecretReference::File(file.to_owned());
        kept.resolve().map_err(|error| wrong_input(format!("{error}; {}", error.hint)))?
    };
    asker.answer(question, Some(text.expose_secret()), check)
}

/// Whether a package has installed the unit, which names its own folder.
fn is_packaged(folder: &Path) -> bool {
    folder == Path::new(Target::Systemd.default_folder()) && PACKAGED_UNITS.iter().any(|unit| Path::new(unit).exists())
}

/// A folder. A person learns before all other questions that it is taken; flags get the whole list in the end.
fn free(text: &str, is_asked: bool) -> Result<PathBuf, Complaint> {
    let folder = PathBuf::from(text);
    if is_asked && folder.join("scorewatch.yaml").exists() {
        let what = format!("there is a configuration in `{text}` already, and nothing is overwritten");
        return Err(Complaint::new(what, "name another folder"));
    }
    Ok(folder)
}

/// Says that a service under the unit would not see the folder.
fn hidden_from_unit(folder: &Path) -> Option<Complaint> {
    let folder = std::path::absolute(folder).ok()?;
    let hidden = HIDDEN_BY_UNIT.into_iter().find(|hidden| folder.starts_with(hidden))?;
    let what =
        format!("the unit shows its service nothing that is below `{hidden}`, so it would not find its configuration");
    Some(Complaint::new(what, "use `/etc/scorewatch`"))
}

/// The time zone of this machine, as far as it says so.
fn detected_zone() -> String {
    let found = iana_time_zone::get_timezone().unwrap_or_default();
    match found.as_str() {
        "" | "Etc/UTC" | "Etc/UCT" => "UTC".to_owned(),
        zone if timezone(zone).is_ok() => found,
        _ => "UTC".to_owned(),
    }
}

fn one_of<T: Copy>(text: &str, all: &[T], name: impl Fn(T) -> &'static str) -> Result<T, Complaint> {
    let found = all.iter().copied().find(|one| name(*one).eq_ignore_ascii_case(text));
    let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
    let near = nearest(text, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    let instead = near.unwrap_or_else(|| format!("write one of {}", names.join(", ")));
    found.ok_or_else(|| Complaint::new(format!("`{text}` is not known"), instead))
}

fn named<T, E: Display>(parsed: Result<T, E>) -> Result<T, Complaint> {
    parsed.map_err(|why| Complaint::new(why.to_string(), "use a-z, 0-9 and, after the first, `-`, `_` or `.`"))
}
