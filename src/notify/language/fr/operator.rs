//! Messages to the operator, in French.

use std::time::Duration;

use super::{WORDS as FRENCH, configuration, silence::silenced};
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

pub(super) const WORDS: OperatorWords = OperatorWords { news, nothing_to_do: "rien à faire" };

fn lasted(seconds: u64) -> String {
    FRENCH.duration(Duration::from_secs(seconds), Place::Alone)
}

fn hint_for(class: &str, hint: Option<&String>) -> Option<String> {
    hint.map(|hint| FRENCH.reason.hint_for(class, hint))
}

fn news(news: &News, channel: &str) -> Said {
    match news {
        News::TenantUnread { class, hint, part } => {
            let what = part.as_ref().map_or_else(|| "locataire inaccessible".to_owned(), unread_scores);
            Said { hint: hint_for(class, hint.as_ref()), ..one(&what) }
        }
        News::TenantReadAgain => one("locataire de nouveau accessible"),
        News::TenantUnwatched => one("locataire qui n’est plus surveillé à ce titre"),
        News::Outage { .. } => outage(news),
        News::OutageOver { .. } => outage_over(news),
        News::OutageOfTenant { whole } => {
            let is_over = matches!(whole.as_deref(), Some(News::OutageOver { .. }));
            let whole = whole.as_deref().map(|whole| self::news(whole, channel)).unwrap_or_default();
            Said { summary: if is_over { "a été touché" } else { "inaccessible" }.to_owned(), hint: None, ..whole }
        }
        News::CredentialExpires { what, whose, days } => expires(*what, whose, *days),
        News::CredentialPassedOver { what, whose, error, class, hint } => {
            let error = FRENCH.reason.rejection(class, error);
            let (newest, older) = match what {
                CredentialType::Secret => ("dernière clé secrète client refusée", "une plus ancienne est utilisée"),
                CredentialType::Certificate => ("dernier certificat refusé", "un plus ancien est utilisé"),
                CredentialType::FederatedToken => ("dernier jeton fédéré refusé", "un plus ancien est utilisé"),
            };
            said(
                capitalized(&format!("{newest} pour {}, {older}\u{a0}: {error}.", owner(whose))),
                format!("{newest}, {older}"),
                format!("Concerne {}. Raison\u{a0}: {error}.", owner(whose)),
                hint_for(class, hint.as_ref()),
            )
        }
        News::Downtime { was_suspended, lacked_store, seconds } => {
            let headline = match (*was_suspended, *lacked_store) {
                (_, true) => {
                    format!("Scorewatch n’a pas pu écrire dans sa base de données pendant {}", lasted(*seconds))
                }
                (true, _) => format!("Scorewatch a été suspendu pendant {}", lasted(*seconds)),
                _ => format!("Scorewatch a été arrêté pendant {}", lasted(*seconds)),
            };
            Said {
                summary: format!("{headline}."),
                headline: Some(headline),
                detail: None,
                hint: Some(
                    "rien à faire\u{a0}: les vérifications manquées sont rattrapées une fois, et l’arrêt n’est imputé à aucun locataire"
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
    let counted = FRENCH.counted(scores.len(), FRENCH.scores);
    format!("{counted} sur {of} {} ({})", unread(scores.len()), names_of(scores, FRENCH.score))
}

fn lacks_secret(reason: &str) -> String {
    match unread_secret(reason) {
        Some(why) => format!("un secret est illisible ({})", FRENCH.reason.in_words(why)),
        None => reason.to_owned(),
    }
}

fn of_channel(news: &News, channel: &str) -> Said {
    match news {
        News::ChannelParked { reason, waiting, is_still } => {
            let reason = answered(reason, "a répondu");
            let (verb, kept) = (if *is_still { "refuse toujours" } else { "refuse" }, kept(*waiting));
            said(
                format!("Le canal `{channel}` {verb} tout ce qu’il reçoit ({reason}). {kept}"),
                format!("Le canal {channel} {verb} les messages"),
                format!("{reason}. {kept}"),
                Some(format!(
                    "corrigez le destinataire ou son URL\u{a0}; une URL modifiée est essayée aussitôt, et la file d’attente aussi après \
                     `scorewatch channels unpark {channel}`"
                )),
            )
        }
        News::ChannelLacksSecret { reason, waiting } => said(
            format!("Le canal `{channel}` est inutilisable\u{a0}: {}. {}", lacks_secret(reason), kept(*waiting)),
            format!("Le canal {channel} est inutilisable"),
            format!("{}. {}", capitalized(&lacks_secret(reason)), kept(*waiting)),
            Some(
                "placez-y le secret, lisible par le service\u{a0}; le canal reprend alors sans redémarrage".to_owned(),
            ),
        ),
        News::ChannelFailing { error } => {
            let kept = "Sa file d’attente est conservée et réessayée.";
            said(
                format!("Le canal `{channel}` est injoignable ({error}). {kept}"),
                format!("Le canal {channel} est injoignable"),
                format!("{error}. {kept}"),
                Some(
                    "vérifiez que son destinataire fonctionne\u{a0}; rien n’est perdu pendant la durée `retry.give_up`"
                        .to_owned(),
                ),
            )
        }
        News::ChannelWorksAgain => said(
            format!("Le canal `{channel}` accepte de nouveau les messages. Ce qui manque est en cours d’envoi."),
            format!("Le canal {channel} accepte de nouveau les messages"),
            "Ce qui manque est en cours d’envoi.".to_owned(),
            None,
        ),
        _ => of_queue(news, channel),
    }
}

/// What has not arrived on a channel, or can't be sent.
fn of_queue(news: &News, channel: &str) -> Said {
    match news {
        News::ChannelUnproven { was_proven, by_people } => {
            let shown = if *was_proven { "n’a pas montré depuis longtemps" } else { "n’a jamais montré" };
            let confirmed =
                if *by_people { "aucun exercice n’a été confirmé" } else { "aucun message n’a été accepté" };
            said(
                format!("Le canal `{channel}` {shown} que ses messages arrivent\u{a0}: {confirmed}."),
                format!("Canal {channel}\u{a0}: {confirmed}"),
                format!("Il {shown} que ses messages arrivent."),
                Some(format!(
                    "exécutez `scorewatch channels drill {channel}`\u{a0}; si l’exercice n’arrive pas, corrigez le destinataire ou son \
                     URL, et s’il arrive, appuyez sur son bouton"
                )),
            )
        }
        News::DeadLetters { count, cause, first } => {
            let (messages, could, kept) = if *count < 2 {
                (format!("{count} message"), "n’a pas pu être remis", "Il est conservé comme message non remis.")
            } else {
                (format!("{count} messages"), "n’ont pas pu être remis", "Ils sont conservés comme messages non remis.")
            };
            said(
                format!("{messages} {could} au canal `{channel}`\u{a0}: {cause}. {kept}"),
                format!("{messages} non remis au canal {channel}"),
                format!("Raison\u{a0}: {cause}. {kept}"),
                Some(format!(
                    "corrigez la cause, puis exécutez `scorewatch deliveries resend {first}`\u{a0}; `scorewatch deliveries list --state \
                     dead` les affiche tous"
                )),
            )
        }
        News::SecretsUnreadable { error, hint } => said(
            format!(
                "Le canal `{channel}` est inutilisable\u{a0}: {}. Ses messages restent en attente.",
                lacks_secret(error)
            ),
            format!("Le canal {channel} est inutilisable"),
            format!("{}. Ses messages restent en attente.", capitalized(&lacks_secret(error))),
            Some(format!("{}\u{a0}; le canal reprend alors sans redémarrage", FRENCH.reason.in_words(hint))),
        ),
        News::SecretsReadable => said(
            format!(
                "Le canal `{channel}` est de nouveau utilisable\u{a0}: ses secrets sont lisibles. Ce qui attendait est en cours d’envoi."
            ),
            format!("Le canal {channel} est de nouveau utilisable"),
            "Ses secrets sont lisibles. Ce qui attendait est en cours d’envoi.".to_owned(),
            None,
        ),
        _ => Said::default(),
    }
}

fn kept(waiting: u64) -> String {
    match waiting {
        0 => "Sa file d’attente est conservée.".to_owned(),
        1 => "Sa file d’attente est conservée\u{a0}; 1 message attend.".to_owned(),
        _ => format!("Sa file d’attente est conservée\u{a0}; {waiting} messages attendent."),
    }
}

fn fault(news: &News) -> Said {
    let report = "signalez ce bogue de Scorewatch, avec les lignes du journal qui l’entourent".to_owned();
    match news {
        News::TaskFailed { task } => said(
            format!("Une tâche de Scorewatch a échoué (`{task}` s’est interrompue). Elle a été relancée."),
            "Une tâche de Scorewatch a échoué".to_owned(),
            format!("`{task}` s’est interrompue. Elle a été relancée."),
            Some(report),
        ),
        News::PartFailed { task, error } => {
            let error = FRENCH.reason.in_words(error);
            said(
                format!("Scorewatch s’est arrêté parce que sa partie `{task}` a échoué ({error})."),
                "Scorewatch s’est arrêté à cause d’une erreur".to_owned(),
                format!("Sa partie `{task}` a échoué ({error})."),
                Some(report),
            )
        }
        News::StoreFileGone { what } => {
            let what = FRENCH.reason.in_words(what);
            let detail = format!(
                "Le fichier de la base de données n’est plus à sa place ({what}). Tout ce qui est enregistré désormais sera perdu au \
                 redémarrage de Scorewatch."
            );
            said(
                detail.clone(),
                "Le fichier de la base de données a disparu".to_owned(),
                detail,
                Some(
                    "arrêtez Scorewatch, restaurez le fichier ou une sauvegarde, puis redémarrez Scorewatch".to_owned(),
                ),
            )
        }
        _ => Said::default(),
    }
}

/// The name of a credential, and whether it is feminine.
const fn credential(what: CredentialType) -> (&'static str, bool) {
    match what {
        CredentialType::Secret => ("clé secrète client", true),
        CredentialType::Certificate => ("certificat", false),
        CredentialType::FederatedToken => ("jeton fédéré", false),
    }
}

fn owner(whose: &Whose) -> String {
    match whose {
        Whose::Tenant(id) => format!("le locataire {id}"),
        Whose::App { client_id, tenants } => {
            format!("l’application {client_id}, {}", FRENCH.counted(*tenants, FRENCH.tenants))
        }
    }
}

fn expires(what: CredentialType, whose: &Whose, days: u32) -> Said {
    let (credential, is_feminine) = credential(what);
    let article = if is_feminine { "La" } else { "Le" };
    let verb = match days {
        0 if is_feminine => "expirée".to_owned(),
        0 => "expiré".to_owned(),
        1 => "expire dans moins d’un jour".to_owned(),
        days => format!("expire dans moins de {days} jours"),
    };
    let hint = match what {
        CredentialType::Certificate => {
            "créez un nouveau certificat, chargez-le dans l’inscription de l’application, et placez-le avec sa clé dans le fichier"
        }
        CredentialType::FederatedToken => {
            "faites renouveler le jeton par le fournisseur d’identité qui l’émet, et mettez à jour `expires:`"
        }
        CredentialType::Secret => {
            "créez une nouvelle clé secrète dans l’inscription de l’application, enregistrez-la là où la configuration la désigne, et \
             mettez `expires:` à jour"
        }
    };
    let of = if matches!(whose, Whose::App { .. }) { " d’une application" } else { "" };
    Said {
        summary: format!("{article} {credential} {} ({}).", if days == 0 { "a expiré" } else { &verb }, owner(whose)),
        headline: Some(format!("{credential}{of} {verb}")),
        detail: matches!(whose, Whose::App { .. }).then(|| format!("{}.", capitalized(&owner(whose)))),
        hint: Some(hint.to_owned()),
    }
}

fn names(named: &[String], count: usize) -> String {
    match count.saturating_sub(named.len()) {
        0 => named.join(", "),
        more => (FRENCH.line.names_and)(&named.join(", "), more),
    }
}

fn unread(count: usize) -> &'static str {
    if count < 2 { "inaccessible" } else { "inaccessibles" }
}

fn outage(news: &News) -> Said {
    let News::Outage { cause, class, count, of, named, before, hint } = news else { return Said::default() };
    let known = FailureClass::from_name(class);
    let words = known.map_or("les vérifications échouent", FRENCH.reason.class);
    let why = match cause {
        OutageCause::UnreadableCredential(app) => {
            format!("les informations d’identification de l’application {app} sont illisibles sur cet ordinateur")
        }
        OutageCause::Credential(app) => {
            format!("les informations d’identification de l’application {app} ont été refusées ({words})")
        }
        OutageCause::App(app) => format!("l’application {app} a été refusée ({words})"),
        OutageCause::Microsoft | OutageCause::Clock | OutageCause::Proxy => words.to_owned(),
    };
    let (in_addition, also) = match before {
        0 => (String::new(), String::new()),
        1 => (", en plus de 1 déjà signalé".to_owned(), " 1 autre locataire avait déjà été signalé.".to_owned()),
        before => (
            format!(", en plus de {before} déjà signalés"),
            format!(" {before} autres locataires avaient déjà été signalés."),
        ),
    };
    let headline = format!("{} sur {of} {}", FRENCH.counted(*count, FRENCH.tenants), unread(*count));
    let class_hint = known.and_then(FRENCH.reason.hint);
    let hint = hint_for(class, hint.as_ref()).unwrap_or_else(|| {
        class_hint
            .unwrap_or(match (cause, known) {
                (OutageCause::Microsoft, Some(FailureClass::Throttled)) => {
                    "rien à faire\u{a0}: les vérifications continuent\u{a0}; si cela se reproduit, augmentez `spread` ou réduisez \
                     `concurrency`"
                }
                _ => {
                    "rien à faire\u{a0}: les vérifications continuent, et vous serez averti quand ce sera terminé\u{a0}; Microsoft signale \
                     ses pannes sur status.cloud.microsoft"
                }
            })
            .to_owned()
    });
    said(
        format!("{headline}\u{a0}: {why} ({}{in_addition})", names(named, *count)),
        headline,
        format!("Cause\u{a0}: {why}.{also}"),
        Some(hint),
    )
}

fn outage_over(news: &News) -> Said {
    let News::OutageOver { cause, count, named, left, seconds } = news else { return Said::default() };
    let (what, was) = match cause {
        OutageCause::Credential(app) | OutageCause::UnreadableCredential(app) => (
            format!("les informations d’identification de l’application {app} sont de nouveau acceptées"),
            format!("les informations d’identification de l’application {app} étaient refusées"),
        ),
        OutageCause::App(app) => {
            (format!("l’application {app} est de nouveau acceptée"), format!("l’application {app} était refusée"))
        }
        OutageCause::Clock => (
            "l’horloge de cet ordinateur est de nouveau à l’heure".to_owned(),
            "l’horloge de cet ordinateur n’était pas à l’heure".to_owned(),
        ),
        OutageCause::Proxy => (
            "le proxy autorise de nouveau les connexions".to_owned(),
            "un proxy de notre côté bloquait les connexions".to_owned(),
        ),
        OutageCause::Microsoft => {
            ("Microsoft est de nouveau accessible".to_owned(), "Microsoft n’était pas accessible".to_owned())
        }
    };
    let still = match left {
        0 => None,
        1 => Some("1 d’entre eux reste inaccessible et sera signalé à part si cela continue".to_owned()),
        left => Some(format!("{left} d’entre eux restent inaccessibles et seront signalés à part si cela continue")),
    };
    let (left, remaining) = match still {
        Some(still) => (format!("\u{a0}; {still}"), format!(" {still}.")),
        None => (String::new(), String::new()),
    };
    let (tenants, lasted) = (FRENCH.counted(*count, FRENCH.tenants), lasted(*seconds));
    let readable = if *count < 2 { "accessible" } else { "accessibles" };
    said(
        format!(
            "{} après {lasted}\u{a0}; {tenants} {} ({}){left}.",
            capitalized(&what),
            unread(*count),
            names(named, *count)
        ),
        format!("{tenants} de nouveau {readable} après {lasted}"),
        format!("Cause\u{a0}: {was}.{remaining}"),
        None,
    )
}
