use std::time::Duration;

use serde_json::json;

use super::*;
use crate::simulation::wire::send;

const JSON: [(&str, &str); 1] = [("content-type", "application/json; charset=utf-8")];

#[tokio::test]
async fn each_kind_answers_as_the_real_one_does() {
    let receivers = Receivers::start().await.unwrap();
    let (teams, slack, hook) =
        (receivers.add_teams("soc"), receivers.add_slack("contoso"), receivers.add_webhook("soar"));
    let card = json!({ "type": "AdaptiveCard", "version": "1.4", "body": [] });
    let attachment = json!({ "contentType": "application/vnd.microsoft.card.adaptive", "content": card });
    let message = json!({ "type": "message", "attachments": [attachment] }).to_string();
    let heard = send("POST", &teams, &JSON, &message).await;
    assert_eq!((heard.status, heard.body.as_slice()), (Some(202), b"".as_slice()));
    let heard = send("POST", &teams, &JSON, "{}").await;
    assert_eq!(heard.status, Some(202), "Teams accepts what it will never show");
    assert_eq!(receivers.posted("soc"), [card]);
    let heard = send("POST", teams.split_once("&sig=").unwrap().0, &JSON, &message).await;
    assert_eq!((heard.status, heard.json()["error"]["code"].is_string()), (Some(401), true));
    let heard = send("POST", &slack, &JSON, r#"{"text":"hello"}"#).await;
    assert_eq!(
        (heard.status, heard.body.as_slice(), heard.header("content-type")),
        (Some(200), b"ok".as_slice(), Some("text/html"))
    );
    let heard = send("POST", &slack, &JSON, "{}").await;
    assert_eq!((heard.status, heard.body.as_slice()), (Some(400), b"no_text".as_slice()));
    assert_eq!(send("POST", &hook, &JSON, "anything").await.status, Some(204));
    assert_eq!(send("GET", &hook, &[], "").await.status, Some(405));
    assert_eq!(send("POST", &format!("{hook}x"), &JSON, "").await.status, Some(404));
}

#[tokio::test]
async fn everything_is_kept_as_it_came_and_answers_follow_the_script() {
    let receivers = Receivers::start().await.unwrap();
    let url = receivers.add_webhook("soar");
    receivers.script(
        "soar",
        vec![
            Reply::text(503, "later").retry_after("1"),
            Reply::close(),
            Reply::redirect(307, "http://10.0.0.1/"),
            Reply::status(204).delayed(Duration::from_millis(1)),
        ],
    );
    for (number, status) in [(1, Some(503)), (2, None), (3, Some(307)), (4, Some(204)), (5, Some(204))] {
        let heard = send("POST", &url, &[("webhook-id", "msg_1")], &format!("body {number}")).await;
        assert_eq!(heard.status, status);
    }
    let kept = receivers.received_by("soar");
    let seen: Vec<_> =
        kept.iter().map(|request| (&request.body[..], request.header("webhook-id"), request.accepted())).collect();
    assert_eq!(
        seen,
        [
            (b"body 1".as_slice(), "msg_1", false),
            (b"body 2", "msg_1", false),
            (b"body 3", "msg_1", false),
            (b"body 4", "msg_1", true),
            (b"body 5", "msg_1", true),
        ]
    );
    assert!(kept.windows(2).all(|pair| pair[0].at <= pair[1].at));
}

#[tokio::test]
async fn a_receiver_that_hangs_has_the_message_all_the_same() {
    let receivers = Receivers::start().await.unwrap();
    let url = receivers.add_webhook("soar");
    receivers.set("soar", Some(Reply::hang()));
    tokio::select! {
        heard = send("POST", &url, &JSON, "{}") => panic!("it answered {heard:?}"),
        () = receivers.wait_for(|received| received.len() == 1) => {}
    }
    assert_eq!(receivers.received()[0].status, None);
}
