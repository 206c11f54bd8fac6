//! In place of traces, in a binary that was built without them.

use super::{
    Taker,
    wanted::{Wanted, wanted},
};

/// The sender of traces: there is none.
pub(in super::super) enum Traces {}

/// Refuses if the environment asks for traces, which this binary can't send.
///
/// # Errors
/// Why no traces are sent, though the environment asks for them.
pub(in super::super) fn prepare() -> Result<Option<(Taker, Traces)>, String> {
    match wanted(|name| std::env::var(name).ok()) {
        Wanted::Nothing => Ok(None),
        Wanted::Unknown(what) => Err(what.to_owned()),
        Wanted::To(url) => {
            drop(url);
            Err("this binary was built without traces; build without `--no-default-features`".to_owned())
        }
    }
}

/// Does the work, without traces.
pub(in super::super) async fn along<T>(_: Option<Traces>, work: impl Future<Output = T>) -> T {
    work.await
}
