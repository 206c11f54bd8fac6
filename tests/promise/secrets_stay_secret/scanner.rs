//! Finds secrets in whatever was said, also in pieces and disguised.
//!
//! A secret shows if twelve of its bytes in a row do: as they are, in small letters, in hexadecimal of either case, in base64 of
//! either alphabet wherever the piece begins; and all of that under percent signs, under JSON's escapes, or under both.

use std::{borrow::Cow, collections::HashMap};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// A piece that is recognised, in bytes.
const PIECE: usize = 12;
/// Of twelve bytes, these many begin on a boundary of base64 wherever the twelve begin; they make as many letters as a piece.
const BASE64_PIECE: usize = 9;

/// Knows every piece of every secret.
pub(super) struct Scanner {
    /// By the piece as it would show: whose it is.
    pieces: HashMap<Vec<u8>, &'static str>,
    /// Whether any piece begins with these three bytes.
    begins: Vec<bool>,
}

impl Scanner {
    /// One that knows these secrets, each by the name of its kind.
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = (&'static str, &'a [u8])>) -> Self {
        let mut scanner = Self { pieces: HashMap::new(), begins: vec![false; 1 << 24] };
        for (kind, secret) in secrets {
            assert!(secret.len() >= PIECE, "{kind} is too short to be recognised");
            for piece in secret.windows(PIECE) {
                scanner.know(kind, piece.to_vec());
                scanner.know(kind, piece.to_ascii_lowercase());
                scanner.know(kind, hex(piece).into_bytes());
                scanner.know(kind, hex(piece).to_uppercase().into_bytes());
            }
            for piece in secret.windows(BASE64_PIECE) {
                scanner.know(kind, STANDARD_NO_PAD.encode(piece).into_bytes());
                scanner.know(kind, URL_SAFE_NO_PAD.encode(piece).into_bytes());
            }
        }
        scanner
    }

    fn know(&mut self, kind: &'static str, piece: Vec<u8>) {
        self.begins[begin(&piece)] = true;
        self.pieces.insert(piece, kind);
    }

    /// The kinds of secrets that show, each once.
    pub(super) fn find(&self, text: &[u8]) -> Vec<&'static str> {
        let unescaped = unescaped(text);
        let lower = text.to_ascii_lowercase();
        let mut found = Vec::new();
        for form in [text, &lower, &unescaped, &percent_decoded(text), &percent_decoded(&unescaped)] {
            found.extend(self.find_in(form));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn find_in(&self, text: &[u8]) -> Vec<&'static str> {
        let mut found = Vec::new();
        for at in 0..text.len().saturating_sub(PIECE - 1) {
            if self.begins[begin(&text[at..])] {
                for length in [PIECE, 2 * PIECE] {
                    found.extend(text.get(at..at + length).and_then(|piece| self.pieces.get(piece)));
                }
            }
        }
        found
    }
}

fn begin(piece: &[u8]) -> usize {
    usize::from(piece[0]) << 16 | usize::from(piece[1]) << 8 | usize::from(piece[2])
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |shown, byte| format!("{shown}{byte:02x}"))
}

/// The text with `%41` as `A`.
fn percent_decoded(text: &[u8]) -> Vec<u8> {
    replaced(text, b'%', |rest| Some((hex_number(rest.get(..2)?)?, 2)))
}

/// The text with `\u0041` as `A`, and `\/` as `/`.
fn unescaped(text: &[u8]) -> Vec<u8> {
    replaced(text, b'\\', |rest| match rest.first()? {
        b'u' => Some((hex_number(rest.get(1..5)?)?, 5)),
        b'x' => Some((hex_number(rest.get(1..3)?)?, 3)),
        letter if letter.is_ascii_punctuation() => Some((*letter, 1)),
        _ => None,
    })
}

/// The text with what follows each mark replaced by one byte, where `read` finds one and says how many bytes it takes.
fn replaced(text: &[u8], mark: u8, read: impl Fn(&[u8]) -> Option<(u8, usize)>) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let found = if text[at] == mark { read(&text[at + 1..]) } else { None };
        let (byte, taken) = found.unwrap_or((text[at], 0));
        plain.push(byte);
        at += 1 + taken;
    }
    plain
}

fn hex_number(digits: &[u8]) -> Option<u8> {
    u8::try_from(u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?).ok()
}

/// The ways in which a secret might show, for controls.
pub(super) fn disguises(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = |text: String| text.into_bytes();
    let each = |form: fn(u8) -> String| secret.iter().map(|byte| form(*byte)).collect::<String>().into_bytes();
    let mut disguises = vec![
        ("as it is", secret.to_vec()),
        ("in small letters", secret.to_ascii_lowercase()),
        ("hexadecimal", bytes(hex(secret))),
        ("HEXADECIMAL", bytes(hex(secret).to_uppercase())),
        ("percent signs", each(|byte| format!("%{byte:02x}"))),
        ("PERCENT SIGNS", each(|byte| format!("%{byte:02X}"))),
        ("JSON", each(|byte| format!("\\u{byte:04x}"))),
        ("percent signs in JSON", each(|byte| format!("\\u0025{byte:02x}"))),
        ("the first piece", secret[..PIECE].to_vec()),
        ("the last piece", secret[secret.len() - PIECE..].to_vec()),
        ("a piece in the middle", secret[secret.len() / 2 - PIECE / 2..][..PIECE].to_vec()),
        ("debug", bytes(format!("{:?}", String::from_utf8_lossy(secret)))),
    ];
    for shift in 0..3 {
        let shifted = [&b"xyz"[..shift], secret, b"+"].concat();
        disguises.push(("base64", STANDARD_NO_PAD.encode(&shifted).into_bytes()));
        disguises.push(("base64 for URLs", URL_SAFE_NO_PAD.encode(&shifted).into_bytes()));
    }
    disguises
}

/// The first line that shows a secret of that kind.
pub(super) fn around<'a>(scanner: &Scanner, kind: &'static str, text: &'a [u8]) -> Cow<'a, str> {
    let line = text.split(|byte| *byte == b'\n').find(|line| scanner.find(line).contains(&kind));
    String::from_utf8_lossy(line.map_or(b"", |line| &line[..line.len().min(2_000)]))
}

#[test]
fn every_disguise_of_every_length_is_seen_through_and_nothing_else_is_found() {
    for secret in ["k7Qx2mZp9Lw4", "k7Qx2mZp9Lw4/aB+c=~d_e-f", "whsec_+/+/k7Qx2mZp9Lw4rTy8uIo1pAs5dFg"] {
        let scanner = Scanner::new([("secret", secret.as_bytes())]);
        for (name, disguise) in disguises(secret.as_bytes()) {
            let text = [b"before \"", &disguise[..], b"\" after"].concat();
            // Unaligned, twelve bytes are seen in base64 only where nine of them begin on a boundary, which is always.
            assert_eq!(scanner.find(&text), ["secret"], "{name} of {secret}");
        }
        assert_eq!(scanner.find(&secret.as_bytes()[..PIECE - 1]), [""; 0]);
        let other = "Zp9Lw4k7Qx2m0aB9c8D7e6F5g4H3i2J1k0LmNoPqRsT";
        assert_eq!(disguises(other.as_bytes()).iter().flat_map(|(_, text)| scanner.find(text)).count(), 0);
    }
}
