//! Every route of the API.

use axum::http::StatusCode;

use super::{
    access, alerts, channels, deliveries, events, fleet, route::Route, rules, samples, search, silences, system,
    tenants,
};
use crate::domain::Role::{Admin, Analyst};

/// Every route but that of the document.
pub(super) fn routes() -> Vec<Route> {
    of_tenants()
        .into_iter()
        .chain(of_alerts())
        .chain(of_messages())
        .chain(of_silences())
        .chain(of_the_service())
        .chain(access::routes())
        .collect()
}

fn of_tenants() -> Vec<Route> {
    vec![
        Route::get("/tenants", "listTenants", tenants::list)
            .says("Tenants by id, with the newest reading of each score"),
        Route::get("/gone-tenants", "listGoneTenants", tenants::gone)
            .says("Tenants that are no longer configured, and until when their data is kept"),
        Route::get("/tenants/{id}", "showTenant", tenants::show)
            .says("A tenant with its credentials, its open alerts, and the channels that may show it"),
        Route::get("/fleet", "showFleet", fleet::list)
            .says("Every tenant at a glance: scores and how they moved, alerts, freshness; and the fleet as a whole"),
        Route::get("/work", "listWork", fleet::work).says(
            "The recommendations that would gain the most points across the fleet, and how many tenants need each",
        ),
        Route::get("/tenants/{id}/chart", "showChart", fleet::chart).says(
            "What a drawing of a tenant's scores shows: thinned samples, thresholds, alerts, silences, shifts and gaps",
        ),
        Route::get("/tenants/{id}/samples", "listSamples", samples::list)
            .says("Every sample of a tenant's scores over a stretch of time, by series"),
        Route::get("/tenants/{id}/samples.csv", "exportSamples", samples::csv)
            .says("The same as a table, which `scorewatch backtest --csv FILE` reads"),
        Route::get("/tenants/{id}/report", "reportMonth", tenants::report)
            .says("How a tenant's scores moved in a month, as far as the store knows"),
        Route::post(Analyst, "/tenants/{id}/report/send", "sendReport", tenants::send_report)
            .says("Sends the report on a tenant's month to a channel, or to every one that gets such reports of the tenant")
            .with_status(StatusCode::ACCEPTED),
        Route::get("/tenants/{id}/explain/{rule}", "explainRule", tenants::explain)
            .says("Why a rule fires for a tenant or does not, and what became of its messages"),
        Route::post(Analyst, "/tenants/{id}/recheck", "recheckTenant", tenants::recheck)
            .says("Checks a tenant within seconds")
            .with_status(StatusCode::ACCEPTED),
        Route::post(Analyst, "/tenants/recheck", "recheckTenants", tenants::recheck_all)
            .says("Checks every tenant that you see, as many at a time as `concurrency` allows")
            .with_status(StatusCode::ACCEPTED),
    ]
}

fn of_alerts() -> Vec<Route> {
    vec![
        Route::get("/alerts", "listAlerts", alerts::list).says("Alerts, newest change first"),
        Route::get("/alerts/{id}", "showAlert", alerts::show).says("An alert"),
        Route::get("/alerts/{id}/explain", "explainAlert", alerts::explain)
            .says("Why an alert fires or does not, and what became of its messages"),
        Route::post(Analyst, "/alerts/{id}/acknowledge", "acknowledgeAlert", alerts::acknowledge)
            .says("Acknowledges a firing alert: no reminders until it worsens or is over"),
        Route::post(Analyst, "/alerts/{id}/unacknowledge", "unacknowledgeAlert", alerts::unacknowledge)
            .says("Withdraws an acknowledgement: reminders resume"),
        Route::post(Analyst, "/alerts/acknowledge", "acknowledgeAlerts", alerts::acknowledge_many).says(
            "Acknowledges many firing alerts in one transaction, or only says which; says how many it passed over",
        ),
        Route::post(Analyst, "/alerts/{id}/accept", "acceptAlert", alerts::accept)
            .says("Accepts what a firing alert lost as the new level: it is resolved, and its channels are notified"),
        Route::post(Analyst, "/alerts/accept", "acceptAlerts", alerts::accept_many)
            .says("Accepts many firing alerts, or only says which")
            .in_steps(),
    ]
}

fn of_messages() -> Vec<Route> {
    vec![
        Route::get("/deliveries", "listDeliveries", deliveries::list).says("Deliveries, newest first"),
        Route::get("/deliveries/{id}", "showDelivery", deliveries::show)
            .says("A delivery with its message, its attempts and the answers to them"),
        Route::post(Analyst, "/deliveries/{id}/resend", "resendDelivery", deliveries::resend)
            .says("Queues a delivery again; its notification keeps its id")
            .with_status(StatusCode::ACCEPTED),
        Route::get("/channels", "listChannels", channels::list).says("Channels by name, with their state and queue"),
        Route::get("/channels/{name}", "showChannel", channels::show).says("A channel with its state and queue"),
        Route::get("/who-sees", "whoSees", channels::who_sees)
            .says("Which tenants each channel can ever show, and what sends there"),
        Route::post(Admin, "/channels/{name}/drill", "drillChannel", channels::drill)
            .says("Sends a channel a marked message that shows whether it works")
            .with_status(StatusCode::ACCEPTED),
        Route::post(Admin, "/channels/{name}/unpark", "unparkChannel", channels::unpark)
            .says("Lets a parked channel send its queue")
            .with_status(StatusCode::ACCEPTED),
    ]
}

fn of_silences() -> Vec<Route> {
    vec![
        Route::get("/silences", "listSilences", silences::list).says("Silences, newest first"),
        Route::get("/maintenance-windows", "listMaintenanceWindows", silences::windows)
            .says("Maintenance windows in the order of the configuration, with their next openings"),
        Route::get("/silences/{number}", "showSilence", silences::show)
            .says("A silence and the firing alerts that it covers"),
        Route::post(Analyst, "/silences/preview", "previewSilence", silences::preview)
            .says("What a silence would cover now; nothing is made"),
        Route::post(Analyst, "/silences", "addSilence", silences::add)
            .says("Makes a silence")
            .with_status(StatusCode::CREATED),
        Route::post(Analyst, "/silences/{number}/end", "endSilence", silences::end)
            .says("Ends a silence now; what it held is evaluated again within seconds"),
    ]
}

fn of_the_service() -> Vec<Route> {
    vec![
        Route::get("/rules", "listRules", rules::list).says("Rules, in the order of the configuration"),
        Route::get("/rules/{name}", "showRule", rules::show).says("A rule, and the tenants to which it applies"),
        Route::get("/rules/{name}/backtest", "backtestRule", rules::backtest)
            .says("What a rule would have sent for past readings, as it is written or with another threshold; nothing is sent"),
        Route::get("/audit", "listAudit", system::entries)
            .says("The audit log, newest entry first: who did what, when, from where; empty for a limited scope")
            .takes(Admin),
        Route::get("/search", "search", search::find)
            .says("Whatever a text may mean: tenants by a part of id or name; alerts, fleet shifts and deliveries by their ids"),
        Route::stream("/events", "streamChanges", events::open).says(
            "Says by server-sent events that something has changed that you may see, and not what; then ask again. The event `open` \
             comes first, then `change` each time; the `id` of an event is what to pass as `seen`. A stream ends after a few minutes; \
             open it again",
        ),
        Route::get("/system", "showSystem", system::show).says("The version, the configuration in force, the store"),
    ]
}
