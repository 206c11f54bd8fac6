//! A table of the bounds or sizes with which a rule would fire as often as wanted.

use crate::{cli::output, query::backtest::Try, rule::display};

/// Reads the wanted number of alerts per week, such as `3/week`.
pub(super) fn wanted(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/week").and_then(|number| number.parse::<f64>().ok());
    number.filter(|number| number.is_finite() && *number > 0.0).ok_or_else(|| "write it like `3/week`".to_owned())
}

/// Prints how often each rule would have fired with each candidate bound or size.
pub(super) fn show(tries: &[Try], wanted: f64) {
    let rows = tries.iter().map(|tried| {
        let mark = match (tried.proposed, tried.written) {
            (true, true) => "current and nearest",
            (true, false) => "nearest",
            (false, true) => "current",
            (false, false) => "",
        };
        [
            tried.rule.clone(),
            tried.condition.clone(),
            tried.firing.to_string(),
            display::number(tried.per_week),
            mark.to_owned(),
        ]
    });
    output::say(&output::table(["RULE", "CONDITION", "FIRED", "PER WEEK", ""], rows));
    output::say(&format!(
        "\ntarget: {} per week across all tenants; recovery thresholds move with their bounds",
        display::number(wanted)
    ));
}
