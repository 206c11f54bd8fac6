//! Configurations that are rejected, and replicas whose configurations differ, in English.

use crate::notify::{facts::wording::News, language::operator::Said};

pub(super) fn said(news: &News) -> Said {
    match news {
        News::ConfigurationRejected { errors, is_still, first, places } => rejected(*errors, *is_still, first, places),
        News::ConfigurationsDiffer { places } => differ(places),
        News::ConfigurationsAgree => agree(),
        News::VersionsDiffer { places } => versions_differ(places),
        _ => Said {
            summary: "The configuration was corrected and is in force.".to_owned(),
            headline: Some("Configuration corrected and in force".to_owned()),
            ..Said::default()
        },
    }
}

fn rejected(errors: usize, is_still: bool, first: &str, places: &[String]) -> Said {
    let still = if is_still { "is still" } else { "was" };
    let count = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
    let (by, there) =
        if places.is_empty() { (String::new(), "") } else { (format!(" by {}", places.join(", ")), " there") };
    Said {
        summary: format!(
            "The changed configuration {still} rejected{by} ({count}). The old one stays in force{there}."
        ),
        headline: Some(format!("Configuration {still} rejected")),
        detail: Some(if places.is_empty() {
            format!("It has {count}. The old configuration stays in force.")
        } else {
            format!("It {still} rejected{by}, and has {count}. The old configuration stays in force there.")
        }),
        hint: Some(format!(
            "fix {first}; `scorewatch check` lists every error, and a corrected configuration is loaded without a restart. \
             Until then, tenants and channels that it removes are still served"
        )),
    }
}

fn differ(places: &[String]) -> Said {
    let (who, run) = (places.join(", "), if places.len() == 1 { "runs" } else { "run" });
    Said {
        summary: format!("Replicas run different configurations: {who} {run} a different one from the leading replica."),
        headline: Some("Replicas run different configurations".to_owned()),
        detail: Some(format!("{who} {run} a different configuration from the leading replica.")),
        hint: Some(
            "give all of them the same files; `scorewatch replicas` compares them. Until then, some new or renamed tenants are not checked and some \
             new channels not served, alerts of removed rules and tenants are not ended, and changed routes do not take effect"
                .to_owned(),
        ),
    }
}

fn agree() -> Said {
    Said {
        summary: "All replicas run the same configuration again.".to_owned(),
        headline: Some("All replicas run the same configuration".to_owned()),
        ..Said::default()
    }
}

fn versions_differ(places: &[String]) -> Said {
    let (who, run) = (places.join(", "), if places.len() == 1 { "runs" } else { "run" });
    Said {
        summary: format!("Replicas have been running different versions for an hour: {who} {run} a different one from the leading replica."),
        headline: Some("Replicas run different versions".to_owned()),
        detail: Some(format!("{who} {run} a different version from the leading replica, for an hour now.")),
        hint: Some(
            "finish the upgrade, or go back everywhere; `scorewatch replicas` shows each version. Until then, configurations are not compared, alerts \
             of removed rules and tenants are not ended, and changed routes do not take effect"
                .to_owned(),
        ),
    }
}
