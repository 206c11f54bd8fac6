//! Controls that do not count: at the top of the main file for many tenants, or at a tenant for itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    Config, Tenant,
    draft::Draft,
    field::{Field, Word},
    matchers::{Known, whose},
    raw::{RawExclusion, RawOwnExclusion},
    scope::Scope,
    spelling::nearest,
    words::{day, visible},
};
use crate::{
    diagnostic::{Place, Warning},
    domain::{Complaint, Exclusion, Selector, TenantId, Timestamp, characters::shown, exclusion},
    notify::notification::ExcludedControl,
};

/// A control that is excluded, and that the tenant's newest record does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownControl {
    /// The tenant whose score is judged without these controls.
    pub tenant: TenantId,
    /// The control as the exclusion names it.
    pub control: String,
    /// The control of the record that was probably meant; text from outside.
    pub nearest: Option<String>,
}

impl fmt::Display for UnknownControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the excluded control `{}` is not in the newest record", self.control)?;
        self.nearest.as_ref().map_or(Ok(()), |nearest| write!(f, ": did you mean `{}`?", shown(nearest)))
    }
}

/// Exclusions as they are written.
pub(super) type Exclusions = Vec<Written>;

/// An exclusion, and where its controls are named.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) exclusion: Exclusion,
    pub(super) place: Place,
    pub(super) path: String,
}

impl Written {
    fn at(exclusion: Exclusion, at: &Scope<'_>) -> Self {
        let controls = at.key("controls");
        Self { exclusion, place: controls.place(), path: controls.path() }
    }
}

/// An exclusion at the top of the main file.
const EXAMPLE: &str = "{ controls: [AdminMFAV2], tenants: all, reason: Okta enforces MFA, until: 2027-03-01 }";
/// The same at a tenant.
const OWN_EXAMPLE: &str = "{ controls: [AdminMFAV2], reason: Okta enforces MFA, until: 2027-03-01 }";
/// Most characters of a reason: as many as a message shows of what a rule's author wrote.
const REASON_CHARACTERS_MAX: usize = 300;

impl Config {
    /// The controls that do not count for a tenant now, by name, each with its exclusion.
    #[must_use]
    pub fn excluded(&self, tenant: &Tenant, now: Timestamp) -> BTreeMap<&str, &Exclusion> {
        exclusion::in_force(&self.exclusions, &tenant.id, &tenant.labels, now)
    }

    /// Their names, as a check asks for them.
    #[must_use]
    pub fn excluded_names(&self, tenant: &Tenant, now: Timestamp) -> BTreeSet<String> {
        self.excluded(tenant, now).into_keys().map(str::to_owned).collect()
    }

    /// The same with what messages say of each; only of those that a check did not count.
    #[must_use]
    pub fn excluded_facts(&self, tenant: &Tenant, in_force: &BTreeSet<String>, now: Timestamp) -> Vec<ExcludedControl> {
        let known = self.excluded(tenant, now);
        let facts = |name: &String| ExcludedControl {
            control: name.clone(),
            until: known.get(name.as_str()).map(|one| one.until),
            reason: known.get(name.as_str()).map(|one| one.reason.to_string()),
        };
        in_force.iter().map(facts).collect()
    }

    /// The controls that do not count for a tenant now and that its newest record does not have. `names`: every control of that
    /// record; empty: it is not known, and nothing is claimed.
    #[must_use]
    pub fn unknown_controls(&self, tenant: &Tenant, names: &BTreeSet<String>, now: Timestamp) -> Vec<UnknownControl> {
        if names.is_empty() {
            return Vec::new();
        }
        let excluded = self.excluded(tenant, now).into_keys().filter(|name| !names.contains(*name));
        let unknown = |name: &str| UnknownControl {
            tenant: tenant.id.clone(),
            control: name.to_owned(),
            nearest: nearest(name, names.iter().map(String::as_str)).map(str::to_owned),
        };
        excluded.map(unknown).collect()
    }
}

/// Every exclusion at the top of the main file.
pub(super) fn exclusions(
    raw: Field<Vec<Field<RawExclusion>>>,
    at: &Scope<'_>,
    known: &Known<'_>,
    draft: &mut Draft,
) -> Exclusions {
    let mut read = Exclusions::new();
    for (index, raw) in items(raw, at, EXAMPLE, draft) {
        let here = at.item(index);
        here.only(RawExclusion::KEYS, draft);
        let tenants_at = here.key("tenants");
        if !raw.tenants.is_written() {
            draft.missing(&tenants_at, "`tenants` is missing", "write `tenants: all`, ids of tenants, or labels");
        }
        let (tenants, labels) = whose(raw.tenants, &tenants_at, known, Warning::ExclusionCoversNobody, draft);
        let parts = Parts { controls: raw.controls, reason: raw.reason, until: raw.until };
        if let Some(exclusion) = one(parts, tenants, labels, &here, draft) {
            read.push(Written::at(exclusion, &here));
        }
    }
    read
}

/// The exclusions that a tenant's own file has.
pub(super) fn of_tenant(
    raw: Field<Vec<Field<RawOwnExclusion>>>,
    at: &Scope<'_>,
    tenant: Option<&TenantId>,
    draft: &mut Draft,
) -> Exclusions {
    let mut read = Exclusions::new();
    for (index, raw) in items(raw, at, OWN_EXAMPLE, draft) {
        let here = at.item(index);
        here.only(RawOwnExclusion::KEYS, draft);
        let parts = Parts { controls: raw.controls, reason: raw.reason, until: raw.until };
        let tenants = tenant.into_iter().cloned().collect();
        if let (Some(exclusion), true) = (one(parts, tenants, Selector::default(), &here, draft), tenant.is_some()) {
            read.push(Written::at(exclusion, &here));
        }
    }
    read
}

/// The exclusions of a list. People write the names of controls alone there, of which an example says what else belongs to it.
fn items<T>(raw: Field<Vec<Field<T>>>, at: &Scope<'_>, example: &str, draft: &mut Draft) -> Vec<(usize, T)> {
    let mut read = Vec::new();
    for (index, item) in draft.take(raw, at).unwrap_or_default().into_iter().enumerate() {
        match item {
            Field::Good(exclusion) => read.push((index, exclusion)),
            Field::Bad(misfit) => draft.error(&at.item(index), misfit.what, format!("write `exclude: [{example}]`")),
            Field::Absent => {}
        }
    }
    read
}

struct Parts {
    controls: Field<Vec<Field<Word>>>,
    reason: Field<Word>,
    until: Field<Word>,
}

fn one(
    Parts { controls, reason, until }: Parts,
    tenants: BTreeSet<TenantId>,
    labels: Selector,
    at: &Scope<'_>,
    draft: &mut Draft,
) -> Option<Exclusion> {
    let errors = draft.errors();
    let controls = names(controls, &at.key("controls"), draft);
    let reason_at = at.key("reason");
    let word = draft.require(reason, &reason_at, "Okta enforces MFA for this customer");
    let reason = word.and_then(|word| draft.parse(Field::Good(word), &reason_at, reason_of));
    let until_at = at.key("until");
    let word = draft.require(until, &until_at, "2027-03-01");
    let until = word.and_then(|word| draft.parse(Field::Good(word), &until_at, day));
    if let Some(until) = until {
        draft.world.exclusions.push((until_at.place(), until_at.path(), until));
    }
    let exclusion = Exclusion { controls, tenants, labels, reason: reason?.into(), until: until? };
    (draft.errors() == errors && !exclusion.controls.is_empty()).then_some(exclusion)
}

fn names(raw: Field<Vec<Field<Word>>>, at: &Scope<'_>, draft: &mut Draft) -> BTreeSet<String> {
    let is_empty = matches!(&raw, Field::Good(list) if list.is_empty());
    let mut names = BTreeSet::new();
    let Some(list) = draft.require(raw, at, "[AdminMFAV2]") else { return names };
    for (index, word) in draft.items(Field::Good(list), at) {
        let here = at.item(index);
        let name = draft.parse(Field::Good(word), &here, control);
        if let Some(name) = name.as_ref().filter(|name| name.contains(['*', ' '])) {
            let what =
                format!("no control is called `{name}`: their names have no spaces, and `*` is not a pattern here");
            let instead = "write the name of each control, like `[AdminMFAV2, BlockLegacyAuthentication]`";
            draft.warning(Warning::ExclusionWithoutEffect, &here, what, instead);
        }
        names.extend(name);
    }
    if is_empty {
        draft.error(at, "there is no control here", "write `controls: [AdminMFAV2]`, or delete the exclusion");
    }
    names
}

/// The name of a control of the secure score. Defender's scores have a single value, of which nothing can be left out.
fn control(text: &str) -> Result<String, Complaint> {
    let name = visible(text.trim())?;
    if name.is_empty() {
        return Err(Complaint::new("a control has a name", "write it as the secure score's records do: `AdminMFAV2`"));
    }
    if name.starts_with("scid-") || name.starts_with("sca-_-") {
        return Err(Complaint::new(
            format!(
                "`{name}` is a recommendation of Defender: its scores are a single value, so excluding it has no effect on them"
            ),
            "name controls of the secure score as its records do, like `AdminMFAV2`; \
             make an exception for a recommendation in the Defender portal",
        ));
    }
    Ok(name)
}

fn reason_of(text: &str) -> Result<String, Complaint> {
    let reason = visible(text.trim())?;
    match reason.chars().count() {
        0 => Err(Complaint::new("a reason is a text", "say why these controls do not count, like `Okta enforces MFA`")),
        count if count > REASON_CHARACTERS_MAX => Err(Complaint::new(
            format!("this has {count} characters, and messages show {REASON_CHARACTERS_MAX}"),
            "say it in one or two sentences",
        )),
        _ => Ok(reason),
    }
}
