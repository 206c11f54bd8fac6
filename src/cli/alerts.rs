//! `scorewatch alerts`: list, show, acknowledge, accept.

mod accept;

use std::path::Path;

use clap::Subcommand;

use super::{Failure, configured, output};
use crate::{
    action::alert,
    clock::Clock,
    config::Config,
    domain::{Scope, ScoreKind},
    notify::silence::Acknowledgement,
    query::{
        self, Page, Store,
        alerts::{self, AlertRow},
    },
    rule::{AlertKey, AlertState, display},
};

/// Arguments of `alerts`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch alerts list                                     what is pending or firing
  scorewatch alerts list --all --tenant contoso --json       everything that ever fired for one tenant
  scorewatch alerts show contoso device-score-drop
  scorewatch alerts acknowledge contoso device-score-drop --comment 'ticket 4711'
  scorewatch alerts accept contoso device-score-drop         accept the loss as the new level
  scorewatch alerts accept --shift msg_2V0KQ…                everything that a fleet shift's notice covered
  scorewatch alerts accept --rule device-score-drop --label tier=gold --dry-run
                                                             many at once: only show which")]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List pending and firing alerts
    List {
        /// Only alerts of this tenant
        #[arg(long, value_name = "ID")]
        tenant: Option<String>,
        /// Only alerts of this rule
        #[arg(long, value_name = "NAME")]
        rule: Option<String>,
        /// Only alerts that this fleet shift's notice covered
        #[arg(long, value_name = "ID")]
        shift: Option<String>,
        /// Also resolved alerts
        #[arg(long)]
        all: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one alert with its newest notification
    Show {
        #[command(flatten)]
        which: Which,
        /// Print JSON
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
        /// Who acknowledges it
        #[arg(long, value_name = "NAME", env = "USER")]
        author: String,
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
    /// The tenant's id
    #[arg(value_name = "TENANT")]
    tenant: String,
    /// The rule's name
    #[arg(value_name = "RULE")]
    rule: String,
    /// The subject, if the score has several
    #[arg(long)]
    subject: Option<String>,
}

impl From<Which> for alerts::Which {
    fn from(Which { tenant, rule, subject }: Which) -> Self {
        Self { tenant, rule, subject }
    }
}

pub(super) async fn alerts(file: &Path, arguments: Arguments) -> Result<(), Failure> {
    let config = configured(file)?;
    let store = query::open(&config).await?;
    let done = obey(&*store, &config, arguments.action).await;
    store.close().await;
    done
}

async fn obey(store: &dyn Store, config: &Config, action: Action) -> Result<(), Failure> {
    let (scope, now) = (&Scope::All, Clock::System.now());
    match action {
        Action::List { tenant, rule, shift, all, json } => {
            let filter = alerts::Filter { tenant, rule, shift, resolved: all };
            list(&alerts::list(store, scope, &filter, &Page::ALL).await?.items, json)
        }
        Action::Show { which, json } => show(&alerts::show(store, scope, &which.into()).await?, json),
        Action::Acknowledge { which, comment, author } => {
            let by = Acknowledgement { at: now, by: author, comment };
            let AlertKey { rule, tenant, .. } = alert::acknowledge(store, scope, &which.into(), by).await?;
            output::say(&format!("acknowledged: no reminders of `{rule}` for `{tenant}` until it worsens or resolves"));
            Ok(())
        }
        Action::Unacknowledge { which } => {
            let taken_back = alert::unacknowledge(store, scope, &which.into(), now).await?;
            let said = if taken_back.was_acknowledged {
                "reminders resume; the running service checks within seconds whether one is due"
            } else {
                "it was not acknowledged"
            };
            output::say(&format!("`{}` of `{}`: {said}", taken_back.alert.rule, taken_back.alert.tenant));
            Ok(())
        }
        Action::Accept(arguments) => accept::accept(store, config, arguments).await,
    }
}

fn list(rows: &[AlertRow], json: bool) -> Result<(), Failure> {
    let header = ["STATE", "TENANT", "RULE", "SCORE", "SINCE", "LAST NOTIFIED", "BASELINE"];
    output::listing(rows, json, header, "no alerts", |row| {
        let score = row.last_notification.as_ref().and_then(|last| last.data.score.as_ref());
        [
            state(row),
            row.key.tenant.to_string(),
            row.key.rule.to_string(),
            row.key
                .subject
                .as_ref()
                .map_or_else(|| score_name(row), |subject| format!("{} {subject}", score_name(row))),
            output::or_dash(since(&row.alert.state)),
            output::or_dash(score.and_then(|score| score.value).map(display::number)),
            output::or_dash(score.and_then(|score| score.baseline).map(display::number)),
        ]
    })
}

/// The score's name, or `all` for a rule that covers every score.
fn score_name(row: &AlertRow) -> String {
    row.key.score.map_or("all", ScoreKind::as_str).to_owned()
}

/// The state, and whether somebody has acknowledged the alert.
fn state(row: &AlertRow) -> String {
    let state = row.alert.state.as_str();
    if row.acknowledged.is_some() { format!("{state} (acknowledged)") } else { state.to_owned() }
}

fn since(state: &AlertState) -> Option<crate::domain::Timestamp> {
    match state {
        AlertState::Inactive => None,
        AlertState::Pending(pending) => Some(pending.since),
        AlertState::Firing(firing) => Some(firing.since),
    }
}

fn show(row: &AlertRow, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(row);
    }
    let channels: Vec<_> = row.notified_channels.iter().map(ToString::to_string).collect();
    let acknowledged = row.acknowledged.as_ref().map(|seen| format!("{} by {}: {}", seen.at, seen.by, seen.comment));
    let facts = [
        ("alert", format!("{} of {}", row.key.rule, row.key.tenant)),
        ("score", score_name(row)),
        ("subject", output::or_dash(row.key.subject.as_ref())),
        ("state", row.alert.state.as_str().to_owned()),
        ("since", output::or_dash(since(&row.alert.state))),
        ("fired", output::counted(row.alert.generation, "time")),
        ("notifications since it last fired", row.alert.sequence.to_string()),
        ("last notified", output::or_dash(row.notified_at)),
        ("notified channels", if channels.is_empty() { "-".to_owned() } else { channels.join(", ") }),
        ("fleet shift", output::or_dash(row.shift.as_ref())),
        ("acknowledged", output::or_dash(acknowledged)),
        ("changed", row.changed_at.to_string()),
    ];
    output::say(&output::table(["", ""], facts.map(|(what, value)| [what.to_owned(), value])));
    if let Some(last) = &row.last_notification {
        output::say("\nnewest notification:");
        output::json(last)?;
    }
    Ok(())
}
