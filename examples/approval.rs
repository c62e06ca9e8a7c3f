//! A person decides: an expense waits for an approval, for as long as that takes.
//!
//! ```text
//! cargo run --example approval              # 100,000 others wait beside it: half a minute to file them, unoptimized
//! cargo run --example approval -- 1000      # fewer
//! ```
//!
//! The process that filed the expenses dies while they wait. Another one shows the line at which one of them waits and what its variables
//! hold; a browser delivers the decision five times, and it counts once; then the expense is paid at once. What waits is on disk and
//! nowhere else: the memory of a process is the same with none waiting and with a hundred thousand.

use std::{path::Path, process::Command, sync::Arc};

use durable::prelude::*;
use serde::{Deserialize, Serialize};

/// So many other expenses wait, unless the command line says otherwise.
const OTHERS: usize = 100_000;
/// The memory of two processes that do the same differs by less than this.
const SAME_KIB: u64 = 4 << 10;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Expense {
    who: String,
    what: String,
    cents: u64,
}

/// What the approver clicks.
#[derive(Debug, Serialize, Deserialize, Signal)]
struct Decision {
    by: String,
    approved: bool,
}

/// What everybody may see.
#[derive(Debug, Serialize, Deserialize, Publish)]
struct Stage(String);

#[activity]
async fn file(expense: &Expense) -> String {
    format!("F-{}", expense.cents)
}

#[activity]
async fn pay(reference: &str, cents: u64) -> String {
    format!("{cents} cents for {reference}")
}

#[workflow]
async fn reimburse(expense: Expense) -> String {
    let reference = file(&expense).await;
    publish(&Stage(format!("{} waits for a decision", expense.what)));
    let decision = recv::<Decision>().await;
    if !decision.approved {
        return format!("{} said no to {}", decision.by, expense.who);
    }
    publish(&Stage("approved".into()));
    let payment = pay(&reference, expense.cents).await;
    format!("{} approved, {} gets {payment}", decision.by, expense.who)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["file", path, others] => file_all(path, others.parse()?).await,
        ["weigh", path] => weigh(path).await,
        [] => play(OTHERS).await,
        [others] => play(others.parse()?).await,
        _ => Err("usage: approval [OTHERS]".into()),
    }
}

async fn play(others: usize) -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let (store, empty) = (directory.path().join("expenses.redb"), directory.path().join("empty.redb"));
    again(&["file", &text(&store), &others.to_string()])?;
    println!("The process that filed the expenses is dead; {} of them wait for a person.\n", others + 1);

    // The first opening after a crash looks through the file. Whoever opens it then reads what he asks for, and nothing else.
    let engine = Engine::open(&store).await?;
    println!("{}", engine.handle("expense-7").describe().await?);
    engine.shutdown(std::time::Duration::from_secs(10)).await?;
    drop(engine);
    if let (Some(without), Some(with)) = (weigh_in_a_process(&empty)?, weigh_in_a_process(&store)?) {
        assert!(with < without + SAME_KIB, "{others} instances that wait take {} KiB", with - without);
        println!("What waits is on disk, and takes no memory.\n");
    }

    let engine = Engine::open(&store).await?;
    let handle = engine.handle("expense-7").of(reimburse);
    // A click, and a browser that does not believe that it came through.
    for _ in 0..5 {
        let decision = Decision { by: "Bea".into(), approved: true };
        engine.signal("expense-7", decision).dedup("click-1").await?;
    }
    println!("The decision was delivered 5 times.");
    println!("{}.", handle.result().await?);
    let history = handle.history().await?;
    let decisions = history.iter().filter(|event| event.to_string().contains("signal `Decision` received"));
    println!("It was received {} time.", decisions.count());
    engine.shutdown(std::time::Duration::from_secs(10)).await?;
    Ok(())
}

/// Has another process open the store, and gives what it takes for that, in KiB; nothing where that can't be measured.
fn weigh_in_a_process(store: &Path) -> Result<Option<u64>, Failure> {
    let weighed = Command::new(std::env::current_exe()?).args(["weigh", &text(store)]).output()?;
    let said = String::from_utf8_lossy(&weighed.stdout);
    let (said, kib) = said.trim_end().rsplit_once('\n').ok_or("the process that weighs said nothing")?;
    println!("{said}");
    Ok(kib.parse().ok())
}

/// Runs this program once more.
fn again(args: &[&str]) -> Result<(), Failure> {
    let status = Command::new(std::env::current_exe()?).args(args).status()?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", args.join(" ")).into()) }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Files the expenses, and is gone without a word as soon as they wait.
async fn file_all(path: &str, others: usize) -> Result<(), Failure> {
    let engine = Arc::new(Engine::open(path).await?);
    let expense = Expense { who: "Ann".into(), what: "a train to Oslo".into(), cents: 24_000 };
    engine.start("expense-7", reimburse(expense)).await?;
    let mut filing = tokio::task::JoinSet::new();
    for other in 0..others {
        let engine = engine.clone();
        filing.spawn(async move {
            let expense = Expense { who: format!("colleague {other}"), what: "lunch".into(), cents: 1_500 };
            engine.start(format!("lunch-{other}"), reimburse(expense)).await.map(drop)
        });
        // Several at once share a commit; all at once would be a queue in memory.
        if filing.len() >= 500 {
            filing.join_next().await.expect("there are some")??;
        }
    }
    while let Some(filed) = filing.join_next().await {
        filed??;
    }
    while !engine.list(Filter::new().status(Status::Running).limit(1)).await?.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    std::process::exit(0);
}

/// Says how much memory a process takes that has the store open, in words and then in KiB.
async fn weigh(path: &str) -> Result<(), Failure> {
    let engine = Engine::open(path).await?;
    let waits = engine.handle("expense-7").describe().await.is_ok();
    let what = if waits { "all those expenses" } else { "nothing" };
    match resident_kib() {
        Some(kib) => {
            println!("A process with {what} in its store takes {:.1} MiB.\n{kib}", kib as f64 / 1024.0);
        }
        None => println!("A process with {what} in its store: its memory is not measured on this system.\n?"),
    }
    Ok(())
}

/// As the kernel counts it, on Linux.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)] // run by tests/applications
mod tests {
    use super::*;
    use durable::{child, testing};

    /// Files an expense, and decides it.
    #[workflow]
    async fn decided(approved: bool) -> Result<String, Error> {
        let expense = Expense { who: "Ann".into(), what: "a train to Oslo".into(), cents: 24_000 };
        let expense = child("expense", reimburse(expense)).start().await;
        let id = expense.id().to_owned();
        durable::signal(id, Decision { by: "Bea".into(), approved }).await?;
        Ok(expense.outcome().await?)
    }

    #[tokio::test]
    async fn no_crash_changes_who_gets_how_much() {
        let engine = testing::engine().open().await;
        let paid = engine.run(decided(true)).await.unwrap().unwrap();
        assert_eq!(paid, "Bea approved, Ann gets 24000 cents for F-24000");
        assert_eq!(engine.run(decided(false)).await.unwrap().unwrap(), "Bea said no to Ann");
        assert!(testing::crash_at_every_step(|| decided(true)).await.crashes >= 5);
        assert!(testing::crash_at_every_step(|| decided(false)).await.crashes >= 4);
    }
}
