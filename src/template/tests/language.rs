//! Every kind of message in every language: nothing of it is left in English, and nothing is cut that need not be.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{HEADLINE_CHARACTERS_MAX, LEVELS, realistic, sample, shortened, summary, words};
use crate::{
    domain::{Better, Clause, FailureClass, Language, ScoreKind},
    notify::{
        Notification, NotificationType,
        facts::wording::{Failure, News, Remark},
        language::{Locale, in_words},
        notification::{AlertFacts, Facts, OperatorFacts},
    },
    schedule::Zone,
    template::{phrases::Numbers, words::plain},
};

fn locale(language: Language) -> Locale {
    Locale { language, zone: Zone::built_in("Europe/Berlin").unwrap() }
}

/// As a reader of that language gets it: the report on a month has the language of its tenant.
fn for_reader(notification: &Notification, locale: &Locale) -> Notification {
    let mut shown = in_words(notification, locale);
    if let Some(month) = shown.data.month.as_mut() {
        month.language = locale.language;
    }
    shown
}

/// What a message says, without what is the same in every language: links, colors, signs.
fn said(notification: &Notification, language: Language) -> Vec<String> {
    fn gather(value: &Value, key: &str, found: &mut Vec<String>) {
        match value {
            Value::String(text) if !["key", "color", "emoji", "hex", "url", "language"].contains(&key) => {
                found.push(text.clone());
            }
            Value::Array(items) => items.iter().for_each(|item| gather(item, key, found)),
            Value::Object(fields) => fields.iter().for_each(|(key, value)| gather(value, key, found)),
            _ => {}
        }
    }
    let locale = locale(language);
    let shown = words(&shortened(&for_reader(notification, &locale), LEVELS[0]), &locale);
    let mut found = Vec::new();
    gather(&serde_json::to_value(&shown).unwrap(), "", &mut found);
    found
}

/// What is not ours to say: names, titles of Microsoft's, what failed, what a rule's author wrote.
const OUTSIDE: [&str; 26] = [
    // Of `check`, which speaks English.
    "(did you mean `color`?)",
    "scorewatch deliveries show",
    "Contoso Ltd",
    "VanArsdel",
    "Alpine Ski House Holding GmbH & Co. KG, Garmisch-Partenkirchen",
    "Workstations of the head office",
    "Workstations of the head of",
    "Workstations of the head",
    "Workstations of the",
    "Workstations of",
    "Workstations",
    "Block Office applications from creating child processes",
    "Update Microsoft Defender definitions",
    "Devices",
    "Northwind Security",
    "Require MFA for administrators",
    "Block legacy authentication",
    "Turn on Safe Attachments",
    "Enable Safe Links",
    "Okta enforces MFA",
    "Identity",
    "scorewatch.yaml",
    "unknown key",
    "What it is for.",
    "Scorewatch",
    "Megan Bowen",
];
/// Words that the language shares with English.
const SHARED: [(Language, &[&str]); 2] = [
    (Language::De, &["in", "ist", "microsoft", "november", "slack", "test", "url", "app", "was"]),
    (
        Language::Fr,
        &[
            "actions",
            "app",
            "cet",
            "client",
            "configuration",
            "information",
            "maximum",
            "message",
            "messages",
            "microsoft",
            "minutes",
            "point",
            "points",
            "possible",
            "score",
            "slack",
            "test",
            "url",
        ],
    ),
];

/// Words of two letters or more in lower case, without names of keys, rules and classes and without commands.
fn words_of(texts: &[String]) -> BTreeSet<String> {
    let own = |text: &String| {
        let text = OUTSIDE.iter().fold(text.clone(), |text, outside| text.replace(outside, " "));
        text.split('`').step_by(2).collect::<Vec<_>>().join(" ")
    };
    let text = texts.iter().map(own).collect::<Vec<_>>().join(" ");
    let is_word = |word: &&str| {
        word.chars().count() > 1 && word.chars().all(|letter| letter.is_alphabetic() && letter < '\u{370}')
    };
    let split = |letter: char| letter.is_whitespace() || "\u{a0}\u{202f}.,:;()'’·…?".contains(letter);
    text.split(split).filter(is_word).map(str::to_lowercase).collect()
}

#[test]
fn no_english_is_left_in_another_language() {
    let all: Vec<Notification> = sample::all().into_iter().filter(is_ordinary).chain(realistic()).collect();
    let mut left = BTreeSet::new();
    for (language, shared) in SHARED {
        for notification in &all {
            let english = words_of(&said(notification, Language::En));
            let other = words_of(&said(notification, language));
            let both = other.intersection(&english).filter(|word| !shared.contains(&word.as_str()));
            let both = both.filter(|word| !is_identifier(word, notification));
            left.extend(both.map(|word| format!("{} {}: {word}", language.as_str(), notification.kind.as_str())));
        }
    }
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn a_french_colon_has_a_no_break_space_before_it() {
    let all = sample::all().into_iter().filter(is_ordinary).chain(realistic());
    for text in all.flat_map(|notification| said(&notification, Language::Fr)) {
        // A place in a file, as `check` prints it.
        let text = text.replace("scorewatch.yaml:4:1:", "");
        for (at, _) in
            text.match_indices(':').filter(|(at, _)| text[at + 1..].chars().next().is_none_or(char::is_whitespace))
        {
            assert!(text[..at].ends_with('\u{a0}'), "{text}");
        }
    }
}

/// Whether the word is a part of what is called so by a machine.
fn is_identifier(word: &str, notification: &Notification) -> bool {
    let data = serde_json::to_value(&notification.data).unwrap();
    let mut named = Vec::new();
    let mut rest = vec![&data];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(fields) => {
                let is_named = |key: &str| {
                    [
                        "short_id",
                        "class",
                        "id",
                        "apart",
                        "notified_before",
                        "name",
                        "condition",
                        "rule",
                        "channel",
                        "labels",
                    ]
                    .contains(&key)
                };
                named.extend(fields.iter().filter(|(key, _)| is_named(key)).map(|(_, value)| value.to_string()));
                rest.extend(fields.values());
            }
            Value::Array(items) => rest.extend(items),
            _ => {}
        }
    }
    named.iter().any(|name| name.to_lowercase().contains(word))
}

/// Whether each text of the operator's has its value.
fn has_values(facts: &Facts) -> bool {
    facts.operator.as_ref().is_none_or(|operator| operator.news.is_some())
}

/// Whether no hostile text is in it, and no text of an older version.
fn is_ordinary(notification: &Notification) -> bool {
    let text = serde_json::to_string(notification).unwrap();
    !["evil", "{{", "moc.", "\u{5E9}", "<&>", "\\\"\\\\"].iter().any(|hostile| text.contains(hostile))
        && notification.data.tenant.as_ref().is_none_or(|tenant| !tenant.name.is_empty())
        && has_values(&notification.data.facts)
        && notification.data.items.iter().all(|item| has_values(&item.facts))
}

#[test]
fn every_kind_of_message_reads_well_in_every_language() {
    for language in Language::ALL {
        let locale = locale(language);
        let mut texts = Vec::new();
        for kind in sample::TYPES {
            let notification = for_reader(&sample::notification(kind, "Contoso Ltd"), &locale);
            texts.push(format!("## {}", kind.as_str()));
            texts.extend(plain(&shortened(&notification, LEVELS[0]), &locale));
        }
        let without_data = sample::all().into_iter().filter(|sample| {
            let is_alert = sample.kind == NotificationType::AlertFiring;
            is_alert && sample.data.rule.as_ref().is_some_and(|rule| rule.name == "blind")
        });
        for notification in without_data.take(1) {
            texts.push("## no data".to_owned());
            texts.extend(plain(&shortened(&in_words(&notification, &locale), LEVELS[0]), &locale));
        }
        insta::assert_snapshot!(format!("messages_{}", language.as_str()), texts.join("\n"));
    }
}

#[test]
fn headlines_and_buttons_fit_in_every_language() {
    for language in Language::ALL {
        let locale = locale(language);
        for notification in realistic().into_iter().chain(sample::all()).chain(sample::largest_digests()) {
            let shown = words(&shortened(&in_words(&notification, &locale), LEVELS[0]), &locale);
            let shown = serde_json::to_value(&shown).unwrap();
            let line = format!("{} {}", shown["emoji"].as_str().unwrap(), shown["headline"].as_str().unwrap());
            assert!(line.chars().count() <= HEADLINE_CHARACTERS_MAX, "{} characters: {line}", line.chars().count());
            numbers_and_direction_are_said(&notification, &shown, &locale);
            for link in shown["links"].as_array().unwrap() {
                let title = link["title"].as_str().unwrap();
                assert!(title.chars().count() <= 22, "{title}");
            }
        }
    }
}

/// However long the names are, the headline has the numbers, and the message says if a rise is bad news.
fn numbers_and_direction_are_said(notification: &Notification, shown: &Value, locale: &Locale) {
    use NotificationType::{AlertEscalated, AlertFiring, AlertReminder, AlertWorsened};
    let data = &notification.data;
    let is_of_value = [AlertFiring, AlertWorsened, AlertReminder, AlertEscalated].contains(&notification.kind);
    let Some(score) = data.score.as_ref().filter(|_| is_of_value && data.operator.is_none()) else { return };
    let numbers = Numbers::of(data, score, locale.words());
    let Some(value) = numbers.value else { return };
    let headline = shown["headline"].as_str().unwrap();
    assert!(headline.contains(&value), "{value}: {headline}");
    if notification.kind == AlertFiring {
        assert!(numbers.baseline.is_none_or(|baseline| headline.contains(&baseline)), "{headline}");
    }
    if score.kind.better() == Better::Lower {
        let direction = locale.words().alert.higher_is_worse;
        let is_fact = shown["facts"].as_array().unwrap().iter().any(|fact| fact["value"] == direction);
        assert!(is_fact != headline.contains(direction), "said once: {shown}");
    }
}

#[test]
fn an_exposure_score_has_a_short_name_so_that_a_rise_is_said_to_be_bad_in_every_headline() {
    for (language, expected) in [
        (Language::En, "Contoso Ltd: exposure score rose from 20 to 35 (+75%, higher is worse)"),
        (Language::De, "Contoso Ltd: Exposition von 20 auf 35 gestiegen (+75\u{a0}%, höher ist schlechter)"),
        (Language::Fr, "Contoso Ltd\u{a0}: exposition en hausse de 20 à 35 (une hausse est défavorable)"),
    ] {
        let mut notification = sample::notification(NotificationType::AlertFiring, "Contoso Ltd");
        let score = notification.data.score.as_mut().unwrap();
        (score.kind, score.baseline, score.value) = (ScoreKind::ExposureScore, Some(20.0), Some(35.0));
        (score.loss, score.loss_percent) = (Some(15.0), Some(75.0));
        assert_eq!(summary(&notification, &locale(language)).headline, expected);
    }
}

#[test]
fn what_the_operator_is_advised_to_do_is_said_once_in_every_language() {
    let unread = sample::all().into_iter().find_map(|sample| sample.data.alert.as_ref()?.remark.clone());
    for (language, class) in Language::ALL.iter().flat_map(|language| FailureClass::ALL.map(|class| (*language, class)))
    {
        let locale = locale(language);
        let mut notification = sample::notification(NotificationType::OperatorBlind, "Contoso Ltd");
        let hint = class.hint().map(str::to_owned);
        let Some(Remark::Unread { failure: Some(failure), .. }) = unread.clone() else {
            panic!("there is no such sample")
        };
        let failure = Failure { class: class.as_str().to_owned(), hint: hint.clone(), ..failure };
        let remark = Some(Remark::Unread { last_reading: None, failure: Some(failure) });
        let alert = sample::notification(NotificationType::AlertFiring, "Contoso Ltd").data.alert.clone();
        notification.data.alert = alert.map(|alert| AlertFacts { remark, ..alert });
        let news = News::TenantUnread { class: class.as_str().to_owned(), hint, part: None };
        notification.data.operator = Some(OperatorFacts::of(news, class.as_str(), None));
        let text = plain(&shortened(&in_words(&notification, &locale), LEVELS[0]), &locale).join("\n").to_lowercase();
        let Some(hint) = (locale.words().reason.hint)(class) else { continue };
        // Blanks before signs may be of another kind.
        let bare = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(bare(&text).matches(&bare(hint)).count(), 1, "{class}: {text}");
        assert!(bare(&text).contains(&bare((locale.words().reason.class)(class))), "{class}: {text}");
    }
}

#[test]
fn a_code_that_has_to_be_looked_up_is_a_link_and_no_address_in_a_sentence() {
    for clause in [Clause::LookUpCode, Clause::CheckCredentialAndLookUpCode] {
        let hint = clause.with(&["50199", "50199"]);
        let page = Clause::code_page(&hint).unwrap();
        for (language, title, words_of_hint) in [
            (Language::En, "Look up the error code", "look up AADSTS50199 on Microsoft's page"),
            (Language::De, "Fehlercode nachsehen", "schlagen Sie AADSTS50199 auf der Seite von Microsoft"),
            (Language::Fr, "Voir le code d’erreur", "consultez AADSTS50199 sur la page"),
        ] {
            let locale = locale(language);
            let mut notification = sample::notification(NotificationType::OperatorBlind, "Contoso Ltd");
            notification.data.links.fix = Some(page.clone());
            let news = News::TenantUnread { class: "sign-in-refused".to_owned(), hint: Some(hint.clone()), part: None };
            notification.data.operator = Some(OperatorFacts::of(news, "sign-in-refused", None));
            let shown = words(&shortened(&in_words(&notification, &locale), LEVELS[0]), &locale);
            let shown = serde_json::to_value(&shown).unwrap();
            let advice = shown["what_to_do"].as_str().unwrap();
            assert!(advice.to_lowercase().contains(&words_of_hint.to_lowercase()), "{advice}");
            let links = shown["links"].as_array().unwrap();
            assert!(links.iter().any(|link| link["title"] == title && link["url"] == *page), "{links:?}");
            let texts = said(&notification, language).join("\n").to_lowercase();
            assert!(!texts.contains("http"), "{texts}");
        }
    }
}

#[test]
fn what_an_older_version_stored_is_sent_as_it_was_written() {
    for kind in sample::TYPES {
        let mut old = serde_json::to_value(sample::notification(kind, "Contoso Ltd")).unwrap();
        let data = old["data"].as_object_mut().unwrap();
        data.remove("why");
        for (part, key) in [("alert", "remark"), ("operator", "news")] {
            data.get_mut(part).and_then(Value::as_object_mut).map(|part| part.remove(key));
        }
        let old: Notification = serde_json::from_value(old).unwrap();
        let said = in_words(&old, &locale(Language::De));
        assert_eq!(said.data.explanation, old.data.explanation);
        assert_eq!(said.data.operator, old.data.operator);
    }
}

#[test]
fn english_in_utc_is_what_is_stored() {
    let stored = sample::notification(NotificationType::AlertFiring, "Contoso Ltd");
    let said = in_words(&stored, &Locale::default());
    assert_eq!(said.data.explanation, stored.data.explanation);
    assert_eq!(said.data.why, None, "values behind texts are in no message");
}
