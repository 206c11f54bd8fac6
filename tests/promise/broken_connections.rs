//! Whatever breaks between us and a receiver: nothing is lost, what may have been stored is sent again with the same id, one
//! alert's messages keep their order, and no other channel waits.

use std::fmt::Write;

use scorewatch::simulation::Reply;

use crate::world::{Fault, HIGH, Proxy, SOC, Service, Told, World};

/// A channel whose receiver is reached directly.
const BESIDE: &str = "beside";
/// Levels that are further apart than the rule's step, so that each is told by a message of its own.
const LEVELS: [f64; 3] = [280.0, 230.0, 180.0];
const RULES: &str = "rules:\n  - name: device-score-low\n    score: device-secure-score\n    when: { below: 300 }\n    \
                     step: 40pts\n    severity: warning\n    notify: [soc, beside]\n";
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
        for (level, told_so_far) in LEVELS.into_iter().zip(1..) {
            self.world.set_score("contoso", level);
            self.world
                .until(service, BESIDE, |told| told.iter().filter(|told| told.accepted).count() == told_so_far)
                .await;
        }
    }

    /// Waits until all of it is delivered, and holds what arrived to the promises.
    async fn judge(&self, service: &Service) {
        self.world.quiet(service).await;
        let expected = sequences(&self.world.accepted(BESIDE, "contoso"));
        assert_eq!(expected, [1, 2, 3]);
        let arrived = self.world.accepted(SOC, "contoso");
        let stored: Vec<_> = self.proxy.passed().into_iter().filter(|passed| passed.stored).collect();
        let context = || {
            let mut text = format!("{stored:?}\n");
            for told in &arrived {
                writeln!(text, "{} {}", told.sequence, told.id).unwrap();
            }
            text
        };
        assert!(arrived.windows(2).all(|pair| pair[0].sequence <= pair[1].sequence), "out of order: {}", context());
        let mut distinct = arrived.clone();
        distinct.dedup_by(|later, earlier| later.id == earlier.id);
        assert_eq!(sequences(&distinct), expected, "lost, or sent again with another id: {}", context());
        assert!(arrived.iter().all(|told| told.id == self.id(told.sequence)), "an id of its own: {}", context());
        let repeats = arrived.windows(2).filter(|pair| pair[0].id == pair[1].id).map(|pair| &pair[1]);
        assert!(repeats.clone().all(|told| told.possible_repeat), "a repeat that is not marked: {}", context());
        // Each is delivered once by an answer that says so; any other copy is of an attempt whose answer was lost.
        let answerless = stored.iter().filter(|passed| passed.fault.is_some_and(|fault| !self.answers(fault))).count();
        assert_eq!(arrived.len(), expected.len() + answerless, "repeated without need: {}", context());
    }

    /// Whether the receiver's status arrives in spite of that fault.
    fn answers(&self, fault: Fault) -> bool {
        fault == Fault::Drip || fault == Fault::CutAnswer && self.has_body
    }

    /// The id by which the channel beside was told.
    fn id(&self, sequence: u64) -> String {
        let told = self.world.accepted(BESIDE, "contoso");
        told.into_iter().find(|told| told.sequence == sequence).unwrap().id
    }
}

fn sequences(told: &[Told]) -> Vec<u64> {
    told.iter().map(|told| told.sequence).collect()
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
    assert_eq!(line.world.told(SOC).iter().any(|told| told.sequence > 1), line.answers(fault), "overtaken");
    line.proxy.set(None);
    line.judge(&service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_refused() {
    let line = Line::new(Proxy::closed, "20s").await;
    let service = line.run().await;
    line.worsen(&service).await;
    service.says("no connection: refused").await;
    assert_eq!(line.world.told(SOC).len(), 0);
    line.proxy.open();
    line.judge(&service).await;
    assert!(line.world.told(SOC).iter().all(|told| !told.possible_repeat), "what never left is no repeat");
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
    survive(Fault::HalfOpen, "3s").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_byte_by_byte() {
    survive(Fault::Drip, "20s").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_end_never_comes() {
    survive(Fault::Stall, "3s").await;
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
async fn an_answer_that_is_no_http() {
    survive(Fault::Garbage, "20s").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_fault_after_the_other() {
    let line = Line::new(Proxy::before, "3s").await;
    let faults = [
        Fault::ResetEarly,
        Fault::CloseStored,
        Fault::Garbage,
        Fault::CutAnswer,
        Fault::HalfOpen,
        Fault::ResetStored,
        Fault::Drip,
        Fault::Stall,
        Fault::ResetEarly,
    ];
    line.proxy.script(&faults);
    let service = line.run().await;
    line.worsen(&service).await;
    line.judge(&service).await;
    let met: Vec<_> = line.proxy.passed().iter().filter_map(|passed| passed.fault).collect();
    assert_eq!(met, faults);
    line.world.set_score("contoso", HIGH);
    line.world.until(&service, SOC, |told| told.iter().any(|told| told.kind == "alert.resolved")).await;
}
