//! What can be said of a request before anybody knows who sends it: from where, under which name, and whether another site made a
//! browser send it.

use std::{net::IpAddr, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State as Shared},
    http::{HeaderMap, Method, StatusCode, Version, header, request::Parts},
    middleware::Next,
    response::Response,
};
use tokio::sync::oneshot;

use crate::{
    config::{
        Config,
        access::{is_loopback_name, without_port},
    },
    task,
    web::{
        State,
        protect::{BODY_BYTES_MAX, refusal},
    },
};

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(in crate::web) struct Peer(pub(in crate::web) IpAddr);

/// What a proxy adds: a request that has one of these was not sent by somebody at this machine.
const FORWARDED: [&str; 12] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-original-host",
    "x-real-ip",
    "x-client-ip",
    "cf-connecting-ip",
    "true-client-ip",
];

/// How long a client may take to send a body.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// What is answered under every name: probes say nothing about tenants, and a drill's link is its own permission.
const UNDER_ANY_NAME: [&str; 3] = ["/healthz", "/readyz", "/confirm/"];

/// Where the request came from; `None`: not known, as in tests without a connection.
pub(in crate::web) fn client(parts: &Parts, config: &Config) -> Option<IpAddr> {
    let peer = parts.extensions.get::<Peer>()?.0;
    let lines = parts.headers.get_all("x-forwarded-for");
    let lines: Vec<&str> = lines.iter().filter_map(|line| line.to_str().ok()).collect();
    Some(config.client(peer, &lines))
}

/// The name under which we are asked, without a port.
pub(super) fn host(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    Some(without_port(host).to_ascii_lowercase())
}

/// Whether somebody at this machine sends it, as far as one can see: to loopback by name, and through no proxy. A proxy that puts
/// our address in the place of its own name and says nothing else is seen by what it passes on: a browser names the page that it
/// comes from. And nginx, unless told otherwise, speaks HTTP/1.0, which no client of today does.
pub(super) fn is_local(parts: &Parts) -> bool {
    let headers = &parts.headers;
    let names_another =
        |name| headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|address| !is_at_loopback(address));
    // A link on another site leads here, too.
    let is_link = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site");
    host(headers).is_some_and(|host| is_loopback_name(&host))
        && !FORWARDED.iter().any(|name| headers.contains_key(*name))
        && parts.version > Version::HTTP_10
        && !names_another(header::ORIGIN)
        && (is_link || !names_another(header::REFERER))
}

/// The same, and the connection came from this machine as well.
pub(super) fn is_here(parts: &Parts) -> bool {
    is_local(parts) && parts.extensions.get::<Peer>().is_none_or(|peer| peer.0.to_canonical().is_loopback())
}

/// Whether an address, as browsers write it, is one of this machine.
fn is_at_loopback(address: &str) -> bool {
    url::Url::parse(address).ok().and_then(|url| url.host_str().map(is_loopback_name)).unwrap_or_default()
}

/// Refuses what a browser sends because another site made it: to a name that is not ours, or with an effect.
pub(in crate::web) async fn guard(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let config = state.config.borrow().clone();
    let path = request.uri().path();
    let is_exempt = UNDER_ANY_NAME.iter().any(|exempt| path.starts_with(exempt));
    if !is_exempt && !host(request.headers()).is_some_and(|host| config.is_called(&host)) {
        return refusal(
            StatusCode::MISDIRECTED_REQUEST,
            "Scorewatch is not known under this name; add it under `access: { hosts: […] }`",
        );
    }
    if is_forged(request.method(), request.headers(), &config) {
        return refusal(StatusCode::FORBIDDEN, "another site sent this request");
    }
    if is_safe(request.method()) {
        return next.run(request).await;
    }
    let request = match whole(request).await {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    // What was begun is done and recorded, even if whoever asked hangs up meanwhile.
    let (answer, answered) = oneshot::channel();
    drop(tokio::spawn(task::brief("web action", async move {
        let _ = answer.send(next.run(request).await);
    })));
    answered.await.unwrap_or_else(|_| refusal(StatusCode::INTERNAL_SERVER_ERROR, "something failed; the log says what"))
}

/// The request with its body, which has to be here soon: a client that dribbles keeps a place from others.
async fn whole(request: Request) -> Result<Request, Response> {
    let (head, body) = request.into_parts();
    match tokio::time::timeout(BODY_TIME_MAX, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(Request::from_parts(head, Body::from(bytes))),
        Ok(Err(_)) => Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large, or did not arrive whole")),
        Err(_) => Err(refusal(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
    }
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether another site made a browser send something that may have an effect. Browsers say so in `Sec-Fetch-Site` over TLS and
/// loopback, and in `Origin` everywhere; what is no browser says neither and has no cookies that others could use.
fn is_forged(method: &Method, headers: &HeaderMap, config: &Config) -> bool {
    if is_safe(method) {
        return false;
    }
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let Some((_, authority)) = origin.to_str().ok().and_then(|origin| origin.split_once("://")) else { return true };
    let is_same =
        headers.get(header::HOST).is_some_and(|host| host.as_bytes().eq_ignore_ascii_case(authority.as_bytes()));
    // A proxy may have put its own name for us in the place of ours.
    let is_public = config.public_url.as_deref().and_then(|url| url::Url::parse(url).ok()).is_some_and(|url| {
        origin.to_str().is_ok_and(|origin| url.origin().ascii_serialization().eq_ignore_ascii_case(origin))
    });
    !is_same && !is_public
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;
    use crate::web::tests::config_of;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_waited_for_for_a_limited_time_and_up_to_a_limited_size() {
        let never = futures_util::stream::pending::<Result<axum::body::Bytes, std::io::Error>>();
        for (body, refused) in [
            (Body::from_stream(never), Some(StatusCode::REQUEST_TIMEOUT)),
            (Body::from(vec![b'a'; BODY_BYTES_MAX + 1]), Some(StatusCode::PAYLOAD_TOO_LARGE)),
            (Body::from("name=ann"), None),
        ] {
            let outcome = whole(Request::new(body)).await;
            assert_eq!(outcome.as_ref().err().map(Response::status), refused);
            if let Ok(request) = outcome {
                assert_eq!(to_bytes(request.into_body(), BODY_BYTES_MAX).await.unwrap(), "name=ann");
            }
        }
    }

    #[test]
    fn what_another_site_made_a_browser_send_has_no_effect() {
        let config = config_of("public_url: https://scores.example\n");
        for (pairs, is_refused) in [
            (&[][..], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://scores.example")], true),
            (&[("host", "localhost:8080"), ("origin", "http://localhost:8080")], false),
            (&[("host", "localhost:8080"), ("origin", "http://localhost:9090")], true),
            (&[("host", "127.0.0.1:8080"), ("origin", "https://scores.example")], false),
            (&[("host", "127.0.0.1:8080"), ("origin", "http://scores.example")], true),
            (&[("host", "scores.example"), ("origin", "https://scores.example.evil")], true),
            (&[("host", "scores.example"), ("origin", "null")], true),
        ] {
            assert_eq!(is_forged(&Method::POST, &headers(pairs), &config), is_refused, "{pairs:?}");
            assert!(!is_forged(&Method::GET, &headers(pairs), &config), "{pairs:?}");
        }
    }

    #[test]
    fn a_request_is_local_if_it_names_loopback_and_no_proxy_forwarded_it() {
        let here = ("host", "localhost:8080");
        for (pairs, is_it) in [
            (&[here][..], true),
            (&[("host", "127.0.0.1:8080")], true),
            (&[("host", "[::1]:8080")], true),
            (&[("host", "scores.example")], false),
            (&[("host", "192.0.2.1")], false),
            (&[], false),
            (&[here, ("x-forwarded-for", "192.0.2.1")], false),
            (&[here, ("forwarded", "for=192.0.2.1")], false),
            (&[here, ("via", "1.1 proxy")], false),
            (&[here, ("referer", "http://localhost:8080/alerts")], true),
            (&[here, ("referer", "http://[::1]:8080/alerts")], true),
            (&[here, ("referer", "https://scores.example/alerts")], false),
            (&[here, ("referer", "https://scores.example/alerts"), ("sec-fetch-site", "same-origin")], false),
            (&[here, ("referer", "https://wiki.example/"), ("sec-fetch-site", "cross-site")], true),
            (&[here, ("referer", "nonsense")], false),
            (&[here, ("origin", "http://127.0.0.1:8080")], true),
            (&[here, ("origin", "https://scores.example")], false),
            (&[here, ("origin", "null")], false),
        ] {
            let (mut parts, ()) = Request::new(()).into_parts();
            parts.headers = headers(pairs);
            assert_eq!(is_local(&parts), is_it, "{pairs:?}");
            parts.version = Version::HTTP_10;
            assert!(!is_local(&parts), "as nginx passes it on: {pairs:?}");
        }
    }

    #[test]
    fn who_is_here_also_comes_from_here() {
        for (peer, is_it) in [("127.0.0.1", true), ("::1", true), ("::ffff:127.0.0.1", true), ("192.0.2.1", false)] {
            let (mut parts, ()) = Request::new(()).into_parts();
            parts.headers = headers(&[("host", "localhost")]);
            parts.extensions.insert(Peer(peer.parse().unwrap()));
            assert_eq!(is_here(&parts), is_it, "{peer}");
        }
    }

    #[test]
    fn names_and_forwarded_addresses_are_believed_only_as_configured() {
        let config = config_of(
            "public_url: https://scores.example\naccess: { hosts: [inner], trusted_proxies: [10.0.0.0/8, '::1'] }\n",
        );
        for (name, is_ours) in [
            ("localhost", true),
            ("192.0.2.1", true),
            ("[2001:db8::1]", true),
            ("scores.example", true),
            ("Inner", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
        ] {
            assert_eq!(config.is_called(name), is_ours, "{name}");
        }
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        for (peer, lines, client) in [
            ("192.0.2.9", &["198.51.100.1"][..], "192.0.2.9"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.7, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.7", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("::1", &["nonsense"], "::1"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            assert_eq!(config.client(ip(peer), lines), ip(client), "{peer} {lines:?}");
        }
    }
}
