//! `averageComparativeScores` of a secure score's record: the averages of other tenants. They were wrong everywhere in 2019 and missing
//! for a month in 2022, so nothing in them keeps the score itself from being read.

use serde::Deserialize;

use super::bounded::{Lenient, LenientList, Scalar};
use crate::domain::{Averages, Timestamp};

/// The most averages that are read of one record; Microsoft gives three.
pub(super) const AVERAGES_MAX: usize = 50;

/// All averages of a record.
pub(super) type AverageList = LenientList<Lenient<Average>, AVERAGES_MAX>;

/// The average score of other tenants, as Microsoft's record has it.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Average {
    basis: Scalar,
    average_score: Scalar,
}

/// What a record of that day says of other tenants.
pub(super) fn read(list: &AverageList, day: Timestamp) -> Averages {
    let of = |basis| average(list.0.iter().map(|average| &average.0), basis);
    Averages { day, similar_size: of("TotalSeats"), same_industry: of("IndustryTypes"), all_tenants: of("AllTenants") }
}

/// The average of that basis, which is a percentage. Once it was -1 everywhere, and for a month it was missing; values that
/// contradict each other or are not a percentage are unknown.
pub(super) fn average<'a>(averages: impl Iterator<Item = &'a Average>, basis: &str) -> Option<f64> {
    let of_basis = averages.filter(|average| average.basis.text() == Some(basis));
    let mut sane = of_basis.filter_map(|average| average.average_score.number());
    let first = sane.next().filter(|average| *average > 0.0 && *average <= 100.0)?;
    sane.all(|other| other.to_bits() == first.to_bits()).then_some(first)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::microsoft::bounded;

    #[derive(Deserialize)]
    struct Record {
        of: AverageList,
    }

    fn said(written: &Value) -> (Option<f64>, Option<f64>, Option<f64>) {
        let text = json!({ "of": written }).to_string();
        let record: Record = bounded::read(text.as_bytes()).unwrap();
        let Averages { similar_size, same_industry, all_tenants, .. } = read(&record.of, Timestamp::EPOCH);
        (similar_size, same_industry, all_tenants)
    }

    #[test]
    fn averages_are_read_by_what_they_are_of_and_nothing_else_is_believed() {
        let entry = |basis: &str, score: Value| json!({ "basis": basis, "averageScore": score, "deviceScore": 3 });
        let all = json!([
            entry("AllTenants", json!(47.5)),
            entry("TotalSeats", json!("52")),
            entry("IndustryTypes", json!(40))
        ]);
        assert_eq!(said(&all), (Some(52.0), Some(40.0), Some(47.5)));
        let mut many = vec![entry("AllTenants", json!(47.5)); 51];
        many.push(entry("TotalSeats", json!(52)));
        assert_eq!(said(&json!(many)), (None, None, Some(47.5)), "the rest of a list without end is skipped");
        for nothing in [
            json!(null),
            json!([]),
            json!(7),
            json!("x"),
            json!(true),
            json!({ "basis": "AllTenants", "averageScore": 40 }),
            json!([null, 7, -1, 0.5, "x", true, [[]], {}]),
            json!([
                entry("AllTenants", json!(-1)),
                entry("TotalSeats", json!(0)),
                entry("IndustryTypes", json!(505_785))
            ]),
            json!([entry("AllTenants", json!(40)), entry("AllTenants", json!(60))]),
            json!([entry("AllTenants", json!({})), entry("alltenants", json!(40))]),
        ] {
            assert_eq!(said(&nothing), (None, None, None), "{nothing}");
        }
    }
}
