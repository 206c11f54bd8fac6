//! `scorewatch explain`: why an alert fires or does not, and what became of its messages.

mod blindness;
mod overview;
mod screen;
mod words;

use std::{io::IsTerminal, path::Path};

use self::screen::Detail;
use super::{Failure, alerts, output, perhaps_unread, readable, wrong_input};
use crate::{
    check::blind::OPERATOR_BLIND,
    clock::Clock,
    config::Config,
    domain::Scope,
    query::{
        self, Store,
        alerts::Which,
        explain::Question,
        find,
        ids::{self, Named},
    },
};

/// The rows of a terminal that nobody has made larger.
const SCREEN_ROWS: usize = 24;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch explain contoso                                     every rule of a tenant, in a line each
  scorewatch explain contoso device-score-drop
  scorewatch explain contoso group-exposure --subject Servers    one device group
  scorewatch explain 7Q4M2K                                      by the id in a message or a listing
  scorewatch explain contoso device-score-drop -v                more than fits one screen
  scorewatch explain contoso device-score-drop --json            everything, for scripts
  scorewatch explain contoso operator.blind                      whether the operator is notified that it can't be \
  read, and why

It reads the store next to the service and changes nothing. It explains the newest reading in the store.")]
pub(super) struct Arguments {
    /// The tenant's id, without a rule for a line about each rule; or the id of an alert, of a fleet shift or of a message about it, or
    /// its first letters
    #[arg(value_name = "TENANT|ID")]
    tenant: String,
    /// The rule's name in the configuration
    rule: Option<String>,
    /// The subject, if the score has several; all of them otherwise
    #[arg(long, requires = "rule")]
    subject: Option<String>,
    /// Show everything: more readings, each series in full, each message with each attempt
    #[arg(short, long)]
    verbose: bool,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// The rows of a terminal, without that of the next prompt; what is not on a terminal has no end.
    fn rows_max(&self) -> usize {
        if self.verbose || !std::io::stdout().is_terminal() { usize::MAX } else { SCREEN_ROWS - 1 }
    }

    const fn detail(&self) -> Detail {
        if self.verbose { Detail::Everything } else { Detail::Screen }
    }
}

pub(super) async fn explain(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let config = readable(file)?.config;
    let which = match &arguments.rule {
        Some(rule) => {
            // What is named wrongly is refused before the store is opened.
            find::tenant(&config, &Scope::All, &arguments.tenant)?;
            known_rule(&config, rule)?;
            Some(Which::named(&arguments.tenant, rule, arguments.subject.clone()))
        }
        None => None,
    };
    let store = query::open(&config).await?;
    let done = match find::tenant(&config, &Scope::All, &arguments.tenant) {
        Ok(tenant) if which.is_none() => overview::show(&*store, &config, tenant, arguments.json).await,
        _ => of_store(&*store, &config, which, arguments, arguments.rows_max()).await,
    };
    store.close().await;
    done
}

/// Prints why an alert fires or does not, in at most `rows_max` rows of a terminal.
pub(super) async fn show(store: &dyn Store, config: &Config, which: Which, rows_max: usize) -> Result<(), Failure> {
    let (tenant, rule) = (String::new(), None);
    let arguments = Arguments { tenant, rule, subject: None, verbose: false, json: false };
    of_store(store, config, Some(which), &arguments, rows_max).await
}

async fn of_store(
    store: &dyn Store,
    config: &Config,
    which: Option<Which>,
    arguments: &Arguments,
    rows_max: usize,
) -> Result<(), Failure> {
    let (scope, now) = (&Scope::All, Clock::System.now());
    let Which { tenant, rule, subject, .. } = match which {
        Some(which) => which,
        None => match ids::named(store, scope, &arguments.tenant).await? {
            Named::Alert(which) => which,
            Named::Shift(shift) => return alerts::show_shift(store, config, &shift, arguments.json).await,
        },
    };
    let configured = find::tenant(config, scope, &tenant)?;
    let lines = if rule == OPERATOR_BLIND {
        if subject.is_some() {
            return Err(wrong_input(format!("`{OPERATOR_BLIND}` is about the whole tenant; leave `--subject` out")));
        }
        let trace = query::explain::blindness(store, config, scope, &tenant, now).await?;
        if arguments.json {
            return output::json(&trace);
        }
        blindness::lines(&trace, configured, &config.operator, now, arguments.detail())
    } else {
        known_rule(config, &rule)?;
        let question = Question { tenant, rule, subject };
        let trace = query::explain::explain(store, config, scope, &question, now).await?;
        if arguments.json {
            return output::json(&trace);
        }
        screen::lines(&trace, find::rule(config, scope, &question.rule)?, configured, arguments.detail())
    };
    for line in screen::cut(lines, rows_max) {
        output::say(&output::visible(&line));
    }
    Ok(())
}

/// Refuses a rule that does not exist, and names those that do.
fn known_rule(config: &Config, rule: &str) -> Result<(), Failure> {
    if rule == OPERATOR_BLIND {
        return Ok(());
    }
    find::rule(config, &Scope::All, rule).map(drop).map_err(|error| {
        if matches!(error, query::Error::NotFound { nearest: Some(_), .. }) {
            return wrong_input(format!("{error}{}", perhaps_unread()));
        }
        let names = config.rules.iter().map(|rule| rule.name.as_str()).chain([OPERATOR_BLIND]);
        let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
        wrong_input(format!("{error}{}; known rules: {}", perhaps_unread(), names.join(", ")))
    })
}
