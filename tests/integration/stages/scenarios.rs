//! The scenarios. The clocks of all show 12:00 at the start.

mod escalated;

use std::time::Duration;

use scorewatch::rule::{Condition, FlapLimit, Rule, Size};

use crate::integration::setup::{drop_of, rule};

/// From half past twelve to two.
const WINDOW: [(&str, u64); 1] = [("0 30 12 * * *", 90)];

/// What happens to a fleet `t0`, `t1`, …, and what its channels are sent.
pub(super) struct Scenario {
    pub(super) promise: &'static str,
    pub(super) rule: Rule,
    pub(super) notify: &'static [&'static str],
    pub(super) tenants: usize,
    /// What is read of a tenant at that quarter of an hour; `None`: nothing is asked.
    pub(super) read: fn(usize, i64) -> Option<f64>,
    pub(super) quarters: i64,
    /// Of everybody, from minute to minute.
    pub(super) silences: &'static [(i64, i64)],
    /// Of everybody: when it begins, for that many minutes.
    pub(super) windows: &'static [(&'static str, u64)],
    /// So long messages wait for the rest of the fleet, in minutes.
    pub(super) hold: u64,
    pub(super) digest_over: usize,
    /// Whether all tenants are read in the same minute, instead of one after the other.
    pub(super) at_once: bool,
    /// `minute channel type tenants`, and the value or for how many it stands.
    pub(super) sent: &'static [&'static str],
}

fn low() -> Rule {
    Rule { step: Some(Size::Points(50.0)), fleet: false, ..rule("low", Condition::Below(300.0)) }
}

/// Nothing is held, and all is read immediately.
fn plain() -> Scenario {
    Scenario {
        promise: "",
        rule: low(),
        notify: &["soc", "own"],
        tenants: 1,
        read: |_, _| Some(400.0),
        quarters: 12,
        silences: &[],
        windows: &[],
        hold: 0,
        digest_over: 20,
        at_once: true,
        sent: &[],
    }
}

/// Twenty tenants that are read one after the other, and fall by 6 % in the third quarter.
fn fleet() -> Scenario {
    Scenario {
        rule: rule("fall", drop_of(5.0)),
        tenants: 20,
        read: |_, quarter| Some(if quarter < 2 { 400.0 } else { 376.0 }),
        quarters: 8,
        hold: 10,
        at_once: false,
        ..plain()
    }
}

/// What the two channels are sent about a shift of all twenty, from one minute on.
const FALL_OWN: &str = "44 own fleet.shift t1 t2, shift, apart , median -6.00";
const FALL_SOC: &str = "44 soc fleet.shift t0 t1 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t2 t3 t4 t5 t6 t7 t8 t9, shift, \
                        apart , median -6.00";

/// 280 from one quarter to the next, 400 otherwise.
fn dip(from: i64, until: i64, quarter: i64) -> f64 {
    if (from..until).contains(&quarter) { 280.0 } else { 400.0 }
}

/// All scenarios of this file.
pub(super) fn all() -> impl Iterator<Item = Scenario> {
    held().into_iter().chain(digests()).chain(fleets()).chain([flapping()]).chain(escalated::all())
}

/// What silences and maintenance windows hold.
fn held() -> Vec<Scenario> {
    vec![
        Scenario {
            promise: "what is not held is sent immediately, worsening and end too",
            read: |_, quarter| Some([400.0, 280.0, 220.0, 400.0][usize::try_from(quarter.min(3)).unwrap()]),
            sent: &["15 soc alert.firing t0 280", "30 soc alert.worsened t0 220", "45 soc alert.resolved t0 400"],
            ..plain()
        },
        Scenario {
            promise: "what fires and is over in a window is not sent",
            read: |_, quarter| Some(dip(3, 5, quarter)),
            windows: &WINDOW,
            ..plain()
        },
        Scenario {
            promise: "what fires in a window and still does is sent at its end, and so is its later end",
            read: |_, quarter| Some(dip(3, 10, quarter)),
            windows: &WINDOW,
            sent: &["120 soc alert.firing t0 280", "150 soc alert.resolved t0 400"],
            ..plain()
        },
        Scenario {
            promise: "what was reported before a window and is over within is sent as over at its end",
            read: |_, quarter| Some(dip(1, 4, quarter)),
            windows: &WINDOW,
            sent: &["15 soc alert.firing t0 280", "120 soc alert.resolved t0 400"],
            ..plain()
        },
        Scenario {
            promise: "what was reported before and got worse within a silence is sent once, by its newest",
            read: |_, quarter| Some([400.0, 280.0, 280.0, 220.0, 160.0][usize::try_from(quarter.min(4)).unwrap()]),
            silences: &[(20, 100)],
            sent: &["15 soc alert.firing t0 280", "100 soc alert.worsened t0 160 for 1 more"],
            ..plain()
        },
        Scenario {
            promise: "what got worse within a silence and no longer is so is not sent, but sent when it comes again",
            read: |_, quarter| {
                Some(match quarter {
                    ..1 | 12.. => 400.0,
                    3 | 4 | 8 | 10 => 220.0,
                    _ => 280.0,
                })
            },
            quarters: 14,
            silences: &[(20, 100)],
            sent: &["15 soc alert.firing t0 280", "120 soc alert.worsened t0 220", "180 soc alert.resolved t0 400"],
            ..plain()
        },
        Scenario {
            promise: "a window that follows a silence without a gap goes on holding",
            read: |_, quarter| Some(dip(2, 12, quarter)),
            silences: &[(20, 40)],
            windows: &[("0 40 12 * * *", 35)],
            sent: &["75 soc alert.firing t0 280"],
            ..plain()
        },
    ]
}

/// What is sent in one scenario.
fn digests() -> Vec<Scenario> {
    vec![
        Scenario {
            promise: "many that a window held are one digest at its end for who gets many, and one by one for who gets few",
            tenants: 7,
            read: |tenant, quarter| {
                Some(dip(if tenant == 5 { 7 } else { 3 }, if tenant == 4 { 6 } else { 12 }, quarter))
            },
            windows: &WINDOW,
            digest_over: 3,
            sent: &["120 own alert.firing t1 280", "120 own alert.firing t2 280", "120 soc digest t0 t1 t2 t3 t5 t6"],
            ..plain()
        },
        Scenario {
            promise: "messages are sent one by one up to the limit, one more makes a digest",
            tenants: 4,
            read: |tenant, quarter| Some(dip(1, if tenant == 3 { 4 } else { 3 }, quarter)),
            digest_over: 3,
            sent: &[
                "15 own alert.firing t1 280",
                "15 own alert.firing t2 280",
                "15 soc digest t0 t1 t2 t3",
                "45 own alert.resolved t1 400",
                "45 own alert.resolved t2 400",
                "45 soc alert.resolved t0 400",
                "45 soc alert.resolved t1 400",
                "45 soc alert.resolved t2 400",
                "60 soc alert.resolved t3 400",
            ],
            ..plain()
        },
    ]
}

/// What waits for the fleet.
fn fleets() -> Vec<Scenario> {
    vec![
        Scenario {
            promise: "what may be one of many and is not is sent on its own once all were read",
            read: |tenant, quarter| Some(if tenant < 2 && quarter >= 2 { 376.0 } else { 400.0 }),
            sent: &["44 own alert.firing t1 376", "44 soc alert.firing t0 376", "44 soc alert.firing t1 376"],
            ..fleet()
        },
        Scenario {
            promise: "a fall of everybody that is taken back is a notice, and so is its end",
            read: |_, quarter| Some(if quarter == 2 { 376.0 } else { 400.0 }),
            sent: &[
                FALL_OWN,
                FALL_SOC,
                "59 own fleet.shift t1 t2, shift, apart , median 6.38",
                "59 soc fleet.shift t0 t1 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t2 t3 t4 t5 t6 t7 t8 t9, shift, apart , \
                 median 6.38",
            ],
            ..fleet()
        },
        Scenario {
            promise: "an outlier is sent alone, a late tenant has a follow-up, and both go on like any other",
            read: |tenant, quarter| match (tenant, quarter) {
                (_, ..2) | (4, _) => Some(400.0),
                (3, _) => Some(250.0),
                (6, 2..6) => None,
                (6, 9..) => Some(340.0),
                _ => Some(376.0),
            },
            quarters: 12,
            sent: &[
                "44 own fleet.shift t1 t2, shift, apart , median -6.00",
                "44 soc alert.firing t3 250",
                "44 soc fleet.shift t0 t1 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t2 t5 t7 t8 t9, shift, apart t3, median -6.00",
                "104 soc fleet.shift t6, follow-up, apart , median -6.00",
                "155 soc alert.worsened t6 340",
            ],
            ..fleet()
        },
        Scenario {
            promise: "what a notice covered is sent as worse and as over like any other alert, also by a window",
            read: |tenant, quarter| match (tenant, quarter) {
                (_, ..2) | (1, 10..) => Some(400.0),
                (1, 6 | 7) => Some(300.0),
                (2, 6..) => Some(if quarter < 10 { 300.0 } else { 400.0 }),
                _ => Some(376.0),
            },
            quarters: 13,
            windows: &[("0 25 13 * * *", 50)],
            sent: &[
                FALL_OWN,
                FALL_SOC,
                "135 own alert.worsened t2 300",
                "135 soc alert.worsened t2 300",
                "164 own alert.resolved t1 400",
                "164 soc alert.resolved t1 400",
                "166 own alert.resolved t2 400",
                "166 soc alert.resolved t2 400",
            ],
            ..fleet()
        },
    ]
    .into_iter()
    .chain(in_windows())
    .chain(after_a_shift())
    .collect()
}

/// What a window holds of a shift.
fn in_windows() -> Vec<Scenario> {
    vec![
        Scenario {
            promise: "what a window held of a shift is one notice at its end",
            windows: &[("0 20 12 * * *", 60)],
            sent: &[
                "80 own fleet.shift t1 t2, shift, apart , median -6.00",
                "80 soc fleet.shift t0 t1 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t2 t3 t4 t5 t6 t7 t8 t9, shift, apart , \
                 median -6.00",
            ],
            ..fleet()
        },
        Scenario {
            promise: "of two firings that a window held, the newest is a line of the notice; the other began before the window, and \
                      is sent with its end",
            read: |tenant, quarter| match (tenant, quarter) {
                (5, 1) => Some(370.0),
                (_, ..4) => Some(400.0),
                _ => Some(376.0),
            },
            windows: &[("0 32 12 * * *", 60)],
            quarters: 9,
            sent: &[
                "92 own fleet.shift t1 t2, shift, apart , median -6.00",
                "92 soc alert.resolved t5 400 for 1 more",
                "92 soc fleet.shift t0 t1 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t2 t3 t4 t5 t6 t7 t8 t9, shift, apart , \
                 median -6.00",
            ],
            ..fleet()
        },
    ]
}

/// What comes after a shift.
fn after_a_shift() -> Vec<Scenario> {
    vec![
        Scenario {
            promise: "reminders of what a notice covered are one message",
            rule: Rule { repeat: Some(Duration::from_hours(1)), ..rule("fall", drop_of(5.0)) },
            quarters: 9,
            sent: &[
                FALL_OWN,
                FALL_SOC,
                "104 own fleet.shift t1 t2, reminders, apart , median -6.00",
                "104 soc fleet.shift t0 t1 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t2 t3 t4 t5 t6 t7 t8 t9, reminders, apart , \
                 median -6.00",
            ],
            ..fleet()
        },
        Scenario {
            promise: "a second shift one interval later has a notice of its own, measured from where the first has left everybody",
            read: |_, quarter| Some([400.0, 400.0, 376.0, 338.4][usize::try_from(quarter.min(3)).unwrap()]),
            sent: &[
                FALL_OWN,
                FALL_SOC,
                "59 own fleet.shift t1 t2, shift, apart , median -10.00",
                "59 soc fleet.shift t0 t1 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t2 t3 t4 t5 t6 t7 t8 t9, shift, apart , \
                 median -10.00",
            ],
            ..fleet()
        },
        Scenario {
            promise: "a tenant's own fall after a reverted shift is sent with its own size",
            read: |tenant, quarter| match (tenant, quarter) {
                (_, 2 | 3) | (1, 8..) => Some(376.0),
                _ => Some(400.0),
            },
            quarters: 10,
            sent: &[
                FALL_OWN,
                FALL_SOC,
                "74 own fleet.shift t1 t2, shift, apart , median 6.38",
                "74 soc fleet.shift t0 t1 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t2 t3 t4 t5 t6 t7 t8 t9, shift, apart , \
                 median 6.38",
                "134 own alert.firing t1 376",
                "134 soc alert.firing t1 376",
            ],
            ..fleet()
        },
        Scenario {
            promise: "noise after a shift that fires nothing does not make it fire",
            read: |tenant, quarter| match (tenant, quarter) {
                (_, ..2) => Some(400.0),
                (1, 5..) => Some(379.0),
                _ => Some(380.4),
            },
            ..fleet()
        },
        Scenario {
            promise: "what a shift lets pend fires when its time has come, in one notice",
            rule: Rule { hold: Duration::from_mins(30), ..rule("fall", drop_of(5.0)) },
            sent: &[
                "74 own fleet.shift t1 t2, shift, apart , median -6.00",
                "74 soc fleet.shift t0 t1 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19 t2 t3 t4 t5 t6 t7 t8 t9, shift, apart , \
                 median -6.00",
            ],
            ..fleet()
        },
    ]
}

fn flapping() -> Scenario {
    Scenario {
        promise: "a flapping alert is sent as unstable once, and its state when it has calmed down",
        rule: Rule { flapping: Some(FlapLimit { changes: 3, within: Duration::from_hours(24) }), ..low() },
        read: |_, quarter| Some(if quarter < 9 && quarter % 2 == 1 { 280.0 } else { 400.0 }),
        quarters: 18,
        sent: &[
            "15 soc alert.firing t0 280",
            "30 soc alert.resolved t0 400",
            "45 soc alert.firing t0 280",
            "60 soc alert.unstable t0 400",
            "180 soc alert.resolved t0 400",
        ],
        ..plain()
    }
}
