//! Every link on a page leads somewhere.

use std::collections::{BTreeMap, BTreeSet};

use scorewatch::domain::Role;

use super::{Answered, ENTRIES, For, Site, Who, own};

/// The addresses on a page that a person can follow.
fn links(body: &str) -> BTreeSet<String> {
    let links = body.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let links = links.map(|link| link.replace("&#x3D;", "=").replace("&amp;", "&").replace("&#x27;", "'"));
    links.filter(|link| link.starts_with('/') && !link.starts_with("/assets/")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_link_leads_somewhere_for_whoever_sees_it() {
    let site = Site::new().await;
    site.merge().await;
    let names = own(&site.scene).await;
    for who in [Who::Somebody(Role::Admin, true), Who::Somebody(Role::Admin, false)] {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for (route, whose, _, sent) in ENTRIES {
            if !route.starts_with("GET ") || route.contains("events") || whose == For::Everybody || !who.may(whose) {
                continue;
            }
            for sent in sent {
                let from = format!("{route} {sent}");
                let page = site.send(who, route, &names, sent).await.body;
                found.extend(links(&page).into_iter().map(|link| (link, from.clone())));
            }
        }
        // Every delivery, since each has links of its own.
        let deliveries: Vec<String> = found.keys().filter(|link| link.starts_with("/deliveries/")).cloned().collect();
        for delivery in deliveries {
            let page = site.ask(who, "GET", &delivery, "").await.body;
            found.extend(links(&page).into_iter().map(|link| (link, delivery.clone())));
        }
        let mut pages: BTreeMap<String, Answered> = BTreeMap::new();
        for (link, from) in found {
            let (path, anchor) =
                link.split_once('#').map_or((link.as_str(), None), |(path, anchor)| (path, Some(anchor)));
            if !pages.contains_key(path) {
                let answered = site.ask(who, "GET", path, "").await;
                pages.insert(path.to_owned(), answered);
            }
            let answered = &pages[path];
            assert!(answered.status < 400, "{link} on {from} leads {who:?} to {}", answered.status);
            let is_there = anchor.is_none_or(|anchor| answered.body.contains(&format!(" id=\"{anchor}\"")));
            assert!(is_there, "{link} on {from} leads {who:?} to no such place");
        }
    }
}
