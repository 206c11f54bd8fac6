//! What a maintenance window or a silence covers, as people write it: of whom, by which rules, of which scores, how bad.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    field::{Field, Word},
    raw::{OneOrMany, RawTenants},
    scope::{Problems, Scope},
    spelling::{nearest, proposal},
    words::{labels, name, score},
};
use crate::{
    diagnostic::Warning,
    domain::{Labels, ScoreKind, Selector, Severity, TenantId},
    notify::silence::Matchers,
    rule::RuleName,
};

/// The rule by which the operator is notified when tenants can't be read; no file defines it.
const OPERATOR_BLIND: &str = "operator.blind";

/// What people write into a list who mean every tenant.
const EVERYBODY: [&str; 2] = ["*", "all"];

/// What may be named.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    /// The tenants; labels only of those of which all is well.
    pub(super) tenants: BTreeMap<&'a TenantId, Option<&'a Labels>>,
    /// Whether there are tenants of which not even the name could be read.
    pub(super) has_nameless: bool,
    pub(super) rules: Vec<&'a RuleName>,
    /// Whether there are rules that could not be read.
    pub(super) lacks_rules: bool,
}

/// The keys that say what is covered.
pub(super) struct Written {
    pub(super) tenants: Field<RawTenants>,
    pub(super) rules: Field<OneOrMany<Word>>,
    pub(super) scores: Field<OneOrMany<Word>>,
    pub(super) severity: Field<OneOrMany<Word>>,
}

/// What is covered; at least one of the keys must be there.
pub(super) fn matchers(written: Written, at: &Scope<'_>, known: &Known<'_>, problems: &mut Problems) -> Matchers {
    let Written { tenants, rules, scores, severity: severities } = written;
    if ![tenants.is_written(), rules.is_written(), scores.is_written(), severities.is_written()].contains(&true) {
        problems.error(at, "this does not say what it covers", "write `tenants: all` if it is for everybody");
    }
    let (tenants, labels) = whose(tenants, &at.key("tenants"), known, Warning::WindowCoversNobody, problems);
    let rules = words(rules, &at.key("rules"), problems, |text, at, problems| rule(text, at, known, problems));
    let scores: BTreeSet<ScoreKind> = words(scores, &at.key("scores"), problems, score);
    let severities = words(severities, &at.key("severity"), problems, severity);
    Matchers { tenants, labels, rules, scores, severities }
}

/// Of whom: everybody, some by id, or some by label. `nobody` is the warning that no tenant has the labels.
pub(super) fn whose(
    raw: Field<RawTenants>,
    at: &Scope<'_>,
    known: &Known<'_>,
    nobody: Warning,
    problems: &mut Problems,
) -> (BTreeSet<TenantId>, Selector) {
    let (mut tenants, mut selector) = (BTreeSet::new(), Selector::default());
    match problems.take(raw, at) {
        None | Some(RawTenants::All) => {}
        Some(RawTenants::Labels(written)) => {
            selector.0 = labels(Field::Good(written), at, problems);
            if selector.0.is_empty() {
                problems.error(at, "there is no label here", "write `tenants: all`, or labels like `{ tier: gold }`");
            } else if !known.tenants.values().flatten().any(|labels| selector.matches(labels)) {
                problems.warning(nobody, at, "no tenant has these labels", "check them against the tenants' `labels:`");
            }
        }
        Some(RawTenants::Ids(written)) => {
            let is_empty = written.is_empty();
            for (index, Word(text)) in problems.items(Field::Good(written), at) {
                tenants.extend(tenant(&text, &at.item(index), known, problems));
            }
            if is_empty {
                problems.error(at, "there is no tenant here", "write `tenants: all`, or ids of tenants");
            }
        }
    }
    (tenants, selector)
}

fn tenant(text: &str, at: &Scope<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<TenantId> {
    if EVERYBODY.contains(&text) && !known.tenants.keys().any(|id| id.as_str() == text) {
        problems.error(at, format!("`{text}` is not the `id` of a tenant"), "write `tenants: all`, without a list");
        return None;
    }
    let id = name(text, at, TenantId::parse, problems)?;
    if !known.has_nameless && !known.tenants.contains_key(&id) {
        let instead = match nearest(text, known.tenants.keys().map(|id| id.as_str())) {
            Some(suggested) => format!("did you mean `{suggested}`?"),
            None => "write the `id` of a tenant".to_owned(),
        };
        problems.error(at, format!("there is no tenant `{text}`"), instead);
    }
    Some(id)
}

fn rule(text: &str, at: &Scope<'_>, known: &Known<'_>, problems: &mut Problems) -> Option<RuleName> {
    let rule = name(text, at, RuleName::parse, problems)?;
    if text != OPERATOR_BLIND && !known.lacks_rules && !known.rules.contains(&&rule) {
        let instead = match nearest(text, known.rules.iter().map(|rule| rule.as_str())) {
            Some(suggested) => format!("did you mean `{suggested}`?"),
            None => "write the name of a rule".to_owned(),
        };
        problems.error(at, format!("there is no rule `{text}`"), instead);
    }
    Some(rule)
}

fn severity(text: &str, at: &Scope<'_>, problems: &mut Problems) -> Option<Severity> {
    let known = Severity::ALL.into_iter().find(|severity| severity.as_str() == text);
    if known.is_none() {
        let instead = proposal(text, Severity::ALL.map(Severity::as_str));
        problems.refuse(text, at, format!("`{text}` is not a severity"), instead);
    }
    known
}

/// One word or several, each as it is read.
fn words<T: Ord>(
    raw: Field<OneOrMany<Word>>,
    at: &Scope<'_>,
    problems: &mut Problems,
    read: impl Fn(&str, &Scope<'_>, &mut Problems) -> Option<T>,
) -> BTreeSet<T> {
    match problems.take(raw, at) {
        None => BTreeSet::new(),
        Some(OneOrMany::One(word)) => read(&word.0, at, problems).into_iter().collect(),
        Some(OneOrMany::Many(written)) => {
            let mut found = BTreeSet::new();
            if written.is_empty() {
                problems.error(at, "the list is empty", "write what it covers, or delete the key");
            }
            for (index, Word(text)) in problems.items(Field::Good(written), at) {
                found.extend(read(&text, &at.item(index), problems));
            }
            found
        }
    }
}
