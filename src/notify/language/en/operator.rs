//! Messages to the operator, in English.

use std::time::Duration;

use super::{WORDS as ENGLISH, configuration, silence::silenced};
use crate::{
    domain::{FailureClass, format_duration},
    notify::{
        facts::wording::{CredentialType, News, OutageCause, UnreadPart, Whose},
        language::{
            capitalized,
            operator::{OperatorWords, Said, names_of, one, said, unread_secret},
        },
    },
};

pub(super) const WORDS: OperatorWords = OperatorWords { news, nothing_to_do: "nothing to do" };

fn hint_for(class: &str, hint: Option<&String>) -> Option<String> {
    hint.map(|hint| ENGLISH.reason.hint_for(class, hint))
}

fn news(news: &News, channel: &str) -> Said {
    match news {
        News::TenantUnread { class, hint, part } => {
            let what = part.as_ref().map_or_else(|| "the tenant can't be read".to_owned(), unread_scores);
            Said { hint: hint_for(class, hint.as_ref()), ..one(&what) }
        }
        News::TenantReadAgain => one("the tenant can be read again"),
        News::TenantUnwatched => one("the tenant is no longer watched for this"),
        News::Outage { .. } => outage(news),
        News::OutageOver { .. } => outage_over(news),
        News::OutageOfTenant { whole } => {
            let is_over = matches!(whole.as_deref(), Some(News::OutageOver { .. }));
            let whole = whole.as_deref().map(|whole| self::news(whole, channel)).unwrap_or_default();
            Said { summary: if is_over { "was hit" } else { "can't be read" }.to_owned(), hint: None, ..whole }
        }
        News::CredentialExpires { what, whose, days } => expires(*what, whose, *days),
        News::CredentialPassedOver { what, whose, error, class, hint } => said(
            format!(
                "The newest {} of {} was rejected, and an older one is used: {error}.",
                credential(*what),
                owner(whose)
            ),
            format!("{} was rejected, an older one is used", named("newest ", *what, whose)),
            format!("{} was rejected: {error}.", capitalized(&owner(whose))),
            hint_for(class, hint.as_ref()),
        ),
        News::Downtime { was_suspended, lacked_store, seconds } => {
            let what = match (*was_suspended, *lacked_store) {
                (_, true) => "could not write to its store",
                (true, _) => "was suspended",
                _ => "was down",
            };
            let headline = format!("Scorewatch {what} for {}", format_duration(Duration::from_secs(*seconds)));
            Said {
                summary: format!("{headline}."),
                headline: Some(headline),
                detail: None,
                hint: Some(
                    "nothing to do: missed checks are made up once, and the downtime does not count against any tenant"
                        .to_owned(),
                ),
            }
        }
        News::ConfigurationRejected { .. }
        | News::ConfigurationAccepted
        | News::ConfigurationsDiffer { .. }
        | News::ConfigurationsAgree
        | News::VersionsDiffer { .. } => configuration::said(news),
        News::Silenced { id, author, everybody, seconds, has_page, covers } => {
            silenced(*id, author, *everybody, *seconds, *has_page, covers)
        }
        News::TaskFailed { .. } | News::PartFailed { .. } | News::StoreFileGone { .. } => fault(news),
        News::ChannelParked { .. }
        | News::ChannelLacksSecret { .. }
        | News::ChannelFailing { .. }
        | News::ChannelWorksAgain
        | News::ChannelUnproven { .. }
        | News::DeadLetters { .. }
        | News::SecretsUnreadable { .. }
        | News::SecretsReadable => of_channel(news, channel),
    }
}

fn unread_scores(UnreadPart { scores, of }: &UnreadPart) -> String {
    format!("{} of {of} scores can't be read ({})", scores.len(), names_of(scores, ENGLISH.score))
}

/// The secret of a channel can't be read.
fn lacks_secret(reason: &str) -> String {
    match unread_secret(reason) {
        Some(why) => format!("a secret can't be read ({why})"),
        None => reason.to_owned(),
    }
}

fn of_channel(news: &News, channel: &str) -> Said {
    match news {
        News::ChannelParked { reason, waiting, is_still } => {
            let (verb, kept) = (if *is_still { "still rejects" } else { "rejects" }, kept(*waiting));
            said(
                format!("Channel `{channel}` {verb} everything it is sent ({reason}). {kept}"),
                format!("Channel {channel} {verb} messages"),
                format!("{reason}. {kept}"),
                Some(format!(
                    "fix the receiver or its URL; a changed URL is tried immediately, otherwise run `scorewatch channels unpark \
                     {channel}`"
                )),
            )
        }
        News::ChannelLacksSecret { reason, waiting } => said(
            format!("Channel `{channel}` can't be used: {}. {}", lacks_secret(reason), kept(*waiting)),
            format!("Channel {channel} can't be used"),
            format!("{}. {}", capitalized(&lacks_secret(reason)), kept(*waiting)),
            Some(
                "put the secret there, readable by the service; the channel then resumes without a restart".to_owned(),
            ),
        ),
        News::ChannelFailing { error } => said(
            format!("Channel `{channel}` can't be reached ({error}). Its queue is kept and retried."),
            format!("Channel {channel} can't be reached"),
            format!("{error}. Its queue is kept and retried."),
            Some("check whether its receiver is up; messages are kept until `retry.give_up` has passed".to_owned()),
        ),
        News::ChannelWorksAgain => said(
            format!("Channel `{channel}` accepts messages again. Queued messages are being sent."),
            format!("Channel {channel} accepts messages again"),
            "Queued messages are being sent.".to_owned(),
            None,
        ),
        _ => of_queue(news, channel),
    }
}

/// What has not arrived on a channel, or can't be sent.
fn of_queue(news: &News, channel: &str) -> Said {
    match news {
        News::ChannelUnproven { was_proven, by_people } => {
            let for_long = if *was_proven { "has not shown for a long time" } else { "has never shown" };
            let confirmed = if *by_people { "nobody has confirmed a drill" } else { "no message was accepted" };
            said(
                format!("Channel `{channel}` {for_long} that its messages arrive: {confirmed}."),
                format!("Channel {channel}: {confirmed}"),
                format!("It {for_long} that its messages arrive."),
                Some(format!(
                    "run `scorewatch channels drill {channel}`; if it does not arrive, fix the receiver or its URL, and if it \
                     does, press its button"
                )),
            )
        }
        News::DeadLetters { count, cause, first } => {
            let (messages, kept) = match count {
                1 => ("1 message".to_owned(), "It is kept as a dead letter"),
                _ => (format!("{count} messages"), "They are kept as dead letters"),
            };
            said(
                format!("{messages} could not be delivered to channel `{channel}`: {cause}. {kept}."),
                format!("{messages} to channel {channel} not delivered"),
                format!("Reason: {cause}. {kept}."),
                Some(format!(
                    "fix the cause, then run `scorewatch deliveries resend {first}`; `scorewatch deliveries list --state dead` \
                     lists them all"
                )),
            )
        }
        News::SecretsUnreadable { error, hint } => said(
            format!("Channel `{channel}` can't be used: {}. Queued messages wait.", lacks_secret(error)),
            format!("Channel {channel} can't be used"),
            format!("{}. Queued messages wait.", capitalized(&lacks_secret(error))),
            Some(format!("{hint}; the channel then resumes without a restart")),
        ),
        News::SecretsReadable => said(
            format!("Channel `{channel}` can be used again: its secrets can be read. Queued messages are being sent."),
            format!("Channel {channel} can be used again"),
            "Its secrets can be read. Queued messages are being sent.".to_owned(),
            None,
        ),
        _ => Said::default(),
    }
}

fn kept(waiting: u64) -> String {
    match waiting {
        0 => "Its queue is kept.".to_owned(),
        1 => "Its queue is kept; 1 notification is waiting.".to_owned(),
        _ => format!("Its queue is kept; {waiting} notifications are waiting."),
    }
}

fn fault(news: &News) -> Said {
    let report = "report this bug in Scorewatch, with the log lines around it".to_owned();
    match news {
        News::TaskFailed { task } => said(
            format!("A task of Scorewatch failed (`{task}` panicked). It was restarted."),
            "A task of Scorewatch failed".to_owned(),
            format!("`{task}` panicked. It was restarted."),
            Some(report),
        ),
        News::PartFailed { task, error } => said(
            format!("Scorewatch ended because its part `{task}` {error}."),
            "Scorewatch ended because of a fault".to_owned(),
            format!("Its part `{task}` {error}."),
            Some(report),
        ),
        News::StoreFileGone { what } => {
            let detail =
                format!("The store {what}. Everything recorded from now on is lost when Scorewatch is restarted.");
            said(
                detail.clone(),
                "The file of Scorewatch's store is gone".to_owned(),
                detail,
                Some("stop Scorewatch, restore the file or a backup of it, and start Scorewatch again".to_owned()),
            )
        }
        _ => Said::default(),
    }
}

const fn credential(what: CredentialType) -> &'static str {
    match what {
        CredentialType::Secret => "client secret",
        CredentialType::Certificate => "certificate",
        CredentialType::FederatedToken => "federated token",
    }
}

fn owner(whose: &Whose) -> String {
    match whose {
        Whose::Tenant(id) => format!("tenant {id}"),
        Whose::App { client_id, tenants: 1 } => format!("app {client_id} (1 tenant)"),
        Whose::App { client_id, tenants } => format!("app {client_id} ({tenants} tenants)"),
    }
}

/// A credential in a headline, which has the tenant's name before it if it is one tenant's.
fn named(which: &str, what: CredentialType, whose: &Whose) -> String {
    match whose {
        Whose::Tenant(_) => format!("{which}{}", credential(what)),
        Whose::App { .. } => capitalized(&format!("{which}{} of an app", credential(what))),
    }
}

fn expires(what: CredentialType, whose: &Whose, days: u32) -> Said {
    let verb = match days {
        0 => "has expired".to_owned(),
        1 => "expires within 1 day".to_owned(),
        days => format!("expires within {days} days"),
    };
    let hint = match what {
        CredentialType::Certificate => {
            "create a new certificate, upload it to the app registration, and put it into the file together with its key"
        }
        CredentialType::FederatedToken => {
            "let the identity provider that issues the token renew it, and update `expires:`"
        }
        CredentialType::Secret => {
            "create a new secret in the app registration, store it in the place that the configuration names, and update \
             `expires:`"
        }
    };
    Said {
        summary: format!("The {} of {} {verb}.", credential(what), owner(whose)),
        headline: Some(format!("{} {verb}", named("", what, whose))),
        detail: matches!(whose, Whose::App { .. }).then(|| format!("{}.", capitalized(&owner(whose)))),
        hint: Some(hint.to_owned()),
    }
}

fn names(named: &[String], count: usize) -> String {
    match count.saturating_sub(named.len()) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn outage(news: &News) -> Said {
    let News::Outage { cause, class, count, of, named, before, hint } = news else { return Said::default() };
    let words = FailureClass::from_name(class).map_or("checks are failing", FailureClass::words);
    let why = match cause {
        OutageCause::UnreadableCredential(app) => {
            format!("the credential of app {app} can't be read on this machine")
        }
        OutageCause::Credential(app) => format!("the credential of app {app} was rejected ({words})"),
        OutageCause::App(app) => format!("app {app} was refused ({words})"),
        OutageCause::Microsoft | OutageCause::Clock | OutageCause::Proxy => words.to_owned(),
    };
    let (in_addition, also) = match before {
        0 => (String::new(), String::new()),
        1 => {
            (", in addition to 1 that was reported before".to_owned(), " 1 more tenant was reported before.".to_owned())
        }
        before => (
            format!(", in addition to {before} that were reported before"),
            format!(" {before} more tenants were reported before."),
        ),
    };
    let headline = format!("{count} of {of} tenants can't be read");
    said(
        format!("{headline}: {why} ({}{in_addition})", names(named, *count)),
        headline,
        format!("Cause: {why}.{also}"),
        hint.clone().or_else(|| Some(remedy(cause, class).to_owned())),
    )
}

/// The step that fixes it, or what there is to do meanwhile.
fn remedy(cause: &OutageCause, class: &str) -> &'static str {
    let known = FailureClass::from_name(class);
    known.and_then(|class| class.hint()).unwrap_or(match (cause, known) {
        (OutageCause::Microsoft, Some(FailureClass::Throttled)) => {
            "nothing to do now: checks continue; if it happens again, widen `spread` or lower `concurrency`"
        }
        _ => {
            "nothing to do here: checks continue, and you are notified when it is over; Microsoft reports outages at \
             status.cloud.microsoft"
        }
    })
}

fn outage_over(news: &News) -> Said {
    let News::OutageOver { cause, count, named, left, seconds } = news else { return Said::default() };
    let (what, was) = match cause {
        OutageCause::Credential(app) | OutageCause::UnreadableCredential(app) => (
            format!("the credential of app {app} is accepted again"),
            format!("the credential of app {app} was rejected"),
        ),
        OutageCause::App(app) => (format!("app {app} is accepted again"), format!("app {app} was refused")),
        OutageCause::Clock => {
            ("this machine's clock is right again".to_owned(), "this machine's clock was wrong".to_owned())
        }
        OutageCause::Proxy => {
            ("the proxy lets us sign in again".to_owned(), "a proxy on our side blocked the sign-in".to_owned())
        }
        OutageCause::Microsoft => ("Microsoft can be read again".to_owned(), "Microsoft could not be read".to_owned()),
    };
    let tenants = ENGLISH.counted(*count, ENGLISH.tenants);
    let still = match left {
        0 => None,
        1 => Some("1 of them still can't be read, and is reported on its own if that continues".to_owned()),
        left => Some(format!("{left} of them still can't be read, and are reported on their own if that continues")),
    };
    let (left, remaining) = match still {
        Some(still) => (format!("; {still}"), format!(" {still}.")),
        None => (String::new(), String::new()),
    };
    let lasted = format_duration(Duration::from_secs(*seconds));
    said(
        format!(
            "{} after {lasted}; {tenants} could not be read in that time ({}){left}.",
            capitalized(&what),
            names(named, *count)
        ),
        format!("{tenants} can be read again after {lasted}"),
        format!("Cause: {was}.{remaining}"),
        None,
    )
}
