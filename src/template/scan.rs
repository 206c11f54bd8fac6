//! What is examined before and after a template is compiled, so that Handlebars can't be driven into a stack overflow: it
//! parses and renders recursively, and partials that include one another never end.

use std::collections::BTreeMap;

use handlebars::{
    Template,
    template::{Parameter, TemplateElement},
};

/// Largest template, in bytes.
pub(super) const TEMPLATE_BYTES_MAX: usize = 32 * 1024;
/// Deepest nesting of blocks, partials included.
pub(super) const DEPTH_MAX: usize = 32;
/// Deepest nesting of brackets within one tag.
const BRACKETS_MAX: usize = 8;

/// What is wrong, and at which byte of the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) what: String,
}

/// Refuses a text that must not reach the compiler: too large, too deep, or with unescaped expressions.
pub(super) fn before_compiling(text: &str) -> Result<(), Fault> {
    if text.len() > TEMPLATE_BYTES_MAX {
        return Err(Fault {
            at: 0,
            what: format!("the template has {} bytes, more than {TEMPLATE_BYTES_MAX}", text.len()),
        });
    }
    // Each open block counts one, and one more for each `{{else if}}` in it, which nests as deep.
    let mut open: Vec<usize> = Vec::new();
    let mut from = 0;
    while let Some(found) = text[from..].find("{{") {
        let at = from + found;
        let fault = |what: String| Err(Fault { at, what });
        let inside = text[at + 2..].trim_start_matches(['~', ' ', '\t', '\r', '\n']);
        let end = tag_end(text, at, inside);
        let tag = text[at + 2..end].trim_start_matches(['~', ' ', '\t', '\r', '\n']);
        if tag.starts_with(['{', '&']) {
            return fault("a value can't be written unescaped; use `{{…}}`".to_owned());
        }
        if text[..at].ends_with('\\') {
            return fault("`{{` can't be written with a backslash".to_owned());
        }
        if brackets(tag) > BRACKETS_MAX {
            return fault(format!("brackets are nested deeper than {BRACKETS_MAX}"));
        }
        match tag.chars().next() {
            Some('#' | '^') if !tag.trim_end_matches(['~', ' ']).eq("^") => open.push(1),
            Some('/') => drop(open.pop()),
            _ if tag.starts_with("else ") => open.last_mut().into_iter().for_each(|depth| *depth += 1),
            _ => {}
        }
        if open.iter().sum::<usize>() > DEPTH_MAX {
            return fault(format!("blocks are nested deeper than {DEPTH_MAX}"));
        }
        from = end;
    }
    Ok(())
}

/// Where the tag that begins at `at` ends; a comment's tag may hold anything.
fn tag_end(text: &str, at: usize, inside: &str) -> usize {
    let closing: &[&str] = if inside.starts_with("!--") { &["--}}", "--~}}"] } else { &["}}"] };
    let ends = closing.iter().filter_map(|close| text[at + 2..].find(close).map(|end| at + 2 + end));
    ends.min().unwrap_or(text.len())
}

fn brackets(tag: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for letter in tag.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// What one compiled template does that matters for its safety.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// The deepest nesting of blocks.
    pub(super) depth: usize,
    /// Which partials it includes, and how deep in blocks.
    pub(super) partials: BTreeMap<String, usize>,
}

/// Walks a compiled template.
///
/// # Errors
/// One sentence, for what the compiler takes and we do not: unescaped values, decorators, dynamic and block partials.
pub(super) fn shape(template: &Template) -> Result<Shape, String> {
    let mut shape = Shape::default();
    walk(template, 0, &mut shape)?;
    Ok(shape)
}

fn walk(template: &Template, depth: usize, shape: &mut Shape) -> Result<(), String> {
    shape.depth = shape.depth.max(depth);
    if depth > DEPTH_MAX {
        return Err(format!("blocks are nested deeper than {DEPTH_MAX}"));
    }
    for element in &template.elements {
        match element {
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
            TemplateElement::Expression(call) => check_name(&call.name)?,
            TemplateElement::HelperBlock(block) => {
                check_name(&block.name)?;
                for branch in [&block.template, &block.inverse].into_iter().flatten() {
                    walk(branch, depth + 1, shape)?;
                }
            }
            TemplateElement::PartialExpression(partial) => {
                let Some(name) = partial.name.as_name().map(str::to_owned) else {
                    return Err("a partial must be named, not computed".to_owned());
                };
                if name.starts_with('@') {
                    return Err("`@partial-block` can't be used".to_owned());
                }
                let deepest = shape.partials.entry(name).or_default();
                *deepest = depth.max(*deepest);
            }
            TemplateElement::HtmlExpression(_) => return Err("a value can't be written unescaped".to_owned()),
            TemplateElement::PartialBlock(_) => {
                return Err("a partial can't be given a block; use `{{> name}}`".to_owned());
            }
            // Decorators, and whatever a later version may add.
            _ => {
                return Err("decorators and inline partials can't be used".to_owned());
            }
        }
    }
    Ok(())
}

/// A function that is named can be known before it is called.
fn check_name(name: &Parameter) -> Result<(), String> {
    if name.as_name().is_some() { Ok(()) } else { Err("a function must be named, not computed".to_owned()) }
}

/// How deep templates nest with everything that they include; each is examined once, however often it is included.
#[derive(Default)]
pub(super) struct Depths<'a>(BTreeMap<&'a str, Result<usize, String>>);

impl<'a> Depths<'a> {
    /// Of one template.
    ///
    /// # Errors
    /// One sentence: a partial that is missing, or that includes itself.
    pub(super) fn of(&mut self, name: &'a str, shapes: &'a BTreeMap<String, Shape>) -> Result<usize, String> {
        self.descend(name, shapes, &mut Vec::new())
    }

    fn descend(
        &mut self,
        name: &'a str,
        shapes: &'a BTreeMap<String, Shape>,
        path: &mut Vec<&'a str>,
    ) -> Result<usize, String> {
        if path.contains(&name) {
            return Err(format!("the partials include one another without end: {} → {name}", path.join(" → ")));
        }
        if path.len() >= DEPTH_MAX {
            return Err(format!("partials are nested deeper than {DEPTH_MAX}"));
        }
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let Some(shape) = shapes.get(name) else { return Err(format!("there is no partial `{name}`")) };
        path.push(name);
        let mut deepest = Ok(shape.depth);
        for (partial, depth) in &shape.partials {
            deepest = deepest.and_then(|deepest| Ok(deepest.max(depth + 1 + self.descend(partial, shapes, path)?)));
        }
        path.pop();
        let deepest = deepest.and_then(|deepest| {
            if deepest > DEPTH_MAX {
                return Err(format!("blocks and partials are nested deeper than {DEPTH_MAX}"));
            }
            Ok(deepest)
        });
        self.0.insert(name, deepest.clone());
        deepest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_reach_the_compiler_is_refused() {
        for bad in ["{{{x}}}", "{{& x}}", "{{~{x}}}", "\\{{x}}", "{{{{raw}}}}", "{{f (((((((((x)))))))))}}"] {
            assert!(before_compiling(bad).is_err(), "{bad}");
        }
        assert!(before_compiling(&"x".repeat(TEMPLATE_BYTES_MAX + 1)).is_err());
        assert!(before_compiling(&"{{#if x}}".repeat(33)).is_err());
        assert!(before_compiling(&format!("{{{{#if x}}}}{}", "{{else if y}}".repeat(32))).is_err());
        for good in ["{\"a\": \"{{x}}\"}", "{{!-- {{{x}}} --}}{{y}}", &"{{#if x}}a{{^}}b{{/if}}".repeat(100)] {
            assert_eq!(before_compiling(good), Ok(()), "{good}");
        }
    }
}
