//! Channels for some tenants only: usually a customer's own. What is meant for the security team does not belong there.

use std::collections::BTreeMap;

use super::{ChannelName, Group, Problems, Rule, Scope, Warning, Whole, named};

/// The rules whose alerts a customer's channel is sent because a tenant names it.
#[derive(Default)]
struct Heard<'a> {
    /// Rules that name no channel: they are for whoever the tenant names.
    own: Vec<&'a Rule>,
    /// Rules that name channels of their own.
    soc: Vec<&'a Rule>,
    no_data: Vec<&'a Rule>,
}

pub(super) fn lint(whole: &Whole<'_>, groups: &[Group<'_>], at: &Scope<'_>, problems: &mut Problems) {
    for (channel, heard) in heard(whole, groups) {
        let here = at.key(channel.as_str());
        let names = |rules: &[&Rule]| named(&rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>());
        if !heard.own.is_empty() && !heard.soc.is_empty() {
            let what = format!(
                "channel `{channel}`, which is for some tenants only, gets the rules that name no channel ({}), and also {}",
                names(&heard.own),
                names(&heard.soc)
            );
            let instead = "write `tenant_channels: off` in the rules that are not for customers";
            problems.warning(Warning::CustomerHearsSocRules, &here, what, instead);
        }
        if !heard.no_data.is_empty() {
            let what = format!(
                "channel `{channel}`, which is for some tenants only, is notified that Scorewatch can't read a score: {}",
                names(&heard.no_data)
            );
            let instead = "write `tenant_channels: off` in a `no_data` rule that is not for customers";
            problems.warning(Warning::CustomerHearsNoData, &here, what, instead);
        }
    }
}

fn heard<'a>(whole: &Whole<'a>, groups: &[Group<'a>]) -> BTreeMap<&'a ChannelName, Heard<'a>> {
    let mut found: BTreeMap<&ChannelName, Heard<'_>> = BTreeMap::new();
    let is_fenced = |name: &&ChannelName| whole.channels.get(*name).is_some_and(|channel| !channel.audience.is_open());
    let mut pairs: std::collections::BTreeSet<(&ChannelName, usize)> = std::collections::BTreeSet::new();
    for group in groups.iter().filter(|group| group.notify.iter().any(|name| is_fenced(&name))) {
        for (index, (rule, _)) in whole.rules.iter().enumerate().filter(|(_, (rule, _))| group.is_judged_by(rule)) {
            for name in rule.of_tenant(group.notify).iter().filter(is_fenced) {
                if rule.notify.contains(name) || !pairs.insert((name, index)) {
                    continue;
                }
                let heard = found.entry(name).or_default();
                if rule.is_no_data() {
                    heard.no_data.push(rule);
                } else if rule.notify.is_empty() {
                    heard.own.push(rule);
                } else {
                    heard.soc.push(rule);
                }
            }
        }
    }
    found
}
