//! Many instances at once, and a `kill -9` half-way: all finish, each once, in memory that has a bound; and the time from the restart to the first
//! activity that goes on.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use durable::prelude::*;

use crate::{process::peak_bytes, times};

const DIRECTORY: &str = "DURABLE_MANY_DIRECTORY";
const COUNT: &str = "DURABLE_MANY";
const LIFE: &str = "DURABLE_MANY_LIFE";
/// So many are asked for at once; the engine has all of them.
const AT_ONCE: u64 = 500;
/// What a process may take at its peak, in MiB. Of the store's cache 128 are allowed.
const MOST_MIB: u64 = 320;
/// A process ends within this for every 10,000 instances.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where every attempt is written down.
struct Journal {
    lines: Mutex<File>,
    next: AtomicU64,
    opened: Instant,
    first: OnceLock<Duration>,
}

/// One of the two things that an instance does. Each attempt gives a value of its own.
#[activity]
async fn mark(State(journal): State<Journal>, number: u64, step: u64) -> u64 {
    journal.first.get_or_init(|| journal.opened.elapsed());
    let value = journal.next.fetch_add(1, Ordering::Relaxed);
    let line = format!("{number} {step} {value}\n");
    journal.lines.lock().expect("no holder panics").write_all(line.as_bytes()).expect("it is written down");
    value
}

#[workflow]
async fn marks(number: u64) -> (u64, u64) {
    let first = mark(number, 0).await;
    sleep(Duration::from_millis(20)).await;
    (first, mark(number, 1).await)
}

fn id(number: u64) -> String {
    format!("{number}")
}

fn append(directory: &Path, name: &str) -> File {
    OpenOptions::new().create(true).append(true).open(directory.join(name)).expect("a file of the test opens")
}

/// What a process does: everything that is not done yet.
#[test]
fn a_child_runs_many() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let (directory, read) = (Path::new(&directory), |name| std::env::var(name).ok()?.parse::<u64>().ok());
    let count = read(COUNT).expect("the parent says how many");
    let life = read(LIFE).expect("the parent says which life it is");
    let journal = Arc::new(Journal {
        lines: Mutex::new(append(directory, "journal")),
        next: AtomicU64::new(life << 40),
        opened: Instant::now(),
        first: OnceLock::new(),
    });
    let ended = Arc::new(Mutex::new(append(directory, "ended")));
    crate::block_on(async {
        let builder = Engine::builder().path(directory.join("store.redb")).state_arc(journal.clone());
        let engine = builder.open().await.expect("the engine opens");
        // First all are started, so that as many as there are wait at once.
        each(count, &engine, |engine, number| async move {
            engine.start(id(number), marks(number)).await.expect("it starts");
        })
        .await;
        each(count, &engine, |engine, number| {
            let ended = ended.clone();
            async move {
                let (first, second) = engine.handle(id(number)).of(marks).result().await.expect("it ends");
                let text = format!("{number} {first} {second}\n");
                let mut ended = ended.lock().expect("no holder panics");
                ended.write_all(text.as_bytes()).expect("it is written down");
            }
        })
        .await;
        engine.shutdown(Duration::from_secs(10)).await.expect("the engine stops");
    });
    let first = journal.first.get().copied().unwrap_or_default();
    let mut report = append(directory, "report");
    writeln!(report, "{} {}", first.as_millis(), peak_bytes() >> 20).expect("it is written down");
}

/// Does something for each, a number of them at once.
async fn each<F: Future<Output = ()> + Send + 'static>(
    count: u64,
    engine: &Engine,
    what: impl Fn(Engine, u64) -> F,
) {
    let mut going = tokio::task::JoinSet::new();
    for number in 0..count {
        if going.len() as u64 >= AT_ONCE {
            going.join_next().await.expect("there is one").expect("it does not panic");
        }
        going.spawn(what(engine.clone(), number));
    }
    while let Some(ended) = going.join_next().await {
        ended.expect("it does not panic");
    }
}

fn spawn(directory: &Path, count: u64, life: u64) -> Child {
    Command::new(std::env::current_exe().expect("a test has an executable"))
        .args(["--exact", "many::a_child_runs_many", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .env(COUNT, count.to_string())
        .env(LIFE, life.to_string())
        .stdout(Stdio::null())
        .spawn()
        .expect("a child process starts")
}

fn lines(directory: &Path, name: &str) -> Vec<Vec<u64>> {
    let text = std::fs::read_to_string(directory.join(name)).unwrap_or_default();
    text.lines().map(|line| line.split(' ').filter_map(|word| word.parse().ok()).collect()).collect()
}

/// What is wrong with what was written down.
fn violations(count: u64, journal: &[Vec<u64>], ended: &[Vec<u64>]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut results: BTreeMap<u64, Vec<&[u64]>> = BTreeMap::new();
    ended.iter().for_each(|line| results.entry(line[0]).or_default().push(&line[1..]));
    let made: BTreeMap<u64, (u64, u64)> = journal.iter().map(|line| (line[2], (line[0], line[1]))).collect();
    for number in 0..count {
        let Some(ends) = results.get(&number) else {
            wrong.push(format!("{number} has not ended"));
            continue;
        };
        if ends.iter().any(|end| end != &ends[0]) {
            wrong.push(format!("{number} has ended as {ends:?}"));
        }
        for (step, value) in ends[0].iter().enumerate() {
            if made.get(value) != Some(&(number, step as u64)) {
                wrong.push(format!("{number} counts {value} for step {step}, which no attempt of it gave"));
            }
        }
    }
    wrong
}

/// Waits until the first life has done half of everything.
fn wait_for_half(directory: &Path, count: u64, child: &mut Child) {
    let began = Instant::now();
    // As many lines as instances: half of the activities.
    while (lines(directory, "journal").len() as u64) < count {
        assert!(child.try_wait().expect("it can be asked").is_none(), "it ended before half of it was done");
        assert!(began.elapsed() < PATIENCE * (1 + count as u32 / 10_000), "half of it takes too long");
        std::thread::sleep(Duration::from_millis(50 + count / 100));
    }
}

#[test]
fn many_instances_finish_once_whatever_kills_them_and_in_little_memory() {
    let count = times(10_000);
    let directory = tempfile::tempdir().expect("a directory for the test");
    let began = Instant::now();
    let mut first = spawn(directory.path(), count, 1);
    wait_for_half(directory.path(), count, &mut first);
    first.kill().expect("it can be killed");
    first.wait().expect("it can be waited for");
    let killed_after = began.elapsed();
    let done = lines(directory.path(), "journal").len();
    let status = spawn(directory.path(), count, 2).wait().expect("it can be waited for");
    assert!(status.success(), "the second life failed: {status}");
    let (journal, ended) = (lines(directory.path(), "journal"), lines(directory.path(), "ended"));
    let report = lines(directory.path(), "report");
    let [first_ms, peak_mib] = report[0][..] else { panic!("{report:?}") };
    println!(
        "{count} instances in {:.1?}: killed after {killed_after:.1?} with {done} activities done; {first_ms} ms from the restart to the next \
         one; {} attempts were cut off and made again; {peak_mib} MiB at the peak",
        began.elapsed(),
        journal.len() as u64 - 2 * count,
    );
    let wrong = violations(count, &journal, &ended);
    assert!(wrong.is_empty(), "{} violations, the first: {}", wrong.len(), wrong[0]);
    assert!(peak_mib < MOST_MIB, "{peak_mib} MiB at the peak");
    // The control: the same judge over a log in which one result was lost, and one was given twice.
    let lost: Vec<_> = ended.iter().filter(|line| line[0] != 7).cloned().collect();
    assert_eq!(violations(count, &journal, &lost).len(), 1);
    let mut twice = ended.clone();
    twice.push(vec![7, 1, 2]);
    assert_eq!(violations(count, &journal, &twice).len(), 1);
}
