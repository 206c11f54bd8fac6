//! What pages load: one style sheet, one script, one icon. Their names hold a hash of what is in them, so a browser may keep them forever.

use std::{fmt::Write as _, sync::LazyLock};

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use crate::web::protect::refusal;

/// A file that pages load.
struct Asset {
    /// How templates name it.
    name: &'static str,
    /// The name in its address.
    hashed: String,
    media_type: &'static str,
    content: &'static str,
}

/// A browser that has one never asks again.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// How many hexadecimal digits of the hash are in the name.
const HASH_DIGITS: usize = 12;

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new("app.css", "text/css; charset=utf-8", include_str!("assets/app.css")),
        Asset::new("app.js", "text/javascript; charset=utf-8", include_str!("assets/app.js")),
        Asset::new("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
    ]
});

impl Asset {
    fn new(name: &'static str, media_type: &'static str, content: &'static str) -> Self {
        let mut hash = String::new();
        for byte in Sha256::digest(content) {
            // Writing to a `String` can't fail.
            let _ = write!(hash, "{byte:02x}");
        }
        let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
        Self { name, hashed: format!("{stem}-{}.{extension}", &hash[..HASH_DIGITS]), media_type, content }
    }
}

/// The address of an asset; `None`: there is none of that name.
pub(super) fn address(name: &str) -> Option<String> {
    ASSETS.iter().find(|asset| asset.name == name).map(|asset| format!("/assets/{}", asset.hashed))
}

/// `GET /assets/{name}`. It is the same for everybody, so nobody has to sign in for it.
pub(super) async fn asset(Path(name): Path<String>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.hashed == name) else {
        return refusal(StatusCode::NOT_FOUND, "not found");
    };
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type)), (header::CACHE_CONTROL, FOREVER)];
    (headers, asset.content).into_response()
}
