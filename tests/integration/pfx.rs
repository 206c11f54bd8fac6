//! Certificates as PFX: what others export is opened, what can't sign is reported, and nothing hostile takes long.

use std::time::Duration;

use aws_lc_rs::{
    cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    pbkdf2,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use scorewatch::{
    domain::Timestamp,
    microsoft::{Certificate, CertificateError, PfxError},
};
use sha2::{Digest, Sha256};

use crate::harness::{
    Pair, computed,
    pfx::{self, PASSWORD, Part, sample},
};

/// What OpenSSL exports by many ways of protection, some of them those of Windows and Key Vault.
#[test]
fn what_others_export_opens_with_its_password_and_with_no_other() {
    let thumbprint: [u8; 32] = Sha256::digest(sample("own.der")).into();
    for (name, password) in [
        ("new.pfx", PASSWORD),
        ("windows.pfx", PASSWORD),
        ("old.pfx", PASSWORD),
        ("mixed.pfx", PASSWORD),
        ("triple.pfx", PASSWORD),
        ("unsealed.pfx", PASSWORD),
        ("quick.pfx", PASSWORD),
        ("empty.pfx", ""),
        ("bare.pfx", ""),
    ] {
        let password = Some(password).filter(|password| !password.is_empty());
        let certificate = Certificate::open(sample(name), password).unwrap_or_else(|error| panic!("{name} {error}"));
        assert_eq!(*certificate.thumbprint(), thumbprint, "{name}");
        assert_eq!(certificate.misplaced(), None, "{name}");
        assert!(certificate.not_after() > Timestamp::parse("2100-01-01T00:00:00Z").unwrap(), "{name}");
        if name == "bare.pfx" {
            continue;
        }
        let wrong = Certificate::open(sample(name), Some("pass word")).unwrap_err();
        assert_eq!(wrong, CertificateError::Pfx(PfxError::Password), "{name}");
        if password.is_some() {
            let none = Certificate::open(sample(name), None).unwrap_err();
            assert_eq!(none, CertificateError::Pfx(PfxError::NoPassword), "{name}");
        }
    }
}

#[test]
fn a_pfx_is_known_by_its_content_also_in_base64() {
    let text = STANDARD.encode(sample("windows.pfx"));
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    for kept in [text.clone(), format!("{text}\n"), lines.join("\r\n")] {
        Certificate::open(kept.as_bytes(), Some(PASSWORD)).unwrap();
    }
    let pem = Pair::new().pem;
    Certificate::open(pem.as_bytes(), None).unwrap();
    Certificate::open(pem.as_bytes(), Some(PASSWORD)).unwrap();
    for kept in [&b""[..], b"\x30", b"\x30\x84", b"\x30\x03\x02\x01", b"\xff\xfe", sample("own.der")] {
        assert_eq!(Certificate::open(kept, None).unwrap_err(), CertificateError::NoCertificate, "{kept:?}");
    }
}

#[test]
fn what_cannot_sign_is_reported_with_the_reason() {
    let (own, other) = (Pair::new(), Pair::new());
    let (certificate, key) = (Part::Certificate(&own.der), Part::Key(&own.key));
    for (parts, arrived) in [
        (&[certificate][..], "is a PFX without a private key"),
        (&[key][..], "is a PFX without a certificate"),
        (&[certificate, key, Part::Key(&other.key)][..], "is a PFX with several private keys"),
        (&[certificate, Part::Key(&other.key)][..], "contains a private key that does not belong to the certificate"),
        (&[certificate, Part::Key(b"0")][..], "contains a private key that is not a valid RSA key"),
        (&[Part::Certificate(b"0"), key][..], "contains a certificate that can't be read (number 1)"),
    ] {
        let error = Certificate::open(&pfx::write(parts), None).unwrap_err();
        assert_eq!(error.to_string(), arrived);
        assert!(!error.hint().is_empty());
    }
    for (name, arrived) in [
        ("curve.pfx", "contains a certificate whose key is not RSA"),
        ("keyless.pfx", "is a PFX without a private key"),
    ] {
        assert_eq!(Certificate::open(sample(name), Some(PASSWORD)).unwrap_err().to_string(), arrived, "{name}");
    }
}

/// Windows writes them as they come.
#[test]
fn the_app_s_own_certificate_is_found_wherever_it_stands() {
    let (own, other) = (Pair::new(), Pair::new());
    let parts = [Part::Certificate(&other.der), Part::Key(&own.key), Part::Certificate(&own.der)];
    let certificate = Certificate::open(&pfx::write(&parts), None).unwrap();
    assert_eq!(certificate.thumbprint()[..], Sha256::digest(&own.der)[..]);
}

#[test]
fn a_password_that_takes_long_to_try_is_not_tried() {
    let own = Pair::new();
    let certificate = Part::Certificate(&own.der);
    let shrouded = |rounds, is_new| Part::Shrouded { rounds, is_new, encrypted: &[0; 16] };
    let each = encrypted(20_000);
    let many = vec![Part::Shrouded { rounds: 20_000, is_new: true, encrypted: &each }; 500];
    for (what, file) in [
        ("PBKDF2", pfx::write(&[certificate, shrouded(u32::MAX >> 1, true)])),
        ("PBKDF2, the largest number", pfx::write(&[certificate, shrouded(u32::MAX, true)])),
        ("TripleDES", pfx::write(&[certificate, shrouded(u32::MAX >> 1, false)])),
        ("the seal", pfx::write_sealed(&[certificate], u32::MAX >> 1)),
        ("each little, all much", pfx::write(&many)),
    ] {
        let began = computed();
        let error = Certificate::open(&file, Some(PASSWORD)).unwrap_err();
        assert_eq!(error, CertificateError::Pfx(PfxError::Rounds), "{what}");
        assert!(computed().saturating_sub(began) < Duration::from_secs(20), "{what}");
    }
    let few = Certificate::open(&pfx::write(&many[..3]), Some(PASSWORD)).unwrap_err();
    assert_eq!(few, CertificateError::Pfx(PfxError::SeveralKeys), "control: each can be decrypted");
}

/// A block that decrypts by the password and that many rounds of PBKDF2.
fn encrypted(rounds: u32) -> Vec<u8> {
    let mut key = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA1, rounds.try_into().unwrap(), b"salt", PASSWORD.as_bytes(), &mut key);
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, &key).unwrap()).unwrap();
    let mut block = b"x".to_vec();
    key.less_safe_encrypt(&mut block, EncryptionContext::Iv128([0; 16].into())).unwrap();
    block
}

#[test]
fn damage_at_any_place_is_reported_and_never_panics() {
    for name in ["quick.pfx", "bare.pfx"] {
        let password = (name == "quick.pfx").then_some(PASSWORD);
        let whole = sample(name);
        for length in 0..whole.len() {
            assert!(Certificate::open(&whole[..length], password).is_err(), "{name} of {length} bytes");
        }
        for place in 0..whole.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut damaged = whole.to_vec();
                damaged[place] ^= change;
                // Some bytes mean nothing: a label, a name.
                drop(Certificate::open(&damaged, password));
            }
        }
    }
}

#[test]
fn a_pfx_prints_no_key() {
    let certificate = Certificate::open(sample("new.pfx"), Some(PASSWORD)).unwrap();
    assert!(format!("{certificate:?}").len() < 80);
}
