//! What comes of a series at the next evaluation. Each front end puts it into its own words.

use crate::{
    query::explain::SeriesTrace,
    rule::{Resolution, explain::Verdict},
};

/// What a rule makes of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The newest reading is zero, and a second one must confirm it.
    AwaitsSecondZero,
    /// There is no reading.
    NothingToEvaluate,
    /// The condition does not hold.
    DoesNotHold,
    /// The condition holds, but not yet for as long as the rule's `for` says.
    Pends,
    /// The alert fires, and this reading alone would make it fire.
    Fires,
    /// The alert does not fire yet, and will at the next evaluation.
    WillFire,
    /// The alert fires on, and there is nothing new to report.
    GoesOn,
    /// The alert fires, and is about to be reported as worse.
    Worsens,
    /// The alert has changed too often, and is about to be reported as unstable.
    Unstable,
    /// The alert fires, and nobody has acknowledged it in time.
    Escalates,
    /// The alert fires, and a reminder is due.
    Reminds,
    /// The alert is about to end because its level is accepted.
    WillBeAccepted,
    /// The alert is about to end.
    WillResolve,
}

impl SeriesTrace {
    /// What comes of it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let explanation = &self.explanation;
        match explanation.verdict {
            Verdict::Quiet if !explanation.is_confirmed => Outcome::AwaitsSecondZero,
            Verdict::Quiet if explanation.reading.is_none() && explanation.comparison.is_none() => {
                Outcome::NothingToEvaluate
            }
            Verdict::Quiet => Outcome::DoesNotHold,
            Verdict::Pends => Outcome::Pends,
            Verdict::Fires if self.alert.is_firing() => Outcome::Fires,
            Verdict::Fires => Outcome::WillFire,
            Verdict::GoesOn => Outcome::GoesOn,
            Verdict::Worsens => Outcome::Worsens,
            Verdict::Unstable => Outcome::Unstable,
            Verdict::Escalates => Outcome::Escalates,
            Verdict::Reminds => Outcome::Reminds,
            Verdict::Ends(Resolution::Accepted) => Outcome::WillBeAccepted,
            Verdict::Ends(_) => Outcome::WillResolve,
        }
    }
}
