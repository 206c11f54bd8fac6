//! Some lives of the service, with everything that its store wrote, and what was seen from outside meanwhile.

use std::{
    collections::{BTreeMap, HashMap},
    fmt, fs,
    path::Path,
};

use super::{
    disk::Image,
    record::{self, Change, Record},
};
use crate::{
    harness::{Arrived, Service, arrived, entra},
    promise::crash::{
        shim::Shim,
        stage::{Stage, TENANTS},
    },
};

/// How often all scores turn in one life, after what they were before is judged.
const TURNS: u32 = 2;

/// Files that a power cut does not concern: the store makes them again.
const MADE_AGAIN: [&str; 2] = ["scorewatch.db-shm", "scorewatch.db.lock"];

/// What a receiver or a command has shown.
#[derive(Debug, Clone)]
pub(super) enum Seen {
    /// A receiver was sent that.
    Sent { channel: String, id: String },
    /// The channel's next request came: this one was taken before, and that was recorded.
    Settled { channel: String, id: String },
    /// The tenant was asked again: that many of its checks are committed.
    Checked { tenant: String, times: u64 },
}

/// That it was seen when the log of that life was so long, or a little shorter.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) life: usize,
    pub(super) log: u64,
    pub(super) seen: Seen,
}

/// One run of the process, from start to kill.
pub(super) struct Life {
    pub(super) records: Vec<Record>,
    /// The files that it left.
    pub(super) left: Image,
    /// Whether it was asked to stop, and not killed.
    pub(super) stopped: bool,
}

pub(super) struct Recording {
    pub(super) lives: Vec<Life>,
    pub(super) marks: Vec<Mark>,
}

impl Recording {
    /// Runs the service the given number of times; every fifth time it is asked to stop, otherwise it is killed. So the log of the store grows
    /// until it is checkpointed on the way, and is checkpointed at a stop.
    pub(super) async fn make(lives: usize, seed: u64, environment: &[(&str, &str)]) -> Self {
        let mut stage = Stage::new("recording", seed).await;
        let logs = tempfile::tempdir().unwrap();
        let mut recording = Self { lives: Vec::new(), marks: Vec::new() };
        let mut committed = HashMap::new();
        for life in 0..lives {
            stage.turn_scores();
            stage.trouble_receivers();
            let log = logs.path().join(format!("{life}.log"));
            let shim = Shim::around(&stage.store()).with("SCOREWATCH_SHIM_LOG", log.display().to_string());
            let service = stage.spawn(&[shim.environment(), environment.to_vec()].concat());
            let mut watch = Watch::new(&stage, life, &log, &mut committed);
            watch.until_enough(&service).await;
            recording.marks.append(&mut watch.marks);
            let stopped = life % 5 == 4;
            if stopped {
                assert_eq!(service.stop().await.code(), Some(0));
            } else {
                service.kill();
            }
            stage.gone().await;
            let left = left(stage.store().parent().unwrap());
            recording.lives.push(Life { records: record::read(&fs::read(log).unwrap()), left, stopped });
        }
        stage.finish().await;
        recording
    }

    fn count(&self, what: impl Fn(&Change) -> bool) -> usize {
        self.lives.iter().flat_map(|life| &life.records).filter(|record| what(&record.change)).count()
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checkpoints = self.lives.iter().flat_map(|life| &life.records);
        let checkpoints =
            checkpoints.filter(|record| record.change == Change::Sync && record.name == "scorewatch.db").count();
        let writes = self.count(|change| matches!(change, Change::Write { .. }));
        let syncs = self.count(|change| *change == Change::Sync);
        let (lives, seen) = (self.lives.len(), self.marks.len());
        write!(f, "{lives} lives, {writes} writes, {syncs} syncs, {checkpoints} checkpoints, {seen} things seen")
    }
}

/// The files of the store, without what is made again.
fn left(folder: &Path) -> Image {
    let mut image = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !MADE_AGAIN.contains(&name.as_str()) {
            image.insert(name, fs::read(&path).unwrap());
        }
    }
    image
}

/// Watches receivers and cloud during one life.
struct Watch<'a> {
    stage: &'a Stage,
    life: usize,
    log: &'a Path,
    /// By tenant: commits of earlier lives.
    committed: &'a mut HashMap<String, u64>,
    marks: Vec<Mark>,
}

impl<'a> Watch<'a> {
    fn new(stage: &'a Stage, life: usize, log: &'a Path, committed: &'a mut HashMap<String, u64>) -> Self {
        Self { stage, life, log, committed, marks: Vec::new() }
    }

    async fn until_enough(&mut self, service: &Service) {
        let (world, life, log) = (&self.stage.world, self.life, self.log);
        // Read after what was seen, so that the log was not longer when it happened.
        let length = || fs::metadata(log).map_or(0, |metadata| metadata.len());
        let (mut sent, mut known) = (Vec::new(), world.receivers.received().len());
        let mut newest: HashMap<String, Vec<Arrived>> = HashMap::new();
        let messages = world.receivers.wait_for(|received| {
            let now = length();
            for request in &received[known..] {
                let channel = request.channel.to_string();
                let voices = arrived(std::slice::from_ref(request), &channel);
                let Some(message) = voices.last().map(|arrived| arrived.message.clone()).filter(|id| !id.is_empty())
                else {
                    continue;
                };
                let mut mark = |seen| sent.push(Mark { life, log: now, seen });
                mark(Seen::Sent { channel: channel.clone(), id: message });
                let before = newest.insert(channel.clone(), voices).unwrap_or_default();
                for voice in before.into_iter().filter(|arrived| arrived.accepted) {
                    mark(Seen::Settled { channel: channel.clone(), id: voice.id });
                }
            }
            known = received.len();
            false
        });
        let tenants: Vec<_> = (0..TENANTS).map(|number| format!("tenant-{number}")).collect();
        let asked = |tenant: &str| world.cloud.tenant_counts(entra(tenant)).score_requests;
        let at_first: Vec<_> = tenants.iter().map(|tenant| asked(tenant)).collect();
        let (mut commits, mut turns, mut turned_at) = (vec![0; TENANTS], 0, vec![0; TENANTS]);
        let mut checked = Vec::new();
        let committed = &mut *self.committed;
        let checks = world.cloud.wait_for(|_| {
            let counts: Vec<_> = tenants.iter().zip(&at_first).map(|(tenant, first)| asked(tenant) - first).collect();
            let now = length();
            for (index, count) in counts.iter().copied().enumerate() {
                if count > commits[index] + 1 {
                    commits[index] = count - 1;
                    let times = committed.get(&tenants[index]).copied().unwrap_or(0) + commits[index];
                    checked.push(Mark {
                        life,
                        log: now,
                        seen: Seen::Checked { tenant: tenants[index].clone(), times },
                    });
                }
            }
            // Asked twice since the scores turned: what they turned to is judged and committed.
            if counts.iter().zip(&turned_at).all(|(count, since)| *count >= since + 2) {
                turns += 1;
                self.stage.turn_scores();
                turned_at = counts;
            }
            turns >= TURNS
        });
        let either = async {
            tokio::select! {
                () = messages => {}
                () = checks => {}
            }
        };
        world.patiently(service, "checks of every tenant", either).await;
        for (tenant, commits) in tenants.into_iter().zip(commits) {
            *committed.entry(tenant).or_default() += commits;
        }
        self.marks.append(&mut sent);
        self.marks.append(&mut checked);
        self.marks.sort_by_key(|mark| mark.log);
    }
}
