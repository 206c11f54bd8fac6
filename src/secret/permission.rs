//! Says who lacks which permission on a file.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use super::fault::Fault;
use crate::domain::Clause;

/// The most bytes of `/etc/passwd` that are looked through for a name.
const PASSWD_BYTES_MAX: usize = 1024 * 1024;

/// Why this process may not read a file, and what to do.
pub(super) fn denied(path: &Path) -> Fault {
    let us = this_user();
    // A folder that this user may not enter hides what is below it.
    let closed = path.ancestors().skip(1).find(|folder| fs::metadata(folder).is_ok());
    match fs::metadata(path) {
        Ok(metadata) => file(&us, &user(metadata.uid()), metadata.permissions().mode()),
        Err(_) => folder(&us, closed.unwrap_or(Path::new("/"))),
    }
}

fn file(us: &str, owner: &str, mode: u32) -> Fault {
    Fault::new(Clause::ClosedFile.with(&[us, owner, &format!("{:03o}", mode & 0o777)]), Clause::LetRead.with(&[us]))
}

fn folder(us: &str, folder: &Path) -> Fault {
    let shown = folder.display().to_string();
    let what = match fs::metadata(folder) {
        Ok(metadata) => {
            let (owner, mode) = (user(metadata.uid()), metadata.permissions().mode() & 0o777);
            Clause::ClosedFolder.with(&[us, &shown, &owner, &format!("{mode:03o}")])
        }
        Err(_) => Clause::ClosedFolderOfNobody.with(&[us, &shown]),
    };
    Fault::new(what, Clause::LetEnter.with(&[us]))
}

/// The user who runs this process: `user scorewatch (uid 998)`.
#[must_use]
pub fn this_user() -> String {
    user(rustix::process::geteuid().as_raw())
}

/// `user scorewatch (uid 998)`.
fn user(id: u32) -> String {
    let passwd = fs::read("/etc/passwd").unwrap_or_default();
    let passwd = String::from_utf8_lossy(&passwd[..passwd.len().min(PASSWD_BYTES_MAX)]).into_owned();
    match name(&passwd, id) {
        Some(name) => format!("user {name} (uid {id})"),
        None => format!("uid {id}"),
    }
}

fn name(passwd: &str, id: u32) -> Option<&str> {
    let mut lines = passwd.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_user_who_lacks_the_permission_and_the_owner() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nscorewatch:x:998:998::/:/bin/false\n";
        assert_eq!(name(passwd, 998), Some("scorewatch"));
        assert_eq!(name(passwd, 5), None);
        let fault = file("user scorewatch (uid 998)", "user root (uid 0)", 0o100_640);
        assert_eq!(
            fault.what,
            "can't be read by user scorewatch (uid 998): it belongs to user root (uid 0) and has mode 640"
        );
        assert!(fault.hint.contains("user scorewatch (uid 998)"), "{}", fault.hint);
    }
}
