//! What a name leads to is vetted whole, once for each connection, and what was vetted is what is called.

use scorewatch::egress::{EgressError, Private};

use super::{Names, networks, send, trap::Trap};

/// Whatever a resolver may show of a chain of names, one address inside is enough.
#[tokio::test]
async fn one_inside_address_among_many_is_enough_to_refuse() {
    let trap = Trap::set();
    let many: Vec<String> = (0..250).map(|last| format!("1.1.1.{last}")).collect();
    let mut long: Vec<&str> = many.iter().map(String::as_str).collect();
    long.push("127.0.0.1");
    for answer in [
        &["1.1.1.1", "127.0.0.1"][..],
        &["127.0.0.1", "1.1.1.1"],
        &["2606:4700::1111", "::1"],
        &["::1", "2606:4700::1111"],
        &["1.1.1.1", "::ffff:127.0.0.1"],
        &["1.1.1.1", "1.0.0.1", "8.8.8.8", "10.0.0.1"],
        &["127.0.0.1", "127.0.0.1"],
        &["2606:4700::1111", "64:ff9b::127.0.0.1"],
        &["1.1.1.1", "::127.0.0.1"],
        &["1.1.1.1", "169.254.169.254"],
        &["1.1.1.1", "0.0.0.0"],
        &long,
    ] {
        for url in ["https://name.example/", "https://name.example./", "https://NAME.example:443/"] {
            let names = Names::all(&[answer]);
            let error = send(&names.door(), url, &Private::Refused).await.unwrap_err();
            assert!(matches!(error, EgressError::NotAllowed(_)), "{answer:?}: {error:?}");
            assert_eq!(names.asked(), 1);
        }
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn a_name_that_turns_inside_between_two_sends_is_refused_then() {
    let trap = Trap::set();
    let url = format!("http://name.example:{}/", trap.port);
    // The trap stands on both addresses; only the first is allowed.
    let allowed = networks(&["127.0.0.2/32"]);
    let names = Names::all(&[&["127.0.0.2"], &["127.0.0.1"], &["127.0.0.2"], &["127.0.0.2", "127.0.0.1"]]);
    let door = names.door();
    let mut reached = Vec::new();
    for _ in 0..4 {
        reached.push(send(&door, &url, &allowed).await.is_ok());
    }
    assert_eq!(reached, [true, false, true, false]);
    assert_eq!((names.asked(), trap.connections()), (4, 2), "one look-up for each send, none after it was vetted");
}

#[tokio::test]
async fn a_network_that_is_allowed_opens_no_other() {
    let trap = Trap::set();
    let names = Names::of(&[("inside.example", &[&["127.0.0.2"]]), ("", &[&["127.0.0.3"]])]);
    let door = names.door();
    let url = |host: &str| format!("http://{host}:{}/", trap.port);
    for allowed in [networks(&["127.0.0.2/32"]), networks(&["10.0.0.0/8", "::ffff:127.0.0.2/128"])] {
        for host in ["127.0.0.3", "other.example", "localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.3]"] {
            let error = send(&door, &url(host), &allowed).await.unwrap_err();
            assert!(matches!(error, EgressError::NotAllowed(_)), "{host}: {error:?}");
        }
    }
    assert_eq!(trap.connections(), 0);
    for host in ["127.0.0.2", "inside.example", "[::ffff:127.0.0.2]"] {
        assert!(send(&door, &url(host), &networks(&["127.0.0.2/32"])).await.is_ok(), "control: {host}");
    }
    assert_eq!(trap.connections(), 3, "control");
}
