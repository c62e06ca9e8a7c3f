//! `#[workflow(migrate = path)]`: a function says what this build can't know.

// What migrates gives a `Result`, whether it can fail or not.
#![allow(clippy::unnecessary_wraps)]

use std::sync::atomic::{AtomicU32, Ordering};

use durable::{CheckOutcome, HistoryKind, Result, Snapshot, prelude::*, testing::TestEngine};

use super::{MINUTE, charge, deployed, goes_on, is_parked, mail, reserve};

#[workflow]
async fn bartered(sku: String) -> String {
    let total: u32 = 40;
    let paid = charge("a", 5).await;
    format!("{sku} {total} {paid}")
}

fn with_a_currency(mut snapshot: Snapshot) -> Result<Snapshot> {
    assert_eq!((snapshot.workflow(), snapshot.resume_point()), ("bartered", "charge#1"));
    assert_eq!(snapshot.names().collect::<Vec<_>>(), ["sku", "total"]);
    let total: u64 = snapshot.get("total")?;
    snapshot.set("cents", &(total * 100))?;
    snapshot.rename("sku", "article")?;
    snapshot.remove("total")?;
    snapshot.set("currency", &Some("EUR"))?;
    Ok(snapshot)
}

#[workflow(migrate = with_a_currency)]
async fn bartered_with_a_currency(sku: String) -> String {
    let article = sku;
    let cents: u64 = 4000;
    let currency: Option<String> = None;
    let paid = charge("a", 5).await;
    format!("{article} {cents} {currency:?} {paid}")
}

/// The types that variables have now are read by the names of their fields, as from a snapshot.
fn with_an_item(mut snapshot: Snapshot) -> Result<Snapshot> {
    let item = serde_json::json!({ "sku": snapshot.get::<String>("sku")?, "prices": { "7": snapshot.get::<u8>("total")? } });
    snapshot.set("item", &item)?;
    Ok(snapshot)
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Item {
    sku: String,
    prices: std::collections::BTreeMap<u16, u64>,
    #[serde(default)]
    gift: bool,
}

#[workflow(migrate = with_an_item)]
async fn bartered_an_item(sku: String) -> String {
    let item = Item { sku, prices: [(7, 40)].into(), gift: true };
    let paid = charge("a", 5).await;
    format!("{} {:?} {} {paid}", item.sku, item.prices, item.gift)
}

#[tokio::test]
async fn what_a_new_version_needs_is_made_of_what_the_old_one_had() {
    goes_on!(bartered("tea".into()) as bartered_with_a_currency => r#"tea 4000 Some("EUR") 5"#);
    goes_on!(bartered("tea".into()) as bartered_an_item => "tea {7: 40} false 5");
}

fn total_of_text(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.set("total", &snapshot.get::<u32>("total")?.to_string())?;
    Ok(snapshot)
}

#[workflow(migrate = total_of_text)]
async fn bartered_with_a_total_of_text(sku: String) -> String {
    let total = String::from("40");
    let paid = charge("a", 5).await;
    format!("{sku} {total:?} {paid}")
}

#[tokio::test]
async fn a_variable_that_can_not_be_read_any_more_is_made_anew() {
    goes_on!(bartered("tea".into()) as bartered_with_a_total_of_text => r#"tea "40" 5"#);
}

static ASKED: AtomicU32 = AtomicU32::new(0);

fn asked(snapshot: Snapshot) -> Result<Snapshot> {
    ASKED.fetch_add(1, Ordering::Relaxed);
    Ok(snapshot)
}

#[workflow(migrate = asked)]
async fn bartered_widely(sku: String) -> String {
    let total: u64 = 40;
    let paid = charge("a", 5).await;
    format!("{sku} {total} {paid}")
}

#[tokio::test]
async fn it_is_not_asked_for_what_resumes_by_itself() {
    goes_on!(bartered("tea".into()) as bartered_widely => "tea 40 5");
    goes_on!(bartered_widely("tea".into()) as bartered_widely => "tea 40 5");
    assert_eq!(ASKED.load(Ordering::Relaxed), 0);
}

fn refuses(_: Snapshot) -> Result<Snapshot> {
    durable::bail!("no order of 2019 is taken on")
}

#[workflow(migrate = refuses)]
async fn bartered_without_2019(sku: String) -> String {
    let year = 2020;
    let paid = charge("a", 5).await;
    format!("{sku} {year} {paid}")
}

fn panics(_: Snapshot) -> Result<Snapshot> {
    panic!("there is no such year")
}

#[workflow(migrate = panics)]
async fn bartered_without_a_year(sku: String) -> String {
    let year = 2020;
    let paid = charge("a", 5).await;
    format!("{sku} {year} {paid}")
}

fn has_effects(snapshot: Snapshot) -> Result<Snapshot> {
    let _ = durable::try_recv::<Never>();
    Ok(snapshot)
}

#[derive(serde::Serialize, serde::Deserialize, Signal)]
struct Never;

#[workflow(migrate = has_effects)]
async fn bartered_with_effects(sku: String) -> String {
    let year = 2020;
    let paid = charge("a", 5).await;
    format!("{sku} {year} {paid}")
}

fn forgets(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.set("day", &7)?;
    Ok(snapshot)
}

#[workflow(migrate = forgets)]
async fn bartered_on_a_day(sku: String) -> String {
    let (day, month) = (7, 12);
    let paid = charge("a", 5).await;
    format!("{sku} {day} {month} {paid}")
}

fn writes_nonsense(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.set("item", &serde_json::json!({ "sku": "tea", "prices": { "7": "much" } }))?;
    Ok(snapshot)
}

#[workflow(migrate = writes_nonsense)]
async fn bartered_nonsense(sku: String) -> String {
    let item = Item { sku, prices: [(7, 40)].into(), gift: true };
    let paid = charge("a", 5).await;
    format!("{} {:?} {} {paid}", item.sku, item.prices, item.gift)
}

#[tokio::test]
async fn what_fails_in_it_or_does_not_fit_parks_with_the_reason_and_the_old_snapshot() {
    is_parked!(
        bartered("tea".into()) as bartered_without_2019,
        "the `migrate` of workflow `bartered_without_2019` gave an error: no order of 2019 is taken on",
        "needs variable `year`"
        => "tea 40 5"
    );
    is_parked!(
        bartered("tea".into()) as bartered_without_a_year,
        "panicked at tests/evolution/migrate.rs:", "there is no such year"
        => "tea 40 5"
    );
    is_parked!(bartered("tea".into()) as bartered_with_effects, "`try_recv` works in a #[workflow] only" => "tea 40 5");
    is_parked!(
        bartered("tea".into()) as bartered_on_a_day,
        "what the `migrate` of workflow `bartered_on_a_day` gives does not fit", "needs variable `month`"
        => "tea 40 5"
    );
    is_parked!(
        bartered("tea".into()) as bartered_nonsense,
        "variable `item` of workflow `bartered_nonsense` at tests/evolution/migrate.rs:", "evolution::migrate::Item`",
        "invalid type: string", "expected u64 (at `.prices"
        => "tea 40 5"
    );
}

#[workflow]
async fn ordered(sku: String) -> String {
    let paid = charge(&sku, 5).await;
    format!("{sku} {paid}")
}

fn at_the_deposit(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.resume_at("deposit");
    snapshot.set("rest", &1)?;
    Ok(snapshot)
}

#[workflow(migrate = at_the_deposit)]
async fn ordered_in_two(sku: String) -> String {
    let rest = 2;
    #[resume("deposit")]
    let first = charge(&sku, 3).await;
    let second = charge(&sku, rest).await;
    format!("{sku} {first} {second}")
}

fn by_reference(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.resume_at("charge#2");
    snapshot.set("first", &0)?;
    Ok(snapshot)
}

#[workflow(migrate = by_reference)]
async fn ordered_and_paid_the_rest(sku: String) -> String {
    let first = charge(&sku, 3).await;
    let second = charge(&sku, 2).await;
    format!("{sku} {first} {second}")
}

#[tokio::test]
async fn it_goes_on_at_another_await_of_the_same_activity_with_the_pending_call() {
    let engine = deployed!(stands_at_charge().await, ordered as ordered_in_two);
    assert_eq!(engine.handle("it").of(ordered_in_two).result().await.unwrap(), "tea 5 1");
    let engine = deployed!(stands_at_charge().await, ordered as ordered_and_paid_the_rest);
    assert_eq!(engine.handle("it").of(ordered_and_paid_the_rest).result().await.unwrap(), "tea 0 5");
    let history = engine.handle("it").history().await.unwrap();
    let migrated = history.iter().find_map(|event| match &event.kind {
        HistoryKind::Migrated { workflow, from, to } => {
            Some((workflow.as_str(), from.as_str(), to.as_deref()))
        }
        _ => None,
    });
    assert_eq!(migrated, Some(("ordered_and_paid_the_rest", "charge#1", Some("charge#2"))));
}

async fn stands_at_charge() -> TestEngine {
    let engine = super::engine().await;
    engine.start("it", ordered("tea".into())).await.unwrap();
    engine.idle().await;
    engine
}

fn it_was_mailed(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.resume_at("mail#1");
    snapshot.gives("no mail")?;
    snapshot.set("paid", &0)?;
    Ok(snapshot)
}

#[workflow(migrate = it_was_mailed)]
async fn ordered_by_mail(sku: String) -> String {
    let paid = sku.len();
    let mailed = mail(&sku).await;
    let reserved = reserve(&sku).await;
    format!("{paid} {mailed} {reserved}")
}

fn begins_again(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.set("count", &3)?;
    snapshot.restart();
    Ok(snapshot)
}

#[workflow(migrate = begins_again)]
async fn ordered_several(count: u8, sku: String) -> String {
    let reserved = reserve(&sku).await;
    format!("{count} {reserved}")
}

#[tokio::test]
async fn it_goes_on_behind_a_call_with_a_given_result_or_begins_again() {
    let engine = deployed!(stands_at_charge().await, ordered as ordered_by_mail);
    let result = engine.handle("it").of(ordered_by_mail).result().await;
    assert_eq!(result.unwrap(), "0 no mail reserved tea");
    assert_eq!(engine.calls(mail).len(), 0, "it was given");
    let engine = deployed!(stands_at_charge().await, ordered as ordered_several);
    assert_eq!(engine.check().await.unwrap().exit_code(), 0);
    let result = engine.handle("it").of(ordered_several).result().await;
    assert_eq!(result.unwrap(), "3 reserved tea");
    assert_eq!(engine.calls(reserve).len(), 1);
}

fn to_the_timer(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.resume_at("sleep#1");
    Ok(snapshot)
}

#[workflow(migrate = to_the_timer)]
async fn ordered_in_time(sku: String) -> String {
    sleep(MINUTE).await;
    sku
}

fn given_to_a_timer(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.gives(&())?;
    to_the_timer(snapshot)
}

#[workflow(migrate = given_to_a_timer)]
async fn ordered_at_once(sku: String) -> String {
    sleep(MINUTE).await;
    sku
}

fn to_nowhere(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.resume_at("shipped");
    Ok(snapshot)
}

#[workflow(migrate = to_nowhere)]
async fn ordered_nowhere(sku: String) -> String {
    sleep(MINUTE).await;
    mail(&sku).await
}

fn to_another_activity(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.resume_at("reserve#1");
    Ok(snapshot)
}

#[workflow(migrate = to_another_activity)]
async fn ordered_from_stock(sku: String) -> String {
    reserve(&sku).await + &sku
}

fn gives_another_type(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.gives(&7)?;
    to_another_activity(snapshot)
}

#[workflow(migrate = gives_another_type)]
async fn ordered_from_seven(sku: String) -> String {
    reserve(&sku).await + &sku
}

#[workflow(migrate = Ok)]
async fn ordered_and_forgotten(sku: String) -> String {
    mail(&sku).await
}

fn begins_without(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.restart();
    Ok(snapshot)
}

#[workflow(migrate = begins_without)]
async fn ordered_with_a_count(sku: String, count: u8) -> String {
    mail(&sku).await + &count.to_string()
}

#[tokio::test]
async fn what_is_awaited_is_not_guessed() {
    is_parked!(ordered("tea".into()) as ordered_in_time, 
        "what it awaited is not what `sleep` at tests/evolution/migrate.rs:",
        " awaits: resume it at an `.await` of the same thing, or behind the call of an activity whose result `gives` says"
        => "tea 5");
    is_parked!(ordered("tea".into()) as ordered_at_once, "`sleep`", "only the call of an activity" => "tea 5");
    is_parked!(
        ordered("tea".into()) as ordered_nowhere,
        "has no resume point `shipped`; it has `sleep#1`, `mail#1`"
        => "tea 5"
    );
    is_parked!(ordered("tea".into()) as ordered_from_stock, "a call of another activity" => "tea 5");
    is_parked!(
        ordered("tea".into()) as ordered_from_seven,
        "what was given as the result of `reserve`", "integer `7`"
        => "tea 5"
    );
    is_parked!(ordered("tea".into()) as ordered_and_forgotten, "stands at `charge(&sku, 5)`", "migrate" => "tea 5");
    is_parked!(ordered("tea".into()) as ordered_with_a_count, "without its parameter `count`" => "tea 5");
}

#[workflow]
async fn settles(cents: u64) -> u64 {
    let fee = 1;
    charge("inner", cents).await + fee
}

#[workflow]
async fn settles_for() -> u64 {
    let base = 100;
    settles(5).await + base
}

fn with_a_tip(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.set("tip", &10)?;
    Ok(snapshot)
}

#[workflow(migrate = with_a_tip)]
async fn settles_a_tip(cents: u64) -> u64 {
    let (fee, tip) = (1, 2);
    charge("inner", cents).await + fee + tip
}

static OUTER_ASKED: AtomicU32 = AtomicU32::new(0);

fn outer(snapshot: Snapshot) -> Result<Snapshot> {
    OUTER_ASKED.fetch_add(1, Ordering::Relaxed);
    Ok(snapshot)
}

#[workflow(migrate = outer)]
async fn settles_for_a_tip() -> u64 {
    let base = 100;
    #[resume(was = "settles#1")]
    let paid = settles_a_tip(5).await;
    paid + base
}

fn with_interest(mut snapshot: Snapshot) -> Result<Snapshot> {
    snapshot.set("interest", &1000)?;
    Ok(snapshot)
}

#[workflow(migrate = with_interest)]
async fn settles_for_with_interest() -> u64 {
    let (base, interest) = (100, 2000);
    #[resume(was = "settles#1")]
    let paid = settles_a_tip(5).await;
    paid + base + interest
}

#[workflow]
async fn settles_no_more(cents: u64) -> u64 {
    mail("nothing to pay").await.len() as u64 + cents
}

#[workflow(migrate = outer)]
async fn settles_for_no_more() -> u64 {
    let base = 100;
    #[resume(was = "settles#1")]
    let paid = settles_no_more(5).await;
    paid + base
}

/// It stands at the `charge` of `settles`.
async fn stands_inside() -> TestEngine {
    let engine = super::engine().await;
    engine.start("it", settles_for()).await.unwrap();
    engine.idle().await;
    engine
}

#[tokio::test]
async fn each_frame_is_its_own_workflows_affair() {
    let engine = stands_inside()
        .await
        .deploy(settles, settles_a_tip)
        .await
        .deploy(settles_for, settles_for_a_tip)
        .await;
    assert_eq!(engine.handle("it").of(settles_for_a_tip).result().await.unwrap(), 116);

    let engine = stands_inside()
        .await
        .deploy(settles, settles_a_tip)
        .await
        .deploy(settles_for, settles_for_with_interest)
        .await;
    let report = engine.check().await.unwrap();
    assert!(
        matches!(&report.groups[0].outcome, CheckOutcome::Migrates { workflows } if workflows[..] == ["settles_a_tip", "settles_for_with_interest"]),
        "{report}"
    );
    assert_eq!(engine.handle("it").of(settles_for_with_interest).result().await.unwrap(), 1116);
    let history = engine.handle("it").history().await.unwrap();
    let migrated = history.iter().filter(|event| matches!(event.kind, HistoryKind::Migrated { .. }));
    assert_eq!(migrated.count(), 2);

    let engine = stands_inside()
        .await
        .deploy(settles, settles_no_more)
        .await
        .deploy(settles_for, settles_for_no_more)
        .await;
    let why = super::why(&engine, "it").await;
    assert!(why.contains("workflow `settles_no_more` stands at"), "{why}");
    assert_eq!(OUTER_ASKED.load(Ordering::Relaxed), 0, "it can be resumed itself");
}

#[tokio::test]
async fn check_says_who_is_migrated_and_does_it_to_nobody() {
    let engine = super::engine().await;
    for n in 0..3 {
        engine.start(format!("it-{n}"), bartered("tea".into())).await.unwrap();
    }
    engine.idle().await;
    let engine = deployed!(engine, bartered as bartered_with_a_currency);
    let report = engine.check().await.unwrap();
    assert_eq!((report.instances(), report.groups.len(), report.exit_code()), (3, 1, 0), "{report}");
    assert!(
        report.to_string().contains("resume after the `migrate` of bartered_with_a_currency"),
        "{report}"
    );
    let outcome = &report.to_json()["groups"][0]["outcome"];
    assert_eq!(
        *outcome,
        serde_json::json!({ "outcome": "migrates", "workflows": ["bartered_with_a_currency"] })
    );
    let engine = deployed!(engine, bartered as bartered_without_2019);
    let report = engine.check().await.unwrap();
    assert_eq!((report.stranded(), report.groups.len()), (3, 1), "{report}");
    assert!(report.to_string().contains("no order of 2019"), "{report}");
    let engine = engine.deploy(bartered, bartered).await;
    assert_eq!(engine.handle("it-1").of(bartered).result().await.unwrap(), "tea 40 5");
}

static MIGRATED: AtomicU32 = AtomicU32::new(0);

fn counted(snapshot: Snapshot) -> Result<Snapshot> {
    MIGRATED.fetch_add(1, Ordering::Relaxed);
    with_a_currency(snapshot)
}

#[workflow(migrate = counted)]
async fn bartered_and_mailed(sku: String) -> String {
    let article = sku;
    let cents: u64 = 4000;
    let currency: Option<String> = None;
    let paid = charge("a", 5).await;
    sleep(MINUTE).await;
    let mailed = mail("b").await;
    format!("{article} {cents} {currency:?} {paid} {mailed}")
}

/// What crashes before the step that migrates is migrated then, and what crashes behind it was.
#[tokio::test]
async fn a_crash_before_and_behind_the_migration_changes_nothing() {
    let engine = super::engine().await;
    engine.start("it", bartered("tea".into())).await.unwrap();
    engine.idle().await;
    let engine = engine.deploy(bartered, bartered_and_mailed).await;
    engine.idle().await;
    engine.crash_and_reopen().await;
    engine.idle().await;
    assert_eq!(MIGRATED.load(Ordering::Relaxed), 0, "it was not stepped");
    engine.advance(MINUTE).await;
    assert_eq!(MIGRATED.load(Ordering::Relaxed), 1);
    engine.crash_and_reopen().await;
    engine.idle().await;
    let result = engine.handle("it").of(bartered_and_mailed).result().await.unwrap();
    assert_eq!(result, r#"tea 4000 Some("EUR") 5 mailed b"#);
    assert_eq!(MIGRATED.load(Ordering::Relaxed), 1, "once is enough");
    assert_eq!(engine.calls(charge).len(), 3, "an attempt for each build and crash that cut it off");
}

struct Shop;

#[workflow]
impl Shop {
    fn older(mut snapshot: Snapshot) -> Result<Snapshot> {
        snapshot.set("year", &2020)?;
        Ok(snapshot)
    }

    #[workflow(migrate = Self::older)]
    async fn sells(sku: String) -> String {
        let year = 2021;
        let paid = charge("a", 5).await;
        format!("{sku} {year} {paid}")
    }
}

#[tokio::test]
async fn it_may_stand_beside_its_workflow_in_a_block() {
    let engine = super::engine().await;
    engine.start("it", bartered("tea".into())).await.unwrap();
    engine.idle().await;
    let engine = engine.deploy(bartered, Shop::sells).await;
    assert_eq!(engine.handle("it").of(Shop::sells).result().await.unwrap(), "tea 2020 5");
}
