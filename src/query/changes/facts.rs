//! A configuration as names and fields in words, so that two can be compared. Of secrets, references only.

use std::{collections::BTreeMap, fmt::Debug};

use crate::{
    config::Config,
    domain::{Labels, format_duration},
};

/// The fields of one thing, in words. What has its default is absent where that reads better.
pub(super) type Facts = BTreeMap<&'static str, String>;

fn joined<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

fn labels(labels: &Labels) -> String {
    joined(labels.iter().map(|(key, value)| format!("{key}={value}")))
}

/// As code writes it; every secret prints as a reference, and every URL without what is secret in it.
fn debugged(value: &impl Debug) -> String {
    format!("{value:?}")
}

fn known<const N: usize>(fields: [(&'static str, Option<String>); N]) -> Facts {
    fields.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?))).collect()
}

/// The tenants by id.
pub(super) fn tenants(config: &Config) -> BTreeMap<String, Facts> {
    let facts = |tenant: &crate::config::Tenant| {
        known([
            ("name", Some(tenant.name.to_string())),
            ("tenant_id", Some(tenant.account.entra.to_string())),
            ("credential", Some(debugged(&tenant.account.app))),
            ("endpoints", Some(debugged(&tenant.account.hosts))),
            ("labels", Some(labels(&tenant.labels))),
            ("scores", Some(joined(tenant.scores.iter()))),
            ("notify", Some(joined(&tenant.notify))),
            ("schedule", Some(tenant.schedule.to_string())),
        ])
    };
    config.tenants.values().map(|tenant| (tenant.id.to_string(), facts(tenant))).collect()
}

/// The rules by name.
pub(super) fn rules(config: &Config) -> BTreeMap<String, Facts> {
    let facts = |rule: &crate::rule::Rule| {
        known([
            ("score", rule.score.map(|score| score.to_string())),
            ("tenants", Some(labels(&rule.tenants.0))),
            ("when", Some(rule.when.to_string())),
            ("recover", rule.recover.map(|recover| debugged(&recover))),
            ("for", Some(format_duration(rule.hold))),
            ("severity", Some(rule.severity.to_string())),
            ("repeat", rule.repeat.map(format_duration)),
            ("step", rule.step.map(|step| step.to_string())),
            ("accept_after", rule.accept_after.map(format_duration)),
            ("notify", Some(joined(&rule.notify))),
            ("tenant_channels", (!rule.tenant_channels).then(|| "off".to_owned())),
            ("fleet", Some(if rule.fleet { "on" } else { "off" }.to_owned())),
            ("about", rule.guide.about.as_ref().map(ToString::to_string)),
            ("runbook", rule.guide.runbook.as_ref().map(ToString::to_string)),
        ])
    };
    config.rules.iter().map(|rule| (rule.name.to_string(), facts(rule))).collect()
}

/// The channels by name.
pub(super) fn channels(config: &Config) -> BTreeMap<String, Facts> {
    let facts = |channel: &crate::channel::ChannelSettings| {
        known([
            ("receiver", Some(debugged(&channel.kind))),
            ("tenants", channel.audience.tenants.as_ref().map(joined)),
            ("labels", Some(labels(&channel.audience.labels.0))),
            ("pace", Some(format_duration(channel.pace))),
            ("retry", Some(debugged(&channel.retry))),
            ("timeout", Some(format_duration(channel.timeout))),
            ("allow_private", Some(debugged(&channel.private))),
            ("digest.over", Some(channel.digest_over.to_string())),
            ("drill", Some(channel.drill.map_or_else(|| "off".to_owned(), format_duration))),
            ("report", channel.report.as_ref().map(ToString::to_string)),
            ("template", channel.template.clone()),
        ])
    };
    config.channels.iter().map(|(name, channel)| (name.to_string(), facts(channel))).collect()
}

/// What stands at the top.
pub(super) fn service(config: &Config) -> BTreeMap<String, Facts> {
    let facts = known([
        ("store", Some(debugged(&config.store))),
        ("listen", Some(config.listen.to_string())),
        ("public_url", config.public_url.clone()),
        ("spread", Some(format_duration(config.spread))),
        ("timeout", Some(format_duration(config.timeout))),
        ("concurrency", Some(config.concurrency.to_string())),
        ("retention", Some(format_duration(config.retention))),
        ("operator.notify", Some(joined(&config.operator.notify))),
        ("operator.blind_after", Some(format_duration(config.operator.blind_after))),
    ]);
    BTreeMap::from([("service".to_owned(), facts)])
}
