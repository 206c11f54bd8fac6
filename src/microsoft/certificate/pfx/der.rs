//! As much of DER as a PFX takes (X.690): one value after the other, each with its tag. A length that lies is damage.

use super::PfxError;

/// Tags, as their one byte.
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OBJECT: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// `[0]` around another value.
pub(super) const AROUND: u8 = 0xa0;
/// `[0]` in place of OCTETS.
pub(super) const IN_PLACE: u8 = 0x80;

/// Values that follow each other.
#[derive(Clone, Copy)]
pub(super) struct Values<'a>(pub(super) &'a [u8]);

impl<'a> Values<'a> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next value's tag.
    pub(super) fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// What the next value holds, which must have this tag.
    pub(super) fn take(&mut self, tag: u8) -> Result<&'a [u8], PfxError> {
        let (found, length, rest) = header(self.0).ok_or(PfxError::Damaged)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(PfxError::Damaged)?;
        if found != tag {
            return Err(PfxError::Damaged);
        }
        self.0 = rest;
        Ok(content)
    }

    /// The next value, which must have this tag and holds others.
    pub(super) fn enter(&mut self, tag: u8) -> Result<Self, PfxError> {
        self.take(tag).map(Self)
    }

    /// The next value, a number from 0 on; one that is too large to be represented becomes the largest.
    pub(super) fn number(&mut self) -> Result<u32, PfxError> {
        let bytes = self.take(INTEGER)?;
        if bytes.first().is_none_or(|first| first & 0x80 != 0) {
            return Err(PfxError::Damaged);
        }
        let push = |number: u32, byte: &u8| number.checked_mul(256).map(|number| number | u32::from(*byte));
        Ok(bytes.iter().try_fold(0, push).unwrap_or(u32::MAX))
    }
}

/// Tag, length and what follows. One byte of tag and up to four of length are enough for any PFX.
fn header(bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    if *first < 0x80 {
        return Some((*tag, usize::from(*first), rest));
    }
    let count = usize::from(first - 0x80);
    if !(1..=4).contains(&count) {
        return None;
    }
    let (length, rest) = rest.split_at_checked(count)?;
    let length = length.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
    Some((*tag, length, rest))
}
