//! A raw answer, well-behaved or not: what a service, a gateway in front of it or a broken network may send.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
};

use super::{body, listener::Closed};

/// A scripted answer. Built by naming what matters: `Reply::status(429).retry_after("7")`.
#[derive(Debug, Clone)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    content: Content,
    delay: Duration,
}

#[derive(Debug, Clone)]
enum Content {
    Whole(Bytes),
    /// One byte at a time, with a pause before each.
    Drip(Bytes, Duration),
    /// Announced in full, broken off in the middle.
    Cut(Bytes),
    Endless,
    GzipBomb,
    Hang,
    Close,
}

impl Reply {
    /// That status with an empty body. A number that is not a status becomes 500.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: HeaderMap::new(),
            content: Content::Whole(Bytes::new()),
            delay: Duration::ZERO,
        }
    }

    /// That status with a plain text body.
    #[must_use]
    pub fn text(status: u16, text: &str) -> Self {
        Self::status(status).typed("text/plain; charset=utf-8").body(text.to_owned())
    }

    /// That status with a JSON body.
    #[must_use]
    pub fn json(status: u16, json: impl Into<Bytes>) -> Self {
        Self::status(status).typed("application/json; charset=utf-8").body(json)
    }

    /// What a gateway in front of a service shows: that status with a page of HTML.
    #[must_use]
    pub fn html(status: u16) -> Self {
        let page = format!(
            "<html><head><title>{status}</title></head><body><h1>Our services aren't available right now</h1></body></html>"
        );
        Self::status(status).typed("text/html").body(page)
    }

    /// A redirection; 302 and 307 are what matters. A target that can't stand in a header is left out.
    #[must_use]
    pub fn redirect(status: u16, to: &str) -> Self {
        Self::status(status).header(LOCATION.as_str(), to)
    }

    /// Takes the request and never answers.
    #[must_use]
    pub fn hang() -> Self {
        Self { content: Content::Hang, ..Self::status(200) }
    }

    /// Takes the request and closes the connection without an answer: the sender can't know whether it was taken.
    #[must_use]
    pub fn close() -> Self {
        Self { content: Content::Close, ..Self::status(200) }
    }

    /// 200 with a body that never ends.
    #[must_use]
    pub fn endless() -> Self {
        Self { content: Content::Endless, ..Self::status(200) }
    }

    /// 200 with a small gzip body that unpacks to 32 MiB.
    #[must_use]
    pub fn gzip_bomb() -> Self {
        Self { content: Content::GzipBomb, ..Self::status(200) }
            .typed("application/json")
            .header("content-encoding", "gzip")
    }

    /// The whole body of the reply.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self { content: Content::Whole(body.into()), ..self }
    }

    /// Sends the body one byte at a time, each after that pause. Only a whole body can drip.
    #[must_use]
    pub fn dripping(self, pause: Duration) -> Self {
        match self.content {
            Content::Whole(body) => Self { content: Content::Drip(body, pause), ..self },
            _ => self,
        }
    }

    /// Announces the whole body, sends half of it and breaks off. Only a whole body can be cut.
    #[must_use]
    pub fn cut(self) -> Self {
        match self.content {
            Content::Whole(body) => Self { content: Content::Cut(body), ..self },
            _ => self,
        }
    }

    /// `Retry-After` with that text: seconds, a decimal, a date, nonsense.
    #[must_use]
    pub fn retry_after(self, text: &str) -> Self {
        self.header(RETRY_AFTER.as_str(), text)
    }

    /// A header. A name or value that HTTP forbids is left out.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Waits that long before the first byte of the answer.
    #[must_use]
    pub fn delayed(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    fn typed(mut self, content_type: &'static str) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self
    }

    /// The status that the sender will see; `None`: none at all.
    #[must_use]
    pub fn seen_status(&self) -> Option<u16> {
        match self.content {
            Content::Hang | Content::Close => None,
            _ => Some(self.status.as_u16()),
        }
    }

    /// For how long the answer asks to be left alone, if it does so in seconds.
    pub(super) fn wait(&self) -> Option<Duration> {
        let seconds: f64 = self.headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Sends the reply to the client.
    pub(super) async fn send(self) -> Result<Response<Body>, Closed> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let mut headers = self.headers;
        let body = match self.content {
            Content::Whole(body) => Body::from(body),
            Content::Drip(body, pause) => body::drip(body, pause),
            Content::Cut(body) => {
                headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
                body::cut(&body)
            }
            Content::Endless => body::endless(),
            Content::GzipBomb => {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                Body::from(body::gzip_bomb())
            }
            Content::Hang => std::future::pending().await,
            Content::Close => return Err(Closed),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}
