//! What would have been sent, as tables.

use crate::{
    cli::output,
    query::backtest::{Line, Report},
    replay::Stage,
    rule::display,
};

/// The table shows at most this many tenants; JSON has them all.
const NOISIEST: usize = 10;
/// Bars from one eighth of a line's height to the whole height.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Prints the report as tables.
pub(super) fn show(report: &Report) {
    let sent: usize = report.tenants.iter().map(|line| line.all).sum();
    output::say(&format!(
        "{} to {}: {}, {}",
        output::time(report.since),
        output::time(report.until),
        output::counted(report.readings, "reading"),
        output::counted(sent, "message")
    ));
    if sent == 0 {
        return;
    }
    let line: String = blocks(&report.over_time);
    output::say(&format!("over time  {line}  (at most {} per column)\n", report.over_time.iter().max().unwrap_or(&0)));
    let header = |first| [first, "FIRED", "WORSENED", "REMINDED", "ESCALATED", "UNSTABLE", "RESOLVED", "ALL"];
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
    output::say(&output::table(["CHANNEL", "SENT", "DIGESTS", "PER WEEK"], channels));
    for stage in Stage::ALL {
        let Some(count) = report.suppressed.get(&stage) else { continue };
        let what = match stage {
            Stage::Route => "not sent: no channel may show the tenant",
            Stage::Silence => "suppressed by silences",
            Stage::Fleet => "listed in the message about a fleet shift",
            Stage::Digest => "merged into a newer message or a digest",
        };
        output::say(&format!("{count} {what}"));
    }
}

fn cells<K>(line: &Line<K>, first: String) -> [String; 8] {
    let counts = [line.firing, line.worsened, line.reminder, line.escalated, line.unstable, line.resolved, line.all];
    let [fired, worsened, reminded, escalated, unstable, resolved, all] = counts.map(|count| count.to_string());
    [first, fired, worsened, reminded, escalated, unstable, resolved, all]
}

/// The counts as a line of bars; a dot for a count of 0.
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
