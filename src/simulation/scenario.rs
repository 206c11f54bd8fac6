//! A scripted story for `demo`: its tenants, and what happens to them step by step. Pure data, and a stage that plays
//! it.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    Cloud, Receivers, Reply,
    cloud::{EntraRefusal, SignIn},
};
use crate::domain::{EntraTenantId, ScoreKind};

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
}

/// One step of the story.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The text that is shown while the step runs.
    pub title: &'static str,
    /// The changes that the step makes.
    pub changes: Vec<Change>,
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
    /// Every secret of the tenant's app expires. Tokens already issued stay good until they expire.
    SecretExpires {
        /// The slug of the tenant concerned.
        tenant: &'static str,
    },
    /// The app has a good secret again.
    SecretRenewed {
        /// The slug of the tenant concerned.
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
    /// Three customers: one is fine throughout, one drops and recovers, one lets its secret expire.
    #[must_use]
    pub fn three_customers() -> Self {
        let actor = |number: u128, id, name, device_score| Actor {
            id,
            name,
            entra: EntraTenantId(Uuid::from_u128(0x2f1c_0a5e_0000_4000_8000_0000_0000_0000 + number)),
            client_id: Uuid::from_u128(0x6d2a_0000_0000_4000_8000_0000_0000_0000 + number),
            secret: "simulated-secret",
            device_score,
        };
        let fabrikam = |value| Change::Score { tenant: "fabrikam", kind: ScoreKind::DeviceSecureScore, value };
        let step = |title, changes| Step { title, changes };
        Self {
            tenants: vec![
                actor(1, "contoso", "Contoso Ltd", 612.0),
                actor(2, "fabrikam", "Fabrikam GmbH", 548.0),
                actor(3, "northwind", "Northwind Traders", 431.5),
            ],
            steps: vec![
                step("Everything is calm: three tenants are checked, and nobody is notified", vec![]),
                step("Fabrikam's device score falls from 548 to 486: a drop alert fires", vec![fabrikam(486.0)]),
                step("Fabrikam falls further, to 431: the same alert worsens", vec![fabrikam(431.0)]),
                step(
                    "Northwind's secret expires: the operator is notified that we are going blind",
                    vec![Change::SecretExpires { tenant: "northwind" }],
                ),
                step("Fabrikam is back at 545: its alert is resolved, with how long it lasted", vec![fabrikam(545.0)]),
                step("Northwind has a new secret: we see again", vec![Change::SecretRenewed { tenant: "northwind" }]),
            ],
        }
    }
}

/// Plays a scenario, one step per call.
#[derive(Debug)]
pub struct Stage {
    scenario: Scenario,
    tenants: HashMap<&'static str, EntraTenantId>,
    next: usize,
}

impl Stage {
    /// Puts the scenario's tenants into the cloud.
    #[must_use]
    pub fn set(scenario: Scenario, cloud: &Cloud) -> Self {
        for actor in &scenario.tenants {
            cloud.add_tenant(actor.entra, actor.client_id, actor.secret, actor.device_score);
        }
        let tenants = scenario.tenants.iter().map(|actor| (actor.id, actor.entra)).collect();
        Self { scenario, tenants, next: 0 }
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

    fn apply(&self, change: &Change, cloud: &Cloud, receivers: &Receivers) {
        let find = |tenant: &str| self.tenants.get(tenant).copied();
        match change {
            Change::Score { tenant, kind, value } => {
                if let Some(tenant) = find(tenant) {
                    cloud.set_score(tenant, *kind, *value);
                }
            }
            Change::SecretExpires { tenant } => {
                if let Some(tenant) = find(tenant) {
                    cloud.set_sign_in(tenant, Some(SignIn::Refuse(EntraRefusal::SecretExpired)));
                }
            }
            Change::SecretRenewed { tenant } => {
                if let Some(tenant) = find(tenant) {
                    cloud.set_sign_in(tenant, None);
                }
            }
            Change::ReceiverDown { channel } => receivers.set(channel, Some(Reply::html(503))),
            Change::ReceiverUp { channel } => receivers.set(channel, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_names_a_tenant_of_the_story() {
        let scenario = Scenario::three_customers();
        for change in scenario.steps.iter().flat_map(|step| &step.changes) {
            let (Change::Score { tenant, .. } | Change::SecretExpires { tenant } | Change::SecretRenewed { tenant }) =
                change
            else {
                continue;
            };
            assert!(scenario.tenants.iter().any(|actor| actor.id == *tenant), "{tenant}");
        }
    }
}
