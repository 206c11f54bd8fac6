//! Messages to the operator, in German.

use std::time::Duration;

use super::{TENANTS_DATIVE, WORDS as GERMAN, configuration, silence::silenced};
use crate::{
    domain::FailureClass,
    notify::{
        facts::wording::{CredentialType, News, OutageCause, UnreadPart, Whose},
        language::{
            Place, capitalized,
            operator::{OperatorWords, Said, answered, names_of, one, said, unread_secret},
        },
    },
};

pub(super) const WORDS: OperatorWords = OperatorWords { news, nothing_to_do: "nichts zu tun" };

fn lasted(seconds: u64) -> String {
    GERMAN.duration(Duration::from_secs(seconds), Place::Alone)
}

fn after(seconds: u64) -> String {
    GERMAN.duration(Duration::from_secs(seconds), Place::AfterPreposition)
}

fn hint_for(class: &str, hint: Option<&String>) -> Option<String> {
    hint.map(|hint| GERMAN.reason.hint_for(class, hint))
}

fn news(news: &News, channel: &str) -> Said {
    match news {
        News::TenantUnread { class, hint, part } => {
            let what = part.as_ref().map_or_else(|| "Mandant nicht abrufbar".to_owned(), unread_scores);
            Said { hint: hint_for(class, hint.as_ref()), ..one(&what) }
        }
        News::TenantReadAgain => one("Mandant wieder abrufbar"),
        News::TenantUnwatched => one("Mandant wird dafür nicht mehr überwacht"),
        News::Outage { .. } => outage(news),
        News::OutageOver { .. } => outage_over(news),
        News::OutageOfTenant { whole } => {
            let is_over = matches!(whole.as_deref(), Some(News::OutageOver { .. }));
            let whole = whole.as_deref().map(|whole| self::news(whole, channel)).unwrap_or_default();
            Said { summary: if is_over { "war betroffen" } else { "nicht abrufbar" }.to_owned(), hint: None, ..whole }
        }
        News::CredentialExpires { what, whose, days } => expires(*what, whose, *days),
        News::CredentialPassedOver { what, whose, error, class, hint } => {
            let error = GERMAN.reason.rejection(class, error);
            let (newest, older) = match what {
                CredentialType::Secret => ("Neuester geheimer Clientschlüssel", "ein älterer"),
                CredentialType::Certificate => ("Neuestes Zertifikat", "ein älteres"),
                CredentialType::FederatedToken => ("Neuestes Verbundtoken", "ein älteres"),
            };
            let of = if matches!(whose, Whose::App { .. }) { " einer App" } else { "" };
            said(
                format!("{newest} von {} wurde abgelehnt, {older} wird verwendet: {error}.", owner(whose)),
                format!("{newest}{of} abgelehnt, {older} wird verwendet"),
                format!("Betroffen: {}. Grund: {error}.", owner(whose)),
                hint_for(class, hint.as_ref()),
            )
        }
        News::Downtime { was_suspended, lacked_store, seconds } => {
            let headline = match (*was_suspended, *lacked_store) {
                (_, true) => format!("Scorewatch konnte {} nicht in seine Datenbank schreiben", lasted(*seconds)),
                (true, _) => format!("Scorewatch war {} angehalten", lasted(*seconds)),
                _ => format!("Scorewatch war {} außer Betrieb", lasted(*seconds)),
            };
            Said {
                summary: format!("{headline}."),
                headline: Some(headline),
                detail: None,
                hint: Some(
                    "nichts zu tun: Ausgefallene Prüfungen werden einmal nachgeholt, und die Ausfallzeit wird keinem Mandanten \
                     angerechnet"
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
    format!("{} von {of} Bewertungen nicht abrufbar ({})", scores.len(), names_of(scores, GERMAN.score))
}

/// The secret of a channel can't be read.
fn lacks_secret(reason: &str) -> String {
    match unread_secret(reason) {
        Some(why) => format!("Ein Geheimnis ist nicht lesbar ({})", GERMAN.reason.in_words(why)),
        None => reason.to_owned(),
    }
}

fn of_channel(news: &News, channel: &str) -> Said {
    match news {
        News::ChannelParked { reason, waiting, is_still } => {
            let reason = answered(reason, "antwortete mit");
            let (still, kept) = (if *is_still { "weiterhin " } else { "" }, kept(*waiting));
            said(
                format!("Kanal `{channel}` lehnt {still}alles ab ({reason}). {kept}"),
                format!("Kanal {channel} lehnt {still}Meldungen ab"),
                format!("{reason}. {kept}"),
                Some(format!(
                    "bringen Sie den Empfänger oder seine URL in Ordnung; eine geänderte URL wird sofort versucht, die Warteschlange \
                     auch nach `scorewatch channels unpark {channel}`"
                )),
            )
        }
        News::ChannelLacksSecret { reason, waiting } => said(
            format!("Kanal `{channel}` kann nicht verwendet werden: {}. {}", lacks_secret(reason), kept(*waiting)),
            format!("Kanal {channel} kann nicht verwendet werden"),
            format!("{}. {}", lacks_secret(reason), kept(*waiting)),
            Some(
                "hinterlegen Sie das Geheimnis dort, lesbar für den Dienst; der Kanal läuft dann ohne Neustart weiter"
                    .to_owned(),
            ),
        ),
        News::ChannelFailing { error } => {
            let kept = "Die Warteschlange bleibt erhalten, der Versand wird weiter versucht.";
            said(
                format!("Kanal `{channel}` ist nicht erreichbar ({error}). {kept}"),
                format!("Kanal {channel} ist nicht erreichbar"),
                format!("{error}. {kept}"),
                Some(
                    "prüfen Sie, ob der Empfänger in Betrieb ist; während `retry.give_up` geht nichts verloren"
                        .to_owned(),
                ),
            )
        }
        News::ChannelWorksAgain => said(
            format!("Kanal `{channel}` nimmt wieder Meldungen an. Was fehlt, wird nachgesendet."),
            format!("Kanal {channel} nimmt wieder Meldungen an"),
            "Was fehlt, wird nachgesendet.".to_owned(),
            None,
        ),
        _ => of_queue(news, channel),
    }
}

/// What has not arrived on a channel, or can't be sent.
fn of_queue(news: &News, channel: &str) -> Said {
    match news {
        News::ChannelUnproven { was_proven, by_people } => {
            let shown = if *was_proven { "seit langem nicht gezeigt" } else { "noch nie gezeigt" };
            let confirmed =
                if *by_people { "niemand hat einen Probealarm bestätigt" } else { "keine Meldung wurde angenommen" };
            said(
                format!("Kanal `{channel}` hat {shown}, dass seine Meldungen ankommen: {confirmed}."),
                format!("Kanal {channel}: {confirmed}"),
                format!("Er hat {shown}, dass seine Meldungen ankommen."),
                Some(format!(
                    "führen Sie `scorewatch channels drill {channel}` aus; kommt der Probealarm nicht an, bringen Sie den Empfänger \
                     oder seine URL in Ordnung, andernfalls bestätigen Sie ihn mit seiner Schaltfläche"
                )),
            )
        }
        News::DeadLetters { count, cause, first } => {
            let (messages, could, kept) = match count {
                1 => ("1 Meldung".to_owned(), "konnte", "Sie bleibt als unzustellbare Meldung erhalten."),
                _ => (format!("{count} Meldungen"), "konnten", "Sie bleiben als unzustellbare Meldungen erhalten."),
            };
            said(
                format!("{messages} an Kanal `{channel}` {could} nicht zugestellt werden: {cause}. {kept}"),
                format!("{messages} an Kanal {channel} nicht zugestellt"),
                format!("Grund: {cause}. {kept}"),
                Some(format!(
                    "beheben Sie die Ursache, und führen Sie dann `scorewatch deliveries resend {first}` aus; `scorewatch deliveries \
                     list --state dead` zeigt alle"
                )),
            )
        }
        News::SecretsUnreadable { error, hint } => said(
            format!(
                "Kanal `{channel}` kann nicht verwendet werden: {}. Was für ihn ansteht, wartet.",
                lacks_secret(error)
            ),
            format!("Kanal {channel} kann nicht verwendet werden"),
            format!("{}. Was für den Kanal ansteht, wartet.", lacks_secret(error)),
            Some(format!("{}; der Kanal läuft dann ohne Neustart weiter", GERMAN.reason.in_words(hint))),
        ),
        News::SecretsReadable => said(
            format!(
                "Kanal `{channel}` kann wieder verwendet werden: Seine Geheimnisse sind lesbar. Was anstand, wird gesendet."
            ),
            format!("Kanal {channel} kann wieder verwendet werden"),
            "Seine Geheimnisse sind lesbar. Was anstand, wird gesendet.".to_owned(),
            None,
        ),
        _ => Said::default(),
    }
}

fn kept(waiting: u64) -> String {
    match waiting {
        0 => "Die Warteschlange bleibt erhalten.".to_owned(),
        1 => "Die Warteschlange bleibt erhalten; 1 Meldung wartet.".to_owned(),
        _ => format!("Die Warteschlange bleibt erhalten; {waiting} Meldungen warten."),
    }
}

fn fault(news: &News) -> Said {
    let report = "melden Sie diesen Fehler in Scorewatch, mit den Protokollzeilen aus dieser Zeit".to_owned();
    match news {
        News::TaskFailed { task } => said(
            format!(
                "In Scorewatch ist eine Aufgabe fehlgeschlagen (`{task}` ist abgestürzt). Sie wurde neu gestartet."
            ),
            "Eine Aufgabe von Scorewatch ist fehlgeschlagen".to_owned(),
            format!("`{task}` ist abgestürzt. Die Aufgabe wurde neu gestartet."),
            Some(report),
        ),
        News::PartFailed { task, error } => {
            let error = GERMAN.reason.in_words(error);
            said(
                format!("Scorewatch wurde beendet, weil sein Teil `{task}` ausgefallen ist ({error})."),
                "Scorewatch wurde wegen eines Fehlers beendet".to_owned(),
                format!("Sein Teil `{task}` ist ausgefallen ({error})."),
                Some(report),
            )
        }
        News::StoreFileGone { what } => {
            let what = GERMAN.reason.in_words(what);
            let detail = format!(
                "Die Datei der Datenbank ist nicht mehr an ihrem Platz ({what}). Alles, was ab jetzt gespeichert wird, geht bei einem \
                 Neustart von Scorewatch verloren."
            );
            said(
                detail.clone(),
                "Die Datei der Datenbank von Scorewatch fehlt".to_owned(),
                detail,
                Some(
                    "halten Sie Scorewatch an, stellen Sie die Datei oder eine Sicherung wieder her, und starten Sie Scorewatch neu"
                        .to_owned(),
                ),
            )
        }
        _ => Said::default(),
    }
}

const fn credential(what: CredentialType) -> &'static str {
    match what {
        CredentialType::Secret => "Geheimer Clientschlüssel",
        CredentialType::Certificate => "Zertifikat",
        CredentialType::FederatedToken => "Verbundtoken",
    }
}

fn owner(whose: &Whose) -> String {
    match whose {
        Whose::Tenant(id) => format!("Mandant {id}"),
        Whose::App { client_id, tenants } => {
            format!("App {client_id} ({})", GERMAN.counted(*tenants, GERMAN.tenants))
        }
    }
}

fn expires(what: CredentialType, whose: &Whose, days: u32) -> Said {
    let verb = match days {
        0 => "ist abgelaufen".to_owned(),
        1 => "läuft innerhalb von 1 Tag ab".to_owned(),
        days => format!("läuft innerhalb von {days} Tagen ab"),
    };
    let hint = match what {
        CredentialType::Certificate => {
            "erstellen Sie ein neues Zertifikat, laden Sie es in die App-Registrierung hoch, und legen Sie es mit seinem Schlüssel in \
             die Datei"
        }
        CredentialType::FederatedToken => {
            "lassen Sie das Token dort erneuern, wo es ausgestellt wird, und passen Sie `expires:` an"
        }
        CredentialType::Secret => {
            "erstellen Sie in der App-Registrierung einen neuen geheimen Clientschlüssel, hinterlegen Sie ihn an der Stelle, auf die die \
             Konfiguration verweist, und aktualisieren Sie `expires:`"
        }
    };
    let of = if matches!(whose, Whose::App { .. }) { " einer App" } else { "" };
    Said {
        summary: format!("{} von {} {verb}.", credential(what), owner(whose)),
        headline: Some(format!("{}{of} {verb}", credential(what))),
        detail: matches!(whose, Whose::App { .. }).then(|| format!("{}.", owner(whose))),
        hint: Some(hint.to_owned()),
    }
}

fn names(named: &[String], count: usize) -> String {
    match count.saturating_sub(named.len()) {
        0 => named.join(", "),
        more => (GERMAN.line.names_and)(&named.join(", "), more),
    }
}

fn outage(news: &News) -> Said {
    let News::Outage { cause, class, count, of, named, before, hint } = news else { return Said::default() };
    let known = FailureClass::from_name(class);
    let words = known.map_or("die Prüfungen schlagen fehl", GERMAN.reason.class);
    let why = match cause {
        OutageCause::UnreadableCredential(app) => {
            format!("die Anmeldeinformationen der App {app} können auf diesem Rechner nicht gelesen werden")
        }
        OutageCause::Credential(app) => format!("die Anmeldeinformationen der App {app} wurden abgelehnt ({words})"),
        OutageCause::App(app) => format!("die App {app} wurde abgelehnt ({words})"),
        OutageCause::Microsoft | OutageCause::Clock | OutageCause::Proxy => words.to_owned(),
    };
    let (in_addition, also) = match before {
        0 => (String::new(), String::new()),
        1 => (", dazu 1 schon gemeldeter".to_owned(), " 1 weiterer Mandant war schon gemeldet.".to_owned()),
        before => {
            (format!(", dazu {before} schon gemeldete"), format!(" {before} weitere Mandanten waren schon gemeldet."))
        }
    };
    let headline = format!("{count} von {} nicht abrufbar", GERMAN.counted(*of, TENANTS_DATIVE));
    let class_hint = known.and_then(GERMAN.reason.hint);
    let hint = hint_for(class, hint.as_ref()).unwrap_or_else(|| {
        class_hint.unwrap_or(match (cause, known) {
            (OutageCause::Microsoft, Some(FailureClass::Throttled)) => {
                "nichts zu tun: Die Prüfungen laufen weiter; geschieht es wieder, vergrößern Sie `spread` oder verringern Sie \
                 `concurrency`"
            }
            _ => {
                "nichts zu tun: Die Prüfungen laufen weiter, und Sie werden benachrichtigt, wenn es vorbei ist; Microsoft meldet \
                 Störungen unter status.cloud.microsoft"
            }
        })
        .to_owned()
    });
    said(
        format!("{headline}: {} ({}{in_addition})", capitalized(&why), names(named, *count)),
        headline,
        format!("Ursache: {}.{also}", capitalized(&why)),
        Some(hint),
    )
}

fn outage_over(news: &News) -> Said {
    let News::OutageOver { cause, count, named, left, seconds } = news else { return Said::default() };
    let (what, was) = match cause {
        OutageCause::Credential(app) | OutageCause::UnreadableCredential(app) => (
            format!("die Anmeldeinformationen der App {app} werden wieder angenommen"),
            format!("die Anmeldeinformationen der App {app} wurden abgelehnt"),
        ),
        OutageCause::App(app) => {
            (format!("die App {app} wird wieder angenommen"), format!("die App {app} wurde abgelehnt"))
        }
        OutageCause::Clock => {
            ("die Uhr dieses Rechners geht wieder richtig".to_owned(), "die Uhr dieses Rechners ging falsch".to_owned())
        }
        OutageCause::Proxy => (
            "der Proxy lässt Anmeldungen wieder zu".to_owned(),
            "ein Proxy auf unserer Seite hat die Anmeldung blockiert".to_owned(),
        ),
        OutageCause::Microsoft => {
            ("Microsoft ist wieder abrufbar".to_owned(), "Microsoft war nicht abrufbar".to_owned())
        }
    };
    let still = match left {
        0 => None,
        1 => Some("1 davon ist weiterhin nicht abrufbar und wird einzeln gemeldet, wenn es so bleibt".to_owned()),
        left => {
            Some(format!("{left} davon sind weiterhin nicht abrufbar und werden einzeln gemeldet, wenn es so bleibt"))
        }
    };
    let (left, remaining) = match still {
        Some(still) => (format!("; {still}"), format!(" {still}.")),
        None => (String::new(), String::new()),
    };
    let (tenants, lasted) = (GERMAN.counted(*count, GERMAN.tenants), after(*seconds));
    let were = if *count == 1 { "war" } else { "waren" };
    said(
        format!(
            "Nach {lasted} behoben: {}; {tenants} {were} nicht abrufbar ({}){left}.",
            capitalized(&what),
            names(named, *count)
        ),
        format!("{tenants} nach {lasted} wieder abrufbar"),
        format!("Ursache: {}.{remaining}", capitalized(&was)),
        None,
    )
}
