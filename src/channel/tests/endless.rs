//! Every rendering ends, whatever the template: loops and partials are counted, and one that takes too many steps is refused.

use std::fs;

use super::{built_in, dialects, sample};
use crate::{
    channel::{self, webhook},
    notify::language::Locale,
    template::steps::{Budget, STEPS_MAX},
};

/// Loads a folder with these templates; what is wrong with them, and how many steps were left of those for one message.
fn refused(templates: &[(String, String)]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in templates {
        fs::write(folder.path().join(format!("{name}.hbs")), text).unwrap();
    }
    let problems = channel::templates(Some(folder.path())).err()?;
    Some(problems.iter().map(|problem| format!("{}: {}\n", problem.place, problem.what)).collect::<Vec<_>>().concat())
}

fn one(text: &str) -> Vec<(String, String)> {
    vec![("own".to_owned(), text.to_owned())]
}

#[test]
fn a_template_that_would_not_end_is_refused_with_its_name() {
    // Each loop goes over the same object, which the inner ones see from farther down.
    let loops = |count: usize, of: &str, body: &str| {
        let opened =
            (0..count).map(|depth| format!("{{{{#each {}{of}}}}}", "../".repeat(depth))).collect::<Vec<_>>().concat();
        format!("{{\"a\": \"{opened}{body}{}\"}}", "{{/each}}".repeat(count))
    };
    let tiny = |count: usize| -> Vec<(String, String)> {
        let partial = |number: usize| (format!("p{number}"), format!("{{{{> p{0}}}}}{{{{> p{0}}}}}", number + 1));
        let mut all: Vec<_> = (0..count).map(partial).collect();
        all.extend([(format!("p{count}"), String::new()), ("own".to_owned(), "{\"a\": \"{{> p0}}\"}".to_owned())]);
        all
    };
    let fibonacci: Vec<(String, String)> = (0..31)
        .map(|number| {
            let included = (number + 1..31).map(|next| format!("{{{{> f{next}}}}}")).collect::<Vec<_>>().concat();
            (format!("f{number}"), if number == 0 { format!("{{\"a\": \"{included}\"}}") } else { included })
        })
        .collect();
    let copies = "{{#with (lookup ../../../data \"alert\")}}{{/with}}".repeat(20);
    let inside =
        |text: &str| format!("{{\"a\": \"{{{{#if type}}}}{{{{else}}}}{{{{/if}}}}{{{{#if type}}}}{text}{{{{/if}}}}\"}}");
    let bare = loops(8, "data", "").replace("{\"a\": \"", "").replace("\"}", "");
    for (what, templates) in [
        ("nested loops", one(&loops(12, "data", ""))),
        ("nested loops over lists", one(&loops(12, "words", ""))),
        ("loops that write nothing", one(&loops(30, "data", "{{#if this}}{{/if}}"))),
        ("loops side by side", one(&format!("{{\"a\": \"{}\"}}", bare.repeat(10)))),
        ("a loop in a branch", one(&inside(&bare))),
        ("copies of what is seen", one(&loops(3, "data", &copies))),
        ("41 tiny partials", tiny(29)),
        ("partials that include all that follow", fibonacci),
    ] {
        let reported = refused(&templates).unwrap_or_else(|| panic!("{what}: it is accepted"));
        assert!(reported.contains("it takes more than 200000 steps, loops and partials counted"), "{what}: {reported}");
        assert!(reported.contains(".hbs:"), "{what}: {reported}");
    }
    let deep = refused(&tiny(41)).unwrap();
    assert!(deep.contains("partials are nested deeper than 32"), "{deep}");
    let computed = refused(&one("{\"a\": \"{{#(lookup this \"x\")}}{{/(lookup this \"x\")}}\"}"));
    assert!(computed.is_some());
}

#[test]
fn the_built_in_templates_take_a_fraction_of_the_steps() {
    let registry = built_in();
    let mut most = 0;
    for dialect in dialects() {
        for notification in sample::largest_digests().iter().chain(&sample::all()) {
            let budget = Budget::new(STEPS_MAX);
            registry.render_within(&budget, dialect.name, dialect, notification, &Locale::default()).unwrap();
            most = most.max(STEPS_MAX - budget.left());
        }
    }
    assert!(most > 100 && most < STEPS_MAX / 4, "{most}");
}

#[test]
fn after_a_refused_template_the_next_good_one_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.hbs");
    let bad = format!("{{\"a\": \"{}{}\"}}", "{{#each @root}}".repeat(20), "{{/each}}".repeat(20));
    fs::write(&file, bad).unwrap();
    assert!(channel::templates(Some(folder.path())).is_err());
    fs::write(&file, "{\"a\": \"{{#each words.lines}}{{this}}{{/each}}\"}").unwrap();
    let registry = channel::templates(Some(folder.path())).unwrap();
    assert!(registry.suits("own", &webhook::DIALECT));
}

#[test]
fn a_template_that_is_not_a_file_does_not_hang_the_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("own.hbs")).unwrap();
    let problems = channel::templates(Some(folder.path())).err().unwrap();
    assert!(problems[0].what.contains("it is not a file"), "{:?}", problems[0]);
}
