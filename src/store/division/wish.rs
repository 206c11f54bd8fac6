//! Which shards a replica gives up, and which it takes: as many as everybody else, give or take one. Pure.

use std::collections::BTreeSet;

use super::{SHARDS, Shard};

/// What a replica is to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct Wish {
    /// Shards to give up once nobody works on them.
    pub(in crate::store) give_up: BTreeSet<Shard>,
    /// Shards that nobody has, to be taken.
    pub(in crate::store) take: BTreeSet<Shard>,
}

/// The wish of replica `me`. `sharing`: the replicas that live and are to stay, oldest first; the oldest ones have one shard more if the
/// shards can't be spread evenly. `owners`: who owns each shard; `None`: nobody that lives.
///
/// Every replica reckons with the same table and so comes to wishes that fit together: each takes only what nobody has, and gives up only
/// what is more than its part. The lowest shards are kept, so the lead moves only when its owner goes.
pub(in crate::store) fn wish(me: &str, sharing: &[String], owners: &[Option<String>]) -> Wish {
    let Some(rank) = sharing.iter().position(|one| one == me) else { return Wish::default() };
    let (shards, count) = (usize::from(SHARDS), sharing.len());
    let part = shards / count + usize::from(rank < shards % count);
    let of = |owner: Option<&str>| -> Vec<Shard> {
        let all = Shard::all().zip(owners);
        all.filter(|(_, owned_by)| owned_by.as_deref() == owner).map(|(shard, _)| shard).collect()
    };
    let mine = of(Some(me));
    Wish {
        give_up: mine.iter().skip(part).copied().collect(),
        take: of(None).into_iter().take(part.saturating_sub(mine.len())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Vec<String> {
        list.split_whitespace().map(str::to_owned).collect()
    }

    /// Lets everybody do as they wish, one after the other, until nobody wishes anything; how many rounds that takes.
    fn settle(living: &[String], owners: &mut [Option<String>]) -> usize {
        for owner in &mut *owners {
            *owner = owner.take().filter(|owner| living.contains(owner));
        }
        for round in 0..10 {
            let mut has_moved = false;
            for me in living {
                let Wish { give_up, take } = wish(me, living, owners);
                has_moved |= !give_up.is_empty() || !take.is_empty();
                for shard in give_up {
                    owners[shard.index()] = None;
                }
                for shard in take {
                    assert_eq!(owners[shard.index()].replace(me.clone()), None, "taken from somebody who lives");
                }
            }
            if !has_moved {
                return round;
            }
        }
        panic!("they never agree: {owners:?}");
    }

    fn counts(living: &[String], owners: &[Option<String>]) -> Vec<usize> {
        living.iter().map(|one| owners.iter().filter(|owner| owner.as_ref() == Some(one)).count()).collect()
    }

    #[test]
    fn replicas_come_and_go_and_each_has_its_part() {
        let mut owners = vec![None; SHARDS.into()];
        for (living, parts) in [
            ("a", &[64][..]),
            ("a b", &[32, 32]),
            ("a b c", &[22, 21, 21]),
            ("a c", &[32, 32]),
            ("c", &[64]),
            ("c d e f g", &[13, 13, 13, 13, 12]),
            ("g h", &[32, 32]),
        ] {
            let living = names(living);
            assert!(settle(&living, &mut owners) <= 2, "{living:?}");
            assert_eq!(counts(&living, &owners), parts, "{living:?}");
        }
    }

    #[test]
    fn the_lead_stays_where_it_is_as_long_as_its_owner_lives() {
        let mut owners = vec![None; SHARDS.into()];
        settle(&names("a"), &mut owners);
        for living in ["a b", "a b c d", "a d"] {
            settle(&names(living), &mut owners);
            assert_eq!(owners[Shard::LEAD.index()].as_deref(), Some("a"));
        }
    }

    #[test]
    fn many_replicas_share_few_shards() {
        let living: Vec<_> = (0..70).map(|number| format!("{number:02}")).collect();
        let mut owners = vec![None; SHARDS.into()];
        settle(&living, &mut owners);
        assert_eq!(counts(&living, &owners).iter().filter(|count| **count == 1).count(), usize::from(SHARDS));
    }

    #[test]
    fn whoever_is_not_known_wishes_nothing() {
        assert_eq!(wish("z", &names("a b"), &vec![None; SHARDS.into()]), Wish::default());
    }

    #[test]
    fn what_one_that_is_about_to_leave_still_has_is_not_taken_from_it() {
        let mut owners = vec![None; SHARDS.into()];
        owners[5] = Some("leaves".to_owned());
        let Wish { give_up, take } = wish("a", &names("a"), &owners);
        assert_eq!((give_up.len(), take.len()), (0, 63));
        assert!(!take.contains(&Shard(5)));
    }
}
