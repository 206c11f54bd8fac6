//! What waits for a channel together, notices of fleet shifts among it.

use super::*;
use crate::replay::stages::digest::digest;

/// What is sent of messages and notices, queued as `second places` with a `!` for a notice.
fn sent(queue: &str, digest_over: Option<usize>, pace: u64) -> (Vec<String>, Vec<usize>) {
    let table = (0..9).map(|number| format!("1 t{number} fired 1.1")).collect::<Vec<_>>().join(";");
    let receiver = Receiver { digest_over, pace: Duration::from_secs(pace), ..Receiver::default() };
    let plan = Plan { receivers: [(channel("soc"), receiver)].into(), ..Plan::default() };
    let item = |row: &str| {
        let (second, places) = row.trim().split_once(' ').unwrap();
        let says = places.trim_end_matches('!').split(',').map(|place| place.parse().unwrap()).collect();
        let at = Timestamp::from_seconds(second.parse().unwrap());
        Queued { at, channel: channel("soc"), says, notice: places.ends_with('!').then_some(0) }
    };
    let mut suppressed = Vec::new();
    let sent = digest(&plan, &messages(&table, &["soc"]), queue.split(';').map(item).collect(), &mut suppressed);
    let line = |one: &Sent| format!("{} {} {:?}", one.at.as_seconds(), one.kind.as_str(), one.says);
    (sent.iter().map(line).collect(), suppressed.into_iter().map(|one| one.message).collect())
}

#[test]
fn a_notice_goes_alone_and_counts_for_no_digest() {
    for (queue, over, pace, lines, kept) in [
        ("1 0,1!", Some(1), 0, &["1 fleet.shift [0, 1]"][..], &[][..]),
        ("1 0; 1 1!; 1 2", Some(2), 0, &["1 alert.firing [0]", "1 fleet.shift [1]", "1 alert.firing [2]"], &[]),
        // The notice came second: what waits with it is one digest, and it goes at the channel's pace.
        ("1 0; 1 1!; 1 2", Some(1), 5, &["1 digest [0, 2]", "6 fleet.shift [1]"], &[0, 2]),
        ("1 1!; 1 0; 1 2", Some(1), 5, &["1 fleet.shift [1]", "6 digest [0, 2]"], &[0, 2]),
        ("1 0!; 1 1; 2 2", None, 5, &["1 fleet.shift [0]", "6 alert.firing [1]", "11 alert.firing [2]"], &[]),
    ] {
        let expected = (lines.iter().map(|&line| line.to_owned()).collect(), kept.to_vec());
        assert_eq!(sent(queue, over, pace), expected, "{queue}");
    }
}

#[test]
fn what_waits_during_a_cooldown_is_merged_once_the_channel_is_free() {
    let (lines, kept) = sent("1 0; 2 1; 3 2; 4 3; 30 4", Some(2), 10);
    assert_eq!(lines, ["1 alert.firing [0]", "11 digest [1, 2, 3]", "30 alert.firing [4]"]);
    assert_eq!(kept, [1, 2, 3], "a line of a digest is no message of its own");
}

#[test]
fn what_is_for_a_channel_that_is_not_there_is_not_sent() {
    let queued = vec![Queued { at: Timestamp::EPOCH, channel: channel("gone"), says: vec![0], notice: None }];
    let sent = digest(&Plan::default(), &messages("1 a fired 1.1", &["gone"]), queued, &mut Vec::new());
    assert_eq!(sent, []);
}
