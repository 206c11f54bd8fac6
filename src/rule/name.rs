//! Names of rules.

use crate::domain::name::name;

name! {
    /// A rule's name. Part of an alert's identity: a renamed rule is another rule.
    RuleName
}
