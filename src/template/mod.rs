//! The texts of messages: built in, overridden by the user, rendered against samples at load, escaped per receiver.

use std::path::Path;

use crate::diagnostic::Problem;

/// Every template, compiled and tried.
#[derive(Debug)]
pub struct Registry {}

impl Registry {
    /// Compiles the built-in templates and the user's own over them, and renders each against sample notifications.
    ///
    /// # Errors
    /// Every problem, with file, line and column.
    pub fn load(_folder: Option<&Path>) -> Result<Self, Vec<Problem>> {
        unimplemented!()
    }

    /// Whether there is a template of that name.
    #[must_use]
    pub fn has(&self, _name: &str) -> bool {
        unimplemented!()
    }
}
