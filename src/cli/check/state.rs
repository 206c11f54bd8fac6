//! `scorewatch check --against-state`: what this configuration would change of the alerts that the store has.

use serde::Serialize;

use super::super::{Failure, beside, output};
use crate::{
    check::outlook::{self, Change, Fate},
    clock::Clock,
    config::Config,
    domain::{ChannelName, ScoreKind, Subject},
    rule::Resolution,
    store::Store,
};

/// One alert that this configuration would change, or that fires on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::cli) struct Line {
    tenant: String,
    rule: String,
    /// `None`: of the whole tenant.
    score: Option<ScoreKind>,
    subject: Option<Subject>,
    /// `opens`, `pends`, `closes`, `moves` or `stays`.
    pub(in crate::cli) what: &'static str,
    reason: Option<Resolution>,
    /// Channels that hear of it from now on.
    channels: Vec<ChannelName>,
    /// Of those, the ones that were not told that it began.
    newly_told: Vec<ChannelName>,
    /// The ones that were notified that it began and are sent nothing more of it.
    no_longer_told: Vec<ChannelName>,
    /// The ones that are not on its route any more while something of it waits for them: that goes to `newly_told`, or if nobody
    /// is, the operator is notified.
    leaves_waiting: Vec<ChannelName>,
}

impl From<Change> for Line {
    fn from(Change { key, what, channels, told_to, waiting }: Change) -> Self {
        let without = |left: &[ChannelName], right: &[ChannelName]| {
            left.iter().filter(|channel| !right.contains(channel)).cloned().collect::<Vec<_>>()
        };
        let goes_on = what == Fate::Stays;
        let newly_told = if goes_on { without(&channels, &told_to) } else { Vec::new() };
        let no_longer_told = if goes_on { without(&told_to, &channels) } else { Vec::new() };
        let leaves_waiting: Vec<_> =
            waiting.into_iter().filter(|channel| goes_on && !channels.contains(channel)).collect();
        let (what, reason) = match what {
            Fate::Opens => ("opens", None),
            Fate::Pends => ("pends", None),
            Fate::Closes(why) => ("closes", Some(why)),
            Fate::Stays if newly_told.is_empty() && no_longer_told.is_empty() && leaves_waiting.is_empty() => {
                ("stays", None)
            }
            Fate::Stays => ("moves", None),
        };
        let (tenant, rule) = (key.tenant.to_string(), key.rule.to_string());
        let channels = if reason.is_some() { told_to } else { channels };
        Self {
            tenant,
            rule,
            score: key.score,
            subject: key.subject,
            what,
            reason,
            channels,
            newly_told,
            no_longer_told,
            leaves_waiting,
        }
    }
}

/// What a configuration would change in the state that its own store has.
pub(in crate::cli) async fn lines(config: &Config) -> Result<Vec<Line>, Failure> {
    let store = beside(config).await?;
    let lines = lines_of(&store, config).await;
    store.close().await;
    lines
}

/// The same with a store that is open.
pub(in crate::cli) async fn lines_of(store: &dyn Store, config: &Config) -> Result<Vec<Line>, Failure> {
    let changes = outlook::changes(store, config, Clock::System.now()).await?;
    Ok(changes.into_iter().map(Line::from).collect())
}

pub(super) async fn against_state(config: &Config, as_json: bool) -> Result<(), Failure> {
    let lines = lines(config).await?;
    if as_json {
        return output::json(&lines);
    }
    let (stay, change): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.what == "stays");
    if change.is_empty() {
        output::say("nothing changes");
    } else {
        output::say(&table(&change));
    }
    output::complain(&format!("{} would change, {} fire on as they are", change.len(), stay.len()));
    Ok(())
}

/// The lines as a table.
pub(in crate::cli) fn table(lines: &[Line]) -> String {
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
    output::table(["WHAT", "TENANT", "RULE", "SCORE", "WHO HEARS, AND WHY"], rows)
}

fn why(line: &Line) -> String {
    let names = |channels: &[ChannelName]| channels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if line.what == "moves" {
        let new = (!line.newly_told.is_empty()).then(|| format!("new: {}", names(&line.newly_told)));
        let gone = (!line.no_longer_told.is_empty()).then(|| format!("no longer: {}", names(&line.no_longer_told)));
        let to = if line.newly_told.is_empty() {
            "the operator is notified of it".to_owned()
        } else {
            "it goes there".to_owned()
        };
        let waiting = (!line.leaves_waiting.is_empty())
            .then(|| format!("something waits for {}: {to}", names(&line.leaves_waiting)));
        return new.into_iter().chain(gone).chain(waiting).collect::<Vec<_>>().join("; ");
    }
    let told = if line.channels.is_empty() { "nobody".to_owned() } else { names(&line.channels) };
    let why = line.reason.map(|reason| match reason {
        Resolution::Recovered => "by this text the score has recovered",
        Resolution::Accepted => "accepted as the new level",
        Resolution::RuleChanged => "by the new text the condition does not hold",
        Resolution::RuleRemoved => "the rule is gone, or no longer for this tenant",
        Resolution::TenantRemoved => "the tenant is gone",
        Resolution::SubjectRemoved => "the score is no longer polled",
    });
    why.map_or_else(|| told.clone(), |why| format!("{told}: {why}"))
}
