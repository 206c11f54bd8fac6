//! The limits of the running service, or of this process if there is none: open files, memory, and the watchdog. Linux shows them under
//! `/proc` and `/sys/fs/cgroup`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::system::uname;

use super::{Finding, finding::bytes};
use crate::{
    config::{Config, StoreLocation},
    domain::{Scope, format_duration},
    query::{self, replicas},
    service::descriptors,
};

/// What the service needs without any tenant.
const MEMORY_BASE: u64 = 96 << 20;
/// What each tenant with one score adds at most, each further score of it, and each channel while its receiver hangs.
const MEMORY_PER_TENANT: u64 = 4 << 10;
const MEMORY_PER_SCORE: u64 = 2 << 10;
const MEMORY_PER_CHANNEL: u64 = 128 << 10;
/// From this share of its limit on, in percent, somebody should look.
const MEMORY_PERCENT_MAX: u64 = 90;

/// The service on this machine that shares a PostgreSQL store, as it notes itself there. `None`: there is none.
pub(super) async fn of_replica(config: &Config) -> Option<u32> {
    let StoreLocation::Postgres(_) = config.store else { return None };
    let store = query::open(config).await.ok()?;
    let found = replicas::list(&*store, &Scope::All).await;
    store.close().await;
    let system = uname();
    let host = system.nodename().to_string_lossy();
    let places: Vec<_> = found.ok()?.into_iter().filter(|one| one.living).map(|replica| replica.place).collect();
    let is_running = |pid: &u32| Path::new("/proc").join(pid.to_string()).exists();
    places.iter().filter_map(|place| pid_of(place, &host)).find(is_running)
}

/// The process in a replica's place, `pid 42 on soc-1`, if it is on this machine.
fn pid_of(place: &str, host: &str) -> Option<u32> {
    let (pid, machine) = place.strip_prefix("pid ")?.split_once(" on ")?;
    if machine == host { pid.parse().ok() } else { None }
}

/// `service`: the process that has the store.
pub(super) fn findings(config: &Config, service: Option<u32>) -> Vec<Finding> {
    let folder = Path::new("/proc").join(service.map_or_else(|| "self".to_owned(), |pid| pid.to_string()));
    let whose = service.map_or_else(|| "this process".to_owned(), |pid| format!("the service (pid {pid})"));
    let scores: usize = config.tenants.values().map(|tenant| tenant.scores.len()).sum();
    let needed_memory = needed_memory(config.tenants.len(), scores, config.channels.len());
    vec![
        open_files(&folder, &whose, descriptors::needed_by(config), service.is_some()),
        memory(&folder, &whose, needed_memory),
        watchdog(&folder, service),
    ]
}

fn open_files(folder: &Path, whose: &str, needed: u64, is_service: bool) -> Finding {
    let limits = fs::read_to_string(folder.join("limits")).unwrap_or_default();
    let Some((current, maximum)) = open_files_of(&limits) else {
        return Finding::skipped("open files", format!("the limit of {whose} can't be seen"));
    };
    // The service has raised its limit already; this process would do so.
    judge_open_files(if is_service { current } else { maximum }, needed, whose)
}

/// The current limit and the greatest one, as `/proc/PID/limits` has them. `None` in its place: unlimited.
fn open_files_of(limits: &str) -> Option<(Option<u64>, Option<u64>)> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let mut words = line.split_whitespace();
    let mut limit = || words.next().map(|word| word.parse().ok());
    Some((limit()?, limit()?))
}

fn judge_open_files(limit: Option<u64>, needed: u64, whose: &str) -> Finding {
    match limit {
        Some(limit) if limit < needed => {
            let what = format!("{whose} may open {limit} files, and this configuration may need {needed}");
            Finding::warning(
                "open files",
                what,
                "raise `LimitNOFILE=` of the unit, `--ulimit nofile` of the container, or `ulimit -n`",
            )
        }
        Some(limit) => Finding::ok("open files", format!("{whose} may open {limit}, of which {needed} may be needed")),
        None => Finding::ok("open files", format!("{whose} may open any number")),
    }
}

/// What the service may need with hanging receivers and a queue: a rule of thumb above what BENCHMARKS.md measured.
fn needed_memory(tenants: usize, scores: usize, channels: usize) -> u64 {
    let times = |count: usize, each: u64| u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(each);
    let further = scores.saturating_sub(tenants);
    [(tenants, MEMORY_PER_TENANT), (further, MEMORY_PER_SCORE), (channels, MEMORY_PER_CHANNEL)]
        .into_iter()
        .fold(MEMORY_BASE, |sum, (count, each)| sum.saturating_add(times(count, each)))
}

fn memory(folder: &Path, whose: &str, needed: u64) -> Finding {
    let group = fs::read_to_string(folder.join("cgroup")).unwrap_or_default();
    let Some(group) = group_of(&group, Path::new("/sys/fs/cgroup")) else {
        return Finding::skipped(
            "memory",
            format!("the limit of {whose} can't be seen: it has no cgroup of version 2"),
        );
    };
    let number = |file: PathBuf| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    // A limit holds for everything below it.
    let groups = group.ancestors().take_while(|folder| folder.starts_with("/sys/fs/cgroup"));
    let limits = groups.flat_map(|folder| ["memory.max", "memory.high"].map(|file| folder.join(file)));
    let limit = limits.filter_map(number).min();
    judge_memory(limit, number(group.join("memory.current")), needed, whose)
}

/// The folder of a process's cgroup, by its line in `/proc/PID/cgroup`: `0::/system.slice/scorewatch.service`.
fn group_of(lines: &str, root: &Path) -> Option<PathBuf> {
    let path = lines.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let is_inside = !Path::new(path).components().any(|part| part == std::path::Component::ParentDir);
    is_inside.then(|| root.join(path))
}

fn judge_memory(limit: Option<u64>, used: Option<u64>, needed: u64, whose: &str) -> Finding {
    let Some(limit) = limit else { return Finding::ok("memory", format!("{whose} has no limit")) };
    let shown = bytes(limit);
    let instead = "raise `MemoryMax=` of the unit, or the container's memory limit";
    if let Some(used) = used.filter(|used| used.saturating_mul(100) > limit.saturating_mul(MEMORY_PERCENT_MAX)) {
        let what = format!("{whose} uses {} of the {shown} that its group may use", bytes(used));
        return Finding::warning("memory", what, instead);
    }
    if limit < needed {
        let what = format!("{whose} may use {shown}, and this configuration may need {}", bytes(needed));
        return Finding::warning("memory", what, instead);
    }
    Finding::ok("memory", format!("{whose} may use {shown}, of which {} may be needed", bytes(needed)))
}

fn watchdog(folder: &Path, service: Option<u32>) -> Finding {
    if service.is_none() {
        let what =
            "no service that uses this store was found on this machine, so it is not known what would restart it";
        return Finding::skipped("watchdog", what);
    }
    match fs::read(folder.join("environ")) {
        Ok(environment) => judge_watchdog(interval_of(&environment), is_in_container(&environment)),
        Err(error) => {
            let what = format!("the environment of the service can't be read ({error}); run this as its user");
            Finding::skipped("watchdog", what)
        }
    }
}

/// How often systemd wants to hear from the service.
fn interval_of(environment: &[u8]) -> Option<Duration> {
    let micros = variable(environment, "WATCHDOG_USEC")?.parse().ok().filter(|micros| *micros > 0)?;
    Some(Duration::from_micros(micros))
}

fn is_in_container(environment: &[u8]) -> bool {
    ["KUBERNETES_SERVICE_HOST", "container"].iter().any(|name| variable(environment, name).is_some())
}

fn variable<'a>(environment: &'a [u8], name: &str) -> Option<&'a str> {
    let lines = environment.split(|byte| *byte == 0).filter_map(|line| str::from_utf8(line).ok());
    lines.filter_map(|line| line.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn judge_watchdog(interval: Option<Duration>, is_in_container: bool) -> Finding {
    match interval {
        Some(interval) => {
            let what = format!("systemd restarts a service that makes no progress for {}", format_duration(interval));
            Finding::ok("watchdog", what)
        }
        None if is_in_container => {
            let what = "in a container, whatever probes `/healthz` restarts a service that makes no progress, which can't be seen from here";
            Finding::skipped("watchdog", what)
        }
        None => {
            let what = "`/healthz` answers 503 if the service makes no progress, but systemd does not restart it then";
            let instead =
                "run it under systemd with `Type=notify` and `WatchdogSec=`, or let a probe of `/healthz` restart it";
            Finding::warning("watchdog", what, instead)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::doctor::Verdict;

    #[test]
    fn limits_are_read_as_linux_writes_them() {
        let line =
            |current, maximum| format!("Limit  Soft  Hard  Units\nMax open files  {current}  {maximum}  files\n");
        assert_eq!(open_files_of(&line("1024", "524288")), Some((Some(1_024), Some(524_288))));
        assert_eq!(open_files_of(&line("1024", "unlimited")), Some((Some(1_024), None)));
        assert_eq!(open_files_of(""), None);
        assert_eq!(
            group_of("1:cpu:/x\n0::/system.slice/scorewatch.service\n", Path::new("/g")),
            Some(PathBuf::from("/g/system.slice/scorewatch.service"))
        );
        assert_eq!(group_of("0::/\n", Path::new("/g")), Some(PathBuf::from("/g/")));
        assert_eq!(group_of("0::/../other\n", Path::new("/g")), None, "it is outside of this container");
        assert_eq!(group_of("4:memory:/x\n", Path::new("/g")), None);
    }

    #[test]
    fn a_replica_is_this_machine_s_service_if_it_is_here() {
        for (place, pid) in [
            ("pid 42 on soc-1", Some(42)),
            ("pid 42 on soc-11", None),
            ("pid 42 on another machine", None),
            ("pid x on soc-1", None),
            ("", None),
        ] {
            assert_eq!(pid_of(place, "soc-1"), pid, "{place}");
        }
    }

    #[test]
    fn open_files_are_judged_by_what_the_configuration_may_need() {
        for (limit, verdict) in [(Some(1_024), Verdict::Warning), (Some(3_112), Verdict::Ok), (None, Verdict::Ok)] {
            assert_eq!(judge_open_files(limit, 3_112, "it").verdict, verdict, "{limit:?}");
        }
    }

    #[test]
    fn memory_is_judged_by_use_and_need() {
        let mib = 1_u64 << 20;
        assert_eq!(needed_memory(10_000, 30_000, 1_000) / mib, 299, "each further score has samples in memory");
        assert_eq!(needed_memory(10_000, 10_000, 1_000) / mib, 260, "BENCHMARKS.md measured 214 MiB at the peak");
        for (limit, used, verdict) in [
            (None, Some(100 * mib), Verdict::Ok),
            (Some(512 * mib), Some(100 * mib), Verdict::Ok),
            (Some(512 * mib), Some(470 * mib), Verdict::Warning),
            (Some(128 * mib), Some(50 * mib), Verdict::Warning),
            (Some(512 * mib), None, Verdict::Ok),
        ] {
            assert_eq!(judge_memory(limit, used, 260 * mib, "it").verdict, verdict, "{limit:?} {used:?}");
        }
    }

    #[test]
    fn the_watchdog_is_what_the_service_was_started_with() {
        for (environment, verdict) in [
            (&b"A=1\0WATCHDOG_USEC=30000000\0"[..], Verdict::Ok),
            (b"A=1\0WATCHDOG_USEC=0\0", Verdict::Warning),
            (b"A=1\0KUBERNETES_SERVICE_HOST=10.0.0.1\0", Verdict::Skipped),
            (b"", Verdict::Warning),
        ] {
            let found = judge_watchdog(interval_of(environment), is_in_container(environment));
            assert_eq!(found.verdict, verdict, "{found:?}");
        }
    }
}
