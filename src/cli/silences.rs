//! `scorewatch silences`: list, show, add, end; beside a service that may be running.

use std::path::Path;

use clap::Subcommand;

use super::{Failure, caller, output, readable, windows};
use crate::{
    action::silence::{self, Draft, NewSilence},
    clock::Clock,
    config::Config,
    domain::{Scope, ScoreKind, Timestamp},
    query::{
        self, Page, Store,
        alerts::{self, AlertRow},
        ids,
        silences::{Silence, SilenceId},
    },
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch silences add --tenant contoso --for 2h --comment patching
  scorewatch silences add --alert 7Q4M2K --for 2h --comment patching   by the id in a message or a listing
  scorewatch silences add --label tier=gold --rule device-score-low --until 2026-12-24T18:00:00+01:00 --comment migration
  scorewatch silences list                             active and upcoming ones, and the maintenance windows
  scorewatch silences end 3                            end it now; what it held is re-evaluated immediately

Every given kind of matcher must match. One match per kind is enough, except for labels, which must all match.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List active and upcoming silences, and the maintenance windows of the configuration
    List {
        /// List silences that are over, too
        #[arg(long)]
        all: bool,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Show one silence and the firing alerts that it covers
    Show {
        /// The silence's number, as `silences list` shows it
        id: i64,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Add a silence, and print the firing alerts that it covers
    Add(Box<Add>),
    /// End a silence now; what it held is re-evaluated immediately
    End {
        /// The silence's number, as `silences list` shows it
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
    /// This alert, by its id or that of a message about it, or its first letters: the alerts of its tenant, rule and score
    #[arg(long, value_name = "ID", conflicts_with_all = ["tenant", "label", "rule", "score", "severity", "all"])]
    alert: Option<String>,
    /// Every alert of every tenant
    #[arg(long)]
    all: bool,
    /// When it begins, like `2026-12-24T18:00:00+01:00`; by default now
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// How long it lasts, like `2h`
    #[arg(long = "for", value_name = "DURATION")]
    length: Option<String>,
    /// When it ends, like `2026-12-24T18:00:00+01:00`
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why the silence is made
    #[arg(long, value_name = "TEXT")]
    comment: String,
    /// Who makes the silence; by default the user who runs the command
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

pub(super) async fn silences(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let at_hand = readable(file)?;
    if let Action::Add(add) = &arguments.action {
        let has_tenants = add.alert.is_some() || !add.tenant.is_empty();
        // The operator is notified of a silence that covers everybody or lasts for long.
        if !has_tenants || at_hand.config.operator.notify.is_empty() {
            at_hand.must_be_whole("a silence that names no tenant, or that the operator might not be notified of,")?;
        }
    }
    let config = at_hand.config;
    let now = Clock::System.now();
    // A silence that is written wrongly is refused before the store is opened.
    let new = match &arguments.action {
        Action::Add(add) if add.alert.is_none() => Some((add.draft().read(&config, &Scope::All, now)?, add.json)),
        _ => None,
    };
    let store = query::open(&config).await?;
    let done = match (arguments.action, new) {
        (Action::Add(_), Some((new, json))) => make(&*store, &config, new, json).await,
        (Action::List { all, json }, _) => {
            let listing = query::silences::list(&*store, &Scope::All, all, &Page::ALL, now).await;
            listing.map_err(Into::into).and_then(|listing| {
                list(&listing.items, now, json)?;
                if !json {
                    list_windows(&config, now);
                }
                Ok(())
            })
        }
        (Action::Show { id, json }, _) => show(&*store, SilenceId(id), now, json).await,
        (Action::End { id }, _) => end(&*store, SilenceId(id), now).await,
        (Action::Add(add), None) => of_alert(&*store, &config, &add, now).await,
    };
    store.close().await;
    done
}

impl Add {
    fn draft(&self) -> Draft {
        Draft {
            tenants: self.tenant.clone(),
            labels: self.label.clone(),
            rules: self.rule.clone(),
            scores: self.score.clone(),
            severities: self.severity.clone(),
            alert: None,
            everything: self.all,
            from: self.from.clone(),
            length: self.length.clone(),
            until: self.until.clone(),
            comment: self.comment.clone(),
            author: caller::author(self.author.clone()),
        }
    }
}

fn list_covered(rows: &[AlertRow]) {
    if rows.is_empty() {
        return output::say("it covers no firing alert");
    }
    output::say("it covers these firing alerts:");
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

/// Makes a silence of the alert that an id names.
async fn of_alert(store: &dyn Store, config: &Config, add: &Add, now: Timestamp) -> Result<(), Failure> {
    let id = add.alert.as_deref().unwrap_or_default();
    let key = alerts::show(store, &Scope::All, &ids::alert(store, &Scope::All, id).await?).await?.key;
    let draft = Draft { alert: Some(key), ..add.draft() };
    make(store, config, draft.read(config, &Scope::All, now)?, add.json).await
}

async fn make(store: &dyn Store, config: &Config, new: NewSilence, json: bool) -> Result<(), Failure> {
    let silence = silence::add(store, config, &caller::caller(), new, Clock::System.now()).await?;
    if json {
        return output::json(&silence);
    }
    output::say(&format!("silence {}: {}, until {}", silence.id, silence.matchers, output::time(silence.ends_at)));
    list_covered(&query::silences::covered(store, &Scope::All, &silence.matchers).await?);
    Ok(())
}

fn list(rows: &[Silence], now: Timestamp, json: bool) -> Result<(), Failure> {
    let header = ["ID", "STATE", "COVERS", "FROM", "UNTIL", "AUTHOR", "COMMENT"];
    output::listing(rows, json, header, "no silences", |row| {
        let state = match (row.is_in_force(now), now < row.starts_at) {
            (true, _) => "active",
            (_, true) => "upcoming",
            _ => "over",
        };
        [
            row.id.to_string(),
            state.to_owned(),
            row.matchers.to_string(),
            output::ago(row.starts_at, now),
            output::time_ago(row.ends_at, now),
            row.author.clone(),
            row.comment.clone(),
        ]
    })
}

/// The maintenance windows, which suppress like silences and stand in the configuration: each with its next opening, on the clock of
/// its own zone.
fn list_windows(config: &Config, now: Timestamp) {
    if config.maintenance.is_empty() {
        return;
    }
    output::say("\nMaintenance windows, from the configuration:");
    let rows = windows::lines(config, now).into_iter().map(|line| {
        let next = line.next.first().map_or_else(|| "never".to_owned(), |opening| opening.shown.clone());
        let state = line.open_until.map_or_else(|| "closed".to_owned(), |until| format!("open until {until}"));
        [line.name, state, line.covers, next, line.timezone]
    });
    output::say(&output::table(["NAME", "STATE", "COVERS", "NEXT OPEN", "TIME ZONE"], rows));
}

async fn show(store: &dyn Store, id: SilenceId, now: Timestamp, json: bool) -> Result<(), Failure> {
    let silence = query::silences::show(store, &Scope::All, id).await?;
    if json {
        return output::json(&silence);
    }
    list(std::slice::from_ref(&silence), now, false)?;
    output::say("");
    list_covered(&query::silences::covered(store, &Scope::All, &silence.matchers).await?);
    Ok(())
}

async fn end(store: &dyn Store, id: SilenceId, now: Timestamp) -> Result<(), Failure> {
    silence::end(store, &caller::caller(), id, now).await?;
    let is_running = query::system::is_running(store, now).await;
    let then = output::by_service(is_running, "re-evaluates what it held");
    output::say(&format!("silence {id} has ended; {then}"));
    Ok(())
}
