//! The audit log: who did what, and whether it is as it was written. It is about all tenants, so a limited scope sees nothing of it.

use serde::Serialize;

use super::{Error, Listing, Page};
pub use crate::store::{Broken, Entry, Link, hex};
use crate::{
    domain::Scope,
    store::{Audit, EntryFilter, Store, Verifier},
};

/// Entries that are read at a time.
const AT_A_TIME: u32 = 1_000;

/// Entries, newest first; with `action`, only those of that action or of a kind of them: `silence.add`, `silence`.
///
/// # Errors
/// [`Error::Store`].
pub async fn list(
    store: &dyn Audit,
    scope: &Scope,
    action: Option<&str>,
    page: &Page<u64>,
) -> Result<Listing<Entry, u64>, Error> {
    if !scope.is_all() {
        return Ok(Listing { items: Vec::new(), next: None });
    }
    let filter = EntryFilter { before: page.after, action: action.map(str::to_owned), limit: page.to_read() };
    Ok(Listing::cut(store.entries(&filter).await?, page, |entry| entry.seq))
}

/// The chain, oldest first, a part at a time: what follows the entry of that number. Empty: that is all.
///
/// # Errors
/// [`Error::Store`].
pub async fn chain(store: &dyn Audit, scope: &Scope, after: u64) -> Result<Vec<Link>, Error> {
    if !scope.is_all() {
        return Ok(Vec::new());
    }
    Ok(store.links(after, AT_A_TIME).await?)
}

/// The newest entry of a chain. Kept elsewhere, it shows later that nothing was cut off or written anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The entry's number, which no other entry gets.
    pub seq: u64,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

impl Head {
    /// Reads what people note down: `NUMBER:HASH`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (seq, hash) = text.trim().split_once(':')?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|letter| letter.is_ascii_hexdigit());
        Some(Self { seq: seq.parse().ok()?, hash: is_hash.then(|| hash.to_ascii_lowercase())? })
    }
}

/// Whether the log is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The first entry that is not as it was written; `None`: all are.
    pub broken: Option<Broken>,
    /// How many entries were read and found good.
    pub entries: u64,
    /// From how many of them the names of an erased tenant were taken.
    pub erased: usize,
    /// The last good entry.
    pub head: Option<Head>,
    /// The triggers by which the database refuses to change entries, as far as they are missing or are not as they were made.
    pub missing_guards: Vec<String>,
}

/// Reads the whole log and computes every hash again, and looks whether the database still refuses to change entries. `known`: an entry that was noted earlier and must still be there.
///
/// # Errors
/// [`Error::Store`]; [`Error::Forbidden`] for a limited scope.
pub async fn verify(store: &dyn Store, scope: &Scope, known: Option<&Head>) -> Result<Verdict, Error> {
    if !scope.is_all() {
        return Err(Error::Forbidden("the audit log is about all tenants".to_owned()));
    }
    let (mut verifier, mut broken) = (Verifier::default(), None);
    let mut is_known_found = false;
    'all: loop {
        let after = verifier.head().map_or(0, |(seq, _)| seq);
        let links = store.links(after, AT_A_TIME).await?;
        for link in &links {
            if let Err(found) = verifier.take(link) {
                broken = Some(found);
                break 'all;
            }
            if let Some(known) = known.filter(|known| known.seq == link.seq) {
                if known.hash != hex(&link.hash) {
                    broken = Some(Broken { seq: link.seq, why: "its hash is not the one that was noted earlier" });
                    break 'all;
                }
                is_known_found = true;
            }
        }
        if links.is_empty() {
            break;
        }
    }
    if broken.is_none() {
        broken = verifier.finish().err();
    }
    // Each start of the service writes a heartbeat and an entry. `once` writes neither.
    if broken.is_none() && verifier.head().is_none() && store.last_heartbeat().await?.is_some() {
        broken = Some(Broken { seq: 1, why: "it is missing, though the service has run on this store" });
    }
    if let (None, Some(known), false) = (&broken, known, is_known_found) {
        broken = Some(Broken { seq: known.seq, why: "it was noted earlier and is missing" });
    }
    let head = verifier.head().map(|(seq, hash)| Head { seq, hash: hex(&hash) });
    let entries = verifier.head().map_or(0, |(seq, _)| seq);
    let missing_guards = store.missing_guards().await?;
    Ok(Verdict { broken, entries, erased: verifier.erased(), head, missing_guards })
}
