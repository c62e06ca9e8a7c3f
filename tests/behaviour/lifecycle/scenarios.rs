//! The scenarios that are about how instances live and end.

use durable::{
    ChildHandle,
    prelude::*,
    testing::{self, mock},
};

use crate::support::{DAY, HOUR, MINUTE};

// 15. A loop that offers upgrades for years: the store does not grow, resume time is flat.

#[activity]
async fn offer_upgrade(month: u32) -> bool {
    month >= 100_000
}

#[workflow]
async fn offers_upgrades(customer: String) -> String {
    let mut month = 0;
    loop {
        sleep(30 * DAY).await;
        month += 1;
        if offer_upgrade(month).await {
            return customer;
        }
    }
}

#[tokio::test]
async fn a_loop_that_runs_for_years_keeps_as_much_after_a_thousand_rounds_as_after_ten() {
    let engine = testing::engine().mock(mock(offer_upgrade).then(|_| false)).open().await;
    let handle = engine.start("ann", offers_upgrades("ann".into())).await.unwrap();
    engine.advance(10 * 30 * DAY + HOUR).await;
    let early = handle.describe().await.unwrap();
    engine.advance(1_000 * 30 * DAY).await;
    let late = handle.describe().await.unwrap();
    assert_eq!((early.steps, late.steps), (21, 2_021));
    assert!(
        late.snapshot_bytes <= early.snapshot_bytes + 2,
        "{} {}",
        early.snapshot_bytes,
        late.snapshot_bytes
    );
    assert_eq!((late.timers.len(), late.activities.len()), (1, 0), "nothing is left behind");
    engine.crash_and_reopen().await;
    engine.advance(30 * DAY).await;
    assert_eq!(engine.handle("ann").describe().await.unwrap().steps, 2_023, "and it goes on");
}

// 22. "Up but stuck": what has waited in the same place for longer than an hour, with the place and the locals.

#[activity]
async fn fetch_quote(supplier: String) -> u32 {
    supplier.len() as u32
}

#[workflow]
async fn quotes(supplier: String, parts: u32) -> u32 {
    let price = fetch_quote(supplier.clone()).await;
    sleep(MINUTE).await;
    price * parts + supplier.len() as u32
}

#[tokio::test]
async fn what_is_stuck_is_listed_with_its_place_and_its_locals() {
    let engine = testing::engine().mock(mock(fetch_quote).delay(2 * DAY).then(|_| 7)).open().await;
    engine.start("stuck", quotes("acme".into(), 12)).await.unwrap();
    engine.advance(2 * HOUR).await;
    engine.start("fresh", quotes("other".into(), 1)).await.unwrap();
    engine.idle().await;
    let stuck = engine.list(Filter::new().waiting_longer_than(HOUR)).await.unwrap();
    let ids: Vec<_> = stuck.iter().map(|summary| summary.id.as_str()).collect();
    assert_eq!(ids, ["stuck"]);
    let description = engine.handle("stuck").describe().await.unwrap();
    let waiting = description.waiting.as_ref().unwrap();
    assert_eq!(waiting.on, "fetch_quote");
    assert_eq!(engine.now().duration_since(waiting.since).unwrap(), 2 * HOUR);
    let frame = &description.frames[0];
    assert!(frame.file.ends_with("scenarios.rs") && frame.line > 0, "{frame:?}");
    let locals: Vec<_> =
        frame.locals.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
    assert!(
        locals.contains(&("parts", "12".into())) && locals.contains(&("supplier", "\"acme\"".into())),
        "{locals:?}"
    );
    // And all of them are ended in one go.
    assert_eq!(engine.cancel_all(Filter::new().waiting_longer_than(HOUR), "stuck").await.unwrap(), 1);
}

// 25. A thousand children started by one parent, joined; one fails; the rest are cancelled.

#[activity]
async fn thumbnail(page: u32) -> Result<u32, Error> {
    ensure!(page != 700, "page {page} is damaged");
    Ok(page)
}

#[workflow]
async fn page(number: u32) -> Result<u32, Error> {
    if number == 700 {
        sleep(HOUR).await;
    } else {
        sleep(DAY).await;
    }
    thumbnail(number).retry(Retry::attempts(1)).await
}

#[workflow]
async fn book_pages(pages: u32) -> Result<u32, Error> {
    let mut started: Vec<ChildHandle<Result<u32, Error>>> = Vec::new();
    for number in (1..=pages).rev() {
        started.push(child(number.to_string(), page(number)).start().await);
    }
    // The damaged one first: the others are in the middle of their day.
    let damaged = started.remove(300);
    let mut sum = damaged.await?;
    for page in started {
        sum += page.await?;
    }
    Ok(sum)
}

#[tokio::test]
async fn of_a_thousand_children_one_fails_and_the_others_are_cancelled() {
    let engine = testing::engine().open().await;
    let handle = engine.start("book", book_pages(1_000)).await.unwrap();
    engine.idle().await;
    let children = || Filter::new().workflow("page").limit(2_000);
    assert_eq!(engine.list(children()).await.unwrap().len(), 1_000);
    engine.crash_and_reopen().await;
    let handle = engine.handle(handle.id()).of(book_pages);
    let error = handle.result().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "page 700 is damaged");
    engine.idle().await;
    let count = async |status: Status| engine.list(children().status(status)).await.unwrap().len();
    assert_eq!((count(Status::Failed).await, count(Status::Cancelled).await), (1, 999));
}
