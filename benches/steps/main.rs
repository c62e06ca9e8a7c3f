//! What a durable step costs, beside what the disk and a bare redb cost for the same bytes.
//!
//! `cargo bench --bench steps [-- sequential | concurrent | latency | resume | options]`
//!
//! `cargo bench --bench steps -- fleet` runs 10,000 workflows and nothing beside them, ten times over: for a profiler.
//!
//! The contenders take turns within one run, on one disk, with the same bytes in the same batches: a
//! shared machine is a different machine a minute later, so only the ratios of one run mean
//! anything. Medians of the rounds, with the least and the most. Beside a busy neighbour processor time says more than the
//! clock: it is given wherever the work is not a disk's.

mod bare;
mod latency;
mod options;
mod processor;
mod recorder;
mod resume;
mod stats;
mod workload;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use durable::Engine;

use crate::{
    bare::{BareLog, BareRedb},
    processor::Processor,
    recorder::{Commit, Recorder},
    stats::{Sample, micros},
    workload::count,
};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|arg| arg == name);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the runtime starts");
    let dir = Dir::new();
    println!(
        "{} cores; files in {}",
        std::thread::available_parallelism().map_or(0, usize::from),
        dir.0.display()
    );
    if wants("sequential") {
        sequential(&runtime, &dir);
    }
    if wants("concurrent") {
        for (workflows, rounds) in [(100, 9), (1_000, 7), (10_000, 5)] {
            concurrent(&runtime, &dir, workflows, rounds);
        }
    }
    if wants("latency") {
        latency::run(&runtime, &dir);
    }
    if wants("resume") {
        resume::run(&runtime, &dir);
    }
    if wants("options") {
        options::run(&runtime, &dir);
    }
    if wanted.iter().any(|arg| arg == "fleet") {
        for _ in 0..10 {
            let store = Recorder::open(&dir.fresh("fleet.redb"));
            let (before, workflows) = (Processor::now(), 10_000);
            let took = runtime.block_on(fleet(&store, workflows, 10));
            let used = micros(before.used(), workflows * 10);
            println!(
                "{:.2} us a step by the clock, {used:.2} of processor time",
                micros(took, workflows * 10)
            );
        }
    }
}

/// A directory on the disk that the build is on, removed at the end.
pub(crate) struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("steps-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the directory is made");
        Dir(path)
    }

    /// A path where no file is.
    pub(crate) fn fresh(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        let _ = std::fs::remove_file(&path);
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One workflow, one activity after the other.
fn sequential(runtime: &tokio::runtime::Runtime, dir: &Dir) {
    const STEPS: u64 = 100;
    const ROUNDS: usize = 60;
    let store = Recorder::open(&dir.fresh("sequential.redb"));
    let engine = runtime.block_on(Engine::builder().store(store.clone()).open()).expect("the engine opens");
    let bare = BareRedb::create(&dir.fresh("bare.redb"));
    let mut log = BareLog::create(&dir.fresh("bare.log"));
    let (mut steps, mut redb, mut sync, mut inside) =
        (Sample::default(), Sample::default(), Sample::default(), Sample::default());
    let mut bytes = Sample::default();
    for round in 0..=ROUNDS {
        store.take();
        let started = Instant::now();
        let total = runtime.block_on(engine.run(count(STEPS))).expect("the workflow ends");
        let took = started.elapsed();
        assert_eq!(total, STEPS);
        let commits = store.take();
        let (on_redb, on_log) = (bare.replay(&commits), log.replay(&commits));
        if round == 0 {
            continue; // warm-up
        }
        // The start is a commit too, so the divisor is the number of commits.
        let over = commits.len() as u64;
        steps.add(micros(took, over));
        redb.add(micros(on_redb, over));
        sync.add(micros(on_log, over));
        inside.add(micros(commits.iter().map(|commit| commit.took).sum(), over));
        bytes.add(rows(&commits).1 as f64 / rows(&commits).0 as f64);
    }
    println!(
        "\none workflow, {STEPS} no-op activities in sequence, {ROUNDS} rounds, {:.0} bytes a row",
        bytes.median()
    );
    println!("  durable step        {}", steps.show(" us"));
    println!("    of it in commits  {}", inside.show(" us"));
    println!("  bare redb commit    {}", redb.show(" us"));
    println!("  bare fdatasync      {}", sync.show(" us"));
    println!("  step / bare redb    {}", steps.over(&redb).show(""));
    println!("  step / fdatasync    {}", steps.over(&sync).show(""));
    runtime.block_on(engine.shutdown(Duration::from_secs(1))).expect("the engine stops");
}

/// Many workflows of ten activities at once, from the first start to the last result.
fn concurrent(runtime: &tokio::runtime::Runtime, dir: &Dir, workflows: u64, rounds: usize) {
    const STEPS: u64 = 10;
    let (mut ours, mut bare, mut share) = (Sample::default(), Sample::default(), Sample::default());
    let (mut per_commit, mut bytes) = (Sample::default(), Sample::default());
    let (mut work, mut bare_work) = (Sample::default(), Sample::default());
    for round in 0..=rounds {
        let store = Recorder::open(&dir.fresh("concurrent.redb"));
        let before = Processor::now();
        let took = runtime.block_on(fleet(&store, workflows, STEPS));
        let used = before.used();
        let commits = store.take();
        drop(store);
        let redb = BareRedb::create(&dir.fresh("bare.redb"));
        let before = Processor::now();
        let on_redb = redb.replay(&commits);
        let redb_used = before.used();
        if round == 0 {
            continue;
        }
        let (rows, written) = rows(&commits);
        ours.add((workflows * STEPS) as f64 / took.as_secs_f64());
        bare.add((workflows * STEPS) as f64 / on_redb.as_secs_f64());
        let inside: Duration = commits.iter().map(|commit| commit.took).sum();
        share.add(100.0 * inside.as_secs_f64() / took.as_secs_f64());
        per_commit.add(rows as f64 / commits.len() as f64);
        bytes.add(written as f64 / rows as f64);
        work.add(micros(used, workflows * STEPS));
        bare_work.add(micros(redb_used, workflows * STEPS));
    }
    println!(
        "\n{workflows} workflows of {STEPS} no-op activities, {rounds} rounds, {:.0} bytes a row",
        bytes.median()
    );
    println!("  durable steps/s     {}", ours.show(""));
    println!("  bare redb steps/s   {}", bare.show(""));
    println!("  bare redb / durable {}", bare.over(&ours).show(""));
    println!("  rows per commit     {}", per_commit.show(""));
    println!("  time in commits     {}", share.show(" %"));
    println!("  processor, a step   {}", work.show(" us"));
    println!("    bare redb         {}", bare_work.show(" us"));
}

async fn fleet(store: &std::sync::Arc<Recorder>, workflows: u64, steps: u64) -> Duration {
    let engine = Engine::builder().store(store.clone()).open().await.expect("the engine opens");
    store.take();
    let started = Instant::now();
    let running: Vec<_> = (0..workflows)
        .map(|n| {
            let engine = engine.clone();
            tokio::spawn(async move {
                let handle = engine.start(format!("count-{n}"), count(steps)).await.expect("it starts");
                handle.result().await.expect("it ends")
            })
        })
        .collect();
    for task in running {
        assert_eq!(task.await.expect("no panic"), steps);
    }
    let took = started.elapsed();
    engine.shutdown(Duration::from_secs(1)).await.expect("the engine stops");
    took
}

/// How many rows were committed, and how many bytes.
fn rows(commits: &[Commit]) -> (usize, usize) {
    let rows = commits.iter().flat_map(|commit| &commit.rows);
    rows.fold((0, 0), |(count, bytes), (_, len)| (count + 1, bytes + len))
}
