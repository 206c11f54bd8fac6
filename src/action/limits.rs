//! What a token or an account is limited to, as people write it, and who may give such permission.

use crate::{
    config::Config,
    domain::{Caller, Labels, Limits, Role, check_access_name},
    query::{Error, find},
};

/// The tenants and labels to which access is limited, as people write them; without any, it is unlimited.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// The ids of tenants.
    pub tenants: Vec<String>,
    /// Labels of tenants, `KEY=VALUE`.
    pub labels: Vec<String>,
}

/// Only an administrator of everything makes and removes permissions: nobody gives more than they have.
pub(super) fn must_manage(caller: &Caller) -> Result<(), Error> {
    if caller.may(Role::Admin) && caller.scope.is_all() {
        return Ok(());
    }
    Err(Error::Forbidden("only an `admin` without limits manages tokens and accounts".to_owned()))
}

/// Reads name and limits. All problems are reported together.
pub(super) fn read(config: &Config, caller: &Caller, name: &str, written: &Written) -> Result<Limits, Error> {
    let mut problems: Vec<String> = check_access_name(name).err().into_iter().collect();
    let mut tenants = Vec::new();
    for id in &written.tenants {
        match find::tenant(config, &caller.scope, id) {
            Ok(tenant) => tenants.push(tenant.account.entra),
            Err(error) => problems.push(error.to_string()),
        }
    }
    let mut labels = Labels::new();
    for text in &written.labels {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => drop(labels.insert(key.into(), value.into())),
            _ => problems.push(format!("`{text}` is not a label; write it like `tier=gold`")),
        }
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    if written.tenants.is_empty() && written.labels.is_empty() {
        return Ok(Limits::All);
    }
    Ok(Limits::Only {
        tenants: (!tenants.is_empty()).then(|| tenants.into_iter().collect()),
        labels: (!labels.is_empty()).then_some(labels),
    })
}
