//! Lines of a message that say the same of many tenants become one: what happened, to how many, and to whom.

use crate::{
    domain::Severity,
    notify::{NotificationType, language::Words, notification::DigestItem},
    rule::Resolution,
};

/// Fewer than this are named one by one.
const FOLDED_MIN: usize = 3;
/// Most tenants that a folded line names. The others are counted.
const NAMED_MAX: usize = 8;

/// A line that stands for several items, or one item.
pub(super) enum Folded<'a> {
    One(&'a DigestItem),
    Many { first: &'a DigestItem, text: String },
}

/// What items have in common that one line can say: kind of message, whether it is over, severity, rule, cause.
#[derive(PartialEq, Eq)]
struct Likeness<'a> {
    kind: NotificationType,
    is_over: bool,
    severity: Option<Severity>,
    rule: Option<&'a str>,
    causes: Vec<&'a str>,
}

impl<'a> Likeness<'a> {
    /// `None`: the item has a value of its own to say, and so a line of its own.
    fn of(item: &'a DigestItem) -> Option<Self> {
        let resolution = item.alert.as_ref().and_then(|alert| alert.resolution);
        let is_over = item.alert.as_ref().is_some_and(|alert| alert.resolved_at.is_some());
        let is_recovery = is_over && resolution.is_none_or(|resolution| resolution == Resolution::Recovered);
        let has_cause = !item.no_data.is_empty() && item.operator.is_none() && (!is_over || is_recovery);
        let is_named = item.tenant.is_some() && item.kind != NotificationType::AlertUnstable;
        (has_cause && is_named).then(|| {
            let mut causes: Vec<&str> =
                item.no_data.iter().map(|one| one.class.as_deref().unwrap_or_default()).collect();
            causes.sort_unstable();
            causes.dedup();
            let severity = item.alert.as_ref().map(|alert| alert.severity);
            Self { kind: item.kind, is_over, severity, rule: item.rule.as_ref().map(|rule| rule.name.as_str()), causes }
        })
    }
}

/// The lines for these items, in order; what is folded stands where its first item does.
pub(super) fn fold<'a>(items: &'a [DigestItem], words: &Words) -> Vec<Folded<'a>> {
    let mut groups: Vec<(Option<Likeness<'a>>, Vec<&'a DigestItem>)> = Vec::new();
    for item in items {
        let likeness = Likeness::of(item);
        match groups.iter_mut().find(|(known, _)| known.is_some() && *known == likeness) {
            Some((_, members)) => members.push(item),
            None => groups.push((likeness, vec![item])),
        }
    }
    let lines = groups.into_iter().flat_map(|(likeness, members)| match (likeness, members.as_slice()) {
        (Some(likeness), [first, ..]) if members.len() >= FOLDED_MIN => {
            vec![Folded::Many { first, text: text(&likeness, &members, words) }]
        }
        _ => members.into_iter().map(Folded::One).collect(),
    });
    lines.collect()
}

/// What happened, to how many tenants, and to whom.
fn text(likeness: &Likeness<'_>, members: &[&DigestItem], words: &Words) -> String {
    let cause = members.iter().flat_map(|item| &item.no_data).find_map(|one| one.cause.as_deref());
    let cause = cause.filter(|_| likeness.causes.len() == 1);
    let count = members.len();
    let what = match (likeness.is_over, likeness.kind) {
        (true, _) => (words.line.readable_again)(count),
        (false, NotificationType::AlertReminder) => (words.line.still_without_data)(count),
        (false, _) => (words.line.without_data)(count),
    };
    let what = match cause.filter(|_| !likeness.is_over) {
        Some(cause) => words.labelled(&what, cause),
        None => what,
    };
    let rule = likeness.rule.map(|rule| format!(" · {rule}")).unwrap_or_default();
    let of = members.iter().filter_map(|item| item.tenant.as_ref()).map(|tenant| tenant.name.as_str());
    format!("{what} ({}){rule}", names(of, count, words))
}

/// The first names, and how many more there are of `count`.
pub(super) fn names<'a>(names: impl Iterator<Item = &'a str>, count: usize, words: &Words) -> String {
    let shown: Vec<&str> = names.take(NAMED_MAX).collect();
    let more = count.saturating_sub(shown.len());
    let shown = shown.join(", ");
    if more == 0 { shown } else { (words.line.names_and)(&shown, more) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::sample;

    fn item(kind: NotificationType, name: &str, class: Option<&str>) -> DigestItem {
        let mut item = DigestItem::from(sample::notification(kind, name));
        item.no_data = class.map(sample::no_data).into_iter().collect();
        item
    }

    fn shown(items: &[DigestItem]) -> Vec<String> {
        let line = |folded| match folded {
            Folded::One(item) => item.tenant.as_ref().map(|tenant| tenant.name.clone()).unwrap_or_default(),
            Folded::Many { text, .. } => text,
        };
        fold(items, Words::of(crate::domain::Language::En)).into_iter().map(line).collect()
    }

    #[test]
    fn many_tenants_without_data_for_one_cause_are_one_line_and_all_others_keep_theirs() {
        use NotificationType::{AlertFiring, AlertResolved};
        let down = Some("microsoft-down");
        let mut items = vec![item(AlertFiring, "Own fall", None)];
        items.extend((1..=10).map(|number| item(AlertFiring, &format!("T{number}"), down)));
        items.push(item(AlertFiring, "Own secret", Some("secret-expired")));
        items.extend(["A", "B", "C"].map(|name| item(AlertResolved, name, down)));
        assert_eq!(
            shown(&items),
            [
                "Own fall",
                "10 tenants have no data: Microsoft's service fails (T1, T2, T3, T4, T5, T6, T7, T8 and 2 more) · \
                 device-score-drop",
                "Own secret",
                "3 tenants can be read again (A, B, C) · device-score-drop",
            ]
        );
        assert_eq!(shown(&items[1..3]), ["T1", "T2"], "two are few enough to be named one by one");
    }
}
