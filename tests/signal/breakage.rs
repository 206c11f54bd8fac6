//! Ways in which messages can be wrong, for the judge to find.

use rand::{RngExt, rngs::StdRng};

use super::trial::reference::{
    judge::Fault,
    message::{Delivered, Form, Line, Says},
    world::{AlertId, HOUR, MINUTE, Severity, World},
};

#[derive(Debug, Clone, Copy)]
pub(super) enum Breakage {
    Dropped,
    Doubled,
    Swapped,
    ShownOver,
    Delayed,
    Leaked,
    Graded,
    Invented,
}

pub(super) const ALL: [Breakage; 8] = [
    Breakage::Dropped,
    Breakage::Doubled,
    Breakage::Swapped,
    Breakage::ShownOver,
    Breakage::Delayed,
    Breakage::Leaked,
    Breakage::Graded,
    Breakage::Invented,
];

impl Breakage {
    /// What the judge must say about it, one of these.
    pub(super) const fn faults(self) -> &'static [Fault] {
        match self {
            // What was dropped may be covered by a later line, too late.
            Self::Dropped => &[Fault::Missed, Fault::Late],
            // What comes after its own end leaves a wrong belief behind.
            Self::Delayed => &[Fault::Missed, Fault::Late, Fault::Belief],
            Self::Doubled => &[Fault::Twice],
            Self::Swapped => &[Fault::Unfounded, Fault::ShownOver],
            // An end that did not happen is one that nothing founds.
            Self::ShownOver => &[Fault::ShownOver, Fault::Unfounded],
            Self::Leaked => &[Fault::Leak],
            Self::Graded => &[Fault::Severity],
            Self::Invented => &[Fault::Unfounded],
        }
    }

    /// Breaks one of the messages, each of which has one line; whether there was one to break. `may_break`: alerts of which
    /// everything is asked.
    pub(super) fn apply(
        self,
        world: &World,
        messages: &mut Vec<Delivered>,
        may_break: impl Fn(&AlertId) -> bool,
        random: &mut StdRng,
    ) -> bool {
        let last = world.until - world.fleet.wait() - HOUR;
        let fits = |message: &Delivered| {
            let line = &message.lines[0];
            let is_kind = match self {
                Self::ShownOver => matches!(line.says, Says::Fired | Says::Worsened),
                _ => line.says != Says::Reminder,
            };
            // What a line that comes in time covers as well may be left out.
            let soon = message.at + world.fleet.wait() + HOUR;
            let is_covered = messages.iter().any(|other| {
                let is_next = other.channel == message.channel && other.lines[0].alert == line.alert;
                is_next && message.at < other.at && other.at <= soon
            });
            let is_kind = is_kind && !(is_covered && matches!(self, Self::Dropped));
            let is_hidden = !world.channels[1 % world.channels.len()].may_show(line.alert.tenant);
            is_kind && message.at < last && may_break(&line.alert) && (is_hidden || !matches!(self, Self::Leaked))
        };
        let places: Vec<usize> = (0..messages.len()).filter(|&place| fits(&messages[place])).collect();
        if places.is_empty() {
            return false;
        }
        let place = places[random.random_range(0..places.len())];
        let line = messages[place].lines[0];
        match self {
            Self::Dropped => drop(messages.remove(place)),
            Self::Doubled => messages.push(Delivered { at: messages[place].at + MINUTE, ..messages[place].clone() }),
            Self::Swapped => {
                let says = if line.says == Says::Ended { Says::Fired } else { Says::Ended };
                messages[place].lines[0] = Line { says, ..line };
            }
            Self::ShownOver => {
                let over = Line { says: Says::Ended, happened: line.happened + 1, ..line };
                messages.push(Delivered { at: messages[place].at + 2, lines: vec![over], ..messages[place].clone() });
            }
            Self::Delayed => messages[place].at += world.fleet.wait() + HOUR,
            Self::Leaked => messages[place].channel = 1,
            Self::Graded => messages[place].lines[0].severity = other(line.severity),
            Self::Invented => {
                let invented = Line { says: Says::Fired, happened: line.happened - 7, ..line };
                let form = Form::Digest;
                messages.push(Delivered { form, lines: vec![invented], ..messages[place].clone() });
            }
        }
        messages.sort_by_key(|message| message.at);
        true
    }
}

fn other(severity: Severity) -> Severity {
    if severity == Severity::Critical { Severity::Info } else { Severity::Critical }
}
