//! What would have been sent, for people and machines.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Span;
use crate::{
    cli::output,
    domain::{ChannelName, TenantId, Timestamp},
    notify::NotificationType,
    replay::{Course, Outcome, Plan, ScoreCourse, Stage},
    rule::{TransitionKind, display},
};

/// Most tenants of the table; JSON has them all.
const NOISIEST: usize = 10;
/// Eighths of a line.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// One block of the line over time is so many days, at least one.
const BLOCKS_MAX: u64 = 60;

/// What would have been sent.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    since: Timestamp,
    until: Timestamp,
    readings: usize,
    /// What alerts told, before anything was merged or suppressed; noisiest first.
    tenants: Vec<Line<TenantId>>,
    rules: Vec<Line<String>>,
    /// What each channel got.
    channels: Vec<ChannelLine>,
    /// Messages told, by equal parts of the time.
    over_time: Vec<usize>,
    /// Copies that were not sent by themselves, by stage.
    suppressed: BTreeMap<Stage, usize>,
}

/// What alerts told, by type.
#[derive(Debug, Clone, Serialize)]
struct Line<K> {
    of: K,
    firing: usize,
    worsened: usize,
    reminder: usize,
    unstable: usize,
    resolved: usize,
    all: usize,
}

/// What one channel got.
#[derive(Debug, Serialize)]
struct ChannelLine {
    channel: ChannelName,
    messages: usize,
    digests: usize,
    per_week: f64,
}

impl Report {
    pub(super) fn of(plan: &Plan, courses: &[Course], outcome: &Outcome, span: Span) -> Self {
        let weeks = span.until.since(span.since).as_secs_f64() / (7.0 * 86_400.0);
        let mut tenants: BTreeMap<TenantId, Line<TenantId>> = BTreeMap::new();
        let mut rules: BTreeMap<String, Line<String>> =
            plan.rules.iter().map(|rule| (rule.name.to_string(), Line::new(rule.name.to_string()))).collect();
        for message in &outcome.messages {
            let kind = message.transition.kind;
            tenants.entry(message.tenant.clone()).or_insert_with(|| Line::new(message.tenant.clone())).count(kind);
            rules.entry(message.rule.name.to_string()).or_insert_with_key(|name| Line::new(name.clone())).count(kind);
        }
        let mut tenants: Vec<_> = tenants.into_values().collect();
        tenants.sort_by(|one, other| other.all.cmp(&one.all).then_with(|| one.of.cmp(&other.of)));
        let channel = |channel: &ChannelName| {
            let sent: Vec<_> = outcome.sent.iter().filter(|sent| sent.channel == *channel).collect();
            #[expect(clippy::cast_precision_loss, reason = "a count of messages is small")]
            ChannelLine {
                channel: channel.clone(),
                messages: sent.len(),
                digests: sent.iter().filter(|sent| sent.kind == NotificationType::Digest).count(),
                per_week: sent.len() as f64 / weeks,
            }
        };
        let mut suppressed: BTreeMap<Stage, usize> = BTreeMap::new();
        for one in &outcome.suppressed {
            *suppressed.entry(one.stage).or_default() += 1;
        }
        Self {
            since: span.since,
            until: span.until,
            readings: courses.iter().flat_map(|course| &course.scores).map(ScoreCourse::readings).sum(),
            tenants,
            rules: rules.into_values().collect(),
            channels: plan.receivers.keys().map(channel).filter(|line| line.messages > 0).collect(),
            over_time: over_time(outcome, span),
            suppressed,
        }
    }

    /// Prints it for people.
    pub(super) fn show(&self) {
        let told: usize = self.tenants.iter().map(|line| line.all).sum();
        output::say(&format!("{} to {}: {} readings, {told} messages told", self.since, self.until, self.readings));
        if told == 0 {
            return;
        }
        let line: String = blocks(&self.over_time);
        output::say(&format!("over time  {line}  (most in one part: {})\n", self.over_time.iter().max().unwrap_or(&0)));
        let header = |first| [first, "FIRED", "WORSENED", "REMINDED", "UNSTABLE", "RESOLVED", "ALL"];
        output::say(&output::table(header("RULE"), self.rules.iter().map(|line| line.cells(line.of.clone()))));
        output::say("");
        let noisiest = self.tenants.iter().take(NOISIEST);
        output::say(&output::table(header("TENANT"), noisiest.map(|line| line.cells(line.of.to_string()))));
        if self.tenants.len() > NOISIEST {
            output::say(&format!(
                "(the {NOISIEST} noisiest of {} tenants with messages; `--json` has all)",
                self.tenants.len()
            ));
        }
        output::say("");
        let channels = self.channels.iter().map(|line| {
            [
                line.channel.to_string(),
                line.messages.to_string(),
                line.digests.to_string(),
                display::number(line.per_week),
            ]
        });
        output::say(&output::table(["CHANNEL", "SENT", "OF WHICH DIGESTS", "A WEEK"], channels));
        for stage in Stage::ALL {
            let Some(count) = self.suppressed.get(&stage) else { continue };
            let what = match stage {
                Stage::Route => "told nobody: no channel may show the tenant",
                Stage::Silence => "suppressed by silences",
                Stage::Fleet => "sent as a line of a message about a fleet shift",
                Stage::Digest => "went along with a newer message or in a digest",
            };
            output::say(&format!("{count} {what}"));
        }
    }
}

impl<K> Line<K> {
    const fn new(of: K) -> Self {
        Self { of, firing: 0, worsened: 0, reminder: 0, unstable: 0, resolved: 0, all: 0 }
    }

    const fn count(&mut self, kind: TransitionKind) {
        match kind {
            TransitionKind::Fired => self.firing += 1,
            TransitionKind::Worsened => self.worsened += 1,
            TransitionKind::Reminder => self.reminder += 1,
            TransitionKind::Unstable => self.unstable += 1,
            TransitionKind::Resolved(_) => self.resolved += 1,
        }
        self.all += 1;
    }

    fn cells(&self, first: String) -> [String; 7] {
        let [fired, worsened, reminded, unstable, resolved, all] =
            [self.firing, self.worsened, self.reminder, self.unstable, self.resolved, self.all]
                .map(|count| count.to_string());
        [first, fired, worsened, reminded, unstable, resolved, all]
    }
}

/// How many messages were told in each of the equal parts of the time: a day each, or longer where that would be too many.
fn over_time(outcome: &Outcome, span: Span) -> Vec<usize> {
    let whole = span.until.since(span.since).as_secs().max(1);
    let parts = (whole / 86_400).clamp(1, BLOCKS_MAX);
    let mut counts = vec![0; usize::try_from(parts).unwrap_or(1)];
    for message in &outcome.messages {
        let part = u128::from(message.at.since(span.since).as_secs()) * u128::from(parts) / u128::from(whole);
        let last = counts.len() - 1;
        counts[usize::try_from(part).unwrap_or(last).min(last)] += 1;
    }
    counts
}

/// The counts as a line of blocks; none is a point.
fn blocks(counts: &[usize]) -> String {
    let most = counts.iter().copied().max().unwrap_or_default().max(1);
    let block = |count: usize| match count {
        0 => '·',
        count => BLOCKS[(count * BLOCKS.len()).div_ceil(most).clamp(1, BLOCKS.len()) - 1],
    };
    counts.iter().map(|&count| block(count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_become_blocks_of_their_share() {
        assert_eq!(blocks(&[0, 1, 4, 8]), "·▁▄█");
        assert_eq!(blocks(&[0, 0]), "··");
        assert_eq!(blocks(&[1, 100]), "▁█");
    }
}
