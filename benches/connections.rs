//! The real service with thousands of connections that say nothing or little: whether probes and pages still answer, how soon, and
//! whether checks begin late.
//!
//! `cargo bench --bench connections -- [CONNECTIONS] [SECONDS]`, by default 10,000 and 60. Connections that the service closes are opened
//! again at once, so that many are always there. It takes a limit on open files (`ulimit -n`) that is somewhat larger than their number.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a bench may panic and prints its results")]

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use scorewatch::{
    clock::Clock,
    simulation::{
        Cloud,
        cloud::{Bulk, BulkSecret, CloudSettings},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};
use uuid::Uuid;

const TENANTS: usize = 1_000;
const SECRET: &str = "bench-secret";
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often each path is asked for.
const EVERY: Duration = Duration::from_millis(250);
/// How often a connection that dribbles sends a byte.
const DRIBBLE: Duration = Duration::from_secs(1);
/// What is asked for meanwhile.
const PATHS: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/"];

fn main() {
    let numbers: Vec<usize> = env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    // `cargo test --benches` only checks that it runs.
    let default = if env::args().any(|argument| argument == "--bench") { (10_000, 60) } else { (100, 1) };
    let connections = numbers.first().copied().unwrap_or(default.0);
    let seconds = numbers.get(1).copied().unwrap_or(default.1);
    // The clients get one core: they stand for other machines.
    let clients = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    clients.block_on(measure(connections, u64::try_from(seconds).unwrap()));
}

async fn measure(connections: usize, seconds: u64) {
    let folder = tempfile::tempdir_in(option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target")).unwrap();
    let mut settings = CloudSettings::new(Arc::new(|| Clock::System.now()));
    settings.bulk = Some(Bulk { secret: BulkSecret::Shared(SECRET.to_owned()) });
    settings.log_max = 0;
    let cloud = Cloud::start(settings).await.unwrap();
    configure(folder.path(), &cloud.base_url());
    let (mut service, address) = start(folder.path());
    println!("{TENANTS} tenants, each checked every 15 s; figures of {seconds} s each");
    sleep(Duration::from_secs(20)).await;
    watch("alone".to_owned(), address, service.id(), seconds).await;

    let (open, opened) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..connections)
        .map(|number| tokio::spawn(linger(address, number % 2 == 0, open.clone(), opened.clone())))
        .collect();
    sleep(Duration::from_secs(5)).await;
    let before = opened.load(Ordering::Relaxed);
    let what = format!("beside {connections} connections");
    watch(what, address, service.id(), seconds).await;
    let (open, opened) = (open.load(Ordering::Relaxed), opened.load(Ordering::Relaxed) - before);
    println!("  {open} connections were open in the end; {opened} were opened again meanwhile");
    for client in clients {
        client.abort();
    }
    service.kill().unwrap();
    service.wait().unwrap();
}

/// Keeps a connection open that says nothing, or sends a head that never ends, and opens another one whenever it is closed.
async fn linger(address: SocketAddr, is_dribbling: bool, open: Arc<AtomicUsize>, opened: Arc<AtomicUsize>) {
    loop {
        let Ok(mut stream) = TcpStream::connect(address).await else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        open.fetch_add(1, Ordering::Relaxed);
        opened.fetch_add(1, Ordering::Relaxed);
        if is_dribbling {
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await;
        }
        let mut byte = [0];
        loop {
            match timeout(DRIBBLE, stream.read(&mut byte)).await {
                Ok(Ok(1)) => {}
                Ok(_) => break,
                Err(_) if is_dribbling && stream.write_all(b"x").await.is_err() => break,
                Err(_) => {}
            }
        }
        open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What was measured of one path.
#[derive(Default)]
struct Answers {
    ms: Vec<f64>,
    failed: BTreeMap<String, usize>,
}

/// Asks on a thread of its own: what is measured is the service, and not how busy its clients are.
async fn watch(what: String, address: SocketAddr, process: u32, seconds: u64) {
    let asking = move || {
        let asker = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        asker.block_on(ask(&what, address, process, seconds));
    };
    tokio::task::spawn_blocking(asking).await.unwrap();
}

async fn ask(what: &str, address: SocketAddr, process: u32, seconds: u64) {
    let (late, cpu, began) = (lateness(address).await, cpu_s(process), Instant::now());
    let until = began + Duration::from_secs(seconds);
    let tasks: Vec<_> = PATHS
        .into_iter()
        .map(|path| {
            tokio::spawn(async move {
                let mut answers = Answers::default();
                while Instant::now() < until {
                    let asked = Instant::now();
                    match timeout(PATIENCE, get(address, path)).await {
                        Ok(Ok(_)) => answers.ms.push(asked.elapsed().as_secs_f64() * 1e3),
                        Ok(Err(why)) => *answers.failed.entry(why).or_default() += 1,
                        Err(_) => *answers.failed.entry("late".to_owned()).or_default() += 1,
                    }
                    sleep(EVERY).await;
                }
                (path, answers)
            })
        })
        .collect();
    println!("{what}:");
    for task in tasks {
        let (path, Answers { mut ms, failed }) = task.await.unwrap();
        ms.sort_by(f64::total_cmp);
        let at = |share: usize| ms.get((ms.len() * share / 100).min(ms.len().saturating_sub(1))).copied();
        let [half, most, all] = [50, 99, 100].map(|share| at(share).unwrap_or(f64::NAN));
        let count = ms.len();
        println!(
            "  {path:<10} {count:>4} answers, not answered {failed:?}; median {half:>7.1} ms, p99 {most:>7.1} ms, most {all:>7.1} ms"
        );
    }
    let cpu = (cpu_s(process) - cpu) / began.elapsed().as_secs_f64() * 100.0;
    let after = lateness(address).await;
    println!("  checks begun within a second: {} of {}", after.0 - late.0, after.1 - late.1);
    println!("  {cpu:.0} % of a core, {:.0} MiB resident", resident_mib(process));
}

/// How many checks began within a second of the time they were due, and how many there were.
async fn lateness(address: SocketAddr) -> (u64, u64) {
    let metrics = loop {
        if let Ok(Ok(metrics)) = timeout(PATIENCE, get(address, "/metrics")).await {
            break metrics;
        }
    };
    let count = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|count| count.trim().parse::<f64>().ok()).unwrap_or_default()
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    let whole = |name: &str| count(name) as u64;
    (
        whole("scorewatch_check_lateness_seconds_bucket{le=\"1.0\"}")
            .max(whole("scorewatch_check_lateness_seconds_bucket{le=\"1\"}")),
        whole("scorewatch_check_lateness_seconds_count"),
    )
}

/// The answer to a request on a connection of its own, or why it was not answered with 200.
async fn get(address: SocketAddr, path: &str) -> Result<String, String> {
    let why = |error: std::io::Error| error.kind().to_string();
    let mut stream = TcpStream::connect(address).await.map_err(why)?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html, */*\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(why)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.map_err(why)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    if answer.starts_with("HTTP/1.1 200") {
        Ok(answer)
    } else {
        Err(answer.lines().next().unwrap_or("closed without a word").to_owned())
    }
}

fn start(folder: &Path) -> (Child, SocketAddr) {
    let mut service = Command::new(env!("CARGO_BIN_EXE_scorewatch"))
        .arg("--config")
        .arg(folder.join("scorewatch.yaml"))
        .arg("run")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(service.stderr.take().unwrap()).lines().map_while(Result::ok);
    let address = lines.find_map(|line| {
        let line: serde_json::Value = serde_json::from_str(&line).ok()?;
        (line["message"] == "listening").then(|| line["address"].as_str()?.parse().ok())?
    });
    // Its log is read on, or it would stand still once the pipe is full.
    std::thread::spawn(move || lines.for_each(drop));
    (service, address.expect("the service listens"))
}

fn configure(folder: &Path, cloud: &str) {
    fs::create_dir(folder.join("data")).unwrap();
    fs::write(folder.join("secret"), SECRET).unwrap();
    fs::write(
        folder.join("rules.yaml"),
        "rules: [{ name: low, score: device-secure-score, when: { below: 1 }, notify: [soc] }]\n",
    )
    .unwrap();
    let main = format!(
        "store: sqlite://data/scorewatch.db\nlisten: 127.0.0.1:0\nschedule: \"*/15 * * * * *\"\nspread: 10s\ntimezone: UTC\n\
         endpoints: {{ login: \"{cloud}\", defender: \"{cloud}\" }}\nrules: [rules.yaml]\ntenants: [tenants.yaml]\n\
         operator: {{ notify: [soc] }}\nchannels:\n  soc: {{ type: webhook, url: \"http://127.0.0.1:9/\", allow_private: true }}\n"
    );
    fs::write(folder.join("scorewatch.yaml"), main).unwrap();
    let mut tenants = String::new();
    for number in 0..TENANTS {
        let entra = Uuid::from_u128((number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        // Writing to a `String` can't fail.
        let _ = writeln!(
            tenants,
            "- id: tenant-{number}\n  tenant_id: {entra}\n  \
             credential: {{ client_id: 6d2a0000-0000-4000-8000-000000000002, secret: {{ file: secret }} }}"
        );
    }
    fs::write(folder.join("tenants.yaml"), tenants).unwrap();
}

/// User and system time of a process so far, in seconds. The kernel counts hundredths (`USER_HZ`).
fn cpu_s(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11..=12].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

fn resident_mib(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
