//! What Prometheus makes of our metrics, our rules and our dashboards: `promtool` and `prometheus` of Debian.

use std::{
    collections::BTreeSet,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use scorewatch::{
    clock::Clock,
    egress::{Egress, Method, Policy, Private, Request},
    simulation::{
        Reply,
        cloud::{EntraRefusal, SignIn},
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::form_urlencoded::byte_serialize;

use crate::harness::{LOW, SENTINEL, SOC, Service, World, entra, get};

const MISSING: &str = "Debian's package prometheus is installed";
/// Scrapes that must have happened, so that rates exist.
const SCRAPES: f64 = 4.0;

/// Metrics that exist only once something went wrong that no test brings about here.
const OF_FAULTS: &str = "scorewatch_task_";
/// Metrics of services that share a store, which the one that runs here does not.
const OF_REPLICAS: &str = "scorewatch_replicas";
/// Panels that are empty for a good reason: nothing was lost a week before the first scrape, and what fires on Scorewatch fires later.
const EMPTY: [&str; 2] = ["Lost within 7 days", "Firing alerts on Scorewatch"];

fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path)
}

fn promtool(arguments: &[&str]) -> String {
    let output = Command::new("promtool").args(arguments).current_dir(deploy("prometheus")).output().expect(MISSING);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{arguments:?}\n{said}");
    said
}

#[test]
#[ignore = "needs Debian's package prometheus"]
fn promtool_accepts_the_rules_and_each_alert_fires_when_it_should() {
    promtool(&["check", "rules", "alerts.yaml"]);
    promtool(&["test", "rules", "tests.yaml"]);
}

/// A running Prometheus; it ends with this value.
struct Prometheus {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Prometheus {
    /// Scrapes that address every second, as the job that the guide shows.
    fn start(scraped: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rules = deploy("prometheus/alerts.yaml");
        let settings = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [{}]\nscrape_configs:\n  \
             - job_name: scorewatch\n    static_configs: [{{ targets: [\"{scraped}\"] }}]\n",
            rules.display()
        );
        fs::write(&settings, text).unwrap();
        // It says nowhere which port it was given, so it is given one.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", settings.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={free}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect(MISSING);
        Self { process, address: free, _folder: folder }
    }

    /// What its API answers; null while it does not.
    async fn ask(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.address);
        let request = Request { method: Method::Get, url: url.into(), headers: Vec::new(), body: Bytes::new() };
        let policy = Policy {
            private: Private::Any,
            deadline: Duration::from_secs(30),
            answer_bytes_max: 1 << 20,
            fail_above_max: true,
        };
        let answer = Egress::new().send(request, &policy).await;
        // It may not listen yet.
        let answer: Value =
            answer.ok().and_then(|answer| serde_json::from_slice(&answer.body).ok()).unwrap_or_default();
        answer["data"].clone()
    }

    async fn query(&self, query: &str) -> Vec<Value> {
        let encoded: String = byte_serialize(query.as_bytes()).collect();
        let data = self.ask(&format!("/api/v1/query?query={encoded}")).await;
        data["result"].as_array().cloned().unwrap_or_else(|| panic!("{query}: {data}"))
    }

    /// Waits until the service was scraped often enough.
    async fn scraped(&self, world: &World, service: &Service) {
        let enough = "count_over_time(scorewatch_build_info[1h])";
        loop {
            world.checked(service, SENTINEL, 1).await;
            let encoded: String = byte_serialize(enough.as_bytes()).collect();
            let data = self.ask(&format!("/api/v1/query?query={encoded}")).await;
            let count = data["result"][0]["value"][1].as_str().and_then(|count| count.parse::<f64>().ok());
            if count.is_some_and(|count| count >= SCRAPES) {
                return;
            }
        }
    }
}

/// Every query of a dashboard, with its panel's title.
fn panels(dashboard: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(deploy("grafana").join(dashboard)).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let of_panel = |panel: &Value| {
        let title = panel["title"].as_str().unwrap().to_owned();
        let targets = panel["targets"].as_array().unwrap().clone();
        targets.into_iter().map(move |target| (title.clone(), target["expr"].as_str().unwrap().to_owned()))
    };
    let queries = dashboard["panels"].as_array().unwrap().iter().flat_map(of_panel);
    queries
        .map(|(title, query)| {
            let query = query.replace("$__rate_interval", "1m").replace("$instance", ".*");
            (title, query.replace("$tenant", ".*").replace("$score", ".*"))
        })
        .collect()
}

/// The queries of the alert rules, by alert.
fn rules() -> Vec<(String, String)> {
    let text = fs::read_to_string(deploy("prometheus/alerts.yaml")).unwrap();
    let file: Value = serde_yaml::from_str(&text).unwrap();
    let rules = file["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap());
    rules.map(|rule| (rule["alert"].as_str().unwrap().to_owned(), rule["expr"].as_str().unwrap().to_owned())).collect()
}

fn metrics(query: &str) -> BTreeSet<String> {
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    query.split(|letter| !is_letter(letter)).filter(|word| word.starts_with("scorewatch_")).map(str::to_owned).collect()
}

/// A world in which there is something to see on every panel: a tenant that can't be read, one that fires, a receiver that is gone, a
/// credential that expires.
async fn eventful() -> (World, Service) {
    let mut world = World::new().await;
    "metrics: { tenants: true }\n".clone_into(&mut world.setup.top);
    world.add_tenant("fabrikam");
    world.cloud.set_sign_in(entra("fabrikam"), Some(SignIn::Refuse(EntraRefusal::SecretWrong)));
    let file = world.folder.path().join("tenants/contoso.yaml");
    let tenant = fs::read_to_string(file).unwrap().replace("client_id:", "expires: 2099-01-01, client_id:");
    let scores = "scores: [device-secure-score, exposure-score-by-group]\n";
    world.folder.write("tenants/contoso.yaml", &format!("{}\n{scores}", tenant.trim_end()));
    let group = json!({ "time": Clock::System.now().to_string(), "score": 31.5, "rbacGroupName": "Servers" });
    world.cloud.set_groups(entra("contoso"), vec![group]);
    world.receivers.set(SOC, Some(Reply::status(503)));
    let service = world.run().await;
    world.checked(&service, "contoso", 2).await;
    world.set_score("contoso", LOW);
    world.until(&service, SOC, |arrived| !arrived.is_empty()).await;
    // A changed configuration, which is loaded.
    world.setup.top.push_str("# changed\n");
    world.write();
    let address = service.listening().await;
    let reloaded = async {
        while !get(address, "/metrics").await.1.contains("scorewatch_reloads_total{") {
            world.checked(&service, SENTINEL, 1).await;
        }
    };
    world.patiently(&service, "the changed configuration to be loaded", reloaded).await;
    (world, service)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Debian's package prometheus"]
async fn every_query_of_the_dashboards_and_rules_finds_its_metrics_in_a_running_service() {
    let (world, service) = eventful().await;
    let prometheus = Prometheus::start(service.listening().await);
    world.patiently(&service, "Prometheus to scrape", prometheus.scraped(&world, &service)).await;

    let names = prometheus.ask("/api/v1/label/__name__/values").await;
    let names: BTreeSet<_> = names.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let queries = [panels("scorewatch.json"), panels("scorewatch-service.json")].concat();
    assert!(queries.len() > 30, "the panels were not found");
    for (title, query) in queries.iter().chain(&rules()) {
        for name in
            metrics(query).iter().filter(|name| ![OF_FAULTS, OF_REPLICAS].iter().any(|other| name.starts_with(other)))
        {
            assert!(names.contains(name.as_str()), "`{title}` asks for {name}, which was not scraped: {names:?}");
        }
    }
    for (title, query) in &queries {
        let is_empty = prometheus.query(query).await.is_empty();
        let may_be_empty = EMPTY.contains(&title.as_str()) || query.contains(OF_FAULTS);
        assert!(!is_empty || may_be_empty, "`{title}` shows nothing: {query}");
    }
    let known = prometheus.ask("/api/v1/rules").await;
    let loaded: Vec<_> =
        known["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert_eq!(loaded.len(), rules().len());
    for rule in loaded {
        assert_ne!(rule["health"], "err", "{rule:#}");
    }
    for (alert, query) in rules() {
        let results = prometheus.query(&query).await;
        let expected = ["ScorewatchTenantsFailing", "ScorewatchTenantsBlind", "ScorewatchChannelsFailing"];
        assert_eq!(!results.is_empty(), expected.contains(&alert.as_str()), "{alert}: {results:?}");
    }
    assert!(service.stop().await.success());
}
