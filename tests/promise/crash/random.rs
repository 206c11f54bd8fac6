//! `kill -9` at random points, now and then in the middle of a reload or of the removal of what is old.

use rand::RngExt;

use super::{report, seed, setting, stage::Stage};

const KILLS: u64 = 300;
/// How many worlds run in parallel: a world mostly waits.
const WORLDS: u64 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_random_points_lose_nothing_and_repeat_only_what_was_in_flight() {
    let (kills, seed) = (setting("SCOREWATCH_CRASH_KILLS").unwrap_or(KILLS), seed());
    report(&format!("random kills: {kills}, SCOREWATCH_CRASH_SEED={seed}"));
    let worlds = (0..WORLDS).map(|world| {
        let kills = kills.div_ceil(WORLDS);
        tokio::spawn(async move {
            if world == 0 { kill_in_shifts(kills, seed).await } else { kill_again_and_again(kills, seed + world).await }
        })
    });
    let (mut accepted, mut repeats) = (0, 0);
    for world in worlds.collect::<Vec<_>>() {
        let tally = world.await.unwrap();
        accepted += tally.accepted;
        repeats += tally.repeats;
    }
    report(&format!(
        "random kills: {accepted} accepted, of which {repeats} marked repeats; 0 lost, 0 avoidable repeats"
    ));
    assert!(accepted as u64 > kills / 2, "seed {seed}: too little happened to prove anything");
}

async fn kill_again_and_again(kills: u64, seed: u64) -> super::model::Tally {
    let mut stage = Stage::new("random kills", seed).await;
    for kill in 0..kills {
        stage.move_scores();
        stage.trouble_receivers();
        if kill > 0 && stage.random.random_ratio(1, 12) {
            stage.age().await;
        }
        let service = stage.spawn(&[]);
        if stage.random.random_ratio(1, 6) {
            stage.reload(&service).await;
        }
        if stage.random.random_ratio(1, 6) {
            service.listening().await;
            stage.silence().await;
        }
        stage.random_point(&service).await;
        service.kill();
        stage.gone().await;
    }
    stage.finish().await
}

/// The same where alerts are held for the fleet, which moves together now and then.
async fn kill_in_shifts(kills: u64, seed: u64) -> super::model::Tally {
    let mut stage = Stage::of_fleet("random kills in fleet shifts", seed).await;
    for _ in 0..kills {
        match stage.random.random_range(0..4) {
            0 => stage.move_scores(),
            1 => stage.turn_scores(),
            _ => {}
        }
        stage.trouble_receivers();
        let service = stage.spawn(&[]);
        stage.random_point(&service).await;
        service.kill();
        stage.gone().await;
    }
    stage.finish().await
}
