//! What the door says to a mail server, to which servers, and what it makes of hostile ones.

mod peer;

use std::{io, net::IpAddr};

use async_trait::async_trait;

use super::*;
use crate::egress::{Egress, Outgoing, Private};
use peer::{Act, Authority, Peer};

const CANARY: &str = "canary-7Q4M2K";
const NAME: &str = "mail.example";

/// Every name leads there.
#[derive(Debug)]
struct LeadsTo(&'static [&'static str]);

#[async_trait]
impl Lookup for LeadsTo {
    async fn look_up(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(self.0.iter().map(|address| address.parse().unwrap()).collect())
    }
}

const HERE: LeadsTo = LeadsTo(&["127.0.0.1"]);

/// A door that trusts that authority, in addition to the system's.
fn door(lookup: LeadsTo, authority: &Authority) -> MailDoor {
    MailDoor::new(Arc::new(lookup), vec![authority.root.clone()])
}

fn policy(private: Private) -> Policy {
    Policy { private, deadline: Duration::from_secs(10), answer_bytes_max: 64 * 1024, fail_above_max: false }
}

fn mail(server: &str, plain: bool, sign_in: bool) -> Mail {
    let sign_in = sign_in.then(|| SignIn { username: "scores".to_owned(), password: CANARY.into() });
    Mail {
        server: MailServer::parse(server, plain).unwrap(),
        sign_in,
        from: "scores@mssp.example".parse().unwrap(),
        to: vec!["soc@mssp.example".parse().unwrap(), "lead@mssp.example".parse().unwrap()],
        content: Bytes::from_static(b"Subject: x\r\n\r\n.dot\r\n"),
    }
}

/// A server as it should be.
fn good(line: &str) -> Act {
    let verb = line.split(' ').next().unwrap_or_default();
    match verb {
        "" => Act::Say("220 mail.example\r\n"),
        "EHLO" => Act::Say("250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"),
        "STARTTLS" => Act::Upgrade("220 go\r\n"),
        "AUTH" => Act::Say("235 2.7.0 welcome\r\n"),
        "DATA" => Act::Say("354 go on\r\n"),
        "QUIT" => Act::Cut,
        _ => Act::Say("250 2.0.0 fine\r\n"),
    }
}

/// Sends to a server on loopback, by its name.
async fn sent(
    peer: &Peer,
    authority: &Authority,
    scheme: &str,
    adjust: impl FnOnce(&mut Mail),
) -> Result<Answer, EgressError> {
    let mut mail = mail(&format!("{scheme}://{NAME}:{}", peer.address.port()), false, true);
    adjust(&mut mail);
    door(HERE, authority).send(&mail, &policy(Private::Loopback)).await
}

#[tokio::test]
async fn a_message_is_handed_in_and_only_in_private() {
    let authority = Authority::for_name(NAME);
    for (scheme, implicit) in [("smtps", true), ("smtp", false)] {
        let peer = Peer::start(Some(authority.acceptor.clone()), implicit, good).await;
        let answer = sent(&peer, &authority, scheme, |_| ()).await.unwrap();
        assert_eq!((answer.status, answer.step), (250, Some(Step::Content { refused: 0 })), "{scheme}");
        let (open, private): (Vec<_>, Vec<_>) = peer.heard().into_iter().partition(|heard| !heard.private);
        // Our farewell may not have arrived yet.
        let lines = |heard: Vec<peer::Heard>| {
            heard.into_iter().map(|heard| heard.line).filter(|line| line != "QUIT").collect::<Vec<_>>()
        };
        assert_eq!(lines(open), if implicit { vec![] } else { vec!["EHLO [127.0.0.1]", "STARTTLS"] });
        assert_eq!(
            lines(private),
            [
                "EHLO [127.0.0.1]",
                "AUTH PLAIN AHNjb3JlcwBjYW5hcnktN1E0TTJL",
                "MAIL FROM:<scores@mssp.example>",
                "RCPT TO:<soc@mssp.example>",
                "RCPT TO:<lead@mssp.example>",
                "DATA",
                "Subject: x",
                "",
                "..dot",
                "",
                "."
            ]
        );
    }
}

#[tokio::test]
async fn a_server_that_knows_only_login_is_signed_in_at() {
    let authority = Authority::for_name(NAME);
    let peer = Peer::start(Some(authority.acceptor.clone()), true, |line| match line {
        "AUTH LOGIN" => Act::Say("334 VXNlcm5hbWU6\r\n"),
        "c2NvcmVz" => Act::Say("334 UGFzc3dvcmQ6\r\n"),
        "Y2FuYXJ5LTdRNE0ySw==" => Act::Say("235 welcome\r\n"),
        line if line.starts_with("EHLO") => Act::Say("250-mail.example\r\n250 AUTH LOGIN\r\n"),
        line => good(line),
    })
    .await;
    assert_eq!(sent(&peer, &authority, "smtps", |_| ()).await.unwrap().status, 250);
}

#[tokio::test]
async fn a_certificate_for_another_name_or_by_nobody_known_ends_it() {
    let (authority, other) = (Authority::for_name("other.example"), Authority::for_name(NAME));
    for (scheme, implicit) in [("smtps", true), ("smtp", false)] {
        let peer = Peer::start(Some(authority.acceptor.clone()), implicit, good).await;
        for (trusted, what) in
            [(&authority, "the certificate is for another name"), (&other, "the certificate is not trusted")]
        {
            let error = sent(&peer, trusted, scheme, |_| ()).await.unwrap_err();
            assert_eq!(error, EgressError::Connect(what.to_owned()), "{scheme}");
        }
        assert!(!peer.heard().iter().any(|heard| heard.private), "{:?}", peer.heard());
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_said_in_the_open() {
    let authority = Authority::for_name(NAME);
    // The offer is taken out; it is refused; it is agreed to, but no TLS follows.
    for (offer, reply) in [
        ("250-mail.example\r\n250 AUTH PLAIN LOGIN\r\n", "250 fine\r\n"),
        ("250-mail.example\r\n250 XXXXXXXX\r\n", "250 fine\r\n"),
        ("250-mail.example\r\n250 STARTTLS\r\n", "454 4.7.0 not now\r\n"),
        ("250-mail.example\r\n250 STARTTLS\r\n", "502 5.5.1 not known\r\n"),
        ("250-mail.example\r\n250 STARTTLS\r\n", "220 go\r\n250 fine\r\n235 welcome\r\n250 a\r\n250 b\r\n"),
    ] {
        let peer = Peer::start(None, false, move |line| match line.split(' ').next() {
            Some("EHLO") => Act::Say(offer),
            Some("STARTTLS") => Act::Say(reply),
            _ => good(line),
        })
        .await;
        let answer = sent(&peer, &authority, "smtp", |_| ()).await;
        match &answer {
            Ok(answer) => assert_eq!(answer.step, Some(Step::StartTls), "{answer:?}"),
            Err(EgressError::NotOffered(what)) => assert_eq!(*what, "STARTTLS"),
            Err(error) => assert_eq!(*error, EgressError::Connect("the server sent data before TLS began".to_owned())),
        }
        let transcript = peer.transcript();
        assert!(!["AUTH", "MAIL", "RCPT", "DATA"].iter().any(|verb| transcript.contains(verb)), "{transcript}");
    }
}

#[tokio::test]
async fn what_is_said_ahead_of_tls_is_not_believed_after_it() {
    let authority = Authority::for_name(NAME);
    let peer = Peer::start(Some(authority.acceptor.clone()), false, |line| match line {
        "STARTTLS" => Act::Upgrade("220 go\r\n250-injected\r\n250 AUTH PLAIN\r\n"),
        _ => good(line),
    })
    .await;
    let error = sent(&peer, &authority, "smtp", |_| ()).await.unwrap_err();
    assert_eq!(error, EgressError::Connect("the server sent data before TLS began".to_owned()));
}

#[tokio::test]
async fn a_password_is_kept_where_it_can_t_be_said() {
    let authority = Authority::for_name(NAME);
    let peer = Peer::start(Some(authority.acceptor.clone()), true, |line| match line.split(' ').next() {
        Some("EHLO") => Act::Say("250 mail.example\r\n"),
        _ => good(line),
    })
    .await;
    let error = sent(&peer, &authority, "smtps", |_| ()).await.unwrap_err();
    assert_eq!(error, EgressError::NotOffered("signing in with a password"));
    let plain = mail(&format!("smtp://{}", peer.address), true, true);
    let error = door(HERE, &authority).send(&plain, &policy(Private::Loopback)).await.unwrap_err();
    assert!(matches!(error, EgressError::Unusable(_)), "{error:?}");
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn recipients_refused_for_good_are_left_out_and_one_refused_for_now_holds_all() {
    let authority = Authority::for_name(NAME);
    for (first, second, expected) in [
        ("250 ok\r\n", "550 5.1.1 gone\r\n", (250, Step::Content { refused: 1 })),
        ("551 gone\r\n", "250 ok\r\n", (250, Step::Content { refused: 1 })),
        ("250 ok\r\n", "450 4.2.0 later\r\n", (450, Step::Recipient)),
        ("550 gone\r\n", "452 full\r\n", (452, Step::Recipient)),
        ("550 gone\r\n", "553 5.1.3 gone\r\n", (553, Step::Recipient)),
    ] {
        let peer = Peer::start(Some(authority.acceptor.clone()), true, move |line| match line {
            "RCPT TO:<soc@mssp.example>" => Act::Say(first),
            "RCPT TO:<lead@mssp.example>" => Act::Say(second),
            _ => good(line),
        })
        .await;
        let answer = sent(&peer, &authority, "smtps", |_| ()).await.unwrap();
        assert_eq!((answer.status, answer.step), (expected.0, Some(expected.1)));
        assert_eq!(peer.transcript().contains("DATA"), expected.0 == 250, "{first} {second}");
    }
}

#[tokio::test]
async fn each_step_that_is_refused_is_known() {
    let authority = Authority::for_name(NAME);
    for (verb, step) in [
        ("", Step::Hello),
        ("EHLO", Step::Hello),
        ("AUTH", Step::SignIn),
        ("MAIL", Step::Sender),
        ("RCPT", Step::Recipient),
        ("DATA", Step::Content { refused: 0 }),
        (".", Step::Content { refused: 0 }),
    ] {
        for (reply, status) in [("421 4.3.2 leaving\r\n", 421), ("550-5.7.1 no\r\n550 5.7.1 never\r\n", 550)] {
            let peer = Peer::start(Some(authority.acceptor.clone()), true, move |line| {
                if line.split(' ').next() == Some(verb) { Act::Say(reply) } else { good(line) }
            })
            .await;
            let answer = sent(&peer, &authority, "smtps", |_| ()).await.unwrap();
            assert_eq!((answer.status, answer.step), (status, Some(step)), "{verb}");
            assert!(answer.body.starts_with(&reply.as_bytes()[4..9]), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_talks_for_ever_is_cut_off() {
    let authority = Authority::for_name(NAME);
    for (scheme, implicit) in [("smtps", true), ("smtp", false)] {
        for endless in ["zzzzzzzz", "250-mail.example\r\n"] {
            for at in ["", "EHLO"] {
                let peer = Peer::start(Some(authority.acceptor.clone()), implicit, move |line| {
                    if line.split(' ').next() == Some(at) { Act::Endless(endless) } else { good(line) }
                })
                .await;
                let error = sent(&peer, &authority, scheme, |_| ()).await.unwrap_err();
                assert!(matches!(error, EgressError::Connect(_)) && !error.may_have_arrived(), "{error:?}");
            }
        }
    }
}

#[tokio::test]
async fn one_deadline_holds_for_the_whole_dialogue() {
    let authority = Authority::for_name(NAME);
    for hung in ["", "EHLO", "STARTTLS", "MAIL", "DATA", "."] {
        let came_to_it = Arc::new(AtomicBool::new(false));
        let comes_to_it = came_to_it.clone();
        let peer = Peer::start(Some(authority.acceptor.clone()), false, move |line| {
            let hangs = line.split(' ').next() == Some(hung);
            comes_to_it.fetch_or(hangs, Ordering::SeqCst);
            if hangs { Act::Hang("2") } else { good(line) }
        })
        .await;
        let mail = mail(&format!("smtp://{NAME}:{}", peer.address.port()), false, true);
        let mut deadline = Duration::from_millis(300);
        let error = loop {
            let soon = Policy { deadline, ..policy(Private::Loopback) };
            let error = door(HERE, &authority).send(&mail, &soon).await.unwrap_err();
            if came_to_it.load(Ordering::SeqCst) {
                break error;
            }
            // On a slow machine the deadline may be over before the server hangs.
            deadline *= 2;
        };
        // Only what was on its way may have arrived.
        assert_eq!(error.may_have_arrived(), hung == ".", "{hung}: {error:?}");
        assert!(error.to_string().contains(&format!("{deadline:?}")), "{hung}: {error:?}");
    }
}

#[tokio::test]
async fn a_server_that_breaks_off_or_speaks_another_language_has_taken_nothing() {
    let authority = Authority::for_name(NAME);
    for at in ["", "EHLO", "MAIL", "DATA", "."] {
        for reply in [Act::Cut, Act::Say("HTTP/1.1 400 Bad Request\r\n\r\n"), Act::Say("999 what\r\n")] {
            let say = if let Act::Say(text) = reply { Some(text) } else { None };
            let peer = Peer::start(Some(authority.acceptor.clone()), true, move |line| {
                if line.split(' ').next() == Some(at) { say.map_or(Act::Cut, Act::Say) } else { good(line) }
            })
            .await;
            let error = sent(&peer, &authority, "smtps", |_| ()).await.unwrap_err();
            assert!(matches!(error, EgressError::Broken(_) | EgressError::Connect(_)), "{at} {say:?}: {error:?}");
            assert_eq!(error.may_have_arrived(), at == ".", "{at} {say:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn no_mail_leads_to_this_machine_or_its_network() {
    let authority = Authority::for_name(NAME);
    let trap = Peer::start(None, false, good).await;
    let port = trap.address.port().to_string();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "127%2e0%2e0%2e1",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[fe80::1]",
        "[fc00::1]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "2852039166",
        "168.63.129.16",
        "100.100.100.200",
        "224.0.0.1",
        "\u{2460}\u{2461}\u{2466}.0.0.1",
        "rebound.example",
        "127.0.0.1.nip.example",
    ] {
        for server in [
            format!("smtps://{host}"),
            format!("smtp://{host}"),
            format!("smtp://{host}:25"),
            format!("smtps://{host}:{port}"),
        ] {
            for plain in [false, true] {
                let Ok(parsed) = MailServer::parse(&server, plain) else { continue };
                let mail = Mail { server: parsed, ..mail("smtps://x.example", false, false) };
                let error = door(HERE, &authority).send(&mail, &policy(Private::Refused)).await.unwrap_err();
                assert!(matches!(error, EgressError::NotAllowed(_)), "{server}: {error:?}");
            }
        }
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn every_address_of_a_name_is_vetted() {
    let authority = Authority::for_name(NAME);
    for addresses in [
        &["1.1.1.1", "127.0.0.1"][..],
        &["2606:4700::1111", "::1"],
        &["::ffff:10.0.0.1"],
        &["1.1.1.1", "169.254.169.254"],
        &["64:ff9b::7f00:1"],
    ] {
        let mail = mail("smtps://mail.example", false, false);
        let error = door(LeadsTo(addresses), &authority).send(&mail, &policy(Private::Refused)).await.unwrap_err();
        assert!(matches!(error, EgressError::NotAllowed(_)), "{addresses:?}: {error:?}");
    }
    // In the open, and at unusual ports, only what the allowance covers.
    for (server, plain) in [("smtp://mail.example", true), ("smtps://mail.example:22", false)] {
        let public = door(LeadsTo(&["1.1.1.1"]), &authority);
        let error = public.send(&mail(server, plain, false), &policy(Private::Any)).await.unwrap_err();
        assert!(matches!(error, EgressError::NotAllowed(_)), "{server}: {error:?}");
    }
    let mail = mail("smtps://mail.example", false, false);
    let error = door(LeadsTo(&[]), &authority).send(&mail, &policy(Private::Any)).await.unwrap_err();
    assert_eq!(error, EgressError::Resolve);
}

#[tokio::test]
async fn nothing_that_can_be_printed_holds_a_secret() {
    let authority = Authority::for_name(NAME);
    let refusing = Peer::start(Some(authority.acceptor.clone()), true, |line| match line.split(' ').next() {
        Some("AUTH") => Act::Say("535 5.7.8 wrong: canary-7Q4M2K\r\n"),
        _ => good(line),
    })
    .await;
    let answer = sent(&refusing, &authority, "smtps", |_| ()).await.unwrap();
    assert_eq!((answer.status, answer.step), (535, Some(Step::SignIn)));
    assert!(!format!("{answer:?}").contains(CANARY));
    let message = Outgoing::from(mail("smtps://canary-7Q4M2K.example", false, true));
    assert!(!format!("{message:?}").contains(CANARY));
    let egress = Egress::with_lookup(Arc::new(LeadsTo(&["10.0.0.1"])));
    let error = egress.send(message, &policy(Private::Refused)).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains(CANARY), "{error:?}");
}
