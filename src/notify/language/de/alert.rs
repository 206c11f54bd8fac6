//! Messages about one alert, in German.

use super::WORDS as GERMAN;
use crate::notify::language::{
    Place,
    alert::{AlertWords, End, EndReason, FactName, Lack, LinkTo, Subject},
};

pub(super) const WORDS: AlertWords = AlertWords {
    still: |name, value| format!("{name} weiterhin bei {value}"),
    keeps_changing: |name| format!("{name} schwankt ständig"),
    worsened: |name, value, previous| match previous {
        Some(previous) => format!("{name} von {previous} auf {value} verschlechtert"),
        None => format!("{name} auf {value} verschlechtert"),
    },
    fell: |name, from, to| format!("{name} von {from} auf {to} gefallen"),
    rose: |name, from, to| format!("{name} von {from} auf {to} gestiegen"),
    is: |name, value| format!("{name} liegt bei {value}"),
    overall: |moved| format!("insgesamt {moved}"),
    moved_from: |moved, from| format!("{moved} gegenüber {from}"),
    higher_is_worse: "höher ist schlechter",
    ended,
    without_data,
    test_mark: "TEST: ",
    escalated_mark: "ESKALIERT: ",
    can_be_reached: "Dieser Kanal ist erreichbar",
    is_drill: "PROBEALARM: nur ein Test dieses Kanals, es ist nichts passiert",
    is_over: "Der Alarm ist beendet",
    drill_reason: "Diese Meldung zeigt, dass Meldungen an diesen Kanal ankommen.",
    drill_step: "Bestätigen Sie mit der Schaltfläche, dass Sie diese Meldung sehen.",
    what_to_do: "Was zu tun ist",
    fact,
    not_acknowledged: "nein",
    not_acknowledged_within: |after, since| format!("seit {since} nicht bestätigt, länger als {after}"),
    are_excluded: |count| {
        if count == 1 { "1 Maßnahme zählt nicht".to_owned() } else { format!("{count} Maßnahmen zählen nicht") }
    },
    until_day: |day| format!("bis {day}"),
    until_next_check: "bis zur nächsten Prüfung",
    with_them: |count, value| format!("{}: {value}", if count == 1 { "Mit ihr" } else { "Mit ihnen" }),
    of: |one, other| format!("{one} von {other}"),
    before: |now, before| format!("{now} (zuvor: {before})"),
    period: |from, until, lasted| format!("{from} bis {until} ({lasted})"),
    gained: |loss| format!("gewonnen: {loss}"),
    lost: |loss| format!("verloren: {loss}"),
    regressed: "Was sich verschlechtert hat",
    likely: "Wahrscheinliche Ursachen",
    changed: "Was sich geändert hat",
    new_mark: "Neu: ",
    retired_mark: "Zurückgezogen: ",
    to_earn: |points| format!("{points} erreichbar"),
    up_to: |points| format!("bis zu {points}"),
    exposed: |count, total| format!("{count} von {total} Geräten gefährdet"),
    state_worsened: "verschlechtert",
    state_firing: "besteht weiter",
    state_over: "beendet",
    state_unstable: "instabil",
    earlier: |count| {
        if count == 1 { "samt 1 früheren Meldung".to_owned() } else { format!("samt {count} früheren Meldungen") }
    },
    possible_duplicate: "möglicherweise doppelt",
    test: "Test",
    drill: "Probealarm",
    link,
};

/// What an alert is about, after „Alarm“.
fn about(Subject { text, is_plural }: &Subject) -> String {
    if *is_plural { format!("zu {}", text.replacen("alle ", "allen ", 1)) } else { format!("zur {text}") }
}

fn ended(subject: &Subject, end: &End<'_>) -> String {
    let (name, about) = (&subject.text, about(subject));
    match end {
        End::Accepted(value) => format!("Alarm {about} beendet: {value} akzeptiert"),
        End::Because(reason) => {
            let reason = match reason {
                EndReason::Accepted => "akzeptiert",
                EndReason::RuleChanged => "Regel geändert",
                EndReason::RuleRemoved => "Regel entfernt",
                EndReason::TenantRemoved => "Mandant entfernt",
                EndReason::SubjectRemoved => "wird nicht mehr abgefragt",
            };
            format!("Alarm {about} beendet: {reason}")
        }
        End::Over => format!("Alarm {about} beendet"),
        End::ReadAgain(Some(value)) => format!("{name} wieder abrufbar: {value}"),
        End::ReadAgain(None) => format!("{name} wieder abrufbar"),
        End::Recovered(value) => format!("{name} wieder bei {value}"),
    }
}

fn without_data(Subject { text: name, .. }: &Subject, lack: &Lack) -> String {
    let lasted = |lasted| GERMAN.briefly(lasted, Place::AfterPreposition);
    match lack {
        Lack::More { total, before } => format!("Jetzt {total} Bewertungen ohne Daten, zuvor {before}"),
        Lack::Still(time) => format!("{name} weiterhin ohne Daten, seit {}", lasted(*time)),
        Lack::For(time) => format!("{name} seit {} ohne Daten", lasted(*time)),
        Lack::Unknown => format!("{name} ohne Daten"),
    }
}

fn fact(name: FactName) -> &'static str {
    match name {
        FactName::Scores => "Bewertungen",
        FactName::RemainingLoss => "Verbleibender Verlust",
        FactName::Loss => "Verlust",
        FactName::Direction => "Richtung",
        FactName::Points => "Punkte",
        FactName::LastReading => "Letzter Messwert",
        FactName::Excluded => "Ausgenommen",
        FactName::Since => "Seit",
        FactName::Acknowledged => "Bestätigt",
        FactName::Escalated => "Eskaliert",
        FactName::Severity => "Schweregrad",
        FactName::Rule => "Regel",
        FactName::Class => "Fehlerart",
        FactName::Channel => "Kanal",
        FactName::Expires => "Läuft ab",
        FactName::From => "Von",
        FactName::Until => "Bis",
        FactName::Tenant => "Mandant",
        FactName::Labels => "Merkmale",
    }
}

fn link(to: LinkTo) -> &'static str {
    match to {
        LinkTo::Confirmation => "Gesehen: bestätigen",
        LinkTo::AppRegistration => "Zur App-Registrierung",
        LinkTo::Consent => "Zur Zustimmungsseite",
        LinkTo::EnterpriseApps => "Zu den Enterprise-Apps",
        LinkTo::SignInLogs => "Anmeldeprotokolle",
        LinkTo::ErrorCode => "Fehlercode nachsehen",
        LinkTo::ConditionalAccess => "Zum bedingten Zugriff",
        LinkTo::PowerAutomate => "Zu Power Automate",
        LinkTo::SlackApps => "Zu den Slack-Apps",
        LinkTo::PagingService => "Zu PagerDuty",
        LinkTo::Settings => "Zu den Einstellungen",
        LinkTo::SecureScore => "Zur Bewertung",
        LinkTo::VulnerabilityManagement => "Zu Defender",
        LinkTo::Portal => "Zum Microsoft-Portal",
        LinkTo::Runbook => "Zur Anleitung",
        LinkTo::Alert => "Zum Alarm",
        LinkTo::Channels => "Zu den Kanälen",
        LinkTo::Dashboard => "Zur Übersicht",
    }
}
