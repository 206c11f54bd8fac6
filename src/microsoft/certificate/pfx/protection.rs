//! What a password protects: the seal over a PFX, and what is encrypted in it (RFC 7292, appendices B and C; RFC 8018).
//!
//! How long a password takes to try is said by the file. It is counted before anything is done.

use std::num::NonZeroU32;

use aws_lc_rs::{
    cipher::{AES_128, AES_192, AES_256, Algorithm, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512},
    hmac, iv, pbkdf2,
};
use cbc::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
use des::TdesEde3;
use rc2::Rc2;
use secrecy::zeroize::Zeroizing;

use super::{
    PfxError, ROUNDS_MAX,
    der::{INTEGER, OBJECT, OCTETS, SEQUENCE, Values},
};

/// `pbeWithSHAAnd3-KeyTripleDES-CBC` and `pbeWithSHAAnd40BitRC2-CBC`, 1.2.840.113549.1.12.1.3 and .6.
const BY_TRIPLE_DES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x03];
const BY_RC2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x06];
/// `PBES2` and `PBKDF2`, 1.2.840.113549.1.5.13 and .12.
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
/// The object identifier of `des-EDE3-CBC`, 1.2.840.113549.3.7.
const TRIPLE_DES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07];
/// Before the last number of `aes…-CBC`, 2.16.840.1.101.3.4.1.
const AES: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01];
/// Before the last number of `hmacWith…`, 1.2.840.113549.2.
const HMAC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02];
/// `sha1`, 1.3.14.3.2.26, and what comes before the last number of the others, 2.16.840.1.101.3.4.2.
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

/// What a key is derived for (RFC 7292, appendix B.3).
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Start = 2,
    Seal = 3,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn of_digest(object: &[u8]) -> Result<Self, PfxError> {
        match (object, object.strip_prefix(SHA2)) {
            (SHA1, _) => Ok(Self::Sha1),
            (_, Some([1])) => Ok(Self::Sha256),
            (_, Some([2])) => Ok(Self::Sha384),
            (_, Some([3])) => Ok(Self::Sha512),
            _ => Err(PfxError::Protection),
        }
    }

    fn of_hmac(object: &[u8]) -> Result<Self, PfxError> {
        match object.strip_prefix(HMAC) {
            Some([7]) => Ok(Self::Sha1),
            Some([9]) => Ok(Self::Sha256),
            Some([10]) => Ok(Self::Sha384),
            Some([11]) => Ok(Self::Sha512),
            _ => Err(PfxError::Protection),
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
            Self::Sha512 => &SHA512,
        }
    }

    const fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    const fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

/// What says that nobody changed a PFX since it was made.
pub(super) struct Seal<'a> {
    hash: Hash,
    mark: &'a [u8],
    salt: &'a [u8],
    rounds: u32,
}

impl<'a> Seal<'a> {
    /// Reads the `MacData` of a PFX file.
    pub(super) fn read(mut data: Values<'a>) -> Result<Self, PfxError> {
        let mut info = data.enter(SEQUENCE)?;
        let hash = Hash::of_digest(info.enter(SEQUENCE)?.take(OBJECT)?)?;
        let mark = info.take(OCTETS)?;
        let salt = data.take(OCTETS)?;
        let rounds = if data.is_empty() { 1 } else { data.number()? };
        Ok(Self { hash, mark, salt, rounds })
    }
}

/// The password, and how much may still be spent on it.
pub(super) struct Password {
    text: Zeroizing<String>,
    /// UTF-16 from the high byte on, with two zeros at the end.
    wide: Zeroizing<Vec<u8>>,
    rounds_left: u32,
    is_proven: bool,
}

impl Password {
    /// Of a PFX with this content, if the seal proves it.
    pub(super) fn new(text: &str, sealed: &[u8], seal: Option<Seal<'_>>) -> Result<Self, PfxError> {
        let mut wide = Zeroizing::new(Vec::with_capacity(2 * text.len() + 2));
        wide.extend(text.encode_utf16().chain([0]).flat_map(u16::to_be_bytes));
        let text = Zeroizing::new(text.to_owned());
        let mut password = Self { text, wide, rounds_left: ROUNDS_MAX, is_proven: false };
        if let Some(seal) = seal {
            if !password.fits(&seal, sealed)? {
                // Some write no password as nothing at all, and not as two zeros.
                if !password.text.is_empty() {
                    return Err(PfxError::Password);
                }
                password.wide.clear();
                if !password.fits(&seal, sealed)? {
                    return Err(PfxError::Password);
                }
            }
            password.is_proven = true;
        }
        Ok(password)
    }

    fn fits(&mut self, seal: &Seal<'_>, sealed: &[u8]) -> Result<bool, PfxError> {
        let length = seal.hash.digest().output_len();
        let key = self.derive(seal.hash, Purpose::Seal, seal.salt, seal.rounds, length)?;
        Ok(hmac::verify(&hmac::Key::new(seal.hash.hmac(), &key), sealed, seal.mark).is_ok())
    }

    /// Decrypts what is protected as `how` says, an `AlgorithmIdentifier`.
    pub(super) fn decrypt(&mut self, mut how: Values<'_>, encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, PfxError> {
        let plain = match how.take(OBJECT)? {
            BY_TRIPLE_DES => {
                let (key, start) = self.derive_both(how.enter(SEQUENCE)?, 24)?;
                plain::<TdesEde3>(&key, &start, encrypted)
            }
            BY_RC2 => {
                let (key, start) = self.derive_both(how.enter(SEQUENCE)?, 5)?;
                plain::<Rc2>(&key, &start, encrypted)
            }
            PBES2 => self.decrypt_newly(how.enter(SEQUENCE)?, encrypted)?,
            _ => return Err(PfxError::Protection),
        };
        // Without a seal this is where a wrong password shows.
        plain.ok_or(if self.is_proven { PfxError::Damaged } else { PfxError::Password })
    }

    fn derive_both(&mut self, mut given: Values<'_>, length: usize) -> Result<(Key, Key), PfxError> {
        let (salt, rounds) = (given.take(OCTETS)?, given.number()?);
        let key = self.derive(Hash::Sha1, Purpose::Key, salt, rounds, length)?;
        Ok((key, self.derive(Hash::Sha1, Purpose::Start, salt, rounds, 8)?))
    }

    /// `PBES2` (RFC 8018, appendix A.4).
    fn decrypt_newly(&mut self, mut given: Values<'_>, encrypted: &[u8]) -> Result<Option<Key>, PfxError> {
        let (mut derivation, mut cipher) = (given.enter(SEQUENCE)?, given.enter(SEQUENCE)?);
        if derivation.take(OBJECT)? != PBKDF2 {
            return Err(PfxError::Protection);
        }
        let mut derivation = derivation.enter(SEQUENCE)?;
        let (salt, rounds) = (derivation.take(OCTETS)?, derivation.number()?);
        if derivation.tag() == Some(INTEGER) {
            derivation.number()?;
        }
        let hash =
            if derivation.is_empty() { Hash::Sha1 } else { Hash::of_hmac(derivation.enter(SEQUENCE)?.take(OBJECT)?)? };
        let (cipher, start) = (cipher.take(OBJECT)?, cipher.take(OCTETS)?);
        let (algorithm, length) = match (cipher, cipher.strip_prefix(AES)) {
            (TRIPLE_DES, _) => (None, 24_usize),
            (_, Some([2])) => (Some(&AES_128), 16),
            (_, Some([22])) => (Some(&AES_192), 24),
            (_, Some([42])) => (Some(&AES_256), 32),
            _ => return Err(PfxError::Protection),
        };
        let rounds = self.spend(rounds, length.div_ceil(hash.digest().output_len()))?;
        let mut key = Zeroizing::new(vec![0; length]);
        pbkdf2::derive(hash.pbkdf2(), rounds, salt, self.text.as_bytes(), &mut key);
        Ok(match algorithm {
            Some(algorithm) => plain_by_aes(algorithm, &key, start, encrypted),
            None => plain::<TdesEde3>(&key, start, encrypted),
        })
    }

    /// Takes that many rounds from what is left, if there are enough.
    fn spend(&mut self, rounds: u32, times: usize) -> Result<NonZeroU32, PfxError> {
        let all = u32::try_from(times).ok().and_then(|times| times.checked_mul(rounds));
        self.rounds_left = all.and_then(|all| self.rounds_left.checked_sub(all)).ok_or(PfxError::Rounds)?;
        NonZeroU32::new(rounds).ok_or(PfxError::Damaged)
    }

    /// Derives a key (RFC 7292, appendix B.2).
    fn derive(
        &mut self,
        hash: Hash,
        purpose: Purpose,
        salt: &[u8],
        rounds: u32,
        length: usize,
    ) -> Result<Key, PfxError> {
        let algorithm = hash.digest();
        let block = algorithm.block_len();
        let rounds = self.spend(rounds, length.div_ceil(algorithm.output_len()))?;
        let mut input = Zeroizing::new(filled(salt, block));
        input.extend_from_slice(&Zeroizing::new(filled(&self.wide, block)));
        let mut key = Zeroizing::new(Vec::with_capacity(length + algorithm.output_len()));
        loop {
            let mut context = digest::Context::new(algorithm);
            context.update(&vec![purpose as u8; block]);
            context.update(&input);
            let mut hashed = context.finish();
            for _ in 1..rounds.get() {
                hashed = digest::digest(algorithm, hashed.as_ref());
            }
            key.extend_from_slice(hashed.as_ref());
            if key.len() >= length {
                key.truncate(length);
                return Ok(key);
            }
            let addend: Zeroizing<Vec<u8>> =
                Zeroizing::new(hashed.as_ref().iter().copied().cycle().take(block).collect());
            input.chunks_mut(block).for_each(|part| add(part, &addend));
        }
    }
}

type Key = Zeroizing<Vec<u8>>;

/// Repeats bytes up to a whole number of blocks.
fn filled(bytes: &[u8], block: usize) -> Vec<u8> {
    bytes.iter().copied().cycle().take(bytes.len().next_multiple_of(block)).collect()
}

/// Adds a number and 1 to another of the same length; what runs over is dropped.
fn add(number: &mut [u8], addend: &[u8]) {
    let mut carry = 1;
    for (digit, more) in number.iter_mut().zip(addend).rev() {
        let sum = u16::from(*digit) + u16::from(*more) + carry;
        (*digit, carry) = (sum.to_be_bytes()[1], sum >> 8);
    }
}

fn plain<C>(key: &[u8], start: &[u8], encrypted: &[u8]) -> Option<Key>
where
    cbc::Decryptor<C>: KeyIvInit + BlockModeDecrypt,
    C: cbc::cipher::BlockCipherDecrypt,
{
    let cipher = cbc::Decryptor::<C>::new_from_slices(key, start).ok()?;
    cipher.decrypt_padded_vec::<Pkcs7>(encrypted).ok().map(Zeroizing::new)
}

fn plain_by_aes(algorithm: &'static Algorithm, key: &[u8], start: &[u8], encrypted: &[u8]) -> Option<Key> {
    let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, key).ok()?).ok()?;
    let start = DecryptionContext::Iv128(iv::FixedLength::try_from(start).ok()?);
    let mut plain = Zeroizing::new(encrypted.to_vec());
    let length = cipher.decrypt(&mut plain, start).ok()?.len();
    plain.truncate(length);
    Some(plain)
}
