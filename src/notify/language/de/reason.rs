//! Why something happened, in German.

use std::time::Duration;

use super::{WORDS as GERMAN, clause::CLAUSES};
use crate::{
    domain::FailureClass,
    notify::{
        facts::{
            cause::{CauseChange, CauseKind, Part},
            wording::{AcceptedBy, Failure, Remark, Shown, Spread, Why},
        },
        language::{
            Locale, Place, capitalized,
            reason::{ReasonWords, among, further},
        },
    },
    rule::Resolution,
};

pub(super) const WORDS: ReasonWords = ReasonWords {
    remark,
    why: |why, _| self::why(why),
    change: |change, _| self::change(change),
    failure,
    class,
    hint,
    clause: |clause| among(&CLAUSES, clause),
    things: ["Datei ", "Umgebungsvariable ", "systemd-Anmeldeinformation ", "Benutzer "],
    colon: ": ",
    beside: |of_class, hint| format!("{of_class} ({hint})"),
};

fn remark(remark: &Remark, locale: &Locale) -> Option<String> {
    let lasted = |seconds: u64| GERMAN.duration(Duration::from_secs(seconds), Place::AfterPreposition);
    Some(match remark {
        Remark::Ended { resolution, accepted_by } => return ended(*resolution, accepted_by),
        Remark::NoData => return None,
        Remark::Unstable { changes, within, calm } => format!(
            "Der Alarm wurde innerhalb von {} mehr als {changes}-mal ausgelöst und wieder beendet. Die nächste Meldung kommt, \
             wenn er seit {} stabil ist.",
            lasted(*within),
            lasted(*calm)
        ),
        Remark::Between => {
            "Die Bedingung ist nicht mehr erfüllt, aber der Wert hat die Schwelle noch nicht erreicht, ab der der \
                            Alarm beendet ist."
                .to_owned()
        }
        Remark::Across(gap) => format!(
            "Zwischen {} und {} gab es keine Messwerte: Die Änderung liegt in dieser Zeit.",
            locale.time(gap.from),
            locale.time(gap.until)
        ),
        Remark::Unread { last_reading, failure } => {
            let last = last_reading.map(|at| format!("Der letzte Messwert ist vom {}. ", locale.time(at)));
            format!("{}{}", last.unwrap_or_default(), self::failure(failure.as_ref(), locale))
        }
    })
}

fn ended(resolution: Resolution, accepted_by: &AcceptedBy) -> Option<String> {
    let text = match (resolution, accepted_by) {
        (Resolution::Recovered, _) => return None,
        (Resolution::Accepted, AcceptedBy::Time) => {
            "Der Verlust wurde als neues Niveau akzeptiert, weil die Frist `accept_after` der Regel abgelaufen ist."
        }
        (Resolution::Accepted, AcceptedBy::Person(Some(name))) => {
            return Some(format!("Der Verlust wurde von {name} als neues Niveau akzeptiert."));
        }
        (Resolution::Accepted, AcceptedBy::Person(None)) => {
            "Der Verlust wurde von einer Person als neues Niveau akzeptiert."
        }
        (Resolution::Accepted, AcceptedBy::Evidence) => {
            "Der Verlust wurde als neues Niveau akzeptiert, weil Microsoft die Bewertung geändert hat."
        }
        (Resolution::RuleChanged, _) => {
            "Die Regel wurde in der Konfiguration geändert; nach ihrem neuen Text ist die Bedingung nicht erfüllt."
        }
        (Resolution::RuleRemoved, _) => {
            "Die Regel wurde aus der Konfiguration entfernt oder gilt nicht mehr für diesen Mandanten."
        }
        (Resolution::TenantRemoved, _) => "Der Mandant wurde aus der Konfiguration entfernt.",
        (Resolution::SubjectRemoved, _) => {
            "Die Bewertung wird nicht mehr abgefragt, oder ihre Gruppe oder Kategorie gibt es nicht mehr."
        }
    };
    Some(text.to_owned())
}

fn failure(failure: Option<&Failure>, locale: &Locale) -> String {
    let Some(Failure { since, class, spread, hint }) = failure else {
        return "Die Prüfungen sind erfolgreich, aber die Quelle liefert keine neuen Daten.".to_owned();
    };
    let words = capitalized(&GERMAN.reason.class_named(class));
    let mut reason = format!("Seit {} schlagen die Prüfungen fehl: {words} ({class}).", locale.time(*since));
    reason.extend(spread.map(|spread| {
        further(match spread {
            Spread::Outage => "Das ist eine Störung; nicht nur dieser Mandant ist betroffen",
            Spread::Shared => "Nicht nur dieser Mandant ist betroffen",
        })
    }));
    reason.extend(hint.as_deref().map(|hint| further(&GERMAN.reason.hint_for(class, hint))));
    reason
}

fn change(change: &CauseChange) -> String {
    match change {
        CauseChange::Deprecated => "von Microsoft als veraltet eingestuft".to_owned(),
        CauseChange::SetTo { state } => format!("von einer Person auf `{state}` gesetzt"),
        CauseChange::Reweighted { now, before } => {
            format!("jetzt {} wert, zuvor {}", GERMAN.worth(*now), GERMAN.number(*before))
        }
        CauseChange::New => "neu".to_owned(),
        CauseChange::ExceptionRemoved => "eine Ausnahme wurde aufgehoben".to_owned(),
        CauseChange::ExceptionMade => "eine Ausnahme wurde festgelegt".to_owned(),
        CauseChange::MoreExposed { devices: 1 } => "1 gefährdetes Gerät mehr als zuvor".to_owned(),
        CauseChange::MoreExposed { devices } => format!("{devices} gefährdete Geräte mehr als zuvor"),
        CauseChange::MoreDevices { devices: 1 } => "betrifft 1 Gerät mehr als zuvor".to_owned(),
        CauseChange::MoreDevices { devices } => format!("betrifft {devices} Geräte mehr als zuvor"),
    }
}

fn why(why: &Why) -> String {
    match why {
        Why::Records { from, .. } => {
            let mut clauses = records(why);
            if clauses.is_empty() {
                clauses.push("keine Maßnahme hat sich geändert".to_owned());
            } else if why.is_fall_without_loss() {
                clauses.push("keine Maßnahme des Mandanten hat Punkte verloren".to_owned());
            }
            format!("Seit dem Stand vom {}: {}.", GERMAN.day(*from), clauses.join("; "))
        }
        Why::Recommendations { shown, since, is_part, is_complete } => {
            let day = since.map(|at| GERMAN.day(at)).unwrap_or_default();
            let largest = "die mit der größten Auswirkung können beigetragen haben";
            let what = match shown {
                Shown::Nothing => "Defender nennt keine Empfehlung, die in dieser Bewertung zählt".to_owned(),
                Shown::Changed(1) => {
                    format!("1 Empfehlung hat sich seit dem letzten Abruf am {day} verschlechtert")
                }
                Shown::Changed(count) => {
                    format!("{count} Empfehlungen haben sich seit dem letzten Abruf am {day} verschlechtert")
                }
                Shown::Unchanged => {
                    format!("Keine Empfehlung hat sich seit dem letzten Abruf am {day} verschlechtert; {largest}")
                }
                Shown::NoEarlierList => {
                    format!("Es gibt keine frühere Liste der Empfehlungen zum Vergleich; {largest}")
                }
            };
            let of_all = if *is_part { ". Sie gelten für den ganzen Mandanten" } else { "" };
            let cut = if *is_complete { "" } else { ". Nur ein Teil der Liste wurde abgerufen" };
            format!("{what}{of_all}{cut}.")
        }
        Why::NoEarlierRecord => "Es gibt keinen früheren Stand zum Vergleich.".to_owned(),
        Why::NoRecord { day } => {
            format!("Microsoft liefert den Stand vom {} nicht, der zum Vergleich nötig ist.", GERMAN.day(*day))
        }
        Why::TooSlow => {
            "Die Ursache konnte nicht ermittelt werden: Microsoft hat nicht rechtzeitig geantwortet.".to_owned()
        }
        Why::Stopping => "Die Ursache wurde nicht ermittelt: Der Dienst wurde gerade beendet.".to_owned(),
        Why::RoleMissing { role } => format!(
            "Die Ursache ist nicht bekannt: Erteilen Sie der App mit Zustimmung eines Administrators die Rolle `{role}` von \
             WindowsDefenderATP, um sie zu sehen."
        ),
        Why::Failed { what } => format!("Die Ursache konnte nicht ermittelt werden: {what}."),
    }
}

/// One clause for each part of a change that the numbers show.
fn records(why: &Why) -> Vec<String> {
    let Why::Records { maximum, parts, products, added, is_explained, .. } = why else { return Vec::new() };
    let clause = |part: &Part| {
        let is_one = part.controls == 1;
        let controls = if is_one { "1 Maßnahme".to_owned() } else { format!("{} Maßnahmen", part.controls) };
        let either = |one: &'static str, other: &'static str| if is_one { one } else { other };
        let points = GERMAN.worth(part.points);
        let effect = if part.points < 0.0 { format!("{points} gekostet") } else { format!("{points} gebracht") };
        Some(match part.kind {
            CauseKind::Lost => format!("{controls} des Mandanten {} {points} verloren", either("hat", "haben")),
            CauseKind::Improved => format!("{controls} {} {points} gewonnen", either("hat", "haben")),
            CauseKind::Accounting => {
                format!(
                    "Personen des Mandanten haben geändert, wie {controls} {}; das hat {effect}",
                    either("zählt", "zählen")
                )
            }
            CauseKind::Added => {
                let worth = |added| {
                    format!(
                        "{controls} im Wert von {}",
                        GERMAN.with_noun(&crate::rule::display::number(added), super::noun("Punkt", "Punkten"),)
                    )
                };
                let new = added.map_or_else(|| controls.clone(), worth);
                match products {
                    Some((false, _)) => format!("Microsoft hat {new} hinzugefügt"),
                    Some((true, _)) => format!("{new} {} mit einem neuen Produkt hinzu", either("kam", "kamen")),
                    None => {
                        format!("{new} {} durch Microsoft oder mit einem neuen Produkt hinzu", either("kam", "kamen"))
                    }
                }
            }
            CauseKind::Retired => {
                let that_gave = format!("{controls}, die {points} {},", either("brachte", "brachten"));
                match products {
                    Some((_, false)) => format!("Microsoft hat {that_gave} zurückgezogen"),
                    Some((_, true)) => format!("{that_gave} {} mit einem Produkt weg", either("fiel", "fielen")),
                    None => format!(
                        "{that_gave} {} von Microsoft zurückgezogen oder {} mit einem Produkt weg",
                        either("wurde", "wurden"),
                        either("fiel", "fielen")
                    ),
                }
            }
            CauseKind::Reweighted => format!(
                "Microsoft hat geändert, wie viele Punkte {controls} {}; das hat {effect}",
                either("bringt", "bringen")
            ),
            CauseKind::Moved => {
                format!("{controls} {} die Kategorie gewechselt; das hat {effect}", either("hat", "haben"))
            }
            CauseKind::Maximum if *is_explained => return None,
            CauseKind::Maximum => {
                let (before, after) = *maximum;
                let way = if after > before { "gestiegen" } else { "gesunken" };
                let (before, after) = (GERMAN.number(before), GERMAN.number(after));
                format!("die Höchstpunktzahl ist von {before} auf {after} Punkte {way}")
            }
            CauseKind::Unexplained => {
                let way = if part.points < 0.0 { "weniger" } else { "mehr" };
                format!("{points} {way}, die sich durch die Maßnahmen nicht erklären lassen")
            }
            CauseKind::Likely => return None,
        })
    };
    parts.iter().filter_map(clause).collect()
}

fn class(class: FailureClass) -> &'static str {
    use FailureClass as Class;
    match class {
        Class::SecretUnreadable => "die Anmeldeinformationen der App können auf diesem Rechner nicht gelesen werden",
        Class::SecretWrong => "Entra kennt den geheimen Clientschlüssel nicht",
        Class::SecretExpired => "die Anmeldeinformationen der App sind abgelaufen",
        Class::CertificateUnknown => "Entra kennt das Zertifikat nicht",
        Class::FederationUnmatched => "die App vertraut dem Verbundtoken nicht",
        Class::ClockWrong => "nach der Uhr von Entra ist das hier Signierte gerade nicht gültig",
        Class::ConsentMissing => "der Mandant hat der App nicht zugestimmt oder seine Zustimmung zurückgezogen",
        Class::AppDisabled => "der Mandant hat die App deaktiviert",
        Class::TenantNotFound => "diesen Mandanten gibt es in dieser Cloud nicht",
        Class::NotOnboarded => "der Mandant hat die API nicht, die diese Bewertung liefert",
        Class::RoleMissing => "der App fehlt die Rolle, die für die Bewertung nötig ist",
        Class::LicenceMissing => "der Mandant hat keine aktive Lizenz für die Bewertung",
        Class::PolicyBlocked => "eine Richtlinie des Mandanten blockiert die Anmeldung",
        Class::ProxyRestricts => "ein Proxy auf unserer Seite blockiert die Anmeldung",
        Class::TenantBlocked => "Entra sperrt den Mandanten oder drosselt ihn für lange Zeit",
        Class::ConfigurationWrong => "die Konfiguration verlangt etwas, das Microsoft nicht annimmt",
        Class::Throttled => "Microsoft drosselt unsere Anfragen",
        Class::Unreachable => "Microsoft ist von diesem Rechner aus nicht erreichbar",
        Class::MicrosoftDown => "der Dienst von Microsoft ist gestört oder antwortet nicht rechtzeitig",
        Class::TokenRefused => "die API lehnt ein frisches Token ab",
        Class::Garbage => "die Antworten von Microsoft sind unverständlich",
        Class::AnswerTooLarge => "die Antworten von Microsoft überschreiten eine Grenze",
        Class::NoData => "die Antwort der Quelle enthält keinen Wert",
        Class::SignInRefused => "Entra lehnt die Anmeldung aus unbekanntem Grund ab",
        Class::CallRefused => "die API lehnt die Abfrage aus unbekanntem Grund ab",
        Class::CheckTimeout => "die Prüfung dauerte zu lange und wurde abgebrochen",
        Class::InternalError => "in Scorewatch selbst ist bei der Prüfung des Mandanten ein Fehler aufgetreten",
    }
}

fn hint(class: FailureClass) -> Option<&'static str> {
    use FailureClass as Class;
    Some(match class {
        Class::SecretUnreadable => {
            "hinterlegen Sie das Geheimnis an der Stelle, auf die `credential:` des Mandanten verweist, lesbar für den Dienst"
        }
        Class::SecretWrong => {
            "hinterlegen Sie den Wert des geheimen Clientschlüssels, nicht seine ID, oder erstellen Sie in der App-Registrierung \
             einen neuen"
        }
        Class::SecretExpired => {
            "erstellen Sie in der App-Registrierung einen neuen geheimen Clientschlüssel und hinterlegen Sie seinen Wert, oder \
             laden Sie dort ein neues Zertifikat hoch"
        }
        Class::CertificateUnknown => {
            "laden Sie das Zertifikat in die App-Registrierung hoch, und prüfen Sie `client_id` und `cloud`"
        }
        Class::FederationUnmatched => {
            "vergleichen Sie Aussteller, Antragsteller und Zielgruppe der Verbundanmeldeinformationen der App Zeichen für Zeichen \
             mit denen des Tokens"
        }
        Class::ClockWrong => {
            "gleichen Sie die Uhr dieses Rechners über NTP ab; ein Verbundtoken muss erneuert werden, bevor es abläuft"
        }
        Class::ConsentMissing => {
            "lassen Sie einen Administrator des Mandanten der App zustimmen, und prüfen Sie `client_id` und `tenant_id`"
        }
        Class::AppDisabled => {
            "bitten Sie den Mandanten, die Unternehmensanwendung wieder zu aktivieren, oder entfernen Sie den Mandanten, wenn er \
             kein Kunde mehr ist"
        }
        Class::TenantNotFound => "prüfen Sie `tenant_id` und `cloud`",
        Class::NotOnboarded => "richten Sie Microsoft Defender für Endpunkt im Mandanten ein, oder prüfen Sie `cloud`",
        Class::RoleMissing => {
            "erteilen Sie der App die Rolle, die für die Bewertung nötig ist, und lassen Sie einen Administrator zustimmen"
        }
        Class::LicenceMissing => {
            "prüfen Sie, ob der Mandant eine aktive Lizenz mit Defender Vulnerability Management hat"
        }
        Class::PolicyBlocked => {
            "bitten Sie den Mandanten, die Absenderadressen dieses Dienstes in seinen Richtlinien für bedingten Zugriff \
             zuzulassen, oder verwenden Sie eine mehrinstanzenfähige App, die davon nicht betroffen ist"
        }
        Class::ProxyRestricts => {
            "lassen Sie am Proxy zwischen diesem Rechner und Entra Anmeldungen bei den Mandanten Ihrer Kunden zu"
        }
        Class::TenantBlocked => {
            "warten Sie ab; hält es einen Tag an, lassen Sie den Administrator des Mandanten einen Fall beim Support von \
             Microsoft eröffnen"
        }
        Class::ConfigurationWrong => "prüfen Sie `client_id`, `credential`, `cloud` und `endpoints` des Mandanten",
        Class::TokenRefused => "prüfen Sie `cloud` und `endpoints` des Mandanten und die Uhr dieses Rechners",
        Class::SignInRefused => {
            "öffnen Sie die Anmeldeprotokolle des Mandanten in Entra, dort steht der Grund; mehr zeigt `scorewatch tenants show \
             ID`"
        }
        Class::Unreachable => "prüfen Sie DNS und Firewall dieses Rechners und `endpoints`, falls gesetzt",
        Class::CallRefused => {
            "melden Sie es dem Support von Microsoft; `scorewatch tenants show ID` zeigt die Korrelations-ID"
        }
        Class::AnswerTooLarge => {
            "sehen Sie nach, welche Grenze überschritten ist (`scorewatch tenants show ID`); die Dokumentation nennt die Grenzen"
        }
        Class::InternalError => "melden Sie diesen Fehler in Scorewatch, mit den Protokollzeilen aus dieser Zeit",
        Class::Throttled | Class::MicrosoftDown | Class::Garbage | Class::NoData | Class::CheckTimeout => return None,
    })
}
