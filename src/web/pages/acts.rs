//! What a form does. Each asks first whether the caller may, does one thing of [`crate::action`], and sends the browser to a page that
//! shows what came of it.

use std::collections::BTreeMap;

use axum::{Form, extract::Path};

use super::{
    answer::{Answer, Visit, see, sentences},
    confirmation::{self, Act, COMMENT, comment as given, seen},
    params::Params,
    silences as silences_page,
    words::encoded,
};
use crate::{
    action::{alert, channel, delivery, drill as channel_drill, silence as silences, tenant},
    domain::Role,
    notify::{DeliveryId, SilenceId},
    query::{self, Error, alerts::Which, ids},
};

/// The fields of a form.
type Fields = Form<Vec<(String, String)>>;

/// Does something, and sends the browser there.
async fn act(visit: &Visit, role: Role, done: &str, does: impl Future<Output = Result<String, Error>>) -> Answer {
    visit.require(role).await?;
    match does.await {
        Ok(path) => Ok(see(&path, done)),
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// `POST /alerts/{id}/acknowledge`; with `undo`, takes it back.
pub(super) async fn acknowledge(visit: Visit, Path(id): Path<String>, Form(fields): Fields) -> Answer {
    let fields = Params(fields);
    let (done, now) = (if fields.get("undo").is_some() { "taken-back" } else { "acknowledged" }, visit.app.now());
    let does = async {
        let which = ids::alert(visit.store(), visit.scope(), &id).await?;
        if fields.get("undo").is_some() {
            alert::unacknowledge(visit.store(), &visit.caller, &which, now).await?;
        } else {
            alert::acknowledge(visit.store(), &visit.caller, &which, seen(&visit, &fields)).await?;
        }
        Ok(format!("/alerts/{}", encoded(&id)))
    };
    act(&visit, Role::Analyst, done, does).await
}

fn comment(fields: &Params) -> String {
    given(fields).unwrap_or(COMMENT).to_owned()
}

/// Answers `POST /alerts/{id}/accept`.
pub(super) async fn accept(visit: Visit, Path(id): Path<String>, Form(fields): Fields) -> Answer {
    let fields = Params(fields);
    let does = async {
        let which = ids::alert(visit.store(), visit.scope(), &id).await?;
        let (config, by) = (visit.app.config(), Some(visit.caller.name.as_str()));
        alert::accept(
            visit.store(),
            &config,
            &visit.caller,
            &which,
            alert::Signature { by, comment: given(&fields) },
            visit.app.now(),
        )
        .await?;
        Ok(format!("/alerts/{}", encoded(&id)))
    };
    act(&visit, Role::Analyst, "accepted", does).await
}

/// `POST /alerts/{id}/silence`: its rule for its tenant.
pub(super) async fn silence(visit: Visit, Path(id): Path<String>, Form(fields): Fields) -> Answer {
    let fields = Params(fields);
    let does = async {
        let which = ids::alert(visit.store(), visit.scope(), &id).await?;
        let rules = if fields.get("reach") == Some("tenant") { Vec::new() } else { vec![which.rule.clone()] };
        make_silence(&visit, &fields, vec![which.tenant.clone()], rules).await?;
        Ok(format!("/alerts/{}", encoded(&id)))
    };
    act(&visit, Role::Analyst, "silenced", does).await
}

async fn make_silence(visit: &Visit, fields: &Params, tenants: Vec<String>, rules: Vec<String>) -> Result<(), Error> {
    let draft = silences::Draft {
        tenants,
        rules,
        length: Some(fields.get("for").unwrap_or("4h").to_owned()),
        comment: comment(fields),
        author: visit.caller.name.clone(),
        ..silences::Draft::default()
    };
    let (config, now) = (visit.app.config(), visit.app.now());
    let new = draft.read(&config, visit.scope(), now)?;
    silences::add(visit.store(), &config, &visit.caller, new, now).await?;
    Ok(())
}

/// `POST /alerts`: the same for every alert that is selected. What is done to all that match asks first, and so does
/// acceptance, as it can't be taken back.
pub(super) async fn on_many_alerts(visit: Visit, Form(fields): Fields) -> Answer {
    let fields = Params(fields);
    let what = fields.text("do");
    visit.require(Role::Analyst).await?;
    let done = match what.as_str() {
        "accept-all" => return confirmation::ask_for_all(&visit, Act::Accept, fields).await,
        "accept-listed" => return confirmation::obey(&visit, Act::Accept, &fields).await,
        "acknowledge-all" => return confirmation::ask_for_all(&visit, Act::Acknowledge, fields).await,
        "acknowledge-listed" => return confirmation::obey(&visit, Act::Acknowledge, &fields).await,
        _ if fields.get("alert").is_none() => return Ok(see("/alerts", "nothing")),
        "accept" => return confirmation::ask(&visit, Act::Accept, &fields).await,
        "silence" => "silenced",
        _ => "acknowledged",
    };
    match on_each(&visit, &fields, &what).await {
        Ok(Counts { done: 0, .. }) => Ok(see("/alerts", "none-left")),
        Ok(Counts { done: count, left: 0 }) => Ok(see(&format!("/alerts?count={count}"), done)),
        Ok(Counts { done: count, left }) => Ok(see(&format!("/alerts?count={count}&left={left}"), done)),
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// Of the alerts that were selected.
struct Counts {
    /// How many it was done to.
    done: usize,
    /// How many are as they were.
    left: usize,
}

async fn on_each(visit: &Visit, fields: &Params, what: &str) -> Result<Counts, Error> {
    let selected = fields.all("alert").count();
    let rows: Vec<_> = confirmation::selected(visit, fields).await?.into_iter().map(|line| line.row).collect();
    let count = match what {
        // One of many may be pending or be over by now; the list shows which are left.
        "acknowledge" => {
            let by = seen(visit, fields);
            alert::acknowledge_rows(visit.store(), &visit.caller, rows, by, None, false).await?.alerts.len()
        }
        "silence" => {
            let mut tenants_by_rule: BTreeMap<String, Vec<String>> = BTreeMap::new();
            let count = rows.len();
            for Which { tenant, rule, .. } in rows.iter().map(|row| Which::of(&row.key)) {
                tenants_by_rule.entry(rule).or_default().push(tenant);
            }
            for (rule, tenants) in tenants_by_rule {
                make_silence(visit, fields, tenants, vec![rule]).await?;
            }
            count
        }
        _ => return Err(Error::invalid("choose what to do with the selected alerts")),
    };
    Ok(Counts { done: count, left: selected.saturating_sub(count) })
}

/// `POST /silences`: a silence as it is written in the form. What is wrong with it is said beside the form, which keeps what was written.
pub(super) async fn new_silence(visit: Visit, Form(fields): Fields) -> Answer {
    let fields = Params(fields);
    visit.require(Role::Analyst).await?;
    let list = |name: &str| -> Vec<String> {
        let texts = fields.all(name).flat_map(|text| text.split([',', ' '])).map(str::trim);
        texts.filter(|text| !text.is_empty()).map(str::to_owned).collect()
    };
    let draft = silences::Draft {
        tenants: list("tenants"),
        labels: list("labels"),
        rules: list("rule"),
        everything: fields.get("everything").is_some(),
        length: Some(fields.get("for").unwrap_or("4h").to_owned()),
        comment: fields.text("comment"),
        author: visit.caller.name.clone(),
        ..silences::Draft::default()
    };
    let names_something = !(draft.tenants.is_empty() && draft.labels.is_empty() && draft.rules.is_empty());
    let does = async {
        if names_something == draft.everything {
            return Err(Error::invalid(if draft.everything {
                "the box for everything is ticked; untick it, or leave tenants, labels and rule empty"
            } else {
                "name a tenant, a label or a rule, or tick the box for everything"
            }));
        }
        let (config, now) = (visit.app.config(), visit.app.now());
        let new = draft.read(&config, visit.scope(), now)?;
        silences::add(visit.store(), &config, &visit.caller, new, now).await
    };
    match does.await {
        Ok(_) => Ok(see("/silences", "silenced")),
        Err(error @ Error::Invalid(_)) => silences_page::again(&visit, &fields, sentences(&error)).await,
        Err(error) => Err(visit.refuse(&error).await),
    }
}

/// Answers `POST /silences/{id}/end`.
pub(super) async fn end_silence(visit: Visit, Path(id): Path<i64>) -> Answer {
    let does = async {
        silences::end(visit.store(), &visit.caller, SilenceId(id), visit.app.now()).await?;
        Ok("/silences".to_owned())
    };
    act(&visit, Role::Analyst, "ended", does).await
}

/// Answers `POST /deliveries/{id}/resend`.
pub(super) async fn resend(visit: Visit, Path(id): Path<i64>) -> Answer {
    let does = async {
        delivery::resend(visit.store(), Some(&visit.app.config()), &visit.caller, DeliveryId(id), visit.app.now())
            .await?;
        Ok(format!("/deliveries/{id}"))
    };
    act(&visit, Role::Analyst, "resent", does).await
}

/// Answers `POST /channels/{name}/drill`.
pub(super) async fn drill(visit: Visit, Path(name): Path<String>) -> Answer {
    let does = async {
        channel_drill::drill(visit.store(), &visit.app.config(), &visit.caller, &name, visit.app.now()).await?;
        Ok("/channels".to_owned())
    };
    act(&visit, Role::Admin, "drilled", does).await
}

/// Answers `POST /channels/{name}/unpark`.
pub(super) async fn unpark(visit: Visit, Path(name): Path<String>) -> Answer {
    let does = async {
        channel::unpark(visit.store(), &visit.app.config(), &visit.caller, &name, visit.app.now()).await?;
        Ok("/channels".to_owned())
    };
    act(&visit, Role::Admin, "unparked", does).await
}

/// Answers `POST /tenants/{id}/recheck`.
pub(super) async fn recheck(visit: Visit, Path(id): Path<String>) -> Answer {
    let does = async {
        tenant::recheck(visit.store(), &visit.app.config(), &visit.caller, &id, visit.app.now()).await?;
        Ok::<_, query::Error>(format!("/tenants/{}", encoded(&id)))
    };
    act(&visit, Role::Analyst, "recheck", does).await
}
