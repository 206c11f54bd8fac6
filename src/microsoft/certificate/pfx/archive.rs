//! The parts of a PFX (RFC 7292, section 4): a seal over the whole, safes within it, bags within those.

use secrecy::zeroize::Zeroizing;

use super::{
    Contents, PfxError,
    der::{AROUND, IN_PLACE, OBJECT, OCTETS, SEQUENCE, Values},
    protection::{Password, Seal},
};

/// `data` and `encryptedData`, 1.2.840.113549.1.7.1 and .6 (RFC 5652).
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
/// `keyBag`, `pkcs8ShroudedKeyBag` and `certBag`, 1.2.840.113549.1.12.10.1.1 to .3.
const KEY_BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x01];
const SHROUDED_KEY_BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02];
const CERTIFICATE_BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x03];
/// The object identifier of `x509Certificate`, 1.2.840.113549.1.9.22.1.
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];

/// What was found in bags so far.
#[derive(Default)]
struct Found {
    certificates: Vec<Vec<u8>>,
    keys: Vec<Zeroizing<Vec<u8>>>,
}

/// Opens one with one key.
pub(super) fn open(pfx: &[u8], password: &str) -> Result<Contents, PfxError> {
    let mut pfx = Values(pfx).enter(SEQUENCE)?;
    if pfx.number()? != 3 {
        return Err(PfxError::Damaged);
    }
    let mut whole = pfx.enter(SEQUENCE)?;
    // Anything but `data` is sealed by another key than a password.
    if whole.take(OBJECT)? != DATA {
        return Err(PfxError::Protection);
    }
    let sealed = whole.enter(AROUND)?.take(OCTETS)?;
    let seal = if pfx.is_empty() { None } else { Some(Seal::read(pfx.enter(SEQUENCE)?)?) };
    let mut password = Password::new(password, sealed, seal)?;
    let mut found = Found::default();
    let mut safes = Values(sealed).enter(SEQUENCE)?;
    while !safes.is_empty() {
        found.add_safe(safes.enter(SEQUENCE)?, &mut password)?;
    }
    found.only()
}

impl Found {
    fn add_safe(&mut self, mut safe: Values<'_>, password: &mut Password) -> Result<(), PfxError> {
        match safe.take(OBJECT)? {
            DATA => self.add_bags(Values(safe.enter(AROUND)?.take(OCTETS)?), password),
            ENCRYPTED_DATA => {
                let mut data = safe.enter(AROUND)?.enter(SEQUENCE)?;
                data.number()?;
                let mut content = data.enter(SEQUENCE)?;
                content.take(OBJECT)?;
                let how = content.enter(SEQUENCE)?;
                let bags = password.decrypt(how, content.take(IN_PLACE)?)?;
                self.add_bags(Values(&bags), password)
            }
            // Encrypted for somebody's public key.
            _ => Err(PfxError::Protection),
        }
    }

    fn add_bags(&mut self, mut bags: Values<'_>, password: &mut Password) -> Result<(), PfxError> {
        let mut bags = bags.enter(SEQUENCE)?;
        while !bags.is_empty() {
            let mut bag = bags.enter(SEQUENCE)?;
            let kind = bag.take(OBJECT)?;
            let value = bag.enter(AROUND)?;
            match kind {
                // Taken with its header, as it is a value of its own.
                KEY_BAG => self.keys.push(Zeroizing::new(value.0.to_vec())),
                SHROUDED_KEY_BAG => self.keys.push(unshroud(value, password)?),
                CERTIFICATE_BAG => self.certificates.extend(certificate(value)?),
                // Lists of revoked certificates, secrets of others, bags within bags.
                _ => {}
            }
        }
        Ok(())
    }

    fn only(mut self) -> Result<Contents, PfxError> {
        let key = self.keys.pop().ok_or(PfxError::NoKey)?;
        if !self.keys.is_empty() {
            return Err(PfxError::SeveralKeys);
        }
        if self.certificates.is_empty() {
            return Err(PfxError::NoCertificate);
        }
        Ok(Contents { certificates: self.certificates, key })
    }
}

fn unshroud(mut value: Values<'_>, password: &mut Password) -> Result<Zeroizing<Vec<u8>>, PfxError> {
    let mut shrouded = value.enter(SEQUENCE)?;
    let how = shrouded.enter(SEQUENCE)?;
    password.decrypt(how, shrouded.take(OCTETS)?)
}

/// The certificate, if it is one of X.509.
fn certificate(mut value: Values<'_>) -> Result<Option<Vec<u8>>, PfxError> {
    let mut bag = value.enter(SEQUENCE)?;
    if bag.take(OBJECT)? != X509 {
        return Ok(None);
    }
    Ok(Some(bag.enter(AROUND)?.take(OCTETS)?.to_vec()))
}
