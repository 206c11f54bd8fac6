//! JSON from outside that can't grow beyond what it is worth: lists of a bounded length, texts of a bounded length, values without
//! anything inside them. Whatever else an answer holds is skipped and never kept.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

use super::{
    error::{Failure, FailureClass, garbage},
    number, text,
};

/// Longest text that is kept of a value, in bytes; the rest is cut off. Links and names are far shorter.
const TEXT_BYTES_MAX: usize = 4096;
/// Begins the message of an answer that exceeds a limit.
const LIMIT: &str = "limit: ";

/// Reads an answer.
///
/// # Errors
/// [`FailureClass::AnswerTooLarge`] when it exceeds a limit, which the failure names; else [`FailureClass::Garbage`].
pub(super) fn read<'de, T: Deserialize<'de>>(page: &'de [u8]) -> Result<T, Failure> {
    serde_json::from_slice(page).map_err(|error| failure(&error))
}

/// The error of a reader that meets more than it takes; `what` goes on after "the API's answer contains ".
pub(super) fn exceeded<E: Error>(what: fmt::Arguments<'_>) -> E {
    E::custom(format_args!("{LIMIT}{what}"))
}

/// What an answer that can't be read means.
pub(super) fn failure(error: &serde_json::Error) -> Failure {
    let text = error.to_string();
    match text.strip_prefix(LIMIT) {
        Some(limit) => {
            let limit = limit.rsplit_once(" at line ").map_or(limit, |(limit, _)| limit);
            too_large(format!("the API's answer contains {limit}"))
        }
        None => garbage("the API's answer can't be read"),
    }
}

/// An answer that exceeds a limit.
pub(super) fn too_large(what: String) -> Failure {
    let hint = Some(format!("{what}; the documentation lists the limits").into());
    Failure { hint, ..Failure::new(FailureClass::AnswerTooLarge, what) }
}

/// A list with a limited length; a longer one is an error, `null` is an empty one.
pub(super) struct Few<T, const MAX: usize>(pub(super) Vec<T>);

impl<T, const MAX: usize> Default for Few<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Few<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FewVisitor(std::marker::PhantomData))
    }
}

struct FewVisitor<T, const MAX: usize>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for FewVisitor<T, MAX> {
    type Value = Few<T, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MAX}")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Few::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut few = Vec::new();
        while let Some(item) = items.next_element()? {
            if few.len() == MAX {
                return Err(exceeded(format_args!("a list of more than {MAX} entries")));
            }
            few.push(item);
        }
        Ok(Few(few))
    }
}

/// A text, a number, a truth value, or nothing. A list or an object is kept as an empty one, whatever it holds.
#[derive(Debug, Default)]
pub(super) struct Scalar(pub(super) Value);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Scalar, E> {
        Ok(Scalar::default())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Scalar, E> {
        let mut end = value.len().min(TEXT_BYTES_MAX);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        Ok(Scalar(value[..end].into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Scalar, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar(Value::Array(Vec::new())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Scalar, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar(Value::Object(serde_json::Map::new())))
    }
}

impl Scalar {
    /// A finite number, or one in quotes.
    pub(super) fn number(&self) -> Option<f64> {
        number::present(&self.0).ok().flatten()
    }

    /// A whole number that is not negative, or one in quotes.
    pub(super) fn count(&self) -> Option<u64> {
        let number = self.number()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole and within the range")]
        let count = ((0.0..1e15).contains(&number) && number.fract() == 0.0).then_some(number as u64);
        count
    }

    /// A name on one line, cut to what a name has.
    pub(super) fn line(&self) -> Option<String> {
        text::line(&self.0)
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.0.as_str()
    }

    pub(super) fn is_true(&self) -> bool {
        self.0 == Value::Bool(true) || self.text().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }
}

/// The first entry of a list, if it is one; the others are skipped.
#[derive(Debug, Default)]
pub(super) struct First(pub(super) Scalar);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor { key: None }).map(Self)
    }
}

/// The value of the key `request-id` of an object, if it is one; everything else is skipped.
#[derive(Debug, Default)]
pub(super) struct Inner(pub(super) Scalar);

impl<'de> Deserialize<'de> for Inner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor { key: Some("request-id") }).map(Self)
    }
}

/// Takes one part of a list or an object.
struct PartVisitor {
    /// Of an object; `None`: the first entry of a list.
    key: Option<&'static str>,
}

impl<'de> Visitor<'de> for PartVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Scalar, E> {
        Ok(Scalar::default())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::default())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Scalar, E> {
        Ok(Scalar::default())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Scalar, E> {
        Ok(Scalar::default())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::default())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Scalar, E> {
        Ok(Scalar::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Scalar, A::Error> {
        let first = items.next_element()?.unwrap_or_default();
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(if self.key.is_none() { first } else { Scalar::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Scalar, A::Error> {
        let mut found = Scalar::default();
        while let Some(key) = fields.next_key::<std::borrow::Cow<'de, str>>()? {
            if self.key == Some(&*key) {
                found = fields.next_value()?;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// The members of a visitor for which whatever is neither a list nor an object is nothing.
macro_rules! nothing_of_scalars {
    ($value:ty) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a value")
        }

        fn visit_unit<E: Error>(self) -> Result<$value, E> {
            Ok(Default::default())
        }

        fn visit_bool<E: Error>(self, _: bool) -> Result<$value, E> {
            Ok(Default::default())
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<$value, E> {
            Ok(Default::default())
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<$value, E> {
            Ok(Default::default())
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<$value, E> {
            Ok(Default::default())
        }

        fn visit_str<E: Error>(self, _: &str) -> Result<$value, E> {
            Ok(Default::default())
        }
    };
}

/// What an object holds; anything else is an empty one.
#[derive(Debug, Default)]
pub(super) struct Lenient<T>(pub(super) T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LenientVisitor(std::marker::PhantomData))
    }
}

struct LenientVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for LenientVisitor<T> {
    type Value = Lenient<T>;

    nothing_of_scalars!(Lenient<T>);

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Lenient<T>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Lenient::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Lenient<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Lenient)
    }
}

/// The first entries of a list; what follows is skipped, and anything else is an empty one.
#[derive(Debug)]
pub(super) struct LenientList<T, const MAX: usize>(pub(super) Vec<T>);

impl<T, const MAX: usize> Default for LenientList<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for LenientList<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LenientListVisitor(std::marker::PhantomData))
    }
}

struct LenientListVisitor<T, const MAX: usize>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for LenientListVisitor<T, MAX> {
    type Value = LenientList<T, MAX>;

    nothing_of_scalars!(LenientList<T, MAX>);

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < MAX {
            let Some(item) = items.next_element()? else { return Ok(LenientList(kept)) };
            kept.push(item);
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(LenientList(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(LenientList::default())
    }
}
