//! Lists and their filters.

use std::collections::BTreeSet;

use durable::{
    Summary,
    prelude::*,
    testing::{self, TestEngine},
};

use crate::support::{DAY, HOUR, MINUTE};

#[workflow]
async fn nap(hours: u32) -> Result<u32, Error> {
    sleep(HOUR * hours).await;
    ensure!(hours != 13, "unlucky");
    Ok(hours)
}

#[workflow]
async fn stumble(n: u32) -> u32 {
    assert!(n != 0, "stumbled");
    n
}

fn ids(list: Vec<Summary>) -> BTreeSet<String> {
    list.into_iter().map(|one| one.id).collect()
}

async fn listed(engine: &TestEngine, filter: Filter) -> Vec<String> {
    ids(engine.list(filter).await.unwrap()).into_iter().collect()
}

#[tokio::test]
async fn instances_are_found_by_workflow_status_tag_and_how_long_they_have_waited() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    engine.start("done", nap(0)).tag("tenant", "acme").await.unwrap();
    engine.start("failed", nap(13)).tag("tenant", "acme").tag("tier", "gold").await.unwrap();
    engine.start("parked", stumble(0)).tag("tenant", "other").await.unwrap();
    engine.start("fell", stumble(1)).await.unwrap();
    engine.advance(DAY).await;
    engine.start("asleep", nap(48)).tag("tenant", "acme").tag("tenant", "other").await.unwrap();
    engine.advance(HOUR).await;
    engine.start("new", nap(48)).tag("tenant", "acme").await.unwrap();
    engine.start("gone", nap(48)).await.unwrap().terminate("not needed").await.unwrap();
    engine.idle().await;

    for _ in 0..2 {
        let all = ["asleep", "done", "failed", "fell", "gone", "new", "parked"];
        assert_eq!(listed(&engine, Filter::new()).await, all);
        assert_eq!(listed(&engine, Filter::new().workflow("stumble")).await, ["fell", "parked"]);
        assert!(listed(&engine, Filter::new().workflow("nobody")).await.is_empty());
        let by_status = [
            (Status::Waiting, vec!["asleep", "new"]),
            (Status::Completed, vec!["done", "fell"]),
            (Status::Failed, vec!["failed"]),
            (Status::Terminated, vec!["gone"]),
            (Status::Running, vec![]),
        ];
        for (status, expected) in by_status {
            let found = listed(&engine, Filter::new().status(status.clone())).await;
            assert_eq!(found, expected, "{status}");
        }
        assert_eq!(listed(&engine, Filter::new().parked()).await, ["parked"]);
        assert_eq!(listed(&engine, Filter::new().status(Status::Parked)).await, ["parked"]);
        let acme = Filter::new().tag("tenant", "acme");
        assert_eq!(listed(&engine, acme.clone()).await, ["done", "failed", "new"]);
        assert_eq!(listed(&engine, acme.clone().tag("tier", "gold")).await, ["failed"]);
        assert_eq!(listed(&engine, acme.status(Status::Waiting)).await, ["new"]);
        let long = Filter::new().waiting_longer_than(HOUR - MINUTE);
        assert_eq!(listed(&engine, long.clone()).await, ["asleep", "parked"]);
        assert_eq!(listed(&engine, long.status(Status::Waiting)).await, ["asleep"]);
        assert!(listed(&engine, Filter::new().waiting_longer_than(2 * DAY)).await.is_empty());
        assert_eq!(engine.list(Filter::new().limit(3)).await.unwrap().len(), 3);
        engine.crash_and_reopen().await;
        engine.idle().await;
    }

    let failed = engine.list(Filter::new().status(Status::Failed)).await.unwrap().remove(0);
    assert_eq!((failed.started, failed.closed), (start, Some(start + 13 * HOUR)));
    assert_eq!(failed.workflow, "nap");
    let tags = [("tenant".to_owned(), "acme".to_owned()), ("tier".to_owned(), "gold".to_owned())];
    assert_eq!(failed.tags, tags);
    let asleep = engine.list(Filter::new().tag("tenant", "other").workflow("nap")).await.unwrap().remove(0);
    assert_eq!((asleep.id.as_str(), asleep.since), ("asleep", Some(start + DAY)));
}

#[tokio::test]
async fn a_list_of_more_than_a_page_is_whole() {
    let engine = testing::engine().open().await;
    let starts: Vec<_> = (0..1_500)
        .map(|n| {
            let engine = engine.clone();
            tokio::spawn(async move {
                engine.start(format!("nap-{n}"), nap(n % 2)).await.unwrap();
            })
        })
        .collect();
    for start in starts {
        start.await.unwrap();
    }
    engine.advance(MINUTE).await;
    let of = |status| Filter::new().status(status).limit(10_000);
    assert_eq!(engine.list(Filter::new().limit(10_000)).await.unwrap().len(), 1_500);
    assert_eq!(engine.list(of(Status::Waiting)).await.unwrap().len(), 750);
    assert_eq!(engine.list(of(Status::Completed)).await.unwrap().len(), 750);
    assert_eq!(engine.list(Filter::new()).await.unwrap().len(), 1_000, "the default limit");
}
