//! Samples as bytes. A blob is a chain of frames, so two blobs joined are a blob: a day that gets a late sample is appended to.
//!
//! A frame is a count, then for each sample the distance in nanoseconds from the one before, and its value only where it differs
//! from the one before; most scores stand still for hours.

use crate::domain::{Sample, Timestamp};

/// Most bytes of one number: a distance has 64 bits and carries one flag, seven bits to a byte.
const VARINT_BYTES_MAX: usize = 10;

/// Why a blob can't be read as samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadSamples;

/// Writes samples, in the order given.
pub(super) fn encode(samples: &[Sample]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + samples.len() * 9);
    put_varint(&mut bytes, samples.len() as u128);
    let (mut last_at, mut last_bits) = (0_i64, None);
    for sample in samples {
        let (at, bits) = (sample.at.as_nanos(), sample.value.to_bits());
        let changed = last_bits != Some(bits);
        let distance = at.wrapping_sub(last_at);
        // Zigzag: small distances of either sign are small numbers.
        let zigzag = (distance.cast_unsigned() << 1) ^ (distance >> 63).cast_unsigned();
        put_varint(&mut bytes, (u128::from(zigzag) << 1) | u128::from(changed));
        if changed {
            bytes.extend_from_slice(&bits.to_le_bytes());
        }
        (last_at, last_bits) = (at, Some(bits));
    }
    bytes
}

/// Reads what [`encode`] wrote, or several such blobs joined.
///
/// # Errors
/// [`BadSamples`] for anything else; no input makes it panic or ask for more memory than a small multiple of its length.
pub(super) fn decode(mut bytes: &[u8]) -> Result<Vec<Sample>, BadSamples> {
    // A sample takes at least one byte.
    let mut samples = Vec::with_capacity(bytes.len() / 6);
    while !bytes.is_empty() {
        let count = take_varint(&mut bytes)?;
        let (mut last_at, mut last_bits) = (0_i64, None);
        for _ in 0..count {
            let token = take_varint(&mut bytes)?;
            let zigzag = u64::try_from(token >> 1).map_err(|_| BadSamples)?;
            let distance = (zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed());
            let bits = if token & 1 == 1 {
                let (value, rest) = bytes.split_first_chunk::<8>().ok_or(BadSamples)?;
                bytes = rest;
                u64::from_le_bytes(*value)
            } else {
                last_bits.ok_or(BadSamples)?
            };
            let value = f64::from_bits(bits);
            if !value.is_finite() {
                return Err(BadSamples);
            }
            last_at = last_at.wrapping_add(distance);
            last_bits = Some(bits);
            samples.push(Sample { at: Timestamp::from_nanos(last_at), value });
        }
    }
    Ok(samples)
}

fn put_varint(bytes: &mut Vec<u8>, mut number: u128) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Result<u128, BadSamples> {
    // All bytes but the last that there may be fit into 64 bits, which are read twice as fast; hardly any number has more.
    let mut number = 0_u64;
    for (index, &byte) in bytes.iter().enumerate().take(VARINT_BYTES_MAX - 1) {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *bytes = &bytes[index + 1..];
            return Ok(number.into());
        }
    }
    match bytes.split_at_checked(VARINT_BYTES_MAX - 1) {
        Some((_, [last @ 0..=0x7f, rest @ ..])) => {
            *bytes = rest;
            Ok(u128::from(number) | u128::from(*last) << (7 * (VARINT_BYTES_MAX - 1)))
        }
        _ => Err(BadSamples),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn samples() -> impl Strategy<Value = Vec<Sample>> {
        let value = prop_oneof![Just(0.0), Just(-0.0), Just(41.5), -1e300_f64..1e300];
        let at = prop_oneof![any::<i64>(), 0..2_000_000_000_000_000_000_i64];
        prop::collection::vec((at, value), 0..80).prop_map(|rows| {
            rows.into_iter().map(|(at, value)| Sample { at: Timestamp::from_nanos(at), value }).collect()
        })
    }

    fn bits(samples: &[Sample]) -> Vec<(i64, u64)> {
        samples.iter().map(|sample| (sample.at.as_nanos(), sample.value.to_bits())).collect()
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back_to_the_bit(first in samples(), second in samples()) {
            prop_assert_eq!(bits(&decode(&encode(&first)).unwrap()), bits(&first));
            let joined = [encode(&first), encode(&second)].concat();
            prop_assert_eq!(bits(&decode(&joined).unwrap()), [bits(&first), bits(&second)].concat());
        }

        #[test]
        fn foreign_bytes_are_refused_or_read_but_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn a_cut_blob_is_refused(mut written in samples(), value in 0.0..9.0) {
            written.push(Sample { at: Timestamp::EPOCH, value });
            let bytes = encode(&written);
            prop_assert_eq!(decode(&bytes[..bytes.len() - 1]), Err(BadSamples));
        }
    }

    #[test]
    fn a_value_that_stands_still_costs_only_its_time() {
        let still: Vec<_> = (0..96).map(|n| Sample { at: Timestamp::from_seconds(n * 900), value: 50.0 }).collect();
        assert!(encode(&still).len() < 96 * 7 + 16, "{}", encode(&still).len());
    }

    #[test]
    fn no_number_and_endless_counts_are_refused() {
        let nan = encode(&[Sample { at: Timestamp::EPOCH, value: f64::NAN }]);
        assert_eq!(decode(&nan), Err(BadSamples));
        assert_eq!(decode(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), Err(BadSamples));
        assert_eq!(decode(&[0xff; 11]), Err(BadSamples));
    }
}
