//! A document of an API that gives no scores, under a token as any other.

use super::{
    Account, Bytes, FetchError, Method, Microsoft, Request, SecretString, error::Failure, token::TokenRequest,
};
use crate::egress::{Answer, Private};

impl Microsoft {
    /// Asks for one document with a token for `scope`, which is renewed once if it is refused. The answer is given whatever its
    /// status. `private` says which addresses are allowed in addition to public ones.
    ///
    /// # Errors
    /// [`FetchError`] if there is no token, or no complete answer.
    pub async fn document(
        &self,
        account: &Account,
        scope: &str,
        url: &str,
        private: &Private,
        bytes_max: usize,
    ) -> Result<Answer, FetchError> {
        let (wire, tokens) = (&self.inner.wire, &self.inner.tokens);
        let token_request = TokenRequest { account, scope, next_check_at: wire.clock.now() };
        let failed = |failure: Failure| failure.of_document(&account.tenant);
        let mut is_renewed = false;
        loop {
            let token = tokens.get(wire, token_request).await.map_err(failed)?;
            let outgoing = || Request {
                method: Method::Get,
                url: SecretString::from(url),
                headers: vec![
                    ("authorization", token.bearer.clone()),
                    ("accept", SecretString::from("application/json")),
                ],
                body: Bytes::new(),
            };
            let answer = wire.send_within(private, bytes_max, outgoing).await;
            let answer = answer.map_err(|error| failed(Failure::no_answer("the API", &error)))?;
            if answer.status != 401 || is_renewed {
                return Ok(answer);
            }
            tokens.forget(token_request, &token);
            is_renewed = true;
        }
    }
}
