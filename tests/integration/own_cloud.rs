//! A token goes to the hosts of its tenant's cloud and nowhere else: every name that is looked up is written down.

use std::{
    collections::BTreeSet,
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use scorewatch::{
    domain::{Cloud, Region, ScoreKind},
    egress::{Egress, Lookup},
    microsoft::{Account, Hosts, Microsoft},
    telemetry::Metrics,
};

use super::{fixture::Fixture, setup::entra};

/// Knows no name, and remembers each that was asked for.
#[derive(Debug, Default)]
struct Names(Mutex<BTreeSet<String>>);

#[async_trait]
impl Lookup for Names {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.0.lock().unwrap().insert(name.to_owned());
        Err(io::Error::other("no such name"))
    }
}

/// The names that are asked for while every score of a tenant of that cloud is fetched. `has_token`: Entra is a simulated one.
async fn asked(cloud: Cloud, region: Option<Region>, has_token: bool) -> Vec<String> {
    let fixture = Fixture::new().await;
    let account = fixture.tenant("contoso", 400.0).account;
    fixture.cloud.set_home(entra("contoso"), cloud);
    let own = Hosts::of(cloud, region);
    let hosts = if has_token { Hosts { login: fixture.cloud.base_url(), loopback: true, ..own } } else { own };
    let account = Account { hosts: Arc::new(hosts), ..account };
    let names = Arc::new(Names::default());
    let clock = scorewatch::clock::Clock::System;
    let door = Egress::with_lookup(names.clone());
    let microsoft = Microsoft::new(door, clock.clone(), Metrics::default(), Duration::from_secs(5));
    let fetched = microsoft.fetch_all(&account, &ScoreKind::ALL, |_| None, clock.now()).await;
    assert!(fetched.iter().all(|(_, readings)| readings.is_err()));
    assert_eq!(fixture.cloud.counts().tokens_granted, if has_token { 2 } else { 0 }, "one for each API");
    names.0.lock().unwrap().iter().cloned().collect()
}

#[tokio::test]
async fn a_token_goes_to_the_hosts_of_its_own_cloud_only() {
    for (cloud, region, login, apis) in [
        (Cloud::Commercial, None, "login.microsoftonline.com", ["api.security.microsoft.com", "graph.microsoft.com"]),
        (
            Cloud::Commercial,
            Some(Region::Eu),
            "login.microsoftonline.com",
            ["eu.api.security.microsoft.com", "graph.microsoft.com"],
        ),
        (Cloud::Gcc, None, "login.microsoftonline.com", ["api-gcc.securitycenter.microsoft.us", "graph.microsoft.com"]),
        (
            Cloud::GccHigh,
            None,
            "login.microsoftonline.us",
            ["api-gov.securitycenter.microsoft.us", "graph.microsoft.us"],
        ),
        (
            Cloud::Dod,
            None,
            "login.microsoftonline.us",
            ["api-gov.securitycenter.microsoft.us", "dod-graph.microsoft.us"],
        ),
    ] {
        assert_eq!(asked(cloud, region, false).await, [login], "{cloud}: without a token no API is called");
        assert_eq!(asked(cloud, region, true).await, apis, "{cloud}");
    }
}
