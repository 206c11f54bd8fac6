//! The requests that the guide to the API shows, sent to the API.

use std::{fs, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    http::{Request, header},
};
use futures_util::StreamExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use scorewatch::{
    clock::Clock,
    config,
    domain::Caller,
    store::{Store, sqlite::SqliteStore},
    web::{self, App},
};
use tokio::sync::watch;

use super::{commands::words, page::Page};

/// What the requests of the guide are about.
const MAIN: &str = "\
channels:
  soc: { type: webhook, url: https://soar.example/hook }
operator: { notify: [soc] }
tenants:
  - id: contoso
    name: Contoso Ltd
    tenant_id: 2f1c0a5e-0000-4000-8000-000000000001
    labels: { tier: gold }
    credential:
      client_id: 6d2a0000-0000-4000-8000-000000000002
      secret: { env: NOWHERE }
";

/// Every `curl` of the guide.
fn requests(page: &Page) -> Vec<Request<Body>> {
    let text: String =
        page.blocks().into_iter().filter(|block| block.language == "sh").map(|block| block.text).collect();
    let lines = text.replace("\\\n", " ");
    let mut requests = Vec::new();
    for line in lines.lines().filter(|line| line.starts_with("curl ")) {
        let (mut method, mut body, mut headers, mut path) = ("GET", String::new(), Vec::new(), None);
        let words = words(line);
        let mut words = words.iter().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "-s" | "-N" => {}
                "-X" => method = if words.next().unwrap() == "POST" { "POST" } else { panic!("{line}") },
                "-H" => headers.push(words.next().unwrap().split_once(": ").unwrap()),
                "-d" => body.clone_from(words.next().unwrap()),
                url => path = Some(url[url.find("/api/").unwrap()..].to_owned()),
            }
        }
        let mut request = Request::builder().method(method).uri(path.unwrap());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        requests.push(request.body(Body::from(body)).unwrap());
    }
    requests
}

#[tokio::test]
async fn the_api_takes_every_request_that_the_guide_shows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scorewatch.yaml");
    fs::write(&file, MAIN).unwrap();
    let loaded = config::load(&file);
    let (_, config) = watch::channel(Arc::new(loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.problems))));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path().join("data/s.db")).await.unwrap());
    let app = App::new(store, Clock::System, config);
    let requests = requests(&Page::read("docs/guides/api.md"));
    assert!(requests.len() > 6, "{requests:?}");
    for request in requests {
        let shown = format!("{} {}", request.method(), request.uri());
        let api = web::api::of(app.clone(), Caller::local("ann"));
        let response = TowerToHyperService::new(api).call(request).await.unwrap();
        let status = response.status().as_u16();
        let is_stream = response.headers().get(header::CONTENT_TYPE).is_some_and(|is| is == "text/event-stream");
        let body = if is_stream {
            response.into_body().into_data_stream().next().await.unwrap().unwrap()
        } else {
            to_bytes(response.into_body(), usize::MAX).await.unwrap()
        };
        let body = String::from_utf8(body.to_vec()).unwrap();
        // Nothing was checked, so there are no alerts; but nothing may be wrong with the request itself.
        let is_fine = matches!(status, 200..300 | 404 | 409) && !body.contains("no such path");
        assert!(is_fine, "{shown}: {status} {body}");
    }
}
