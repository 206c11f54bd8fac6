//! What nobody acknowledges.

use std::time::Duration;

use scorewatch::rule::{Escalation, Rule};

use super::{FALL_OWN, FALL_SOC, Scenario, WINDOW, dip, fleet, low, plain};
use crate::integration::setup::{channels, drop_of, rule};

/// What `call` is sent half an hour after a shift of all twenty.
const ESCALATED_CALL: &str = "74 call fleet.shift t0 t1 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t2 t3 t4 t5 t6 t7 t8 t9, \
                              escalations, apart , median -6.00";

/// A rule whose alerts are escalated after half an hour.
fn escalating(rule: Rule) -> Rule {
    let notify = channels(&["call", "desk"]);
    Rule { escalate: vec![Escalation { after: Duration::from_mins(30), notify }], ..rule }
}

/// All scenarios of this file.
pub(super) fn all() -> impl Iterator<Item = Scenario> {
    beside_others().into_iter().chain(held())
}

fn one() -> Scenario {
    Scenario { rule: escalating(low()), ..plain() }
}

/// What is said beside an escalation.
fn beside_others() -> Vec<Scenario> {
    vec![
        Scenario {
            promise: "what nobody acknowledges is escalated once, and its end goes to all",
            read: |_, quarter| Some(dip(1, 8, quarter)),
            sent: &[
                "15 soc alert.firing t0 280",
                "45 call alert.escalated t0 280",
                "120 call alert.resolved t0 400",
                "120 soc alert.resolved t0 400",
            ],
            ..one()
        },
        Scenario {
            promise: "a reminder that is due at the same time delays an escalation by seconds only",
            rule: Rule { repeat: Some(Duration::from_mins(30)), ..escalating(low()) },
            read: |_, quarter| Some(dip(1, 4, quarter)),
            sent: &[
                "15 soc alert.firing t0 280",
                "45 soc alert.reminder t0 280",
                "46 call alert.escalated t0 280",
                "60 call alert.resolved t0 400",
                "60 soc alert.resolved t0 400",
            ],
            ..plain()
        },
        Scenario {
            promise: "what notifies nobody at first is escalated all the same",
            notify: &[],
            read: |_, quarter| Some(dip(1, 4, quarter)),
            sent: &["45 call alert.escalated t0 280", "60 call alert.resolved t0 400"],
            ..one()
        },
    ]
}

/// What silences, windows and shifts hold.
fn held() -> Vec<Scenario> {
    vec![
        Scenario {
            promise: "an escalation that is due in a silence is sent at its end, and not if it is over by then",
            tenants: 2,
            read: |tenant, quarter| Some(dip(1, if tenant == 0 { 10 } else { 4 }, quarter)),
            silences: &[(20, 100)],
            sent: &[
                "15 own alert.firing t1 280",
                "15 soc alert.firing t0 280",
                "15 soc alert.firing t1 280",
                "100 call alert.escalated t0 280",
                "100 own alert.resolved t1 400",
                "100 soc alert.resolved t1 400",
                "150 call alert.resolved t0 400",
                "150 soc alert.resolved t0 400",
            ],
            ..one()
        },
        Scenario {
            promise: "what fires in a window is escalated half an hour after its end",
            read: |_, quarter| Some(dip(3, 14, quarter)),
            quarters: 16,
            windows: &WINDOW,
            sent: &[
                "120 soc alert.firing t0 280",
                "150 call alert.escalated t0 280",
                "210 call alert.resolved t0 400",
                "210 soc alert.resolved t0 400",
            ],
            ..one()
        },
        Scenario {
            promise: "alerts that a notice covers are escalated together, each channel seeing its own",
            rule: escalating(rule("fall", drop_of(5.0))),
            sent: &[FALL_OWN, FALL_SOC, ESCALATED_CALL, "74 desk alert.escalated t2 376"],
            ..fleet()
        },
    ]
}
