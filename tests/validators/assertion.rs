//! A client assertion, verified by a library that shares no code with ours.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use scorewatch::{
    domain::Timestamp,
    microsoft::{Certificate, Statement},
    secret::ExposeSecret as _,
};
use uuid::Uuid;

use super::{installed, script};
use crate::harness::Pair;

#[test]
#[ignore = "needs tests/validators/install"]
fn another_library_verifies_what_a_certificate_signs() {
    let (pair, now) = (Pair::new(), Timestamp::parse("2026-11-24T12:00:00Z").unwrap());
    let audience = "https://login.microsoftonline.com/2f1c0a5e-0000-4000-8000-000000000001/oauth2/v2.0/token";
    let statement = Statement { audience, client_id: Uuid::from_u128(2), id: Uuid::new_v4(), at: now };
    let assertion = Certificate::parse(&pair.pem).unwrap().sign(statement).unwrap();
    let given = serde_json::json!({
        "assertion": assertion.expose_secret(), "certificate": pair.pem, "audience": audience,
        "app": Uuid::from_u128(2), "now": now.as_seconds(),
    });
    let mut judge = Command::new("python3")
        .arg(script("assertion.py"))
        .env("PYTHONPATH", installed().join("python"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    judge.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = judge.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
