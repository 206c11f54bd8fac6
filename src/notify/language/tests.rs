//! What languages owe their readers: plurals, numbers, dates, and no word of another language.

use std::time::Duration;

use super::*;
use crate::{
    domain::{Clause, FailureClass, ScoreKind, Unit},
    notify::{
        facts::{
            cause::{CauseChange, CauseKind, Part},
            wording::{AcceptedBy, Covered, Failure, Named, News, Remark, Shown, Spread, UnreadPart, Why},
        },
        parking::SECRET_UNREADABLE,
    },
    rule::Resolution,
};

fn locales() -> [Locale; 3] {
    Language::ALL.map(|language| Locale { language, zone: Zone::built_in("Europe/Berlin").unwrap() })
}

#[test]
fn plurals_follow_the_language() {
    let table = [
        (
            "en",
            ["0 alerts", "1 alert", "2 alerts", "12 alerts"],
            ["0 points", "0.5 points", "1 point", "1.5 points", "2 points"],
        ),
        (
            "de",
            ["0 Alarme", "1 Alarm", "2 Alarme", "12 Alarme"],
            ["0 Punkte", "0,5 Punkte", "1 Punkt", "1,5 Punkte", "2 Punkte"],
        ),
        (
            "fr",
            ["0 alerte", "1 alerte", "2 alertes", "12 alertes"],
            ["0 point", "0,5 point", "1 point", "1,5 point", "2 points"],
        ),
    ];
    for (locale, (code, alerts, points)) in locales().iter().zip(table) {
        let words = locale.words();
        assert_eq!(words.code, code);
        assert_eq!([0, 1, 2, 12].map(|count| words.counted(count, words.alerts)), alerts);
        assert_eq!([0.0, 0.5, 1.0, 1.5, -2.0].map(|value| words.worth(value)), points);
    }
}

#[test]
fn numbers_times_and_durations_are_written_as_the_language_writes_them() {
    let winter = Timestamp::parse("2026-11-24T09:15:58.5Z").unwrap();
    let summer = Timestamp::parse("2026-07-01T22:30:00Z").unwrap();
    let table = [
        ("12.5%", "2026-11-24 10:15 CET", "2026-07-02 00:30 CEST", "2026-07-01", "2 days 3 hours", "2 days"),
        ("12,5\u{a0}%", "24.11.2026 10:15 MEZ", "02.07.2026 00:30 MESZ", "01.07.2026", "2 Tagen 3 Stunden", "2 Tagen"),
        (
            "12,5\u{202f}%",
            "24/11/2026 à 10:15 CET",
            "02/07/2026 à 00:30 CEST",
            "01/07/2026",
            "2 jours 3 heures",
            "2 jours",
        ),
    ];
    let lasted = Duration::from_secs(183_661);
    for (locale, (percent, in_winter, in_summer, day, long, short)) in locales().iter().zip(table) {
        let words = locale.words();
        assert_eq!(words.percent("12.5"), percent);
        assert_eq!([locale.time(winter), locale.time(summer)], [in_winter, in_summer]);
        assert_eq!(words.day(summer), day, "Microsoft's days are in UTC");
        assert_eq!(words.duration(lasted, Place::AfterPreposition), long);
        assert_eq!(words.briefly(lasted, Place::AfterPreposition), short);
        assert!(!words.duration(Duration::ZERO, Place::Alone).is_empty());
    }
    assert_eq!(Locale::default().time(winter), "2026-11-24 09:15 UTC");
    let elsewhere = Locale { zone: Zone::built_in("Asia/Dubai").unwrap(), ..Locale::default() };
    assert_eq!(elsewhere.time(winter), "2026-11-24 13:15 +04", "a zone without a name shows its offset");
}

#[test]
fn conditions_are_read_and_said_in_each_language() {
    for (written, german, french) in [
        ("below 49.5", "unter 49,5", "au-dessous de 49,5"),
        ("above 300", "über 300", "au-dessus de 300"),
        ("drop 5% within 24h", "Rückgang um 5\u{a0}% innerhalb von 1 Tag", "baisse de 5\u{202f}% en 1 jour"),
        (
            "rise 1pts within 7d from average",
            "Anstieg um 1 Punkt innerhalb von 7 Tagen gegenüber dem Durchschnitt",
            "hausse de 1 point en 7 jours par rapport à la moyenne",
        ),
        ("no data for 6h", "seit 6 Stunden keine Daten", "aucune donnée depuis 6 heures"),
        ("what a later version writes", "what a later version writes", "what a later version writes"),
    ] {
        let said = Language::ALL.map(|language| Words::of(language).condition(written, None));
        assert_eq!(said, [written, german, french]);
    }
    let said = Language::ALL.map(|language| Words::of(language).condition("below 49.5", Some(Unit::Percent)));
    assert_eq!(said, ["below 49.5%", "unter 49,5\u{a0}%", "au-dessous de 49,5\u{202f}%"]);
}

/// Every reason that there is, in words.
fn reasons(locale: &Locale) -> Vec<String> {
    let words = locale.words();
    let at = Timestamp::parse("2026-11-23T00:00:00Z").unwrap();
    let failure = |spread| Failure {
        since: at,
        class: "secret-expired".to_owned(),
        spread,
        hint: FailureClass::SecretExpired.hint().map(str::to_owned),
    };
    let mut said = Vec::new();
    let ends = [
        Resolution::Accepted,
        Resolution::RuleChanged,
        Resolution::RuleRemoved,
        Resolution::TenantRemoved,
        Resolution::SubjectRemoved,
    ];
    let by =
        [AcceptedBy::Time, AcceptedBy::Person(Some("Anna".to_owned())), AcceptedBy::Person(None), AcceptedBy::Evidence];
    let ended =
        ends.into_iter().flat_map(|resolution| by.clone().map(|accepted_by| Remark::Ended { resolution, accepted_by }));
    let gap = crate::rule::Gap { from: at, until: at };
    let others = [
        Remark::Unstable { changes: 6, within: 86_400, calm: 3_600 },
        Remark::Between,
        Remark::Across(gap),
        Remark::Unread { last_reading: Some(at), failure: Some(failure(Some(Spread::Outage))) },
        Remark::Unread { last_reading: None, failure: Some(failure(Some(Spread::Shared))) },
        Remark::Unread { last_reading: None, failure: None },
    ];
    said.extend(ended.chain(others).filter_map(|remark| (words.reason.remark)(&remark, locale)));
    said.extend(explanations(words, at));
    said.extend(FailureClass::ALL.iter().map(|class| (words.reason.class)(*class).to_owned()));
    said.extend(FailureClass::ALL.iter().filter_map(|class| (words.reason.hint)(*class)).map(str::to_owned));
    said
}

/// Why a score moved, in every way that there is.
fn explanations(words: &Words, at: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    let kinds = [
        CauseKind::Lost,
        CauseKind::Improved,
        CauseKind::Added,
        CauseKind::Retired,
        CauseKind::Reweighted,
        CauseKind::Moved,
        CauseKind::Accounting,
        CauseKind::Maximum,
        CauseKind::Unexplained,
    ];
    for (products, controls, points) in [(None, 1, -1.0), (Some((false, false)), 2, 2.5), (Some((true, true)), 0, -3.0)]
    {
        let part = |kind| Part { kind, points, percent: points, controls };
        let why = |parts| Why::Records {
            from: at,
            maximum: (100.0, 90.0),
            parts,
            products,
            added: Some(4.0),
            is_explained: false,
        };
        said.push((words.reason.why)(&why(kinds.map(part).to_vec()), words));
        said.push((words.reason.why)(&why(vec![part(CauseKind::Retired)]), words));
        said.push((words.reason.why)(&why(Vec::new()), words));
    }
    for shown in [Shown::Nothing, Shown::Changed(1), Shown::Changed(3), Shown::Unchanged, Shown::NoEarlierList] {
        let why = Why::Recommendations { shown, since: Some(at), is_part: true, is_complete: false };
        said.push((words.reason.why)(&why, words));
    }
    let unknown = [
        Why::NoEarlierRecord,
        Why::NoRecord { day: at },
        Why::TooSlow,
        Why::Stopping,
        Why::RoleMissing { role: "R".to_owned() },
        Why::Failed { what: "X".to_owned() },
    ];
    said.extend(unknown.iter().map(|why| (words.reason.why)(why, words)));
    let changes = [
        CauseChange::Deprecated,
        CauseChange::SetTo { state: "ignored".to_owned() },
        CauseChange::Reweighted { now: 9.5, before: 10.0 },
        CauseChange::New,
        CauseChange::ExceptionRemoved,
        CauseChange::ExceptionMade,
        CauseChange::MoreExposed { devices: 1 },
        CauseChange::MoreExposed { devices: 3 },
        CauseChange::MoreDevices { devices: 1 },
        CauseChange::MoreDevices { devices: 3 },
    ];
    said.extend(changes.iter().map(|change| (words.reason.change)(change, words)));
    said
}

#[test]
fn every_reason_reads_well() {
    for locale in locales() {
        insta::assert_snapshot!(format!("reasons_{}", locale.words().code), reasons(&locale).join("\n"));
    }
}

#[test]
fn every_class_with_a_hint_has_one_in_each_language() {
    for class in FailureClass::ALL {
        for locale in locales() {
            let hint = (locale.words().reason.hint)(class);
            assert_eq!(hint.is_some(), class.hint().is_some(), "{class} {}", locale.words().code);
            let shown = class.hint().map(|hint| locale.words().reason.hint_for(class.as_str(), hint));
            assert_eq!(shown.as_deref(), hint);
        }
    }
}

#[test]
fn a_hint_that_is_known_in_english_only_follows_what_its_class_says() {
    let own = "renew the secret in vault a";
    let [english, german, french] =
        Language::ALL.map(|language| Words::of(language).reason.hint_for("secret-wrong", own));
    assert_eq!(english, own);
    for (said, locale) in [(german, &locales()[1]), (french, &locales()[2])] {
        let of_class = (locale.words().reason.hint)(FailureClass::SecretWrong).unwrap();
        assert_eq!(said, format!("{of_class} ({own})"));
    }
    let unknown = Words::of(Language::De).reason.hint_for("class-of-another-version", own);
    assert_eq!(unknown, own);
}

#[test]
fn every_clause_is_said_in_each_language_with_all_of_its_values() {
    let values = ["first", "user scorewatch (uid 998)", "third", "700"];
    for locale in locales() {
        let reason = &locale.words().reason;
        let mut said = Vec::new();
        for clause in Clause::ALL {
            let count = clause.english().matches('{').count();
            let text = reason.in_words(&clause.with(&values[..count]));
            // A message has the page of a code as a link.
            let is_address = |place: &str| place == "{1}" && (reason.clause)(*clause).contains("AADSTS");
            for place in ["{0}", "{1}", "{2}", "{3}"].iter().take(count).filter(|place| !is_address(place)) {
                assert!((reason.clause)(*clause).contains(place), "{clause:?} {}: {place}", locale.words().code);
            }
            assert!(!text.contains("https:") && !text.contains(['{', '}']), "{text}");
            said.push(text);
        }
        said.push(reason.in_words("file /run/secrets/a: b: does not exist"));
        said.push(reason.in_words("what a later version writes: is odd"));
        insta::assert_snapshot!(format!("clauses_{}", locale.words().code), said.join("\n"));
    }
}

#[test]
fn no_language_keeps_a_clause_in_english() {
    for language in [Language::De, Language::Fr] {
        for clause in Clause::ALL {
            assert_ne!((Words::of(language).reason.clause)(*clause), clause.english(), "{clause:?}");
        }
    }
}

#[test]
fn every_word_to_the_operator_reads_well() {
    for locale in locales() {
        let words = locale.words();
        let line = |news: News| {
            let said = (words.operator.news)(&news, "soc");
            let parts = [Some(said.summary), said.headline, said.detail, said.hint];
            parts.into_iter().flatten().collect::<Vec<_>>().join("\n  ")
        };
        let said: Vec<String> =
            news().into_iter().chain(news_of_silences()).chain(news_of_channels()).map(line).collect();
        insta::assert_snapshot!(format!("operator_{}", words.code), said.join("\n"));
    }
}

/// Every message to the operator about a channel.
fn news_of_channels() -> Vec<News> {
    let text = str::to_owned;
    vec![
        News::ChannelParked { reason: text("Slack answered `no_service`"), waiting: 0, is_still: false },
        News::ChannelParked { reason: text("Slack answered `no_service`"), waiting: 3, is_still: true },
        News::ChannelLacksSecret { reason: format!("{SECRET_UNREADABLE}: file x: does not exist"), waiting: 1 },
        News::ChannelFailing { error: text("HTTP 503") },
        News::ChannelWorksAgain,
        News::ChannelUnproven { was_proven: true, by_people: true },
        News::ChannelUnproven { was_proven: false, by_people: false },
        News::DeadLetters { count: 1, cause: text("HTTP 400"), first: 7 },
        News::DeadLetters { count: 4, cause: text("HTTP 400"), first: 7 },
        News::SecretsUnreadable {
            error: format!("{SECRET_UNREADABLE} (file x: does not exist)"),
            hint: format!("file x: {}", Clause::CreateFile.english()),
        },
        News::SecretsReadable,
    ]
}

fn named_of(names: &[&str], more: usize) -> Named {
    Named { names: names.iter().map(|name| (*name).to_owned()).collect(), more }
}

fn silenced(everybody: bool, covers: Covered) -> News {
    News::Silenced { id: 3, author: "ann".to_owned(), everybody, seconds: 7_200, has_page: true, covers }
}

fn news_of_silences() -> [News; 3] {
    [
        silenced(true, Covered::default()),
        silenced(false, Covered { tenants: named_of(&["contoso"], 0), ..Covered::default() }),
        silenced(
            false,
            Covered {
                tenants: named_of(&["contoso", "fabrikam"], 3),
                labels: named_of(&["tier=gold"], 0),
                rules: named_of(&["low", "drop"], 1),
                scores: vec![ScoreKind::SecureScore],
                severities: vec![Severity::Info, Severity::Warning],
            },
        ),
    ]
}

/// Every other one.
fn news() -> Vec<News> {
    use crate::notify::facts::wording::{CredentialType as Type, OutageCause as Cause, Whose};
    let text = str::to_owned;
    let app = || Whose::App { client_id: text("6d2a"), tenants: 12 };
    let unknown_key = || text("scorewatch.yaml:4:1: unknown key `colour`");
    let named = vec![text("contoso"), text("fabrikam")];
    let at = |hosts: &[&str]| hosts.iter().map(|host| format!("pid 812 on {host}")).collect();
    let began = |cause, class: &str, before| News::Outage {
        cause,
        class: text(class),
        count: 29,
        of: 30,
        named: named.clone(),
        before,
        hint: None,
    };
    let over = |cause, left| News::OutageOver { cause, count: 29, named: named.clone(), left, seconds: 10_800 };
    vec![
        News::TenantUnread {
            class: text("secret-wrong"),
            hint: FailureClass::SecretWrong.hint().map(text),
            part: None,
        },
        News::TenantUnread {
            class: text("role-missing"),
            hint: None,
            part: Some(UnreadPart { scores: vec![ScoreKind::ExposureScore, ScoreKind::SecureScore], of: 5 }),
        },
        News::TenantReadAgain,
        News::TenantUnwatched,
        began(Cause::Microsoft, "microsoft-down", 0),
        began(Cause::Microsoft, "throttled", 1),
        began(Cause::UnreadableCredential(text("6d2a")), "secret-unreadable", 2),
        began(Cause::Credential(text("6d2a")), "secret-expired", 0),
        began(Cause::App(text("6d2a")), "consent-missing", 0),
        over(Cause::Microsoft, 0),
        over(Cause::Clock, 1),
        over(Cause::Proxy, 2),
        over(Cause::Credential(text("6d2a")), 0),
        over(Cause::App(text("6d2a")), 0),
        News::OutageOfTenant { whole: Some(Box::new(over(Cause::Microsoft, 0))) },
        News::Downtime { was_suspended: false, lacked_store: false, seconds: 7_200 },
        News::Downtime { was_suspended: true, lacked_store: false, seconds: 60 },
        News::Downtime { was_suspended: false, lacked_store: true, seconds: 7_200 },
        News::CredentialExpires { what: Type::Secret, whose: Whose::Tenant(text("contoso")), days: 14 },
        News::CredentialExpires { what: Type::Certificate, whose: app(), days: 1 },
        News::CredentialExpires { what: Type::FederatedToken, whose: app(), days: 0 },
        News::CredentialPassedOver {
            what: Type::Secret,
            whose: app(),
            error: text("Entra does not know the client secret (AADSTS7000215)"),
            class: text("secret-wrong"),
            hint: FailureClass::SecretWrong.hint().map(text),
        },
        News::ConfigurationRejected { errors: 1, is_still: false, first: unknown_key(), places: Vec::new() },
        News::ConfigurationRejected { errors: 2, is_still: true, first: unknown_key(), places: Vec::new() },
        News::ConfigurationRejected { errors: 1, is_still: false, first: unknown_key(), places: at(&["sw-2"]) },
        News::ConfigurationRejected { errors: 2, is_still: true, first: unknown_key(), places: at(&["sw-2", "sw-3"]) },
        News::ConfigurationAccepted,
        News::ConfigurationsDiffer { places: at(&["sw-2"]) },
        News::ConfigurationsDiffer { places: at(&["sw-2", "sw-3"]) },
        News::ConfigurationsAgree,
        News::VersionsDiffer { places: at(&["sw-2"]) },
        News::VersionsDiffer { places: at(&["sw-2", "sw-3"]) },
        News::TaskFailed { task: text("planner") },
        News::PartFailed { task: text("planner"), error: text("panicked") },
        News::StoreFileGone { what: text("file was deleted or moved") },
    ]
}
