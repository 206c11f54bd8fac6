//! Builds `shim.c`, which stands between the service and the files of its store.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// The library, built once for this run.
static LIBRARY: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("shim.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/promise/crash/shim.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o"]);
    assert!(compiler.arg(&library).arg(source).arg("-ldl").arg("-lpthread").status().unwrap().success());
    (folder, library)
});

/// What the environment of a service says that runs with the shim.
pub(super) struct Shim(Vec<(&'static str, String)>);

impl Shim {
    /// Around the store in that folder.
    pub(super) fn around(store: &Path) -> Self {
        let library = LIBRARY.1.display().to_string();
        let folder = store.parent().unwrap().display().to_string();
        Self(vec![("LD_PRELOAD", library), ("SCOREWATCH_SHIM_FOLDER", folder)])
    }

    /// With one more setting.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    pub(super) fn environment(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}
