//! Who runs a command: the name in the system's user database, not what the environment claims.

use std::{env, fs};

use rustix::process::{Uid, getuid};

use crate::domain::{Caller, Origin};

/// The system's user database (passwd(5)).
const USERS: &str = "/etc/passwd";
/// Set by sudo: the user that was signed in before.
const SUDO_USER: &str = "SUDO_USER";

/// The caller's name, for whatever is signed with one: `ann`, or `root (sudo by ann)`.
pub(super) fn name() -> String {
    let users = fs::read_to_string(USERS).unwrap_or_default();
    signed(&users, getuid(), env::var(SUDO_USER).ok().as_deref())
}

/// Who runs a command. Whoever may run one on this machine has the store and the configuration anyway.
pub(super) fn caller() -> Caller {
    let sudo_user = env::var(SUDO_USER).ok().filter(|user| !user.is_empty());
    Caller { origin: Origin::Command { uid: getuid().as_raw(), sudo_user }, ..Caller::local(name()) }
}

/// The author of what a command makes: the given one, or the caller.
pub(super) fn author(given: Option<String>) -> String {
    given.unwrap_or_else(name)
}

fn signed(users: &str, caller: Uid, before_sudo: Option<&str>) -> String {
    let name = named(users, caller).map_or_else(|| format!("uid {}", caller.as_raw()), str::to_owned);
    // Anybody may set a variable, so it never replaces the name.
    let is_other = |before: &&str| !before.is_empty() && *before != name;
    match before_sudo.filter(is_other) {
        Some(before) => format!("{name} (sudo by {before})"),
        None => name,
    }
}

/// The name of a user in a text like `/etc/passwd`.
fn named(users: &str, of: Uid) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, uid) = (fields.next()?, fields.nth(1)?);
        (!name.is_empty() && uid.parse() == Ok(of.as_raw())).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_named_by_the_user_database_and_sudo_only_adds_to_it() {
        let users = "root:x:0:0:root:/root:/bin/bash\nbroken\nann:x:1000:1000::/home/ann:/bin/sh\n";
        for (uid, before_sudo, signed_by) in [
            (0, None, "root"),
            (0, Some("ann"), "root (sudo by ann)"),
            (0, Some("root"), "root"),
            (0, Some(""), "root"),
            (1000, None, "ann"),
            (4711, None, "uid 4711"),
            (4711, Some("ann"), "uid 4711 (sudo by ann)"),
        ] {
            assert_eq!(signed(users, Uid::from_raw(uid), before_sudo), signed_by);
        }
        assert_eq!(named("", Uid::ROOT), None);
    }
}
