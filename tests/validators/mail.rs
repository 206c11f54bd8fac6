//! Mails as a real server stores them, read by Python's own parser; and what comes of a server that refuses, or of somebody
//! between us and it.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Output},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use scorewatch::{
    channel::{
        self, ChannelKind, ChannelSettings, Email, Form, RetryBounds, Show, Verdict,
        email::{self, Letter},
    },
    delivery::send,
    domain::{ChannelName, Timestamp},
    egress::{Egress, MailServer, Private},
    notify::{
        Notification, NotificationType,
        language::{Locale, in_words},
        route::Audience,
    },
    template::sample,
};
use serde_json::json;

use super::{
    exim::{Exim, PASSWORD, USER},
    judge, script,
};
use crate::harness::{Folder, HIGH, LOW, Service, World};

fn settings(server: SocketAddr) -> Arc<ChannelSettings> {
    let email = Email {
        server: MailServer::parse(&format!("smtp://{server}"), true).unwrap(),
        from: "Scorewatch München <scores@mssp.example>".parse().unwrap(),
        to: vec!["SOC <soc@mssp.example>".parse().unwrap(), "lead@mssp.example".parse().unwrap()],
        sign_in: None,
    };
    let bounds =
        RetryBounds { first: Duration::from_secs(2), max: Duration::from_mins(15), give_up: Duration::from_hours(24) };
    Arc::new(ChannelSettings {
        locale: Locale::default(),
        name: ChannelName::parse("judged").unwrap(),
        kind: ChannelKind::Email(email),
        audience: Audience::default(),
        show: Show { labels: true, about: true },
        pace: Duration::from_secs(1),
        retry: bounds,
        timeout: Duration::from_secs(20),
        private: Private::Loopback,
        digest_over: 20,
        drill: None,
        report: None,
        month: None,
        template: None,
    })
}

#[tokio::test]
#[ignore = "needs root and exim4"]
async fn pythons_parser_reads_every_mail_as_it_was_meant() {
    let server = Exim::start();
    let (egress, templates) = (Egress::new(), Arc::new(channel::templates(None).unwrap()));
    let settings = settings(server.open);
    let at = Timestamp::parse("2026-11-24T09:15:58Z").unwrap();
    let mut lines = Vec::new();
    let mut known: Vec<String> = Vec::new();
    for mut said in sample::all().into_iter().chain(digests()) {
        let is_first = said.kind.as_str() == "alert.firing";
        said.data.notification.sequence = if is_first { 1 } else { 2 };
        let written = send::write(&settings, &templates, &said, Form::Rich, at);
        let written = written.unwrap_or_else(|verdict| panic!("{verdict:?}"));
        assert_eq!(written.send(&egress, at).await.verdict, Verdict::Delivered);
        // The server agrees only once the message is in its spool.
        let taken = server.taken();
        let new: Vec<&String> = taken.iter().filter(|id| !known.contains(id)).collect();
        assert_eq!(new.len(), 1);
        let locale = Locale::default();
        let shown = in_words(&said, &locale);
        let letter: Letter =
            serde_json::from_slice(&templates.render("email", &email::DIALECT, &shown, &locale).unwrap()).unwrap();
        let id = &said.data.notification.id;
        let own = format!("<{id}@mssp.example>");
        let root = said
            .data
            .alert
            .as_ref()
            .map(|alert| format!("<{}.{}@mssp.example>", alert.id, alert.started_at.as_seconds()));
        let above = root.clone().filter(|_| !is_first);
        lines.push(
            json!({
                "stored": server.stored(new[0]), "subject": letter.subject, "text": letter.text, "html": letter.html,
                "id": id, "short_id": said.data.notification.short_id, "date": "2026-11-24T09:15:58+00:00",
                "from": ["Scorewatch München <scores@mssp.example>"],
                "to": ["SOC <soc@mssp.example>", "lead@mssp.example"],
                "message-id": root.filter(|_| is_first).unwrap_or(own), "in-reply-to": above, "references": above,
            })
            .to_string(),
        );
        known = taken;
    }
    judge("python3", &[&script("mail.py")], &lines);
}

/// Digests of fifty messages, with ordinary and with hostile names.
fn digests() -> Vec<Notification> {
    let mut names = sample::hostile_names();
    names.push("Contoso Ltd".to_owned());
    let kinds = [NotificationType::AlertFiring, NotificationType::AlertResolved, NotificationType::OperatorBlind];
    let digest = |name: &String| {
        let mut digest = sample::notification(NotificationType::Digest, name);
        digest.data.items =
            (0..50).map(|count| sample::notification(kinds[count % kinds.len()], name).into()).collect();
        digest
    };
    names.iter().map(digest).collect()
}

/// A configuration whose channels send to that server, by the names of what is peculiar to them.
fn configure(folder: &Folder, server: &Exim, proxy: SocketAddr) {
    let (open, private) = (server.open.port(), server.private.port());
    let sign_in = format!("username: {USER}, password: {{ file: password }}");
    let mut channels = String::new();
    for (name, server, to, sign_in) in [
        ("starttls", format!("smtp://localhost:{open}"), "soc@mssp.example", sign_in.as_str()),
        ("implicit", format!("smtps://localhost:{private}"), "soc@mssp.example", &sign_in),
        ("greylisted", format!("smtp://localhost:{open}"), "greylisted@mssp.example", &sign_in),
        ("one-gone", format!("smtp://localhost:{open}"), "nobody@mssp.example, soc@mssp.example", &sign_in),
        ("all-gone", format!("smtp://localhost:{open}"), "nobody@mssp.example", &sign_in),
        ("foreign", format!("smtp://localhost:{open}"), "somebody@elsewhere.example", &sign_in),
        (
            "wrong",
            format!("smtp://localhost:{open}"),
            "soc@mssp.example",
            "username: scores, password: { file: wrong }",
        ),
        ("other-name", format!("smtp://127.0.0.1:{open}"), "soc@mssp.example", &sign_in),
        ("other-name-implicit", format!("smtps://127.0.0.1:{private}"), "soc@mssp.example", &sign_in),
        ("stripped", format!("smtp://localhost:{}", proxy.port()), "soc@mssp.example", &sign_in),
    ] {
        writeln!(
            channels,
            "  {name}: {{ type: email, server: \"{server}\", from: scores@mssp.example, to: [{to}], {sign_in}, \
             allow_private: [127.0.0.0/8, \"::1/128\"] }}"
        )
        .unwrap();
    }
    folder.write("password", PASSWORD);
    folder.write("wrong", "hunter2-canary");
    folder.write(
        "rules.yaml",
        "rules:\n  - { name: low, score: device-secure-score, when: { below: 300 }, notify: [starttls] }\n",
    );
    folder.write(
        "scorewatch.yaml",
        &format!(
            "store: sqlite://data/scorewatch.db\nschedule: \"0 0 * * * *\"\nrules: [rules.yaml]\nscores: \
             [device-secure-score]\noperator: {{ notify: [starttls] }}\nchannels:\n{channels}tenants:\n  - {{ id: \
             contoso, name: Contoso Ltd, tenant_id: 2f1c0a5e-0000-4000-8000-000000000001, credential: {{ client_id: \
             6d2a0000-0000-4000-8000-000000000002, secret: {{ file: password }} }} }}\n"
        ),
    );
}

/// Sends one message by the real binary, which trusts those certificates only.
fn send_by(folder: &Folder, channel: &str, trusted: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_scorewatch"))
        .arg("--config")
        .arg(folder.config())
        .args(["preview", "--rule", "low", "--channel", channel, "--send"])
        .env("SSL_CERT_FILE", trusted)
        .env("SCOREWATCH_LOG", "trace")
        .output()
        .unwrap()
}

#[test]
#[ignore = "needs root and exim4"]
fn what_a_real_server_refuses_is_said_and_what_it_takes_is_private() {
    let server = Exim::start();
    let folder = Folder::new();
    let (proxy, passed) = without_starttls(server.open);
    configure(&folder, &server, proxy);
    let authority = server.authority();
    let mut taken = 0;
    let mut attempt = |channel: &str, expected: Option<&str>| {
        let output = send_by(&folder, channel, &authority);
        let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said)).concat();
        assert!(!said.contains(PASSWORD) && !said.contains("Y2FuYXJ5LTdRNE0y"), "{channel}: {said}");
        assert_eq!(output.status.code(), Some(i32::from(expected.is_some())), "{channel}: {said}");
        assert!(said.contains(expected.unwrap_or("the receiver accepted it")), "{channel}: {said}");
        taken += usize::from(expected.is_none());
        assert_eq!(server.taken().len(), taken, "{channel}: {said}");
        said
    };
    attempt("starttls", None);
    attempt("implicit", None);
    attempt("greylisted", Some("answered 450 4.7.1 to a recipient"));
    server.know();
    attempt("greylisted", None);
    let said = attempt("one-gone", None);
    assert!(said.contains("the mail server refused recipients"), "{said}");
    attempt("all-gone", Some("answered 550 5.1.1 to every recipient"));
    attempt("foreign", Some("answered 550 5.7.1 to every recipient"));
    attempt("wrong", Some("answered 535 to the sign-in"));
    attempt("other-name", Some("the certificate is for another name"));
    attempt("other-name-implicit", Some("the certificate is for another name"));
    attempt("stripped", Some("the server does not offer STARTTLS"));
    let passed = passed.lock().unwrap().clone();
    assert!(passed.contains("EHLO") && !["AUTH", "MAIL", "DATA"].iter().any(|verb| passed.contains(verb)), "{passed}");
    let nobody = folder.path().join("nobody.pem");
    std::fs::write(&nobody, another_authority()).unwrap();
    let output = send_by(&folder, "starttls", &nobody);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("the certificate is not trusted"), "{said}");
    // `esmtpsa`: by TLS, and signed in.
    for id in server.taken() {
        assert!(server.stored(&id).contains("with esmtpsa"), "{}", server.log());
    }
}

#[tokio::test]
#[ignore = "needs root and exim4"]
async fn the_service_tries_again_what_is_put_off_and_threads_what_it_says() {
    let server = Exim::start();
    let mut world = World::new().await;
    let keys = format!(
        "type: email, server: \"smtp://localhost:{}\", from: scores@mssp.example, to: [greylisted@mssp.example], \
         username: {USER}, password: {{ file: secrets/smtp }}",
        server.open.port()
    );
    world.folder.write("secrets/smtp", PASSWORD);
    world.setup.channel("mail", &keys);
    world.setup.rules = world.setup.rules.replace("[soc]", "[mail]");
    world.write();
    let authority = server.authority();
    let service = Service::spawn(&world.folder.config(), &[("SSL_CERT_FILE", authority.to_str().unwrap())]);
    service.listening().await;
    world.checked(&service, "contoso", 1).await;
    world.set_score("contoso", LOW);
    let put_off = |log: &str| log.matches("temporarily rejected RCPT").count();
    while put_off(&server.log()) < 2 {
        world.checked(&service, "contoso", 1).await;
    }
    assert_eq!(server.taken(), Vec::<String>::new());
    server.know();
    for (score, count) in [(LOW, 1), (HIGH, 2)] {
        world.set_score("contoso", score);
        while server.taken().len() < count {
            world.checked(&service, "contoso", 1).await;
        }
        world.quiet(&service).await;
        assert_eq!(server.taken().len(), count);
    }
    let mails: Vec<String> = server.taken().iter().map(|id| server.stored(id)).collect();
    let value = |mail: &str, name: &str| {
        let line = mail.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.map(str::to_owned)
    };
    let (later, first): (Vec<_>, Vec<_>) = mails.iter().partition(|mail| value(mail, "In-Reply-To").is_some());
    assert_eq!((first.len(), later.len()), (1, 1), "{mails:#?}");
    assert!(value(first[0], "Message-ID").is_some_and(|id| Some(id) == value(later[0], "In-Reply-To")), "{mails:#?}");
    assert!(!service.log().contains(PASSWORD));
}

fn another_authority() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    rcgen::CertificateParams::default().self_signed(&key).unwrap().pem()
}

/// Somebody between us and the server, who takes STARTTLS out of what it offers and keeps what we say.
fn without_starttls(server: SocketAddr) -> (SocketAddr, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let passed = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&passed);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(server).unwrap();
            let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let kept = Arc::clone(&kept);
            thread::spawn(move || {
                pass(from_client, to_server, |bytes| {
                    kept.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes));
                    bytes
                });
            });
            pass(server, client, |bytes| String::from_utf8_lossy(&bytes).replace("STARTTLS", "XXXXXXXX").into_bytes());
        }
    });
    (address, passed)
}

fn pass(mut from: TcpStream, mut to: TcpStream, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.write_all(&change(bytes[..count].to_vec())).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
