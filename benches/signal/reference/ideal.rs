//! The messages of a faultless product: one for each event, immediately. The judge accepts them, and complains when one of them is
//! broken.

use std::collections::BTreeMap;

use super::{
    message::{Delivered, Form, Line, Says},
    model::{History, Kind, Why},
    world::{AlertId, Seconds, World},
};

/// One message for each line, in the order of delivery.
pub fn messages(world: &World, expected: &BTreeMap<AlertId, History>) -> Vec<Delivered> {
    let mut delivered = Vec::new();
    for (&alert, history) in expected {
        let channels = (0..world.channels.len()).filter(|&channel| world.channels[channel].may_show(alert.tenant));
        for channel in channels {
            let lines = lines(world, alert, history).into_iter();
            let text = String::new();
            delivered.extend(lines.map(|(at, line)| Delivered {
                at,
                channel,
                form: Form::Single,
                lines: vec![line],
                left_out: 0,
                text: text.clone(),
            }));
        }
    }
    delivered.sort_by_key(|message| message.at);
    delivered
}

fn lines(world: &World, alert: AlertId, history: &History) -> Vec<(Seconds, Line)> {
    let rule = &world.rules[alert.rule];
    let line = |says: Says, happened: Seconds, is_accepted: bool| Line {
        alert,
        says,
        happened,
        severity: rule.severity,
        is_accepted,
    };
    let (mut lines, mut is_notified): (Vec<(Seconds, Line)>, bool) = (Vec::new(), false);
    for (place, event) in history.events.iter().enumerate() {
        if history.is_open(event.at) {
            break;
        }
        let at = world.unsilenced(event.latest.min(event.at.max(world.until)));
        remind(world, history, &mut lines, at, |happened| line(Says::Reminder, happened, false), rule.repeat);
        let next = history.events.get(place + 1);
        let is_over_by_then =
            next.is_some_and(|next| next.at <= at && matches!(next.kind, Kind::Ended(Why::Recovered)));
        match event.kind {
            Kind::Fired if is_over_by_then && at > event.latest => {}
            Kind::Fired => {
                let is_accepted = next.is_some_and(|next| next.kind == Kind::Ended(Why::AcceptedWithShift));
                lines.push((at, line(Says::Fired, event.happened, is_accepted)));
                is_notified = true;
            }
            Kind::Worsened if is_notified && !is_over_by_then => {
                lines.push((at, line(Says::Worsened, event.happened, false)));
            }
            Kind::Ended(why) if is_notified => {
                if why != Why::AcceptedWithShift {
                    lines.push((at, line(Says::Ended, event.happened, false)));
                }
                is_notified = false;
            }
            Kind::Worsened | Kind::Ended(_) => {}
        }
    }
    remind(world, history, &mut lines, world.until, |happened| line(Says::Reminder, happened, false), rule.repeat);
    lines
}

/// Reminders between the last line and that time.
fn remind(
    world: &World,
    history: &History,
    lines: &mut Vec<(Seconds, Line)>,
    until: Seconds,
    line: impl Fn(Seconds) -> Line,
    repeat: Option<Seconds>,
) {
    let Some(repeat) = repeat else { return };
    while let Some((last, _)) = lines.last().filter(|(_, line)| line.says != Says::Ended && !line.is_accepted) {
        let due = world.unsilenced(last + repeat);
        if due >= until || !history.is_firing(due) {
            return;
        }
        lines.push((due, line(due)));
    }
}
