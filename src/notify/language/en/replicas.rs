//! Replicas whose configurations differ, in English.

use crate::notify::language::operator::Said;

pub(super) fn differ(places: &[String]) -> Said {
    let (who, run) = (places.join(", "), if places.len() == 1 { "runs" } else { "run" });
    Said {
        summary: format!("Replicas run different configurations: {who} {run} another one than the replica that leads."),
        headline: Some("Replicas run different configurations".to_owned()),
        detail: Some(format!("{who} {run} another configuration than the replica that leads.")),
        hint: Some(
            "give all of them the same files; `scorewatch replicas` compares them. Until then, alerts of removed rules and tenants are \
             not ended, and changed routes are not put into effect"
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
