//! Templates of pages: a registry of their own, which escapes for HTML. Those of messages are another matter.

use std::sync::LazyLock;

use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderError, RenderErrorReason, html_escape,
};
use serde::Serialize;

use super::assets;
use crate::domain::characters;

/// Every template, by name.
const TEMPLATES: [(&str, &str); 30] = [
    ("layout", include_str!("html/layout.hbs")),
    ("time", include_str!("html/time.hbs")),
    ("change", include_str!("html/change.hbs")),
    ("severity", include_str!("html/severity.hbs")),
    ("state", include_str!("html/state.hbs")),
    ("empty", include_str!("html/empty.hbs")),
    ("chart", include_str!("html/chart.hbs")),
    ("action-name", include_str!("html/action-name.hbs")),
    ("alert-table", include_str!("html/alert-table.hbs")),
    ("delivery-table", include_str!("html/delivery-table.hbs")),
    ("fleet", include_str!("html/fleet.hbs")),
    ("tenant", include_str!("html/tenant.hbs")),
    ("alerts", include_str!("html/alerts.hbs")),
    ("confirmation", include_str!("html/confirmation.hbs")),
    ("alert", include_str!("html/alert.hbs")),
    ("deliveries", include_str!("html/deliveries.hbs")),
    ("delivery", include_str!("html/delivery.hbs")),
    ("channels", include_str!("html/channels.hbs")),
    ("silences", include_str!("html/silences.hbs")),
    ("rules", include_str!("html/rules.hbs")),
    ("rule", include_str!("html/rule.hbs")),
    ("rule-facts", include_str!("html/rule-facts.hbs")),
    ("work", include_str!("html/work.hbs")),
    ("finding", include_str!("html/finding.hbs")),
    ("system", include_str!("html/system.hbs")),
    ("message", include_str!("html/message.hbs")),
    ("audit", include_str!("html/audit.hbs")),
    ("refused", include_str!("html/refused.hbs")),
    ("not-signed-in", include_str!("html/not-signed-in.hbs")),
    ("sign-in", include_str!("html/sign-in.hbs")),
];

static ENGINE: LazyLock<Result<Handlebars<'static>, String>> = LazyLock::new(compiled);

fn compiled() -> Result<Handlebars<'static>, String> {
    let mut engine = Handlebars::new();
    // A field that a page does not give is a mistake, not an empty text.
    engine.set_strict_mode(true);
    engine.register_escape_fn(|text| html_escape(&characters::shown_lines(text)));
    engine.register_helper("asset", Box::new(asset));
    for (name, text) in TEMPLATES {
        engine.register_template_string(name, text.trim_end()).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(engine)
}

/// `{{asset "app.css"}}`: where that is.
fn asset(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let address = helper.param(0).and_then(|name| name.value().as_str()).and_then(assets::address);
    let address =
        address.ok_or_else(|| RenderError::from(RenderErrorReason::Other("there is no such asset".to_owned())))?;
    out.write(&address)?;
    Ok(())
}

/// Writes a template of that name.
///
/// # Errors
/// What is wrong with it or with what it is given; a test renders every page, so none of these is expected.
pub(in crate::web) fn render(name: &str, page: &impl Serialize) -> Result<String, String> {
    let engine = ENGINE.as_ref().map_err(Clone::clone)?;
    engine.render(name, page).map_err(|error| format!("page `{name}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_compiles_and_only_drawings_and_bodies_are_not_escaped() {
        assert_eq!(compiled().err(), None);
        for (name, text) in TEMPLATES {
            for raw in text.split("{{{").skip(1) {
                let field = raw.split("}}}").next().unwrap();
                let is_ours = field == "body" || field.rsplit('.').next().is_some_and(|last| last.ends_with("svg"));
                assert!(is_ours, "{name} does not escape `{field}`");
            }
            assert!(!text.contains(" style=") && !text.contains("<script>") && !text.contains(" onclick="), "{name}");
        }
    }

    #[test]
    fn what_is_from_outside_is_escaped_and_shows_what_hides_in_it() {
        let page = serde_json::json!({ "title": "<b>\u{202E}'\"", "text": "x", "link": null, "link_text": null });
        let written = render("empty", &page).unwrap();
        assert!(written.contains("&lt;b&gt;\\u{202e}&#x27;&quot;"), "{written}");
    }
}
