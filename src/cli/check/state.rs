//! `scorewatch check --against-state`: what this configuration would change of the alerts that the store has.

use super::super::{Failure, output};
use crate::{
    clock::Clock,
    config::Config,
    domain::{ChannelName, Scope, ScoreKind},
    query::{self, changes::AlertChange},
    rule::Resolution,
};

pub(super) async fn against_state(config: &Config, as_json: bool) -> Result<(), Failure> {
    let store = query::open(config).await?;
    let now = Clock::System.now();
    let lines = query::changes::against_state(&*store, config, &Scope::All, now).await;
    let unknown = query::changes::unknown_controls(&*store, config, &Scope::All, now).await;
    store.close().await;
    let (lines, unknown) = (lines?, unknown?);
    for one in unknown {
        output::complain(&format!("tenant `{}`: {one}", one.tenant));
    }
    if as_json {
        return output::json(&lines);
    }
    let (stay, change): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.what == "stays");
    if change.is_empty() {
        output::say("nothing changes");
    } else {
        output::say(&table(&change));
    }
    output::complain(&format!(
        "{} would change, {} would keep firing unchanged",
        output::counted(change.len(), "alert"),
        stay.len()
    ));
    Ok(())
}

/// The changes of alerts as a table.
pub(in crate::cli) fn table(lines: &[AlertChange]) -> String {
    let rows = lines.iter().map(|line| {
        let score = line.score.map_or("all", ScoreKind::as_str).to_owned();
        [
            line.what.to_owned(),
            line.tenant.clone(),
            line.rule.clone(),
            line.subject.as_ref().map_or_else(|| score.clone(), |subject| format!("{score} {subject}")),
            why(line),
        ]
    });
    output::table(["WHAT", "TENANT", "RULE", "SCORE", "CHANNELS AND REASON"], rows)
}

fn why(line: &AlertChange) -> String {
    let names = |channels: &[ChannelName]| channels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if line.what == "moves" {
        let new = (!line.newly_notified.is_empty()).then(|| format!("new: {}", names(&line.newly_notified)));
        let gone =
            (!line.no_longer_notified.is_empty()).then(|| format!("no longer: {}", names(&line.no_longer_notified)));
        let to = if line.newly_notified.is_empty() {
            "the operator is notified of them".to_owned()
        } else {
            "they are sent to the new channels".to_owned()
        };
        let waiting = (!line.leaves_waiting.is_empty())
            .then(|| format!("messages are queued for {}: {to}", names(&line.leaves_waiting)));
        return new.into_iter().chain(gone).chain(waiting).collect::<Vec<_>>().join("; ");
    }
    let channels = if line.channels.is_empty() { "nobody".to_owned() } else { names(&line.channels) };
    let why = line.reason.map(|reason| match reason {
        Resolution::Recovered => "with this configuration the score has recovered",
        Resolution::Accepted => "accepted as the new level",
        Resolution::RuleChanged => "with the new rule the condition does not hold",
        Resolution::RuleRemoved => "the rule was removed, or no longer applies to this tenant",
        Resolution::TenantRemoved => "the tenant was removed",
        Resolution::SubjectRemoved => "the score is no longer polled",
    });
    why.map_or_else(|| channels.clone(), |why| format!("{channels}: {why}"))
}
