//! `scorewatch silences`: list, show, add, end; beside a service that may be running.

use std::{path::Path, time::Duration};

use clap::Subcommand;

use super::{Failure, beside, configured, output, wrong_input};
use crate::{
    clock::Clock,
    config::Config,
    domain::{ScoreKind, Severity, TenantId, Timestamp, parse_duration},
    notify::{
        Silence, SilenceId,
        silence::{About, Matchers, NewSilence},
    },
    rule::RuleName,
    store::{AlertFilter, AlertRow, Store},
};

/// What to do with silences.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch silences add --tenant contoso --for 2h --comment patching
  scorewatch silences add --label tier=gold --rule device-score-low --until 2026-12-24T18:00:00+01:00 --comment migration
  scorewatch silences list                             those in force and to come
  scorewatch silences end 3                            now; what it held is looked at at once

Every kind of matcher that is given must match, and of each kind one is enough; of labels, all.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List silences that are in force or to come
    List {
        /// Past ones too
        #[arg(long)]
        all: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one silence, and what it covers of what fires
    Show {
        /// The silence's number
        id: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a silence; prints what it covers of what fires
    Add(Box<Add>),
    /// End a silence now; what it held is looked at at once
    End {
        /// The silence's number
        id: i64,
    },
}

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("end").required(true).args(["length", "until"])))]
struct Add {
    /// Alerts of this tenant; may be repeated
    #[arg(long, value_name = "ID")]
    tenant: Vec<String>,
    /// Alerts of tenants with this label; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<String>,
    /// Alerts by this rule; may be repeated
    #[arg(long, value_name = "NAME")]
    rule: Vec<String>,
    /// Alerts of this score; may be repeated
    #[arg(long, value_name = "SCORE")]
    score: Vec<String>,
    /// Alerts of this severity: info, warning, critical; may be repeated
    #[arg(long, value_name = "SEVERITY")]
    severity: Vec<String>,
    /// Every alert of everybody
    #[arg(long)]
    all: bool,
    /// When it begins, like `2026-12-24T18:00:00+01:00`; now without it
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// How long it lasts, like `2h`
    #[arg(long = "for", value_name = "DURATION")]
    length: Option<String>,
    /// When it ends
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    comment: String,
    /// Who makes it
    #[arg(long, value_name = "NAME", env = "USER")]
    author: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn silences(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    let now = Clock::System.now();
    let new = match &arguments.action {
        Action::Add(add) => Some((read(add, &config, now)?, add.json)),
        _ => None,
    };
    let store = beside(&config).await?;
    let done = match (arguments.action, new) {
        (Action::Add(_), Some((new, json))) => make(&store, new, json).await,
        (Action::List { all, json }, _) => list(&store.silences((!all).then_some(now)).await?, now, json),
        (Action::Show { id, json }, _) => show(&store, id, now, json).await,
        (Action::End { id }, _) => end(&store, id, now).await,
        (Action::Add(_), None) => Ok(()),
    };
    store.close().await;
    done
}

/// Reads what is to be silenced; all that is wrong is told at once.
fn read(add: &Add, config: &Config, now: Timestamp) -> Result<NewSilence, Failure> {
    let mut problems = Vec::new();
    let matchers = matchers(add, config, &mut problems);
    if matchers.is_empty() != add.all && problems.is_empty() {
        problems.push(if add.all {
            "`--all` is everything; leave it out, or the others".to_owned()
        } else {
            "it says not what it covers; name a tenant, label, rule, score or severity, or write `--all`".to_owned()
        });
    }
    let mut time = |text: &Option<String>, flag: &str| {
        let text = text.as_deref()?;
        let read = Timestamp::parse(text);
        if read.is_none() {
            problems.push(format!("`{flag} {text}` is no time; write it like `2026-12-24T18:00:00+01:00`"));
        }
        read
    };
    let (from, until) = (time(&add.from, "--from"), time(&add.until, "--until"));
    let starts_at = from.unwrap_or(now);
    let length = add.length.as_deref().map(parse_duration).transpose();
    let length = length.map_err(|sentence| problems.push(sentence)).ok().flatten();
    let ends_at = until.unwrap_or_else(|| starts_at.plus(length.unwrap_or(Duration::ZERO)));
    let (author, comment) = (add.author.clone(), add.comment.clone());
    let new = NewSilence { matchers, starts_at, ends_at, author, comment };
    if problems.is_empty() {
        problems = new.problems(now);
    }
    if problems.is_empty() { Ok(new) } else { Err(wrong_input(problems.join("\n"))) }
}

fn matchers(add: &Add, config: &Config, problems: &mut Vec<String>) -> Matchers {
    let mut matchers = Matchers::default();
    for text in &add.tenant {
        match TenantId::parse(text) {
            Ok(id) if config.tenants.contains_key(&id) => drop(matchers.tenants.insert(id)),
            _ => problems.push(format!("there is no tenant `{text}`; `scorewatch tenants list` shows them")),
        }
    }
    for text in &add.label {
        match text.split_once('=') {
            Some((key, value)) => drop(matchers.labels.0.insert(key.into(), value.into())),
            None => problems.push(format!("`--label {text}` is no label; write it like `tier=gold`")),
        }
    }
    for text in &add.rule {
        let known = |name: &RuleName| {
            name.as_str() == crate::check::blind::OPERATOR_BLIND || config.rules.iter().any(|rule| rule.name == *name)
        };
        match RuleName::parse(text) {
            Ok(name) if known(&name) => drop(matchers.rules.insert(name)),
            _ => problems.push(format!("there is no rule `{text}`")),
        }
    }
    for text in &add.score {
        if let Some(score) = ScoreKind::from_name(text) {
            matchers.scores.insert(score);
        } else {
            let known = ScoreKind::ALL.map(ScoreKind::as_str).join(", ");
            problems.push(format!("there is no score `{text}`; use one of {known}"));
        }
    }
    for text in &add.severity {
        if let Some(severity) = Severity::ALL.into_iter().find(|severity| severity.as_str() == text) {
            matchers.severities.insert(severity);
        } else {
            let known = Severity::ALL.map(Severity::as_str).join(", ");
            problems.push(format!("there is no severity `{text}`; use one of {known}"));
        }
    }
    matchers
}

/// Alerts that fire and that these matchers cover.
async fn covered(store: &dyn Store, matchers: &Matchers) -> Result<Vec<AlertRow>, Failure> {
    let firing = store.alerts(&AlertFilter { firing_only: true, ..AlertFilter::default() }).await?;
    let covers = |row: &AlertRow| {
        let about = row.last_notification.as_ref().and_then(About::of);
        about.is_some_and(|about| matchers.match_all(&about))
    };
    Ok(firing.into_iter().filter(covers).collect())
}

fn tell_covered(rows: &[AlertRow]) {
    if rows.is_empty() {
        return output::say("of what fires now it covers nothing");
    }
    output::say("of what fires now it covers:");
    let subject = |row: &AlertRow| output::or_dash(row.key.subject.as_ref());
    let lines = rows.iter().map(|row| {
        [
            row.key.tenant.to_string(),
            row.key.rule.to_string(),
            row.key.score.map_or("all", ScoreKind::as_str).to_owned(),
            subject(row),
        ]
    });
    output::say(&output::table(["TENANT", "RULE", "SCORE", "SUBJECT"], lines));
}

async fn make(store: &dyn Store, new: NewSilence, json: bool) -> Result<(), Failure> {
    let id = store.add_silence(new.clone()).await?;
    let NewSilence { matchers, starts_at, ends_at, author, comment } = new;
    let silence = Silence { id, matchers, starts_at, ends_at, author, comment };
    if json {
        return output::json(&silence);
    }
    output::say(&format!("silence {id}: {}, until {}", silence.matchers, silence.ends_at));
    tell_covered(&covered(store, &silence.matchers).await?);
    Ok(())
}

fn list(rows: &[Silence], now: Timestamp, json: bool) -> Result<(), Failure> {
    let header = ["ID", "STATE", "COVERS", "FROM", "UNTIL", "AUTHOR", "COMMENT"];
    output::listing(rows, json, (header, "no silences"), |row| {
        let state = match (row.is_in_force(now), now < row.starts_at) {
            (true, _) => "in force",
            (_, true) => "to come",
            _ => "over",
        };
        [
            row.id.to_string(),
            state.to_owned(),
            row.matchers.to_string(),
            row.starts_at.to_string(),
            row.ends_at.to_string(),
            row.author.clone(),
            row.comment.clone(),
        ]
    })
}

async fn show(store: &dyn Store, id: i64, now: Timestamp, json: bool) -> Result<(), Failure> {
    let found = store.silences(None).await?.into_iter().find(|silence| silence.id == SilenceId(id));
    let silence = found.ok_or_else(|| no_such(id))?;
    if json {
        return output::json(&silence);
    }
    list(std::slice::from_ref(&silence), now, false)?;
    output::say("");
    tell_covered(&covered(store, &silence.matchers).await?);
    Ok(())
}

async fn end(store: &dyn Store, id: i64, now: Timestamp) -> Result<(), Failure> {
    if !store.end_silence(SilenceId(id), now).await? {
        let is_known = store.silences(None).await?.iter().any(|silence| silence.id == SilenceId(id));
        return Err(if is_known { wrong_input(format!("silence {id} is over already")) } else { no_such(id) });
    }
    output::say(&format!("silence {id} is over; the running service looks within seconds at what it held"));
    Ok(())
}

fn no_such(id: i64) -> Failure {
    wrong_input(format!("there is no silence {id}; `scorewatch silences list --all` shows them"))
}
