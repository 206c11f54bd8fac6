//! Who is next: the due instants of all tenants, in order. Pure; the store keeps the truth, this is its index in memory.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    time::Duration,
};

use crate::{
    domain::{TenantId, Timestamp},
    store::Due,
};

/// Why a tenant's turn has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Its next check is due.
    Check {
        /// When it was due; what lateness is counted from.
        due_at: Timestamp,
    },
    /// Its alerts must be evaluated: a reminder, a silence or an acceptance has come of age.
    Wake,
}

/// The due instants of all tenants. A tenant whose turn was taken is out until it is put back.
#[derive(Debug, Default)]
pub struct DueQueue {
    slots: HashMap<TenantId, Slot>,
    /// One entry per slot that is not taken, not counting stale ones, which [`DueQueue::take`] skips.
    order: BinaryHeap<Reverse<(Timestamp, TenantId)>>,
    /// Wakes that come due while the tenant's check is under way, not counting stale ones.
    beside: BinaryHeap<Reverse<(Timestamp, TenantId)>>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    check_at: Timestamp,
    wake_at: Option<Timestamp>,
    taken: bool,
    /// Somebody asked for a wake while the tenant's turn was taken.
    wake_requested: bool,
    /// How often in a row its turn came to nothing.
    failures: u32,
    /// When it has another turn after one that came to nothing.
    again_at: Option<Timestamp>,
    /// When its turn was taken.
    taken_at: Timestamp,
    /// The latest time of its next check, for a tenant whose turn was taken when the clock went back.
    latest: Option<Timestamp>,
}

/// How long a tenant waits after its turn came to nothing for the first time; doubled each further time in a row.
const AGAIN_FIRST: Duration = Duration::from_secs(5);
/// No wait is longer.
const AGAIN_MAX: Duration = Duration::from_mins(5);
/// A check that has been under way for so long does not keep the tenant's alerts from being evaluated.
const BESIDE_AFTER: Duration = Duration::from_mins(1);

impl Slot {
    fn next(&self) -> Timestamp {
        self.wake_at.map_or(self.check_at, |wake_at| wake_at.min(self.check_at))
    }

    /// When its alerts must be evaluated though its check is still under way.
    fn beside_at(&self) -> Option<Timestamp> {
        self.wake_at.filter(|_| self.taken).map(|wake_at| wake_at.max(self.taken_at.plus(BESIDE_AFTER)))
    }
}

impl DueQueue {
    /// Puts a tenant in, or back after its turn.
    pub fn put(&mut self, due: Due) {
        let known = self.slots.get(&due.tenant);
        let is_requested = known.is_some_and(|slot| slot.wake_requested);
        let latest = known.and_then(|slot| slot.latest).unwrap_or(due.next_due_at);
        let wake_at = if is_requested { Some(Timestamp::EPOCH) } else { due.wake_at };
        let slot = Slot {
            check_at: due.next_due_at.min(latest),
            wake_at,
            taken: false,
            wake_requested: false,
            failures: 0,
            again_at: None,
            taken_at: Timestamp::EPOCH,
            latest: None,
        };
        self.order.push(Reverse((slot.next(), due.tenant.clone())));
        self.slots.insert(due.tenant, slot);
    }

    /// Puts a tenant back whose turn came to nothing (the store failed, the visit broke down). It has another before long, each
    /// time a little later, so that a store that stays full does not make us ask Microsoft without end.
    pub fn put_again(&mut self, tenant: &TenantId, now: Timestamp) {
        let Some(slot) = self.slots.get_mut(tenant) else { return };
        let wait = AGAIN_FIRST.saturating_mul(1_u32.checked_shl(slot.failures).unwrap_or(u32::MAX)).min(AGAIN_MAX);
        let at = now.plus(wait);
        slot.failures = slot.failures.saturating_add(1);
        slot.again_at = Some(at);
        slot.wake_at = if slot.wake_requested { Some(at) } else { slot.wake_at.map(|wake_at| wake_at.max(at)) };
        slot.wake_requested = false;
        slot.check_at = slot.check_at.min(slot.latest.take().unwrap_or(slot.check_at)).max(at);
        slot.taken = false;
        self.order.push(Reverse((slot.next(), tenant.clone())));
    }

    /// Lets nobody wait any longer whose turn came to nothing: what they waited for is fixed.
    pub fn try_again(&mut self, now: Timestamp) {
        for (tenant, slot) in self.slots.iter_mut().filter(|(_, slot)| !slot.taken) {
            let Some(again_at) = slot.again_at.take().filter(|again_at| *again_at > now) else { continue };
            for at in [Some(&mut slot.check_at), slot.wake_at.as_mut()].into_iter().flatten() {
                if *at == again_at {
                    *at = now;
                }
            }
            slot.failures = 0;
            self.order.push(Reverse((slot.next(), tenant.clone())));
        }
    }

    /// The tenants whose turn is taken.
    pub fn taken(&self) -> impl Iterator<Item = &TenantId> {
        self.slots.iter().filter(|(_, slot)| slot.taken).map(|(tenant, _)| tenant)
    }

    /// Forgets a tenant that is no longer configured.
    pub fn remove(&mut self, tenant: &TenantId) {
        self.slots.remove(tenant);
    }

    /// Whether the tenant is known, taken or not.
    #[must_use]
    pub fn contains(&self, tenant: &TenantId) -> bool {
        self.slots.contains_key(tenant)
    }

    /// Asks that the tenant's alerts are evaluated as soon as possible, though no check is due.
    pub fn wake(&mut self, tenant: &TenantId) {
        if let Some(slot) = self.slots.get_mut(tenant) {
            if slot.taken {
                slot.wake_requested = true;
            } else {
                slot.wake_at = Some(Timestamp::EPOCH);
                self.order.push(Reverse((Timestamp::EPOCH, tenant.clone())));
            }
        }
    }

    /// When the tenant's next check is due, or was when its turn was taken.
    #[must_use]
    pub fn check_at(&self, tenant: &TenantId) -> Option<Timestamp> {
        self.slots.get(tenant).map(|slot| slot.check_at)
    }

    /// Takes the next tenant whose turn has come.
    pub fn take(&mut self, now: Timestamp) -> Option<(TenantId, Turn)> {
        loop {
            let Reverse((at, _)) = self.order.peek()?;
            if *at > now {
                return None;
            }
            let Reverse((at, tenant)) = self.order.pop()?;
            let Some(slot) = self.slots.get_mut(&tenant) else { continue };
            if slot.taken || slot.next() != at {
                continue;
            }
            (slot.taken, slot.taken_at) = (true, now);
            let turn = if slot.check_at <= now { Turn::Check { due_at: slot.check_at } } else { Turn::Wake };
            if let Some(at) = slot.beside_at().filter(|_| turn != Turn::Wake) {
                self.beside.push(Reverse((at, tenant.clone())));
            }
            return Some((tenant, turn));
        }
    }

    /// Takes the next tenant whose alerts must be evaluated though its check has long been under way: time passes for it, whatever
    /// the check waits for. To be given back by [`DueQueue::put_beside`].
    pub fn take_beside(&mut self, now: Timestamp) -> Option<TenantId> {
        loop {
            let Reverse((at, _)) = self.beside.peek()?;
            if *at > now {
                return None;
            }
            let Reverse((at, tenant)) = self.beside.pop()?;
            let Some(slot) = self.slots.get_mut(&tenant) else { continue };
            if slot.beside_at() == Some(at) {
                slot.wake_at = None;
                return Some(tenant);
            }
        }
    }

    /// Notes when the alerts of a tenant must be evaluated next, after they were while its check was under way.
    pub fn put_beside(&mut self, tenant: &TenantId, wake_at: Option<Timestamp>) {
        let (Some(slot), Some(wake_at)) = (self.slots.get_mut(tenant), wake_at) else { return };
        slot.wake_at = Some(slot.wake_at.map_or(wake_at, |known| known.min(wake_at)));
        match slot.beside_at() {
            Some(at) => self.beside.push(Reverse((at, tenant.clone()))),
            None => self.order.push(Reverse((slot.next(), tenant.clone()))),
        }
    }

    /// When the next turn comes; `None`: nobody waits for one.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        self.order.peek().map(|Reverse((at, _))| *at)
    }

    /// Every tenant and when its next check is due, for the case that the clock has gone back.
    pub fn bring_forward(&mut self, mut latest: impl FnMut(&TenantId) -> Option<Timestamp>) {
        for (tenant, slot) in &mut self.slots {
            if let Some(latest) = latest(tenant).filter(|latest| *latest < slot.check_at && !slot.taken) {
                slot.check_at = latest;
                self.order.push(Reverse((slot.next(), tenant.clone())));
            }
        }
    }

    /// The same for tenants whose turn is taken: what they come back with was worked out before the clock went back, or after
    /// their time had come once more.
    pub fn bring_forward_taken(&mut self, mut latest: impl FnMut(&TenantId) -> Option<Timestamp>) {
        for (tenant, slot) in self.slots.iter_mut().filter(|(_, slot)| slot.taken) {
            slot.latest = latest(tenant);
        }
    }

    /// How many tenants there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn due(id: &str, next_due_at: i64, wake_at: Option<i64>) -> Due {
        Due { tenant: tenant(id), next_due_at: at(next_due_at), wake_at: wake_at.map(at) }
    }

    #[test]
    fn tenants_come_in_the_order_of_their_due_instants_and_never_early() {
        let mut queue = DueQueue::default();
        queue.put(due("late", 30, None));
        queue.put(due("early", 10, None));
        assert_eq!(queue.take(at(9)), None);
        assert_eq!(queue.take(at(30)), Some((tenant("early"), Turn::Check { due_at: at(10) })));
        assert_eq!(queue.take(at(30)), Some((tenant("late"), Turn::Check { due_at: at(30) })));
        assert_eq!(queue.take(at(99)), None, "a taken tenant is out until it is put back");
        queue.put(due("early", 40, None));
        assert_eq!(queue.next_at(), Some(at(40)));
    }

    #[test]
    fn a_wake_comes_before_the_check_and_is_remembered_while_the_turn_is_taken() {
        let mut queue = DueQueue::default();
        queue.put(due("a", 100, Some(50)));
        assert_eq!(queue.take(at(50)), Some((tenant("a"), Turn::Wake)));
        queue.wake(&tenant("a"));
        queue.put(due("a", 100, None));
        assert_eq!(queue.take(at(51)), Some((tenant("a"), Turn::Wake)));
        queue.put(due("a", 100, None));
        assert_eq!(queue.take(at(99)), None);
        queue.wake(&tenant("a"));
        assert_eq!(queue.take(at(99)), Some((tenant("a"), Turn::Wake)));
    }

    #[test]
    fn a_clock_that_goes_back_delays_nobody_beyond_the_next_tick() {
        let mut queue = DueQueue::default();
        queue.put(due("a", 3_600, None));
        queue.bring_forward(|_| Some(at(60)));
        assert_eq!(queue.take(at(60)), Some((tenant("a"), Turn::Check { due_at: at(60) })));
        queue.put(due("a", 120, None));
        assert_eq!(queue.take(at(60)), None, "the stale entry is skipped");
    }

    #[test]
    fn a_clock_that_goes_back_while_a_turn_is_taken_does_not_delay_the_next_one() {
        let mut queue = DueQueue::default();
        queue.put(due("a", 3_600, None));
        assert!(queue.take(at(3_600)).is_some());
        queue.bring_forward_taken(|_| Some(at(60)));
        queue.put(due("a", 120, None));
        assert_eq!(queue.take(at(60)), Some((tenant("a"), Turn::Check { due_at: at(60) })));
        queue.put(due("a", 120, None));
        assert_eq!(queue.take(at(60)), None, "once");
    }

    #[test]
    fn a_turn_that_came_to_nothing_comes_again_a_little_later_each_time() {
        let mut queue = DueQueue::default();
        queue.put(due("a", 0, None));
        let mut now = 0;
        for wait in [5, 10, 20, 40, 80, 160, 300, 300] {
            assert!(queue.take(at(now)).is_some());
            queue.put_again(&tenant("a"), at(now));
            assert_eq!(queue.next_at(), Some(at(now + wait)));
            now += wait;
        }
        assert!(queue.take(at(now)).is_some());
        queue.put(due("a", now, None));
        assert!(queue.take(at(now)).is_some());
        queue.put_again(&tenant("a"), at(now));
        assert_eq!(queue.next_at(), Some(at(now + 5)), "a turn that came to something starts anew");
    }

    #[test]
    fn a_wake_that_came_to_nothing_is_not_a_reason_to_check_early() {
        let mut queue = DueQueue::default();
        queue.put(due("a", 100, Some(10)));
        assert_eq!(queue.take(at(10)), Some((tenant("a"), Turn::Wake)));
        queue.put_again(&tenant("a"), at(10));
        assert_eq!(queue.take(at(15)), Some((tenant("a"), Turn::Wake)));
        queue.wake(&tenant("a"));
        queue.put_again(&tenant("a"), at(15));
        assert_eq!(queue.take(at(25)), Some((tenant("a"), Turn::Wake)));
    }

    #[test]
    fn once_the_store_has_recovered_nobody_waits_for_another_turn() {
        let mut queue = DueQueue::default();
        for (id, check_at, wake_at) in [("check", 0, None), ("wake", 100, Some(0)), ("other", 50, None)] {
            queue.put(due(id, check_at, wake_at));
        }
        for id in ["check", "wake"] {
            assert!(queue.take(at(0)).is_some());
            queue.put_again(&tenant(id), at(0));
        }
        queue.try_again(at(1));
        let turns = [queue.take(at(1)), queue.take(at(1))];
        assert_eq!(
            turns,
            [("check", Turn::Check { due_at: at(1) }), ("wake", Turn::Wake)].map(|(id, turn)| Some((tenant(id), turn)))
        );
        assert_eq!(queue.take(at(49)), None, "who waits for its schedule goes on waiting");
    }

    #[test]
    fn the_alerts_of_a_tenant_are_evaluated_while_its_check_hangs() {
        let mut queue = DueQueue::default();
        queue.put(due("a", 0, Some(90)));
        assert_eq!(queue.take(at(0)), Some((tenant("a"), Turn::Check { due_at: at(0) })));
        assert_eq!(queue.take_beside(at(89)), None);
        assert_eq!(queue.take_beside(at(90)), Some(tenant("a")));
        assert_eq!(queue.take_beside(at(999)), None, "one look at a time");
        queue.put_beside(&tenant("a"), Some(at(200)));
        assert_eq!(queue.take_beside(at(199)), None);
        assert_eq!(queue.take_beside(at(200)), Some(tenant("a")));
        queue.put(due("a", 1_000, None));
        queue.put_beside(&tenant("a"), Some(at(300)));
        assert_eq!(queue.take(at(300)), Some((tenant("a"), Turn::Wake)), "the check came back first");
    }

    #[test]
    fn a_check_that_does_not_hang_looks_at_the_alerts_itself() {
        let mut queue = DueQueue::default();
        queue.put(due("a", 10, Some(10)));
        assert!(queue.take(at(10)).is_some());
        assert_eq!(queue.take_beside(at(69)), None);
        queue.put(due("a", 1_000, None));
        assert_eq!(queue.take_beside(at(999)), None);
    }

    #[test]
    fn a_removed_tenant_never_has_a_turn() {
        let mut queue = DueQueue::default();
        queue.put(due("a", 10, None));
        queue.remove(&tenant("a"));
        assert_eq!(queue.take(at(10)), None);
        assert!(queue.is_empty());
    }
}
