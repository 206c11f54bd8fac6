//! `scorewatch alerts`: list, show, acknowledge, accept.

mod accept;

use std::path::Path;

use clap::Subcommand;

use super::{Failure, caller, output, readable, stopped};
use crate::{
    action::alert,
    clock::Clock,
    config::Config,
    domain::{Scope, ScoreKind, Timestamp},
    notify::{language::Locale, notification::NotificationFacts, silence::Acknowledgement},
    query::{
        self, Page, Store,
        alerts::{self, AlertLine, AlertRow},
        deliveries,
        ids::{self, Named},
    },
    rule::{AlertKey, display},
    template::summary,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch alerts list                                     what is pending or firing, the most severe first
  scorewatch alerts list --all --tenant contoso --json       everything that ever fired for one tenant
  scorewatch alerts show contoso device-score-drop
  scorewatch alerts show 7Q4M2K                              by the id in a message or a listing
  scorewatch alerts acknowledge contoso device-score-drop --comment 'ticket 4711'
  scorewatch alerts accept contoso device-score-drop         accept the loss as the new level
  scorewatch alerts accept --shift 2V0KQX                    everything that a fleet shift's notice covered
  scorewatch alerts accept --rule device-score-drop --label tier=gold --dry-run
                                                             many at once: only show which")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List pending and firing alerts, the most severe first
    List {
        /// Only alerts of this tenant
        #[arg(long, value_name = "ID")]
        tenant: Option<String>,
        /// Only alerts of this rule
        #[arg(long, value_name = "NAME")]
        rule: Option<String>,
        /// Only alerts that this fleet shift's notice covered, by its id or the first letters of it or of the notice's
        #[arg(long, value_name = "ID")]
        shift: Option<String>,
        /// List resolved alerts, too
        #[arg(long)]
        all: bool,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Show one alert with its newest notification
    Show {
        #[command(flatten)]
        which: Which,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Acknowledge a firing alert: no reminders until it worsens or resolves, which are still notified
    Acknowledge {
        #[command(flatten)]
        which: Which,
        /// Why nobody needs to be reminded
        #[arg(long, value_name = "TEXT")]
        comment: String,
        /// Who acknowledges it; by default the user who runs the command
        #[arg(long, value_name = "NAME")]
        author: Option<String>,
    },
    /// Withdraw an acknowledgement: reminders resume
    Unacknowledge {
        #[command(flatten)]
        which: Which,
    },
    /// Accept the loss of firing `drop` and `rise` alerts as the new level: they resolve, and their channels are
    /// notified
    Accept(accept::Arguments),
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The tenant's id; or without a rule, the id of the alert or of a message about it, or its first letters
    #[arg(value_name = "TENANT|ID")]
    tenant: String,
    /// The rule's name in the configuration
    #[arg(value_name = "RULE")]
    rule: Option<String>,
    /// The subject, if the score has several
    #[arg(long, requires = "rule")]
    subject: Option<String>,
}

impl Which {
    /// The alert that is meant.
    async fn find(self, store: &dyn Store, scope: &Scope) -> Result<alerts::Which, query::Error> {
        let Self { tenant, rule, subject } = self;
        match rule {
            Some(rule) => Ok(alerts::Which::named(&tenant, &rule, subject)),
            None => ids::alert(store, scope, &tenant).await,
        }
    }
}

pub(super) async fn alerts(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let at_hand = readable(file)?;
    if matches!(arguments.action, Action::Accept(_)) {
        // The channels that are notified of it are those of the rule and the tenant.
        at_hand.must_be_whole("accepting a level")?;
    }
    let config = at_hand.config;
    let store = query::open(&config).await?;
    let done = obey(&*store, &config, arguments.action).await;
    store.close().await;
    done
}

async fn obey(store: &dyn Store, config: &Config, action: Action) -> Result<(), Failure> {
    let (scope, now) = (&Scope::All, Clock::System.now());
    match action {
        Action::List { tenant, rule, shift, all, json } => {
            let shift = ids::shift(store, scope, shift.as_deref()).await?;
            let filter = alerts::Filter { tenant, rule, shift, resolved: all };
            let rows = alerts::list(store, scope, &filter, &Page::ALL).await?.items;
            list(&alerts::lines(store, config, scope, rows).await?, now, json)?;
            stopped::warn(store, config, now).await;
            Ok(())
        }
        Action::Show { which, json } => {
            if which.rule.is_none()
                && let Named::Shift(shift) = ids::named(store, scope, &which.tenant).await?
            {
                return show_shift(store, config, &shift, json).await;
            }
            let row = alerts::show(store, scope, &which.find(store, scope).await?).await?;
            let lines = alerts::lines(store, config, scope, vec![row]).await?;
            let Some(line) = lines.first() else { return Ok(()) };
            show(line, now, json)?;
            if json { Ok(()) } else { show_newest(store, scope, line).await }
        }
        Action::Acknowledge { which, comment, author } => {
            let by = Acknowledgement { at: now, by: caller::author(author), comment };
            let AlertKey { rule, tenant, .. } =
                alert::acknowledge(store, &caller::caller(), &which.find(store, scope).await?, by).await?;
            output::say(&format!("acknowledged: no reminders of `{rule}` for `{tenant}` until it worsens or resolves"));
            Ok(())
        }
        Action::Unacknowledge { which } => {
            let taken_back =
                alert::unacknowledge(store, &caller::caller(), &which.find(store, scope).await?, now).await?;
            let said = if taken_back.was_acknowledged {
                let is_running = query::system::is_running(store, now).await;
                format!("reminders resume; {}", output::by_service(is_running, "checks for due reminders"))
            } else {
                "it was not acknowledged".to_owned()
            };
            output::say(&format!("`{}` of `{}`: {said}", taken_back.alert.rule, taken_back.alert.tenant));
            Ok(())
        }
        Action::Accept(arguments) => accept::accept(store, config, arguments).await,
    }
}

/// Prints the alerts that are pending or firing.
pub(super) async fn show_open(store: &dyn Store, config: &Config) -> Result<(), Failure> {
    let scope = &Scope::All;
    let rows = alerts::list(store, scope, &alerts::Filter::default(), &Page::ALL).await?.items;
    list(&alerts::lines(store, config, scope, rows).await?, Clock::System.now(), false)
}

/// Prints the alerts that belong to a fleet shift, those that are over as well.
pub(super) async fn show_shift(store: &dyn Store, config: &Config, shift: &str, json: bool) -> Result<(), Failure> {
    let scope = &Scope::All;
    let filter = alerts::Filter { shift: Some(shift.to_owned()), resolved: true, ..alerts::Filter::default() };
    let rows = alerts::list(store, scope, &filter, &Page::ALL).await?.items;
    if !json {
        output::say(&format!("fleet shift {shift}: {}", output::counted(rows.len(), "alert")));
    }
    list(&alerts::lines(store, config, scope, rows).await?, Clock::System.now(), json)
}

fn list(rows: &[AlertLine], now: Timestamp, json: bool) -> Result<(), Failure> {
    let header = ["ID", "SEVERITY", "TENANT", "RULE", "SCORE", "VALUE", "LOSS", "SINCE", "STATE"];
    output::listing(rows, json, header, "no alerts", |line| {
        let key = &line.row.key;
        [
            line.short_id.clone(),
            output::or_dash(line.severity),
            key.tenant.to_string(),
            key.rule.to_string(),
            scored(key),
            output::or_dash(value(line)),
            output::or_dash(loss(line)),
            output::or_dash(line.since.map(|since| output::ago(since, now))),
            state(&line.row),
        ]
    })
}

/// Score, value, state and since when, as cells of a table.
pub(super) fn line_of(line: &AlertLine, now: Timestamp) -> [String; 4] {
    [
        scored(&line.row.key),
        output::or_dash(value(line)),
        state(&line.row),
        output::or_dash(line.since.map(|since| output::ago(since, now))),
    ]
}

/// The score's name, and of which of several values.
fn scored(key: &AlertKey) -> String {
    key.subject.as_ref().map_or_else(|| score_name(key), |subject| format!("{} {subject}", score_name(key)))
}

/// The score's name, or `all` for a rule that covers every score.
fn score_name(key: &AlertKey) -> String {
    key.score.map_or("all", ScoreKind::as_str).to_owned()
}

/// The state, and who has acknowledged the alert.
fn state(row: &AlertRow) -> String {
    let state = row.alert.state.as_str();
    match &row.acknowledged {
        Some(seen) => format!("{state}, acknowledged by {}", seen.by),
        None => state.to_owned(),
    }
}

/// How often its firing was escalated.
fn escalated(row: &AlertRow) -> String {
    let steps = row.alert.firing().map_or(0, |firing| firing.escalated.steps);
    if steps == 0 { "-".to_owned() } else { output::counted(steps, "step") }
}

/// The newest value, with as many decimals as keep it on its side of what it is compared with.
fn value(line: &AlertLine) -> Option<String> {
    line.value.map(|value| display::among(value, line.compared_with.as_slice()))
}

/// By how much the value is worse than what it is compared with: `62 (11.31%)`.
fn loss(line: &AlertLine) -> Option<String> {
    let loss = display::number(line.loss?);
    Some(line.loss_percent.map_or_else(|| loss.clone(), |percent| format!("{loss} ({}%)", display::number(percent))))
}

fn show(line: &AlertLine, now: Timestamp, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(line);
    }
    let row = &line.row;
    let notified: Vec<_> = row.notified_channels.iter().map(ToString::to_string).collect();
    let at = |at: Timestamp| output::time_ago(at, now);
    let acknowledged =
        row.acknowledged.as_ref().map(|seen| format!("{} by {}: {}", at(seen.at), seen.by, seen.comment));
    let compared = line.compared_with.map(display::number);
    let facts = [
        ("alert", format!("{} of {}", row.key.rule, row.key.tenant)),
        ("id", line.id.clone()),
        ("severity", output::or_dash(line.severity)),
        ("score", score_name(&row.key)),
        ("subject", output::or_dash(row.key.subject.as_ref())),
        ("state", row.alert.state.as_str().to_owned()),
        ("since", output::or_dash(line.since.map(at))),
        ("value", output::or_dash(value(line))),
        ("compared with", output::or_dash(compared)),
        ("loss", output::or_dash(loss(line))),
        ("fired", output::counted(row.alert.generation, "time")),
        ("notifications since it last fired", row.alert.sequence.to_string()),
        ("last notified", output::or_dash(row.notified_at.map(at))),
        ("notified channels", if notified.is_empty() { "-".to_owned() } else { notified.join(", ") }),
        ("escalated", escalated(row)),
        ("fleet shift", output::or_dash(row.shift.as_ref())),
        ("acknowledged", output::or_dash(acknowledged)),
        ("changed", at(row.changed_at)),
    ];
    output::say(&output::table(["", ""], facts.map(|(what, value)| [what.to_owned(), value])));
    Ok(())
}

/// Prints the newest message, and how each of its deliveries is shown: a message to several channels is named by their numbers.
async fn show_newest(store: &dyn Store, scope: &Scope, line: &AlertLine) -> Result<(), Failure> {
    let Some(last) = &line.row.last_notification else { return Ok(()) };
    output::say(&format!("\nnewest message: {}", summary(last, &Locale::default()).headline));
    let NotificationFacts { id, short_id, .. } = &last.data.notification;
    let deliveries = deliveries::of_notification(store, scope, id).await?;
    if deliveries.len() < 2 {
        output::say(&format!("`scorewatch deliveries show {short_id}` shows all of it"));
        return Ok(());
    }
    for delivery in deliveries {
        output::say(&format!(
            "`scorewatch deliveries show {}` shows what `{}` was sent",
            delivery.id, delivery.channel
        ));
    }
    Ok(())
}
