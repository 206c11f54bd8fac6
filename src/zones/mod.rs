//! Time zone data: the newer of what the system has and what is built in.
//!
//! A zone's rules are an input of the configuration like any file that it names: they are read when it is read, and when they
//! change, it is read again. A zone that the system's data lacks, or of which it has a file that can't be used, is taken from what
//! is built in, and that is reported.

mod folder;
mod release;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use release::{AGE_MAX, Release};

use crate::{domain::Timestamp, schedule::Zone};

/// Where systems keep compiled time zone data, unless `TZDIR` names another folder.
const FOLDER: &str = "/usr/share/zoneinfo";

/// When the built-in data was published, as 2026-11-14T00:00:00Z in Unix time; a test holds it to the release.
const BUILT_IN_PUBLISHED: i64 = 1_794_614_400;

/// Time zone data of one release. Cheap to clone; clones share the zones that were read.
#[derive(Debug, Clone, Default)]
pub struct Zones(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// The system's folder, and the release that it holds, if it can be determined.
    system: Option<(PathBuf, Option<(Release, Timestamp)>)>,
    read: Mutex<BTreeMap<String, ReadZone>>,
}

/// A zone that was asked for.
#[derive(Debug, Clone)]
struct ReadZone {
    zone: Zone,
    /// The system's file, if that was read or should have been.
    file: Option<PathBuf>,
    /// What the file holds, or why it could not be used.
    content: Result<Vec<u8>, String>,
}

/// A zone that was taken from the built-in data because the system's file could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The time zone file of the system.
    pub file: PathBuf,
    /// The IANA name of the time zone.
    pub zone: String,
    /// What is wrong with the file.
    pub why: String,
}

/// The system's folder of time zone data: `TZDIR`, or where systems keep it.
#[must_use]
pub fn system_folder() -> PathBuf {
    std::env::var_os("TZDIR").filter(|folder| !folder.is_empty()).map_or_else(|| FOLDER.into(), PathBuf::from)
}

impl Zones {
    /// The newer of the data in the system's folder and the built-in data; where both are the same release, the latter.
    #[must_use]
    pub fn newer(system: &Path) -> Self {
        let system = Some((system.to_owned(), folder::release(system)));
        Self(Arc::new(Shared { system, read: Mutex::default() }))
    }

    /// The release in use.
    #[must_use]
    pub fn release(&self) -> Release {
        self.system().map_or_else(built_in, |(_, release, _)| release)
    }

    /// When the release in use was published, as far as it can be determined.
    #[must_use]
    pub fn published_at(&self) -> Timestamp {
        self.system()
            .map_or(Timestamp::from_seconds(BUILT_IN_PUBLISHED), |(_, release, at)| release.published_about(at))
    }

    /// Whether newer data has probably been published since: whether it is older than [`AGE_MAX`].
    #[must_use]
    pub fn is_old(&self, now: Timestamp) -> bool {
        now.since(self.published_at()) > AGE_MAX
    }

    /// What to say of data that is old: what is wrong, and what to do.
    #[must_use]
    pub fn age_warning(&self, now: Timestamp) -> Option<(String, &'static str)> {
        let what = || format!("the time zone data is more than a year old: {} ({})", self.release(), self.source());
        let instead =
            "install newer data on the system, or a newer release of scorewatch; clocks may have been changed since";
        self.is_old(now).then(|| (what(), instead))
    }

    /// Where the data in use comes from, and what is known of the other: `built in; /usr/share/zoneinfo has 2025b`.
    #[must_use]
    pub fn source(&self) -> String {
        match &self.0.system {
            Some((folder, _)) if self.system().is_some() => format!("{}; {} is built in", folder.display(), built_in()),
            Some((folder, Some((release, _)))) => format!("built in; {} has {release}", folder.display()),
            Some((folder, None)) => format!("built in; {} does not say which release it has", folder.display()),
            None => "built in".to_owned(),
        }
    }

    /// The zone of that IANA name; `None`: there is none.
    #[must_use]
    pub fn zone(&self, name: &str) -> Option<Zone> {
        let mut read = self.read();
        if let Some(known) = read.get(name) {
            return Some(known.zone.clone());
        }
        let found = self.find(name)?;
        let zone = found.zone.clone();
        read.insert(name.to_owned(), found);
        Some(zone)
    }

    /// The zones asked for so far of which the system's file could not be used.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let fault = |(zone, read): (&String, &ReadZone)| {
            let (file, why) = (read.file.clone()?, read.content.clone().err()?);
            Some(Fault { file, zone: zone.clone(), why })
        };
        self.read().iter().filter_map(fault).collect()
    }

    /// The files in which a change may change a zone that was asked for.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let Some((folder, _)) = &self.0.system else { return Vec::new() };
        let mut files: Vec<PathBuf> = folder::RELEASE_FILES.iter().map(|(file, _)| folder.join(file)).collect();
        files.extend(self.read().values().filter_map(|read| read.file.clone()));
        files
    }

    /// What was read: as long as it is the same, so are the zones.
    #[must_use]
    pub fn content(&self) -> Vec<u8> {
        let mut content = format!("{} {}\n", self.release(), self.source()).into_bytes();
        for (name, read) in self.read().iter() {
            content.extend(name.bytes());
            match &read.content {
                Ok(bytes) => content.extend(bytes),
                Err(why) => content.extend(why.bytes()),
            }
        }
        content
    }

    /// The system's data, if that is what is used.
    fn system(&self) -> Option<(&Path, Release, Timestamp)> {
        let (folder, found) = self.0.system.as_ref()?;
        let (release, file_time) = (*found)?;
        (release > built_in()).then_some((folder, release, file_time))
    }

    fn find(&self, name: &str) -> Option<ReadZone> {
        let plain = || Some(ReadZone { zone: Zone::built_in(name)?, file: None, content: Ok(Vec::new()) });
        // No file is needed to know universal time.
        let Some((folder, ..)) = self.system().filter(|_| name != "UTC") else { return plain() };
        let file = folder::file_of(folder, name)?;
        match folder::zone(name, &file) {
            Ok((zone, bytes)) => Some(ReadZone { zone, file: Some(file), content: Ok(bytes) }),
            Err(why) => Some(ReadZone { file: Some(file), content: Err(why), ..plain()? }),
        }
    }

    fn read(&self) -> MutexGuard<'_, BTreeMap<String, ReadZone>> {
        self.0.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The release that is built in.
fn built_in() -> Release {
    Release::parse(Zone::built_in_release()).unwrap_or_else(Release::unknown)
}

#[cfg(test)]
mod tests;
