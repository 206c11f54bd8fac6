//! Standard output and standard error: tables for people, JSON for machines.

use std::{
    fmt::Display,
    io::{IsTerminal, Write, stderr, stdout},
    sync::OnceLock,
    time::Duration,
};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::Failure;
use crate::{
    diagnostic::{Excerpts, Problem, render},
    domain::{Timestamp, characters},
    schedule::Zone,
};

/// Prints results, a line or several. A reader that has gone away is not an error. Nothing in the text can drive the
/// terminal.
pub(super) fn say(text: &str) {
    let _ = writeln!(stdout().lock(), "{}", characters::shown_lines(text));
}

/// How a line stands out on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// A heading, before what belongs to it.
    Bold,
    /// A remark that most readers can skip.
    Faint,
    /// A name, so that it is found in a line.
    Cyan,
    /// Something that is wrong.
    Red,
    /// Something that is over or good.
    Green,
}

/// Prints results like [`say`], in color on a terminal unless `NO_COLOR` is set (no-color.org).
pub(super) fn say_in(ink: Ink, text: &str) {
    let has_color = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let code = match ink {
        Ink::Bold => "1",
        Ink::Faint => "2",
        Ink::Cyan => "36",
        Ink::Red => "31",
        Ink::Green => "32",
    };
    // The colors are added after everything that could drive the terminal was made visible.
    let text = characters::shown_lines(text);
    let _ = if has_color {
        writeln!(stdout().lock(), "\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        writeln!(stdout().lock(), "{text}")
    };
}

/// Prints a text to standard error, escaped like results.
pub(super) fn complain(text: &str) {
    let _ = writeln!(stderr().lock(), "{}", characters::shown_lines(text));
}

/// Prints problems to standard error, with colors on a terminal.
pub(super) fn complain_of(problems: &[Problem], excerpts: &Excerpts) {
    // The renderer makes hidden characters visible, and adds the colors after that.
    let _ = writeln!(stderr().lock(), "{}", render::terminal(problems, excerpts, stderr().is_terminal()));
}

/// Prints a value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let _ = writeln!(stdout().lock(), "{}", characters::shown_json(&serde_json::to_string_pretty(value)?));
    Ok(())
}

/// A table for people: aligned columns, no frame. Control characters from outside are made visible.
pub(super) fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    if !stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    for row in rows {
        table.add_row(row.map(|cell| visible(&cell)));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Prints a listing: as JSON, or for people as a table with a line for each, or as the sentence that there is none.
pub(super) fn listing<T: Serialize, const N: usize>(
    rows: &[T],
    as_json: bool,
    header: [&str; N],
    none: &str,
    line: impl Fn(&T) -> [String; N],
) -> Result<(), Failure> {
    if as_json {
        return json(&rows);
    }
    say(&if rows.is_empty() { none.to_owned() } else { table(header, rows.iter().map(line)) });
    Ok(())
}

/// The text on one line, with hidden characters escaped, so that no name from outside can drive a terminal.
pub(super) fn visible(text: &str) -> String {
    characters::shown(text).into_owned()
}

/// A number with its noun in the right form: `1 alert`, `2 alerts`.
pub(super) fn counted<N: Copy + Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    format!("{count} {noun}{}", if count == N::from(1) { "" } else { "s" })
}

/// The zone in which this process prints times.
static ZONE: OnceLock<Zone> = OnceLock::new();

/// Prints times in that zone from now on: that of the first configuration which is read.
pub(super) fn set_zone(zone: &Zone) {
    // Of two configurations that are compared, the first one's.
    let _ = ZONE.set(zone.clone());
}

/// A time to the second, nobody reads its fraction, on the clock of the configured zone: `2026-01-05 09:00:00 CET`.
pub(super) fn time(at: Timestamp) -> String {
    ZONE.get_or_init(Zone::default).written(at)
}

/// A time, and how long ago that was.
pub(super) fn time_ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", time(at), ago(at, now))
}

/// How long ago that was, or how long it is until then: `just now`, `now`, `2 min ago`, `in 1 h 59 min`, `in 30 h`. Rounded, and nothing
/// is rounded by much: two hours that have just begun are not one hour.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let (apart, is_over) = if at <= now { (now.since(at), true) } else { (at.since(now), false) };
    let seconds = apart.as_secs();
    let (minutes, hours) = ((seconds + 30) / 60, (seconds + 1_800) / 3_600);
    let span = match (seconds, minutes) {
        (0..5, _) if is_over => return "just now".to_owned(),
        (0, _) => return "now".to_owned(),
        (1..60, _) => format!("{seconds} s"),
        (_, ..60) => format!("{minutes} min"),
        (_, ..600) => two(minutes / 60, "h", minutes % 60, "min"),
        _ if hours < 48 => format!("{hours} h"),
        _ if hours < 240 => two(hours / 24, "d", hours % 24, "h"),
        _ => format!("{} d", (hours + 12) / 24),
    };
    if is_over { format!("{span} ago") } else { format!("in {span}") }
}

/// A length in two units: `1 h 59 min`, `2 h`.
fn two(large: u64, of_large: &str, small: u64, of_small: &str) -> String {
    if small == 0 { format!("{large} {of_large}") } else { format!("{large} {of_large} {small} {of_small}") }
}

/// What becomes of a command, by whether a service is running: `does` says what that does, as in `sends it`.
pub(super) fn by_service(is_running: bool, does: &str) -> String {
    if is_running {
        format!("the running service {does} within seconds")
    } else {
        format!("no service is running; the next one that starts {does}")
    }
}

/// The value, or `-` if there is none.
pub(super) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A bar that grows by one with each tenant; shown on a terminal only.
pub(super) fn progress(length: usize) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} tenants, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A line that says what is being done; shown on a terminal only.
pub(super) fn working() -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_a_table_is_read_at_a_glance() {
        let now = Timestamp::from_seconds(1_000_000);
        for (seconds, text) in [
            (0, "just now"),
            (-4, "just now"),
            (-5, "5 s ago"),
            (-89, "1 min ago"),
            (-119, "2 min ago"),
            (-3_599, "1 h ago"),
            (-3_600, "1 h ago"),
            (-7_140, "1 h 59 min ago"),
            (-172_799, "2 d ago"),
            (-172_800, "2 d ago"),
            (-180_000, "2 d 2 h ago"),
            (-864_000, "10 d ago"),
            (1, "in 1 s"),
            (7_140, "in 1 h 59 min"),
            (7_199, "in 2 h"),
            (7_200, "in 2 h"),
            (40_000, "in 11 h"),
            (100_000, "in 28 h"),
        ] {
            assert_eq!(ago(Timestamp::from_seconds(1_000_000 + seconds), now), text);
        }
        let soon = now.plus(Duration::from_millis(300));
        assert_eq!(ago(soon, now), "now");
    }
}
