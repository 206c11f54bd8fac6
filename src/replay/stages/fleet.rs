//! What is known of the fleet at an instant: who was read, how each moved, and which shifts were seen.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use crate::{
    domain::{Sample, ScoreKind, TenantId, Timestamp},
    notify::{
        NotificationType,
        fleet::{KnownShift, Move, News, REMEMBERED, Scope, Shift, Span, Suspected, of_series, of_tenant},
        reason::compared_with,
    },
    replay::{
        STORE,
        course::{Course, Plan, SeriesCourse},
        message::Message,
    },
    rule::Transition,
};

/// The fleet as it was read until now. Time only goes on.
pub(super) struct Fleet<'a> {
    plan: &'a Plan,
    members: BTreeMap<&'a TenantId, &'a Course>,
    by_scope: HashMap<Scope, Vec<Member<'a>>>,
    /// What was found last; the alerts of one reading ask for the same.
    last: Option<(Scope, Span, Timestamp, Vec<Move>)>,
    /// The shifts that were seen, as a store has them.
    pub(super) shifts: Vec<KnownShift>,
}

/// A tenant with the series of one scope.
struct Member<'a> {
    tenant: &'a TenantId,
    series: Vec<Strip<'a>>,
}

/// A series, and the window of it that a store would have.
struct Strip<'a> {
    series: &'a SeriesCourse,
    low: usize,
    read: usize,
}

impl<'a> Strip<'a> {
    /// What was read until then, back as far as `reach` before the newest. Each reading is passed once in all.
    fn window(&mut self, reach: Duration, now: Timestamp) -> &'a [Sample] {
        while self.series.seen_at(self.read).is_some_and(|at| at <= now) {
            self.read += 1;
        }
        let read = &self.series.samples[..self.read];
        let start = read.last().map(|newest| newest.at.minus(reach));
        while read.get(self.low).map(|sample| sample.at) < start {
            self.low += 1;
        }
        &read[self.low..]
    }
}

impl<'a> Fleet<'a> {
    pub(super) fn new(plan: &'a Plan, courses: &'a [Course]) -> Self {
        let members = courses.iter().map(|course| (&course.tenant, course)).collect();
        Self { plan, members, by_scope: HashMap::new(), last: None, shifts: Vec::new() }
    }

    /// The course of a tenant.
    pub(super) fn course(&self, tenant: &TenantId) -> Option<&'a Course> {
        self.members.get(tenant).copied()
    }

    /// Those that are polled for a score.
    pub(super) fn polled(&self, score: ScoreKind) -> impl Iterator<Item = &'a Course> + '_ {
        self.members.values().copied().filter(move |course| course.scores.iter().any(|one| one.score == score))
    }

    /// What a message tells of, as one of that kind. `None`: not of a value, or of one that nothing was read before.
    pub(super) fn suspected(&self, message: &Message, kind: NotificationType, now: Timestamp) -> Option<Suspected> {
        let Message { score, subject, transition, rule, .. } = message;
        let score = score.as_ref()?;
        let course = self.course(&message.tenant)?;
        let of_score = course.scores.iter().find(|one| one.score == *score)?;
        let series = of_score.series.iter().find(|one| one.subject == *subject)?;
        let news = News {
            score: *score,
            subject: subject.as_ref(),
            kind,
            started_at: transition.since,
            observed_at: transition.observed_at,
            value: transition.value?,
        };
        let read = &series.samples[..series.seen_by(now)];
        let start = read.last()?.at.minus(self.plan.reach(*score));
        let window = &read[read.partition_point(|sample| sample.at < start)..];
        let suspected = Suspected::of(news, rule.when, transition.baseline, window, course.poll_interval)?;
        Some(Suspected { comparison: comparison(message, series), ..suspected })
    }

    /// The shift that explains it: one that is known, or that shows now. By its place.
    pub(super) fn explaining(&mut self, suspected: &Suspected, now: Timestamp) -> Option<usize> {
        let is_remembered = |known: &KnownShift| known.seen_at > now.minus(REMEMBERED);
        let fits = |known: &KnownShift| is_remembered(known) && known.explains(suspected);
        if let Some(place) = self.shifts.iter().position(fits) {
            return Some(place);
        }
        let quorum = self.plan.fleet.quorum();
        let shift = suspected
            .witnessed()
            .or_else(|| suspected.shown_by(self.moves(&suspected.scope, suspected.span(), now), quorum))?;
        if self.shifts.iter().any(|known| is_remembered(known) && known.shift.is_same(&shift)) {
            return None;
        }
        self.shifts.push(KnownShift::noted(STORE, shift, suspected.interval, now));
        Some(self.shifts.len() - 1)
    }

    /// Tenants that stand out from a shift, and those that moved along.
    pub(super) fn moved(&mut self, known: &KnownShift, now: Timestamp) -> (Vec<TenantId>, Vec<TenantId>) {
        let moves = self.moves(&known.shift.scope, known.shift.span, now);
        let named = |is_it: fn(&Shift, &Move) -> bool| {
            moves.iter().filter(|one| is_it(&known.shift, one)).map(|one| one.tenant.clone()).collect()
        };
        (named(Shift::is_outlier), named(Shift::is_along))
    }

    /// How each tenant moved around that time, as far as it was read.
    fn moves(&mut self, scope: &Scope, span: Span, now: Timestamp) -> &[Move] {
        let is_last =
            |(of, around, at, _): &(Scope, Span, Timestamp, Vec<Move>)| of == scope && *around == span && *at == now;
        if !self.last.as_ref().is_some_and(is_last) {
            let reach = self.plan.reach(scope.score);
            if !self.by_scope.contains_key(scope) {
                let members = self.members.values().filter_map(|course| Member::of(course, scope)).collect();
                self.by_scope.insert(scope.clone(), members);
            }
            let members = self.by_scope.get_mut(scope).map(Vec::as_mut_slice).unwrap_or_default();
            let unit = scope.score.unit();
            let moves = members.iter_mut().filter_map(|Member { tenant, series }| {
                let of_series =
                    series.iter_mut().filter_map(|strip| of_series(tenant, unit, strip.window(reach, now), span));
                of_tenant(of_series.collect())
            });
            self.last = Some((scope.clone(), span, now, moves.collect()));
        }
        self.last.as_ref().map_or(&[], |(.., moves)| moves)
    }
}

/// Microsoft's average at the two records that a check would have asked for to say why the score moved.
fn comparison(message: &Message, series: &SeriesCourse) -> Option<(f64, f64)> {
    let Transition { baseline, since, observed_at, .. } = message.transition;
    let is_asked = matches!(message.kind(), NotificationType::AlertFiring | NotificationType::AlertWorsened);
    let after = observed_at.filter(|_| is_asked && !series.averages.is_empty())?;
    let judged = &series.samples[..series.seen_by(message.at)];
    let before = compared_with(judged, baseline, since, after)?;
    series.average_at(before).zip(series.average_at(after))
}

impl<'a> Member<'a> {
    /// `None`: the tenant has no such series.
    fn of(course: &'a Course, scope: &Scope) -> Option<Self> {
        let of_score = course.scores.iter().filter(|one| one.score == scope.score);
        let series: Vec<Strip<'a>> = of_score
            .flat_map(|one| one.series.iter().filter(|one| scope.has(scope.score, one.subject.as_ref())))
            .map(|series| Strip { series, low: 0, read: 0 })
            .collect();
        (!series.is_empty()).then_some(Self { tenant: &course.tenant, series })
    }
}
