//! `scorewatch preview`: the exact message of a rule, or the report, for a channel; `--send` posts it, marked as a test.

use std::path::Path;

use serde_json::Value;

use super::{Failure, OutsideUnit, caller, configured, output};
use crate::{
    action::{
        preview::{self, Message, Shown},
        store,
    },
    clock::Clock,
    domain::Scope,
    query,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch preview --rule device-score-drop --channel soc
  scorewatch preview --rule device-score-drop --channel soc --resolved --tenant contoso
  scorewatch preview --rule device-score-drop --channel soc --send    posts it, marked as a test
  scorewatch preview --report --channel contoso                             the report on the tenants that it may show

The values are made up; tenant, names, template and request are real.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Arguments {
    /// The rule's name in the configuration
    #[arg(long, value_name = "NAME", required_unless_present = "report")]
    rule: Option<String>,
    /// Show the channel's report instead of a rule's message
    #[arg(long, conflicts_with_all = ["rule", "tenant", "resolved"])]
    report: bool,
    /// The channel's name in the configuration
    #[arg(long, value_name = "NAME")]
    channel: String,
    /// The tenant; by default the first that the rule selects and the channel may show
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// Show the message that the alert is resolved
    #[arg(long)]
    resolved: bool,
    /// Post it, marked as a test
    #[arg(long)]
    send: bool,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    outside: OutsideUnit,
}

pub(super) async fn preview(file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    arguments.outside.apply();
    let config = configured(file)?;
    let (scope, now) = (&Scope::All, Clock::System.now());
    let message = match &arguments.rule {
        Some(rule) => {
            let (tenant, resolved) = (arguments.tenant.clone(), arguments.resolved);
            Message::OfRule { rule: rule.clone(), tenant, resolved }
        }
        None => Message::Report,
    };
    let preview = preview::preview(&config, scope, &arguments.channel, &message, now).await?;
    show(&preview.shown, arguments.json)?;
    if let Some(lacks) = preview.lacks.as_ref().filter(|_| !arguments.send) {
        output::complain(&format!("shown without its address, for which a secret is needed: {lacks}"));
    }
    if arguments.send {
        let caller = caller::caller();
        // Where no service has run yet, there is no log to record it in.
        let has_log = store::schema(&config, &caller).await?.from > 0;
        let store = if has_log { Some(query::open(&config).await?) } else { None };
        let sent = preview::send(store.as_deref(), &config, &caller, &preview, now).await;
        if let Some(store) = store {
            store.close().await;
        }
        sent?;
        let is_early = config.channels.get(arguments.channel.as_str()).is_some_and(|of| of.kind.answers_early());
        let check =
            if is_early { "; check that it appeared, because a Teams workflow answers before it runs" } else { "" };
        output::complain(&format!("sent, and the receiver accepted it{check}"));
    }
    Ok(())
}

fn show(shown: &Shown, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return output::json(shown);
    }
    let bytes = match shown {
        Shown::Mail { from, message, server, to, bytes } => {
            output::say(&format!("MAIL FROM {from} TO {} BY {server}", to.join(", ")));
            output::say("");
            output::say(&message.replace("\r\n", "\n"));
            bytes
        }
        Shown::Http { body, headers, method, url, bytes } => {
            output::say(&format!("{method} {url}"));
            for (name, value) in headers {
                output::say(&format!("{name}: {}", output::visible(value)));
            }
            output::say("");
            match body {
                Value::String(text) => output::say(text),
                json => output::json(json)?,
            }
            bytes
        }
    };
    output::complain(&format!("({bytes} bytes)"));
    Ok(())
}
