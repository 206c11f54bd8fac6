//! The classic text format of Prometheus (0.0.4), made of `OpenMetrics` text, for readers that know nothing newer.

use std::fmt::Write as _;

/// Translates a page. They differ in what counters and infos are called, and in what only the newer one has.
#[must_use]
pub fn classic(page: &str) -> String {
    let mut lines = String::with_capacity(page.len());
    let mut help: Option<(&str, &str)> = None;
    for line in page.lines() {
        let words = |what: &str| line.strip_prefix(what).and_then(|rest| rest.split_once(' '));
        if let Some(found) = words("# HELP ") {
            help = Some(found);
            continue;
        }
        if let Some((name, kind)) = words("# TYPE ") {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            if let Some((of, text)) = help.take()
                && of == name
            {
                // Writing to a string does not fail.
                let _ = writeln!(lines, "# HELP {name}{suffix} {text}");
            }
            let _ = writeln!(lines, "# TYPE {name}{suffix} {kind}");
            continue;
        }
        if !line.starts_with('#') {
            lines += line;
            lines.push('\n');
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_the_same_in_the_classic_format() {
        let page = "# HELP a_checks Finished checks.\n# TYPE a_checks counter\na_checks_total{outcome=\"ok\"} 2\n\
            # HELP a_build The version.\n# TYPE a_build info\na_build_info{version=\"1\"} 1\n\
            # HELP a_age_seconds Age.\n# TYPE a_age_seconds gauge\n# UNIT a_age_seconds seconds\na_age_seconds 1.5\n\
            # HELP a_late_seconds Delay.\n# TYPE a_late_seconds histogram\n# UNIT a_late_seconds seconds\n\
            a_late_seconds_bucket{le=\"0.1\"} 1\na_late_seconds_sum 0.1\na_late_seconds_count 1\n# EOF\n";
        let expected = "# HELP a_checks_total Finished checks.\n# TYPE a_checks_total counter\na_checks_total{outcome=\"ok\"} 2\n\
            # HELP a_build_info The version.\n# TYPE a_build_info gauge\na_build_info{version=\"1\"} 1\n\
            # HELP a_age_seconds Age.\n# TYPE a_age_seconds gauge\na_age_seconds 1.5\n\
            # HELP a_late_seconds Delay.\n# TYPE a_late_seconds histogram\n\
            a_late_seconds_bucket{le=\"0.1\"} 1\na_late_seconds_sum 0.1\na_late_seconds_count 1\n";
        assert_eq!(classic(page), expected);
    }
}
