//! The service as a whole.

use super::{input::Nothing, problem::Problem, route::Call};
use crate::query::system::{self, System};

pub(super) async fn show(call: Call<Nothing>) -> Result<System, Problem> {
    Ok(system::show(call.store.as_ref(), &call.config, &call.caller.scope, call.now).await?)
}
