//! Who asks or acts, and what they may do.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Scope;

/// What an account or a token may do. Each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Also acknowledges, silences, accepts, resends and asks for checks.
    Analyst,
    /// Also unparks channels, starts drills, and manages tokens and accounts.
    Admin,
}

impl Role {
    /// Every role, the weakest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Analyst, Self::Admin];

    /// As it is written: `viewer`, `analyst`, `admin`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Somebody who is known to us, for as long as one request or command takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// How what they do is signed: an account's or a token's name, or a user of this machine.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The tenants that they may see and act on.
    pub scope: Scope,
}

impl Caller {
    /// Somebody at this machine: whoever can reach loopback or run commands has the store and the configuration anyway.
    #[must_use]
    pub fn local(name: impl Into<String>) -> Self {
        Self { name: name.into(), role: Role::Admin, scope: Scope::All }
    }

    /// Whether they may do what takes this role.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.role >= role
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_the_weaker_ones_may() {
        for (has, takes, may) in [
            (Role::Viewer, Role::Viewer, true),
            (Role::Viewer, Role::Analyst, false),
            (Role::Analyst, Role::Viewer, true),
            (Role::Analyst, Role::Admin, false),
            (Role::Admin, Role::Analyst, true),
        ] {
            let caller = Caller { name: "ann".to_owned(), role: has, scope: Scope::All };
            assert_eq!(caller.may(takes), may, "{has} {takes}");
        }
        assert!(Role::ALL.is_sorted());
    }
}
