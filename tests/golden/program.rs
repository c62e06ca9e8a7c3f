//! The program whose store is kept: a workflow for each kind of place at which an instance may stand. It stays as it is; what a
//! later format needs besides is added.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use durable::prelude::*;
use serde::{Deserialize, Serialize};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// Whether this is the build with the fix.
pub(crate) static FIXED: AtomicBool = AtomicBool::new(false);

/// Takes an hour, see `main.rs`.
#[activity(start_to_close = "2h")]
pub(crate) async fn charge(what: &str, cents: u64) -> u64 {
    let _ = what;
    cents
}

#[activity]
pub(crate) async fn look(what: &str) -> String {
    format!("<{what}>")
}

#[activity(retry(initial = "1h", backoff = 1.0, max_interval = "1h", jitter = 0.0))]
pub(crate) async fn ship(context: ActivityContext, what: &str) -> Result<String, Error> {
    ensure!(context.attempt() > 2, "the carrier is closed");
    Ok(format!("shipped {what} at attempt {}", context.attempt()))
}

#[activity]
pub(crate) async fn refund(what: &str) -> String {
    format!("refunded {what}")
}

#[derive(Debug, Serialize, Deserialize, Signal)]
pub(crate) struct Approve {
    pub(crate) by: String,
}

#[derive(Debug, Serialize, Deserialize, Signal)]
pub(crate) struct Remark(pub(crate) String);

#[derive(Debug, Serialize, Deserialize, Update)]
#[update(output = u64)]
pub(crate) struct Add {
    pub(crate) sku: String,
    pub(crate) qty: u64,
}

#[derive(Debug, Serialize, Deserialize, Publish)]
pub(crate) struct Link {
    pub(crate) token: Token<u64>,
}

#[derive(Debug, Serialize, Deserialize, Publish)]
pub(crate) struct Progress {
    pub(crate) done: u32,
    pub(crate) of: u32,
}

#[workflow]
pub(crate) async fn pays(what: String) -> String {
    let (fee, seen) = (7_u32, look(&what).await);
    let paid = charge(&what, 500).await;
    format!("{seen} {}", paid + u64::from(fee))
}

#[workflow]
pub(crate) async fn sleeps(days: u64) -> String {
    let before = look("before").await;
    sleep(DAY * days as u32).await;
    let after = look("after").await;
    format!("{before} {days} {after}")
}

/// More than fits into a row of the store.
pub(crate) fn pages() -> Vec<String> {
    (0..60_u64).map(|page| format!("{page}: ").repeat(100 + page as usize)).collect()
}

#[workflow]
pub(crate) async fn remembers(pages: Vec<String>) -> Vec<String> {
    sleep(DAY).await;
    pages
}

#[workflow]
pub(crate) async fn counts(prices: Vec<u64>) -> Vec<u64> {
    let mut paid = Vec::new();
    for (at, price) in prices.iter().enumerate() {
        if at == 0 {
            look("first").await;
        }
        for part in 0..2u64 {
            paid.push(charge("part", price / 2 + part).await);
        }
    }
    paid
}

#[workflow]
pub(crate) async fn outer(what: String) -> String {
    let base = 100;
    let inner = middle(what, base + 1).await;
    format!("outer {base} {inner}")
}

#[workflow]
async fn middle(what: String, number: u64) -> String {
    let kept = Some(number);
    let inner = innermost(what.clone()).await;
    format!("middle {what} {kept:?} {inner}")
}

#[workflow]
async fn innermost(what: String) -> u64 {
    let half = 21;
    charge(&what, half).await * 2
}

#[workflow]
pub(crate) async fn joins() -> String {
    let (seen, paid) = (look("join"), charge("join", 3)).join().await;
    let many: Vec<_> = (1..=5).map(|cents| charge("many", cents)).collect();
    let many = many.join().limit(2).await;
    format!("{seen} {paid} {many:?}")
}

#[workflow]
pub(crate) async fn races() -> u64 {
    (charge("one", 1), charge("two", 2)).race().await
}

#[workflow]
pub(crate) async fn selects() -> String {
    let began = look("select").await;
    select! {
        _ = sleep(30 * DAY) => format!("{began} late"),
        approve = recv::<Approve>() => format!("{began} by {}", approve.by),
        paid = charge("select", 9) => format!("{began} {paid}"),
    }
}

#[workflow]
pub(crate) async fn gives_up() -> String {
    match recv::<Approve>().timeout(DAY).await {
        Ok(approve) => approve.by,
        Err(Elapsed { .. }) => "nobody".into(),
    }
}

#[workflow]
pub(crate) async fn spawns() -> String {
    let first = spawn(charge("spawned", 4));
    let mut set = JoinSet::new();
    set.spawn(charge("in a set", 5));
    set.spawn(charge("in a set", 6));
    sleep(MINUTE).await;
    let one = set.join_next().await;
    let more = [first.await, 0];
    let two = set.join_next().await;
    format!("{} {more:?}", one.unwrap_or(0) + two.unwrap_or(0))
}

#[workflow]
pub(crate) async fn parent() -> String {
    let held = child("held", sleeps(2)).start().await;
    let other = child("awaited", pays("child".into())).outcome().await.unwrap_or_default();
    let held = held.outcome().await.unwrap_or_default();
    format!("{other:?} {held:?}")
}

#[workflow]
pub(crate) async fn listens() -> String {
    let approve = recv::<Approve>().await;
    let (one, two) = (recv::<Remark>().await, recv::<Remark>().await);
    format!("{} {} {}", approve.by, one.0, two.0)
}

#[workflow]
pub(crate) async fn cart() -> BTreeMap<String, u64> {
    let mut items = BTreeMap::new();
    for _ in 0..3 {
        let (Add { sku, qty }, reply) = recv_update::<Add>().await.into_parts();
        look(&sku).await;
        let all = items.entry(sku).or_insert(0);
        *all += qty;
        reply.reply(*all);
    }
    items
}

#[workflow]
pub(crate) async fn waits_for_a_caller() -> u64 {
    let outside = external::<u64>();
    publish(&Link { token: outside.token() });
    outside.await + 1
}

#[workflow]
pub(crate) async fn undoes(what: String) -> Result<String, Error> {
    let flight = look("flight").await;
    compensate(refund(&flight));
    compensate(refund(&what)).dismiss();
    compensate(refund("hotel"));
    let paid = charge(&what, 70).await;
    bail!("no car for {paid}")
}

#[workflow]
pub(crate) async fn publishes() -> u32 {
    for done in 0..3 {
        publish(&Progress { done, of: 3 });
        charge("published", u64::from(done)).await;
    }
    3
}

#[workflow]
pub(crate) async fn divides(by: u64) -> u64 {
    let paid = look("before the fault").await.len() as u64;
    let by = if FIXED.load(Ordering::Relaxed) { by + 1 } else { by };
    paid / by
}

#[workflow]
pub(crate) async fn delivers(what: String) -> Result<String, Error> {
    ship(&what).await
}

/// Values of many kinds, in both encodings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Values {
    pub(crate) small: (u8, i16, char, bool),
    pub(crate) wide: (u128, i128, f64),
    #[allow(clippy::option_option, reason = "three cases that have to be told apart on disk")]
    pub(crate) maybe: Option<Option<String>>,
    pub(crate) map: BTreeMap<(u8, u8), Vec<String>>,
    pub(crate) shape: Shape,
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) skipped: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Shape {
    Dot,
    Line(f32),
    Area { width: u64, url: url::Url },
}

#[workflow]
pub(crate) async fn keeps(values: Values) -> Values {
    let shape = values.shape.clone();
    let line = Shape::Line(0.5);
    charge("kept", 1).await;
    Values { shape: if matches!(line, Shape::Line(_)) { shape } else { Shape::Dot }, ..values }
}
