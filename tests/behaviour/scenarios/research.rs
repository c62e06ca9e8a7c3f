//! Scenario 21: a research agent. 400 pages fetched with at most 20 at once, 12 rate-limited tools, a human gate, three days of waiting,
//! its conversation intact.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use durable::{
    prelude::*,
    testing::{self, mock},
};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, HOUR, MINUTE, since};

const PAGES: u32 = 400;

/// What one side has said, as a model's API has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
enum Turn {
    User { text: String },
    Tool { name: u32, result: serde_json::Value },
    Assistant { text: String },
}

#[derive(Serialize, Deserialize, Signal)]
enum Verdict {
    Publish,
    Revise(String),
}

#[derive(Serialize, Deserialize, Publish)]
struct Progress {
    read: usize,
    of: u32,
}

/// How many do the same at once, and how many did at most.
#[derive(Clone, Default)]
struct Desk(Arc<[(AtomicUsize, AtomicUsize); 2]>);

/// Somebody's place, until he is done or his process is gone.
struct Seat<'a>(&'a AtomicUsize);

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Desk {
    fn seat(&self, at: usize) -> Seat<'_> {
        let (now, most) = &self.0[at];
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Seat(now)
    }

    fn most(&self, at: usize) -> usize {
        self.0[at].1.load(Ordering::SeqCst)
    }
}

#[activity(retry(initial = "1s", max_attempts = 4))]
async fn fetch_source(
    State(desk): State<Desk>,
    context: ActivityContext,
    page: u32,
) -> Result<String, Error> {
    let _seat = desk.seat(0);
    tokio::task::yield_now().await;
    ensure!(page % 40 != 3 || context.attempt() > 2, "page {page}: 503");
    ensure!(page != 77, "page {page}: 404");
    Ok(format!("page {page}"))
}

#[activity(limit = 3)]
async fn consult(State(desk): State<Desk>, tool: u32, notes: usize) -> serde_json::Value {
    let _seat = desk.seat(1);
    tokio::task::yield_now().await;
    serde_json::json!({ "tool": tool, "notes": notes })
}

#[activity]
async fn compose_draft(conversation: &[Turn]) -> String {
    format!("a draft after {} turns", conversation.len())
}

#[workflow]
async fn gathers(pages: u32) -> Vec<String> {
    let mut reading = JoinSet::new();
    let (mut next, mut notes) = (0, Vec::new());
    loop {
        while next < pages && reading.len() < 20 {
            reading.spawn(fetch_source(next));
            next += 1;
        }
        match reading.join_next().await {
            Some(Ok(note)) => notes.push(note),
            Some(Err(error)) => notes.push(format!("nothing: {error}")),
            None => return notes,
        }
        publish(&Progress { read: notes.len(), of: pages });
    }
}

#[workflow]
async fn research_agent(question: String) -> Result<Vec<Turn>, Error> {
    let mut conversation = vec![Turn::User { text: question }];
    let notes = gathers(PAGES).await;
    let tools: Vec<_> = (0..12).map(|tool| consult(tool, notes.len())).collect();
    let results = tools.join().await;
    for (name, result) in (0..).zip(results) {
        conversation.push(Turn::Tool { name, result });
    }
    loop {
        let draft = compose_draft(&conversation).await;
        conversation.push(Turn::Assistant { text: draft });
        match recv::<Verdict>().timeout(7 * DAY).await {
            Ok(Verdict::Publish) => return Ok(conversation),
            Ok(Verdict::Revise(text)) => conversation.push(Turn::User { text }),
            Err(Elapsed) => bail!("nobody has read it"),
        }
    }
}

#[tokio::test]
async fn a_research_agent_reads_consults_and_waits_for_its_editor() {
    let desk = Desk::default();
    let engine = testing::engine().state(desk.clone()).open().await;
    let begun = engine.now();
    engine.start("thesis", research_agent("what lasts?".into())).await.unwrap();
    // Killed while it reads, several times; nothing that was read is read again.
    let agent = |engine: &testing::TestEngine| engine.handle("thesis").of(research_agent);
    for _ in 0..5 {
        engine.crash_and_reopen().await;
        tokio::task::yield_now().await;
    }
    engine.advance(HOUR).await;
    let progress = agent(&engine).published::<Progress>().await.unwrap().unwrap();
    assert_eq!((progress.read, progress.of), (400, 400));
    let waits = agent(&engine).describe().await.unwrap();
    assert!(waits.activities.is_empty(), "{waits}");
    assert_eq!(waits.status, Status::Waiting);

    engine.advance(3 * DAY).await;
    let engine = engine.crash_and_reopen().await;
    engine.signal("thesis", Verdict::Revise("shorter".into())).await.unwrap();
    engine.idle().await;
    engine.signal("thesis", Verdict::Publish).await.unwrap();
    let conversation = agent(&engine).result().await.unwrap().unwrap();
    assert_eq!(conversation.len(), 1 + 12 + 3);
    assert_eq!(conversation[0], Turn::User { text: "what lasts?".into() });
    let Turn::Tool { name: 11, result } = &conversation[12] else { panic!("{conversation:?}") };
    assert_eq!(result["notes"], 400);
    assert_eq!(
        conversation[13..],
        [
            Turn::Assistant { text: "a draft after 13 turns".into() },
            Turn::User { text: "shorter".into() },
            Turn::Assistant { text: "a draft after 15 turns".into() },
        ]
    );
    assert!(desk.most(0) <= 20 && desk.most(1) <= 3, "{} {}", desk.most(0), desk.most(1));
    assert!(since(&engine, begun) >= 3 * DAY && since(&engine, begun) < 3 * DAY + 2 * HOUR);
}

#[tokio::test]
async fn a_research_that_nobody_reads_ends_by_itself() {
    let fetched = |page: u32| Ok(format!("page {page}"));
    let engine = testing::engine()
        .state(Desk::default())
        .mock(mock(fetch_source).delay(MINUTE).then(fetched))
        .open()
        .await;
    let begun = engine.now();
    let handle = engine.start("thesis", research_agent("what lasts?".into())).await.unwrap();
    assert_eq!(handle.result().await.unwrap().unwrap_err().to_string(), "nobody has read it");
    // Twenty at once: twenty minutes for the pages, and then a week.
    assert_eq!(since(&engine, begun), 20 * MINUTE + 7 * DAY);
}
