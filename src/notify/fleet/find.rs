//! Which movements are one shift. Pure: the service asks with what its store knows, a replay with what was read until then.

use std::collections::{BTreeMap, BTreeSet};

use super::{KnownShift, Move, Movement, Quorum, Scope, Shift, Span, detect, of_tenant};
use crate::domain::{Subject, TenantId, Timestamp};

/// A movement of a series is noise beside another that is this many times larger.
const NOISE_TIMES: f64 = 2.0;

/// A movement, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracked {
    /// Its number where it is kept.
    pub id: i64,
    /// The movement of the score that may be part of a shift.
    pub movement: Movement,
    /// Whether it was decided whether it is part of a shift.
    pub is_decided: bool,
    /// Of which shift it is part.
    pub part: Option<Attributed>,
}

/// What a movement is of a shift.
#[derive(Debug, Clone, PartialEq)]
pub struct Attributed {
    /// The identifier of the fleet shift.
    pub shift: String,
    /// As much of the movement as the shift accounts for; see [`Shift::share_of`].
    pub by: f64,
    /// Whether it stands out: it moved farther than the shift accounts for, and is reported on its own.
    pub is_outlier: bool,
}

/// What is known when movements are decided on.
#[derive(Debug)]
pub struct Known<'a> {
    /// The store's identity, part of every shift's id.
    pub store: &'a str,
    /// How many tenants make a shift.
    pub quorum: Quorum,
    /// Shifts that were found before.
    pub shifts: &'a [KnownShift],
    /// The time at which this is evaluated.
    pub now: Timestamp,
}

/// Decides on the movements of one scope that `is_read` picks out of those undecided: they are part of a shift, or, once `is_final`
/// says so, of none. `readings` gives, for each series of the scope, its tenant and the time of its newest reading; it is asked
/// only if enough moved. Returns the shifts that are new.
pub fn decide(
    known: &Known<'_>,
    scope: &Scope,
    movements: &mut [Tracked],
    is_read: impl Fn(&Movement) -> bool,
    is_final: impl Fn(&Movement) -> bool,
    readings: impl Fn() -> Vec<(TenantId, Timestamp)>,
) -> Vec<KnownShift> {
    let mut ready: Vec<usize> = (0..movements.len())
        .filter(|&index| !movements[index].is_decided && is_read(&movements[index].movement))
        .collect();
    ready.sort_by_key(|&index| (movements[index].movement.after.at, movements[index].id));
    let (mut found, mut read): (Vec<KnownShift>, Option<Vec<(TenantId, Timestamp)>>) = (Vec::new(), None);
    for index in ready {
        if movements[index].is_decided {
            continue;
        }
        // Who is read late is part of a shift that is known, though enough of them are late to be another.
        if let Some(joined) = joins(known.shifts.iter().chain(&found), movements, index) {
            let joined = joined.clone();
            attribute(&mut movements[index], &joined);
            continue;
        }
        if let Some((shift, chosen)) =
            around(known, &found, scope, movements, index, || read.get_or_insert_with(&readings).clone())
        {
            let new = KnownShift::found(known.store, shift, known.now);
            for place in chosen {
                attribute(&mut movements[place], &new);
            }
            found.push(new);
        }
        // What began the search may itself be mere noise beside what was found.
        if !movements[index].is_decided {
            movements[index].is_decided = is_final(&movements[index].movement);
        }
    }
    found
}

fn attribute(tracked: &mut Tracked, known: &KnownShift) {
    let by = tracked.movement.by;
    tracked.is_decided = true;
    let is_outlier = known.shift.is_outlier(by);
    tracked.part = Some(Attributed { shift: known.id.clone(), by: known.shift.share_of(by), is_outlier });
}

/// The shift of which this movement is part with others around it, and which those are.
fn around(
    known: &Known<'_>,
    found: &[KnownShift],
    scope: &Scope,
    movements: &[Tracked],
    trigger: usize,
    read: impl FnOnce() -> Vec<(TenantId, Timestamp)>,
) -> Option<(Shift, Vec<usize>)> {
    let (trigger, span) = (&movements[trigger].movement, movements[trigger].movement.span());
    // Who is late for another shift joins that one once it is their turn.
    let parts = movements.iter().filter_map(|other| Some((other.part.as_ref()?, &other.movement)));
    let taken: BTreeMap<(&str, &TenantId, Option<&Subject>), f64> = parts
        .map(|(part, movement)| ((part.shift.as_str(), &movement.tenant, movement.subject.as_ref()), part.by))
        .collect();
    let is_late_for_another = |movement: &Movement| {
        let has_part = |id: &str| {
            let part = taken.get(&(id, &movement.tenant, movement.subject.as_ref()));
            part.is_some_and(|by| !dwarfs(movement.by, *by))
        };
        known.shifts.iter().chain(found).any(|shift| is_late(shift, movement) && !has_part(&shift.id))
    };
    let free = |tracked: &Tracked| {
        tracked.part.is_none() && tracked.movement.is_in(&span) && !is_late_for_another(&tracked.movement)
    };
    let nearness = |movement: &Movement| {
        let at = movement.after.at;
        (at.since(trigger.after.at).max(trigger.after.at.since(at)), at)
    };
    let is_along = |movement: &Movement| movement.by * trigger.by > 0.0;
    // Of several movements of one series, the nearest in time, except for those that are mere noise beside another.
    let first = one_of_each_series(movements, free, |one, other| {
        let is_clear =
            |one: &Movement, other: &Movement| is_along(one) && (!is_along(other) || dwarfs(one.by, other.by));
        is_clear(one, other) || !is_clear(other, one) && nearness(one) < nearness(other)
    });
    let goes_along = |places: &&Vec<usize>| places.iter().any(|&place| is_along(&movements[place].movement));
    if first.values().filter(goes_along).count() < known.quorum.at_least.max(1) {
        return None;
    }
    let read = read();
    let of = |chosen: &BTreeMap<&TenantId, Vec<usize>>| {
        let shift = detect(scope, span, &moves(chosen, movements, &read, span), known.quorum);
        shift.filter(|shift| shift.is_along(trigger.by))
    };
    // Now that it is known how the others moved: the movement that is most like theirs, so that a loss of the tenant's own is not
    // taken for its part.
    let likely = of(&first)?;
    let misfit = |movement: &Movement| {
        let by = (movement.by - likely.median).abs();
        if by <= likely.tolerance { 0.0 } else { by }
    };
    let of_tenants = one_of_each_series(movements, free, |one, other| {
        misfit(one).total_cmp(&misfit(other)).then_with(|| nearness(one).cmp(&nearness(other))).is_lt()
    });
    let shift = of(&of_tenants)?;
    let moves = moves(&of_tenants, movements, &read, span);
    let part: BTreeSet<&TenantId> =
        moves.iter().filter(|one| one.is_real && shift.is_along(one.by)).map(|one| &one.tenant).collect();
    let along = |place: &usize| {
        let movement = &movements[*place].movement;
        part.contains(&movement.tenant) && shift.is_along(movement.by) && !shift.falls_short(movement.by)
    };
    let chosen: Vec<usize> = of_tenants.values().flatten().copied().filter(along).collect();
    let seen = chosen.iter().map(|&place| movements[place].movement.after.at);
    let span = Span { from: seen.clone().min()?, until: seen.max()? };
    Some((Shift { span, ..shift }, chosen))
}

/// Of each series the best of its movements.
fn one_of_each_series(
    movements: &[Tracked],
    is_candidate: impl Fn(&Tracked) -> bool,
    is_better: impl Fn(&Movement, &Movement) -> bool,
) -> BTreeMap<&TenantId, Vec<usize>> {
    let mut of_tenants: BTreeMap<&TenantId, Vec<usize>> = BTreeMap::new();
    for (place, tracked) in movements.iter().enumerate().filter(|(_, tracked)| is_candidate(tracked)) {
        let of_tenant = of_tenants.entry(&tracked.movement.tenant).or_default();
        let same = of_tenant.iter_mut().find(|other| movements[**other].movement.is_same_series(&tracked.movement));
        match same {
            Some(other) if is_better(&tracked.movement, &movements[*other].movement) => *other = place,
            Some(_) => {}
            None => of_tenant.push(place),
        }
    }
    of_tenants
}

/// How each tenant that was read moved; one whose series did not move stands still.
fn moves(
    of_tenants: &BTreeMap<&TenantId, Vec<usize>>,
    movements: &[Tracked],
    read: &[(TenantId, Timestamp)],
    span: Span,
) -> Vec<Move> {
    let mut series: BTreeMap<&TenantId, usize> = BTreeMap::new();
    for (tenant, _) in read.iter().filter(|(_, newest_at)| *newest_at >= span.from) {
        *series.entry(tenant).or_default() += 1;
    }
    // Whoever moved was read, whatever the listing says.
    for (tenant, places) in of_tenants {
        let count = series.entry(*tenant).or_default();
        *count = (*count).max(places.len());
    }
    let of_one = |(tenant, count): (&TenantId, usize)| {
        let moved = of_tenants.get(tenant).map_or(&[][..], Vec::as_slice);
        let one = |by: f64, is_real: bool| Move { tenant: tenant.clone(), by, is_real };
        let moved = moved.iter().map(|&place| one(movements[place].movement.by, true));
        let still = std::iter::repeat_with(|| one(0.0, false));
        of_tenant(moved.chain(still).take(count).collect())
    };
    series.into_iter().filter_map(of_one).collect()
}

/// The newest of these shifts that a movement shows late, unless the series has its part in it.
fn joins<'a>(
    shifts: impl DoubleEndedIterator<Item = &'a KnownShift>,
    movements: &[Tracked],
    index: usize,
) -> Option<&'a KnownShift> {
    let movement = &movements[index].movement;
    let has_part = |known: &&KnownShift| {
        // Noise that was taken for its part leaves room for the part itself.
        let is_part = |part: &Attributed| part.shift == known.id && !dwarfs(movement.by, part.by);
        movements
            .iter()
            .any(|other| other.part.as_ref().is_some_and(is_part) && other.movement.is_same_series(movement))
    };
    shifts.rev().find(|known| is_late(known, movement) && !has_part(known))
}

/// Whether a move is so large that the other is mere noise beside it.
fn dwarfs(by: f64, other: f64) -> bool {
    by.abs() > other.abs() * NOISE_TIMES
}

/// Whether a movement shows a shift late.
fn is_late(known: &KnownShift, movement: &Movement) -> bool {
    let Shift { scope, span, .. } = &known.shift;
    scope.has(movement.score, movement.subject.as_ref())
        && known.shift.is_along(movement.by)
        && !known.shift.falls_short(movement.by)
        && movement.after.at >= span.from
        && (movement.before.at < span.from || is_last_to_be_read(*span, movement))
}

/// Whether a tenant was read while a shift reached the others, and shows it at its next reading.
fn is_last_to_be_read(span: Span, movement: &Movement) -> bool {
    movement.before.at < span.until && movement.after.at.since(span.until) <= movement.interval
}

#[cfg(test)]
mod tests;
