//! The samples of a tenant, as JSON and as CSV.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    problem::{FAILED, Problem},
    route::{Call, Csv, Items},
    words,
};
use crate::{
    domain::ScoreKind,
    query::export::{self, ExportedSeries, Question},
};

/// Which series is shown, and of which time.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Samples {
    /// Of this score; of several, of each of them. By default of all.
    #[serde(default)]
    score: Vec<ScoreKind>,
    /// Of which of several values.
    subject: Option<String>,
    /// From when on, in RFC 3339; by default from 30 days before the end.
    #[schemars(extend("format" = "date-time"))]
    from: Option<String>,
    /// Up to when, in RFC 3339, but not at that instant; by default to the newest.
    #[schemars(extend("format" = "date-time"))]
    until: Option<String>,
}

async fn exported(call: &Call<Samples>) -> Result<Vec<ExportedSeries>, Problem> {
    let Samples { score, subject, from, until } = &call.input;
    let (from, until) = words::times(from.as_deref(), until.as_deref())?;
    let (tenant, subject) = (call.path("id").to_owned(), subject.clone());
    let question = Question { tenant, scores: score.clone(), subject, from, until };
    Ok(export::samples(call.store.as_ref(), &call.config, &call.caller.scope, &question, call.now).await?)
}

pub(super) async fn list(call: Call<Samples>) -> Result<Items<ExportedSeries>, Problem> {
    Ok(Items::all(exported(&call).await?))
}

/// The columns that `scorewatch backtest --csv` reads.
const COLUMNS: [&str; 5] = ["tenant", "score", "subject", "time", "value"];

pub(super) async fn csv(call: Call<Samples>) -> Result<Csv, Problem> {
    let series = exported(&call).await?;
    let failed = |_| Problem::new(FAILED);
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS).map_err(failed)?;
    for ExportedSeries { score, subject, samples } in &series {
        let subject = subject.as_ref().map(|subject| harmless(subject.as_str())).unwrap_or_default();
        for sample in samples {
            let (time, value) = (sample.at.to_string(), sample.value.to_string());
            table.write_record([call.path("id"), score.as_str(), &subject, &time, &value]).map_err(failed)?;
        }
    }
    table.into_inner().map(Csv).map_err(|_| Problem::new(FAILED))
}

/// A name from outside that no spreadsheet takes for a formula ("CSV Injection", OWASP).
fn harmless(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_a_formula() {
        for (text, written) in [
            ("Servers", "Servers"),
            ("=HYPERLINK(\"https://a.example\")", "'=HYPERLINK(\"https://a.example\")"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("a=1", "a=1"),
        ] {
            assert_eq!(harmless(text), written);
        }
    }
}
