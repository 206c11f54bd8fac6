//! Who signs in to the demo's dashboard, if people have to.

use secrecy::{ExposeSecret, SecretString};

use crate::{
    action::{
        account::{self, Draft},
        limits::Written,
    },
    cli::{
        Failure, caller,
        output::{self, Ink},
    },
    clock::Clock,
    config::Config,
    domain::Role,
    query::Store,
    secret::password,
};

/// Name, role, tenants (none: all), and who it is.
const ACCOUNTS: [(&str, Role, &[&str], &str); 3] = [
    ("admin", Role::Admin, &[], "may see and do everything"),
    ("analyst", Role::Analyst, &[], "sees every customer; acknowledges and silences"),
    ("fabrikam", Role::Viewer, &["fabrikam"], "the customer's own IT lead, who sees Fabrikam alone"),
];
/// How many characters of a random secret are enough for a demo that ends soon.
const PASSWORD_CHARACTERS: usize = 20;

/// Makes the accounts, with one password that is drawn for this run, and prints them.
pub(super) async fn make(store: &dyn Store, config: &Config) -> Result<(), Failure> {
    let password: String = password::random().expose_secret().chars().take(PASSWORD_CHARACTERS).collect();
    output::say("People sign in to it, as one of:");
    for (name, role, tenants, about) in ACCOUNTS {
        let tenants = tenants.iter().map(|&tenant| tenant.to_owned()).collect();
        let draft = Draft { name: name.to_owned(), role, limits: Written { tenants, labels: Vec::new() } };
        let secret = SecretString::from(password.as_str());
        account::add(store, config, &caller::caller(), &draft, secret, Clock::System.now()).await?;
        output::say_in(Ink::Cyan, &format!("  {name:<10} {password}   {about}"));
    }
    Ok(())
}
