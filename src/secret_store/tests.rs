//! What stores promise, against servers that say exactly what theirs would.

mod key_vault;
mod program;
mod vault;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::{
    egress::{
        Private,
        loopback::{Reply, Seen, Server, reply},
    },
    secret::{ExposeSecret, SecretReference, Stored},
};

const CANARY: &str = "canary-7Q4M2K-secret";

/// A store and a server that plays it.
struct World {
    server: Server,
    clock: Clock,
    store: Arc<Store>,
}

/// A reference to that.
fn reference(store: &Arc<Store>, item: Item) -> SecretReference {
    SecretReference::Stored(Stored { store: Arc::clone(store) as Arc<dyn SecretStore>, item: Arc::new(item) })
}

/// Asks, and says what came of it: the value, or what is wrong.
async fn read(reference: &SecretReference) -> Result<String, String> {
    reference.fetch().await;
    let resolved = reference.resolve().map_err(|error| error.to_string());
    if let Err(error) = &resolved {
        assert!(!error.contains(CANARY), "{error}");
    }
    resolved.map(|secret| secret.expose_secret().to_owned())
}

fn token_file(folder: &tempfile::TempDir, text: &str) -> SecretReference {
    let path = folder.path().join("token");
    std::fs::write(&path, text).unwrap();
    SecretReference::File(path)
}

/// A Vault that gives a fixed answer to every request.
async fn world(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> World {
    let server = Server::start(answer).await;
    let clock = Clock::manual(Timestamp::from_seconds(1_790_000_000));
    let folder = tempfile::tempdir().unwrap();
    let settings = VaultSettings {
        address: server.url(""),
        mount: "secret".to_owned(),
        namespace: None,
        sign_in: SignIn::Token(token_file(&folder, "t")),
        private: Private::Loopback,
    };
    // The file is read again and again.
    let _ = folder.keep();
    let store = Arc::new(Store::vault("corp", settings, clock.clone()));
    World { server, clock, store }
}

fn item(path: &str) -> Item {
    Item::Field { path: path.to_owned(), field: "value".to_owned() }
}

fn value(number: usize) -> Reply {
    reply(200, "", format!(r#"{{"data":{{"data":{{"value":"{CANARY}-{number}"}},"metadata":{{"version":1}}}}}}"#))
}

impl World {
    fn asked(&self) -> usize {
        self.server.seen().len()
    }

    async fn read_after(&self, duration: Duration, reference: &SecretReference) -> Result<String, String> {
        self.clock.advance(duration);
        read(reference).await
    }
}

#[tokio::test]
async fn many_who_ask_at_a_time_are_one_question_and_its_answer_is_fresh_for_five_minutes() {
    let number = AtomicUsize::new(0);
    let world = world(move |_| value(number.fetch_add(1, Ordering::SeqCst))).await;
    let secret = reference(&world.store, item("contoso"));
    let all = futures_util::future::join_all((0..100).map(|_| read(&secret))).await;
    assert!(all.iter().all(|read| read.as_deref() == Ok("canary-7Q4M2K-secret-0")), "{all:?}");
    assert_eq!(world.asked(), 1);
    let minutes = |minutes: u64| Duration::from_mins(minutes);
    for (passes, shown, asked) in [(minutes(4), 0, 1), (minutes(1), 1, 2), (minutes(5), 2, 3)] {
        let read = world.read_after(passes, &secret).await;
        assert_eq!((read, world.asked()), (Ok(format!("{CANARY}-{shown}")), asked));
    }
    // Another secret is another question; the same one in another configuration is none.
    assert!(read(&reference(&world.store, item("fabrikam"))).await.is_ok());
    assert_eq!(world.asked(), 4);
}

#[tokio::test]
async fn a_token_rejected_by_the_api_is_renewed_immediately_but_not_repeatedly() {
    let number = AtomicUsize::new(0);
    let world = world(move |_| value(number.fetch_add(1, Ordering::SeqCst))).await;
    let secret = reference(&world.store, item("contoso"));
    assert_eq!(read(&secret).await, Ok(format!("{CANARY}-0")));
    for (passes, shown) in [(60, 1), (3, 1), (7, 2)] {
        secret.doubt();
        assert_eq!(
            world.read_after(Duration::from_secs(passes), &secret).await,
            Ok(format!("{CANARY}-{shown}")),
            "{passes}"
        );
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_left_alone_and_what_is_known_serves_for_an_hour() {
    let is_down = Arc::new(AtomicUsize::new(0));
    let down = Arc::clone(&is_down);
    let world = world(move |_| match down.load(Ordering::SeqCst) {
        0 => value(0),
        1 => reply(503, "", r#"{"errors":["Vault is sealed"]}"#),
        _ => reply(403, "", r#"{"errors":["permission denied"]}"#),
    })
    .await;
    let (secret, other) = (reference(&world.store, item("contoso")), reference(&world.store, item("fabrikam")));
    assert!(read(&secret).await.is_ok());
    is_down.store(1, Ordering::SeqCst);
    assert_eq!(world.read_after(Duration::from_mins(5), &secret).await, Ok(format!("{CANARY}-0")));
    assert_eq!(world.asked(), 2);
    let sealed = "field value of fabrikam in the secret store corp: can't be read: Vault is sealed";
    assert_eq!(read(&other).await, Err(sealed.to_owned()));
    assert_eq!(world.asked(), 2, "a store that is down is not asked for the next secret either");
    assert_eq!(world.read_after(Duration::from_mins(54), &secret).await, Ok(format!("{CANARY}-0")));
    let late = world.read_after(Duration::from_mins(1), &secret).await;
    assert!(late.is_err(), "an hour is over: {late:?}");
    is_down.store(0, Ordering::SeqCst);
    assert!(world.read_after(Duration::from_secs(10), &secret).await.is_ok());
    assert!(world.read_after(Duration::from_secs(10), &other).await.is_ok());
    // What the store says of a secret is believed at once.
    is_down.store(2, Ordering::SeqCst);
    let refused = world.read_after(Duration::from_mins(5), &secret).await;
    assert!(refused.as_ref().is_err_and(|what| what.contains("may not be read")), "{refused:?}");
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_make_a_value_last() {
    let world = world(|_| value(0)).await;
    let secret = reference(&world.store, item("contoso"));
    assert!(read(&secret).await.is_ok());
    world.clock.set(Timestamp::from_seconds(1_700_000_000));
    assert!(read(&secret).await.is_ok());
    assert_eq!(world.asked(), 2);
}

#[tokio::test]
async fn one_who_gives_up_waiting_leaves_the_question_to_the_next() {
    let is_first = AtomicUsize::new(0);
    let world = world(move |_| match is_first.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Hang(Vec::new()),
        _ => value(0),
    })
    .await;
    let secret = reference(&world.store, item("contoso"));
    let asked = async {
        while world.asked() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! { () = secret.fetch() => unreachable!(), () = asked => {} }
    assert!(read(&secret).await.is_ok());
}

#[tokio::test]
async fn a_reload_keeps_what_is_known_of_the_same_store_and_of_no_other() {
    let world = world(|_| value(0)).await;
    let earlier = SecretStores { named: [("corp".to_owned(), Arc::clone(&world.store))].into(), ..Default::default() };
    assert!(read(&reference(&world.store, item("contoso"))).await.is_ok());
    let twin = |identity: &str| {
        let programs = Store::new("corp", identity.to_owned(), Source::Programs, world.clock.clone());
        SecretStores { named: [("corp".to_owned(), Arc::new(programs))].into(), ..Default::default() }
    };
    for (identity, is_known) in [(world.store.identity().to_owned(), true), ("other".to_owned(), false)] {
        let later = twin(&identity);
        later.inherit(&earlier);
        assert_eq!(later.named["corp"].known(&item("contoso")).is_ok(), is_known);
    }
}
