//! What other parts of the program say in English, in French.

use crate::domain::Clause;

/// Each clause, with the places of its values.
pub(super) static CLAUSES: [(Clause, &str); Clause::ALL.len()] = [
    (Clause::GrantRole, "accordez à l’application le rôle `{0}` de {1}, avec le consentement d’un administrateur"),
    (
        Clause::CheckGraphLicense,
        "vérifiez que le locataire a une licence Microsoft 365 active avec le score de sécurité",
    ),
    (Clause::CheckCloud, "vérifiez `cloud` et `endpoints`"),
    (
        Clause::FindTenant,
        "vérifiez `tenant_id` et `cloud`\u{a0}; un locataire qui est parti ou n’a pas d’abonnement actif est introuvable \
         lui aussi",
    ),
    (
        Clause::RenewSubscription,
        "demandez à l’administrateur du locataire de renouveler l’abonnement, ou d’activer l’application d’entreprise de \
         l’API",
    ),
    (
        Clause::ReactivateTenant,
        "demandez à l’administrateur du locataire de se connecter et de le réactiver, ou supprimez le locataire s’il est \
         parti",
    ),
    (Clause::SetCloud, "définissez `cloud` sur le cloud où se trouve le locataire"),
    (
        Clause::AskForPolicy,
        "demandez à l’administrateur du locataire quelle stratégie de sécurité refuse l’application\u{a0}; les journaux \
         de connexion d’Entra l’indiquent",
    ),
    (Clause::CheckTenantCloud, "vérifiez `cloud` et `endpoints` du locataire"),
    (
        Clause::RefusePublicClients,
        "dans l’inscription de l’application, sous «\u{a0}Authentification\u{a0}», n’autorisez pas les flux de clients \
         publics",
    ),
    (Clause::FillSecret, "vérifiez que le secret désigné par `credential` n’est pas vide"),
    (
        Clause::LookUpCode,
        "consultez AADSTS{0} sur la page des codes d’erreur de Microsoft\u{a0}; les journaux de connexion du locataire \
         dans Entra en disent plus",
    ),
    (
        Clause::CheckCredentialAndLookUpCode,
        "vérifiez les informations d’identification et le `client_id` de l’application, et consultez AADSTS{0} sur la \
         page des codes d’erreur de Microsoft\u{a0}; les journaux de connexion du locataire dans Entra en disent plus",
    ),
    (Clause::ReportCorrelation, "indiquez l’ID de corrélation {0} au support de Microsoft"),
    (
        Clause::CheckLessOften,
        "vérifiez ce locataire moins souvent\u{a0}: avec un `schedule` aux intervalles plus longs, ou moins de `scores`",
    ),
    (
        Clause::KeepSubjects,
        "{0} compte plus de {1} groupes ou catégories en un jour\u{a0}; les autres ne sont pas surveillés\u{a0}: \
         supprimez des groupes d’appareils, ou conservez leurs noms",
    ),
    (Clause::NotThere, "n’existe pas"),
    (Clause::NotSet, "n’est pas définie"),
    (Clause::Empty, "est vide"),
    (Clause::NotText, "n’est pas un texte UTF-8"),
    (Clause::Utf16, "est un texte UTF-16, comme l’écrit `>` dans Windows PowerShell"),
    (Clause::TooLarge, "dépasse {0} Kio"),
    (Clause::Directory, "n’est pas un fichier, mais un répertoire"),
    (Clause::NoCredentialsFolder, "est introuvable, car CREDENTIALS_DIRECTORY n’est pas définie"),
    (Clause::ClosedFile, "n’est pas lisible par {0}\u{a0}: appartient à {1} et a le mode {2}"),
    (
        Clause::ClosedFolder,
        "n’est pas lisible\u{a0}: {0} ne peut pas entrer dans le répertoire {1}, qui appartient à {2} et a le mode {3}",
    ),
    (Clause::ClosedFolderOfNobody, "n’est pas lisible\u{a0}: {0} ne peut pas entrer dans le répertoire {1}"),
    (Clause::DiskHangs, "n’est pas lisible\u{a0}: le disque n’a pas répondu en {0} s"),
    (
        Clause::CreateFile,
        "créez le fichier, ou corrigez le chemin\u{a0}; un chemin relatif part du répertoire du fichier qui le nomme",
    ),
    (
        Clause::SetVariable,
        "définissez la variable dans l’environnement du service (`EnvironmentFile=` de son unité), et redémarrez-le",
    ),
    (Clause::PutSecret, "placez-y le secret"),
    (Clause::StoreAsText, "enregistrez le secret en texte UTF-8"),
    (Clause::StoreAsUtf8, "enregistrez-le en UTF-8, par exemple avec `Set-Content -Encoding ascii -NoNewline`"),
    (Clause::StoreRightSecret, "placez-y le bon secret"),
    (Clause::CheckReference, "vérifiez que la référence désigne le bon secret"),
    (Clause::KeepInFile, "conservez le secret dans un fichier ordinaire"),
    (
        Clause::AddCredential,
        "ajoutez `LoadCredential={0}:…` à l’unité du service et redémarrez-le\u{a0}; les autres commandes trouvent les \
         fichiers d’une unité avec `--credentials ID:PATH`",
    ),
    (
        Clause::LetRead,
        "laissez {0}, et personne d’autre, lire le fichier\u{a0}: donnez-le-lui avec `chown`, puis `chmod 600`",
    ),
    (Clause::LetEnter, "laissez {0} entrer dans le répertoire\u{a0}: `chmod o+x` ou `setfacl -m u:USER:x`"),
    (Clause::CheckMount, "vérifiez que le système de fichiers est monté et répond"),
    (Clause::CheckDisk, "vérifiez le disque sur lequel il se trouve"),
    (Clause::CheckStore, "vérifiez le coffre de secrets qui le conserve"),
    (Clause::Panicked, "interruption soudaine"),
    (Clause::EndedEarly, "fin prématurée"),
    (Clause::TakenOver, "repris par un autre service{0}"),
    (Clause::NotHeardOf, "sans nouvelles\u{a0}; d’autres ont repris son travail"),
    (Clause::FileMoved, "fichier supprimé ou déplacé"),
    (Clause::FileReplaced, "fichier remplacé par un autre"),
    (Clause::LogMoved, "journal (WAL) supprimé ou déplacé"),
    (Clause::LogReplaced, "journal (WAL) remplacé par un autre"),
    (Clause::Process, "le processus {0} sur {1}"),
];
