//! The simulated cloud as a process of its own. Every GUID is a tenant.

use std::sync::Arc;

use scorewatch::{
    clock::Clock,
    simulation::{
        Cloud,
        cloud::{Bulk, BulkSecret, CloudSettings},
    },
};
use uuid::Uuid;

/// The secret of every tenant's app.
pub(crate) const SECRET: &str = "bench-secret";

/// The directory of a tenant by number.
pub(crate) fn entra(number: usize) -> Uuid {
    // Spread over the whole range, as real GUIDs are, since the simulated score is derived from it.
    Uuid::from_u128((number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

#[expect(clippy::print_stdout, reason = "the parent reads the address")]
pub(crate) fn serve() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut settings = CloudSettings::new(Arc::new(|| Clock::System.now()));
        settings.bulk = Some(Bulk { secret: BulkSecret::Shared(SECRET.to_owned()) });
        settings.log_max = 0;
        settings.long_tokens = true;
        let cloud = Cloud::start(settings).await.expect("the cloud");
        println!("{}", cloud.base_url());
        std::future::pending::<()>().await;
    });
}
