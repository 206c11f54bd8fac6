//! What is probably not meant in a configuration as a whole: rules that can't fire, people who are not notified, customers who
//! hear too much. Each file may be right on its own.

mod customers;
mod escalation;
mod excluded;
mod periods;
mod tenants;
mod times;
mod windows;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Channels, Operator, Tenant,
    audiences::Rules,
    receivers::is_one_receiver,
    scope::{Problems, Scope},
    tenants::Tenants,
};
use crate::{
    diagnostic::{Place, Problem, Warning},
    domain::{ChannelName, Labels, ScoreKind, TenantId, format_duration},
    notify::Maintenance,
    rule::Rule,
    schedule::Schedule,
};

/// Most tenants that are warned of one by one.
const TENANTS_MAX: usize = 10;
/// The longest month.
const MONTH: std::time::Duration = std::time::Duration::from_hours(31 * 24);
/// Most names in one warning.
const NAMED_MAX: usize = 3;

/// The whole configuration, in which there is no error.
pub(super) struct Whole<'a> {
    pub(super) rules: &'a Rules,
    pub(super) tenants: &'a Tenants,
    pub(super) channels: &'a Channels,
    pub(super) operator: &'a Operator,
    pub(super) spread: std::time::Duration,
    /// How long values are kept.
    pub(super) kept: std::time::Duration,
    /// How long notifications wait for the rest of the fleet.
    pub(super) fleet_hold: std::time::Duration,
}

/// Tenants that no rule can distinguish.
struct Group<'a> {
    labels: &'a Labels,
    scores: &'a [ScoreKind],
    notify: &'a [ChannelName],
    schedule: &'a Schedule,
    ids: Vec<&'a TenantId>,
}

impl Group<'_> {
    /// Whether a rule ever judges these tenants.
    fn is_judged_by(&self, rule: &Rule) -> bool {
        self.scores.iter().any(|score| rule.applies_to(self.labels, *score))
    }
}

/// Warns of what is probably not meant. `top` is the main file.
pub(super) fn lint(whole: &Whole<'_>, maintenance: &[Maintenance], top: &Scope<'_>, problems: &mut Problems) {
    // What is wrong may be the cause of all that would be said here.
    if problems.any_error() {
        return;
    }
    if !top.has("timezone") {
        let what = "there is no `timezone`, so schedules and windows follow UTC";
        problems.warning(Warning::TimezoneMissing, top, what, "write `timezone: Europe/Berlin`, or `timezone: UTC`");
    }
    let groups = groups(whole.tenants);
    rules(whole, &groups, top, problems);
    heard(whole, &groups, problems);
    channels(whole, &groups, &top.key("channels"), problems);
    customers::lint(whole, &groups, &top.key("channels"), problems);
    times::lint(whole, &groups, top, problems);
    excluded::lint(whole, problems);
    tenants::lint(whole, maintenance, top, problems);
    windows::lint(maintenance, &top.key("maintenance"), problems);
}

fn groups(tenants: &Tenants) -> Vec<Group<'_>> {
    let mut groups = BTreeMap::new();
    for tenant in tenants.by_id.values() {
        let Tenant { labels, scores, notify, schedule, .. } = tenant.as_ref();
        let schedule: &Schedule = schedule;
        let key = (&**labels, &**scores, notify.as_slice(), std::ptr::from_ref(schedule).addr());
        let ids = || Group { labels, scores, notify, schedule, ids: Vec::new() };
        groups.entry(key).or_insert_with(ids).ids.push(&tenant.id);
    }
    groups.into_values().collect()
}

/// Rules that can't fire, or that nobody hears.
fn rules(whole: &Whole<'_>, groups: &[Group<'_>], top: &Scope<'_>, problems: &mut Problems) {
    if whole.tenants.by_id.is_empty() {
        let instead = "add a file under `tenants:`, or check the pattern there";
        let what = "there is no tenant, so nothing is watched";
        problems.warning(Warning::NoTenants, &top.key("tenants"), what, instead);
        return;
    }
    if whole.rules.is_empty() {
        let instead = "write `rules: [rules.yaml]`, or load one of the rule packs";
        problems.warning(Warning::NoRules, &top.key("rules"), "there is no rule, so no score is judged", instead);
    }
    for (rule, place) in whole.rules {
        let selected: Vec<&Group<'_>> = groups.iter().filter(|group| rule.tenants.matches(group.labels)).collect();
        let mut warn = |warning, key: &str, what: String, instead: String| {
            problems.list.push(Problem::warning(warning, place.clone(), key, what, instead));
        };
        let name = &rule.name;
        if selected.is_empty() {
            let instead = "check its `tenants:` against the tenants' `labels:`".to_owned();
            warn(Warning::RuleSelectsNoTenant, "tenants", format!("rule `{name}` selects no tenant"), instead);
            continue;
        }
        if let Some(score) = rule.score.filter(|score| !selected.iter().any(|group| group.scores.contains(score))) {
            let what = format!("rule `{name}` can never fire: no tenant that it selects polls `{score}`");
            warn(Warning::RuleScoreNotPolled, "score", what, format!("add `{score}` to `scores:`"));
        }
        for (key, what, instead) in periods::too_long(rule, whole.kept) {
            warn(Warning::PeriodTooLong, key, what, instead);
        }
        let is_unheard = rule.notify.is_empty() && selected.iter().all(|group| rule.of_tenant(group.notify).is_empty());
        if let Some((one, other)) = of_one_receiver(rule, whole.channels) {
            let what = format!("rule `{name}` notifies one receiver twice, by channels `{one}` and `{other}`");
            warn(Warning::RuleNotifiesReceiverTwice, "notify", what, "name one of them".to_owned());
        }
        if let Some((what, instead)) = periods::accepted_soon(rule) {
            warn(Warning::AcceptAfterShort, "accept_after", what, instead);
        }
        for (warning, what, instead) in escalation::doubts(rule, is_unheard) {
            warn(warning, "escalate", what, instead);
        }
        if is_unheard && rule.escalate.is_empty() {
            let what = format!("rule `{name}` notifies nobody");
            let instead = "name a channel under `notify:` of the rule or of its tenants".to_owned();
            warn(Warning::RuleNotifiesNobody, "notify", what, instead);
        }
    }
}

/// Two channels of a rule that send to one receiver, as far as it can be known without reading a secret.
fn of_one_receiver<'a>(rule: &'a Rule, channels: &Channels) -> Option<(&'a ChannelName, &'a ChannelName)> {
    let pairs =
        rule.notify.iter().enumerate().flat_map(|(at, one)| rule.notify[..at].iter().map(move |other| (other, one)));
    pairs.into_iter().find(|(one, other)| one != other && is_one_receiver(channels, one, other))
}

/// Tenants that no rule notifies anybody of.
fn heard(whole: &Whole<'_>, groups: &[Group<'_>], problems: &mut Problems) {
    if whole.rules.is_empty() {
        return;
    }
    let is_heard = |group: &&Group<'_>| {
        let notifies = |rule: &Rule| {
            !(rule.notify.is_empty() && rule.escalate.is_empty() && rule.of_tenant(group.notify).is_empty())
        };
        whole.rules.iter().any(|(rule, _)| group.is_judged_by(rule) && notifies(rule))
    };
    let unheard: BTreeSet<&TenantId> =
        groups.iter().filter(|group| !is_heard(group)).flat_map(|group| group.ids.iter().copied()).collect();
    for (index, id) in unheard.iter().enumerate().take(TENANTS_MAX) {
        let Some(spot) = whole.tenants.places.get(*id) else { continue };
        let more = if index + 1 == TENANTS_MAX { unheard.len() - TENANTS_MAX } else { 0 };
        let more = if more > 0 { format!(", and {more} more tenants have none either") } else { String::new() };
        let what = format!("no rule notifies anybody of tenant `{id}`{more}");
        let instead = "give it labels that a rule selects and scores that a rule judges, and name a channel";
        problems.list.push(Problem::warning(Warning::TenantNotifiesNobody, spot.place(), "", what, instead));
    }
}

/// Channels that nothing is sent to.
fn channels(whole: &Whole<'_>, groups: &[Group<'_>], at: &Scope<'_>, problems: &mut Problems) {
    let of_rules = whole.rules.iter().flat_map(|(rule, _)| rule.notify.iter().chain(rule.escalated(0, u32::MAX)));
    let reaches =
        |group: &&Group<'_>| whole.rules.iter().any(|(rule, _)| rule.tenant_channels && group.is_judged_by(rule));
    let of_tenants = groups.iter().filter(reaches).flat_map(|group| group.notify);
    let used: BTreeSet<&ChannelName> = of_rules.chain(of_tenants).chain(&whole.operator.notify).collect();
    let named: BTreeSet<&ChannelName> = groups.iter().flat_map(|group| group.notify).collect();
    for (name, channel) in whole.channels {
        if !used.contains(name) && channel.report.is_none() && channel.month.is_none() {
            let what = format!("nothing is sent to channel `{name}`");
            let instead = if named.contains(name) {
                "load rules for the tenants that name it; those with `tenant_channels: off` do not notify it"
            } else {
                "name it under `notify:` of a rule, a tenant or the operator, or delete it"
            };
            problems.warning(Warning::ChannelUnused, &at.key(name.as_str()), what, instead);
        }
        let may_show = |tenant: &std::sync::Arc<Tenant>| channel.audience.admits(&tenant.id, &tenant.labels);
        let gets_reports = channel.report.is_some() || channel.month.is_some();
        if gets_reports && !whole.tenants.by_id.is_empty() && !whole.tenants.by_id.values().any(may_show) {
            let what = format!("channel `{name}` gets reports and may show no tenant");
            let instead = "give it `labels:` or `tenants:` that a tenant has, or delete `report`";
            let here = at.key(name.as_str());
            problems.warning(Warning::ReportCoversNobody, &here.key("report"), what, instead);
        }
        if channel.month.is_some() && whole.kept < MONTH {
            let what = format!(
                "channel `{name}` gets reports on each tenant's month, and values are kept for {} (`retention`)",
                format_duration(whole.kept)
            );
            let here = at.key(name.as_str());
            let instead = format!("write `retention: {}` or more", format_duration(MONTH));
            problems.warning(Warning::ReportLongerThanRetention, &here.key("report"), what, instead);
        }
        if channel.month.as_ref().is_some_and(Schedule::skips_months) {
            let what = format!("channel `{name}` gets no monthly reports in some months");
            let channel = at.key(name.as_str());
            let report = channel.key("report");
            problems.warning(
                Warning::ReportSkipsMonths,
                &report.key("month"),
                what,
                "write a day from 1 to 28, as in `0 0 8 1 * *`",
            );
        }
    }
}

/// Names in a row, the first few of them.
fn named<T: AsRef<str>>(names: &[T]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED_MAX).map(|name| format!("`{}`", name.as_ref())).collect();
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
