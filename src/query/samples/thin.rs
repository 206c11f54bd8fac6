//! Fewer samples that look the same. Pure.

use crate::domain::Sample;

/// How many samples of a stretch stand for the others: the first, the lowest, the highest and the last.
const OF_STRETCH: usize = 4;

/// At most `most` samples: all of them, or the first, lowest, highest and last of each of several stretches of equal length.
pub(super) fn thin(samples: &[Sample], most: usize) -> Vec<Sample> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Vec::new() };
    if samples.len() <= most {
        return samples.to_vec();
    }
    let stretches = u128::try_from((most / OF_STRETCH).max(1)).unwrap_or(1);
    let length = (last.at.since(first.at).as_nanos() / stretches + 1).max(1);
    let stretch = |sample: &Sample| sample.at.since(first.at).as_nanos() / length;
    let mut kept = Vec::with_capacity(most);
    for part in samples.chunk_by(|a, b| stretch(a) == stretch(b)) {
        let by_value = |a: &&Sample, b: &&Sample| a.value.total_cmp(&b.value);
        let mut of_part: Vec<Sample> =
            [part.first(), part.iter().min_by(by_value), part.iter().max_by(by_value), part.last()]
                .into_iter()
                .flatten()
                .copied()
                .collect();
        of_part.sort_by_key(|sample| sample.at);
        of_part.dedup_by_key(|sample| sample.at);
        kept.extend(of_part);
    }
    // Of too few stretches, the newest sample is what matters.
    if kept.len() > most {
        kept.drain(..kept.len() - most);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn few_samples_stand_for_many_and_no_drop_is_lost() {
        let value = |number: i32| if number == 777 { 1.0 } else { 100.0 + f64::from(number % 7) };
        let samples: Vec<Sample> = (0..3_000)
            .map(|number| Sample { at: Timestamp::from_seconds(i64::from(number) * 900), value: value(number) })
            .collect();
        for most in [4, 40, 400, 2_999] {
            let kept = thin(&samples, most);
            assert!(kept.len() <= most, "{most}: {}", kept.len());
            assert!(kept.iter().any(|sample| (sample.value - 1.0).abs() < f64::EPSILON), "{most}");
            assert_eq!(kept.last(), samples.last(), "{most}");
            assert!(kept.is_sorted_by_key(|sample| sample.at), "{most}");
        }
        assert_eq!(thin(&samples, 3_000), samples);
        assert_eq!(thin(&samples, 1).len(), 1);
        assert_eq!(thin(&[], 10), []);
    }
}
