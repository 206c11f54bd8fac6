//! What other parts of the program say, as messages say it.

use crate::domain::Clause;

/// As it is stored, without addresses, which a message has as links.
pub(super) const fn clause(clause: Clause) -> &'static str {
    match clause {
        Clause::LookUpCode => {
            "look up AADSTS{0} on Microsoft's page for error codes; the tenant's sign-in logs in Entra say more"
        }
        Clause::CheckCredentialAndLookUpCode => {
            "check the app's credential and `client_id`, and look up AADSTS{0} on Microsoft's page for error codes; the tenant's sign-in \
             logs in Entra say more"
        }
        clause => clause.english(),
    }
}
