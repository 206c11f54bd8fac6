//! Named points at which a test lets the process crash: around every commit of the store, around every send, at a reload, in
//! retention, at shutdown. They work only in a build with debug assertions, as tests are built; in any other, [`reach`] is empty.
//!
//! In such a build, `SCOREWATCH_CRASH_POINT` names a point and `SCOREWATCH_CRASH_PASS` says at which pass through it the process
//! aborts, counted from one; absent, it is the first. Nothing is flushed, announced or closed: to the store it is `kill -9`.
//!
//! Four further switches are for what else can go wrong with a process: `SCOREWATCH_BREAK_PART`, as in `planner panics`, lets a part
//! of the service panic, end or hang as soon as it is started; `SCOREWATCH_DOWNTIME_MIN_S` says how many seconds of suspension count
//! as downtime, so that a test need not stop the process for minutes; `SCOREWATCH_STOP_BEFORE`, as in `Claim`, lets the process stop
//! itself once, when it has decided to write that and has not begun to; `SCOREWATCH_LEASE_MS` is the length of a replica's lease.

#[cfg(not(debug_assertions))]
use std::time::Duration;

/// A kind of work of which the store makes a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The outcome of one tenant's check.
    Check,
    /// A notification that no check causes.
    Announce,
    /// An attempt about to be made.
    Claim,
    /// An attempt that was not made after all.
    UndoClaim,
    /// A delivery that its receiver took.
    SettleDelivered,
    /// A delivery that gets another attempt.
    SettleRetry,
    /// A delivery whose rich form its receiver rejects.
    SettlePlainer,
    /// A dead letter, or a message that its receiver rejects.
    SettleDead,
    /// A channel that rejects everything.
    SettleParked,
    /// What waits for a channel on whose route it is not any more.
    Reroute,
    /// Where each channel's messages go now.
    NoteChannels,
    /// Channels whose time until the first drill begins.
    OnboardChannels,
    /// A drill that a person saw.
    ConfirmDrill,
    /// Which tenant is whose, before a configuration takes effect.
    Reconcile,
    /// Deliveries found under way at the start.
    Recover,
    /// A delivery sent again on a person's word.
    Resend,
    /// A channel that goes on, on a person's word.
    Unpark,
    /// What becomes of deliveries that were held.
    Release,
    /// Held deliveries that are examined before their time.
    LookAgain,
    /// A fleet shift that was seen.
    NoteShift,
    /// A fleet shift whose notices are queued.
    NotifyShift,
    /// A silence, on a person's word.
    AddSilence,
    /// A silence that ends early, on a person's word.
    EndSilence,
    /// An alert that a person has seen.
    Acknowledge,
    /// An alert of which a person wants reminders again.
    Unacknowledge,
    /// An action that is to be done once, however often it is asked for.
    BeginRequest,
    /// The answer to such an action.
    EndRequest,
    /// Tokens, accounts and sessions.
    Access,
    /// An entry of the audit log.
    Audit,
    /// A tenant that is checked on a person's word.
    RequestCheck,
    /// The heartbeat, every ten seconds.
    Heartbeat,
    /// A time in which the service was down.
    Downtime,
    /// Removal of what is older than retention.
    Prune,
    /// One step of the schema.
    Migration,
    /// The mark that the store is in use.
    MarkInUse,
    /// The mark that the store was closed properly.
    MarkClosed,
}

/// A place in the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashPoint {
    /// Everything of the transaction is written, nothing of it is durable.
    BeforeCommit(Work),
    /// It is durable, and nobody knows yet.
    AfterCommit(Work),
    /// A tenant's scores were fetched.
    Fetched,
    /// A check's outcome is known to be durable; the channels are not woken yet.
    CheckCommitted,
    /// An attempt is recorded; nothing is sent yet.
    BeforeSend,
    /// The receiver has answered.
    Answered,
    /// What the answer means is known; it is not recorded yet.
    BeforeSettle,
    /// What the answer means is known to be recorded.
    Settled,
    /// A changed configuration was read and is good.
    ReloadRead,
    /// It is in force for deliveries.
    ReloadTaken,
    /// It is in force for checks; what it ends is not ended yet.
    ReloadApplied,
    /// Alerts without a place in it have been ended.
    OrphansEnded,
    /// Retention is about to begin.
    BeforeRetention,
    /// A slice was removed and there is more.
    BetweenSlices,
    /// Nothing is left that is older.
    AfterRetention,
    /// The store is open and nothing was taken up yet.
    StoreOpened,
    /// The service was asked to stop.
    StopAsked,
    /// Nothing is under way any more.
    Drained,
    /// The store is closed.
    StoreClosed,
}

/// Says that the process has come to this point.
#[cfg(not(debug_assertions))]
#[inline]
pub const fn reach(_point: CrashPoint) {}

/// Says that the process has decided to write this, and is about to begin the transaction.
#[cfg(not(debug_assertions))]
#[inline]
pub const fn about_to_write(_work: Work) {}

/// Runs a part of the service.
#[cfg(not(debug_assertions))]
pub async fn part(_task: &'static str, work: impl Future<Output = ()>) {
    work.await;
}

/// How long a suspension must last to count as downtime.
#[cfg(not(debug_assertions))]
#[must_use]
pub const fn downtime_min(usual: Duration) -> Duration {
    usual
}

/// For how long a replica that is not heard of keeps its work.
#[cfg(not(debug_assertions))]
#[must_use]
pub const fn lease(usual: Duration) -> Duration {
    usual
}

#[cfg(debug_assertions)]
pub use armed::{about_to_write, downtime_min, lease, part, reach};

#[cfg(debug_assertions)]
mod armed {
    use std::{
        sync::{
            LazyLock,
            atomic::{AtomicBool, AtomicU64, Ordering},
        },
        time::Duration,
    };

    use rustix::process::{Signal, getpid, kill_process};

    use super::{CrashPoint, Work};

    /// The point to crash at, and how many passes through it are still to come.
    static ARMED: LazyLock<Option<(String, AtomicU64)>> = LazyLock::new(|| {
        let point = std::env::var("SCOREWATCH_CRASH_POINT").ok()?;
        let pass = std::env::var("SCOREWATCH_CRASH_PASS").ok().and_then(|pass| pass.parse().ok()).unwrap_or(1);
        Some((point, AtomicU64::new(pass)))
    });

    /// Marks that the process has reached this point; it aborts here if it was armed.
    pub fn reach(point: CrashPoint) {
        if let Some((name, passes)) = &*ARMED
            && *name == point.name()
            && passes.fetch_sub(1, Ordering::SeqCst) == 1
        {
            std::process::abort();
        }
    }

    /// Says that the process is about to begin a transaction with this work. If a test asks for it, it stops here once, until it is
    /// told to go on.
    pub fn about_to_write(work: Work) {
        static HAS_STOPPED: AtomicBool = AtomicBool::new(false);
        let is_asked = std::env::var("SCOREWATCH_STOP_BEFORE").is_ok_and(|before| before == format!("{work:?}"));
        if is_asked && !HAS_STOPPED.swap(true, Ordering::SeqCst) {
            // A test that waits for it says so if it does not stop.
            let _ = kill_process(getpid(), Signal::STOP);
            // Another thread may take the signal, which stops this one only when it does.
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// Runs a part of the service, unless a test makes it break.
    ///
    /// # Panics
    /// When a test asks for it.
    pub async fn part(task: &'static str, work: impl Future<Output = ()>) {
        let requested = std::env::var("SCOREWATCH_BREAK_PART").unwrap_or_default();
        match requested.rsplit_once(' ') {
            Some((broken, "panics")) if broken == task => panic!("made to panic on request"),
            Some((broken, "ends")) if broken == task => {}
            Some((broken, "hangs")) if broken == task => std::future::pending().await,
            _ => work.await,
        }
    }

    /// How long a suspension must last to count as downtime.
    #[must_use]
    pub fn downtime_min(usual: Duration) -> Duration {
        let requested = std::env::var("SCOREWATCH_DOWNTIME_MIN_S").ok().and_then(|seconds| seconds.parse().ok());
        requested.map_or(usual, Duration::from_secs)
    }

    /// For how long a replica that is not heard of keeps its work.
    #[must_use]
    pub fn lease(usual: Duration) -> Duration {
        let requested = std::env::var("SCOREWATCH_LEASE_MS").ok().and_then(|ms| ms.parse().ok());
        requested.map_or(usual, Duration::from_millis)
    }

    impl Work {
        /// All kinds of work, in the order of the enumeration.
        pub const ALL: [Self; 36] = [
            Self::Check,
            Self::Announce,
            Self::Claim,
            Self::UndoClaim,
            Self::SettleDelivered,
            Self::SettleRetry,
            Self::SettlePlainer,
            Self::SettleDead,
            Self::SettleParked,
            Self::Reroute,
            Self::NoteChannels,
            Self::OnboardChannels,
            Self::ConfirmDrill,
            Self::Reconcile,
            Self::Recover,
            Self::Resend,
            Self::Unpark,
            Self::Release,
            Self::LookAgain,
            Self::NoteShift,
            Self::NotifyShift,
            Self::AddSilence,
            Self::EndSilence,
            Self::Acknowledge,
            Self::Unacknowledge,
            Self::BeginRequest,
            Self::EndRequest,
            Self::Access,
            Self::Audit,
            Self::RequestCheck,
            Self::Heartbeat,
            Self::Downtime,
            Self::Prune,
            Self::Migration,
            Self::MarkInUse,
            Self::MarkClosed,
        ];
    }

    impl CrashPoint {
        /// All crash points that a test can arm.
        #[must_use]
        pub fn all() -> Vec<Self> {
            let places = [
                Self::Fetched,
                Self::CheckCommitted,
                Self::BeforeSend,
                Self::Answered,
                Self::BeforeSettle,
                Self::Settled,
                Self::ReloadRead,
                Self::ReloadTaken,
                Self::ReloadApplied,
                Self::OrphansEnded,
                Self::BeforeRetention,
                Self::BetweenSlices,
                Self::AfterRetention,
                Self::StoreOpened,
                Self::StopAsked,
                Self::Drained,
                Self::StoreClosed,
            ];
            let commits = Work::ALL.into_iter().flat_map(|work| [Self::BeforeCommit(work), Self::AfterCommit(work)]);
            commits.chain(places).collect()
        }

        /// How the environment names it: `BeforeCommit(Check)`, `Answered`.
        #[must_use]
        pub fn name(self) -> String {
            format!("{self:?}")
        }
    }
}
