//! The readings of the past: from the store, or from a CSV file.

use std::{collections::BTreeMap, time::Duration};

use super::{Csv, Span, instant};
use crate::{
    config::{Config, Tenant},
    domain::{Sample, ScoreKind, SeriesId, SeriesKey, Subject, TenantId, Timestamp},
    notify::Silence,
    query::Error,
    replay::{History, Look, ScoreHistory, SeriesHistory, history::seen_again},
    rule::MISSED_MAX,
    schedule::{next_check, phase},
    store::Store,
};

/// How many tenants are loaded together at most.
const BATCH: usize = 256;
/// Checks of a tenant that only a CSV file knows.
const POLL_INTERVAL: Duration = Duration::from_mins(15);

/// At most this many missed checks between two readings are replayed. Rules ask only whether there were more than [`MISSED_MAX`], and the
/// first of them begins a gap; a schedule of each minute has a thousand others between the readings of two days. They change no rule's
/// result; a shift of the fleet waits less for a tenant that was out of reach for long.
const MISSED_CHECKS_MAX: usize = 4 * MISSED_MAX as usize;

/// The most parts into which the time between two records is divided: each is a check that gave the newest record once more. Of a day,
/// they are a quarter of an hour; what more frequent checks would find is found up to that much later.
const LOOKS_PER_RECORD_MAX: u32 = 96;

/// Samples by tenant, score and subject.
type Samples = BTreeMap<TenantId, BTreeMap<(ScoreKind, Option<Subject>), Vec<Sample>>>;

/// What was read from a store.
pub(super) struct Kept {
    pub(super) histories: Vec<History>,
    /// Every silence that the store keeps.
    pub(super) silences: Vec<Silence>,
    /// How many tenants were looked at, including those of which nothing is kept.
    pub(super) tenants: usize,
}

/// What the store kept of these tenants, in their order, until they have `readings_max` readings together. `on_tenant` is called after each
/// tenant.
pub(super) async fn of_store(
    store: &dyn Store,
    config: &Config,
    ids: &[TenantId],
    span: Span,
    readings_max: usize,
    on_tenant: impl Fn(),
) -> Result<Kept, Error> {
    let downtimes: Vec<_> =
        store.downtimes().await?.into_iter().map(|downtime| (downtime.from, downtime.until)).collect();
    let (mut histories, mut tenants, mut readings) = (Vec::new(), 0, 0);
    'all: for some in ids.chunks(BATCH) {
        let mut records: BTreeMap<_, _> =
            store.load(some).await?.into_iter().map(|record| (record.tenant.clone(), record)).collect();
        for id in some {
            if readings >= readings_max {
                break 'all;
            }
            tenants += 1;
            let Some(record) = records.remove(id) else { continue };
            let of = config.tenants.get(&record.tenant);
            if of.is_some_and(|tenant| !record.identity.is(tenant.account.entra)) {
                continue;
            }
            let mut series = BTreeMap::new();
            for known in record.series {
                let key =
                    SeriesKey { tenant: record.tenant.clone(), score: known.score, subject: known.subject.clone() };
                let mut samples = store.history(&key, span.since).await?;
                samples.retain(|sample| sample.at <= span.until);
                let series_id = SeriesId { score: known.score, subject: known.subject.as_ref() };
                let samples = record.excluded.window(series_id, &samples).unwrap_or(samples);
                series.insert((known.score, known.subject), samples);
            }
            let tenant = config.tenants.get(&record.tenant).map(AsRef::as_ref);
            let history = history(config, record.tenant, tenant, series, &downtimes, span.until);
            readings += history.scores.iter().map(readings_of).sum::<usize>();
            histories.push(history);
            on_tenant();
            // A schedule of each minute makes a tenant's months some work, and others wait for the same threads.
            tokio::task::yield_now().await;
        }
    }
    Ok(Kept { histories, silences: store.silences(None).await?, tenants })
}

/// What is replayed of a score: its samples, and the checks that found nothing new or failed, as far as these are replayed.
fn readings_of(score: &ScoreHistory) -> usize {
    score.looks.len() + score.series.iter().map(|series| series.samples.len()).sum::<usize>()
}

/// What a CSV file says, as far as `is_wanted`.
pub(super) fn of_csv(
    Csv { name, text }: &Csv,
    config: &Config,
    is_wanted: impl Fn(&TenantId) -> bool,
    since: &str,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<(Vec<History>, Span), Error> {
    let mut samples = read_csv(text).map_err(|(line, what)| Error::invalid(format!("{name}:{line}: {what}")))?;
    samples.retain(|id, _| is_wanted(id));
    let last = samples.values().flat_map(BTreeMap::values).flatten().map(|sample| sample.at).max();
    let until = until.or(last).unwrap_or(now);
    let span = Span { since: instant(since, until)?, until };
    let mut histories = Vec::with_capacity(samples.len());
    for (id, mut series) in samples {
        for samples in series.values_mut() {
            samples.retain(|sample| span.since <= sample.at && sample.at <= until);
        }
        let tenant = config.tenants.get(&id).map(AsRef::as_ref);
        histories.push(history(config, id, tenant, series, &[], until));
    }
    Ok((histories, span))
}

/// Reads the rows; an error says in which line.
fn read_csv(text: &str) -> Result<Samples, (usize, String)> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let header = lines.next().map(|(_, line)| fields(line)).unwrap_or_default();
    let has_subject = match header.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tenant", "score", "subject", "time", "value"] => true,
        ["tenant", "score", "time", "value"] => false,
        _ => {
            return Err((
                1,
                "the first line must be `tenant,score,subject,time,value` or the same without `subject`".to_owned(),
            ));
        }
    };
    let mut samples = Samples::new();
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |what: &str| (index + 1, what.to_owned());
        let row = fields(line);
        let (tenant, score, subject, time, value) = match (row.as_slice(), has_subject) {
            ([tenant, score, subject, time, value], true) => (tenant, score, subject.as_str(), time, value),
            ([tenant, score, time, value], false) => (tenant, score, "", time, value),
            _ => return Err(wrong("expected as many fields as in the first line")),
        };
        let tenant = TenantId::parse(tenant).map_err(|error| wrong(&format!("invalid tenant id: {error}")))?;
        let score = ScoreKind::from_name(score).ok_or_else(|| wrong("unknown score"))?;
        let at = Timestamp::parse(time).ok_or_else(|| wrong("expected a time like `2026-01-05T00:00:00Z`"))?;
        let value = value.parse::<f64>().ok().filter(|value| value.is_finite());
        let value = value.ok_or_else(|| wrong("expected a number as the value"))?;
        let subject = (!subject.is_empty()).then(|| Subject(subject.into()));
        if subject.is_some() != score.has_subjects() {
            return Err(wrong(if score.has_subjects() {
                "this score needs a subject"
            } else {
                "this score has no subject"
            }));
        }
        samples.entry(tenant).or_default().entry((score, subject)).or_default().push(Sample { at, value });
    }
    for series in samples.values_mut().flat_map(BTreeMap::values_mut) {
        series.sort_by_key(|sample| sample.at);
        series.dedup_by_key(|sample| sample.at);
    }
    Ok(samples)
}

/// The fields of a line, in quotes or not.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(std::mem::take(&mut field).trim().to_owned()),
            letter => field.push(letter),
        }
    }
    fields.push(field.trim().to_owned());
    fields
}

/// A tenant's course, with what the configuration says of it.
fn history(
    config: &Config,
    id: TenantId,
    tenant: Option<&Tenant>,
    series: BTreeMap<(ScoreKind, Option<Subject>), Vec<Sample>>,
    downtimes: &[(Timestamp, Timestamp)],
    until: Timestamp,
) -> History {
    let poll_interval = tenant.map_or(POLL_INTERVAL, |tenant| poll_interval(tenant, until));
    let mut scores: Vec<ScoreHistory> = Vec::new();
    for ((score, subject), samples) in series {
        let nexts = samples.iter().skip(1).map(|sample| sample.at).chain([until]);
        let looks_interval = poll_interval.max(score.record_interval() / LOOKS_PER_RECORD_MAX);
        let looks = samples.iter().zip(nexts).flat_map(|(one, next)| seen_again(score, looks_interval, one.at, next));
        let looks: Vec<_> = looks.collect();
        let series = SeriesHistory { subject, samples, read_at: Vec::new(), imported: 0, averages: Vec::new() };
        match scores.last_mut().filter(|known| known.score == score) {
            Some(known) => {
                known.series.push(series);
                known.looks.extend(looks);
            }
            None => scores.push(ScoreHistory { score, series: vec![series], looks }),
        }
    }
    for score in &mut scores {
        let next = |after: Timestamp| match tenant {
            Some(tenant) => {
                next_check(&tenant.schedule, phase(id.as_str(), config.spread), after, downtimes.iter().copied())
            }
            None => Some(after.plus(poll_interval)),
        };
        if score.score.record_interval().is_zero() {
            score.looks.extend(without_reading(score, next, until));
        }
        score.looks.sort_by_key(|look| look.at);
        score.looks.dedup_by_key(|look| look.at);
    }
    History {
        name: tenant.map_or_else(|| id.as_str().into(), |tenant| tenant.name.clone()),
        labels: tenant.map(|tenant| tenant.labels.clone()).unwrap_or_default(),
        notify: tenant.map(|tenant| tenant.notify.clone()).unwrap_or_default(),
        tenant: id,
        poll_interval,
        scores,
        downtimes: downtimes.to_vec(),
        until,
    }
}

/// The scheduled checks that gave no reading of any of a score's series: missed, or failed. The store does not keep them, but its
/// samples and the schedule show.
fn without_reading(score: &ScoreHistory, next: impl Fn(Timestamp) -> Option<Timestamp>, until: Timestamp) -> Vec<Look> {
    let mut read: Vec<Timestamp> =
        score.series.iter().flat_map(|series| &series.samples).map(|sample| sample.at).collect();
    read.sort_unstable();
    read.dedup();
    let ends = read.iter().copied().skip(1).chain([until]);
    let mut looks = Vec::new();
    for (from, end) in read.iter().copied().zip(ends) {
        let due = std::iter::successors(next(from), |due| next(*due)).take_while(|due| *due <= end);
        let due: Vec<_> = due.take(MISSED_CHECKS_MAX + 1).collect();
        // The last of them gave the next reading, or is under way.
        let missed = due.len().saturating_sub(1);
        looks.extend(due.into_iter().take(missed).map(|at| Look { at, is_good: false }));
    }
    looks
}

/// The shortest gap between the tenant's checks of a day or so.
fn poll_interval(tenant: &Tenant, around: Timestamp) -> Duration {
    let ticks: Vec<Timestamp> =
        std::iter::successors(tenant.schedule.next_tick(around), |tick| tenant.schedule.next_tick(*tick))
            .take(8)
            .collect();
    ticks.windows(2).map(|pair| pair[1].since(pair[0])).min().unwrap_or(POLL_INTERVAL).max(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csv_file_is_read_or_refused_with_its_line() {
        let good = "tenant,score,subject,time,value\ncontoso,device-secure-score,,2026-01-05T00:15:00Z,400\n\
                    contoso,device-secure-score,,2026-01-05T00:00:00Z,300\ncontoso,exposure-score-by-group,\"a, \"\"b\"\"\",2026-01-05T00:00:00Z,3\n";
        let samples = read_csv(good).unwrap();
        let series = &samples[&TenantId::parse("contoso").unwrap()];
        let values: Vec<Vec<f64>> =
            series.values().map(|samples| samples.iter().map(|sample| sample.value).collect()).collect();
        assert_eq!(values, [vec![300.0, 400.0], vec![3.0]]);
        assert!(
            series.keys().any(|(_, subject)| subject.as_ref().is_some_and(|subject| subject.as_str() == "a, \"b\""))
        );
        for (row, line, notified) in [
            ("", 1, "the first line"),
            ("tenant,score,time,value\nx", 2, "as many fields"),
            ("tenant,score,time,value\nA,device-secure-score,2026-01-05T00:00:00Z,1", 2, "invalid tenant id"),
            ("tenant,score,time,value\n\na,device,2026-01-05T00:00:00Z,1", 3, "unknown score"),
            ("tenant,score,time,value\na,device-secure-score,yesterday,1", 2, "expected a time"),
            ("tenant,score,time,value\na,device-secure-score,2026-01-05T00:00:00Z,NaN", 2, "expected a number"),
            ("tenant,score,time,value\na,secure-score-category,2026-01-05T00:00:00Z,1", 2, "needs a subject"),
        ] {
            let (found, what) = read_csv(row).unwrap_err();
            assert!(found == line && what.contains(notified), "{row}: {found}: {what}");
        }
    }
}
