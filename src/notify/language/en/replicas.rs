//! Replicas whose configurations differ, in English.

use crate::notify::language::operator::Said;

pub(super) fn differ(places: &[String]) -> Said {
    let (who, run) = (places.join(", "), if places.len() == 1 { "runs" } else { "run" });
    Said {
        summary: format!("Replicas run different configurations: {who} {run} a different one from the leading replica."),
        headline: Some("Replicas run different configurations".to_owned()),
        detail: Some(format!("{who} {run} a different configuration from the leading replica.")),
        hint: Some(
            "give all of them the same files; `scorewatch replicas` compares them. Until then, some new tenants are not checked and some \
             new channels not served, alerts of removed rules and tenants are not ended, and changed routes do not take effect"
                .to_owned(),
        ),
    }
}

pub(super) fn agree() -> Said {
    Said {
        summary: "All replicas run the same configuration again.".to_owned(),
        headline: Some("All replicas run the same configuration".to_owned()),
        ..Said::default()
    }
}
