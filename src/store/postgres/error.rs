//! What a server's errors mean.

use crate::store::StoreError;

/// What it means while opening, where it is not a passing failure.
pub(super) fn at_open(error: &sqlx::Error) -> StoreError {
    let Some(refusal) = error.as_database_error() else {
        let said = error.to_string();
        return StoreError::Open(match (distrusted(&said), error) {
            (Some(why), _) => why,
            (None, sqlx::Error::Io(error)) => format!("the database server can't be reached: {error}"),
            (None, _) => said,
        });
    };
    let said = refusal.message();
    StoreError::Open(match refusal.code().as_deref() {
        Some("28P01" | "28000") => format!("the server refuses the role or its password: {said}"),
        Some("3D000") => format!("{said}; make it with `CREATE DATABASE`"),
        // Poolers accept few settings, and give a connection to another client after each transaction, with what was prepared on it.
        Some("42P05" | "26000") => behind_a_pooler(said),
        Some("08P01") if said.contains("startup parameter") => behind_a_pooler(said),
        Some("42501") => format!(
            "the role may not do this: {said}; grant it what it needs, or run `scorewatch migrate` as the role that owns the tables if they \
             are to be made or changed"
        ),
        _ => said.to_owned(),
    })
}

/// Why a connection is not taken for one to the right server, and what to do; `None`: it failed otherwise.
fn distrusted(said: &str) -> Option<String> {
    if said.contains("server does not support TLS") {
        return Some(
            "the database server takes no encrypted connections; switch TLS on there (`ssl = on`), or write `tls: disable` if nobody \
             else can listen on the way"
                .to_owned(),
        );
    }
    // As the library for TLS says it, which the driver passes on.
    let (_, why) = said.split_once("invalid peer certificate: ")?;
    let what_to_do = match why {
        // Another authority of that name has signed it.
        _ if why.starts_with("UnknownIssuer") || why.starts_with("BadSignature") => {
            "write the file with the certificate of the authority that signed it as `ca`"
        }
        _ if why.contains("not valid for name") || why.contains("NotValidForName") => {
            "write the server's name as its certificate has it"
        }
        _ if why.contains("xpired") => "renew it",
        _ => "look at it with `openssl s_client -starttls postgres`",
    };
    Some(format!("the database server's certificate is not trusted ({why}); {what_to_do}"))
}

fn behind_a_pooler(said: &str) -> String {
    format!("a pooler such as PgBouncer stands before the server ({said}); write the server's own address")
}
