use super::*;
use crate::{
    domain::{ChannelName, Language, Timestamp},
    notify::{
        digest,
        facts::wording::{News, OutageCause},
        language::{Locale, in_words},
        notification::OperatorFacts,
    },
    schedule::Zone,
    template::{
        context::{LEVELS, shortened},
        sample,
        words::words,
    },
};

const FIX: &str = "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade";

fn outage(class: &str, cause: OutageCause) -> Notification {
    let mut outage = sample::notification(NotificationType::OperatorBlind, "");
    let named = ["contoso", "fabrikam", "tailspin"].map(str::to_owned).to_vec();
    let news = News::Outage { cause, class: class.to_owned(), count: 38, of: 40, named, before: 0, hint: None };
    let data = &mut outage.data;
    data.operator = Some(OperatorFacts::of(news, class, None));
    (data.tenant, data.score, data.links.fix) = (None, None, Some(FIX.to_owned()));
    data.no_data = Vec::new();
    outage
}

fn without_data(name: &str, class: &str) -> Notification {
    let mut alert = sample::notification(NotificationType::AlertFiring, name);
    if let Some(tenant) = &mut alert.data.tenant {
        name.clone_into(&mut tenant.id);
    }
    alert.data.no_data = vec![sample::no_data(class)];
    alert
}

/// Headline, reason, what to do, lines with their links' titles, all links.
fn read(said: &[Notification], language: Language) -> String {
    let channel = ChannelName::parse("soc").unwrap();
    let digest = digest::of("store", &channel, said, digest::LINES_MAX, Timestamp::EPOCH);
    let locale = Locale { language, zone: Zone::built_in("Europe/Berlin").unwrap() };
    let shown = words(&shortened(&in_words(&digest, &locale), LEVELS[0]), &locale);
    serde_json::to_string_pretty(&shown).unwrap()
}

#[test]
fn an_outage_and_what_follows_from_it_are_one_message_with_cause_step_and_link() {
    let mut said = vec![outage("secret-expired", OutageCause::Credential("7a1c".to_owned()))];
    said.extend((1..=38).map(|number| without_data(&format!("Tenant {number}"), "secret-expired")));
    for (language, wanted) in [
        (Language::En, ["38 of 40 tenants can't be read", "the credential of app 7a1c was rejected"]),
        (Language::De, ["38 von 40 Mandanten", "7a1c"]),
        (Language::Fr, ["38 locataires sur 40", "7a1c"]),
    ] {
        let read = read(&said, language);
        let headline = read.lines().find(|line| line.contains("\"headline\"")).unwrap();
        assert!(headline.contains(wanted[0]), "{read}");
        for part in [wanted[1], FIX, "38 "] {
            assert!(read.contains(part), "{part}: {read}");
        }
        assert!(!read.contains("\"what_to_do\": null"), "{read}");
    }
}

#[test]
fn beside_something_else_the_outage_is_a_line_with_its_cause_step_and_link() {
    let mut said = vec![outage("microsoft-down", OutageCause::Microsoft)];
    said.extend((1..=3).map(|number| without_data(&format!("Tenant {number}"), "unreachable")));
    let alone = read(&said, Language::En);
    assert!(alone.contains("\"headline\": \"38 of 40 tenants can't be read\""), "{alone}");
    said.push(sample::notification(NotificationType::AlertFiring, "Litware"));
    let beside = read(&said, Language::En);
    let line = beside.lines().find(|line| line.contains("38 of 40 tenants can't be read: ")).unwrap();
    assert!(line.contains("(contoso, fabrikam, tailspin and 35 more). Nothing to do here"), "{line}");
    assert!(beside.contains(FIX) && beside.contains("Litware"), "{beside}");
    let other = [outage("secret-expired", OutageCause::Microsoft), without_data("Tenant", "role-missing")];
    assert!(!read(&other, Language::En).contains("\"headline\": \"38 of 40"), "it has a reason of its own");
}

#[test]
fn more_tenants_than_the_outage_has_are_not_all_shown_as_a_consequence_of_it() {
    let of = |tenants: usize| {
        let alerts = (1..=tenants).map(|number| without_data(&format!("Tenant {number}"), "secret-expired"));
        let cause = OutageCause::Credential("7a1c".to_owned());
        let said: Vec<_> = std::iter::once(outage("secret-expired", cause)).chain(alerts).collect();
        read(&said, Language::En)
    };
    for (tenants, is_one) in [(1, true), (37, true), (38, true), (39, false), (200, false)] {
        let read = of(tenants);
        assert_eq!(read.contains("\"headline\": \"38 of 40 tenants can't be read\""), is_one, "{tenants}: {read}");
        assert!(read.contains("the credential of app 7a1c was rejected") && read.contains(FIX), "{tenants}: {read}");
    }
}
