//! Why something happened, in French.

use std::time::Duration;

use super::{WORDS as FRENCH, clause::CLAUSES};
use crate::{
    domain::FailureClass,
    notify::{
        facts::{
            cause::{CauseChange, CauseKind, Part},
            wording::{AcceptedBy, Failure, Remark, Shown, Spread, Why},
        },
        language::{
            Locale, Place,
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
    things: ["fichier ", "variable d’environnement ", "information d’identification systemd ", "l’utilisateur "],
    colon: "\u{a0}: ",
    beside: |of_class, hint| format!("{of_class} ({hint})"),
};

fn remark(remark: &Remark, locale: &Locale) -> Option<String> {
    let lasted = |seconds: u64| FRENCH.duration(Duration::from_secs(seconds), Place::Alone);
    Some(match remark {
        Remark::Ended { resolution, accepted_by } => return ended(*resolution, accepted_by),
        Remark::NoData => return None,
        Remark::Unstable { changes, within, calm } => format!(
            "L’alerte s’est déclenchée puis terminée plus de {changes} fois en {}. Le prochain message viendra quand elle sera stable \
             depuis {}.",
            lasted(*within),
            lasted(*calm)
        ),
        Remark::Between => {
            "La condition n’est plus remplie, mais la valeur n’a pas atteint le seuil à partir duquel l’alerte est terminée."
                .to_owned()
        }
        Remark::Across(gap) => format!(
            "Il n’y a pas eu de relevé entre le {} et le {}\u{a0}: le changement a eu lieu pendant ce temps.",
            locale.time(gap.from),
            locale.time(gap.until)
        ),
        Remark::Unread { last_reading, failure } => {
            let last = last_reading.map(|at| format!("Le dernier relevé date du {}. ", locale.time(at)));
            format!("{}{}", last.unwrap_or_default(), self::failure(failure.as_ref(), locale))
        }
    })
}

fn ended(resolution: Resolution, accepted_by: &AcceptedBy) -> Option<String> {
    let text = match (resolution, accepted_by) {
        (Resolution::Recovered, _) => return None,
        (Resolution::Accepted, AcceptedBy::Time) => {
            "La perte a été acceptée comme nouveau niveau, car le délai `accept_after` de la règle est écoulé."
        }
        (Resolution::Accepted, AcceptedBy::Person(Some(name))) => {
            return Some(format!("La perte a été acceptée comme nouveau niveau par {name}."));
        }
        (Resolution::Accepted, AcceptedBy::Person(None)) => {
            "La perte a été acceptée comme nouveau niveau par une personne."
        }
        (Resolution::Accepted, AcceptedBy::Evidence) => {
            "La perte a été acceptée comme nouveau niveau, car Microsoft a modifié le score."
        }
        (Resolution::RuleChanged, _) => {
            "La règle a été modifiée dans la configuration\u{a0}; selon son nouveau texte, la condition n’est pas remplie."
        }
        (Resolution::RuleRemoved, _) => {
            "La règle a été supprimée de la configuration ou ne s’applique plus à ce locataire."
        }
        (Resolution::TenantRemoved, _) => "Le locataire a été supprimé de la configuration.",
        (Resolution::SubjectRemoved, _) => {
            "Le score n’est plus interrogé, ou son groupe ou sa catégorie n’existe plus."
        }
    };
    Some(text.to_owned())
}

fn failure(failure: Option<&Failure>, locale: &Locale) -> String {
    let Some(Failure { since, class, spread, hint }) = failure else {
        return "Les vérifications réussissent, mais la source ne fournit pas de nouvelles données.".to_owned();
    };
    let words = FRENCH.reason.class_named(class);
    let mut reason = format!("Les vérifications échouent depuis le {}\u{a0}: {words} ({class}).", locale.time(*since));
    reason.extend(spread.map(|spread| {
        further(match spread {
            Spread::Outage => "il s’agit d’une panne\u{a0}; ce locataire n’est pas le seul concerné",
            Spread::Shared => "ce locataire n’est pas le seul concerné",
        })
    }));
    reason.extend(hint.as_deref().map(|hint| further(&FRENCH.reason.hint_for(class, hint))));
    reason
}

fn change(change: &CauseChange) -> String {
    match change {
        CauseChange::Deprecated => "déprécié par Microsoft".to_owned(),
        CauseChange::SetTo { state } => format!("défini sur `{state}` par une personne"),
        CauseChange::Reweighted { now, before } => {
            format!("vaut maintenant {}, contre {} auparavant", FRENCH.worth(*now), FRENCH.number(*before))
        }
        CauseChange::New => "nouvelle".to_owned(),
        CauseChange::ExceptionRemoved => "une exception a été supprimée".to_owned(),
        CauseChange::ExceptionMade => "une exception a été créée".to_owned(),
        CauseChange::MoreExposed { devices: devices @ 0..=1 } => {
            format!("{devices} appareil exposé de plus qu’auparavant")
        }
        CauseChange::MoreExposed { devices } => format!("{devices} appareils exposés de plus qu’auparavant"),
        CauseChange::MoreDevices { devices: devices @ 0..=1 } => {
            format!("concerne {devices} appareil de plus qu’auparavant")
        }
        CauseChange::MoreDevices { devices } => format!("concerne {devices} appareils de plus qu’auparavant"),
    }
}

fn why(why: &Why) -> String {
    match why {
        Why::Records { from, .. } => {
            let mut clauses = records(why);
            if clauses.is_empty() {
                clauses.push("aucun contrôle n’a changé".to_owned());
            } else if why.is_fall_without_loss() {
                clauses.push("aucun contrôle du locataire n’a perdu de points".to_owned());
            }
            format!("Depuis l’enregistrement du {}\u{a0}: {}.", FRENCH.day(*from), clauses.join("\u{a0}; "))
        }
        Why::Recommendations { shown, since, is_part, is_complete } => {
            let day = since.map(|at| FRENCH.day(at)).unwrap_or_default();
            let largest = "celles qui ont le plus d’impact ont pu y contribuer";
            let what = match shown {
                Shown::Nothing => "Defender ne présente aucune recommandation qui compte dans ce score".to_owned(),
                Shown::Changed(count @ 0..=1) => {
                    format!("{count} recommandation s’est dégradée depuis la dernière lecture, le {day}")
                }
                Shown::Changed(count) => {
                    format!("{count} recommandations se sont dégradées depuis la dernière lecture, le {day}")
                }
                Shown::Unchanged => {
                    format!(
                        "Aucune recommandation ne s’est dégradée depuis la dernière lecture, le {day}\u{a0}; {largest}"
                    )
                }
                Shown::NoEarlierList => {
                    format!("Il n’y a pas de liste antérieure des recommandations à comparer\u{a0}; {largest}")
                }
            };
            let of_all = if *is_part { ". Elles portent sur l’ensemble du locataire" } else { "" };
            let cut = if *is_complete { "" } else { ". Seule une partie de la liste a été lue" };
            format!("{what}{of_all}{cut}.")
        }
        Why::NoEarlierRecord => "Il n’y a pas d’enregistrement antérieur à comparer.".to_owned(),
        Why::NoRecord { day } => {
            format!("Microsoft ne fournit pas l’enregistrement du {}, nécessaire à la comparaison.", FRENCH.day(*day))
        }
        Why::TooSlow => "La cause n’a pas pu être recherchée\u{a0}: Microsoft n’a pas répondu à temps.".to_owned(),
        Why::Stopping => {
            "La cause n’a pas été recherchée\u{a0}: le service était sur le point de s’arrêter.".to_owned()
        }
        Why::RoleMissing { role } => format!(
            "La cause n’est pas connue\u{a0}: pour la voir, accordez à l’application le rôle `{role}` de WindowsDefenderATP, avec le \
             consentement d’un administrateur."
        ),
        Why::Failed { what } => format!("La cause n’a pas pu être recherchée\u{a0}: {what}."),
    }
}

/// One clause for each part of a change that the numbers show.
fn records(why: &Why) -> Vec<String> {
    let Why::Records { maximum, parts, products, added, is_explained, .. } = why else { return Vec::new() };
    let clause = |part: &Part| {
        let is_one = part.controls < 2;
        let controls = format!("{} {}", part.controls, if is_one { "contrôle" } else { "contrôles" });
        let either = |one: &'static str, other: &'static str| if is_one { one } else { other };
        let points = FRENCH.worth(part.points);
        let effect = if part.points < 0.0 { format!("a coûté {points}") } else { format!("a rapporté {points}") };
        Some(match part.kind {
            CauseKind::Lost => format!("{controls} du locataire {} perdu {points}", either("a", "ont")),
            CauseKind::Improved => format!("{controls} {} gagné {points}", either("a", "ont")),
            CauseKind::Accounting => format!(
                "des personnes du locataire ont modifié la façon dont {controls} {}, ce qui {effect}",
                either("compte", "comptent")
            ),
            CauseKind::Added => {
                let worth = |added| format!("{controls} d’une valeur de {}", FRENCH.worth(added));
                let new = added.map_or_else(|| controls.clone(), worth);
                match products {
                    Some((false, _)) => format!("Microsoft a ajouté {new}"),
                    Some((true, _)) => {
                        format!("{new} {} avec un nouveau produit", either("est arrivé", "sont arrivés"))
                    }
                    None => format!("{new} {} de Microsoft ou d’un nouveau produit", either("provient", "proviennent")),
                }
            }
            CauseKind::Retired => {
                let that_gave = format!("{controls} qui {} {points}", either("donnait", "donnaient"));
                match products {
                    Some((_, false)) => format!("Microsoft a retiré {that_gave}"),
                    Some((_, true)) => {
                        format!("{that_gave} {} avec un produit", either("a disparu", "ont disparu"))
                    }
                    None => format!(
                        "{that_gave} {} par Microsoft ou {} avec un produit",
                        either("a été retiré", "ont été retirés"),
                        either("a disparu", "ont disparu")
                    ),
                }
            }
            CauseKind::Reweighted => {
                format!("Microsoft a modifié ce que {} {controls}, ce qui {effect}", either("donne", "donnent"))
            }
            CauseKind::Moved => {
                format!("{controls} {} changé de catégorie, ce qui {effect}", either("a", "ont"))
            }
            CauseKind::Maximum if *is_explained => return None,
            CauseKind::Maximum => {
                let (before, after) = *maximum;
                let way = if after > before { "augmenté" } else { "diminué" };
                let (before, after) = (FRENCH.number(before), FRENCH.number(after));
                format!("le maximum a {way} de {before} à {after} points")
            }
            CauseKind::Unexplained => {
                let way = if part.points < 0.0 { "de moins" } else { "de plus" };
                format!("{points} {way} que les contrôles n’expliquent pas")
            }
            CauseKind::Likely => return None,
        })
    };
    parts.iter().filter_map(clause).collect()
}

fn class(class: FailureClass) -> &'static str {
    use FailureClass as Class;
    match class {
        Class::SecretUnreadable => {
            "les informations d’identification de l’application sont illisibles sur cet ordinateur"
        }
        Class::SecretWrong => "Entra ne connaît pas la clé secrète client",
        Class::SecretExpired => "les informations d’identification de l’application ont expiré",
        Class::CertificateUnknown => "Entra ne connaît pas le certificat",
        Class::FederationUnmatched => "l’application ne fait pas confiance au jeton fédéré",
        Class::ClockWrong => "d’après l’horloge d’Entra, ce qui a été signé ici n’est pas valide en ce moment",
        Class::ConsentMissing => "le locataire n’a pas consenti à l’application, ou a retiré son consentement",
        Class::AppDisabled => "le locataire a désactivé l’application",
        Class::TenantNotFound => "ce locataire n’existe pas dans ce cloud",
        Class::NotOnboarded => "le locataire n’a pas l’API qui fournit le score",
        Class::RoleMissing => "l’application n’a pas le rôle nécessaire au score",
        Class::LicenceMissing => "le locataire n’a pas de licence active pour le score",
        Class::PolicyBlocked => "une stratégie du locataire bloque la connexion",
        Class::ProxyRestricts => "un proxy de notre côté bloque la connexion",
        Class::TenantBlocked => "Entra bloque le locataire, ou le limite pour longtemps",
        Class::ConfigurationWrong => "la configuration demande ce que Microsoft n’accepte pas",
        Class::Throttled => "Microsoft limite nos requêtes",
        Class::Unreachable => "Microsoft n’est pas joignable depuis cet ordinateur",
        Class::MicrosoftDown => "le service de Microsoft est en panne, ou ne répond pas à temps",
        Class::TokenRefused => "l’API refuse un jeton récent",
        Class::Garbage => "les réponses de Microsoft sont incompréhensibles",
        Class::AnswerTooLarge => "les réponses de Microsoft dépassent une limite",
        Class::NoData => "la réponse de la source ne contient aucune valeur",
        Class::SignInRefused => "Entra refuse la connexion pour une raison inconnue",
        Class::CallRefused => "l’API refuse l’appel pour une raison inconnue",
        Class::CheckTimeout => "la vérification a duré trop longtemps et a été abandonnée",
        Class::InternalError => "Scorewatch lui-même a échoué en vérifiant le locataire",
    }
}

fn hint(class: FailureClass) -> Option<&'static str> {
    use FailureClass as Class;
    Some(match class {
        Class::SecretUnreadable => {
            "placez le secret là où `credential:` du locataire le désigne, lisible par le service"
        }
        Class::SecretWrong => {
            "enregistrez la valeur de la clé secrète client, et non son ID, ou créez une nouvelle clé dans l’inscription de \
             l’application"
        }
        Class::SecretExpired => {
            "créez une nouvelle clé secrète client dans l’inscription de l’application et enregistrez sa valeur, ou chargez-y un \
             nouveau certificat"
        }
        Class::CertificateUnknown => {
            "chargez le certificat dans l’inscription de l’application, et vérifiez `client_id` et `cloud`"
        }
        Class::FederationUnmatched => {
            "comparez, lettre par lettre, l’émetteur, le sujet et l’audience des informations d’identification fédérées de \
             l’application avec ceux du jeton"
        }
        Class::ClockWrong => {
            "synchronisez l’horloge de cet ordinateur par NTP\u{a0}; un jeton fédéré doit être renouvelé avant d’expirer"
        }
        Class::ConsentMissing => {
            "faites consentir un administrateur du locataire à l’application, et vérifiez `client_id` et `tenant_id`"
        }
        Class::AppDisabled => {
            "demandez au locataire de réactiver l’application d’entreprise, ou supprimez le locataire s’il est parti"
        }
        Class::TenantNotFound => "vérifiez `tenant_id` et `cloud`",
        Class::NotOnboarded => {
            "configurez Microsoft Defender pour point de terminaison chez le locataire, ou vérifiez `cloud`"
        }
        Class::RoleMissing => {
            "accordez à l’application le rôle nécessaire au score, avec le consentement d’un administrateur"
        }
        Class::LicenceMissing => {
            "vérifiez que le locataire a une licence active avec Gestion des vulnérabilités Microsoft Defender"
        }
        Class::PolicyBlocked => {
            "demandez au locataire d’autoriser les adresses de sortie de ce service dans ses stratégies d’accès conditionnel, ou \
             utilisez une application multilocataire, qu’elles ne concernent pas"
        }
        Class::ProxyRestricts => {
            "autorisez, sur le proxy entre cet ordinateur et Entra, les connexions aux locataires de vos clients"
        }
        Class::TenantBlocked => {
            "attendez\u{a0}; si cela dure un jour, faites ouvrir par l’administrateur du locataire un dossier auprès du support de \
             Microsoft"
        }
        Class::ConfigurationWrong => "vérifiez `client_id`, `credential`, `cloud` et `endpoints` du locataire",
        Class::TokenRefused => "vérifiez `cloud` et `endpoints` du locataire, et l’horloge de cet ordinateur",
        Class::SignInRefused => {
            "ouvrez les journaux de connexion du locataire dans Entra, qui disent pourquoi\u{a0}; `scorewatch tenants show ID` en \
             montre plus"
        }
        Class::Unreachable => "vérifiez le DNS et le pare-feu de cet ordinateur, et `endpoints` s’il est défini",
        Class::CallRefused => {
            "signalez-le au support de Microsoft\u{a0}; `scorewatch tenants show ID` montre l’ID de corrélation"
        }
        Class::AnswerTooLarge => {
            "voyez quelle limite est dépassée (`scorewatch tenants show ID`)\u{a0}; la documentation indique les limites"
        }
        Class::InternalError => "signalez ce bogue de Scorewatch, avec les lignes du journal qui l’entourent",
        Class::Throttled | Class::MicrosoftDown | Class::Garbage | Class::NoData | Class::CheckTimeout => return None,
    })
}
