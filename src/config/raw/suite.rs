//! Tests of rules as people write them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{OneOrMany, RawDigest, RawFlapping, RawFleet, RawMaintenance, RawTenants};
use crate::config::field::{Field, Word};

raw! {
    /// A file with tests of rules.
    struct RawSuite {
        /// The rule files under test, relative to this file; `*` and `**` are understood.
        rules: Vec<Field<Word>>,
        /// IANA time zone of times like `08:30`; UTC by default.
        timezone: Word,
        /// When every test begins: `2026-01-05T00:00:00Z`.
        start: Word,
        /// The gap between two checks: `15m`.
        every: Word,
        /// The channels, by name; by default all that the rules and tenants name, open to everyone.
        channels: BTreeMap<String, Field<RawSuiteChannel>>,
        /// Holding time and size of a fleet shift, as in the main file; without it nothing waits for the fleet.
        fleet: RawFleet,
        /// The number of changes from which an alert is reported as unstable, as in the main file.
        flapping: RawFlapping,
        /// Times that come round, in which notifications are suppressed, as in the main file; of every test.
        maintenance: Vec<Field<RawMaintenance>>,
        /// The test cases, run in this order.
        tests: Vec<Field<RawCase>>,
    }

    /// A channel, as far as it matters to what is sent.
    struct RawSuiteChannel {
        /// The only tenants that this channel may show.
        tenants: Vec<Field<Word>>,
        /// The labels of the only tenants that this channel may show.
        labels: BTreeMap<String, Field<String>>,
        /// When waiting notifications go out as one.
        digest: RawDigest,
    }

    /// One test: what happens to some tenants, and what is to be sent.
    struct RawCase {
        /// What the test promises.
        name: Word,
        /// When the test begins, instead of the file's `start`.
        start: Word,
        /// The gap between two checks, instead of the file's.
        every: Word,
        /// How long the test goes on at least: `12h`, or a time.
        until: Word,
        /// Whether nothing but what is expected may be sent; `true` by default.
        strict: bool,
        /// The tenants of this case.
        tenants: Vec<Field<RawCaseTenant>>,
        /// Silences in which this happens.
        silences: Vec<Field<RawSilence>>,
        /// Maintenance windows of this test, in addition to those of the file.
        maintenance: Vec<Field<RawMaintenance>>,
        /// What is to be sent.
        expect: Vec<Field<RawExpected>>,
    }

    /// A tenant, and what is read of it: `series` for one score, or `scores` for several.
    struct RawCaseTenant {
        /// The tenant's slug: lower-case letters, digits and hyphens.
        id: Word,
        /// The name that messages show instead of the slug.
        name: Word,
        /// Labels, by which rules and channels select it.
        labels: BTreeMap<String, Field<String>>,
        /// Channels that are notified in addition to those of the rule.
        notify: Vec<Field<Word>>,
        /// Which score `series` is of; `device-secure-score` by default.
        score: Word,
        /// Readings from the start on, as words: `400 340x8 _ ~2h 360+5x4 08:30 400`.
        series: Word,
        /// What the source kept from before the start: `400 398`.
        history: Word,
        /// Several scores, where one series is not enough.
        scores: Vec<Field<RawSeries>>,
    }

    /// One series of a tenant.
    struct RawSeries {
        /// The score that the series is of.
        score: Word,
        /// Of which device group or category.
        subject: Word,
        /// Readings from the start on, as words.
        series: Word,
        /// What the source kept from before the start.
        history: Word,
    }

    /// A silence, as somebody might make one while the service runs.
    struct RawSilence {
        /// Whose alerts: `all`, a list of tenants, or labels.
        tenants: RawTenants,
        /// By which rules; absent: all.
        rules: OneOrMany<Word>,
        /// Of which scores; absent: all.
        scores: OneOrMany<Word>,
        /// `info`, `warning` or `critical`; absent: all.
        severity: OneOrMany<Word>,
        /// When it begins: `2h15m` after the start, `08:30`, or `2026-01-05T02:15:00Z`; absent: with the test.
        from: Word,
        /// How long it lasts: `2h`.
        r#for: Word,
        /// When it ends, instead: a time like `from`.
        until: Word,
    }

    /// A message that is to be sent. What is not said may be anything.
    struct RawExpected {
        /// When: `2h15m` after the start, `08:30`, or `2026-01-05T02:15:00Z`.
        at: Word,
        /// The tenant whose alert is expected, by slug.
        tenant: Word,
        /// `alert.firing`, `alert.worsened`, `alert.reminder`, `alert.unstable`, `alert.resolved`, `digest` or `fleet.shift`.
        r#type: Word,
        /// The name of the rule that is expected to notify.
        rule: Word,
        /// Of which device group or category.
        subject: Word,
        /// `info`, `warning` or `critical`.
        severity: Word,
        /// To this channel; absent: to all that get it.
        channel: Word,
        /// A part of the message's headline.
        text: Word,
        /// Instead of all these: nothing more is sent before that time.
        quiet_until: Word,
    }
}
