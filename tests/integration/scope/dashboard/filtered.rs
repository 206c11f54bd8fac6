//! What is done from the list of alerts to all that match its filters: it asks first, and reaches nobody else's.

use scorewatch::{
    domain::{Role, Scope},
    query::{Page, alerts},
    store::EntryFilter,
};

use sqlx::Connection as _;

use super::{Answered, FILTERED, Site, Who, own, state, with_names};

const ANALYST: Who = Who::Somebody(Role::Analyst, false);
const LIMITED: Who = Who::Somebody(Role::Analyst, true);

impl Site {
    async fn act(&self, who: Who, form: &str) -> Answered {
        self.ask(who, "POST", "/alerts", form).await
    }

    /// Whose alerts are acknowledged.
    async fn acknowledged(&self) -> Vec<String> {
        let filter = alerts::Filter::default();
        let rows = alerts::list(self.scene.store(), &Scope::All, &filter, &Page::ALL).await.unwrap().items;
        let seen = rows.into_iter().filter(|row| row.acknowledged.is_some());
        let mut tenants: Vec<_> = seen.map(|row| row.key.tenant.as_str().to_owned()).collect();
        tenants.sort_unstable();
        tenants
    }
}

/// Copies the alert of a tenant that many times, each for a subject of its own.
async fn multiply(site: &Site, tenant: &str, times: u32) {
    const COPY: &str = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < $2) \
        INSERT INTO alert (key, tenant_id, rule, score, subject, state, body, generation, changed_at) \
        SELECT json_set(a.key, '$.subject', 'group ' || n), a.tenant_id, a.rule, a.score, 'group ' || n, a.state, a.body, a.generation, \
        a.changed_at FROM alert AS a, number WHERE a.tenant_id = (SELECT id FROM tenant WHERE tenant = $1)";
    let file = site.scene.fixture.directory.path().join("data/s.db");
    let mut db = sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    sqlx::query(COPY).bind(tenant).bind(times).execute(&mut db).await.unwrap();
}

/// The values of the hidden fields of that name.
fn hidden(body: &str, name: &str) -> Vec<String> {
    let begin = format!("type=\"hidden\" name=\"{name}\" value=\"");
    let values = body.split(begin.as_str()).skip(1);
    values.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_limited_acknowledges_of_all_that_match_their_own_alone() {
    let site = Site::new().await;
    let form = "do=acknowledge-all&rule=drop&comment=new+model";
    let before = state(&site.scene).await;
    let asked = site.act(LIMITED, form).await;
    assert!(asked.status == 200 && asked.body.contains("Acknowledge 1 alert?"), "{}", asked.body);
    let of_all = site.act(ANALYST, form).await;
    assert!(of_all.status == 200 && of_all.body.contains("Acknowledge 3 alerts?"), "{}", of_all.body);
    assert_eq!(state(&site.scene).await, before, "it only asks");
    let (own, all) = (hidden(&asked.body, "set").remove(0), hidden(&of_all.body, "set").remove(0));
    let confirmed = |set: &str| format!("do=acknowledge-listed&rule=drop&comment=new+model&set={set}");
    let refused = site.act(LIMITED, &confirmed(&all)).await;
    assert!(refused.status == 409 && refused.body.contains("nothing was acknowledged"), "{}", refused.body);
    assert_eq!(state(&site.scene).await, before, "nothing was done");
    let done = site.act(LIMITED, &confirmed(&own)).await;
    assert_eq!(done.location.as_deref(), Some("/alerts?count=1&done=acknowledged"), "{done:?}");
    assert_eq!(site.acknowledged().await, ["contoso"]);
    let again = site.act(LIMITED, form).await;
    assert_eq!(again.location.as_deref(), Some("/alerts?done=none-left"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledging_all_that_match_asks_again_if_they_have_changed_and_records_each() {
    let site = Site::new().await;
    let asked = site.act(ANALYST, "do=acknowledge-all&severity=warning&comment=new+model").await;
    assert!(asked.status == 200 && asked.body.contains("value=\"new model\""), "{}", asked.body);
    assert_eq!(hidden(&asked.body, "severity"), ["warning"], "the filters go along");
    let set = hidden(&asked.body, "set").remove(0);
    let form = |comment: &str, set: &str| format!("do=acknowledge-listed&severity=warning&comment={comment}&set={set}");
    let long = site.act(ANALYST, &form(&"x".repeat(501), &set)).await;
    assert!(long.status == 422 && long.body.contains("Its comment has more than"), "{}", long.body);
    let own = own(&site.scene).await;
    let one = site.act(ANALYST, &format!("do=acknowledge&comment=seen&alert={}", own.alert)).await;
    assert_eq!(one.location.as_deref(), Some("/alerts?count=1&done=acknowledged"), "{one:?}");
    let changed = site.act(ANALYST, &form("new+model", &set)).await;
    assert!(changed.status == 409 && changed.body.contains("nothing was acknowledged"), "{}", changed.body);
    assert!(changed.body.contains("1 other alert is acknowledged already and stays as it is"), "{}", changed.body);
    assert_eq!(site.acknowledged().await, ["contoso"], "nothing was done");
    let set = hidden(&changed.body, "set").remove(0);
    let done = site.act(ANALYST, &form("new+model", &set)).await;
    assert_eq!(done.location.as_deref(), Some("/alerts?count=2&done=acknowledged"), "{done:?}");
    assert_eq!(site.acknowledged().await, ["contoso", "fabrikam", "tailspin"]);
    let entries = site.scene.store().entries(&EntryFilter::default()).await.unwrap().into_iter();
    let entries: Vec<_> = entries.filter(|entry| entry.action == "alert.acknowledge").collect();
    let comments: Vec<_> = entries.iter().map(|entry| entry.body.after.clone().unwrap()["comment"].clone()).collect();
    assert_eq!(comments, ["new model", "new model", "seen"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_filters_of_a_list_of_alerts_go_along_to_what_is_done_to_all_that_match() {
    let site = Site::new().await;
    let names = own(&site.scene).await;
    let filtered = with_names(FILTERED, &names);
    let list = async |query: &str| site.ask(ANALYST, "GET", &format!("/alerts?{query}"), "").await;
    let shown = list(&filtered).await.body;
    for (name, value) in [
        ("rule", "drop"),
        ("severity", "warning"),
        ("score", "device-secure-score"),
        ("tenant", "contoso"),
        ("show", "firing"),
    ] {
        assert!(hidden(&shown, name).iter().any(|kept| kept == value), "{name}: {shown}");
    }
    for button in ["Acknowledge the one that matches", "Accept the one that matches"] {
        assert!(shown.contains(button), "{button}: {shown}");
    }
    let all = list("severity=warning").await.body;
    assert!(all.contains("Acknowledge all 3 that match"), "{all}");
    for (query, matches) in [
        ("severity=critical", false),
        ("score=secure-score", false),
        ("show=pending", false),
        ("show=resolved&rule=drop", false),
        ("show=firing", true),
        ("", true),
    ] {
        let shown = list(query).await;
        assert_eq!(shown.status, 200, "{query}");
        assert_eq!(shown.body.contains("<table class=\"alerts\">"), matches, "{query}: {}", shown.body);
        assert!(!shown.body.contains("value=\"acknowledge-all\""), "{query}: {}", shown.body);
    }
    for wrong in ["severity=bad", "score=bad"] {
        let refused = list(wrong).await;
        assert!(refused.status == 400 && refused.body.contains("use one of"), "{wrong}: {}", refused.body);
        assert_eq!(site.act(ANALYST, &format!("do=acknowledge-all&{wrong}")).await.status, 400, "{wrong}");
    }
    for nothing in
        ["do=acknowledge-all", "do=acknowledge-all&rule=drop&show=pending", "do=accept-all&severity=critical"]
    {
        let asked = site.act(ANALYST, nothing).await;
        assert_eq!(asked.location.as_deref(), Some("/alerts?done=none-left"), "{nothing}: {asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_more_alerts_than_one_step_takes_the_first_are_done_and_the_rest_afterwards() {
    let site = Site::new().await;
    multiply(&site, "contoso", 1004).await;
    let list = site.ask(ANALYST, "GET", "/alerts?rule=drop", "").await.body;
    for button in ["Acknowledge the first 1000 of 1007 that match", "Accept the first 1000 of 1007 that match"] {
        assert!(list.contains(button), "{button}: {list}");
    }
    let asked = site.act(ANALYST, "do=accept-all&rule=drop").await;
    assert!(asked.status == 200 && asked.body.contains("These are the first 1000 of 1007 that match"), "{asked:?}");
    let asked = site.act(ANALYST, "do=acknowledge-all&rule=drop").await;
    assert!(asked.status == 200 && asked.body.contains("These are the first 1000 of 1007 that match"), "{asked:?}");
    let set = hidden(&asked.body, "set").remove(0);
    let confirm =
        async |set: &str| site.act(ANALYST, &format!("do=acknowledge-listed&rule=drop&comment=seen&set={set}")).await;
    let done = confirm(&set).await;
    let rest = "/alerts?rule=drop&count=1000&later=7&done=acknowledged";
    assert_eq!(done.location.as_deref(), Some(rest), "{done:?}");
    let list = site.ask(ANALYST, "GET", rest, "").await.body;
    assert!(list.contains("Acknowledged 1000 alerts.") && list.contains("7 more match and are left"), "{list}");
    assert!(list.contains("Acknowledge all 7 that match"), "{list}");
    let again = confirm(&set).await;
    assert!(again.status == 409 && again.body.contains("Acknowledge 7 alerts?"), "others are meant now: {again:?}");
    let done = confirm(&hidden(&again.body, "set").remove(0)).await;
    assert_eq!(done.location.as_deref(), Some("/alerts?count=7&done=acknowledged"), "{done:?}");
    assert_eq!(site.acknowledged().await.len(), 1007);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_a_comment_is_written_the_page_says_that_customers_can_read_it() {
    let site = Site::new().await;
    let alert = own(&site.scene).await.alert;
    for page in [
        site.ask(ANALYST, "GET", "/alerts", "").await,
        site.ask(ANALYST, "GET", &format!("/alerts/{alert}"), "").await,
        site.act(ANALYST, "do=acknowledge-all&rule=drop").await,
    ] {
        assert!(page.body.contains("name=\"comment\""), "as a control: {page:?}");
        assert!(
            page.body.contains("Customers who sign in and see") && page.body.contains("can read the comment"),
            "{page:?}"
        );
    }
    let accepted = site.act(ANALYST, "do=accept-all&rule=drop").await.body;
    assert!(!accepted.contains("can read the comment"), "why a level is accepted stays in the audit log: {accepted}");
}
