//! Scenarios judged by a reference model that shares no code with the product: whatever is grouped, delayed or merged, somebody is
//! notified of every worsening and of its end.

pub mod pack;
pub mod product;
pub mod reference;
pub mod scenario;

use std::{collections::BTreeMap, path::PathBuf};

use self::{
    product::Received,
    reference::{
        accounts,
        judge::{Complaint, Fault, Verdict, judge, shown},
        message::Delivered,
        model::{History, Kind, expected},
        world::{AlertId, Seconds, World},
    },
};

/// An event that the scenario is about, so that the reference model must require it.
#[derive(Debug, Clone)]
pub struct Claim {
    pub tenant: usize,
    pub rule: usize,
    pub is_end: bool,
    /// The beginning of the time in which it must happen.
    pub from: Seconds,
    pub until: Seconds,
}

/// The most messages that the channel that sees everybody may be sent within a time.
#[derive(Debug, Clone)]
pub struct Grouped {
    pub from: Seconds,
    pub until: Seconds,
    pub messages_max: usize,
}

/// A text that no message within a time may contain, or that one to the channel that sees everybody must contain.
#[derive(Debug, Clone)]
pub struct Wording {
    pub from: Seconds,
    pub until: Seconds,
    pub text: &'static str,
    pub is_said: bool,
}

/// A world, and the requirements of its scenario.
#[derive(Debug, Clone)]
pub struct Trial {
    pub world: World,
    /// The file that its rules come from.
    pub pack: Option<PathBuf>,
    pub claims: Vec<Claim>,
    pub grouped: Vec<Grouped>,
    pub wording: Vec<Wording>,
}

impl Trial {
    pub fn new(world: World) -> Self {
        Self { world, pack: None, claims: Vec::new(), grouped: Vec::new(), wording: Vec::new() }
    }

    pub fn expected(&self) -> BTreeMap<AlertId, History> {
        expected(&self.world)
    }

    pub fn received(&self) -> Received {
        product::replay(&self.world, self.pack.as_deref())
    }

    /// Requires few messages in the time after a common move. A move that comes while tenants are being read is seen in some of them
    /// one interval later, and may be too small by the end of the first wait; then nothing is required.
    pub fn group(&mut self, from: Seconds, until: Seconds, messages_max: usize) {
        let every = self.world.tenants.iter().map(|tenant| tenant.every).min().unwrap_or(1);
        let is_between = self.world.tenants.iter().all(|tenant| {
            let checks = tenant.series[0].checks.iter().map(|check| check.at);
            let tick = from.div_euclid(every) * every;
            checks.filter(|at| (tick..tick + every).contains(at)).all(|at| at < from || from == tick)
        });
        if is_between {
            self.grouped.push(Grouped { from, until, messages_max });
        }
    }

    /// Replays the world and judges what channels received.
    pub fn run(&self) -> Verdict {
        self.judge(&self.expected(), &self.received())
    }

    pub fn judge(&self, expected: &BTreeMap<AlertId, History>, received: &Received) -> Verdict {
        let mut verdict = judge(&self.world, expected, &received.delivered);
        verdict.complaints.extend(accounts::check(&self.world, &received.delivered, &received.accounts));
        verdict.complaints.extend(self.grouping(&received.delivered));
        verdict
    }

    fn grouping(&self, delivered: &[Delivered]) -> Vec<Complaint> {
        let within = |from: Seconds, until: Seconds| move |message: &&Delivered| (from..until).contains(&message.at);
        let mut complaints = Vec::new();
        for one in &self.grouped {
            let count =
                delivered.iter().filter(within(one.from, one.until)).filter(|message| message.channel == 0).count();
            if count > one.messages_max {
                let (from, until, max) = (shown(one.from), shown(one.until), one.messages_max);
                let what = format!("from {from} to {until}: {count} messages, not {max}");
                complaints.push(Complaint::new(Fault::Ungrouped, what));
            }
        }
        for one in &self.wording {
            let says = |message: &&Delivered| message.text.contains(one.text);
            let said: Vec<&Delivered> = delivered.iter().filter(within(one.from, one.until)).filter(says).collect();
            if one.is_said && !said.iter().any(|message| message.channel == 0) {
                complaints.push(Complaint::new(Fault::Wording, format!("no message says `{}`", one.text)));
            }
            for message in said.into_iter().filter(|_| !one.is_said) {
                let what = format!("at {} it says `{}`: {}", shown(message.at), one.text, message.text);
                complaints.push(Complaint::new(Fault::Wording, what));
            }
        }
        complaints
    }

    /// Claims that the reference model does not confirm. There must be none, or the scenario tests nothing.
    pub fn unclaimed(&self, expected: &BTreeMap<AlertId, History>) -> Vec<Claim> {
        let is_required = |claim: &&Claim| {
            expected.iter().any(|(alert, history)| {
                let is_event = |event: &reference::model::Event| {
                    matches!(event.kind, Kind::Ended(_)) == claim.is_end
                        && (claim.from..claim.until).contains(&event.at)
                        && !event.is_optional
                        && !history.is_open(event.at)
                };
                (alert.tenant, alert.rule) == (claim.tenant, claim.rule) && history.events.iter().any(is_event)
            })
        };
        self.claims.iter().filter(|claim| !is_required(claim)).cloned().collect()
    }
}
