//! What surrounds every page: the navigation, the search box, and who is signed in.

use serde::Serialize;

use crate::{
    domain::{Caller, Origin, Role},
    store::OpenAlert,
    web::app::App,
};

/// A place in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Fleet,
    Alerts,
    Work,
    Deliveries,
    Channels,
    Silences,
    Rules,
    System,
    Audit,
    Nowhere,
}

/// The places in their order.
const PLACES: [(Place, &str, &str); 9] = [
    (Place::Fleet, "/", "Fleet"),
    (Place::Alerts, "/alerts", "Alerts"),
    (Place::Work, "/work", "Work"),
    (Place::Deliveries, "/deliveries", "Deliveries"),
    (Place::Channels, "/channels", "Channels"),
    (Place::Silences, "/silences", "Silences"),
    (Place::Rules, "/rules", "Rules"),
    (Place::System, "/system", "System"),
    (Place::Audit, "/audit", "Audit"),
];

/// What surrounds a page.
#[derive(Debug, Serialize)]
pub(super) struct Chrome {
    title: String,
    places: Vec<Link>,
    caller: String,
    role: &'static str,
    /// Whether there is a session that can be ended.
    is_signed_in: bool,
    version: &'static str,
    zone: String,
    /// What can be seen, as a number that changes with it; streams compare it. `None`: the store could not be read.
    seen: Option<String>,
}

#[derive(Debug, Serialize)]
struct Link {
    path: &'static str,
    name: &'static str,
    is_here: bool,
    count: Option<usize>,
}

impl Chrome {
    pub(super) async fn of(app: &App, caller: &Caller, here: Place, title: &str, seen: Option<u64>) -> Self {
        let firing = app.store.open_alerts().await.unwrap_or_default();
        let is_counted =
            |alert: &&OpenAlert| alert.is_firing && !alert.is_acknowledged && caller.scope.includes(&alert.tenant);
        let firing = firing.iter().filter(is_counted).count();
        let may_audit = caller.may(Role::Admin) && caller.scope.is_all();
        let link = |(place, path, name)| Link {
            path,
            name,
            is_here: place == here,
            count: (place == Place::Alerts && firing > 0).then_some(firing),
        };
        Self {
            title: title.to_owned(),
            places: PLACES.into_iter().filter(|(place, ..)| may_audit || *place != Place::Audit).map(link).collect(),
            is_signed_in: matches!(caller.origin, Origin::Session { .. } | Origin::Provider { .. }),
            caller: caller.name.clone(),
            role: caller.role.as_str(),
            version: env!("CARGO_PKG_VERSION"),
            zone: app.config().timezone.name().to_owned(),
            seen: seen.map(|seen| format!("{seen:x}")),
        }
    }
}
