//! Which bound or size makes a rule fire as often as is wanted, as a table.

use crate::{cli::output, query::backtest::Try, rule::display};

/// Reads `3/week`.
pub(super) fn wanted(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/week").and_then(|number| number.parse::<f64>().ok());
    number.filter(|number| number.is_finite() && *number > 0.0).ok_or_else(|| "write it like `3/week`".to_owned())
}

/// Prints how often each rule would have fired with each number.
pub(super) fn show(tries: &[Try], wanted: f64) {
    let rows = tries.iter().map(|tried| {
        let mark = match (tried.proposed, tried.written) {
            (true, true) => "as written, and nearest",
            (true, false) => "nearest",
            (false, true) => "as written",
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
    output::say(&output::table(["RULE", "CONDITION", "FIRED", "A WEEK", ""], rows));
    output::say(&format!(
        "\nwanted: {} a week, over all tenants; recovery marks move along with their bounds",
        display::number(wanted)
    ));
}
