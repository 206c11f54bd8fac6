//! Bodies that misbehave: dripping, cut off, endless, exploding.

use std::{io, sync::OnceLock, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;

/// What the gzip bomb unpacks to, in bytes; it travels as some 200 KiB.
const BOMB_BYTES: u32 = 32 * 1024 * 1024;
/// The chunk that an endless body repeats.
static ENDLESS_CHUNK: [u8; 16 * 1024] = [b' '; 16 * 1024];

/// One byte after each pause.
pub(super) fn drip(body: Bytes, pause: Duration) -> Body {
    Body::from_stream(stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let next = rest.split_to(1);
        Some((Ok::<_, io::Error>(next), rest))
    }))
}

/// Half of the body, then a broken connection.
pub(super) fn cut(body: &Bytes) -> Body {
    let half = body.slice(..body.len() / 2);
    Body::from_stream(stream::unfold(Some(half), |half| async move {
        if let Some(half) = half {
            return Some((Ok(half), None));
        }
        // Lets the connection send what it has before it breaks.
        tokio::task::yield_now().await;
        Some((Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut off, as scripted")), None))
    }))
}

/// A body of blanks that never ends.
pub(super) fn endless() -> Body {
    Body::from_stream(stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from_static(&ENDLESS_CHUNK))))
}

/// [`BOMB_BYTES`] blanks as one valid gzip member. Made once: nothing here compresses, so it is written bit by bit (RFC 1951, 1952).
pub(super) fn gzip_bomb() -> Bytes {
    static BOMB: OnceLock<Bytes> = OnceLock::new();
    BOMB.get_or_init(|| {
        let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        member.extend(deflated_blanks());
        member.extend(blanks_crc().to_le_bytes());
        member.extend(BOMB_BYTES.to_le_bytes());
        Bytes::from(member)
    })
    .clone()
}

/// The longest copy that deflate knows, in bytes.
const COPY_BYTES: u32 = 258;

/// One block with fixed codes: the first blanks as literals, the rest as copies of [`COPY_BYTES`] from one byte back.
fn deflated_blanks() -> Vec<u8> {
    let mut bits = BitWriter::default();
    bits.put(0b011, 3); // last block, fixed codes; this field alone is written lowest bit first
    for _ in 0..BOMB_BYTES % COPY_BYTES {
        bits.put_code(0x30 + u32::from(b' '), 8);
    }
    for _ in 0..BOMB_BYTES / COPY_BYTES {
        bits.put_code(0b1100_0101, 8); // length symbol 285
        bits.put_code(0, 5); // distance 1
    }
    bits.put_code(0, 7); // end of block
    bits.finish()
}

fn blanks_crc() -> u32 {
    let entry =
        |byte: u32| (0..8).fold(byte, |value, _| if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 });
    let table: Vec<u32> = (0..256).map(entry).collect();
    let step = |crc: u32, byte: u8| table[usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8);
    !(0..BOMB_BYTES).fold(!0, |crc, _| step(crc, b' '))
}

#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    pending: u32,
    filled: u32,
}

impl BitWriter {
    fn put(&mut self, value: u32, bits: u32) {
        self.pending |= value << self.filled;
        self.filled += bits;
        while self.filled >= 8 {
            self.bytes.push(self.pending.to_le_bytes()[0]);
            self.pending >>= 8;
            self.filled -= 8;
        }
    }

    /// Codes are packed highest bit first, everything else lowest bit first.
    fn put_code(&mut self, code: u32, bits: u32) {
        self.put(code.reverse_bits() >> (32 - bits), bits);
    }

    fn finish(mut self) -> Vec<u8> {
        if self.filled > 0 {
            self.bytes.push(self.pending.to_le_bytes()[0]);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_blanks() {
        // `python3 -c "import zlib; print(zlib.crc32(b' ' * (32 << 20)))"`
        assert_eq!(blanks_crc(), 0xdc78_a288);
    }
}
