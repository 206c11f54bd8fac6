//! A scripted story for `demo`: its tenants, and what happens to them step by step. Pure data, and a stage that plays
//! it.

mod customers;

use std::collections::HashMap;

use uuid::Uuid;

use self::customers::CUSTOMERS;
use super::{
    Cloud, Receivers, Reply,
    cloud::{DefenderRefusal, EntraRefusal, Fetch, SignIn},
};
use crate::domain::{EntraTenantId, ScoreKind, Timestamp};

/// A story that the demonstration plays.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The tenants, which exist from the start.
    pub tenants: Vec<Actor>,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// A tenant of the story.
#[derive(Debug, Clone, PartialEq)]
pub struct Actor {
    /// The tenant's slug in the demonstration.
    pub id: &'static str,
    /// The tenant's name as messages show it.
    pub name: &'static str,
    /// The tenant's id in Entra.
    pub entra: EntraTenantId,
    /// The client id of the tenant's app.
    pub client_id: Uuid,
    /// The client secret of the app.
    pub secret: &'static str,
    /// Its device score at the start.
    pub device_score: f64,
    /// Its exposure score at the start.
    pub exposure_score: f64,
    /// Its points of 100 in Microsoft Secure Score at the start.
    pub secure_points: f64,
    /// The labels of the tenant: what was sold to it, and where it is.
    pub labels: [(&'static str, &'static str); 2],
}

/// One step of the story.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What happens, as a headline for whoever watches.
    pub title: &'static str,
    /// What is worth a look.
    pub look: &'static str,
    /// The changes that the step makes.
    pub changes: Vec<Change>,
    /// How many messages it causes at least.
    pub messages: usize,
    /// What changes once deliveries are waiting.
    pub later: Option<Later>,
    /// What a person does then, if anything.
    pub person: Option<Person>,
}

/// A change that comes once a number of deliveries wait for a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Later {
    /// The name of the channel that they wait for.
    pub channel: &'static str,
    /// How many of them.
    pub deliveries: u64,
    /// What changes in the simulated cloud.
    pub change: Change,
}

/// What a person does once everything of a step has been sent. Tenants go by their slugs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// Acknowledges an alert, and lists the alerts.
    Acknowledges {
        /// The tenant's slug.
        tenant: &'static str,
        /// The rule's name.
        rule: &'static str,
        /// The comment that is recorded with it.
        comment: &'static str,
    },
    /// Asks why an alert fires.
    AsksWhy {
        /// The tenant's slug.
        tenant: &'static str,
        /// The rule's name.
        rule: &'static str,
    },
}

/// One change. Tenants go by their slugs.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The score of a tenant moves.
    Score {
        /// The slug of the tenant concerned.
        tenant: &'static str,
        /// The kind of score that moves.
        kind: ScoreKind,
        /// The new value, in the score's unit.
        value: f64,
    },
    /// The app has a good secret again.
    SecretRenewed {
        /// The tenant's slug.
        tenant: &'static str,
    },
    /// The secret expires, and no token that was issued is accepted any more.
    SignedOut {
        /// The tenant's slug.
        tenant: &'static str,
    },
    /// A receiver answers 503.
    ReceiverDown {
        /// The name of the channel concerned.
        channel: &'static str,
    },
    /// A receiver accepts messages again.
    ReceiverUp {
        /// The name of the channel concerned.
        channel: &'static str,
    },
}

impl Scenario {
    /// Thirty-six customers: one drops and recovers, Microsoft re-scores all of them, several drop while the chat is down, and one
    /// lets its secret expire.
    #[must_use]
    pub fn customers() -> Self {
        let tenants: Vec<_> = (0..).zip(CUSTOMERS).map(|(number, (id, name))| Actor::new(number, id, name)).collect();
        let steps = steps(&tenants);
        Self { tenants, steps }
    }
}

impl Actor {
    fn new(number: u8, id: &'static str, name: &'static str) -> Self {
        // Spread over the fleet, and the same every time.
        let spread = |step: u8, of: u8| f64::from(number.wrapping_mul(step) % of);
        Self {
            id,
            name,
            entra: EntraTenantId(Uuid::from_u128(0x2f1c_0a5e_0000_4000_8000_0000_0000_0001 + u128::from(number))),
            client_id: Uuid::from_u128(0x6d2a_0000_0000_4000_8000_0000_0000_0001 + u128::from(number)),
            secret: "simulated-secret",
            device_score: if id == "fabrikam" { 548.0 } else { 430.0 + spread(53, 187) },
            exposure_score: 24.0 + spread(29, 23),
            secure_points: 46.0 + spread(37, 31),
            labels: [
                ("tier", ["gold", "silver", "silver", "bronze"][usize::from(number) % 4]),
                ("country", ["de", "at", "us", "ch", "nl"][usize::from(number) % 5]),
            ],
        }
    }

    /// The device score that it had that many hours ago: it wanders, and no day loses as much as a rule asks for.
    #[must_use]
    pub fn device_score_before(&self, hours: u32) -> f64 {
        // One of them has lost points since the day before yesterday, and nobody has done anything about it.
        let lost = if self.id == LOSES && hours >= 42 { self.device_score * 0.09 } else { 0.0 };
        (self.device_score + lost + self.wandered(hours, 11.0)).round()
    }

    /// The exposure score that it had that many hours ago.
    #[must_use]
    pub fn exposure_score_before(&self, hours: u32) -> f64 {
        ((self.exposure_score - self.wandered(hours, 2.2)) * 10.0).round() / 10.0
    }

    /// The average of tenants of its size: the larger they are, the better.
    fn similar(&self) -> f64 {
        [46.0, 52.5, 58.0][self.name.len() % 3]
    }

    /// How far it was from where it is now.
    fn wandered(&self, hours: u32, reach: f64) -> f64 {
        let (days, own) = (f64::from(hours) / 24.0, self.device_score % 17.0);
        let wave = |length: f64| ((days + own) / length).sin() - (own / length).sin();
        reach * (0.6 * wave(3.7) + 0.4 * wave(1.3)) - days * (own - 6.0) * reach / 120.0
    }

    /// Graph's daily records of the last two months, newest first.
    fn records(&self, now: Timestamp) -> Vec<serde_json::Value> {
        let record = |days_ago: u32| {
            let day = now.minus(std::time::Duration::from_hours(24) * days_ago).to_chrono().format("%Y-%m-%d");
            // A policy was switched off in some of them, and devices came and went.
            let is_open = self.device_score % 5.0 < 1.0 && days_ago < 9;
            let mfa = if is_open { 14.0 } else { 20.0 };
            let others = self.secure_points - 20.0 + self.wandered(days_ago * 24, 1.5);
            let average = |basis: &str, score: f64| serde_json::json!({ "basis": basis, "averageScore": score });
            let averages =
                [average("AllTenants", 47.5), average("TotalSeats", self.similar()), average("IndustryTypes", 50.5)];
            let control = |name: &str, score: f64| serde_json::json!({ "controlName": name, "controlCategory": "Identity", "score": score });
            serde_json::json!({
                "id": format!("{}_{day}", self.entra), "createdDateTime": format!("{day}T00:00:00Z"),
                "enabledServices": ["HasEXOP2"],
                "averageComparativeScores": averages,
                "currentScore": mfa + others, "maxScore": 100.0,
                "controlScores": [control("MFARegistrationV2", mfa), control("Others", others)],
            })
        };
        (1..=60).map(record).collect()
    }
}

/// Whose device score fell before the story begins.
const LOSES: &str = "lamna";

/// What happens to the customers.
fn steps(tenants: &[Actor]) -> Vec<Step> {
    let rule = "device-score-drop";
    let device = |tenant, value| Change::Score { tenant, kind: ScoreKind::DeviceSecureScore, value };
    let step = |title, look, messages, changes| Step { title, look, messages, changes, later: None, person: None };
    // By nearly the same for each, as when a scoring model changes.
    let exposed = |actor: &Actor| Change::Score {
        tenant: actor.id,
        kind: ScoreKind::ExposureScore,
        value: actor.exposure_score + 15.0,
    };
    let lost = |actor: &Actor| device(actor.id, actor.device_score * 0.9);
    let down = [Change::ReceiverDown { channel: "soc" }].into_iter();
    vec![
        step("All is calm", "Nothing is sent while nothing is wrong.", 0, vec![]),
        step(
            "Fabrikam's device score falls from 548 to 486",
            "The security team and the customer get it, with what probably caused it.",
            3,
            vec![device("fabrikam", 486.0)],
        ),
        Step {
            person: Some(Person::Acknowledges { tenant: "fabrikam", rule, comment: "ticket 4711" }),
            ..step(
                "An analyst acknowledges the alert",
                "The list shows who did. No reminder is sent from now on.",
                0,
                vec![],
            )
        },
        Step {
            person: Some(Person::AsksWhy { tenant: "fabrikam", rule }),
            ..step("Why, or why not? `scorewatch explain` shows it", "The verdict is in the last line.", 0, vec![])
        },
        step(
            "Microsoft changes how it computes exposure",
            "All 36 customers get worse: one message about a fleet shift, not 36 alerts.",
            1,
            tenants.iter().map(exposed).collect(),
        ),
        Step {
            later: Some(Later { channel: "soc", deliveries: 5, change: Change::ReceiverUp { channel: "soc" } }),
            ..step(
                "Teams is down while five customers lose points",
                "Once it is back, one digest has all five, the worst first.",
                6,
                down.chain(tenants[7..12].iter().map(lost)).collect(),
            )
        },
        step(
            "Northwind's client secret expires",
            "The operator is notified that it can't be read, with what to do.",
            1,
            vec![Change::SignedOut { tenant: "northwind" }],
        ),
        step(
            "Northwind gets a new secret, and Fabrikam is back at 545",
            "Both ends are reported, with how long it lasted.",
            4,
            vec![Change::SecretRenewed { tenant: "northwind" }, device("fabrikam", 545.0)],
        ),
    ]
}

/// Plays a scenario, one step per call.
#[derive(Debug)]
pub struct Stage {
    scenario: Scenario,
    tenants: HashMap<&'static str, EntraTenantId>,
    next: usize,
}

impl Stage {
    /// Puts the scenario's tenants into the cloud, as they are now.
    #[must_use]
    pub fn set(scenario: Scenario, cloud: &Cloud, now: Timestamp) -> Self {
        for actor in &scenario.tenants {
            cloud.add_tenant(actor.entra, actor.client_id, actor.secret, actor.device_score);
            cloud.set_score(actor.entra, ScoreKind::ExposureScore, actor.exposure_score);
            cloud.set_roles(
                actor.entra,
                &["Score.Read.All", "SecurityRecommendation.Read.All", "SecurityEvents.Read.All"],
            );
            cloud.set_records(actor.entra, actor.records(now));
            cloud.set_recommendations(actor.entra, recommendations());
        }
        let tenants = scenario.tenants.iter().map(|actor| (actor.id, actor.entra)).collect();
        Self { scenario, tenants, next: 0 }
    }

    /// Sets every score to what it was that many hours ago.
    pub fn set_back(&self, cloud: &Cloud, hours: u32) {
        for actor in &self.scenario.tenants {
            cloud.set_score(actor.entra, ScoreKind::DeviceSecureScore, actor.device_score_before(hours));
            cloud.set_score(actor.entra, ScoreKind::ExposureScore, actor.exposure_score_before(hours));
        }
    }

    /// How many steps the story has.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.scenario.steps.len()
    }

    /// The directory of a tenant of the story.
    #[must_use]
    pub fn entra(&self, tenant: &str) -> Option<EntraTenantId> {
        self.tenants.get(tenant).copied()
    }

    /// Makes the next step happen and returns it; `None`: the story is over.
    pub fn advance(&mut self, cloud: &Cloud, receivers: &Receivers) -> Option<&Step> {
        let step = self.scenario.steps.get(self.next)?;
        self.next += 1;
        for change in &step.changes {
            self.apply(change, cloud, receivers);
        }
        Some(step)
    }

    /// Makes a change happen.
    pub fn apply(&self, change: &Change, cloud: &Cloud, receivers: &Receivers) {
        let find = |tenant: &str| self.tenants.get(tenant).copied();
        match change {
            Change::Score { tenant, kind, value } => {
                if let Some(tenant) = find(tenant) {
                    cloud.set_score(tenant, *kind, *value);
                }
            }
            Change::SignedOut { tenant } => {
                if let Some(tenant) = find(tenant) {
                    cloud.set_sign_in(tenant, Some(SignIn::Refuse(EntraRefusal::SecretExpired)));
                    cloud.set_fetch(tenant, Some(Fetch::Refuse(DefenderRefusal::TokenExpired)));
                }
            }
            Change::SecretRenewed { tenant } => {
                if let Some(tenant) = find(tenant) {
                    cloud.set_sign_in(tenant, None);
                    cloud.set_fetch(tenant, None);
                }
            }
            Change::ReceiverDown { channel } => receivers.set(channel, Some(Reply::html(503))),
            Change::ReceiverUp { channel } => receivers.set(channel, None),
        }
    }
}

/// What Defender recommends to every tenant of the story.
fn recommendations() -> Vec<serde_json::Value> {
    let all = [
        ("sca-_-scid-2011", "Turn on real-time protection", "SecurityControls", 9.1, 12),
        ("sca-_-scid-2080", "Block credential stealing from LSASS", "SecurityControls", 5.2, 31),
        ("sca-_-scid-3010", "Require BitLocker on fixed drives", "OS", 3.4, 9),
    ];
    let recommendation = |(id, name, category, impact, exposed)| {
        serde_json::json!({
            "id": id, "recommendationName": name, "recommendationCategory": category,
            "remediationType": "ConfigurationChange", "configScoreImpact": impact, "exposureImpact": 0.2,
            "exposedMachinesCount": exposed, "totalMachineCount": 120, "status": "Active",
        })
    };
    all.into_iter().map(recommendation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_names_a_tenant_of_the_story() {
        let scenario = Scenario::customers();
        for change in scenario.steps.iter().flat_map(|step| &step.changes) {
            let (Change::Score { tenant, .. } | Change::SignedOut { tenant } | Change::SecretRenewed { tenant }) =
                change
            else {
                continue;
            };
            assert!(scenario.tenants.iter().any(|actor| actor.id == *tenant), "{tenant}");
        }
    }
}
