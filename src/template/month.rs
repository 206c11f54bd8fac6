//! The report on a tenant's month: its texts from outside made harmless and short. Its words are `page`'s.

use super::{link::safe_link, text};
use crate::notify::facts::month::{Controls, MonthFacts};

/// Tames and cuts every text of a month, and leaves out links that are none.
pub(super) fn cut(facts: &mut MonthFacts, characters: usize) {
    let tame = |whole: &mut String| *whole = text::tame(whole, characters);
    let link = |link: &mut Option<String>| *link = link.as_deref().and_then(safe_link);
    let report = &mut facts.report;
    facts.brand.name.iter_mut().for_each(tame);
    tame(&mut report.name);
    report.scores.iter_mut().filter_map(|score| score.subject.as_mut()).for_each(tame);
    report.failing.iter_mut().for_each(|failing| tame(&mut failing.class));
    report.actions_unknown.iter_mut().for_each(|unknown| tame(&mut unknown.class));
    match &mut report.controls {
        Controls::Known(changes) => {
            for change in changes.lost.iter_mut().chain(&mut changes.gained) {
                tame(&mut change.title);
                change.category.iter_mut().for_each(tame);
                link(&mut change.link);
            }
        }
        Controls::Failed { class } => tame(class),
        Controls::NoRecord | Controls::NotAsked => {}
    }
    for alert in &mut report.alerts {
        tame(&mut alert.rule);
        alert.subject.iter_mut().for_each(tame);
    }
    for action in &mut report.actions {
        tame(&mut action.title);
        action.category.iter_mut().for_each(tame);
        link(&mut action.link);
    }
}
