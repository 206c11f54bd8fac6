//! How an SQL store is an [`Access`](crate::store::Access).

use async_trait::async_trait;

use crate::{
    crash_point::Work,
    domain::Timestamp,
    store::sql::{SqlStore, access},
    store::{
        Access, AccountRecord, NewAccount, NewEntry, NewPersonSession, NewSession, NewToken, OpenSession, PasswordHash,
        PersonSession, SecretDigest, SessionRecord, StoreError, TokenRecord,
    },
};

#[async_trait]
impl Access for SqlStore {
    async fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        access::tokens(&self.readers).await
    }

    async fn find_token(&self, digest: SecretDigest) -> Result<Option<TokenRecord>, StoreError> {
        access::find_token(&self.readers, digest).await
    }

    async fn add_token(&self, token: NewToken, entry: NewEntry) -> Result<bool, StoreError> {
        self.writer
            .write(Work::Access, move |db| Box::pin(async move { access::add_token(db, &token, &entry).await }))
            .await
    }

    async fn token_used(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        self.writer.write(Work::Access, move |db| Box::pin(access::token_used(db, id, now))).await
    }

    async fn revoke_token(&self, name: &str, entry: NewEntry) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.writer
            .write(Work::Access, move |db| Box::pin(async move { access::revoke_token(db, &name, &entry).await }))
            .await
    }

    async fn accounts(&self) -> Result<Vec<AccountRecord>, StoreError> {
        access::accounts(&self.readers).await
    }

    async fn find_account(&self, name: &str) -> Result<Option<(AccountRecord, PasswordHash)>, StoreError> {
        access::find_account(&self.readers, name).await
    }

    async fn add_account(&self, account: NewAccount, entry: NewEntry) -> Result<bool, StoreError> {
        self.writer
            .write(Work::Access, move |db| Box::pin(async move { access::add_account(db, &account, &entry).await }))
            .await
    }

    async fn set_password(&self, name: &str, password: PasswordHash, entry: NewEntry) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.writer
            .write(Work::Access, move |db| {
                Box::pin(async move { access::set_password(db, &name, &password, &entry).await })
            })
            .await
    }

    async fn disable_account(&self, name: &str, disabled: bool, entry: NewEntry) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.writer
            .write(Work::Access, move |db| {
                Box::pin(async move { access::disable_account(db, &name, disabled, &entry).await })
            })
            .await
    }

    async fn add_session(&self, session: NewSession, entry: NewEntry) -> Result<(), StoreError> {
        self.writer
            .write(Work::Access, move |db| Box::pin(async move { access::add_session(db, &session, &entry).await }))
            .await
    }

    async fn find_session(&self, digest: SecretDigest) -> Result<Option<SessionRecord>, StoreError> {
        access::find_session(&self.readers, digest).await
    }

    async fn add_person_session(&self, session: NewPersonSession, entry: NewEntry) -> Result<(), StoreError> {
        self.writer
            .write(Work::Access, move |db| {
                Box::pin(async move { access::add_person_session(db, &session, &entry).await })
            })
            .await
    }

    async fn find_person_session(&self, digest: SecretDigest) -> Result<Option<PersonSession>, StoreError> {
        access::find_person_session(&self.readers, digest).await
    }

    async fn sessions(&self) -> Result<Vec<OpenSession>, StoreError> {
        access::sessions(&self.readers).await
    }

    async fn session_used(&self, digest: SecretDigest, now: Timestamp) -> Result<(), StoreError> {
        self.writer.write(Work::Access, move |db| Box::pin(access::session_used(db, digest, now))).await
    }

    async fn end_session(&self, digest: SecretDigest, entry: NewEntry) -> Result<bool, StoreError> {
        self.writer
            .write(Work::Access, move |db| Box::pin(async move { access::end_session(db, digest, &entry).await }))
            .await
    }
}
