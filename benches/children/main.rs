//! What a child costs, beside an instance that is started from outside and makes the same step.
//!
//! `cargo bench --bench children`
//!
//! Both take turns within one run, on one disk. A child writes more than an instance of its own: its parent's record of it, and the
//! news of its creation and of its end.

use std::{path::Path, time::Instant};

use durable::{ChildHandle, Engine, Error, activity, child, workflow};

const CHILDREN: u32 = 1_000;
const ROUNDS: usize = 7;

#[activity]
async fn tick(n: u32) -> Result<u32, Error> {
    Ok(n + 1)
}

#[workflow]
async fn leaf(n: u32) -> Result<u32, Error> {
    tick(n).await
}

#[workflow]
async fn parent(children: u32) -> Result<u32, Error> {
    let mut started: Vec<ChildHandle<Result<u32, Error>>> = Vec::new();
    for n in 0..children {
        started.push(child(n.to_string(), leaf(n)).start().await);
    }
    let mut sum = 0;
    for child in started {
        sum += child.await?;
    }
    Ok(sum)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the runtime starts");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("children-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("the directory is made");
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let (of_parent, alone) = runtime.block_on(measure(&dir.join(format!("{round}.redb"))));
        println!("{CHILDREN} children of one parent: {of_parent:.2} s; {CHILDREN} instances: {alone:.2} s");
        ratios.push(of_parent / alone);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "a child costs {:.1} times an instance ({:.1} to {:.1})",
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1]
    );
    let _ = std::fs::remove_dir_all(&dir);
}

/// Seconds with one parent, and without.
async fn measure(path: &Path) -> (f64, f64) {
    let expected: u32 = (1..=CHILDREN).sum();
    let engine = Engine::open(path).await.expect("the engine opens");
    let began = Instant::now();
    let sum = engine.run(parent(CHILDREN)).await.expect("the parent ends").expect("and does not fail");
    let of_parent = began.elapsed().as_secs_f64();
    assert_eq!(sum, expected);
    let began = Instant::now();
    let mut handles = Vec::new();
    for n in 0..CHILDREN {
        handles.push(engine.start(format!("alone-{n}"), leaf(n)).await.expect("it starts"));
    }
    let mut sum = 0;
    for handle in handles {
        sum += handle.result().await.expect("it ends").expect("and does not fail");
    }
    let alone = began.elapsed().as_secs_f64();
    assert_eq!(sum, expected);
    engine.shutdown(std::time::Duration::from_secs(5)).await.expect("the engine closes");
    (of_parent, alone)
}
