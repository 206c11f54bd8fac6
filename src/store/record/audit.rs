//! The audit log: who did what, when, from where. Each entry's hash covers the one before, so that nothing can be changed, inserted or
//! removed in the middle without a trace.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::domain::{Caller, KeyedRequest, Origin, Timestamp};

/// Sets these hashes apart from others, and names their form.
const FORM: &[u8] = b"scorewatch audit 1";

/// How the service signs what it does on its own.
const SERVICE: &str = "scorewatch";

/// What stands before the first entry.
pub const BEFORE_FIRST: [u8; 32] = [0; 32];

/// What is to be recorded.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// When the action was done.
    pub at: Timestamp,
    /// What was done, such as `silence.add`. It names no tenant.
    pub action: &'static str,
    /// Who, from where, to what, before and after.
    pub body: EntryBody,
    /// The request that it fulfills, if that is to be done once. The transaction that records the entry notes there that it was done, or
    /// fails if the request was given up meanwhile. It is no part of the log.
    pub request: Option<Arc<KeyedRequest>>,
}

impl NewEntry {
    /// Something that somebody did to something.
    #[must_use]
    pub fn by(caller: &Caller, action: &'static str, target: Option<String>, at: Timestamp) -> Self {
        let (who, origin) = (caller.name.clone(), caller.origin.clone());
        let body = EntryBody { who, origin, target, before: None, after: None };
        Self { at, action, body, request: caller.request.clone() }
    }

    /// Something that the service did on its own.
    #[must_use]
    pub fn by_service(action: &'static str, target: Option<String>, at: Timestamp) -> Self {
        let (who, origin) = (SERVICE.to_owned(), Origin::Service);
        let body = EntryBody { who, origin, target, before: None, after: None };
        Self { at, action, body, request: None }
    }

    /// The same entry, about what the action was done to.
    #[must_use]
    pub fn of(mut self, target: String) -> Self {
        self.body.target = Some(target);
        self
    }

    /// With what was so before.
    #[must_use]
    pub fn before(mut self, before: impl Serialize) -> Self {
        self.body.before = serde_json::to_value(before).ok().filter(|value| !value.is_null());
        self
    }

    /// With what is so from now on.
    #[must_use]
    pub fn after(mut self, after: impl Serialize) -> Self {
        self.body.after = serde_json::to_value(after).ok().filter(|value| !value.is_null());
        self
    }

    /// With one thing more that is so from now on, beside what [`after`](Self::after) says.
    #[must_use]
    pub fn and_after(self, name: &str, value: impl Into<Value>) -> Self {
        let mut after = match &self.body.after {
            Some(Value::Object(said)) => said.clone(),
            _ => Map::new(),
        };
        after.insert(name.to_owned(), value.into());
        self.after(after)
    }
}

/// The part of an entry that may name a tenant, and from which it can be erased.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntryBody {
    /// The name of the caller: an account, a token, or a user of this machine.
    pub who: String,
    /// How they came, and from where.
    pub origin: Origin,
    /// What it was done to.
    #[serde(default)]
    pub target: Option<String>,
    /// What was so before.
    #[serde(default)]
    pub before: Option<Value>,
    /// What is so since then.
    #[serde(default)]
    pub after: Option<Value>,
}

/// An entry, for people.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Entry {
    /// Its number: 1 for the first, without gaps.
    pub seq: u64,
    /// When the action was done.
    pub at: Timestamp,
    /// What was done, such as `silence.add`.
    pub action: String,
    /// Who, from where, to what, before and after.
    #[serde(flatten)]
    pub body: EntryBody,
    /// Whether names of a tenant that was erased were taken out of it.
    pub erased: bool,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// Only those before the entry of this number.
    pub before: Option<u64>,
    /// Only those of this action, or of all that begin with it and a dot: `token`, `token.create`.
    pub action: Option<String>,
    /// At most that many; `None`: all.
    pub limit: Option<u32>,
}

/// An entry as the chain sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The entry's number; each entry has the next one.
    pub seq: u64,
    /// When the action was done.
    pub at: Timestamp,
    /// The action, such as `store.copy`.
    pub action: String,
    /// [`EntryBody`] as JSON, to the letter.
    pub body: String,
    /// What is hashed before the body, so that nobody can guess what was erased; `None`: a tenant was erased from it.
    pub salt: Option<Vec<u8>>,
    /// The digest of salt and body.
    pub digest: [u8; 32],
    /// The entries from which this one took the names of a tenant.
    pub erases: Vec<u64>,
    /// The hash of the entry before.
    pub previous: [u8; 32],
    /// The hash of all of that.
    pub hash: [u8; 32],
}

impl Link {
    /// The link that follows the entry of that number and hash.
    #[must_use]
    pub fn after(seq: u64, previous: [u8; 32], new: &Written, salt: [u8; 16]) -> Self {
        let digest = digest_of(&salt, &new.body);
        let mut link = Self {
            seq: seq + 1,
            at: new.at,
            action: new.action.clone(),
            body: new.body.clone(),
            salt: Some(salt.to_vec()),
            digest,
            erases: new.erases.clone(),
            previous,
            hash: BEFORE_FIRST,
        };
        link.hash = link.computed();
        link
    }

    fn computed(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(FORM);
        part(&self.previous);
        part(&self.seq.to_be_bytes());
        part(&self.at.as_nanos().to_be_bytes());
        part(self.action.as_bytes());
        part(&self.digest);
        for seq in &self.erases {
            part(&seq.to_be_bytes());
        }
        hash.finalize().into()
    }
}

/// What a link is made of.
#[derive(Debug, Clone)]
pub struct Written {
    /// When the action was done.
    pub at: Timestamp,
    /// The action, such as `store.copy`.
    pub action: String,
    /// The [`EntryBody`] as JSON, exactly as it was hashed.
    pub body: String,
    /// The entries from which this one takes the names of a tenant.
    pub erases: Vec<u64>,
}

fn digest_of(salt: &[u8], body: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(body.as_bytes()).finalize().into()
}

/// Walks the log from its first entry on and says where it was tampered with.
#[derive(Debug, Default)]
pub struct Verifier {
    last: Option<(u64, [u8; 32])>,
    /// Entries from which something was erased, and when.
    erased: BTreeMap<u64, Timestamp>,
    /// Entries from which a later entry says that something was erased.
    announced: BTreeSet<u64>,
}

/// The first entry that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The number of the entry that is not as it was written.
    pub seq: u64,
    /// What is wrong with the entry, in words.
    pub why: &'static str,
}

impl Verifier {
    /// Takes the next entry.
    ///
    /// # Errors
    /// [`Broken`] if it is not the one that was written after the last.
    pub fn take(&mut self, link: &Link) -> Result<(), Broken> {
        let broken = |why| Err(Broken { seq: link.seq, why });
        let (seq, previous) = self.last.unwrap_or((0, BEFORE_FIRST));
        if link.seq != seq + 1 {
            return Err(Broken { seq: seq + 1, why: "it is missing" });
        }
        if link.previous != previous {
            return broken("it does not follow the entry before it");
        }
        if link.computed() != link.hash {
            return broken("it was changed after it was written");
        }
        match &link.salt {
            Some(salt) if digest_of(salt, &link.body) != link.digest => {
                return broken("its text was changed after it was written");
            }
            Some(_) => {}
            None => drop(self.erased.insert(link.seq, link.at)),
        }
        self.announced.extend(link.erases.iter().filter(|erased| **erased < link.seq));
        self.last = Some((link.seq, link.hash));
        Ok(())
    }

    /// Says whether something was erased that no entry accounts for, after the last entry.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn finish(&self) -> Result<(), Broken> {
        match self.erased.keys().find(|seq| !self.announced.contains(seq)) {
            Some(seq) => Err(Broken { seq: *seq, why: "its text was erased, and no entry says by whom" }),
            None => Ok(()),
        }
    }

    /// The number and the hash of the newest entry; `None`: there is none.
    #[must_use]
    pub fn head(&self) -> Option<(u64, [u8; 32])> {
        self.last
    }

    /// From how many entries a tenant was erased.
    #[must_use]
    pub fn erased(&self) -> usize {
        self.erased.len()
    }
}

/// Bytes in hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(length: u64) -> Vec<Link> {
        let mut links = Vec::new();
        let mut head = (0, BEFORE_FIRST);
        for number in 1..=length {
            let erases = if number == 4 { vec![2] } else { Vec::new() };
            let at = Timestamp::from_seconds(i64::try_from(number).unwrap());
            let new = Written { at, action: "silence.add".to_owned(), body: format!("{{\"n\":{number}}}"), erases };
            let link = Link::after(head.0, head.1, &new, [7; 16]);
            head = (link.seq, link.hash);
            links.push(link);
        }
        links
    }

    fn verdict(links: &[Link]) -> Result<(), Broken> {
        let mut verifier = Verifier::default();
        links.iter().try_for_each(|link| verifier.take(link))?;
        verifier.finish()
    }

    /// A way to tamper with five entries, the entry that is named, and why.
    type Case = (fn(&mut Vec<Link>), u64, &'static str);

    #[test]
    fn whatever_is_done_to_the_log_is_found_and_named() {
        assert_eq!(verdict(&chain(5)), Ok(()));
        assert_eq!(verdict(&[]), Ok(()));
        let cases: [Case; 9] = [
            (|links| drop(links.remove(2)), 3, "it is missing"),
            (|links| drop(links.remove(0)), 1, "it is missing"),
            (|links| links[2].body = "{}".to_owned(), 3, "its text was changed after it was written"),
            (|links| links[2].action = "x".to_owned(), 3, "it was changed after it was written"),
            (|links| links[2].at = Timestamp::EPOCH, 3, "it was changed after it was written"),
            (|links| links[3].erases.push(3), 4, "it was changed after it was written"),
            (
                |links| {
                    links[2].action = "x".to_owned();
                    links[2].hash = links[2].computed();
                },
                4,
                "it does not follow the entry before it",
            ),
            (|links| links[2].salt = None, 3, "its text was erased, and no entry says by whom"),
            (|links| links[4].salt = None, 5, "its text was erased, and no entry says by whom"),
        ];
        for (tamper, seq, why) in cases {
            let mut links = chain(5);
            tamper(&mut links);
            assert_eq!(verdict(&links), Err(Broken { seq, why }));
        }
    }

    #[test]
    fn what_was_erased_and_accounted_for_does_not_break_the_chain() {
        let mut links = chain(5);
        links[1].salt = None;
        links[1].body = "{\"n\":\"erased\"}".to_owned();
        assert_eq!(verdict(&links), Ok(()));
    }
}
