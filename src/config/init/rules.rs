//! The first rules: those of the starter pack that fit what is polled.

use crate::domain::{ChannelName, ScoreKind};

/// The starter pack, as it is shipped and tested.
const STARTER: &str = include_str!("../../../rules/starter.yaml");
/// The channel that its rules name.
const ITS_CHANNEL: &str = "soc-teams";
/// The line after which its rules begin.
const BEGIN: &str = "\nrules:\n";
/// What a rule has that needs a number of the reader's own.
const FLOOR: &str = "when: { below:";

/// The rules of the starter pack whose scores are polled, for that channel. The rule that needs a number of one's own is left
/// out.
pub(super) fn rules(channel: &ChannelName, scores: &[ScoreKind]) -> String {
    let (_, rules) = STARTER.split_once(BEGIN).unwrap_or_default();
    let is_polled = |rule: &&str| {
        let score = rule.lines().find_map(|line| line.trim().strip_prefix("score: "));
        score.is_none_or(|score| scores.iter().any(|polled| polled.as_str() == score.trim()))
    };
    let kept = rules.split("\n\n").filter(|rule| !rule.contains(FLOOR)).filter(is_polled);
    let kept: Vec<&str> = kept.map(str::trim_end).collect();
    let list = kept.join("\n\n").replace(&format!("[{ITS_CHANNEL}]"), &format!("[{channel}]"));
    format!(
        "# The rules that Scorewatch starts with. `scorewatch backtest --since 30d` shows what they would have sent.\n\
         # A rule for a floor, which needs a number of your own, looks like this:\n\
         #   - {{ name: device-score-floor, score: device-secure-score, when: {{ below: 300 }}, recover: {{ above: 320 }}, for: 1h, \
         notify: [{channel}] }}\n\
         rules:\n{list}\n"
    )
}
