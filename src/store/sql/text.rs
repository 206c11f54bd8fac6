//! How values are written as text in columns and parameters.

use crate::{domain::Subject, store::StoreError};

/// How the subject stands in a unique key.
pub(super) fn subject_text(subject: Option<&Subject>) -> String {
    subject.map_or_else(String::new, |subject| format!("={}", subject.as_str()))
}

/// Reads back what [`subject_text`] wrote.
pub(super) fn subject_from(text: &str) -> Option<Subject> {
    text.strip_prefix('=').map(|subject| Subject(subject.into()))
}

pub(super) fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(format!("a value can't be written: {error}")))
}
