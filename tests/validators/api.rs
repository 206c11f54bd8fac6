//! The API under schemathesis, which makes requests of its `OpenAPI` document: no failure of ours, no answer that the document does not
//! describe, nothing accepted that it forbids.

use std::process::Command;

use crate::harness::{LOW, World};

use super::installed;

/// Requests of each operation and kind.
const EXAMPLES: &str = "25";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes schemathesis, which `tests/validators/install` installs"]
async fn whatever_is_asked_the_api_answers_as_its_document_says() {
    let world = World::new().await;
    world.write();
    world.command(&["once"]).await;
    world.set_score("contoso", LOW);
    world.command(&["once"]).await;
    let service = world.run().await;
    let base = format!("http://{}/api/v1", service.listening().await);
    let python = installed().join("python");
    let output = tokio::task::spawn_blocking(move || {
        Command::new("python3")
            .args(["-m", "schemathesis.cli", "run", &format!("{base}/openapi.json"), "--url", &base])
            .args(["--max-examples", EXAMPLES, "--seed", "1", "--no-color", "--request-timeout", "30"])
            .args(["--phases", "examples,coverage,fuzzing", "--warnings", "off"])
            // It waits for the end of every answer, and a stream has none; `tests/integration/scope/api.rs` opens it.
            .args(["--exclude-path", "/events"])
            // No schema says which cursors, ids and labels there are.
            .args(["--exclude-checks", "positive_data_acceptance"])
            .env("PYTHONPATH", python)
            .current_dir(std::env::temp_dir())
            .output()
            .unwrap()
    });
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}
