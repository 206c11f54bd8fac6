//! What was held is looked at when its time has come, or what held it may be gone: sent, carried, withheld, or held further.

use std::collections::BTreeSet;

use tracing::info;

use super::dispatch::Dispatcher;
use crate::{
    config::Config,
    domain::{TenantId, Timestamp},
    notify::{
        DeliveryId, Hold, HoldReason, Silence,
        release::{Fate, Run, decide},
        silence::About,
    },
    store::StoreError,
};

/// Most looks one after the other; what is left then is looked at by the next sweep.
const LOOKS_MAX: usize = 100;

impl Dispatcher {
    /// Decides on everything that was held and is due. What is sent then is queued; its channels are busy.
    ///
    /// # Errors
    /// [`StoreError`]: what was not decided stays held.
    pub(super) async fn release(&self) -> Result<(), StoreError> {
        for _ in 0..LOOKS_MAX {
            let now = self.clock.now();
            let runs = self.store.held_due(now).await?;
            if runs.is_empty() {
                break;
            }
            let config = self.config.borrow().clone();
            let silences = self.store.silences(Some(now)).await?;
            let decided: Vec<_> = runs.iter().map(|run| fates(&config, &silences, run, now)).collect();
            runs.iter().zip(&decided).for_each(|(run, fates)| tell_log(run, fates));
            let taken = self.store.release(decided, now).await?;
            // Its alerts may be due for a reminder from here on.
            let tenants: BTreeSet<_> =
                runs.iter().filter_map(|run| TenantId::parse(&run.newest.data.tenant.as_ref()?.id).ok()).collect();
            for tenant in tenants {
                self.told(tenant);
            }
            if taken == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Lets everything that silences hold be decided on again, as what held it may be gone, and wakes the channels.
    ///
    /// # Errors
    /// [`StoreError`]: what was not decided stays held.
    pub async fn reconsider(&self) -> Result<(), StoreError> {
        self.store.look_again(HoldReason::Silence, self.clock.now()).await?;
        self.sweep().await;
        Ok(())
    }
}

/// What becomes of a run by the configuration in force and these silences.
fn fates(config: &Config, silences: &[Silence], run: &Run, now: Timestamp) -> Vec<(DeliveryId, Fate)> {
    let about = About::of(&run.newest).map(|about| {
        let tenant = config.tenants.get(about.tenant);
        About { labels: tenant.map_or(about.labels, |tenant| &tenant.labels), ..about }
    });
    let until = about.and_then(|about| config.covering(silences, &about, now));
    let hold = until.map(|until| Hold { why: HoldReason::Silence, until });
    let keeps_state = config.channels.get(&run.channel).is_some_and(|channel| channel.kind.keeps_state());
    decide(run, keeps_state, hold)
}

fn tell_log(run: &Run, fates: &[(DeliveryId, Fate)]) {
    let count = |wanted: fn(&Fate) -> bool| fates.iter().filter(|(_, fate)| wanted(fate)).count();
    let (sent, withheld) = (count(|fate| *fate == Fate::Send), count(|fate| *fate == Fate::Withhold));
    let held = count(|fate| matches!(fate, Fate::Hold(_)));
    let facts = &run.newest.data;
    let tenant = facts.tenant.as_ref().map(|tenant| tenant.id.as_str());
    let rule = facts.rule.as_ref().map(|rule| rule.name.as_str());
    info!(channel = %run.channel, tenant, rule, sent, withheld, held, "looked at what was held");
}
