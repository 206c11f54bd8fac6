//! Somebody who signs in or out, as the audit log names them: they may do nothing by that.

use std::net::IpAddr;

use crate::{
    domain::{Caller, Origin, PersonId},
    store::{AccountRecord, Person},
};

/// With an account of ours.
pub(super) fn of_account(account: &AccountRecord, address: Option<IpAddr>) -> Caller {
    Caller::without_rights(&account.name, Origin::Session { address })
}

/// With OpenID Connect.
pub(super) fn of_person(person: &Person, address: Option<IpAddr>) -> Caller {
    Caller::without_rights(&person.name, Origin::Provider { address, person: Some(id(person)) })
}

/// Who they are at the provider, whatever they are called.
pub(super) fn id(person: &Person) -> PersonId {
    PersonId { issuer: person.issuer.clone(), subject: person.subject.clone() }
}
