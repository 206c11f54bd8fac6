//! Every parser of what comes from outside, fed with the fuzzers' corpus and with seeded mutations of it, on a stable compiler.

mod target;

use std::{fs, path::Path};

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// What a mutation may put in: what parsers trip over.
const PIECES: [&[u8]; 14] = [
    b"\"",
    b"{",
    b"[[[[[[[[[[",
    b"}",
    b":null",
    b"-1",
    b"1e999",
    b"NaN",
    b"\\u0000",
    b"\xff\xfe",
    b"\r\n",
    b",",
    b"99999999999999999999",
    b"\xe2\x80\xae",
];

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

fn mutate(bytes: &mut Vec<u8>, random: &mut StdRng) {
    for _ in 0..random.random_range(1..6) {
        let at = random.random_range(0..=bytes.len());
        match random.random_range(0..5) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] = random.random(),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => {
                let to = (at + random.random_range(0..40)).min(bytes.len());
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again);
            }
            _ => drop(bytes.splice(at..at, PIECES[random.random_range(0..PIECES.len())].iter().copied())),
        }
    }
}

/// Feeds every file of the corpus, then that many mutations.
#[expect(clippy::print_stdout, reason = "a failure names the seed that repeats it")]
fn feed(name: &str, mutations: usize, target: fn(&[u8])) {
    let seed =
        std::env::var("SCOREWATCH_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("{name}: SCOREWATCH_FUZZ_SEED={seed}");
    let (corpus, mut random) = (corpus(name), StdRng::seed_from_u64(seed));
    assert!(!corpus.is_empty(), "{name} has no corpus");
    for bytes in &corpus {
        target(bytes);
    }
    for _ in 0..mutations {
        let mut bytes = corpus[random.random_range(0..corpus.len())].clone();
        mutate(&mut bytes, &mut random);
        target(&bytes);
    }
}

#[test]
fn microsofts_answers_are_survived_and_never_make_up_a_value() {
    feed("token", 20_000, target::token);
    feed("entra_refusal", 20_000, target::entra_refusal);
    feed("call_refusal", 20_000, target::call_refusal);
    feed("single_score", 20_000, target::single_score);
    feed("groups", 20_000, target::groups);
    feed("secure_scores", 20_000, target::secure_scores);
    feed("retry_after", 20_000, target::retry_after);
}

#[test]
fn what_people_write_is_survived_and_every_refusal_says_why() {
    feed("cron", 5_000, target::cron);
    feed("sheet", 20_000, target::sheet);
    feed("config", 1_000, target::config);
    feed("template", 100, target::template);
}
