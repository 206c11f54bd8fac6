//! No answer sends us elsewhere.

use scorewatch::{
    egress::{Egress, Private},
    simulation::{Receivers, Reply},
};

use super::{send, trap::Trap};

#[tokio::test]
async fn no_redirect_of_any_kind_is_followed() {
    let trap = Trap::set();
    let receivers = Receivers::start().await.unwrap();
    let url = receivers.add_webhook("sends-away");
    let port = trap.port;
    let mut sent = 0;
    for target in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("//127.0.0.1:{port}/"),
        format!("\\\\127.0.0.1:{port}\\"),
        format!("http://user:pw@localhost:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://2130706433:{port}/"),
        "/hooks/sends-away".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "https://[fd00:ec2::254]/".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        for status in 300..=308 {
            let refresh = format!("0; url={target}");
            let reply = Reply::redirect(status, &target)
                .header("content-location", &target)
                .header("refresh", &refresh)
                .header("link", &format!("<{target}>; rel=canonical"));
            receivers.script("sends-away", vec![reply]);
            let answer = send(&Egress::new(), &url, &Private::Loopback).await.unwrap();
            sent += 1;
            assert_eq!(answer.status, status, "{target}");
        }
    }
    assert_eq!(receivers.received().len(), sent, "each was asked once");
    assert_eq!(trap.connections(), 0);
    assert!(send(&Egress::new(), &format!("http://127.0.0.1:{port}/"), &Private::Loopback).await.is_ok(), "control");
    assert_eq!(trap.connections(), 1, "control");
}
