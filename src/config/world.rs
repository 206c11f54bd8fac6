//! What is judged only when a person asks for a check: addresses, dates, permissions, what secrets look like. It depends on more
//! than the files, and nothing of it keeps the service from starting.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::fs::{Access, AtFlags, CWD, StatVfsMountFlags, accessat, statvfs};

use super::{Loaded, StoreLocation, client_secret, disguise, excerpt, receivers::Operators, trial::SecretUse};
use crate::{
    channel::{ChannelSettings, ComposeError},
    diagnostic::{Place, Problem, Warning},
    domain::{Complaint, Timestamp},
    secret::{ExposeSecret, SecretReference, this_user},
};

/// Bits of a file's mode that let others read or change it; a group of its own may read.
const OPEN_TO_OTHERS: u32 = 0o027;
/// Bits of a folder's mode that let others put another file in a file's place, unless the folder is sticky.
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;
/// Bits of a mode that open a file of the store to anybody but its owner.
const STORE_OPEN: u32 = 0o077;
/// What the names of the store's files end with.
const STORE_FILES: [&str; 5] = ["", "-wal", "-shm", ".lock", ".generation"];

/// How long an exclusion may last: a year, and a day for leap years.
const EXCLUDED_MAX: Duration = Duration::from_hours(366 * 24);
/// How long before its end an exclusion is warned of.
const ENDS_SOON: Duration = Duration::from_hours(30 * 24);

/// What is to be judged, with its places.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    /// The channels, each with the place and path of its address.
    pub(super) channels: Vec<(Place, String, Arc<ChannelSettings>)>,
    /// The days on which secrets expire, each with its place and path.
    pub(super) expiries: Vec<(Place, String, Timestamp)>,
    /// The days on which exclusions end, each with its place and path.
    pub(super) exclusions: Vec<(Place, String, Timestamp)>,
    /// The files, each with the place of its first key.
    pub(super) files: Vec<Place>,
    pub(super) operators: Option<Operators>,
    /// Where the store is.
    pub(super) store: Option<(Place, StoreLocation)>,
}

impl Loaded {
    /// Judges what depends on more than the files: addresses of channels, days, permissions. The configuration is kept.
    #[must_use]
    pub fn with_world_judged(mut self, now: Timestamp) -> Self {
        let mut found = Vec::new();
        for (place, key, channel) in &self.world.channels {
            found.extend(address(place, key, channel));
        }
        for (place, key, day) in self.world.expiries.iter().filter(|(_, _, day)| *day <= now) {
            let what = format!("the secret expired on {}", day.to_chrono().date_naive());
            let instead = "make a new one, store it, and write the day on which that expires";
            found.push(Problem::warning(Warning::CredentialExpired, place.clone(), key, what, instead));
        }
        for (place, key, until) in &self.world.exclusions {
            found.extend(excluded(place, key, *until, now));
        }
        found.extend(self.world.files.iter().filter_map(changeable));
        let mut seen = BTreeSet::new();
        for secret in self.secrets.iter() {
            found.extend(open_to_others(secret, &mut seen));
            found.extend(looks(secret));
        }
        if let Some((place, StoreLocation::Sqlite(path))) = &self.world.store {
            found.extend(unwritable(place, path));
            found.extend(store_open(place, path));
        }
        found.extend(self.world.operators.as_ref().and_then(Operators::problem_on_this_machine));
        found.retain(|problem| !self.allowed.covers(problem));
        if !found.is_empty() {
            self.problems.extend(found);
            self.problems.sort();
            self.problems.dedup();
            self.excerpts = excerpt::of(&self.problems);
        }
        self.problems.retain(|problem| !self.allowed.covers(problem));
        self
    }
}

/// Whether a channel's address, if it is on this machine, is one that it may send to.
fn address(place: &Place, key: &str, channel: &ChannelSettings) -> Option<Problem> {
    // A secret that can't be read is reported as such.
    let Some(Err(ComposeError::Url(Complaint { what, instead }))) = channel.vet() else {
        let Complaint { what, instead } = channel.doubt()?;
        let what = format!("the channel's URL is probably damaged: {what}");
        return Some(Problem::warning(Warning::UrlLooksDamaged, place.clone(), key, what, instead));
    };
    Some(Problem::error(place.clone(), key, format!("the channel's URL is refused: {what}"), instead))
}

/// Whether an exclusion lasts too long, ends soon, or has ended.
fn excluded(place: &Place, key: &str, until: Timestamp, now: Timestamp) -> Option<Problem> {
    let day = until.to_chrono().date_naive();
    if until > now.plus(EXCLUDED_MAX) {
        let what = format!("an exclusion lasts at most a year, and this one ends on {day}");
        let instead = "write a day within a year, and decide again when it comes";
        return Some(Problem::error(place.clone(), key, what, instead));
    }
    let (warning, what, instead) = if until <= now {
        let what = format!("the exclusion ended on {day}: its controls count again");
        (Warning::ExclusionEnded, what, "delete the exclusion, or write a later day")
    } else if until <= now.plus(ENDS_SOON) {
        let what = format!("the exclusion ends on {day}, and its controls count again from then on");
        (Warning::ExclusionEndsSoon, what, "decide whether they still do not count, and write a later day if so")
    } else {
        return None;
    };
    Some(Problem::warning(warning, place.clone(), key, what, instead))
}

/// Whether others may read or change the file of a secret.
fn open_to_others(secret: &SecretUse, seen: &mut BTreeSet<PathBuf>) -> Option<Problem> {
    let SecretReference::File(path) = &secret.reference else { return None };
    let mode = mode(path)?;
    let (what, instead) = if mode & OPEN_TO_OTHERS != 0 {
        let what = format!("others may read or change {} (mode {:03o})", secret.kept, mode & 0o777);
        (what, "let nobody else in: `chmod 600`")
    } else if is_replaceable(path) {
        let what = format!("others may put another file in the place of {}", secret.kept);
        (what, "let nobody else write to its folder: `chmod o-w`")
    } else {
        return None;
    };
    let is_new = seen.insert(path.clone());
    is_new.then(|| Problem::warning(Warning::SecretOpenToOthers, secret.place.clone(), &*secret.key, what, instead))
}

/// Whether others may change a file of the configuration, or put another one in its place.
fn changeable(place: &Place) -> Option<Problem> {
    // Where nobody can write, as in containers, modes say nothing.
    let mode = mode(&place.file).filter(|_| !is_read_only(&place.file))?;
    let (what, instead) = if mode & OTHERS_WRITE != 0 {
        let what = format!("any user of this machine may change this file (mode {:03o})", mode & 0o777);
        (what, "let nobody else write to it: `chmod o-w`")
    } else if is_replaceable(&place.file) {
        let what = "any user of this machine may put another file in the place of this one".to_owned();
        (what, "let nobody else write to its folder: `chmod o-w`")
    } else {
        return None;
    };
    Some(Problem::warning(Warning::ConfigurationOpenToOthers, place.clone(), "", what, instead))
}

/// Whether a file is on a file system that nobody can write to.
fn is_read_only(path: &Path) -> bool {
    statvfs(path).is_ok_and(|disk| disk.f_flag.contains(StatVfsMountFlags::RDONLY))
}

fn mode(path: &Path) -> Option<u32> {
    Some(fs::metadata(path).ok()?.permissions().mode())
}

/// Whether others may put another file in the place of this one.
fn is_replaceable(path: &Path) -> bool {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    mode(folder).is_some_and(|mode| mode & OTHERS_WRITE != 0 && mode & STICKY == 0)
}

/// Whether a secret looks like what it can't be. Nothing of it is repeated.
fn looks(secret: &SecretUse) -> Option<Problem> {
    if secret.reference.is_stored() || !secret.form.is_text() {
        return None;
    }
    let text = secret.reference.resolve().ok()?;
    let text = text.expose_secret();
    let is_client_secret = secret.key == "secret" || secret.key.ends_with(".secret");
    let (warning, what, instead) = if is_client_secret && client_secret::is_id(text) {
        let what = format!("{} holds a GUID, which looks like the secret's ID", secret.kept);
        (Warning::SecretLooksLikeId, what, "store the secret's value, which Entra shows only once")
    } else if text.trim() != text || text.contains(['\r', '\n']) || disguise::no_break_space(text).is_some() {
        let what = if text.trim_start().starts_with("-----BEGIN") {
            "holds a certificate or a key, for which `certificate: { file: PATH }` is written"
        } else if text.trim().contains(['\r', '\n']) {
            "holds a line break"
        } else if disguise::no_break_space(text).is_some() {
            "holds a no-break space, which looks like a space"
        } else {
            "begins or ends with a blank"
        };
        (Warning::SecretHasBlanks, format!("{} {what}", secret.kept), "store the secret alone, on one line")
    } else if let Some(Complaint { what, instead }) = client_secret::doubt(text).filter(|_| is_client_secret) {
        let what = format!("{} {what}", secret.kept);
        return Some(Problem::warning(Warning::SecretLooksWrong, secret.place.clone(), &*secret.key, what, instead));
    } else {
        return None;
    };
    Some(Problem::warning(warning, secret.place.clone(), &*secret.key, what, instead))
}

/// Whether nothing can be stored there, or not by the user who runs this.
fn unwritable(place: &Place, store: &Path) -> Option<Problem> {
    let error = |what: String, instead: &str| Some(Problem::error(place.clone(), "store", what, instead));
    if store.is_dir() {
        let instead = "name a file in it, like `sqlite://data/scorewatch.db`";
        return error(format!("`{}` is a folder, not a file", store.display()), instead);
    }
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let nearest = folder.ancestors().map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path });
    let nearest = nearest.into_iter().find(|path| path.exists())?;
    if !nearest.is_dir() {
        return error(format!("`{}` is not a folder", nearest.display()), "name a file in a folder of its own");
    }
    let may = |path: &Path, access| accessat(CWD, path, access, AtFlags::EACCESS).is_ok();
    let refused = if !may(nearest, Access::WRITE_OK | Access::EXEC_OK) {
        nearest
    } else if store.exists() && !may(store, Access::READ_OK | Access::WRITE_OK) {
        store
    } else {
        return None;
    };
    let warning = |what: String, instead: &str| {
        Some(Problem::warning(Warning::StoreNotWritable, place.clone(), "store", what, instead))
    };
    if is_read_only(refused) {
        let what = format!("`{}` is on a read-only file system", refused.display());
        return warning(what, "mount the store's folder so that the service can write to it, also for this command");
    }
    let mode = fs::metadata(refused).map(|of| (of.uid(), of.permissions().mode() & 0o777));
    let of =
        mode.map(|(uid, mode)| format!(", which belongs to uid {uid} and has mode {mode:03o}")).unwrap_or_default();
    let what = format!("{} may not write to `{}`{of}", this_user(), refused.display());
    warning(what, "run this as the user of the service, or give that user the folder with `chown`")
}

/// Whether others may read or change the store, or put another file in its place.
fn store_open(place: &Place, store: &Path) -> Option<Problem> {
    // SQLite's other files are beside the database itself.
    let store = store.canonicalize().ok().filter(|path| path.is_file()).unwrap_or_else(|| store.to_owned());
    let files = STORE_FILES.map(|ending| {
        let mut name = store.clone().into_os_string();
        name.push(ending);
        PathBuf::from(name)
    });
    let open = files.iter().find_map(|file| {
        let mode = mode(file).filter(|mode| file.is_file() && mode & STORE_OPEN != 0)?;
        Some((file, mode))
    });
    let (what, instead) = if let Some((file, mode)) = open {
        let file = file.display();
        let what = format!("others may read or change the store's file `{file}` (mode {:03o})", mode & 0o777);
        (what, format!("let nobody else in: `chmod 600 {file}`"))
    } else if is_replaceable(&store) {
        let folder = store.parent().unwrap_or(Path::new(".")).display();
        let what = format!("any user of this machine may put another file in the place of the store, in `{folder}`");
        (what, format!("let nobody else in: `chmod 700 {folder}`"))
    } else {
        return None;
    };
    Some(Problem::warning(Warning::StoreOpenToOthers, place.clone(), "store", what, instead))
}

#[cfg(test)]
mod tests;
