//! What would have been sent, as tables.

use crate::{
    cli::output,
    query::backtest::{Line, Report},
    replay::Stage,
    rule::display,
};

/// Most tenants of the table; JSON has them all.
const NOISIEST: usize = 10;
/// Eighths of a line.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Prints it for people.
pub(super) fn show(report: &Report) {
    let told: usize = report.tenants.iter().map(|line| line.all).sum();
    output::say(&format!("{} to {}: {} readings, {told} messages told", report.since, report.until, report.readings));
    if told == 0 {
        return;
    }
    let line: String = blocks(&report.over_time);
    output::say(&format!("over time  {line}  (most in one part: {})\n", report.over_time.iter().max().unwrap_or(&0)));
    let header = |first| [first, "FIRED", "WORSENED", "REMINDED", "UNSTABLE", "RESOLVED", "ALL"];
    output::say(&output::table(header("RULE"), report.rules.iter().map(|line| cells(line, line.of.clone()))));
    output::say("");
    let noisiest = report.tenants.iter().take(NOISIEST);
    output::say(&output::table(header("TENANT"), noisiest.map(|line| cells(line, line.of.to_string()))));
    if report.tenants.len() > NOISIEST {
        output::say(&format!(
            "(the {NOISIEST} noisiest of {} tenants with messages; `--json` has all)",
            report.tenants.len()
        ));
    }
    output::say("");
    let channels = report.channels.iter().map(|line| {
        [line.channel.to_string(), line.messages.to_string(), line.digests.to_string(), display::number(line.per_week)]
    });
    output::say(&output::table(["CHANNEL", "SENT", "OF WHICH DIGESTS", "A WEEK"], channels));
    for stage in Stage::ALL {
        let Some(count) = report.suppressed.get(&stage) else { continue };
        let what = match stage {
            Stage::Route => "told nobody: no channel may show the tenant",
            Stage::Silence => "suppressed by silences",
            Stage::Fleet => "sent as a line of a message about a fleet shift",
            Stage::Digest => "went along with a newer message or in a digest",
        };
        output::say(&format!("{count} {what}"));
    }
}

fn cells<K>(line: &Line<K>, first: String) -> [String; 7] {
    let [fired, worsened, reminded, unstable, resolved, all] =
        [line.firing, line.worsened, line.reminder, line.unstable, line.resolved, line.all]
            .map(|count| count.to_string());
    [first, fired, worsened, reminded, unstable, resolved, all]
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
