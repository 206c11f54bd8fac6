//! How a database is reached: encrypted and to whom, by whom, and what may stand in between.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use scorewatch::{
    secret::SecretReference,
    store::{
        Checks, Commit, StoreError, Upkeep,
        postgres::{self, Password, PostgresSettings, TlsMode},
    },
};

use super::fixture::*;
use crate::harness::{Service, World, event, pooler::Pooler, postgres::Postgres};

/// The certificate of an authority, as a file, and what it signed for `localhost`: a certificate and its key.
fn authority(folder: &Path, name: &str) -> (PathBuf, String, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let file = folder.join(name);
    fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    (file, server.pem(), key.serialize_pem())
}

/// Lets a server take encrypted connections, on a port of this machine.
fn encrypt(server: &Postgres, certificate: &str, key: &str) -> u16 {
    let data = server.folder().join("data");
    let owner = fs::metadata(&data).unwrap();
    for (name, text) in [("server.crt", certificate), ("server.key", key)] {
        let file = data.join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = fs::read_to_string(data.join("postgresql.conf")).unwrap();
    let more = format!("{settings}\nssl = on\nlisten_addresses = '127.0.0.1'\nport = {port}\n");
    fs::write(data.join("postgresql.conf"), more).unwrap();
    server.crash();
    server.start_again();
    port
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_database_is_reached_through_tls_only_if_its_certificate_is_to_be_trusted() {
    let server = Postgres::apart();
    let plain = server.database().await;
    let folder = tempfile::tempdir().unwrap();
    let (right, certificate, key) = authority(folder.path(), "right.pem");
    let (wrong, ..) = authority(folder.path(), "wrong.pem");
    let absent = folder.path().join("absent.pem");
    let port = encrypt(&server, &certificate, &key);
    for (tls, host, ca, refused) in [
        (TlsMode::VerifyFull, "localhost", &right, None),
        (TlsMode::VerifyCa, "localhost", &right, None),
        // The certificate does not name the address.
        (TlsMode::VerifyCa, "127.0.0.1", &right, None),
        (TlsMode::VerifyFull, "127.0.0.1", &right, Some(&["is not trusted", "write the server's name"])),
        (TlsMode::VerifyFull, "localhost", &wrong, Some(&["is not trusted", "the authority that signed it as `ca`"])),
        (TlsMode::VerifyCa, "localhost", &wrong, Some(&["is not trusted", "the authority that signed it as `ca`"])),
        (TlsMode::Require, "localhost", &wrong, None),
        (TlsMode::VerifyFull, "localhost", &absent, Some(&["absent.pem", "can't be read"])),
    ] {
        let settings =
            PostgresSettings { host: host.to_owned(), port, tls, root_certificates: Some(ca.clone()), ..plain.clone() };
        match (postgres::open(&settings).await, refused) {
            (Ok(store), None) => store.close().await,
            (Err(StoreError::Open(why)), Some(parts)) => {
                assert!(parts.iter().all(|part| why.contains(part)), "{tls:?} {host} {ca:?}: {why}");
            }
            (other, _) => panic!("{tls:?} {host} {ca:?}: {other:?}"),
        }
    }
    // Without a file, the authorities are those that browsers know.
    let public = PostgresSettings { host: "localhost".to_owned(), port, tls: TlsMode::VerifyFull, ..plain };
    let why = postgres::open(&public).await.unwrap_err().to_string();
    assert!(why.contains("is not trusted"), "{why}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_server_without_tls_is_not_used_in_the_clear() {
    let server = Postgres::apart();
    let plain = server.database().await;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = server.folder().join("data/postgresql.conf");
    let settings = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{settings}\nlisten_addresses = '127.0.0.1'\nport = {port}\n")).unwrap();
    server.crash();
    server.start_again();
    let settings = PostgresSettings { host: "127.0.0.1".to_owned(), port, tls: TlsMode::Require, ..plain };
    let why = postgres::open(&settings).await.unwrap_err().to_string();
    assert!(why.contains("takes no encrypted connections") && why.contains("`ssl = on`"), "{why}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_command_writes_only_to_a_server_that_keeps_what_it_confirms() {
    let (server, database) = Postgres::shared_database().await;
    postgres::open(&database).await.unwrap().close().await;
    postgres::open_reader(&database).await.unwrap().close().await;
    server.run(&database, &format!("ALTER DATABASE {} SET synchronous_commit = off", database.database)).await;
    let why = postgres::open_reader(&database).await.unwrap_err().to_string();
    assert!(why.contains("`synchronous_commit = off`") && why.contains("set it to `on`"), "{why}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15 or newer"]
async fn a_changed_password_is_used_by_the_writer_the_readers_and_the_lease_without_a_restart() {
    let server = Postgres::apart();
    let database = server.guarded().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let password = Some(Password::new(SecretReference::File(file.clone())));
    let database = PostgresSettings { password, ..database };
    server.change_password(&database, "first").await;
    fs::write(&file, "wrong").unwrap();
    let why = postgres::open(&database).await.unwrap_err().to_string();
    assert!(why.contains("refuses the role or its password"), "a control: {why}");
    fs::write(&file, "first").unwrap();
    let (store, _) = postgres::join(&database, "one".to_owned()).await.unwrap();
    assert_eq!(store.commit(check("contoso", None, 0)).await, Ok(Commit::Done));
    assert_eq!(load(&store, "contoso").await.version, 1);
    let heard_at = async || store.replicas().await.unwrap()[0].heard_at;
    // Twice, as a reader's connection may be left from before.
    for (version, password) in [(1, "second"), (2, "third")] {
        server.change_password(&database, password).await;
        fs::write(&file, password).unwrap();
        server.cut(&database).await;
        let seconds = i64::try_from(version).unwrap() * 10;
        let mut outcome = store.commit(check("contoso", Some(version), seconds)).await;
        if outcome.is_err() {
            // The first attempt may meet the connection that is gone.
            outcome = store.commit(check("contoso", Some(version), seconds)).await;
        }
        assert_eq!(outcome, Ok(Commit::Done));
        assert_eq!(load(&store, "contoso").await.version, version + 1);
        let before = heard_at().await;
        let renewed = async {
            while heard_at().await == before {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        assert!(event(renewed).await.is_some(), "the lease is not renewed any more");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PgBouncer"]
async fn behind_a_pooler_the_service_is_refused_and_says_what_to_do() {
    let (server, database) = Postgres::shared_database().await;
    // A control: the same server is fine without one.
    postgres::open(&database).await.unwrap().close().await;
    for (mode, ignored) in [
        ("transaction", ""),
        // What people write so that drivers get in.
        ("transaction", "extra_float_digits"),
        ("transaction", "extra_float_digits, options"),
        ("session", "extra_float_digits, options"),
    ] {
        let pooler = Pooler::start(server, mode, ignored);
        let mut world = World::new().await;
        world.setup.store = Postgres::address(&PostgresSettings { host: pooler.host(), ..database.clone() });
        world.write();
        let service = Service::spawn(&world.folder.config(), &[]);
        assert_eq!(service.ended().await.code(), Some(1), "{mode} {ignored}: {}", service.log());
        let log = service.log();
        assert!(log.contains("pooler such as PgBouncer") && log.contains("write the server's own address"), "{log}");
        let beside = postgres::open_reader(&PostgresSettings { host: pooler.host(), ..database.clone() }).await;
        let why = beside.unwrap_err().to_string();
        assert!(why.contains("pooler such as PgBouncer"), "{mode} {ignored}: {why}");
    }
}
