//! `GET /v1.0/security/secureScoreControlProfiles`: what Microsoft says of each control. Large and slow-moving: kept for a day.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Deserialize;
use uuid::Uuid;

use crate::{
    domain::{ControlProfile, ControlProfiles, StateChange, Timestamp},
    microsoft::{
        Account, Failure,
        bounded::{self, Few, Scalar},
    },
};

/// How long profiles are good.
const FRESH: Duration = Duration::from_hours(24);
/// The most tenants' profiles that are kept, some 100 KB each; the one that was read the longest ago gives way.
const TENANTS_MAX: usize = 64;
/// Microsoft has some hundred.
const PROFILES_MAX: usize = 2_000;
/// A profile's link is some hundred letters long.
const LINK_BYTES_MAX: usize = 500;
/// Changes that are kept of a control, newest first.
const CHANGES_MAX: usize = 8;
const STATE_LETTERS_MAX: usize = 40;

#[derive(Deserialize)]
struct Page {
    value: Few<Row, PROFILES_MAX>,
    #[serde(default, rename = "@odata.nextLink")]
    next: Scalar,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Row {
    id: Scalar,
    title: Scalar,
    max_score: Scalar,
    action_url: Scalar,
    deprecated: Scalar,
    control_state_updates: Few<Update, 1_000>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Update {
    state: Scalar,
    updated_date_time: Scalar,
}

/// Reads a page's profiles behind those of the pages before, and says where the next page is.
///
/// # Errors
/// [`crate::microsoft::FailureClass::Garbage`] when the page can't be read, or there are more than there can be.
pub(super) fn read(page: &[u8], profiles: &mut ControlProfiles) -> Result<Option<String>, Failure> {
    let Page { value, next } = bounded::read(page)?;
    let is_empty = value.0.is_empty();
    for row in value.0 {
        let Some(id) = row.id.line() else { continue };
        profiles.entry(id).or_insert_with(|| row.profile());
    }
    if profiles.len() > PROFILES_MAX {
        return Err(bounded::too_large(format!("the API's answer contains more than {PROFILES_MAX} controls")));
    }
    Ok(next.text().filter(|_| !is_empty).map(str::to_owned))
}

impl Row {
    fn profile(&self) -> ControlProfile {
        let changes = self.control_state_updates.0.iter();
        let mut state_changes: Vec<StateChange> = changes.filter_map(Update::change).collect();
        state_changes.sort_by_key(|change| std::cmp::Reverse(change.at));
        state_changes.truncate(CHANGES_MAX);
        ControlProfile {
            title: self.title.line(),
            maximum: self.max_score.number().filter(|maximum| *maximum > 0.0),
            link: self.action_url.text().and_then(link),
            is_deprecated: self.deprecated.is_true(),
            state_changes,
        }
    }
}

impl Update {
    /// Who made the change and what they noted stays where it is.
    fn change(&self) -> Option<StateChange> {
        let at = Timestamp::parse(self.updated_date_time.text()?)?;
        let state = self.state.text()?;
        let is_word =
            (1..=STATE_LETTERS_MAX).contains(&state.len()) && state.bytes().all(|b| b.is_ascii_alphanumeric());
        Some(StateChange { state: if is_word { state } else { "another state" }.to_owned(), at })
    }
}

/// A link that may be shown: `https`, short, and to a host without a sign-in in it.
fn link(text: &str) -> Option<String> {
    let parsed = url::Url::parse(text).ok().filter(|_| text.len() <= LINK_BYTES_MAX)?;
    let is_plain = parsed.scheme() == "https" && parsed.username().is_empty() && parsed.password().is_none();
    (is_plain && parsed.has_host()).then(|| parsed.to_string())
}

/// The profiles of the tenants that were asked for last.
#[derive(Debug, Default)]
pub(in crate::microsoft) struct KeptProfiles(Mutex<HashMap<(String, Uuid), Kept>>);

#[derive(Debug)]
struct Kept {
    read_at: Timestamp,
    profiles: Arc<ControlProfiles>,
}

impl KeptProfiles {
    /// What was read within the last day, and not before `fresh_since`.
    pub(super) fn fresh(
        &self,
        account: &Account,
        fresh_since: Timestamp,
        now: Timestamp,
    ) -> Option<Arc<ControlProfiles>> {
        let tenants = self.tenants();
        let kept = tenants.get(&key(account))?;
        // A time in the future is that of a clock that was set back.
        let is_fresh = kept.read_at >= fresh_since && kept.read_at <= now && now.since(kept.read_at) < FRESH;
        is_fresh.then(|| Arc::clone(&kept.profiles))
    }

    /// What was read at any time.
    pub(super) fn any(&self, account: &Account) -> Option<Arc<ControlProfiles>> {
        self.tenants().get(&key(account)).map(|kept| Arc::clone(&kept.profiles))
    }

    pub(super) fn keep(
        &self,
        account: &Account,
        profiles: ControlProfiles,
        read_at: Timestamp,
    ) -> Arc<ControlProfiles> {
        let (mut tenants, profiles) = (self.tenants(), Arc::new(profiles));
        let key = key(account);
        if tenants.len() >= TENANTS_MAX && !tenants.contains_key(&key) {
            let oldest = tenants.iter().min_by_key(|(_, kept)| kept.read_at).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| tenants.remove(&oldest));
        }
        tenants.insert(key, Kept { read_at, profiles: Arc::clone(&profiles) });
        profiles
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.tenants().len()
    }

    fn tenants(&self) -> MutexGuard<'_, HashMap<(String, Uuid), Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(account: &Account) -> (String, Uuid) {
    (account.hosts.graph.clone(), account.entra.0)
}
