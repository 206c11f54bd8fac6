//! A certificate may be kept as a PFX, by a binary that was built to read one; any other says so before it starts.

use std::fs;

use uuid::Uuid;

use crate::harness::{World, entra};

const APP: Uuid = Uuid::from_u128(0xa99);
/// What Windows exports, by the password `pass wörd`.
const WINDOWS: &[u8] = include_bytes!("../harness/pfx/windows.pfx");

/// Writes bytes as a secret, and a tenant's file with this credential.
fn add(world: &mut World, id: &str, file: Option<&[u8]>, credential: &str) {
    if let Some(bytes) = file {
        fs::write(world.folder.path().join(format!("secrets/{id}.pfx")), bytes).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(world.folder.path().join(format!("secrets/{id}.pfx")), mode).unwrap();
    }
    if !world.setup.tenants.iter().any(|known| known == id) {
        world.setup.tenants.push(id.to_owned());
    }
    let text = format!(
        "id: {id}\nname: {id} Ltd\ntenant_id: {}\ncredential: {{ client_id: {APP}, {credential} }}\n",
        entra(id)
    );
    world.folder.write(&format!("tenants/{id}.yaml"), &text);
}

/// What `scorewatch check` complains of, and whether it refuses the configuration.
async fn complaint(world: &World) -> (bool, String) {
    world.write();
    let output = world.command(&["check"]).await;
    (!output.status.success(), String::from_utf8(output.stderr).unwrap() + str::from_utf8(&output.stdout).unwrap())
}

#[cfg(not(feature = "pfx"))]
#[tokio::test]
async fn a_binary_that_reads_no_pfx_names_the_file_and_says_how_to_convert_it() {
    let mut world = World::new().await;
    let in_base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, WINDOWS);
    for file in [WINDOWS, in_base64.as_bytes()] {
        add(&mut world, "contoso", Some(file), "certificate: { file: ../secrets/contoso.pfx }");
        let (is_refused, arrived) = complaint(&world).await;
        assert!(is_refused, "{arrived}");
        for words in [
            "contoso.yaml:4:",
            "file `../secrets/contoso.pfx` is a PFX, which this build can't read",
            "openssl pkcs12 -in x.pfx -nodes -out x.pem",
            "--no-default-features",
        ] {
            assert!(arrived.contains(words), "{words} is missing: {arrived}");
        }
    }
}

#[cfg(feature = "pfx")]
mod reads {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use chrono::Datelike;
    use scorewatch::clock::Clock;

    use super::*;
    use crate::harness::{
        HIGH, LOW, OPS, Pair, SOC,
        pfx::{self, PASSWORD, Part, sample},
    };

    const VAULT: Uuid = Uuid::from_u128(77);

    /// As the cloud verifies what is signed, a message about the tenant's score proves that the key was the right one.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_tenant_is_read_by_a_pfx_in_a_file_and_by_one_that_a_key_vault_keeps() {
        let mut world = World::new().await;
        world.folder.write("secrets/password", &format!("{PASSWORD}\n"));
        world.folder.write("secrets/azure", "secret-of-the-vault-s-app");
        let directory = scorewatch::domain::EntraTenantId(VAULT);
        world.cloud.add_tenant(directory, APP, "secret-of-the-vault-s-app", HIGH);
        world.cloud.set_key_vault_secret("contoso-app", &STANDARD.encode(sample("empty.pfx")), None);
        let base = world.cloud.base_url();
        world.setup.top = format!(
            "secret_stores:\n  azure: {{ type: key-vault, address: \"{base}\", login: \"{base}\", allow_private: true, \
             tenant_id: {VAULT}, credential: {{ client_id: {APP}, secret: {{ file: secrets/azure }} }} }}\n"
        );
        for (id, file, credential) in [
            (
                "in-a-file",
                Some(WINDOWS),
                "certificate: { file: ../secrets/in-a-file.pfx }, certificate_password: { file: ../secrets/password }",
            ),
            ("in-a-vault", None, "certificate: { store: azure, name: contoso-app }"),
        ] {
            world.cloud.add_tenant(entra(id), APP, "nobody-has-this-secret", HIGH);
            world.cloud.set_certificates(entra(id), &[sample("own.der")]);
            add(&mut world, id, file, credential);
        }
        let service = world.run().await;
        for tenant in ["in-a-file", "in-a-vault"] {
            world.checked(&service, tenant, 2).await;
            world.set_score(tenant, LOW);
            world
                .until(&service, SOC, |arrived| {
                    arrived.iter().any(|arrived| arrived.tenant == tenant && arrived.accepted)
                })
                .await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_operator_is_warned_before_a_pfx_expires() {
        let mut world = World::new().await;
        let day = Clock::System.now().to_chrono().date_naive() + chrono::Days::new(5);
        let pair = Pair::until(day.year(), u8::try_from(day.month()).unwrap(), u8::try_from(day.day()).unwrap());
        let file = pfx::write(&[Part::Certificate(&pair.der), Part::Key(&pair.key)]);
        world.cloud.set_certificates(entra("contoso"), &[&pair.der]);
        add(&mut world, "contoso", Some(&file), "certificate: { file: ../secrets/contoso.pfx }");
        let service = world.run().await;
        world
            .until(&service, OPS, |arrived| {
                arrived.iter().any(|arrived| arrived.kind == "operator.credential" && arrived.accepted)
            })
            .await;
        let operator = world.accepted(OPS, "contoso")[0].body["data"]["operator"].clone();
        assert_eq!(operator["class"], "credential-expires", "{operator}");
        assert!(operator["summary"].as_str().unwrap().contains("expires within 7 days"), "{operator}");
    }

    #[tokio::test]
    async fn a_pfx_that_cannot_sign_is_reported_before_anything_starts() {
        let mut world = World::new().await;
        world.folder.write("secrets/password", PASSWORD);
        world.folder.write("secrets/wrong", "pass word");
        let (past, other) = (Pair::until(2025, 1, 1), Pair::new());
        let expired = pfx::write(&[Part::Certificate(&past.der), Part::Key(&past.key)]);
        let two = [Part::Certificate(&other.der), Part::Key(&other.key), Part::Key(&past.key)];
        let damaged = &WINDOWS[..1000];
        let (right, wrong) = (
            ", certificate_password: { file: ../secrets/password }",
            ", certificate_password: { file: ../secrets/wrong }",
        );
        for (file, password, is_error, words) in [
            (WINDOWS, right, false, ""),
            (WINDOWS, wrong, true, "is a PFX that does not open with the given password"),
            (WINDOWS, "", true, "is a PFX that does not open without a password"),
            (WINDOWS, ", certificate_password: { env: NOT_SET_ANYWHERE }", true, "is not set"),
            (WINDOWS, ", certificate_password: literal", true, "this is the secret itself"),
            (damaged, right, true, "is a PFX that is damaged, or not in DER"),
            (sample("keyless.pfx"), right, true, "is a PFX without a private key"),
            (sample("curve.pfx"), right, true, "contains a certificate whose key is not RSA"),
            (&pfx::write(&two), "", true, "is a PFX with several private keys"),
            (&expired, "", false, "the certificate expired on 2025-01-01"),
        ] {
            let credential = format!("certificate: {{ file: ../secrets/contoso.pfx }}{password}");
            add(&mut world, "contoso", Some(file), &credential);
            let (is_refused, arrived) = complaint(&world).await;
            assert_eq!(is_refused, is_error, "{words}: {arrived}");
            assert!(arrived.contains(words), "{words} is missing: {arrived}");
            assert!(!arrived.contains(PASSWORD) && !arrived.contains("literal"), "{arrived}");
        }
        add(
            &mut world,
            "contoso",
            None,
            "secret: { file: ../secrets/wrong }, certificate_password: { file: ../secrets/wrong }",
        );
        let (is_refused, arrived) = complaint(&world).await;
        assert!(is_refused && arrived.contains("there is no certificate that it opens"), "{arrived}");
    }
}
