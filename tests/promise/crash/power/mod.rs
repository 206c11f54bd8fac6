//! A power cut loses nothing that anybody saw.
//!
//! The real binary runs with `shim.c` around the files of its store; every write and sync is recorded in order, and beside them
//! how far the log was when a receiver was sent something and when a tenant was asked again. From the log come images of the disk
//! at any moment: all that was synced, and of the rest anything. The store's own code opens each of them.
//!
//! The same with `synchronous=NORMAL` must show losses; otherwise this test would prove nothing.

mod disk;
mod record;
mod recording;
mod trial;

use std::{collections::BTreeSet, sync::Arc};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{sync::Semaphore, task::JoinSet};

use self::{
    disk::Disk,
    record::Change,
    recording::{Recording, Seen},
    trial::{Known, Trial},
};
use super::{report, seed, setting};

const CUTS: u64 = 500;
/// Enough for the control: nearly every cut between two checkpoints must show a loss.
const CUTS_OF_CONTROL: u64 = 50;
const LIVES: usize = 10;
const LIVES_OF_CONTROL: usize = 2;
/// How many images are tried in parallel.
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_damages_nothing_and_loses_nothing_that_anybody_saw() {
    let (cuts, seed) = (setting("SCOREWATCH_CUTS").unwrap_or(CUTS), seed());
    report(&format!("power cuts: {cuts}, SCOREWATCH_CRASH_SEED={seed}"));
    let recording = Recording::make(LIVES, seed, &[]).await;
    let faults = cut(&recording, cuts, seed).await;
    report(&format!("power cuts: {recording}; {} of {cuts} images damaged or short of something", faults.len()));
    assert!(faults.is_empty(), "seed {seed}:\n{}", faults.concat().join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_without_a_sync_at_each_commit_shows_losses() {
    let seed = seed();
    let recording = Recording::make(LIVES_OF_CONTROL, seed, &[("SCOREWATCH_STORE_UNSAFE", "1")]).await;
    let faults = cut(&recording, CUTS_OF_CONTROL, seed).await;
    let lost = faults.iter().filter(|faults| faults.iter().any(|fault| fault.contains("lost"))).count();
    report(&format!(
        "negative control, synchronous=NORMAL: {lost} of {CUTS_OF_CONTROL} images show losses, \
         SCOREWATCH_CRASH_SEED={seed}; {recording}"
    ));
    assert!(lost > 0, "seed {seed}: this test does not see what it must see");
}

/// Cuts the power so often and says what was wrong with what was left, where something was.
async fn cut(recording: &Recording, cuts: u64, seed: u64) -> Vec<Vec<String>> {
    let mut random = StdRng::seed_from_u64(seed);
    let (mut disk, mut known) = (Disk::default(), Known::default());
    let (mut marks, mut trials) = (recording.marks.iter().peekable(), JoinSet::new());
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut moments = moments(recording, cuts, &mut random).into_iter().peekable();
    for (life, recorded) in recording.lives.iter().enumerate() {
        for (index, record) in recorded.records.iter().enumerate() {
            disk.apply(record);
            while let Some(mark) = marks.next_if(|mark| (mark.life, mark.log) <= (life, record.end)) {
                known.add(&mark.seen);
            }
            while moments.next_if_eq(&(life, index)).is_some() {
                let place = Arc::clone(&places).acquire_owned().await.unwrap();
                let trial = Trial { image: disk.cut(&mut random), known: known.clone(), moment: (life, index) };
                trials.spawn(async move {
                    let faults = trial.run().await;
                    drop(place);
                    faults
                });
            }
        }
        let has_missed = disk.catch_up(&recorded.left);
        assert!(!(has_missed && recorded.stopped), "seed {seed}: the shim did not see everything");
    }
    trials.join_all().await.into_iter().filter(|faults| !faults.is_empty()).collect()
}

/// When to cut, in order: a third of the moments anywhere, a third just after somebody saw something, and a third where something
/// else happens than an addition to the write-ahead log: checkpoints, files that come and go.
fn moments(recording: &Recording, cuts: u64, random: &mut StdRng) -> Vec<(usize, usize)> {
    let all = recording
        .lives
        .iter()
        .enumerate()
        .flat_map(|(life, recorded)| (0..recorded.records.len()).map(move |index| (life, index)));
    let all: Vec<_> = all.collect();
    let seen = recording.marks.iter().filter(|mark| matches!(mark.seen, Seen::Sent { .. })).map(|mark| {
        let records = &recording.lives[mark.life].records;
        (mark.life, records.partition_point(|record| record.end < mark.log).min(records.len() - 1))
    });
    let seen: Vec<_> = seen.collect::<BTreeSet<_>>().into_iter().collect();
    let rare = all.iter().copied().filter(|(life, index)| {
        let record = &recording.lives[*life].records[*index];
        !record.name.ends_with("-wal") || !matches!(record.change, Change::Write { .. } | Change::Sync)
    });
    let kinds = [&rare.collect::<Vec<_>>(), &all, &seen];
    let mut moments: Vec<_> =
        (0..cuts).zip(kinds.into_iter().cycle()).map(|(_, from)| from[random.random_range(0..from.len())]).collect();
    moments.sort_unstable();
    moments
}
