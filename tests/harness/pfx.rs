//! PFX files: samples of what OpenSSL exports (`pfx/make`), and a writer of those that nobody would.

/// Of all samples but `sealed.pfx`, which has a password of its own, and those without.
pub(crate) const PASSWORD: &str = "pass wörd";

/// One of the samples.
pub(crate) fn sample(name: &str) -> &'static [u8] {
    match name {
        "bare.pfx" => include_bytes!("pfx/bare.pfx"),
        "curve.pfx" => include_bytes!("pfx/curve.pfx"),
        "empty.pfx" => include_bytes!("pfx/empty.pfx"),
        "keyless.pfx" => include_bytes!("pfx/keyless.pfx"),
        "mixed.pfx" => include_bytes!("pfx/mixed.pfx"),
        "new.pfx" => include_bytes!("pfx/new.pfx"),
        "old.pfx" => include_bytes!("pfx/old.pfx"),
        "quick.pfx" => include_bytes!("pfx/quick.pfx"),
        "sealed.pfx" => include_bytes!("pfx/sealed.pfx"),
        "triple.pfx" => include_bytes!("pfx/triple.pfx"),
        "unsealed.pfx" => include_bytes!("pfx/unsealed.pfx"),
        "windows.pfx" => include_bytes!("pfx/windows.pfx"),
        "own.der" => include_bytes!("pfx/own.der"),
        "own.key.der" => include_bytes!("pfx/own.key.der"),
        _ => panic!("no sample is called {name}"),
    }
}

/// What is put into a PFX.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'a> {
    Certificate(&'a [u8]),
    Key(&'a [u8]),
    /// A key whose password takes that many rounds: by PBKDF2 (and AES-256, starting with zeros), or by triple DES.
    Shrouded {
        rounds: u32,
        is_new: bool,
        encrypted: &'a [u8],
    },
}

/// Writes one without protection.
pub(crate) fn write(parts: &[Part<'_>]) -> Vec<u8> {
    file(parts, &[])
}

/// Writes one with a wrong seal, which takes that many rounds.
pub(crate) fn write_sealed(parts: &[Part<'_>], rounds: u32) -> Vec<u8> {
    let digest = sequence(&[sequence(&[object(&[0x2b, 0x0e, 0x03, 0x02, 0x1a])]), octets(&[0; 20])]);
    file(parts, &sequence(&[digest, octets(b"salt"), number(rounds)]))
}

fn file(parts: &[Part<'_>], seal: &[u8]) -> Vec<u8> {
    const DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
    let content = |content: &[u8]| sequence(&[object(&DATA), value(0xa0, &octets(content))]);
    let bags: Vec<_> = parts.iter().map(bag).collect();
    let whole = content(&sequence(&[content(&sequence(&bags))]));
    sequence(&[number(3), whole, seal.to_vec()])
}

fn bag(part: &Part<'_>) -> Vec<u8> {
    const PKCS12: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c];
    const PKCS9_X509: [u8; 10] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
    let of_pkcs12 = |last: &[u8]| object(&[&PKCS12, last].concat());
    let (kind, held) = match part {
        Part::Key(key) => (1, key.to_vec()),
        Part::Certificate(der) => (3, sequence(&[object(&PKCS9_X509), value(0xa0, &octets(der))])),
        Part::Shrouded { rounds, is_new, encrypted } => {
            let cost = sequence(&[octets(b"salt"), number(*rounds)]);
            let how = if *is_new {
                sequence(&[pbes2(0x0d), by_pbkdf2(&cost)])
            } else {
                sequence(&[of_pkcs12(&[1, 3]), cost])
            };
            (2, sequence(&[how, octets(encrypted)]))
        }
    };
    sequence(&[of_pkcs12(&[0x0a, 1, kind]), value(0xa0, &held)])
}

fn pbes2(last: u8) -> Vec<u8> {
    object(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, last])
}

/// Encrypts by PBKDF2 with AES-256.
fn by_pbkdf2(cost: &[u8]) -> Vec<u8> {
    const AES_256: [u8; 9] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
    let cipher = sequence(&[object(&AES_256), octets(&[0; 16])]);
    sequence(&[sequence(&[pbes2(0x0c), cost.to_vec()]), cipher])
}

fn sequence(values: &[Vec<u8>]) -> Vec<u8> {
    value(0x30, &values.concat())
}

fn object(id: &[u8]) -> Vec<u8> {
    value(0x06, id)
}

fn octets(bytes: &[u8]) -> Vec<u8> {
    value(0x04, bytes)
}

fn number(number: u32) -> Vec<u8> {
    let bytes = [&[0], &number.to_be_bytes()[..]].concat();
    let zeros = bytes.windows(2).take_while(|pair| pair[0] == 0 && pair[1] < 0x80).count();
    value(0x02, &bytes[zeros..])
}

fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    match length {
        [0, short @ ..=0x7f] => [&[tag, short], content].concat(),
        [high, low] => [&[tag, 0x82, high, low], content].concat(),
    }
}
