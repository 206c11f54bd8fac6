//! How much a template may do: a budget of steps for one message, so that every rendering ends.
//!
//! Templates loop by `each` and by including one another; neither shows in what they write. So a call of [`COUNTER`] is put at the
//! beginning of every template and of every loop's body, with what that text costs each time that it is gone through. The
//! call takes it from the budget of the message, and fails when that is spent.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError, RenderErrorReason,
    Template,
    template::{HelperTemplate, Parameter, TemplateElement},
};
use serde_json::Value;

/// Most steps of one message, those of its shorter forms included. The largest digest takes some thousand.
pub(crate) const STEPS_MAX: u64 = 200_000;
/// Most steps that trying out all templates of a folder may take.
pub(crate) const TRIAL_STEPS_MAX: u64 = 50_000_000;

/// The function that is called where text may be gone through again.
const COUNTER: &str = "count_steps";
/// Letters of names and texts in a tag that cost one step.
const LETTERS_A_STEP: usize = 64;
/// Values of the context that are copied for one step.
const COPIED_VALUES_A_STEP: usize = 16;

/// The steps that are left. Clones share one budget.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<AtomicU64>);

impl Budget {
    pub(crate) fn new(steps: u64) -> Self {
        Self(Arc::new(AtomicU64::new(steps)))
    }

    pub(crate) fn left(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Takes steps; `false`: there were fewer left, and none are now.
    pub(crate) fn take(&self, steps: u64) -> bool {
        let left = self.left();
        self.0.store(left.saturating_sub(steps), Relaxed);
        steps <= left
    }

    /// The function that takes from this budget in a rendering with that context.
    pub(crate) fn counter(&self, context: &Value) -> (&'static str, Box<dyn HelperDef + Send + Sync>) {
        let copy_steps = 1 + (values(context) / COPIED_VALUES_A_STEP) as u64;
        (COUNTER, Box::new(Counter { budget: self.clone(), copy_steps }))
    }
}

/// How many values a JSON value is made of.
fn values(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(values).sum(),
        Value::Object(fields) => fields.values().map(values).sum(),
        _ => 0,
    }
}

struct Counter {
    budget: Budget,
    /// What copying the context costs.
    copy_steps: u64,
}

impl HelperDef for Counter {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        _: &mut dyn Output,
    ) -> HelperResult {
        let number = |index| helper.param(index).and_then(|param| param.value().as_u64()).unwrap_or(1);
        let steps = number(0).saturating_add(number(1).saturating_mul(self.copy_steps));
        if self.budget.take(steps) { Ok(()) } else { Err(spent()) }
    }
}

/// The budget is spent.
fn spent() -> RenderError {
    RenderErrorReason::Other(format!("it takes more than {STEPS_MAX} steps, loops and partials counted")).into()
}

/// What going through a text costs.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    steps: u64,
    /// How many times values as large as the whole context may be copied.
    copies: u64,
}

/// Puts the counting calls into a compiled template.
pub(crate) fn instrument(template: &mut Template) {
    instrument_loops(template);
    let cost = cost(template);
    // The text of the call can't fail to compile; if it did, the template would only be cheaper.
    if let Ok(call) = Template::compile(&format!("{{{{{COUNTER} {} {}}}}}", cost.steps, cost.copies)) {
        template.elements.splice(0..0, call.elements);
        template.mapping.splice(0..0, call.mapping);
    }
}

/// The same for the bodies of loops only: a branch is gone through once each time that what surrounds it is.
fn instrument_loops(branch: &mut Template) {
    for element in &mut branch.elements {
        let TemplateElement::HelperBlock(block) = element else { continue };
        let is_loop = is_loop(block);
        if let Some(body) = &mut block.template {
            if is_loop { instrument(body) } else { instrument_loops(body) }
        }
        block.inverse.iter_mut().for_each(instrument_loops);
    }
}

/// Whether a block's body is gone through more than once.
fn is_loop(block: &HelperTemplate) -> bool {
    block.name.as_name() == Some("each")
}

/// Of a text without the bodies of its loops, which count for themselves.
fn cost(template: &Template) -> Cost {
    let mut cost = Cost::default();
    for element in &template.elements {
        cost.steps += 1;
        match element {
            TemplateElement::Expression(call) => cost.add_call(call),
            TemplateElement::HelperBlock(block) => {
                cost.add_call(block);
                let body = block.template.as_ref().filter(|_| !is_loop(block));
                body.into_iter().chain(&block.inverse).for_each(|branch| cost.add(self::cost(branch)));
            }
            // A partial is given a copy of what it sees, and counts for itself.
            TemplateElement::PartialExpression(partial) => {
                cost.copies += 1;
                partial.params.iter().chain(partial.hash.values()).for_each(|value| cost.add_value(value));
            }
            _ => {}
        }
    }
    cost
}

impl Cost {
    const fn add(&mut self, other: Self) {
        self.steps += other.steps;
        self.copies += other.copies;
    }

    fn add_call(&mut self, call: &HelperTemplate) {
        self.add_value(&call.name);
        call.params.iter().chain(call.hash.values()).for_each(|value| self.add_value(value));
    }

    fn add_value(&mut self, value: &Parameter) {
        self.steps += 1;
        self.steps += value.as_name().map_or(0, |name| (name.len() / LETTERS_A_STEP) as u64);
        if let Parameter::Subexpression(inner) = value {
            self.copies += 1;
            if let TemplateElement::Expression(call) = inner.as_element() {
                self.add_call(call);
            }
        }
    }
}
