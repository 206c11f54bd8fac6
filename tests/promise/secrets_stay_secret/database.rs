//! A database server that asks for the password in the clear, as the least careful one does, and refuses it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{
    fixture::Fixture,
    kinds,
    sinks::{Sink, command},
};

/// The kind of secret with which a database is opened.
pub(super) const PASSWORD: &str = "database-password";
/// Asks for the password ("Message Formats" in PostgreSQL's documentation: `AuthenticationCleartextPassword`).
const ASK: [u8; 9] = [b'R', 0, 0, 0, 8, 0, 0, 0, 3];
/// What is said of it (`ErrorResponse`).
const REFUSAL: &[u8] = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"me\"\0\0";

/// Commands with the store there.
pub(super) async fn commands(fixture: &Fixture) -> Vec<Sink> {
    let given = Arc::new(Mutex::new(Vec::new()));
    let server = start(Arc::clone(&given)).await;
    let folder = &fixture.world.folder;
    let good = std::fs::read_to_string(folder.config()).unwrap();
    let store = format!("{{ postgres: \"postgres://me@{server}/scores\", password: {{ file: secrets/{PASSWORD} }} }}");
    let there = good.replace(&format!("store: {}", fixture.world.setup.store), &format!("store: {store}"));
    assert_ne!(there, good);
    folder.write("database.yaml", &there);
    let target = folder.path().join("database.yaml").display().to_string();
    let mut sinks = vec![command(fixture, &["store", "copy", "--to-config", &target]).await];
    folder.write("scorewatch.yaml", &there);
    for arguments in [
        &["run"][..],
        &["once"],
        &["check", "--online"],
        &["migrate", "--check"],
        &["migrate", "--json"],
        &["tenants", "list"],
        &["tenants", "forget", "nobody"],
        &["backup", "x"],
    ] {
        sinks.push(command(fixture, arguments).await);
    }
    fixture.repair_configuration();
    // It holds what a configuration may.
    std::fs::remove_file(target).unwrap();
    let password = kinds::named(PASSWORD).canary();
    let given = given.lock().unwrap();
    assert!(given.len() > 4 && given.iter().all(|given| *given == password), "{} were given", given.len());
    for sink in &mut sinks {
        sink.name += " (database)";
    }
    sinks
}

async fn start(given: Arc<Mutex<Vec<String>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // Whoever goes away early has given nothing.
            if let Ok(password) = ask(client).await {
                given.lock().unwrap().push(password);
            }
        }
    });
    address
}

async fn ask(mut client: TcpStream) -> std::io::Result<String> {
    body(&mut client).await?;
    client.write_all(&ASK).await?;
    client.read_u8().await?;
    let password = body(&mut client).await?;
    client.write_u8(b'E').await?;
    client.write_u32(u32::try_from(REFUSAL.len() + 4).unwrap()).await?;
    client.write_all(REFUSAL).await?;
    Ok(String::from_utf8_lossy(&password).trim_end_matches('\0').to_owned())
}

/// Reads a message behind its length.
async fn body(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut body = vec![0; client.read_u32().await?.saturating_sub(4) as usize];
    client.read_exact(&mut body).await?;
    Ok(body)
}
