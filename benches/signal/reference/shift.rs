//! Decides which common moves are fleet shifts, and how far each one moved each tenant.

use super::{
    model::{Latitude, Tolerance},
    world::{Common, Evidence, Outcome, Seconds, Series, World},
};

/// How one shift moved one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved {
    /// The source time of the first reading that shows it.
    pub seen: Seconds,
    /// When that reading was made.
    pub read_at: Seconds,
    /// The part of a move that the shift may explain, in percent or points.
    pub by: f64,
    /// The same in the unit of the score, for the value that the tenant had.
    pub points: f64,
    /// Whether the tenant moved farther than the shift's tolerance allows.
    pub is_outlier: bool,
    pub evidence: Evidence,
}

/// One tenant's readings around a common move.
struct Around {
    tenant: usize,
    before: f64,
    after: f64,
    seen: Seconds,
    read_at: Seconds,
}

/// Each reading: source time, when it was made, value.
pub fn readings(series: &Series) -> Vec<(Seconds, Seconds, f64)> {
    let read = series.checks.iter().filter_map(|check| match check.outcome {
        Outcome::Read { value, dated } => Some((dated, check.at, value)),
        _ => None,
    });
    read.collect()
}

fn around(world: &World, common: &Common, tenant: usize, latitude: Latitude) -> Option<Around> {
    let facts = &world.tenants[tenant];
    let series = facts.series.iter().find(|series| series.score == common.score)?;
    let all = readings(series);
    let first = all.partition_point(|(dated, ..)| *dated < common.at);
    let (_, _, before) = *all.get(first.checked_sub(1)?)?;
    let (seen, read_at, value) = *all.get(first)?;
    // The next change is another shift; up to it, a later reading of the same interval is as good.
    let next = world.common.iter().filter(|other| other.score == common.score && other.at > common.at);
    let end = next.map(|other| other.at).min().unwrap_or(Seconds::MAX).min(common.at + facts.every * 5 / 4);
    let last = all[first..].iter().take_while(|(dated, ..)| *dated < end).last();
    let after = if latitude.last_of_interval { last.map_or(value, |(.., value)| *value) } else { value };
    Some(Around { tenant, before, after, seen, read_at })
}

/// The moves of each shift that has its quorum, by tenant and place of the common move; `None`: the fleet did not shift.
pub fn moves(world: &World, common: &Common, latitude: Latitude) -> Option<Vec<(usize, Moved)>> {
    let all: Vec<Around> =
        (0..world.tenants.len()).filter_map(|tenant| around(world, common, tenant, latitude)).collect();
    let is_in_time = |one: &&Around| one.seen <= common.at + world.tenants[one.tenant].every;
    let read: Vec<&Around> = all.iter().filter(is_in_time).collect();
    let by = |one: &Around| common.score.moved(one.before, one.after);
    let is_hit = |one: &Around| common.tenants.contains(&one.tenant);
    let mut hit: Vec<f64> = read.iter().filter(|one| is_hit(one)).map(|one| by(one)).collect();
    let median = median(&mut hit)?;
    hit.retain(|by| by * median > 0.0);
    #[expect(clippy::cast_precision_loss, reason = "fleets are small")]
    let has_share = hit.len() as f64 * 100.0 >= read.len() as f64 * world.fleet.share_percent;
    if world.fleet.hold == 0 || hit.len() < world.fleet.at_least || !has_share {
        return None;
    }
    let mut deviations: Vec<f64> = hit.iter().map(|by| (by - median).abs()).collect();
    let deviation = self::median(&mut deviations).unwrap_or_default();
    let tolerance = match latitude.tolerance {
        Tolerance::Raw => 3.5 * deviation,
        // Scaled to the deviation of a normal distribution, and never so small that nothing passes.
        Tolerance::Normal => (3.5 * 1.4826 * deviation).max(0.15 * median.abs()).max(1.0),
    };
    let moved = |one: &Around| {
        let own = by(one);
        let is_along = own * median > 0.0;
        let limit = median.abs() + tolerance;
        let counted = if is_along { own.signum() * own.abs().min(limit) } else { 0.0 };
        let moved = Moved {
            seen: one.seen,
            read_at: one.read_at,
            by: counted,
            points: common.score.move_by(one.before, counted) - one.before,
            is_outlier: is_along && own.abs() > limit,
            evidence: common.evidence,
        };
        (one.tenant, moved)
    };
    Some(all.iter().map(moved).collect())
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len().checked_sub(1)? / 2;
    Some(if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle], values[middle + 1]) })
}
