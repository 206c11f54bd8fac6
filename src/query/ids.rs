//! Finds what people name by an id as a message or a listing shows it: whole, or its first letters.

use std::collections::BTreeSet;

use super::{
    Candidate, Error, Page,
    alerts::{self, Which},
    deliveries::{self, DeliveryId},
    error::Thing,
    numbers::Numbers,
};
use crate::{
    domain::{Scope, Timestamp},
    notify::NotificationId,
    store::{AlertFilter, AlertRow, DeliveryFilter, Store},
};

/// How the ids of notifications begin.
const MESSAGE: &str = "msg_";
/// How the ids of alerts begin.
const ALERT: &str = "alert_";
/// The fewest letters that name something.
const LETTERS_MIN: usize = 3;
/// The letters of a short id, as messages show it.
const SHORT_LETTERS: usize = 6;

/// What an id names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// An alert, as it can be looked up.
    Alert(Which),
    /// A fleet shift, by its id.
    Shift(String),
}

/// What ids that begin like a text name, as far as the scope sees it.
#[derive(Debug, Default)]
pub(super) struct Meant {
    /// Alerts, by their own ids or by those of messages about them; each with its id.
    pub(super) alerts: Vec<(AlertRow, String)>,
    pub(super) shifts: Vec<String>,
    /// Messages about several alerts.
    pub(super) digests: Vec<DeliveryId>,
}

/// What ids that begin like this text name. `None`: it can't be an id.
pub(super) async fn meant(store: &dyn Store, scope: &Scope, text: &str) -> Result<Option<Meant>, Error> {
    let Some(letters) = letters(text) else { return Ok(None) };
    let rows = store.alerts(&AlertFilter { tenants: scope.tenants().cloned(), ..AlertFilter::default() }).await?;
    let ids = alerts::ids(store, &rows).await?;
    let said = Said::of(store, scope, &letters).await?;
    let is_of_message = without(text, MESSAGE).is_some();
    let is_intended = |id: &String| {
        let own = !is_of_message && id.strip_prefix(ALERT).is_some_and(|id| id.starts_with(&letters));
        own || said.alerts.contains(id)
    };
    let mut shifts = if without(text, ALERT).is_some() { BTreeSet::new() } else { shifts(store, scope, &rows).await? };
    shifts.retain(|id| said.shifts.contains(id) || id.strip_prefix(MESSAGE).is_some_and(|id| id.starts_with(&letters)));
    Ok(Some(Meant {
        alerts: rows.into_iter().zip(ids).filter(|(_, id)| is_intended(id)).collect(),
        shifts: shifts.into_iter().collect(),
        digests: said.digests,
    }))
}

/// The alert or the fleet shift that an id names: its own, or that of a message about it.
///
/// # Errors
/// [`Error::Invalid`] for what can't be an id; [`Error::NoAlert`]; [`Error::Ambiguous`]; [`Error::Store`].
pub async fn named(store: &dyn Store, scope: &Scope, text: &str) -> Result<Named, Error> {
    let Meant { alerts, shifts, digests } = meant(store, scope, text).await?.ok_or_else(|| not_an_id(text))?;
    match (alerts.as_slice(), shifts.as_slice()) {
        ([(row, _)], []) => Ok(Named::Alert(Which::of(&row.key))),
        ([], [shift]) => Ok(Named::Shift(shift.clone())),
        ([], []) => Err(Error::NoAlert(format!("no alert or message has an id that begins with `{text}`"))),
        (alerts, shifts) => {
            let shown = |shift: &String| {
                let says = format!("{}  {}", alerts::short(shift), shift_name(scope));
                Candidate::shown_at(says, format!("/alerts?show=all&shift={shift}"))
            };
            let of_digests =
                digests.iter().map(|id| Candidate::shown_at(format!("{id}  message"), format!("/deliveries/{id}")));
            let candidates = alerts.iter().map(|(row, id)| candidate(row, id)).chain(shifts.iter().map(shown));
            let candidates: Vec<Candidate> = candidates.chain(of_digests).collect();
            let what = if shifts.is_empty() && digests.is_empty() {
                format!("`{text}` can mean {} alerts", candidates.len())
            } else {
                format!("`{text}` can mean {} things", candidates.len())
            };
            Err(Error::Ambiguous { what, candidates })
        }
    }
}

/// The alert that an id names: its own, or that of a message about it.
///
/// # Errors
/// As [`named`]; [`Error::Ambiguous`] also for a fleet shift with several alerts.
pub async fn alert(store: &dyn Store, scope: &Scope, text: &str) -> Result<Which, Error> {
    let shift = match named(store, scope, text).await? {
        Named::Alert(which) => return Ok(which),
        Named::Shift(shift) => shift,
    };
    let filter = AlertFilter { shift: Some(shift), tenants: scope.tenants().cloned(), ..AlertFilter::default() };
    let rows = store.alerts(&filter).await?;
    match rows.as_slice() {
        [row] => Ok(Which::of(&row.key)),
        [] => {
            Err(Error::NoAlert(format!("`{text}` is a {}, and no alert belongs to it any longer", shift_name(scope))))
        }
        several => {
            let ids = alerts::ids(store, several).await?;
            let candidates = several.iter().zip(&ids).map(|(row, id)| candidate(row, id)).collect();
            Err(Error::Ambiguous {
                what: format!("`{text}` is a {} with {} alerts", shift_name(scope), several.len()),
                candidates,
            })
        }
    }
}

/// The fleet shift that a text names: its id, or the first letters of it or of the id of a notice of it. `None` is none.
///
/// # Errors
/// [`Error::Invalid`] if it is something else; as [`named`].
pub async fn shift(store: &dyn Store, scope: &Scope, text: Option<&str>) -> Result<Option<String>, Error> {
    let Some(text) = text else { return Ok(None) };
    let is_whole = NotificationId::parse(text).is_some();
    if text.chars().count() < SHORT_LETTERS {
        let shift = shift_name(scope);
        return Err(Error::invalid(format!(
            "`{text}` is too short to name a {shift}: write at least {SHORT_LETTERS} letters"
        )));
    }
    // Only whether it moved any tenant is asked, so the answer reveals none.
    if is_whole && !store.shifted_tenants(text).await?.is_empty() {
        return Ok(Some(text.to_owned()));
    }
    match named(store, scope, text).await {
        Ok(Named::Shift(shift)) => Ok(Some(shift)),
        Ok(Named::Alert(_)) => {
            Err(Error::invalid(format!("`{text}` is the id of an alert, not of a {}", shift_name(scope))))
        }
        // One that is forgotten has no alerts.
        Err(Error::NoAlert(_)) if is_whole => Ok(Some(text.to_owned())),
        Err(error) => Err(error),
    }
}

/// What a fleet shift is called. Whoever sees some tenants alone learns nothing of others: to them the score itself has shifted.
pub(crate) const fn shift_name(scope: &Scope) -> &'static str {
    match scope {
        Scope::All => "fleet shift",
        Scope::Only(..) => "shift of the score",
    }
}

fn candidate(row: &AlertRow, id: &str) -> Candidate {
    Candidate::shown_at(format!("{}  {}", alerts::short(id), alerts::named(&row.key)), format!("/alerts/{id}"))
}

/// The fleet shifts that the scope can know of: those that its alerts belong to, and without limits all that are remembered.
async fn shifts(store: &dyn Store, scope: &Scope, rows: &[AlertRow]) -> Result<BTreeSet<String>, Error> {
    let mut shifts: BTreeSet<String> = rows.iter().filter_map(|row| row.shift.clone()).collect();
    if scope.is_all() {
        shifts.extend(store.shifts(Timestamp::EPOCH).await?.into_iter().map(|known| known.id));
    }
    Ok(shifts)
}

/// What messages with such ids are about.
#[derive(Debug, Default)]
struct Said {
    alerts: Vec<String>,
    shifts: BTreeSet<String>,
    /// Those of them that are about several alerts, and that the scope sees.
    digests: Vec<DeliveryId>,
}

impl Said {
    async fn of(store: &dyn Store, scope: &Scope, letters: &str) -> Result<Self, Error> {
        let (mut said, numbers) = (Self::default(), Numbers::of_deliveries(store, scope));
        // A message to a channel of one tenant may be about no single one, as a digest is. Whoever has its whole short id was sent it;
        // what it is about is found only as far as the scope sees it.
        let wide = if letters.len() >= SHORT_LETTERS { &Scope::All } else { scope };
        for delivery in of_messages(store, wide, letters).await? {
            let Some(detail) = store.delivery(delivery).await? else { continue };
            let data = detail.notification.data;
            if let Some(fleet) = data.fleet.as_ref() {
                said.shifts.insert(fleet.id.clone());
                continue;
            }
            let of_lines = data.items.iter().filter_map(|item| item.facts.alert.as_ref());
            let ids: Vec<String> = data.alert.iter().chain(of_lines).map(|alert| alert.id.clone()).collect();
            if ids.len() > 1 && scope.includes_subject(detail.delivery.tenant.as_ref()) {
                said.digests.push(DeliveryId(numbers.shown(delivery.0)));
            }
            for id in ids {
                if !said.alerts.contains(&id) {
                    said.alerts.push(id);
                }
            }
        }
        Ok(said)
    }
}

/// The delivery that a text names: its number, or the id of its message.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Ambiguous`] if the message goes to several channels; [`Error::Store`].
pub async fn delivery(store: &dyn Store, scope: &Scope, text: &str) -> Result<DeliveryId, Error> {
    let found = deliveries_of(store, scope, text).await?.ok_or_else(|| not_an_id(text))?;
    match found.as_slice() {
        [delivery] => Ok(*delivery),
        [] => Err(Error::not_found(Thing::Delivery, text)),
        several => {
            let mut candidates = Vec::with_capacity(several.len());
            for id in several {
                let detail = deliveries::show(store, scope, *id).await?;
                let deliveries::Delivery { channel, state, notification, .. } = detail.delivery;
                let says = format!("{id}  {notification} to {channel}, {}", state.as_str());
                candidates.push(Candidate::shown_at(says, format!("/deliveries/{id}")));
            }
            Err(Error::Ambiguous { what: format!("`{text}` can mean {} deliveries", several.len()), candidates })
        }
    }
}

/// The deliveries that a text names, by the numbers that the scope knows: the one of that number, or those of messages whose ids begin
/// with it. `None`: it can't be an id.
pub(super) async fn deliveries_of(
    store: &dyn Store,
    scope: &Scope,
    text: &str,
) -> Result<Option<Vec<DeliveryId>>, Error> {
    if let Ok(number) = text.parse() {
        match deliveries::show(store, scope, DeliveryId(number)).await {
            Ok(_) => return Ok(Some(vec![DeliveryId(number)])),
            // The six letters of a message may all be digits.
            Err(Error::NotFound { .. }) if text.len() >= SHORT_LETTERS => {}
            Err(Error::NotFound { .. }) => return Ok(Some(Vec::new())),
            Err(error) => return Err(error),
        }
    }
    let Some(letters) = letters(text).filter(|_| without(text, ALERT).is_none()) else { return Ok(None) };
    let numbers = Numbers::of_deliveries(store, scope);
    let found = of_messages(store, scope, &letters).await?;
    let mut found: Vec<DeliveryId> = found.into_iter().map(|id| DeliveryId(numbers.shown(id.0))).collect();
    let seen = deliveries::seen(store, scope, found.iter().copied()).await?;
    found.retain(|id| seen.contains(id));
    Ok(Some(found))
}

/// The deliveries, newest first, of messages whose ids begin like this, by the numbers of the store.
async fn of_messages(store: &dyn Store, scope: &Scope, letters: &str) -> Result<Vec<DeliveryId>, Error> {
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
