//! An assistant asks the real binary over standard input and output, learns what it may, and changes nothing.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use crate::harness::{LOW, SENTINEL, World};

/// A running `scorewatch mcp`; dropping it kills it.
struct Assistant {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Drop for Assistant {
    fn drop(&mut self) {
        // An error means that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Assistant {
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_scorewatch"))
            .env_clear()
            .arg("--config")
            .arg(world.folder.config())
            .arg("mcp")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { input: child.stdin.take(), output, child }
    }

    fn send(&mut self, line: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line).unwrap();
        input.write_all(b"\n").unwrap();
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": parameters });
        self.send(message.to_string().as_bytes());
        let answer = self.answer();
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(7)), "{answer}");
        answer
    }

    fn call(&mut self, name: &str, arguments: &Value) -> Value {
        self.ask("tools/call", &json!({ "name": name, "arguments": arguments }))["result"].clone()
    }
}

async fn world() -> World {
    let world = World::new().await;
    world.write();
    world.command(&["once"]).await;
    world.set_score("contoso", LOW);
    world.command(&["once"]).await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assistant_learns_what_fires_and_why() {
    let world = world().await;
    let mut assistant = Assistant::start(&world, &[]);
    let greeting = assistant.ask("initialize", &json!({ "protocolVersion": "2025-03-26", "capabilities": {} }));
    assert_eq!(greeting["result"]["protocolVersion"], "2025-03-26");
    assert_eq!(greeting["result"]["serverInfo"]["name"], "scorewatch");
    // Notifications are not answered: the next line is that of the next question.
    assistant.send(br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    assert_eq!(assistant.ask("ping", &json!({}))["result"], json!({}));
    let tools = assistant.ask("tools/list", &json!({}))["result"]["tools"].as_array().unwrap().clone();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    for expected in ["listTenants", "listAlerts", "explainAlert", "listDeliveries", "listSilences"] {
        assert!(names.contains(&expected), "{names:?}");
    }
    assert!(tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true), "{tools:?}");
    assert!(!names.iter().any(|name| name.starts_with("accept") || name.starts_with("add")), "{names:?}");
    let alerts = assistant.call("listAlerts", &json!({ "state": ["firing"], "tenant": "contoso" }));
    let items = alerts["structuredContent"]["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["rule"], &alerts["isError"]), (1, &json!("device-score-low"), &json!(false)));
    let text: Value = serde_json::from_str(alerts["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, alerts["structuredContent"]);
    let trace = assistant.call("explainAlert", &json!({ "id": items[0]["short_id"] }));
    assert_eq!(trace["structuredContent"]["tenant"], "contoso", "{trace}");
    // It ends when nobody asks any more.
    drop(assistant.input.take());
    assert!(assistant.child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_wrong_is_said_on_one_line_and_nothing_else_is_printed() {
    let world = world().await;
    let mut assistant = Assistant::start(&world, &[]);
    let too_long = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{}\"}}", "x".repeat(300_000));
    for (line, id, code) in [
        (&b"{"[..], json!(null), -32700),
        (b"\xff", json!(null), -32700),
        (b"[]", json!(null), -32600),
        (br#"{"id":1,"method":"ping"}"#, json!(1), -32600),
        (br#"{"jsonrpc":"2.0","id":"a","method":"tools/delete"}"#, json!("a"), -32601),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, json!(1), -32602),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"addSilence"}}"#, json!(1), -32602),
        (too_long.as_bytes(), json!(null), -32600),
    ] {
        assistant.send(line);
        let answer = assistant.answer();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(code)), "{answer}");
    }
    for (name, arguments, says) in [
        ("listAlerts", json!({ "state": ["open"] }), "`state` must be one of pending, firing, resolved, not `open`"),
        ("listAlerts", json!({ "limit": 0 }), "`limit` must be a whole number from 1 to 1000"),
        ("listAlerts", json!({ "all": true }), "unknown parameter `all`"),
        ("showTenant", json!({}), "`id` is missing or is not text"),
        ("showTenant", json!({ "id": "absent" }), "there is no tenant `absent`"),
    ] {
        let result = assistant.call(name, &arguments);
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(result["isError"] == true && text.contains(says), "{name}: {result}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assistant_that_is_limited_to_a_tenant_learns_nothing_of_others() {
    let world = world().await;
    let mut assistant = Assistant::start(&world, &["--tenant", "contoso"]);
    let tools = assistant.ask("tools/list", &json!({}))["result"]["tools"].as_array().unwrap().clone();
    let mut asked = 0;
    for tool in tools.iter().filter(|tool| tool["inputSchema"]["required"] == json!([])) {
        let result = assistant.call(tool["name"].as_str().unwrap(), &json!({}));
        assert!(result["isError"] == false && !result.to_string().contains(SENTINEL), "{result}");
        asked += 1;
    }
    assert!(asked >= 6, "{tools:?}");
    let result = assistant.call("showTenant", &json!({ "id": SENTINEL }));
    assert!(result["isError"] == true, "{result}");
    for (text, is_found) in [("contoso", true), (SENTINEL, false)] {
        let result = assistant.call("search", &json!({ "q": text }));
        assert!(result["isError"] == false && result.to_string().contains(text) == is_found, "{result}");
    }
}
