//! Who may import whom. The table is complete: what it does not name is not imported.

use std::path::Path;

use super::source::Source;

/// The layers that know no clock, I/O or runtime.
const PURE: [&str; 6] = ["domain", "diagnostic", "schedule", "rule", "notify", "replay"];

/// What a folder may import besides itself.
enum May {
    /// Only the modules of this list.
    Only(&'static [&'static str]),
    /// The pure layers and these.
    PureAnd(&'static [&'static str]),
    /// Every folder above it in the table but these.
    AboveBut(&'static [&'static str]),
    /// All modules except those of this list.
    AllBut(&'static [&'static str]),
    /// All modules of the crate.
    All,
}
use May::{AboveBut, All, AllBut, Only, PureAnd};

/// Folders and single files of `src/`, from the ground up.
const TABLE: [(&str, May); 31] = [
    // Pure: values in, values out.
    ("domain", Only(&[])),
    ("diagnostic", Only(&["domain"])),
    ("schedule", Only(&["domain"])),
    ("rule", Only(&["domain"])),
    ("notify", Only(&["domain", "schedule", "rule"])),
    ("replay", Only(&["domain", "rule", "notify"])),
    // The edges: clock, secrets, network, disk.
    ("crash_point", Only(&[])),
    ("task", Only(&[])),
    ("systemd", Only(&[])),
    ("clock", Only(&["domain"])),
    ("secret", Only(&["domain", "diagnostic"])),
    ("egress", Only(&["domain", "secret", "clock", "task"])),
    ("telemetry", Only(&["domain", "task"])),
    ("page", PureAnd(&[])),
    ("template", PureAnd(&["page"])),
    ("microsoft", Only(&["domain", "secret", "clock", "egress", "telemetry"])),
    ("oidc", Only(&["domain", "secret", "clock", "egress"])),
    ("secret_store", Only(&["domain", "secret", "clock", "egress", "telemetry", "microsoft"])),
    ("channel", PureAnd(&["template", "secret", "egress"])),
    ("zones", Only(&["schedule", "domain"])),
    ("store", Only(&["domain", "rule", "notify", "clock", "crash_point", "task"])),
    // The flows.
    (
        "config",
        PureAnd(&[
            "secret",
            "secret_store",
            "template",
            "channel",
            "microsoft",
            "oidc",
            "egress",
            "telemetry",
            "crash_point",
            "clock",
            "task",
            "systemd",
            "zones",
        ]),
    ),
    ("check", AboveBut(&["channel", "template"])),
    ("delivery", AboveBut(&["microsoft", "check"])),
    // What a person may ask and do.
    ("query", AboveBut(&[])),
    ("action", AboveBut(&[])),
    // The doors, and what runs it all.
    ("web", AboveBut(&["microsoft"])),
    ("service", AboveBut(&[])),
    ("simulation", Only(&["domain"])),
    // What a command shows or changes of the store, it asks `query` and `action` for.
    ("cli", AllBut(&["store"])),
    ("main", All),
];

/// The folder of `src/` that a file belongs to; for a file directly in `src/`, its name.
pub(super) fn folder(file: &Path) -> &str {
    Path::new(file.components().next().unwrap().as_os_str()).file_stem().unwrap().to_str().unwrap()
}

fn may_import(layer: usize, imported: &str) -> bool {
    let (name, may) = &TABLE[layer];
    let above = || TABLE[..layer].iter().any(|(above, _)| *above == imported);
    *name == imported
        || match may {
            Only(these) => these.contains(&imported),
            PureAnd(these) => PURE.contains(&imported) || these.contains(&imported),
            AboveBut(these) => above() && !these.contains(&imported),
            AllBut(these) => !these.contains(&imported),
            All => true,
        }
}

/// Imports that the table does not allow.
pub(super) fn faults(file: &Path, source: &Source) -> Vec<String> {
    let folder = folder(file);
    if folder == "lib" {
        return Vec::new();
    }
    let Some(layer) = TABLE.iter().position(|(name, _)| *name == folder) else {
        return vec![format!("is in no layer: name `{folder}` in the table of tests/house/layers.rs")];
    };
    let depth = file.components().count() - usize::from(file.ends_with("mod.rs"));
    let mut imported = source.imports(depth);
    imported.retain(|name| name == "*" || TABLE.iter().any(|(known, _)| known == name));
    imported.sort();
    imported.dedup();
    imported.retain(|name| !may_import(layer, name));
    imported.iter().map(|name| format!("imports `{name}`, which `{folder}` may not")).collect()
}
