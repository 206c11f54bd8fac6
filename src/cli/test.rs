//! `scorewatch test`: unit tests of rules. A series of readings goes in, and what is sent is held against what was expected.

mod report;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{Failure, output, wrong_input};
use crate::{
    config::suite::{Case, load_suite},
    diagnostic::Level,
    domain::ChannelName,
    notify::{Notification, NotificationType, digest, language::Locale, notification::TenantFacts},
    replay::{
        Fleet, Message, Outcome, Plan,
        expect::{AboutAlert, Difference, Got, compare},
        send, walk,
    },
    template,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  scorewatch test rules/tests/*.yaml
  scorewatch test --filter 'notified once' rules/tests/starter.yaml
  scorewatch test --junit report.xml rules/tests/*.yaml

A test file:
  rules: [../starter.yaml]
  tests:
    - name: a fall of 15% is notified immediately, and so is its end
      tenants: [{ id: contoso, labels: { tier: gold }, series: \"400x8 340x4 400\" }]
      expect:
        - { at: 2h, type: alert.firing, rule: device-score-drop, severity: critical, text: fell from 400 to 340 }
        - { at: 3h, type: alert.resolved, rule: device-score-drop }

A series has one word per check, `every: 15m` apart: `340x8` is eight readings of that value, `360+5x4` four that \
grow by 5, `_` a failed check, `~2h` no check for two hours, `08:30` the time of the next check. A test may have \
`silences: [{ tenants: all, \
from: 1h, until: 4h }]`, and `maintenance:` as in the main file. Any other message fails the test. \
Nothing is fetched, stored or sent.

Exit codes: 0 all tests passed, 1 a test failed, 2 a file is invalid.")]
pub(super) struct Arguments {
    /// Files with tests of rules, in YAML
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only tests whose name holds this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Write a `JUnit` report to this file as well
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// The result of one test.
#[derive(Debug, Serialize)]
struct Verdict {
    file: PathBuf,
    line: usize,
    name: String,
    passed: bool,
    /// `-` was expected and not sent, `+` was sent and not expected; in time order.
    differences: Vec<String>,
    /// Every message that was sent.
    sent: Vec<Got>,
}

pub(super) fn test(arguments: &Arguments) -> Result<(), Failure> {
    let mut verdicts = Vec::new();
    let mut is_wrong = false;
    for file in &arguments.files {
        let loaded = load_suite(file);
        if !loaded.problems.is_empty() {
            output::complain_of(&loaded.problems, &loaded.excerpts);
        }
        is_wrong |= loaded.problems.iter().any(|problem| problem.level == Level::Error);
        let Some(suite) = loaded.suite else { continue };
        let is_wanted = |case: &&Case| arguments.filter.as_ref().is_none_or(|part| case.name.contains(part));
        verdicts.extend(suite.cases.iter().filter(is_wanted).map(|case| judge(file, &suite.plan_of(case), case)));
    }
    if let Some(path) = &arguments.junit {
        std::fs::write(path, report::junit(&verdicts)).map_err(|error| {
            Failure::Run(Some(anyhow::anyhow!("the report `{}` can't be written: {error}", path.display())))
        })?;
    }
    if arguments.json {
        output::json(&verdicts)?;
    } else if !is_wrong || !verdicts.is_empty() {
        output::say(&report::text(&verdicts));
    }
    if is_wrong {
        return Err(Failure::Input(None));
    }
    if verdicts.is_empty() {
        return Err(wrong_input("no test matches `--filter`"));
    }
    if verdicts.iter().all(|verdict| verdict.passed) { Ok(()) } else { Err(Failure::Run(None)) }
}

fn judge(file: &Path, plan: &Plan, case: &Case) -> Verdict {
    let fleet = Fleet::of(plan, &case.histories);
    let mut messages: Vec<Message> = case.histories.iter().flat_map(|history| walk(plan, history, &fleet)).collect();
    messages.sort_by_key(|message| message.at);
    let outcome = send(plan, &case.histories, &fleet, messages);
    let tenants: BTreeMap<&str, TenantFacts> =
        case.histories.iter().map(|history| (history.tenant.as_str(), history.facts())).collect();
    let sent = seen(&outcome, &tenants);
    let must_be_expected = |difference: &Difference| match difference {
        Difference::Missing(_) => true,
        Difference::Unexpected(message, _) => {
            let at = sent[*message].at;
            case.strict || case.quiet.iter().any(|(after, until)| *after < at && at <= *until)
        }
    };
    let differences: Vec<Difference> = compare(&case.expected, &sent).into_iter().filter(must_be_expected).collect();
    Verdict {
        file: file.to_owned(),
        line: case.place.line,
        name: case.name.clone(),
        passed: differences.is_empty(),
        differences: differences.iter().map(|difference| report::difference(*difference, case, &sent)).collect(),
        sent,
    }
}

/// The sent messages as a test shows them; copies of one message to several channels are one line.
fn seen(outcome: &Outcome, tenants: &BTreeMap<&str, TenantFacts>) -> Vec<Got> {
    let notification = |message: usize| {
        let message = &outcome.messages[message];
        message.notification(tenants[message.tenant.as_str()].clone())
    };
    let about = |message: usize| {
        let Message { tenant, rule, subject, .. } = &outcome.messages[message];
        let (tenant, severity) = (tenant.to_string(), rule.severity);
        AboutAlert { tenant, rule: rule.name.to_string(), subject: subject.as_ref().map(ToString::to_string), severity }
    };
    let mut seen: Vec<(Vec<usize>, Got)> = Vec::new();
    for sent in &outcome.sent {
        let same = |(says, got): &&mut (Vec<usize>, Got)| {
            // What a notice says differs with what its channel may show.
            sent.notice.is_none() && *says == sent.says && got.at == sent.at
        };
        if let Some((_, got)) = seen.iter_mut().rev().take(outcome.messages.len()).find(same) {
            got.channels.push(sent.channel.clone());
            continue;
        }
        let (written, about) = if let Some(notice) = sent.notice {
            (outcome.notices[notice].clone(), sent.says.iter().map(|&message| about(message)).collect())
        } else if sent.kind == NotificationType::Digest {
            (
                in_one(&sent.channel, sent.says.iter().map(|&message| notification(message)), sent.at),
                sent.says.iter().map(|&message| about(message)).collect(),
            )
        } else {
            let Some(&newest) = sent.says.last() else { continue };
            (notification(newest), vec![about(newest)])
        };
        let text = template::summary(&written, &Locale::default()).headline;
        let got = Got { at: sent.at, kind: sent.kind, about, channels: vec![sent.channel.clone()], text };
        seen.push((sent.says.clone(), got));
    }
    seen.into_iter().map(|(_, got)| got).collect()
}

/// The digest that lists all of these messages.
fn in_one(
    channel: &ChannelName,
    notifications: impl Iterator<Item = Notification>,
    at: crate::domain::Timestamp,
) -> Notification {
    digest::of("replay", channel, &notifications.collect::<Vec<_>>(), digest::LINES_MAX, at)
}
