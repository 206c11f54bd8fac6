//! A source that gives one value in one JSON object. Every successful call is a new reading.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

use super::{Ask, Failure, Role, Source, garbage, is_object, number};
use crate::{
    domain::{Reading, Sample, ScoreKind, Timestamp},
    microsoft::cloud::Api,
};

/// Where the value is, and what it takes to get it.
pub(super) struct Single {
    /// The one kind that it gives.
    pub(super) scores: &'static [ScoreKind; 1],
    pub(super) api: Api,
    pub(super) role: Role,
    pub(super) path: &'static str,
    /// JSON pointer to the value.
    pub(super) value: &'static str,
    /// JSON pointer to its time. Defender's is the time of the call, not of the computation ("Score resource type").
    pub(super) time: &'static str,
}

impl Source for Single {
    fn scores(&self) -> &'static [ScoreKind] {
        self.scores
    }

    fn api(&self) -> Api {
        self.api
    }

    fn role(&self) -> Role {
        self.role
    }

    fn path(&self, _: Ask) -> String {
        self.path.to_owned()
    }

    /// `@odata.context` is not looked at: its host may be another than the one that was called.
    fn read(&self, _: Ask, page: &[u8], readings: &mut Vec<Reading>) -> Result<Option<String>, Failure> {
        if !is_object(page) {
            return Err(garbage("the API's answer is no JSON object"));
        }
        let mut decoder = serde_json::Deserializer::from_slice(page);
        let pointers = Pointers([self.value, self.time]);
        let [value, time] = pointers
            .deserialize(&mut decoder)
            .and_then(|found| decoder.end().map(|()| found))
            .map_err(|_| garbage("the API's answer can't be read"))?;
        let value = number::finite(&value)?;
        let at = time.as_str().and_then(Timestamp::parse);
        let at = at.ok_or_else(|| garbage("the API's answer has no valid time"))?;
        let [score] = *self.scores;
        readings.push(Reading { score, subject: None, sample: Sample { at, value }, points: None });
        Ok(None)
    }
}

/// Picks two values out of an object and keeps nothing else. A key that is there twice is refused where a pointer begins with it:
/// which one counts would be a guess.
struct Pointers([&'static str; 2]);

impl<'de> DeserializeSeed<'de> for Pointers {
    type Value = [Value; 2];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pointers {
    type Value = [Value; 2];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let paths = self.0.map(split);
        let mut found: [Option<Value>; 2] = [None, None];
        while let Some(key) = map.next_key::<Key>()? {
            if !paths.iter().any(|(first, _)| *first == key.0) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let member: Value = map.next_value()?;
            for ((first, rest), slot) in paths.iter().zip(&mut found) {
                if *first == key.0 && slot.replace(member.pointer(rest).cloned().unwrap_or_default()).is_some() {
                    return Err(A::Error::custom("a key is there twice"));
                }
            }
        }
        Ok(found.map(Option::unwrap_or_default))
    }
}

/// A key of the object, unescaped.
#[derive(Deserialize)]
struct Key(String);

/// The first step of a pointer, and the pointer from there. No pointer here holds an escaped letter.
fn split(pointer: &'static str) -> (&'static str, &'static str) {
    let path = pointer.strip_prefix('/').unwrap_or(pointer);
    path.find('/').map_or((path, ""), |end| path.split_at(end))
}
