//! Holds what was sent against what was to be sent.

use serde::Serialize;

use crate::{
    domain::{ChannelName, Severity, Timestamp},
    notify::NotificationType,
};

/// A message that is expected. What is `None` may be anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// When it is sent.
    pub at: Timestamp,
    /// The tenant of the alert, or of one that a digest reports.
    pub tenant: Option<String>,
    /// What kind of message.
    pub kind: Option<NotificationType>,
    /// The name of its rule, if it has one.
    pub rule: Option<String>,
    /// Which of several values.
    pub subject: Option<String>,
    /// The severity of the alert, if it is checked.
    pub severity: Option<Severity>,
    /// To this channel; `None`: to every channel that gets it.
    pub channel: Option<ChannelName>,
    /// A part of its text.
    pub text: Option<String>,
}

/// A message that was sent, with what is to be seen of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Got {
    /// The time at which it happened.
    pub at: Timestamp,
    /// What kind of message.
    #[serde(rename = "type")]
    pub kind: NotificationType,
    /// What it is about: one alert, or several in a digest.
    pub about: Vec<AboutAlert>,
    /// The channels that get it.
    pub channels: Vec<ChannelName>,
    /// The text as it is shown.
    pub text: String,
}

/// One alert that a message is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AboutAlert {
    /// The tenant that it is about, by slug.
    pub tenant: String,
    /// The name of the alert's rule.
    pub rule: String,
    /// Which of several values.
    pub subject: Option<String>,
    /// The severity of the alert.
    pub severity: Severity,
}

/// How the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// This was expected and not sent.
    Missing(usize),
    /// This was sent, to this of its channels, and not expected.
    Unexpected(usize, usize),
}

/// Every difference. Each channel's copy of a message is expected once: by what names the channel, or by what names none and
/// then means all that is left. What says more chooses first, so that what says little does not take its message.
#[must_use]
pub fn compare(expected: &[Expected], got: &[Got]) -> Vec<Difference> {
    let mut left: Vec<Vec<bool>> = got.iter().map(|got| vec![true; got.channels.len()]).collect();
    let mut order: Vec<usize> = (0..expected.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(expected[index].weight()));
    let mut differences = Vec::new();
    for index in order {
        let wanted = &expected[index];
        let taken = got.iter().zip(&mut left).find_map(|(got, left)| {
            let copies: Vec<usize> =
                (0..left.len()).filter(|&copy| left[copy] && wanted.is_for(&got.channels[copy])).collect();
            (!copies.is_empty() && wanted.is_met_by(got)).then_some((left, copies))
        });
        match taken {
            Some((left, copies)) => copies.into_iter().for_each(|copy| left[copy] = false),
            None => differences.push(Difference::Missing(index)),
        }
    }
    for (message, copies) in left.iter().enumerate() {
        let left = copies.iter().enumerate().filter(|(_, left)| **left);
        differences.extend(left.map(|(copy, _)| Difference::Unexpected(message, copy)));
    }
    differences.sort_by_key(|difference| match difference {
        Difference::Missing(index) => (expected[*index].at, 0, *index, 0),
        Difference::Unexpected(message, copy) => (got[*message].at, 1, *message, *copy),
    });
    differences
}

impl Expected {
    /// How much it says.
    fn weight(&self) -> usize {
        let says = [
            self.tenant.is_some(),
            self.kind.is_some(),
            self.rule.is_some(),
            self.subject.is_some(),
            self.severity.is_some(),
            self.channel.is_some(),
            self.text.is_some(),
        ];
        says.iter().filter(|says| **says).count()
    }

    fn is_for(&self, channel: &ChannelName) -> bool {
        self.channel.as_ref().is_none_or(|wanted| wanted == channel)
    }

    fn is_met_by(&self, got: &Got) -> bool {
        let is =
            |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|wanted| found == Some(wanted));
        let is_about = |about: &AboutAlert| {
            is(&self.tenant, Some(&about.tenant))
                && is(&self.rule, Some(&about.rule))
                && is(&self.subject, about.subject.as_deref())
                && self.severity.is_none_or(|wanted| wanted == about.severity)
        };
        self.at == got.at
            && self.kind.is_none_or(|wanted| wanted == got.kind)
            && self.text.as_ref().is_none_or(|wanted| got.text.contains(wanted))
            && got.about.iter().any(is_about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn channels(names: &str) -> Vec<ChannelName> {
        names.split_whitespace().map(|name| ChannelName::parse(name).unwrap()).collect()
    }

    /// Sent at that second, by that rule, to those channels.
    fn got(seconds: i64, rule: &str, names: &str) -> Got {
        let (tenant, rule, text) = ("contoso".to_owned(), rule.to_owned(), "it fell".to_owned());
        let about = vec![AboutAlert { tenant, rule, subject: None, severity: Severity::Warning }];
        Got { at: at(seconds), kind: NotificationType::AlertFiring, about, channels: channels(names), text }
    }

    /// The same, expected: `-` is anything.
    fn expected(seconds: i64, rule: &str, channel: &str) -> Expected {
        Expected {
            at: at(seconds),
            tenant: None,
            kind: None,
            rule: (rule != "-").then(|| rule.to_owned()),
            subject: None,
            severity: None,
            channel: channels(channel).pop(),
            text: None,
        }
    }

    #[test]
    fn each_copy_of_a_message_is_expected_once() {
        use Difference::{Missing, Unexpected};
        for (wanted, sent, differences) in [
            (vec![], vec![], vec![]),
            (vec![expected(5, "low", "")], vec![got(5, "low", "soc customer")], vec![]),
            (vec![expected(5, "low", "soc")], vec![got(5, "low", "soc customer")], vec![Unexpected(0, 1)]),
            (vec![expected(5, "low", "soc"), expected(5, "-", "")], vec![got(5, "low", "soc customer")], vec![]),
            (
                vec![expected(5, "-", ""), expected(5, "low", "")],
                vec![got(5, "low", "soc"), got(5, "drop", "soc")],
                vec![],
            ),
            (vec![expected(5, "low", ""); 2], vec![got(5, "low", "soc")], vec![Missing(1)]),
            (vec![expected(9, "low", "")], vec![got(5, "low", "soc")], vec![Unexpected(0, 0), Missing(0)]),
            (vec![expected(5, "drop", "")], vec![got(5, "low", "soc")], vec![Missing(0), Unexpected(0, 0)]),
        ] {
            assert_eq!(compare(&wanted, &sent), differences, "{wanted:?} {sent:?}");
        }
    }

    #[test]
    fn everything_that_is_said_must_be_met() {
        let sent = got(5, "low", "soc");
        let base = expected(5, "low", "soc");
        for (wanted, is_met) in [
            (Expected { text: Some("fell".to_owned()), ..base.clone() }, true),
            (Expected { text: Some("rose".to_owned()), ..base.clone() }, false),
            (Expected { severity: Some(Severity::Critical), ..base.clone() }, false),
            (Expected { kind: Some(NotificationType::AlertResolved), ..base.clone() }, false),
            (Expected { subject: Some("Identity".to_owned()), ..base.clone() }, false),
            (Expected { tenant: Some("fabrikam".to_owned()), ..base }, false),
        ] {
            assert_eq!(
                compare(std::slice::from_ref(&wanted), std::slice::from_ref(&sent)).is_empty(),
                is_met,
                "{wanted:?}"
            );
        }
    }
}
