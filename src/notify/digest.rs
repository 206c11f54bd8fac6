//! Many notifications that wait for one channel become one message: what one alert has to say is one line, the gravest are shown,
//! and the others are counted.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use super::{
    DeliveryId, DeliveryState, Envelope, Notification, NotificationId, NotificationType, compose,
    notification::{DigestFacts, DigestItem, DigestRest},
};
use crate::domain::{ChannelName, Severity, Timestamp};

/// Most lines that a digest shows: what the smallest chat can. The others are counted.
pub const LINES_MAX: usize = 50;
/// Most lines that a digest for a machine has.
pub const LINES_MAX_OF_MACHINES: usize = 1000;
/// Most bytes of all that a digest says in detail: half of what a web server usually accepts. The first line is always there.
pub const ITEMS_BYTES_MAX: usize = 512 * 1024;
/// Most deliveries that one digest covers, so that making it takes bounded time and memory.
pub const MEMBERS_MAX: usize = 10_000;
/// Most deliveries of one alert that its newest covers at a time.
pub const RUN_MAX: usize = 400;

/// What must be known of a delivery that waits to find its place in a digest; not what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The delivery's number in the store.
    pub delivery: DeliveryId,
    /// What kind of message it is.
    pub kind: NotificationType,
    /// When what it reports happened.
    pub at: Timestamp,
    /// The alert, and when this firing of it began; `None`: it is about none.
    pub firing: Option<(String, Timestamp)>,
    /// Whether it says that the alert is over.
    pub is_over: bool,
    /// Its number within the firing.
    pub sequence: u64,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// How much was lost, in percent of the baseline.
    pub loss_percent: Option<f64>,
    /// The name of its rule, if it has one.
    pub rule: Option<String>,
    /// The slug of the alert's tenant, if it is about one.
    pub tenant: Option<String>,
    /// Whether it is for the operator.
    pub is_operator: bool,
}

impl Waiting {
    /// What must be known of a notification.
    #[must_use]
    pub fn of(delivery: DeliveryId, notification: &Notification) -> Self {
        let data = &notification.data;
        let alert = data.alert.as_ref();
        Self {
            delivery,
            kind: notification.kind,
            at: notification.timestamp,
            firing: alert.map(|alert| (alert.id.clone(), alert.started_at)),
            is_over: alert.is_some_and(|alert| alert.resolved_at.is_some()),
            sequence: data.notification.sequence,
            severity: alert.map(|alert| alert.severity),
            loss_percent: data.score.as_ref().and_then(|score| score.loss_percent),
            rule: data.rule.as_ref().map(|rule| rule.name.clone()),
            tenant: data.tenant.as_ref().map(|tenant| tenant.id.clone()),
            is_operator: data.operator.is_some(),
        }
    }

    /// What must be known of a notification that is queued; `alert` is what its deliveries are ordered by.
    #[must_use]
    pub fn queued(delivery: DeliveryId, alert: Option<String>, envelope: Envelope) -> Self {
        Self {
            delivery,
            kind: envelope.kind,
            at: envelope.at,
            firing: alert.zip(envelope.began_at),
            is_over: envelope.is_over,
            sequence: envelope.sequence,
            severity: envelope.severity,
            loss_percent: envelope.loss_percent,
            rule: envelope.alert.map(|alert| alert.rule.to_string()),
            tenant: envelope.tenant.map(|tenant| tenant.to_string()),
            is_operator: envelope.is_operator,
        }
    }

    /// Whether that one, which comes later, can say both: it is of the same firing, whose last message says how the alert stands,
    /// since when, and how it came to this. An alert keeps its id from one firing to the next; a message that was sent again by hand
    /// may stand beside one of a later firing.
    fn is_covered_by(&self, later: &Self) -> bool {
        may_travel(self.kind)
            && may_travel(later.kind)
            && self.firing.is_some()
            && self.firing == later.firing
            && later.sequence > self.sequence
    }

    /// What is not over first; then the most severe, of equals the operator's; then the largest loss and the oldest.
    fn rank(&self) -> (bool, Reverse<Severity>, bool, Reverse<u64>, Timestamp, DeliveryId) {
        // Percents are compared by their bits: of numbers that are not negative, those are in the same order.
        let loss = self.loss_percent.filter(|loss| *loss > 0.0).unwrap_or_default().to_bits();
        // What the operator must know and is about no alert is as bad as a warning.
        let severity = self.severity.unwrap_or(Severity::Warning);
        (self.is_over, Reverse(severity), !self.is_operator, Reverse(loss), self.at, self.delivery)
    }
}

/// What one message can say in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The deliveries that the line covers, oldest first; the last of them is what it says.
    pub deliveries: Vec<DeliveryId>,
    /// The last of them.
    pub newest: Waiting,
}

/// Whether a message of that type may be merged with others. What somebody waits for, and what is a digest itself, goes alone.
#[must_use]
pub const fn may_travel(kind: NotificationType) -> bool {
    !matches!(
        kind,
        NotificationType::Digest
            | NotificationType::FleetShift
            | NotificationType::Report
            | NotificationType::MonthReport
            | NotificationType::Drill
            | NotificationType::Test
    )
}

/// What precedes a queued delivery on its channel, among the unfinished ones of its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preceded {
    /// Something that is held.
    pub by_held: bool,
    /// Something that is merged into a message about more than that alert which is still on its way.
    pub by_shared: bool,
}

/// Whether a digest may take a queued delivery: nothing that somebody waits for, and nothing whose alert says something earlier that
/// the channel gets later.
#[must_use]
pub const fn may_take(kind: NotificationType, preceded: Preceded) -> bool {
    may_travel(kind) && !preceded.by_held && !preceded.by_shared
}

/// Those of an alert's waiting deliveries, oldest first, that go before the first which is not queued by itself: it is held, or it is
/// merged into a message about more than that alert. What follows that waits behind it. If it took along what comes before, that message
/// and it would wait for each other.
#[must_use]
pub fn queued_alone(waiting: Vec<(DeliveryState, Waiting)>) -> Vec<Waiting> {
    waiting.into_iter().take_while(|(state, _)| *state == DeliveryState::Queued).map(|(_, one)| one).collect()
}

/// More than how many deliveries a digest is made of. What was gathered for a channel goes out together: all alerts that it
/// is new to, or what the tenants of an outage have to say.
#[must_use]
pub const fn merged_over(over: usize, has_gathered: bool) -> usize {
    if has_gathered { 1 } else { over }
}

/// How many of these deliveries of one alert, oldest first, the last of them covers: those of one firing.
#[must_use]
pub fn foldable(run: &[Waiting]) -> usize {
    let covered = run.windows(2).take_while(|pair| pair[0].is_covered_by(&pair[1])).count();
    if run.is_empty() { 0 } else { 1 + covered }
}

/// The lines that say what waits, gravest first.
#[must_use]
pub fn lines(waiting: Vec<Waiting>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut of_alert: HashMap<String, usize> = HashMap::new();
    for one in waiting {
        let alert = one.firing.as_ref().map(|(alert, _)| alert.clone());
        let continued = alert.as_ref().and_then(|alert| of_alert.get(alert).copied());
        let line = continued.and_then(|index| lines.get_mut(index));
        if let Some(line) = line.filter(|line| line.newest.is_covered_by(&one)) {
            line.deliveries.push(one.delivery);
            line.newest = one;
        } else {
            of_alert.extend(alert.map(|alert| (alert, lines.len())));
            lines.push(Line { deliveries: vec![one.delivery], newest: one });
        }
    }
    lines.sort_by_key(|line| line.newest.rank());
    keep_order_of_alerts(&mut lines);
    lines
}

/// The lines of one alert, such as the end of one firing and the beginning of the next, stay in the order in which it happened.
fn keep_order_of_alerts(lines: &mut [Line]) {
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, line) in lines.iter().enumerate() {
        if let Some((alert, _)) = &line.newest.firing {
            places.entry(alert.clone()).or_default().push(place);
        }
    }
    for places in places.into_values().filter(|places| places.len() > 1) {
        let mut of_alert: Vec<Line> = places.iter().map(|&place| lines[place].clone()).collect();
        of_alert.sort_by_key(|line| line.newest.delivery);
        for (place, line) in places.into_iter().zip(of_alert) {
            lines[place] = line;
        }
    }
}

/// What a digest of these lines comes to, of which the first that many are shown.
#[must_use]
pub fn facts(lines: &[Line], shown: usize) -> DigestFacts {
    let count = |is_it: fn(&Waiting) -> bool| lines.iter().filter(|line| is_it(&line.newest)).count();
    let tenants = |is_it: fn(&Waiting) -> bool| -> usize {
        let of = lines.iter().filter(|line| is_it(&line.newest)).filter_map(|line| line.newest.tenant.as_ref());
        of.collect::<BTreeSet<_>>().len()
    };
    let is_over = |one: &Waiting| !one.is_operator && one.is_over;
    let firing = count(fires);
    DigestFacts {
        firing,
        critical: count(|one| fires(one) && one.severity == Some(Severity::Critical)),
        warning: count(|one| fires(one) && one.severity == Some(Severity::Warning)),
        info: count(|one| fires(one) && one.severity == Some(Severity::Info)),
        tenants: if firing > 0 { tenants(fires) } else { tenants(is_over) },
        ended: count(is_over),
        operator: count(|one| one.is_operator),
        stored_as: None,
        more: rest(lines.iter().skip(shown).map(|line| &line.newest)),
    }
}

/// Whether it is about an alert of a tenant's that fires.
fn fires(one: &Waiting) -> bool {
    one.firing.is_some() && !one.is_operator && !one.is_over
}

/// The same of lines that are known by what they say alone, all of them shown: a digest that was stored before its facts were.
#[must_use]
pub fn facts_of(lines: &[Waiting]) -> DigestFacts {
    let lines: Vec<Line> =
        lines.iter().map(|one| Line { deliveries: vec![one.delivery], newest: one.clone() }).collect();
    facts(&lines, lines.len())
}

/// What lines that are not shown have in common: whether they are ends, their severity, their rule.
type Kinds<'a> = (bool, Reverse<Option<Severity>>, Option<&'a str>);

/// Counts what is not shown, by severity and rule: what fires first, then the gravest, then the most.
pub fn rest<'a>(left_out: impl Iterator<Item = &'a Waiting>) -> Vec<DigestRest> {
    let mut counts: BTreeMap<Kinds<'_>, usize> = BTreeMap::new();
    for one in left_out {
        let rule = if one.is_operator { Some("operator") } else { one.rule.as_deref() };
        *counts.entry((one.is_over, Reverse(one.severity), rule)).or_default() += 1;
    }
    let rest = counts.into_iter().map(|((is_over, Reverse(severity), rule), count)| DigestRest {
        severity,
        rule: rule.map(str::to_owned),
        is_over,
        count,
    });
    let mut rest: Vec<DigestRest> = rest.collect();
    rest.sort_by_key(|rest| (rest.is_over, Reverse(rest.severity), Reverse(rest.count)));
    rest
}

/// How many of these items fit into one message.
fn fitting(items: &[DigestItem]) -> usize {
    let mut bytes = 0;
    let fits = |item: &&DigestItem| {
        bytes += serde_json::to_string(item).map_or(0, |text| text.len());
        bytes <= ITEMS_BYTES_MAX
    };
    items.iter().take_while(fits).count().max(1)
}

/// The message that says these lines, as [`lines`] gives them; `items` are what the first of them say, as far as they fit.
#[must_use]
pub fn message(
    store: &str,
    channel: &ChannelName,
    lines: &[Line],
    mut items: Vec<DigestItem>,
    now: Timestamp,
) -> Notification {
    items.truncate(fitting(&items));
    let mut members: Vec<DeliveryId> = lines.iter().flat_map(|line| line.deliveries.iter().copied()).collect();
    members.sort_unstable();
    let members: Vec<String> = members.iter().map(ToString::to_string).collect();
    let id = NotificationId::of_parts(&["digest", store, channel.as_str(), &now.to_string(), &members.join(" ")]);
    let mut digest = compose::without_alert(NotificationType::Digest, id, now);
    digest.data.digest = Some(facts(lines, items.len()));
    digest.data.items = items;
    digest
}

/// The digest of notifications that are at hand, oldest first, with at most that many lines.
#[must_use]
pub fn of(store: &str, channel: &ChannelName, said: &[Notification], lines_max: usize, now: Timestamp) -> Notification {
    let waiting = (0..).zip(said).map(|(number, one)| Waiting::of(DeliveryId(number), one)).collect();
    let lines = lines(waiting);
    let shown = lines.iter().take(lines_max).filter_map(|line| said.get(usize::try_from(line.newest.delivery.0).ok()?));
    let items = shown.cloned().map(DigestItem::from).collect();
    message(store, channel, &lines, items, now)
}

#[cfg(test)]
mod tests;
