//! What may be excluded, and what is said of what has no effect.

use super::{MAIN, RULES, TENANT, read};

#[test]
fn a_mistake_in_an_exclusion_is_reported_at_its_place() {
    for (written, reported) in [
        (
            "[{ controls: [A], reason: r, until: 2027-03-01 }]",
            "exclude[0].tenants: `tenants` is missing; write `tenants: all`",
        ),
        ("[{ controls: [A], tenants: all, until: 2027-03-01 }]", "exclude[0].reason: `reason` is missing"),
        (
            "[{ controls: [A], tenants: all, reason: r }]",
            "exclude[0].until: `until` is missing; write `until: 2027-03-01`",
        ),
        (
            "[{ controls: [], tenants: all, reason: r, until: 2027-03-01 }]",
            "exclude[0].controls: there is no control here",
        ),
        (
            "[{ controls: [scid-2011], tenants: all, reason: r, until: 2027-03-01 }]",
            "exclude[0].controls[0]: `scid-2011` is a recommendation of Defender: its scores are a single value",
        ),
        (
            "[{ controls: [A], tenants: [contosso], reason: r, until: 2027-03-01 }]",
            "exclude[0].tenants[0]: there is no tenant `contosso`; did you mean `contoso`?",
        ),
        (
            "[{ controls: [A], tenants: { tier: tin }, reason: r, until: 2027-03-01 }]",
            "warning[exclusion-covers-nobody]: exclude[0].tenants: no tenant has these labels",
        ),
        (
            "[{ controls: [A], tenants: all, reason: r, until: 2027-03-01 }]",
            "warning[exclusion-without-effect]: exclude[0].controls: the exclusion has no effect",
        ),
    ] {
        let main = MAIN.replace("operator: {", &format!("exclude: {written}\noperator: {{"));
        let (_, text) = read(&main, TENANT, RULES);
        assert!(text.contains(reported), "{written}: {text}");
    }
}

#[test]
fn exclusions_of_the_main_file_and_of_a_tenant_are_read() {
    let scored = MAIN.replace("[device-secure-score]", "[secure-score, device-secure-score]");
    let top =
        "exclude: [{ controls: [scid_9], tenants: { tier: gold }, reason: ' Why. ', until: 2027-03-01 }]\noperator: {";
    let own = format!("{TENANT}\nexclude: [{{ controls: [MFA, MFA], reason: r, until: 2027-04-01 }}]\n");
    let (loaded, text) = read(&scored.replace("operator: {", top), &own, RULES);
    assert!(!text.contains("warning"), "where both scores are polled, it has the effect that it can have: {text}");
    let config = loaded.config.unwrap();
    let now = crate::domain::Timestamp::parse("2027-03-15T00:00:00Z").unwrap();
    let found = config.exclusions.iter().map(|one| (one.controls.len(), one.until_day(), one.reason.to_string()));
    let expected = [(1, "2027-03-01", "Why."), (1, "2027-04-01", "r")];
    assert_eq!(found.collect::<Vec<_>>(), expected.map(|(count, day, why)| (count, day.to_owned(), why.to_owned())));
    let tenant = config.tenants.values().next().unwrap();
    assert_eq!(config.excluded_names(tenant, now), ["MFA".to_owned()].into());
}
