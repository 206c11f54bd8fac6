//! Messages that are made of several: each channel gets one.

use std::collections::BTreeSet;

use super::{Event, Holding, Queued, Reverse, place};
use crate::{
    domain::{ChannelName, TenantId, Timestamp},
    notify::{
        DeliveryId,
        fleet::{
            group::{Occasion, TOGETHER_MIN},
            notice::{self, Covered, Others},
        },
        release::{Decision, newest_firing},
    },
    replay::message::{Stage, Suppressed},
};

impl Holding<'_> {
    /// What belongs together is sent: each channel gets one message.
    pub(super) fn notify_shifts(&mut self, now: Timestamp) {
        let wait = self.plan.fleet.wait();
        let mut notified_before: Vec<(usize, usize)> = Vec::new();
        for ((shift, occasion, channel), lanes) in std::mem::take(&mut self.members) {
            let is_of_movements = occasion.is_of_movements();
            if is_of_movements && self.shifts[shift].has_just_been_sent(wait, now) {
                let until = self.shifts[shift].notified_at.unwrap_or(now).plus(wait);
                self.events.extend(lanes.into_iter().map(|lane| Reverse((until, Event::Look { lane }))));
            } else if !is_of_movements && lanes.len() < TOGETHER_MIN {
                for lane in lanes {
                    self.alone(lane, now);
                }
            } else {
                if is_of_movements {
                    notified_before
                        .extend(self.notified_alone(shift, &channel, now).into_iter().map(|alert| (alert, shift)));
                }
                self.notify(shift, occasion, channel, &lanes, now);
            }
        }
        // Once every channel's notice has named them.
        for (alert, shift) in notified_before {
            self.alerts[alert].shift.get_or_insert(shift);
        }
    }

    /// Makes one message of what waits in these lanes.
    fn notify(
        &mut self,
        shift: usize,
        occasion: Occasion,
        channel: ChannelName,
        lanes: &BTreeSet<usize>,
        now: Timestamp,
    ) {
        let (mut says, mut covered) = (Vec::new(), Vec::new());
        let has_heard = self.heard.contains(&(shift, channel.clone()));
        let occasion = if occasion == Occasion::Shift && has_heard { Occasion::FollowUp } else { occasion };
        // They are named once.
        let others = if occasion == Occasion::Shift { self.others(shift, &channel, now) } else { Others::default() };
        for &lane in lanes {
            let fates = self.fates(lane);
            let steps = std::mem::take(&mut self.lanes[lane].steps);
            let (earlier, newest) = newest_firing(&steps);
            let (ended, going) = fates.split_at(earlier.len());
            self.settle(lane, earlier, ended, now);
            let suppressed = going.iter().filter(|(_, fate)| *fate == Decision::Suppress);
            let of_channel = |(id, _): &(DeliveryId, Decision)| Suppressed {
                message: place(*id),
                channel: Some(channel.clone()),
                stage: Stage::Silence,
            };
            self.suppressed.extend(suppressed.map(of_channel));
            says.extend(going.iter().filter(|(_, fate)| *fate != Decision::Suppress).map(|(id, _)| place(*id)));
            if let Some((speaker, _)) = going.iter().rfind(|(_, fate)| *fate == Decision::Send) {
                let emitted = &self.messages[place(*speaker)];
                let facts = self.members_of.get(&emitted.tenant).map(|history| history.facts());
                let line = facts.map(|facts| Covered {
                    tenant: Some(emitted.tenant.clone()),
                    notification: emitted.notification(facts),
                    is_accepted: false,
                });
                covered.extend(line);
            }
            self.lanes[lane].emitted = newest.last().and_then(|step| step.began);
            if occasion.is_of_movements() {
                self.alerts[self.lanes[lane].alert].shift = Some(shift);
            }
        }
        says.sort_unstable();
        let suppressed = |&message: &usize| Suppressed { message, channel: Some(channel.clone()), stage: Stage::Fleet };
        self.suppressed.extend(says.iter().map(suppressed));
        self.notices.push(notice::for_channel(&self.shifts[shift], occasion, &channel, covered, &others, now));
        if occasion.is_of_movements() {
            self.heard.insert((shift, channel.clone()));
            self.shifts[shift].notified_at = Some(now);
        }
        let notice = Some(self.notices.len() - 1);
        self.queued.push(Queued { at: now, channel, says, notice });
    }

    /// Tenants that a notice names in addition to those whose alerts it covers.
    fn others(&self, shift: usize, channel: &ChannelName, now: Timestamp) -> Others {
        let is_shown = |tenant: &TenantId| {
            let receiver = self.plan.receivers.get(channel);
            let history = self.members_of.get(tenant);
            receiver.zip(history).is_some_and(|(receiver, history)| receiver.audience.admits(tenant, &history.labels))
        };
        let (outliers, along): (Vec<_>, Vec<_>) =
            self.fleet.tenants_of(shift, now).into_iter().partition(|(_, is_outlier)| *is_outlier);
        let along: BTreeSet<&TenantId> = along.into_iter().map(|(tenant, _)| tenant).collect();
        let reported: BTreeSet<&TenantId> = self
            .known_alone(shift, channel)
            .map(|(tenant, _)| tenant)
            .filter(|tenant| along.contains(tenant))
            .collect();
        Others {
            outliers: outliers.into_iter().map(|(tenant, _)| tenant.clone()).collect(),
            notified_before: reported.into_iter().cloned().collect(),
        }
        .shown(is_shown)
    }

    /// The alerts that began with the shift, and that a channel was notified of on their own.
    fn notified_alone(&self, shift: usize, channel: &ChannelName, now: Timestamp) -> Vec<usize> {
        let of_shift = self.fleet.tenants_of(shift, now);
        let is_along = |tenant: &TenantId| of_shift.get(tenant).is_some_and(|is_outlier| !is_outlier);
        self.known_alone(shift, channel).filter(|(tenant, _)| is_along(tenant)).map(|(_, alert)| alert).collect()
    }

    /// Whose alerts may have begun with the shift, and which a channel was notified of on their own.
    fn known_alone(&self, shift: usize, channel: &ChannelName) -> impl Iterator<Item = (&TenantId, usize)> {
        let known = &self.shifts[shift].shift;
        self.known.iter().filter_map(move |(&(tenant, _, score, subject), &alert)| {
            let emitted = self.alerts[alert];
            let lane = self.lane_of.get(&(alert, channel)).map(|lane| &self.lanes[*lane]);
            let began = lane.filter(|lane| lane.steps.is_empty()).and_then(|lane| lane.emitted);
            let is_alone = score.is_some_and(|score| known.scope.has(score, subject))
                && !emitted.is_over
                && emitted.shift.is_none()
                && began.is_some_and(|at| known.span.has(at));
            is_alone.then_some((tenant, alert))
        })
    }
}
