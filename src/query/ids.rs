//! Finds what people name by an id as a message or a listing shows it: whole, or its first letters.

use super::{
    Error, Page,
    alerts::{self, Which},
    deliveries::{self, DeliveryId},
    error::Thing,
};
use crate::{
    domain::Scope,
    store::{AlertFilter, DeliveryFilter, Listings, Store},
};

/// How the ids of notifications begin.
const MESSAGE: &str = "msg_";
/// How the ids of alerts begin.
const ALERT: &str = "alert_";
/// The fewest letters that name something.
const LETTERS_MIN: usize = 3;
/// The letters of a short id, as messages show it.
const SHORT_LETTERS: usize = 6;

/// The alert that an id names: its own, or that of a message about it.
///
/// # Errors
/// [`Error::Invalid`] for what can't be an id; [`Error::NoAlert`]; [`Error::Ambiguous`]; [`Error::Store`].
pub async fn alert(store: &dyn Store, scope: &Scope, text: &str) -> Result<Which, Error> {
    let letters = letters(text).ok_or_else(|| not_an_id(text))?;
    let is_of_message = without(text, MESSAGE).is_some();
    let rows = store.alerts(&AlertFilter { tenants: scope.tenants().cloned(), ..AlertFilter::default() }).await?;
    let ids = alerts::ids(store, &rows).await?;
    let of_messages = alerts_of_messages(store, scope, &letters).await?;
    let is_intended = |id: &String| {
        let own = !is_of_message && id.strip_prefix(ALERT).is_some_and(|id| id.starts_with(&letters));
        own || of_messages.contains(id)
    };
    let meant: Vec<_> = rows.iter().zip(&ids).filter(|(_, id)| is_intended(id)).collect();
    match meant.as_slice() {
        [(row, _)] => Ok(Which::of(&row.key)),
        [] => Err(Error::NoAlert(format!("no alert or message has an id that begins with `{text}`"))),
        several => Err(Error::Ambiguous {
            what: format!("`{text}` can mean {} alerts", several.len()),
            candidates: several
                .iter()
                .map(|(row, id)| format!("{}  {}", alerts::short(id), alerts::named(&row.key)))
                .collect(),
        }),
    }
}

/// The alerts that messages with such ids are about.
async fn alerts_of_messages(store: &dyn Store, scope: &Scope, letters: &str) -> Result<Vec<String>, Error> {
    let mut alerts = Vec::new();
    for delivery in of_messages(store, scope, letters).await? {
        let data = deliveries::show(store, scope, delivery).await?.notification.data;
        let of_lines = data.items.into_iter().filter_map(|item| item.facts.alert);
        for alert in data.facts.alert.into_iter().chain(of_lines) {
            if !alerts.contains(&alert.id) {
                alerts.push(alert.id);
            }
        }
    }
    Ok(alerts)
}

/// The delivery that a text names: its number, or the id of its message.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Ambiguous`] if the message goes to several channels; [`Error::Store`].
pub async fn delivery(store: &dyn Listings, scope: &Scope, text: &str) -> Result<DeliveryId, Error> {
    if let Ok(number) = text.parse() {
        let found = deliveries::show(store, scope, DeliveryId(number)).await;
        // The six letters of a message may all be digits.
        if !matches!(found, Err(Error::NotFound { .. })) || text.len() < SHORT_LETTERS {
            return found.map(|_| DeliveryId(number));
        }
    }
    let letters = letters(text).filter(|_| without(text, ALERT).is_none());
    let found = of_messages(store, scope, &letters.ok_or_else(|| not_an_id(text))?).await?;
    match found.as_slice() {
        [delivery] => Ok(*delivery),
        [] => Err(Error::not_found(Thing::Delivery, text)),
        several => {
            let mut candidates = Vec::with_capacity(several.len());
            for id in several {
                let detail = deliveries::show(store, scope, *id).await?;
                let deliveries::Delivery { channel, state, notification, .. } = detail.delivery;
                candidates.push(format!("{id}  {notification} to {channel}, {}", state.as_str()));
            }
            Err(Error::Ambiguous { what: format!("`{text}` can mean {} deliveries", several.len()), candidates })
        }
    }
}

/// The deliveries, newest first, of messages whose ids begin like this.
async fn of_messages(store: &dyn Listings, scope: &Scope, letters: &str) -> Result<Vec<DeliveryId>, Error> {
    let filter = DeliveryFilter {
        notification: Some(format!("{MESSAGE}{letters}")),
        tenants: scope.tenants().cloned(),
        limit: Page::<DeliveryId>::first(CANDIDATES_MAX).to_read().unwrap_or(CANDIDATES_MAX),
        ..DeliveryFilter::default()
    };
    Ok(store.deliveries(&filter).await?.into_iter().map(|delivery| delivery.id).collect())
}

/// The most deliveries that a prefix is looked up in.
const CANDIDATES_MAX: u32 = 50;

/// The letters of an id, in capitals; `None`: it can't be one.
fn letters(text: &str) -> Option<String> {
    let letters = without(text, MESSAGE).or_else(|| without(text, ALERT)).unwrap_or(text);
    let is_id = letters.len() >= LETTERS_MIN && letters.bytes().all(|letter| letter.is_ascii_alphanumeric());
    is_id.then(|| letters.to_ascii_uppercase())
}

/// The text without that beginning, in whatever case a person writes it.
fn without<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(beginning.len())?;
    start.eq_ignore_ascii_case(beginning).then_some(rest)
}

fn not_an_id(text: &str) -> Error {
    Error::invalid(format!(
        "`{text}` is not an id; write one as messages and listings show it, like `7Q4M2K`, or at least its first \
         {LETTERS_MIN} letters"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_whole_or_by_its_first_letters() {
        for (text, read) in [
            ("msg_7Q4M2K", Some("7Q4M2K")),
            ("alert_7Q4M2K", Some("7Q4M2K")),
            ("7q4", Some("7Q4")),
            ("MSG_7q4m2k", Some("7Q4M2K")),
            ("Alert_7q4m2k", Some("7Q4M2K")),
            ("123456", Some("123456")),
            ("7Q", None),
            ("msg_", None),
            ("device-score-drop", None),
            ("", None),
        ] {
            assert_eq!(letters(text).as_deref(), read, "{text}");
        }
    }
}
