//! A source that gives one value in one JSON object. Every successful call is a new reading.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor},
};

use super::{
    Ask, Failure, Found, Role, Source,
    bounded::{self, Scalar},
    garbage, is_object, number,
};
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
    /// The key of the value.
    pub(super) value: &'static str,
    /// The key of its time. Defender's is the time of the call, not of the computation ("Score resource type").
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

    /// `@odata.context` is not examined: its host may be another than the one that was called.
    fn read(&self, _: Ask, page: &[u8], found: &mut Found) -> Result<Option<String>, Failure> {
        if !is_object(page) {
            return Err(garbage("the API's answer is not a JSON object"));
        }
        let mut decoder = serde_json::Deserializer::from_slice(page);
        let [value, time] = Keys([self.value, self.time])
            .deserialize(&mut decoder)
            .and_then(|found| decoder.end().map(|()| found))
            .map_err(|error| bounded::failure(&error))?;
        let value = number::finite(&value.0)?;
        let at = time.text().and_then(Timestamp::parse);
        let at = at.ok_or_else(|| garbage("the API's answer has no valid time"))?;
        let [score] = *self.scores;
        found.take(Reading { score, subject: None, sample: Sample { at, value }, points: None });
        Ok(None)
    }
}

/// Picks two values out of an object and keeps nothing else. A key that is there twice is refused: which one counts would be a
/// guess.
struct Keys([&'static str; 2]);

impl<'de> DeserializeSeed<'de> for Keys {
    type Value = [Scalar; 2];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Keys {
    type Value = [Scalar; 2];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found: [Option<Scalar>; 2] = [None, None];
        while let Some(which) = map.next_key_seed(Which(self.0))? {
            match which.and_then(|which| found.get_mut(which)) {
                None => drop(map.next_value::<IgnoredAny>()?),
                Some(slot) if slot.is_none() => *slot = Some(map.next_value()?),
                Some(_) => return Err(A::Error::custom("a key occurs twice")),
            }
        }
        Ok(found.map(Option::unwrap_or_default))
    }
}

/// Which of the keys a key is; it is not kept.
struct Which([&'static str; 2]);

impl<'de> DeserializeSeed<'de> for Which {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Which {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|known| *known == key))
    }
}
