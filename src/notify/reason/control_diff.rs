//! What moved a secure score between two daily records, control by control.
//!
//! A score is points of a maximum, and both move. The change in percent is taken apart exactly: points that came or went count by
//! the old maximum, `100·Δe/m₀`, and the maximum's move counts by the new points, `100·e₁·(1/m₁ − 1/m₀)`. Each control's points
//! belong to one kind of change; what the controls do not explain is a part of its own, so that the parts are always the whole.

use std::collections::BTreeSet;

use super::{Breakdown, CAUSES_MAX, CauseKind, ChangedBy, Comparison, Part, Reason};
use crate::{
    domain::{Control, ControlProfile, ControlProfiles, Points, ScoreRecord},
    notify::facts::{
        cause::{Cause, CauseChange},
        wording::Why,
    },
};

pub use crate::notify::facts::control::{ControlChange, ControlChanges};

/// Points and percents below this are the rounding of doubles.
const NOTHING: f64 = 1e-6;
/// How long after its day's midnight a record may still take in what people changed.
const DAY: std::time::Duration = std::time::Duration::from_hours(24);

/// Compares the records of two days; with a category, only its controls.
#[must_use]
pub fn compare(
    before: &ScoreRecord,
    after: &ScoreRecord,
    profiles: &ControlProfiles,
    category: Option<&str>,
) -> Reason {
    let diff = Diff::new(before, after, profiles, category);
    let breakdown = diff.breakdown();
    let comparison = before.all_tenants_average.zip(after.all_tenants_average);
    Reason {
        why: Some(diff.why(&breakdown)),
        causes: diff.causes(),
        breakdown: Some(breakdown),
        comparison: comparison.map(|(before, after)| Comparison { before, after }),
    }
}

/// Every control that changed the score between the records of two days, and whose doing the change is.
#[must_use]
pub fn changes(before: &ScoreRecord, after: &ScoreRecord, profiles: &ControlProfiles) -> ControlChanges {
    let diff = Diff::new(before, after, profiles, None);
    let (mut lost, mut gained) = (Vec::new(), Vec::new());
    for shift in &diff.shifts {
        match diff.effect(shift) {
            effect if effect < -NOTHING => lost.push(diff.change(shift, effect)),
            effect if effect > NOTHING => gained.push(diff.change(shift, effect)),
            _ => {}
        }
    }
    for changes in [&mut lost, &mut gained] {
        changes.sort_by(|a: &ControlChange, b| b.percent.abs().total_cmp(&a.percent.abs()).then(a.title.cmp(&b.title)));
    }
    ControlChanges { from: before.day, to: after.day, changed_by: diff.breakdown().changed_by, lost, gained }
}

/// What one control did to the score.
struct Shift<'a> {
    kind: CauseKind,
    name: &'a str,
    control: &'a Control,
    /// What it did to the points.
    points: f64,
    /// The maximum that came or went with it, if that is known.
    maximum: Option<f64>,
    change: Option<CauseChange>,
}

struct Diff<'a> {
    before: &'a ScoreRecord,
    after: &'a ScoreRecord,
    profiles: &'a ControlProfiles,
    category: Option<&'a str>,
    /// Points of the tenant's maximum, on both days.
    points: (Points, Points),
    shifts: Vec<Shift<'a>>,
}

impl<'a> Diff<'a> {
    fn new(
        before: &'a ScoreRecord,
        after: &'a ScoreRecord,
        profiles: &'a ControlProfiles,
        category: Option<&'a str>,
    ) -> Self {
        let points = (earned(before, category), earned(after, category));
        let mut diff = Self { before, after, profiles, category, points, shifts: Vec::new() };
        let names: BTreeSet<&String> = before.controls.keys().chain(after.controls.keys()).collect();
        for name in names {
            let find = |record: &'a ScoreRecord| record.controls.get(name).filter(|control| is_of(control, category));
            match (find(before), find(after)) {
                (Some(old), Some(new)) => diff.stayed(name, old, new),
                (Some(old), None) => diff.went(name, old),
                (None, Some(new)) => diff.came(name, new),
                (None, None) => {}
            }
        }
        diff
    }

    fn push(&mut self, kind: CauseKind, name: &'a str, control: &'a Control, points: f64) -> &mut Shift<'a> {
        let index = self.shifts.len();
        self.shifts.push(Shift { kind, name, control, points, maximum: None, change: None });
        &mut self.shifts[index]
    }

    /// A control of both days. One whose points are missing on one of them explains nothing.
    fn stayed(&mut self, name: &'a str, old: &Control, new: &'a Control) {
        let (Some(was), Some(is)) = (old.points, new.points) else { return };
        let profile = self.profiles.get(name);
        if is < was && profile.is_some_and(|profile| profile.is_deprecated) {
            self.push(CauseKind::Retired, name, new, is - was).change = Some(CauseChange::Deprecated);
            return;
        }
        let state = profile.and_then(|profile| self.state_change(profile));
        if let Some(state) = state.filter(|_| differ(was, is)) {
            self.push(CauseKind::Accounting, name, new, is - was).change =
                Some(CauseChange::SetTo { state: state.to_owned() });
            return;
        }
        let mut rest = is - was;
        if let (Some(old_maximum), Some(maximum)) = (old.maximum, new.maximum)
            && differ(old_maximum, maximum)
        {
            // The same share of what the control is worth now.
            let points = was * (maximum / old_maximum) - was;
            if differ(points, 0.0) {
                self.push(CauseKind::Reweighted, name, new, points).change =
                    Some(CauseChange::Reweighted { now: maximum, before: old_maximum });
                rest -= points;
            }
        }
        if differ(rest, 0.0) {
            let kind = if rest < 0.0 { CauseKind::Lost } else { CauseKind::Improved };
            self.push(kind, name, new, rest);
        }
    }

    /// A control of the second day only.
    fn came(&mut self, name: &'a str, new: &'a Control) {
        let is_elsewhere = self.before.controls.contains_key(name);
        let kind = if is_elsewhere { CauseKind::Moved } else { CauseKind::Added };
        let maximum = new.maximum.or_else(|| self.profiles.get(name)?.maximum).filter(|_| !is_elsewhere);
        self.push(kind, name, new, new.points.unwrap_or(0.0)).maximum = maximum;
    }

    /// A control of the first day only.
    fn went(&mut self, name: &'a str, old: &'a Control) {
        let is_elsewhere = self.after.controls.contains_key(name);
        let kind = if is_elsewhere { CauseKind::Moved } else { CauseKind::Retired };
        let maximum = old.maximum.or_else(|| self.profiles.get(name)?.maximum).filter(|_| !is_elsewhere);
        self.push(kind, name, old, -old.points.unwrap_or(0.0)).maximum = maximum.map(|maximum| -maximum);
    }

    /// To what a person set the control between the two days, the last time.
    fn state_change<'p>(&self, profile: &'p ControlProfile) -> Option<&'p str> {
        let until = self.after.day.plus(DAY);
        let changes = profile.state_changes.iter().filter(|change| change.at >= self.before.day && change.at < until);
        changes.max_by_key(|change| change.at).map(|change| change.state.as_str())
    }

    /// What points are in percent of the old maximum.
    fn percent(&self, points: f64) -> f64 {
        points * 100.0 / self.points.0.of
    }

    /// What the maximum's move by so much did, in percent.
    fn percent_of_maximum(&self, moved: f64) -> f64 {
        let (before, after) = self.points;
        -after.earned * 100.0 * (moved / before.of) / after.of
    }

    fn breakdown(&self) -> Breakdown {
        use CauseKind as Kind;
        let (before, after) = self.points;
        let mut parts = Vec::new();
        let kinds =
            [Kind::Lost, Kind::Accounting, Kind::Added, Kind::Retired, Kind::Reweighted, Kind::Moved, Kind::Improved];
        for kind in kinds {
            let of_kind = self.shifts.iter().filter(|shift| shift.kind == kind);
            let (controls, points) = of_kind.fold((0, 0.0), |(count, sum), shift| (count + 1, sum + shift.points));
            if controls > 0 {
                parts.push(Part { kind, points, percent: self.percent(points), controls });
            }
        }
        if before.of.to_bits() != after.of.to_bits() {
            let percent = self.percent_of_maximum(after.of - before.of);
            parts.push(Part { kind: Kind::Maximum, points: 0.0, percent, controls: 0 });
        }
        let explained: f64 = parts.iter().map(|part| part.points).sum();
        let left = after.earned - before.earned - explained;
        if differ(left, 0.0) {
            parts.push(Part { kind: Kind::Unexplained, points: left, percent: self.percent(left), controls: 0 });
        }
        let changed_by = self.changed_by(&parts);
        Breakdown { from: self.before.day, to: self.after.day, before, after, changed_by, parts }
    }

    fn changed_by(&self, parts: &[Part]) -> ChangedBy {
        use CauseKind as Kind;
        let took = |kinds: &[Kind]| {
            let of_kinds = parts.iter().filter(|part| kinds.contains(&part.kind));
            of_kinds.map(|part| part.percent).sum::<f64>() < -NOTHING
        };
        let tenant = took(&[Kind::Lost]) || took(&[Kind::Accounting]);
        let came_and_went = took(&[Kind::Added, Kind::Retired, Kind::Moved, Kind::Maximum]);
        let ruler = took(&[Kind::Added, Kind::Retired, Kind::Moved, Kind::Maximum, Kind::Reweighted]);
        match (tenant, ruler, self.products()) {
            _ if took(&[Kind::Unexplained]) => ChangedBy::Unknown,
            (true, true, _) => ChangedBy::Both,
            (true, false, _) => ChangedBy::Tenant,
            (false, true, Some((false, false))) => ChangedBy::Microsoft,
            (false, true, Some(_)) => ChangedBy::Product,
            (false, true, None) if !came_and_went => ChangedBy::Microsoft,
            (false, _, _) => ChangedBy::Unknown,
        }
    }

    /// Whether products came, and whether some went.
    fn products(&self) -> Option<(bool, bool)> {
        let (before, after) = self.before.services.as_ref().zip(self.after.services.as_ref())?;
        Some((!after.is_subset(before), !before.is_subset(after)))
    }

    fn why(&self, breakdown: &Breakdown) -> Why {
        let of = |kind| self.shifts.iter().filter(move |shift| shift.kind == kind);
        let sum = |kind| of(kind).map(|shift| shift.maximum).sum::<Option<f64>>();
        let (added, retired) = (sum(CauseKind::Added), sum(CauseKind::Retired));
        let moved = self.points.1.of - self.points.0.of;
        Why::Records {
            from: breakdown.from,
            maximum: (breakdown.before.of, breakdown.after.of),
            parts: breakdown.parts.clone(),
            products: self.products(),
            added,
            is_explained: added.zip(retired).is_some_and(|(added, retired)| !differ(added + retired, moved)),
        }
    }

    /// What the shift did to the score in percent, the maximum that came or went with it included.
    fn effect(&self, shift: &Shift<'_>) -> f64 {
        self.percent(shift.points) + self.percent_of_maximum(shift.maximum.unwrap_or(0.0))
    }

    fn causes(&self) -> Vec<Cause> {
        let is_new_weight = |shift: &Shift<'_>| {
            shift.kind == CauseKind::Added && shift.maximum.is_none() && self.points.1.of > self.points.0.of
        };
        let harmful = self.shifts.iter().map(|shift| (self.effect(shift), shift));
        let mut harmful: Vec<_> =
            harmful.filter(|(effect, shift)| *effect < -NOTHING || is_new_weight(shift)).collect();
        harmful.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.name.cmp(b.1.name)));
        harmful.truncate(CAUSES_MAX);
        harmful.into_iter().map(|(_, shift)| self.cause(shift)).collect()
    }

    fn change(&self, shift: &Shift<'_>, percent: f64) -> ControlChange {
        let profile = self.profiles.get(shift.name);
        ControlChange {
            kind: shift.kind,
            title: title(shift.name, profile),
            category: shift.control.category.clone(),
            points: shift.points,
            percent,
            link: profile.and_then(|profile| profile.link.clone()),
        }
    }

    fn cause(&self, shift: &Shift<'_>) -> Cause {
        let profile = self.profiles.get(shift.name);
        let points = match shift.kind {
            CauseKind::Added => shift.maximum.map(|maximum| maximum - shift.points),
            _ => Some(-shift.points),
        };
        Cause {
            kind: shift.kind,
            title: title(shift.name, profile),
            category: shift.control.category.clone().filter(|_| self.category.is_none()),
            points,
            counts: shift.control.counts,
            detail: shift.change.as_ref().map(CauseChange::in_english),
            change: shift.change.clone(),
            link: profile.and_then(|profile| profile.link.clone()),
        }
    }
}

fn is_of(control: &Control, category: Option<&str>) -> bool {
    category.is_none_or(|category| control.category.as_deref() == Some(category))
}

/// The points of a record, or those of one category's controls, of the tenant's maximum.
fn earned(record: &ScoreRecord, category: Option<&str>) -> Points {
    if category.is_none() {
        return record.points;
    }
    let of_category = record.controls.values().filter(|control| is_of(control, category));
    Points { earned: of_category.filter_map(|control| control.points).sum(), of: record.points.of }
}

fn differ(one: f64, other: f64) -> bool {
    (one - other).abs() > NOTHING
}

/// What people call a control.
pub(super) fn title(name: &str, profile: Option<&ControlProfile>) -> String {
    profile.and_then(|profile| profile.title.clone()).unwrap_or_else(|| readable(name))
}

/// A control's name as words: `aad_admin_MFA` is `aad admin MFA`, `BlockLegacyAuthentication` is `Block Legacy Authentication`.
fn readable(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 8);
    let mut before = ' ';
    for letter in name.chars() {
        let letter = if matches!(letter, '_' | '-') { ' ' } else { letter };
        if letter.is_uppercase() && before.is_lowercase() {
            words.push(' ');
        }
        words.push(letter);
        before = letter;
    }
    words
}

#[cfg(test)]
mod tests;
