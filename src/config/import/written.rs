//! What is written of a tenant, and in what a row differs from a tenant that is known.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{super::Tenant, column::Column, row::Offer};
use crate::{
    domain::{Cloud, EntraTenantId, Labels, TenantId},
    microsoft::Hosts,
};

/// The content of one tenant's file.
#[derive(Serialize)]
pub(super) struct Written<'a> {
    id: &'a TenantId,
    name: &'a str,
    tenant_id: EntraTenantId,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<BTreeMap<&'static str, Value<'a>>>,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    labels: Labels,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Text(String),
    Kept(BTreeMap<&'static str, &'a str>),
}

/// The labels of a new tenant.
pub(super) fn labels(offer: &Offer, of_all: &Labels) -> Labels {
    let mut labels = of_all.clone();
    labels.extend(offer.labels.clone());
    labels
}

/// The content of its file.
pub(super) fn written<'a>(id: &'a TenantId, offer: &'a Offer, of_all: &Labels) -> Written<'a> {
    let credential = offer.app.as_ref().map(|app| {
        let (key, place) = match app.material.column {
            Column::SecretEnv => ("secret", "env"),
            Column::SecretCredential => ("secret", "credential"),
            Column::CertificateFile => ("certificate", "file"),
            _ => ("secret", "file"),
        };
        let kept = Value::Kept(BTreeMap::from([(place, app.material.text.as_str())]));
        BTreeMap::from([("client_id", Value::Text(app.client_id.to_string())), (key, kept)])
    });
    Written {
        id,
        name: &offer.name,
        tenant_id: offer.entra,
        cloud: offer.cloud.map(Cloud::as_str),
        region: offer.region.map(crate::domain::Region::as_str),
        credential,
        labels: labels(offer, of_all),
    }
}

/// In what a row differs from the tenant that is known. Only what the row says is compared.
pub(super) fn differences(offer: &Offer, tenant: &Tenant) -> Vec<String> {
    let mut differs = Vec::new();
    let mut compare = |what: &str, here: &str, there: &str| {
        if here != there {
            differs.push(format!("{what}: `{here}` in the list, `{there}` in the configuration"));
        }
    };
    if let Some(id) = &offer.id {
        compare("id", id.as_str(), tenant.id.as_str());
    }
    if offer.is_named {
        compare("name", &offer.name, &tenant.name);
    }
    if let Some(app) = &offer.app {
        compare("client_id", &app.client_id.to_string(), &tenant.account.app.client_id.to_string());
    }
    let hosts = &tenant.account.hosts;
    if let Some(cloud) = offer.cloud.filter(|_| !hosts.loopback) {
        let expected = Hosts::of(cloud, offer.region);
        compare("cloud (by its scope)", &expected.defender_scope, &hosts.defender_scope);
        compare("cloud (by its portal)", &expected.portal, &hosts.portal);
    }
    if let Some(region) = offer.region.filter(|_| !hosts.loopback) {
        let expected = Hosts::of(offer.cloud.unwrap_or_default(), Some(region));
        compare("region (by its host)", &expected.defender, &hosts.defender);
    }
    for (key, value) in &offer.labels {
        let there = tenant.labels.get(key).map_or("", AsRef::as_ref);
        compare(&format!("label {key}"), value, there);
    }
    differs
}
