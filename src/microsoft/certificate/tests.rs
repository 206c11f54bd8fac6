use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};

use super::*;

fn rsa() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()
}

fn certificate(key: &KeyPair) -> String {
    CertificateParams::new(["scorewatch".to_owned()]).unwrap().self_signed(key).unwrap().pem()
}

#[test]
fn a_pair_is_read_in_either_order_and_prints_no_key() {
    let key = rsa();
    let (certificate, key) = (certificate(&key), key.serialize_pem());
    for pem in [format!("{certificate}{key}"), format!("{key}{certificate}")] {
        let read = Certificate::parse(&pem).unwrap();
        assert_eq!(read.misplaced(), None);
        assert!(format!("{read:?}").len() < 80);
    }
}

#[test]
fn what_cannot_sign_is_reported_with_the_reason() {
    use CertificateError as Error;
    let (key, other, curve) = (rsa(), rsa(), KeyPair::generate().unwrap());
    let (own, others, of_curve) = (certificate(&key), certificate(&other), certificate(&curve));
    let pem = key.serialize_pem();
    let named = |name: &str| pem.replace("PRIVATE KEY", name);
    for (text, error) in [
        (String::new(), Error::NoCertificate),
        (pem.clone(), Error::NoCertificate),
        (own.clone(), Error::NoKey),
        (format!("{own}{}", named("ENCRYPTED PRIVATE KEY")), Error::KeyEncrypted),
        (format!("{own}{}", named("RSA PRIVATE KEY")), Error::KeyForm),
        (format!("{own}{}", named("EC PRIVATE KEY")), Error::KeyUnsound),
        (format!("{own}{}", curve.serialize_pem()), Error::KeyUnsound),
        (format!("{own}{pem}{pem}"), Error::SeveralKeys),
        (format!("{own}{}", other.serialize_pem()), Error::Strangers),
        (format!("{others}{own}{pem}"), Error::Order { number: 2 }),
        (format!("{of_curve}{}", curve.serialize_pem()), Error::NotRsa),
        (format!("{}{pem}", pem.replace("PRIVATE KEY", "CERTIFICATE")), Error::Unreadable { number: 1 }),
    ] {
        assert_eq!(Certificate::parse(&text).unwrap_err(), error, "{error}");
        assert!(!error.hint().is_empty());
    }
}
