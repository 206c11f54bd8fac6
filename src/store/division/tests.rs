//! What is begun, given up and taken in memory.

use std::{collections::BTreeSet, time::Duration};

use super::*;

fn shared() -> Division {
    let division = Division::shared("a".to_owned(), "one".to_owned());
    division.renewed(Instant::now() + Duration::from_hours(1));
    division
}

fn shards(numbers: impl IntoIterator<Item = i64>) -> BTreeSet<Shard> {
    numbers.into_iter().filter_map(Shard::from_number).collect()
}

#[test]
fn one_process_owns_everything() {
    let division = Division::whole();
    assert!(division.begin(Shard::LEAD).is_some() && division.leads() && division.agrees());
    assert_eq!((division.living(), division.owned()), (1, usize::from(SHARDS)));
}

#[test]
fn nothing_is_begun_without_a_shard_or_a_lease() {
    let division = shared();
    assert!(division.begin(Shard::LEAD).is_none());
    division.take(&shards([0, 7]));
    assert!(division.begin(Shard::LEAD).is_some() && division.leads());
    assert!(division.begin(Shard(8)).is_none());
    division.renewed(Instant::now());
    assert!(division.begin(Shard::LEAD).is_none() && division.owns(Shard::LEAD) && !division.is_valid());
}

#[test]
fn a_shard_is_given_up_when_nobody_works_on_it_and_not_before() {
    let division = shared();
    division.take(&shards([0, 7, 8]));
    let tenure = division.begin(Shard(7)).unwrap();
    assert_eq!(division.prepare_to_give_up(&shards([7, 8, 9])), shards([8]));
    assert!(division.begin(Shard(7)).is_none(), "no new work");
    division.gave_up(&shards([8]));
    drop(tenure);
    assert_eq!(division.prepare_to_give_up(&shards([7])), shards([7]));
    assert_eq!(division.prepare_to_give_up(&shards([])), shards([]), "it may stay after all");
    assert!(division.owns(Shard(7)) && !division.owns(Shard(8)));
    division.leave();
    assert_eq!(division.prepare_to_give_up(&shards([])), shards([0, 7]));
    division.take(&shards([9]));
    assert!(!division.owns(Shard(9)), "what comes while it leaves is given up as well");
}

#[test]
fn brief_work_goes_on_while_a_check_keeps_the_shard_and_does_not_keep_it_any_longer() {
    let division = shared();
    division.take(&shards([7]));
    let (check, send) = (division.begin(Shard(7)).unwrap(), division.begin_brief(Shard(7)).unwrap());
    assert!(division.prepare_to_give_up(&shards([7])).is_empty());
    drop(send);
    let next = division.begin_brief(Shard(7)).expect("the check keeps the shard here");
    assert!(division.begin(Shard(7)).is_none() && !division.owns(Shard(7)) && division.still_owns(Shard(7)));
    drop(check);
    assert!(division.begin_brief(Shard(7)).is_none(), "only sends would keep it");
    assert!(division.prepare_to_give_up(&shards([7])).is_empty(), "one is under way");
    drop(next);
    assert_eq!(division.prepare_to_give_up(&shards([7])), shards([7]));
    division.gave_up(&shards([7]));
    assert!(division.begin_brief(Shard(7)).is_none() && !division.still_owns(Shard(7)));
}

#[tokio::test]
async fn a_lease_is_lost_when_its_time_is_over_and_not_while_it_is_renewed() {
    let division = shared();
    assert!(futures_util::FutureExt::now_or_never(division.lost()).is_none());
    division.renewed(Instant::now());
    division.lost().await;
}

#[test]
fn shards_are_the_same_in_every_version_and_evenly_used() {
    let channel = |name: &str| Shard::of_channel(&ChannelName::parse(name).unwrap()).number();
    assert_eq!((channel("soc"), channel("ops")), (channel("soc"), channel("ops")));
    let mut used = vec![0_u32; SHARDS.into()];
    for number in 0..64_000_u32 {
        used[usize::from(channel(&format!("channel-{number}")))] += 1;
    }
    assert!(used.iter().all(|count| (800..1_200).contains(count)), "{used:?}");
}
