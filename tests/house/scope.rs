//! Whoever asks or acts says for whom: every public function of these folders takes the caller or their scope.

use std::path::Path;

use super::{layers, source::Source};

/// What people may ask and do.
const FOLDERS: [&str; 2] = ["query", "action"];

/// Functions that show and do nothing by themselves, or say nothing of any tenant.
const EXEMPT: [&str; 2] = ["open", "is_running"];

/// Public functions that take no scope.
pub(super) fn faults(file: &Path, source: &Source) -> Vec<String> {
    if !FOLDERS.contains(&layers::folder(file)) {
        return Vec::new();
    }
    let functions = ["\npub fn ", "\npub async fn "]
        .into_iter()
        .flat_map(|begin| source.code.match_indices(begin).map(|(at, begin)| &source.code[at + begin.len()..]));
    let names = functions.filter_map(|function| {
        let signature = function.split('{').next()?;
        let name = signature.split(['(', '<']).next()?;
        (!signature.contains("scope: &") && !signature.contains("caller: &") && !EXEMPT.contains(&name)).then_some(name)
    });
    names
        .map(|name| format!("`{name}` takes no `scope` and no `caller`: say whose tenants it may show or change"))
        .collect()
}
