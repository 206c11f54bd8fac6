//! What other parts of the program say in English and messages say in each language: what to do about a failure, and what is wrong.
//!
//! A text is stored and logged in English. Where a message shows it, [`Clause::read`] finds which clause it is, and the language has
//! the same clause in its own words. A language that lacks one does not compile.

/// Declares every clause: its variant, and its English text with a place for each value: `{0}`, `{1}`.
macro_rules! clauses {
    ($($variant:ident $english:literal)*) => {
        /// A clause that is written in English and said in each language.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Clause {
            $(#[doc = concat!("```text\n", $english, "\n```")] $variant,)*
        }

        impl Clause {
            /// Every clause. Of two that fit one text, the one that says more of it comes first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its English text, with the places of its values.
            #[must_use]
            pub const fn english(self) -> &'static str {
                match self { $(Self::$variant => $english,)* }
            }
        }
    };
}

clauses! {
    // What to do about a sign-in or a call that Microsoft refuses.
    GrantRole "grant the app role `{0}` of {1} and have an administrator consent to it"
    CheckGraphLicense "check that the tenant has an active Microsoft 365 license with Secure Score"
    CheckCloud "check `cloud` and `endpoints`"
    FindTenant "check `tenant_id` and `cloud`; a tenant that has left or has no active subscription is not found either"
    RenewSubscription "have the tenant's administrator renew the subscription, or enable the API's enterprise application"
    ReactivateTenant "ask the tenant's administrator to sign in and reactivate it, or remove the tenant if it has left"
    SetCloud "set `cloud` to the cloud that the tenant is in"
    AskForPolicy "ask the tenant's administrator which security policy refuses the app; the sign-in logs in Entra name it"
    CheckTenantCloud "check the tenant's `cloud` and `endpoints`"
    RefusePublicClients "in the app registration, under Authentication, do not allow public client flows"
    FillSecret "check that the secret which `credential` refers to is not empty"
    LookUpCode
        "look up AADSTS{0} at https://login.microsoftonline.com/error?code={1}; the tenant's sign-in logs in Entra say more"
    CheckCredentialAndLookUpCode
        "check the app's credential and `client_id`, and look up AADSTS{0} at https://login.microsoftonline.com/error?code={1}; the \
         tenant's sign-in logs in Entra say more"
    ReportCorrelation "give the correlation id {0} to Microsoft's support"
    CheckLessOften "check this tenant less often: write a `schedule` with longer intervals, or fewer `scores`"
    KeepSubjects
        "{0} has more than {1} subjects within a day; the others are not watched: delete device groups, or keep their names"

    // What is wrong with a secret, after the place that it is kept in.
    NotThere "does not exist"
    NotSet "is not set"
    Empty "is empty"
    NotText "is not UTF-8 text"
    Utf16 "is UTF-16 text, as Windows PowerShell's `>` writes it"
    TooLarge "is larger than {0} KiB"
    Directory "is not a regular file: it is a directory"
    NoCredentialsFolder "can't be looked up: CREDENTIALS_DIRECTORY is not set"
    ClosedFile "can't be read by {0}: it belongs to {1} and has mode {2}"
    ClosedFolder "can't be read: {0} may not enter the folder {1}, which belongs to {2} and has mode {3}"
    ClosedFolderOfNobody "can't be read: {0} may not enter the folder {1}"
    DiskHangs "can't be read: the disk did not respond within {0} s"

    // What to do about that.
    CreateFile "create it, or correct the path; a relative one starts from the folder of the file that names it"
    SetVariable "set it in the environment of the service (`EnvironmentFile=` of its unit) and restart it"
    PutSecret "put the secret there"
    StoreAsText "store the secret as UTF-8 text"
    StoreAsUtf8 "store it as UTF-8, for example by `Set-Content -Encoding ascii -NoNewline`"
    StoreRightSecret "store the right secret there"
    CheckReference "check that the reference names the right secret"
    KeepInFile "keep the secret in a regular file"
    AddCredential
        "add `LoadCredential={0}:…` to the unit of the service and restart it; other commands find the files of a unit by \
         `--credentials ID:PATH`"
    LetRead "let {0} read the file, and nobody else: `chown` it to that user and `chmod 600` it"
    LetEnter "let {0} enter the folder: `chmod o+x` or `setfacl -m u:USER:x`"
    CheckMount "check that its file system is mounted and responds"
    CheckDisk "check the disk that it is stored on"
    CheckStore "check the secret store that holds it"

    // What happened to a part of the service, to the store's files, and where a replica runs.
    Panicked "panicked"
    EndedEarly "ended, though it must go on until shutdown"
    TakenOver "was taken over by another service{0}"
    NotHeardOf "was not heard of, and others have taken over its work"
    FileMoved "file was deleted or moved"
    FileReplaced "file was replaced by another"
    LogMoved "write-ahead log was deleted or moved"
    LogReplaced "write-ahead log was replaced by another"
    Process "pid {0} on {1}"
}

impl Clause {
    /// The clause in English, with these values.
    #[must_use]
    pub fn with(self, values: &[&str]) -> String {
        fill(self.english(), values)
    }

    /// Which clause a text is, and its values.
    ///
    /// ```
    /// use scorewatch::domain::Clause;
    ///
    /// assert_eq!(Clause::read("pid 12 on sw-1"), Some((Clause::Process, vec!["12", "sw-1"])));
    /// assert_eq!(Clause::read("is not there"), None);
    /// ```
    #[must_use]
    pub fn read(text: &str) -> Option<(Self, Vec<&str>)> {
        Self::ALL.iter().find_map(|clause| Some((*clause, values(clause.english(), text)?)))
    }

    /// Microsoft's page on the code that this text asks to look up; `None`: it asks for no such thing.
    #[must_use]
    pub fn code_page(text: &str) -> Option<String> {
        match Self::read(text)? {
            (Self::LookUpCode | Self::CheckCredentialAndLookUpCode, values) => {
                let code: u32 = values.first()?.parse().ok()?;
                Some(format!("https://login.microsoftonline.com/error?code={code}"))
            }
            _ => None,
        }
    }
}

/// Puts values into the places of a text.
#[must_use]
pub fn fill<T: AsRef<str>>(text: &str, values: &[T]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, place, after)) = next_place(rest) {
        filled.push_str(before);
        filled.push_str(values.get(place).map_or("", AsRef::as_ref));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// The values that a text has in the places of a clause. A value ends where the text goes on for the first time as the clause does.
fn values<'a>(clause: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut values = Vec::new();
    let Some((before, _, mut clause)) = next_place(clause) else { return (clause == text).then_some(values) };
    let mut rest = text.strip_prefix(before)?;
    loop {
        let Some((until, _, after)) = next_place(clause) else {
            values.push(rest.strip_suffix(clause)?);
            return Some(values);
        };
        let (value, remaining) = rest.split_once(until)?;
        values.push(value);
        (rest, clause) = (remaining, after);
    }
}

/// The next place in a text: what is before it, its number, and what is after it.
fn next_place(text: &str) -> Option<(&str, usize, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (number, after) = rest.split_once('}')?;
    Some((before, number.parse().ok()?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_clause_is_read_back_from_its_text_with_its_values() {
        let values = ["7000", "user scorewatch (uid 998)", "/srv/a: b", "700"];
        for clause in Clause::ALL {
            let count = clause.english().matches('{').count();
            assert!(values.len() >= count, "{clause:?}");
            let text = clause.with(&values[..count]);
            assert_eq!(Clause::read(&text), Some((*clause, values[..count].to_vec())), "{text}");
            assert!(!text.contains(['{', '}']), "{text}");
        }
    }

    #[test]
    fn any_other_text_is_not_a_clause() {
        for text in ["", "pid", "look up AADSTS1", "grant the app role `x`", "is larger than KiB of", "does not exist."]
        {
            assert_eq!(Clause::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_page_of_a_code_is_microsofts() {
        let page = |clause: Clause, code| Clause::code_page(&clause.with(&[code, code]));
        let expected = Some("https://login.microsoftonline.com/error?code=50199".to_owned());
        assert_eq!(page(Clause::LookUpCode, "50199"), expected);
        assert_eq!(page(Clause::CheckCredentialAndLookUpCode, "50199"), expected);
        assert_eq!(page(Clause::LookUpCode, "1&redirect=x"), None);
        assert_eq!(Clause::code_page("is empty"), None);
    }
}
