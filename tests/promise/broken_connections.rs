//! Whatever breaks between us and a receiver: nothing is lost, what may have been stored is sent again with the same id and a
//! mark, one alert's messages keep their order, and no other channel waits.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
};

use scorewatch::simulation::Reply;

use crate::harness::{Arrived, Fault, HIGH, Proxy, SOC, Service, World};

/// A channel whose receiver is reached directly.
const BESIDE: &str = "beside";
/// Levels that are further apart than the rule's step, so that each has a message of its own.
const LEVELS: [f64; 3] = [280.0, 230.0, 180.0];
const RULES: &str = "rules:\n  - name: device-score-low\n    score: device-secure-score\n    when: { below: 300 }\n    \
                     step: 40pts\n    severity: warning\n    notify: [soc, beside]\n";
/// How long an attempt that hangs is waited for: long enough that no sound one is given up on a machine with much to do.
const HANGS: &str = "10s";
/// Failed connections that are waited for before the fault ends.
const FAILURES: usize = 3;

struct Line {
    world: World,
    proxy: Proxy,
    /// The receiver answers with a long body, so that half of the answer holds the whole head.
    has_body: bool,
}

impl Line {
    /// [`SOC`] by way of `proxy`, with an attempt that ends after `timeout`; [`BESIDE`] without.
    async fn new(make: fn(&str) -> Proxy, timeout: &str) -> Self {
        let mut world = World::new().await;
        let direct = world.receivers.add_webhook(SOC);
        let proxy = make(&direct);
        world.setup.channels.retain(|line| !line.starts_with(SOC));
        world.setup.channel(SOC, &format!("type: webhook, url: \"{}\", timeout: {timeout}", proxy.url(&direct)));
        let beside = world.receivers.add_webhook(BESIDE);
        world.setup.webhook(BESIDE, &beside);
        RULES.clone_into(&mut world.setup.rules);
        Self { world, proxy, has_body: false }
    }

    async fn run(&self) -> Service {
        let service = self.world.run().await;
        self.world.checked(&service, "contoso", 2).await;
        service
    }

    /// What contoso's alert made, level by level, while [`SOC`] can't be reached.
    async fn worsen(&self, service: &Service) {
        for (level, sent_so_far) in LEVELS.into_iter().zip(1..) {
            self.world.set_score("contoso", level);
            self.world
                .until(service, BESIDE, |arrived| {
                    arrived.iter().filter(|arrived| arrived.accepted).count() == sent_so_far
                })
                .await;
        }
    }

    /// Waits until all of it is delivered, and holds what arrived to the promises.
    async fn judge(&self, service: &Service) {
        self.world.quiet(service).await;
        let requests = self.requests();
        let stored: Vec<_> = self.proxy.passed().into_iter().filter(|passed| passed.stored).collect();
        let context = || {
            let mut text = format!("{stored:?}\n");
            for arrived in requests.iter().flatten() {
                writeln!(text, "{} in {} {}", arrived.sequence, arrived.message, arrived.possible_duplicate).unwrap();
            }
            text
        };
        assert_eq!(stored.len(), requests.len(), "{}", context());
        let beside: HashMap<_, _> =
            self.world.accepted(BESIDE, "contoso").into_iter().map(|arrived| (arrived.sequence, arrived.id)).collect();
        let mut sent_so_far = 0;
        for arrived in requests.iter().flatten() {
            assert_eq!(Some(&arrived.id), beside.get(&arrived.sequence), "not the same id: {}", context());
            assert!(arrived.sequence <= sent_so_far + 1, "overtaken: {}", context());
            assert!(
                arrived.sequence > sent_so_far || arrived.possible_duplicate,
                "a repeat without its mark: {}",
                context()
            );
            sent_so_far = sent_so_far.max(arrived.sequence);
        }
        assert_eq!(sent_so_far, LEVELS.len() as u64, "lost: {}", context());
        let own: Vec<_> = requests.iter().map(|arrived| arrived.last().unwrap().sequence).collect();
        assert!(own.is_sorted(), "out of order: {}", context());
        // Whose answer arrived is not sent again; whose answer was lost is, by the same id or along with the newest of its alert.
        let mut answered = HashSet::new();
        for (request, passed) in requests.iter().zip(&stored) {
            assert!(!answered.contains(&request[0].message), "repeated without need: {}", context());
            if passed.fault.is_none_or(|fault| self.answers(fault)) {
                answered.insert(&request[0].message);
            }
        }
        assert!(answered.contains(&requests.last().unwrap()[0].message), "{}", context());
    }

    /// What each request said of contoso's alert: a message may cover earlier ones.
    fn requests(&self) -> Vec<Vec<Arrived>> {
        let mut requests: Vec<Vec<Arrived>> = Vec::new();
        for arrived in self.world.accepted(SOC, "contoso") {
            match requests.last_mut().filter(|request| request[0].at == arrived.at) {
                Some(request) => request.push(arrived),
                None => requests.push(vec![arrived]),
            }
        }
        requests
    }

    /// Whether the receiver's status arrives in spite of that fault.
    fn answers(&self, fault: Fault) -> bool {
        fault == Fault::Drip || fault == Fault::CutAnswer && self.has_body
    }
}

/// The alert comes and worsens while every connection fails so; then the fault ends.
async fn survive(fault: Fault, timeout: &str) {
    survive_on(Line::new(Proxy::before, timeout).await, fault).await;
}

async fn survive_on(line: Line, fault: Fault) {
    line.proxy.set(Some(fault));
    let service = line.run().await;
    line.worsen(&service).await;
    let tried_again = line.proxy.wait_for(|passed| passed.len() >= FAILURES);
    line.world.patiently(&service, "it is tried again", tried_again).await;
    assert!(line.proxy.passed().iter().all(|passed| passed.fault == Some(fault) && passed.stored == fault.stores()));
    line.proxy.set(None);
    line.judge(&service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_refused() {
    let line = Line::new(Proxy::closed, "20s").await;
    let service = line.run().await;
    line.worsen(&service).await;
    service.says("no connection: refused").await;
    assert_eq!(line.world.arrived(SOC).len(), 0);
    line.proxy.open();
    line.judge(&service).await;
    let is_marked = |arrived: &Arrived| arrived.body["data"]["notification"]["possible_duplicate"] == true;
    assert!(!line.world.arrived(SOC).iter().any(is_marked), "what never left is no repeat");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_before_the_request_is_through() {
    survive(Fault::ResetEarly, "20s").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_after_the_receiver_has_stored_it() {
    survive(Fault::ResetStored, "20s").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_accepted_and_never_answered() {
    survive(Fault::HalfOpen, HANGS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_byte_by_byte() {
    survive(Fault::Drip, "20s").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_end_never_comes() {
    survive(Fault::Stall, HANGS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_closed_after_the_receiver_has_stored_it() {
    survive(Fault::CloseStored, "20s").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_cut_in_its_head() {
    survive(Fault::CutAnswer, "20s").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_cut_in_its_body_is_an_answer() {
    let mut line = Line::new(Proxy::before, "20s").await;
    line.has_body = true;
    line.world.receivers.set(SOC, Some(Reply::text(200, &"taken ".repeat(1_000))));
    survive_on(line, Fault::CutAnswer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_http() {
    survive(Fault::Garbage, "20s").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_fault_after_the_other() {
    let line = Line::new(Proxy::before, HANGS).await;
    let faults = [
        Fault::ResetEarly,
        Fault::CloseStored,
        Fault::Garbage,
        Fault::CutAnswer,
        Fault::HalfOpen,
        Fault::ResetStored,
        Fault::Stall,
        Fault::ResetEarly,
        // The last one: after it nothing needs to be sent again.
        Fault::Drip,
    ];
    line.proxy.script(&faults);
    let service = line.run().await;
    line.worsen(&service).await;
    line.judge(&service).await;
    let met: Vec<_> = line.proxy.passed().iter().filter_map(|passed| passed.fault).collect();
    assert_eq!(met, faults);
    line.world.set_score("contoso", HIGH);
    line.world.until(&service, SOC, |arrived| arrived.iter().any(|arrived| arrived.kind == "alert.resolved")).await;
}
