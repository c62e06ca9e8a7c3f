//! Random sagas, with a crash after every commit, against a plain interpreter.
//!
//! A line in the log stands for an idempotency key: a compensation that ran again after its commit would have another one, and be there
//! twice. The interpreters that are wrong on purpose must be found out.

use std::sync::{Arc, Mutex};

use durable::{prelude::*, testing};
use serde::{Deserialize, Serialize};

use super::{Log, does, shared, undoes};

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Act {
    /// Does something, and pushes what undoes it.
    Do(u32),
    Finally(u32),
    /// Pushes something, and thinks better of it.
    Dismissed(u32),
    /// Undoes what was done so far.
    Undo,
    /// Calls another saga; whether its failure is this one's.
    Call(Vec<Act>, bool),
    Fail,
}

#[workflow]
async fn saga(acts: Vec<Act>) -> Result<(), Error> {
    for act in acts {
        match act {
            Act::Do(n) => {
                does(&n.to_string()).await?;
                compensate(undoes(&n.to_string()));
            }
            Act::Finally(n) => {
                finally(undoes(&n.to_string()));
            }
            Act::Dismissed(n) => compensate(undoes(&n.to_string())).dismiss(),
            Act::Undo => compensate_now().await,
            Act::Call(inner, matters) => {
                let called = saga(inner).await;
                if matters {
                    called?;
                }
            }
            Act::Fail => bail!("it fails"),
        }
    }
    Ok(())
}

/// How an interpreter may be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Not,
    /// The oldest runs first.
    Order,
    /// What a called saga has pushed is forgotten when it succeeds.
    Lost,
    /// Success does not run what runs on success too.
    Finally,
}

struct Pushed {
    line: String,
    finally: bool,
}

/// Gives whether it failed; what it pushed and did not run is its caller's.
fn interpret(acts: &[Act], wrong: Wrong, log: &mut Vec<String>, stack: &mut Vec<Pushed>) -> bool {
    let mut own = Vec::new();
    let failed = perform(acts, wrong, log, &mut own);
    if failed {
        run(&mut own, |_| true, wrong, log);
    } else {
        if wrong != Wrong::Finally {
            run(&mut own, |pushed| pushed.finally, wrong, log);
        }
        if wrong != Wrong::Lost {
            stack.append(&mut own);
        }
    }
    failed
}

fn perform(acts: &[Act], wrong: Wrong, log: &mut Vec<String>, own: &mut Vec<Pushed>) -> bool {
    for act in acts {
        match act {
            Act::Do(n) => {
                log.push(n.to_string());
                own.push(Pushed { line: format!("-{n}"), finally: false });
            }
            Act::Finally(n) => own.push(Pushed { line: format!("-{n}"), finally: true }),
            Act::Dismissed(_) => {}
            Act::Undo => run(own, |pushed| !pushed.finally, wrong, log),
            Act::Call(acts, matters) => {
                if interpret(acts, wrong, log, own) && *matters {
                    return true;
                }
            }
            Act::Fail => return true,
        }
    }
    false
}

fn run(own: &mut Vec<Pushed>, which: impl Fn(&Pushed) -> bool, wrong: Wrong, log: &mut Vec<String>) {
    let (mut now, later): (Vec<_>, Vec<_>) = std::mem::take(own).into_iter().partition(which);
    *own = later;
    if wrong != Wrong::Order {
        now.reverse();
    }
    log.extend(now.into_iter().map(|pushed| pushed.line));
}

fn expected(acts: &[Act], wrong: Wrong) -> Vec<String> {
    let mut log = Vec::new();
    interpret(acts, wrong, &mut log, &mut Vec::new());
    log
}

/// A small generator of its own, so that a seed means the same saga for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn acts(&mut self, depth: u32, next: &mut u32) -> Vec<Act> {
        let count = 1 + self.roll(4);
        let acts = (0..count).map(|_| {
            *next += 1;
            match self.roll(16) {
                0..=5 => Act::Do(*next),
                6 | 7 => Act::Finally(*next),
                8 => Act::Dismissed(*next),
                9 => Act::Undo,
                10 | 11 => Act::Fail,
                _ if depth == 0 => Act::Do(*next),
                side => Act::Call(self.acts(depth - 1, next), side % 2 == 0),
            }
        });
        acts.collect()
    }
}

fn random(seed: u64) -> Vec<Act> {
    Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1).acts(3, &mut 0)
}

#[tokio::test]
async fn random_sagas_do_what_the_interpreter_does() {
    let mut found_out = [Wrong::Order, Wrong::Lost, Wrong::Finally].map(|wrong| (wrong, 0));
    for seed in 1..=300 {
        let acts = random(seed);
        let log = shared();
        let engine = testing::engine().state_arc(log.clone()).open().await;
        let result = engine.run(saga(acts.clone())).await.unwrap();
        assert_eq!(log.lines(), expected(&acts, Wrong::Not), "seed {seed}: {acts:?}");
        assert_eq!(
            result.is_err(),
            interpret(&acts, Wrong::Not, &mut Vec::new(), &mut Vec::new()),
            "seed {seed}"
        );
        for (wrong, times) in &mut found_out {
            *times += u32::from(log.lines() != expected(&acts, *wrong));
        }
    }
    assert!(found_out.iter().all(|(_, times)| *times > 5), "the comparison finds nothing: {found_out:?}");
}

#[tokio::test]
async fn random_sagas_lose_and_repeat_nothing_over_a_crash_after_each_commit() {
    for seed in 1..=30 {
        let acts = random(seed);
        let logs: Arc<Mutex<Vec<Arc<Log>>>> = Arc::default();
        let (run, kept) = (acts.clone(), logs.clone());
        let test = testing::crash_at_every_step(move || saga(run.clone())).with(move |builder| {
            let log = shared();
            kept.lock().unwrap().push(log.clone());
            builder.state_arc(log)
        });
        test.await;
        let logs = std::mem::take(&mut *logs.lock().unwrap());
        for (crash, log) in logs.iter().enumerate() {
            assert_eq!(log.lines(), expected(&acts, Wrong::Not), "seed {seed}, crash {crash}: {acts:?}");
        }
    }
}
