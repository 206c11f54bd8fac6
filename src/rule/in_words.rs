//! What the store keeps of alerts, as programs outside read it.

use std::time::Duration;

use serde::{Serialize, Serializer, ser::Error};
use serde_json::{Map, Value};

use crate::domain::format_duration;

/// Serializes a value with each duration in it as the configuration has it: `24h`. What the store keeps has seconds and nanoseconds, which
/// other versions read.
///
/// # Errors
/// That of the serializer.
pub fn durations_in_words<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut value = serde_json::to_value(value).map_err(S::Error::custom)?;
    write_durations(&mut value);
    value.serialize(serializer)
}

fn write_durations(value: &mut Value) {
    match value {
        Value::Object(fields) => match duration(fields) {
            Some(text) => *value = Value::String(text),
            None => fields.values_mut().for_each(write_durations),
        },
        Value::Array(items) => items.iter_mut().for_each(write_durations),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A duration as serde writes it.
fn duration(fields: &Map<String, Value>) -> Option<String> {
    let (seconds, nanos) = (fields.get("secs")?.as_u64()?, fields.get("nanos")?.as_u64()?);
    (fields.len() == 2).then_some(())?;
    Some(format_duration(Duration::new(seconds, u32::try_from(nanos).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{BaselineChoice, Change, Condition, Size, Terms};

    #[test]
    fn a_condition_has_its_durations_as_the_configuration_has_them() {
        let day = Duration::from_hours(24);
        let change = Change { size: Size::Percent(5.0), within: day, from: BaselineChoice::Best };
        for (when, expected) in [
            (Condition::Drop(change), r#"{"when":{"drop":{"from":"best","size":{"percent":5.0},"within":"24h"}}}"#),
            (Condition::NoData(7 * day / 2), r#"{"when":{"no_data":"3d12h"}}"#),
            (Condition::Below(300.0), r#"{"when":{"below":300.0}}"#),
        ] {
            let mut written = Vec::new();
            let terms = Terms { when, recover: None };
            durations_in_words(&terms, &mut serde_json::Serializer::new(&mut written)).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), expected);
            let kept: Terms = serde_json::from_str(&serde_json::to_string(&terms).unwrap()).unwrap();
            assert_eq!(kept, terms, "the store reads what it keeps");
        }
    }
}
