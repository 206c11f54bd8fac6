//! Numbers as Microsoft writes them.

use serde_json::Value;

use super::{Failure, FailureClass, error::garbage};

/// A number, or one in quotes. Missing is never zero.
///
/// # Errors
/// [`FailureClass::NoData`] for what is missing, [`FailureClass::Garbage`] for what is not a number.
pub(super) fn finite(raw: &Value) -> Result<f64, Failure> {
    let no_data = || Failure::new(FailureClass::NoData, "the API's answer contains no value");
    let no_number = || garbage("the API's answer contains a value that is not a number");
    let value = match raw {
        Value::Null => return Err(no_data()),
        Value::Number(number) => number.as_f64().ok_or_else(no_number)?,
        Value::String(text) if text.trim().is_empty() => return Err(no_data()),
        Value::String(text) => text.trim().parse().map_err(|_| no_number())?,
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err(no_number()),
    };
    if value.is_nan() {
        Err(no_data())
    } else if value.is_finite() {
        // `-0` is written as `-0` otherwise.
        Ok(value + 0.0)
    } else {
        Err(no_number())
    }
}

/// The same; `None` is missing.
///
/// # Errors
/// [`FailureClass::Garbage`] for what is not a number.
pub(super) fn present(raw: &Value) -> Result<Option<f64>, Failure> {
    match finite(raw) {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.class == FailureClass::NoData => Ok(None),
        Err(failure) => Err(failure),
    }
}
