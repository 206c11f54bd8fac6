//! The warnings, each with a name that stays. People read it in brackets, and switch the warning off by it.

use std::fmt;

use serde::{Serialize, Serializer};

/// Declares every warning: its variant, its name, and what it means.
macro_rules! warnings {
    ($($variant:ident $name:literal $meaning:literal)*) => {
        /// Something that is accepted and is probably not meant. The name is part of the interface: it never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Warning {
            $(#[doc = $meaning] $variant,)*
        }

        impl Warning {
            /// Every warning, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name, in kebab case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means, as full sentences.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

warnings! {
    RuleScoreNotPolled "rule-score-not-polled"
        "No tenant that the rule selects polls the rule's score, so the rule can never fire. Add the score to `scores:`."
    RuleSelectsNoTenant "rule-selects-no-tenant"
        "No tenant has the labels under the rule's `tenants:`."
    RuleNotifiesNobody "rule-notifies-nobody"
        "The rule names no channel under `notify:`, and neither does a tenant that it selects."
    RuleNotifiesReceiverTwice "rule-notifies-receiver-twice"
        "Two channels that the rule notifies send to one receiver, so whoever reads there gets every message twice."
    EscalationWithoutNotify "escalation-without-notify"
        "The rule has an `escalate:`, but neither the rule nor a tenant that it selects names a channel that is notified first."
    EscalationChannelNotified "escalation-channel-notified"
        "The rule escalates to a channel that it has notified before, which hears nothing new."
    EscalationLate "escalation-late"
        "The rule escalates later than it sends reminders, or not before the level is accepted."
    NoRules "no-rules"
        "There is no rule, so nobody is notified of any score."
    GoodNewsRule "good-news-rule"
        "The rule fires when the score improves. If that is intended, write `good_news: true`."
    ThresholdOutOfRange "threshold-out-of-range"
        "The score can never cross the threshold, or is always beyond it, or practically always: percentages and exposure scores lie between 0 and 100."
    ThresholdLooksLikeFraction "threshold-looks-like-fraction"
        "The threshold of a score from 0 to 100 is less than 1, as if the score lay between 0 and 1: write `60` for 60%."
    ChangeOutOfRange "change-out-of-range"
        "The score can never change by that much: a `drop` of more than 100%, or more points than the score has."
    ForNotShorterThanWithin "for-not-shorter-than-within"
        "When `for` has passed, the value that the score is compared with may have left the `within` window."
    AcceptAfterShort "accept-after-short"
        "The rule accepts a loss in less than a day (`accept_after`), or before its first reminder (`repeat`): the alert is over before anybody can have acted."
    PeriodTooLong "period-too-long"
        "The rule looks back (`within`) for longer than values are kept (`retention`), or waits (`for`) for more than 30 days or longer than that."
    SchedulePauses "schedule-pauses"
        "There is more time between two checks than a rule's `no_data`, or the schedule pauses for longer than its `for`: \
         a single failed check counts as no data, and a condition counts as having held while nothing was read."
    TenantNotifiesNobody "tenant-notifies-nobody"
        "No rule that selects the tenant notifies a channel of it."
    NoTenants "no-tenants"
        "There is no tenant, so nothing is watched."
    PatternMatchesNothing "pattern-matches-nothing"
        "No file matches the pattern under `tenants:` or `rules:`."
    ChannelPaceSlow "channel-pace-slow"
        "The channel's `pace` is more than an hour: after a few messages, an urgent one comes hours late."
    TimeoutShort "timeout-short"
        "A `timeout` is shorter than a second, which is less than many answers take."
    ChannelUnused "channel-unused"
        "No rule, tenant, operator or report uses the channel."
    ReportSkipsMonths "report-skips-months"
        "The schedule of the monthly reports has no time in some months, such as one on day 31: no report is made in them. \
         Write a day from 1 to 28, as in `0 0 8 1 * *`."
    ReportLongerThanRetention "report-longer-than-retention"
        "The channel gets reports on each tenant's month, and values are kept (`retention`) for less than 31 days."
    ReportCoversNobody "report-covers-nobody"
        "The channel gets reports and may show no tenant: none has its labels."
    CustomerHearsSocRules "customer-hears-soc-rules"
        "A customer's channel gets the rules that were written for customers and also rules that name channels of their own. Write `tenant_channels: off` in the latter."
    CustomerHearsNoData "customer-hears-no-data"
        "A channel for some tenants only is notified that Scorewatch itself can't read a score. Write \
         `tenant_channels: off` in the `no_data` rule if customers should not see that."
    UrlLooksDamaged "url-looks-damaged"
        "The path, the `api-version` or the signature in a Teams workflow's URL is not as Microsoft makes them, so the URL was probably cut off or changed when it was copied."
    OperatorMissing "operator-missing"
        "There is no `operator:`, or it names no channel, so nobody is notified when Scorewatch can't read tenants, or when a channel fails."
    OperatorHasOneChannel "operator-has-one-channel"
        "The operator's only channel, or the only receiver of its channels, can't report its own failure."
    OperatorBlindLate "operator-blind-late"
        "The operator is notified that tenants can't be read only after more than three days (`blind_after`)."
    TimezoneMissing "timezone-missing"
        "Without `timezone:`, schedules and windows follow UTC."
    TimezoneFixedOffset "timezone-fixed-offset"
        "The time zone has the same offset all year, although its name may promise more: `Etc/GMT+1` is UTC−1, and `EST` has no summer time. Write a place, like `Europe/Berlin`."
    ScheduleEitherDay "schedule-either-day"
        "Day of month and day of week are both limited: either one is enough. Write `+` before the day of week to require both, or `TUE#2` for the second Tuesday."
    ScheduleQuartz "schedule-quartz"
        "`?` is Quartz notation. It is read as `*` here, and numbered weekdays count from Sunday = 0, not from Sunday = 1."
    ScheduleEverySecond "schedule-every-second"
        "The first field, the seconds, is `*`, so the schedule runs every second of the times that the other fields name. Write `0` first."
    ScheduleStepBeyondField "schedule-step-beyond-field"
        "A step is larger than its field: `*/70` minutes matches only minute 0, so the schedule runs once an hour."
    ScheduleExceedsLimits "schedule-exceeds-limits"
        "The schedule makes more calls than Microsoft accepts."
    RepeatShorterThanInterval "repeat-shorter-than-interval"
        "The rule's `repeat` is shorter than the time between two checks. Reminders are decided at checks, so they come as often as the score is read."
    SpreadLongerThanInterval "spread-longer-than-interval"
        "The checks of one tick are spread over more time than there is until the next tick."
    FleetHoldShorterThanSpread "fleet-hold-shorter-than-spread"
        "A fleet shift waits for less time than it takes to read all tenants; it waits for the `spread` instead."
    FleetHoldLong "fleet-hold-long"
        "Alerts wait for the rest of the fleet (`fleet: { hold: … }`) for more than an hour, or for longer than there is between two checks, whenever another tenant can't be read."
    FleetAtLeastLow "fleet-at-least-low"
        "Fewer than five tenants make a fleet shift, so losses that come together by chance are reported as one shift."
    WindowMostlyOpen "window-mostly-open"
        "A maintenance window, alone or with others that cover the same, is open for more than half of the time, and what it covers is sent only when it closes."
    WindowCoversNobody "window-covers-nobody"
        "No tenant has the labels of the maintenance window, or none of them polls its scores."
    ExclusionCoversNobody "exclusion-covers-nobody"
        "No tenant has the labels under the exclusion's `tenants:`."
    ExclusionWithoutEffect "exclusion-without-effect"
        "The exclusion has no effect: no control is called that (`*` is not a pattern), or it is on another score. Controls have points of their own only in `secure-score` and `secure-score-category`. Defender's scores are a single value."
    ExclusionEndsSoon "exclusion-ends-soon"
        "The exclusion ends within 30 days, and its controls count again from then on. Write a later `until:`, or delete the exclusion."
    ExclusionEnded "exclusion-ended"
        "The day under the exclusion's `until:` has come: its controls count again. Delete the exclusion, or write a later day."
    GrantCoversNobody "grant-covers-nobody"
        "No tenant has the labels under the `tenants:` of a grant in `access.oidc.grants`."
    GroupNotAnId "group-not-an-id"
        "Entra names groups by their object IDs, unless the app registration puts names into tokens. A grant for a group of another name covers nobody."
    PublicUrlWithoutTls "public-url-without-tls"
        "Messages show no links that begin with `http:`, and nobody can confirm a drill."
    PublicUrlLocal "public-url-local"
        "`public_url` names `localhost` or another address of this machine, so the links in messages lead each reader to their own."
    SignInLeftToProxy "sign-in-left-to-proxy"
        "Nobody signs in here (`sign_in: never`), although `public_url` or `hosts` says that others reach the service through a proxy. Whoever the proxy lets through without naming where the request came from may do everything."
    ListenBeyondLoopback "listen-beyond-loopback"
        "Other machines can reach the address under `listen:`, which speaks no TLS: passwords and tokens cross the network in plain text."
    AllowPrivateCoversPublic "allow-private-covers-public"
        "A network under `allow_private:` contains public addresses."
    RegionWithoutEffect "region-without-effect"
        "A tenant in a national cloud has a `region:`. Only the commercial cloud has regions."
    TenantNameShared "tenant-name-shared"
        "Two tenants have the same name, so their messages look the same."
    AppCannotServeCloud "app-cannot-serve-cloud"
        "One app is used in several national clouds. An app registration exists in one of them only."
    CredentialExpired "credential-expired"
        "The day under `expires:` has passed."
    CertificateExpired "certificate-expired"
        "The certificate has expired."
    CertificateNotYetValid "certificate-not-yet-valid"
        "The certificate is not valid yet."
    CertificateChainOutOfOrder "certificate-chain-out-of-order"
        "A certificate in the file was not issued by the one after it."
    SecretOpenToOthers "secret-open-to-others"
        "Other users may read or change the file of a secret, or the folder that it is in."
    ConfigurationOpenToOthers "configuration-open-to-others"
        "Other users may change a file of the configuration, or put another file in its place: whoever changes it decides where scores are sent."
    SecretLooksLikeId "secret-looks-like-id"
        "A client secret is a GUID, so it is probably the secret's ID and not its value."
    SecretLooksWrong "secret-looks-wrong"
        "A client secret can't be one: it has quotation marks around it, a name such as `CLIENT_SECRET=` before it, is a placeholder, or is far too short or too long."
    SecretHasBlanks "secret-has-blanks"
        "A secret begins or ends with spaces or tabs, or contains a line break."
    StoreNotWritable "store-not-writable"
        "The user who runs the check may not write to the store's folder."
    StoreOpenToOthers "store-open-to-others"
        "Other users may read or change a file of the store, which holds every tenant's scores, or put another file in its place."
    ZoneDataOld "zone-data-old"
        "The time zone data is old and may lack recent clock changes."
    ZoneDataUnusable "zone-data-unusable"
        "The system's file of a time zone can't be used, so built-in data is used."
    ColumnNotUsed "column-not-used"
        "An imported list has a column that is not used."
    ListIncomplete "list-incomplete"
        "An imported list is one page of Microsoft Graph's answer: the customers on the other pages are missing."
    RelationshipEnded "relationship-ended"
        "An imported list has a customer with whom every relationship is over. It is not imported."
    UnknownAllow "unknown-allow"
        "A comment `scorewatch: allow(NAME)` names no warning."
}

impl Warning {
    /// The warning of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|warning| warning.name() == name)
    }

    /// All of them as a table in Markdown, as the documentation has it.
    #[must_use]
    pub fn table() -> String {
        let row = |warning: &Self| format!("| `{}` | {} |\n", warning.name(), warning.meaning());
        let rows: String = Self::ALL.iter().map(row).collect();
        format!("| warning | what it means |\n| --- | --- |\n{rows}")
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// The page that documents the warnings, and what comes before its table.
    const PAGE: &str = "docs/warnings.md";

    #[test]
    fn each_warning_has_a_name_of_its_own_in_kebab_case_and_says_what_it_means() {
        let names: BTreeSet<&str> = Warning::ALL.iter().map(|warning| warning.name()).collect();
        assert_eq!(names.len(), Warning::ALL.len());
        for warning in Warning::ALL {
            let name = warning.name();
            let is_kebab = name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
            assert!(is_kebab && !name.starts_with('-') && !name.ends_with('-'), "{name}");
            assert!(warning.meaning().ends_with('.') && warning.meaning().len() > 20, "{name}");
            assert_eq!(Warning::from_name(name), Some(*warning));
        }
    }

    #[test]
    fn the_documentation_has_the_same_table() {
        let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap();
        let table = Warning::table();
        assert!(page.contains(&table), "{PAGE} is not up to date; its table should be:\n\n{table}");
    }
}
