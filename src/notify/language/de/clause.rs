//! What other parts of the program say in English, in German.

use crate::domain::Clause;

/// Each clause, with the places of its values.
pub(super) static CLAUSES: [(Clause, &str); Clause::ALL.len()] = [
    (Clause::GrantRole, "erteilen Sie der App die Rolle `{0}` von {1}, und lassen Sie einen Administrator zustimmen"),
    (
        Clause::CheckGraphLicense,
        "prüfen Sie, ob der Mandant eine aktive Microsoft 365-Lizenz mit der Sicherheitsbewertung hat",
    ),
    (Clause::CheckCloud, "prüfen Sie `cloud` und `endpoints`"),
    (
        Clause::FindTenant,
        "prüfen Sie `tenant_id` und `cloud`; ein Mandant, der kein Kunde mehr ist oder kein aktives Abonnement hat, wird \
         ebenfalls nicht gefunden",
    ),
    (
        Clause::RenewSubscription,
        "lassen Sie den Administrator des Mandanten das Abonnement erneuern oder die Unternehmensanwendung der API \
         aktivieren",
    ),
    (
        Clause::ReactivateTenant,
        "bitten Sie den Administrator des Mandanten, sich anzumelden und ihn zu reaktivieren, oder entfernen Sie den \
         Mandanten, wenn er kein Kunde mehr ist",
    ),
    (Clause::SetCloud, "setzen Sie `cloud` auf die Cloud, in der sich der Mandant befindet"),
    (
        Clause::AskForPolicy,
        "fragen Sie den Administrator des Mandanten, welche Sicherheitsrichtlinie die App abweist; die Anmeldeprotokolle \
         in Entra nennen sie",
    ),
    (Clause::CheckTenantCloud, "prüfen Sie `cloud` und `endpoints` des Mandanten"),
    (
        Clause::RefusePublicClients,
        "lassen Sie in der App-Registrierung unter „Authentifizierung“ keine öffentlichen Clientflows zu",
    ),
    (Clause::FillSecret, "prüfen Sie, ob das Geheimnis, auf das `credential` verweist, leer ist"),
    (
        Clause::LookUpCode,
        "schlagen Sie AADSTS{0} auf der Seite von Microsoft für Fehlercodes nach; mehr steht in den Anmeldeprotokollen \
         des Mandanten in Entra",
    ),
    (
        Clause::CheckCredentialAndLookUpCode,
        "prüfen Sie die Anmeldeinformationen und `client_id` der App, und schlagen Sie AADSTS{0} auf der Seite von \
         Microsoft für Fehlercodes nach; mehr steht in den Anmeldeprotokollen des Mandanten in Entra",
    ),
    (Clause::ReportCorrelation, "nennen Sie dem Support von Microsoft die Korrelations-ID {0}"),
    (
        Clause::CheckLessOften,
        "prüfen Sie diesen Mandanten seltener: mit einem `schedule` mit längeren Abständen oder mit weniger `scores`",
    ),
    (
        Clause::KeepSubjects,
        "{0} hat innerhalb eines Tages mehr als {1} Gruppen oder Kategorien; die übrigen werden nicht überwacht: löschen \
         Sie Gerätegruppen, oder behalten Sie ihre Namen bei",
    ),
    (Clause::NotThere, "existiert nicht"),
    (Clause::NotSet, "ist nicht gesetzt"),
    (Clause::Empty, "ist leer"),
    (Clause::NotText, "ist kein UTF-8-Text"),
    (Clause::Utf16, "ist UTF-16-Text, wie ihn `>` in Windows PowerShell schreibt"),
    (Clause::TooLarge, "ist größer als {0} KiB"),
    (Clause::Directory, "ist keine Datei, sondern ein Verzeichnis"),
    (Clause::NoCredentialsFolder, "kann nicht nachgeschlagen werden, weil CREDENTIALS_DIRECTORY nicht gesetzt ist"),
    (Clause::ClosedFile, "kann von {0} nicht gelesen werden: gehört {1} und hat den Modus {2}"),
    (
        Clause::ClosedFolder,
        "kann nicht gelesen werden: {0} darf das Verzeichnis {1} nicht betreten, das {2} gehört und den Modus {3} hat",
    ),
    (Clause::ClosedFolderOfNobody, "kann nicht gelesen werden: {0} darf das Verzeichnis {1} nicht betreten"),
    (Clause::DiskHangs, "kann nicht gelesen werden: der Datenträger hat nicht innerhalb von {0} s geantwortet"),
    (
        Clause::CreateFile,
        "legen Sie die Datei an, oder berichtigen Sie den Pfad; ein relativer beginnt im Verzeichnis der Datei, die ihn \
         nennt",
    ),
    (
        Clause::SetVariable,
        "setzen Sie die Variable in der Umgebung des Dienstes (`EnvironmentFile=` seiner Unit), und starten Sie ihn neu",
    ),
    (Clause::PutSecret, "hinterlegen Sie dort das Geheimnis"),
    (Clause::StoreAsText, "speichern Sie das Geheimnis als UTF-8-Text"),
    (Clause::StoreAsUtf8, "speichern Sie es als UTF-8, zum Beispiel mit `Set-Content -Encoding ascii -NoNewline`"),
    (Clause::StoreRightSecret, "hinterlegen Sie dort das richtige Geheimnis"),
    (Clause::CheckReference, "prüfen Sie, ob der Verweis das richtige Geheimnis nennt"),
    (Clause::KeepInFile, "bewahren Sie das Geheimnis in einer gewöhnlichen Datei auf"),
    (
        Clause::AddCredential,
        "fügen Sie der Unit des Dienstes `LoadCredential={0}:…` hinzu, und starten Sie ihn neu; andere Befehle finden die \
         Dateien einer Unit mit `--credentials ID:PATH`",
    ),
    (Clause::LetRead, "lassen Sie nur {0} die Datei lesen: übereignen Sie sie mit `chown`, und setzen Sie `chmod 600`"),
    (Clause::LetEnter, "lassen Sie {0} das Verzeichnis betreten: mit `chmod o+x` oder `setfacl -m u:USER:x`"),
    (Clause::CheckMount, "prüfen Sie, ob das Dateisystem eingehängt ist und antwortet"),
    (Clause::CheckDisk, "prüfen Sie den Datenträger, auf dem es liegt"),
    (Clause::CheckStore, "prüfen Sie den Geheimnisspeicher, der es aufbewahrt"),
    (Clause::Panicked, "abgestürzt"),
    (Clause::EndedEarly, "vor der Zeit beendet"),
    (Clause::TakenOver, "von einem anderen Dienst übernommen{0}"),
    (Clause::NotHeardOf, "nicht mehr gemeldet; andere haben die Arbeit übernommen"),
    (Clause::FileMoved, "Datei gelöscht oder verschoben"),
    (Clause::FileReplaced, "Datei durch eine andere ersetzt"),
    (Clause::LogMoved, "Write-Ahead-Log gelöscht oder verschoben"),
    (Clause::LogReplaced, "Write-Ahead-Log durch ein anderes ersetzt"),
    (Clause::Process, "Prozess {0} auf {1}"),
];
