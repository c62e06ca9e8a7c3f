//! What the store's options cost: two syncs a commit, every page checked at an opening, and a back-up while others work.

use std::time::{Duration, Instant};

use durable::{Engine, workflow};

use crate::{
    Dir,
    stats::{Sample, micros},
    workload::count,
};

const STEPS: u64 = 100;
const ROUNDS: usize = 30;
/// Instances that wait in the store that is opened and copied, each with a kilobyte.
const WAITING: u64 = 20_000;

#[workflow]
async fn rest(note: String) -> usize {
    durable::sleep(Duration::from_secs(86_400)).await;
    note.len()
}

pub(crate) fn run(runtime: &tokio::runtime::Runtime, dir: &Dir) {
    runtime.block_on(async {
        two_phase(dir).await;
        opening_and_back_up(dir).await;
    });
}

async fn two_phase(dir: &Dir) {
    let open = |name: &str| Engine::builder().path(dir.fresh(name));
    let engines = [
        open("one-phase.redb").open().await.expect("it opens"),
        open("two-phase.redb").two_phase_commit(true).open().await.expect("it opens"),
        open("quick-repair.redb").quick_repair(true).open().await.expect("it opens"),
    ];
    let mut steps = [Sample::default(), Sample::default(), Sample::default()];
    for round in 0..=ROUNDS {
        for (engine, steps) in engines.iter().zip(&mut steps) {
            let started = Instant::now();
            engine.run(count(STEPS)).await.expect("the workflow ends");
            if round > 0 {
                steps.add(micros(started.elapsed(), STEPS));
            }
        }
    }
    println!("\none workflow, {STEPS} no-op activities in sequence, {ROUNDS} rounds");
    println!("  one sync a commit   {}", steps[0].show(" us"));
    println!("  two                 {}", steps[1].show(" us"));
    println!("  two / one           {}", steps[1].over(&steps[0]).show(""));
    println!("  quick repair / one  {}", steps[2].over(&steps[0]).show(""));
}

async fn opening_and_back_up(dir: &Dir) {
    let path = dir.fresh("options.redb");
    let engine = Engine::open(&path).await.expect("it opens");
    let starting: Vec<_> = (0..WAITING)
        .map(|n| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.start(format!("rest-{n}"), rest("x".repeat(1_000))).await })
        })
        .collect();
    for start in starting {
        start.await.expect("no panic").expect("it starts");
    }
    engine.shutdown(Duration::from_secs(60)).await.expect("it stops");
    let megabytes = std::fs::metadata(&path).expect("it is there").len() as f64 / 1e6;
    let (mut plain, mut verified) = (Sample::default(), Sample::default());
    let (mut copied, mut alone, mut beside) = (Sample::default(), Sample::default(), Sample::default());
    for round in 0..6 {
        for (verify, sample) in [(false, &mut plain), (true, &mut verified)] {
            let started = Instant::now();
            let engine = Engine::builder().path(&path).verify_at_open(verify).open().await.expect("it opens");
            if round > 0 {
                sample.add(started.elapsed().as_secs_f64() * 1e3);
            }
            engine.shutdown(Duration::from_secs(60)).await.expect("it stops");
        }
        let engine = Engine::open(&path).await.expect("it opens");
        let steps = async || {
            let started = Instant::now();
            engine.run(count(STEPS)).await.expect("the workflow ends");
            started.elapsed()
        };
        let by_themselves = steps().await;
        let copy = dir.fresh("copy.redb");
        let copying = tokio::spawn({
            let (engine, copy) = (engine.clone(), copy.clone());
            async move {
                let started = Instant::now();
                engine.backup(&copy).await.expect("it is made");
                started.elapsed()
            }
        });
        let (mut meanwhile, mut times) = (Duration::ZERO, 0);
        while times == 0 || !copying.is_finished() {
            meanwhile += steps().await;
            times += 1;
        }
        let took = copying.await.expect("no panic");
        if round > 0 {
            copied.add(took.as_secs_f64() * 1e3);
            alone.add(micros(by_themselves, STEPS));
            beside.add(micros(meanwhile, STEPS * times));
        }
        engine.shutdown(Duration::from_secs(60)).await.expect("it stops");
    }
    println!("\na store of {megabytes:.0} MB with {WAITING} instances that wait");
    println!("  opened              {}", plain.show(" ms"));
    println!("  opened and verified {}", verified.show(" ms"));
    println!("  backed up           {}", copied.show(" ms"));
    println!("  a step meanwhile / alone {}", beside.over(&alone).show(""));
}
