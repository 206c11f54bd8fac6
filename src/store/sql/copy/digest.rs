//! A digest of many rows that does not depend on their order, as the databases give them in different ones.

use std::fmt::Write;

use sha2::{Digest as _, Sha256};

use super::super::db::Value;

/// Words of 64 bits in a hash.
const WORDS: usize = 4;

/// The sum of the hashes of all rows, and how many there are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest {
    rows: u64,
    sums: [u64; WORDS],
}

impl Digest {
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn hex(&self) -> String {
        self.sums.iter().fold(String::new(), |mut text, sum| {
            // Writing to a text does not fail.
            let _ = write!(text, "{sum:016x}");
            text
        })
    }

    pub(super) fn add(&mut self, row: &[Value<'_>]) {
        let mut hash = Sha256::new();
        for value in row {
            match value {
                Value::Int(Some(number)) => part(&mut hash, b'i', &number.to_be_bytes()),
                Value::Float(Some(number)) => part(&mut hash, b'f', &number.to_bits().to_be_bytes()),
                Value::Text(Some(text)) => part(&mut hash, b't', text.as_bytes()),
                Value::Bytes(Some(bytes)) => part(&mut hash, b'b', bytes),
                Value::Int(None) | Value::Float(None) | Value::Text(None) | Value::Bytes(None) => {
                    part(&mut hash, b'n', &[]);
                }
                // No row has them.
                Value::List(_) | Value::Column(_) => {}
            }
        }
        let hash: [u8; 32] = hash.finalize().into();
        for (sum, word) in self.sums.iter_mut().zip(hash.as_chunks::<8>().0) {
            *sum = sum.wrapping_add(u64::from_be_bytes(*word));
        }
        self.rows += 1;
    }
}

/// With its length, so that no two rows are made of the same bytes.
fn part(hash: &mut Sha256, kind: u8, bytes: &[u8]) {
    hash.update([kind]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[&[Value<'_>]]) -> Digest {
        let mut digest = Digest::default();
        for row in rows {
            digest.add(row);
        }
        digest
    }

    #[test]
    fn the_order_of_rows_does_not_count_and_everything_else_does() {
        let text = |text: &str| Value::from(text.to_owned());
        let (one, two) = ([Value::Int(Some(1)), text("a")], [Value::Int(Some(2)), text("b")]);
        let both = of(&[&one, &two]);
        assert_eq!(both, of(&[&two, &one]));
        assert_eq!(both.rows(), 2);
        for other in [
            of(&[&one, &one]),
            of(&[&one]),
            of(&[&one, &two, &two]),
            of(&[&[Value::Int(Some(1)), text("b")], &[Value::Int(Some(2)), text("a")]]),
            of(&[&[Value::Int(Some(1)), Value::Text(None)], &two]),
            of(&[&[text("1"), text("a")], &two]),
        ] {
            assert_ne!(both, other);
        }
        assert_ne!(of(&[&[text("ab"), text("c")]]).hex(), of(&[&[text("a"), text("bc")]]).hex());
    }
}
