//! What the simulated instances do: random sequences of everything that a workflow can wait for, written as data that a workflow interprets, so that a
//! seed is a program and no program has to be compiled.

use std::time::Duration;

use durable::{child, compensate, prelude::*, spawn};
use durable_store::testing::Rng;
use serde::{Deserialize, Serialize};

use super::world::World;

/// Which program an instance runs, and by which numbers its calls are known.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    pub(crate) seed: u64,
    /// Its calls have the numbers from here on.
    pub(crate) first: u64,
    /// How many generations of children it may have.
    pub(crate) depth: u32,
    /// How many instances there are to talk to.
    pub(crate) others: u64,
}

/// Calls of one instance, its children's included, are fewer.
pub(crate) const CALLS: u64 = 100_000;

/// One thing to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Act {
    Work(u64),
    /// May fail for good, and the workflow with it.
    Risk(u64),
    Sleep(u64),
    Receive,
    ReceiveFor(u64),
    Serve,
    Join(Vec<u64>),
    Race(u64, u64),
    WorkFor(u64, u64),
    Beside(u64, u64),
    Child(String, Spec),
    Undo(u64),
    Show(u64),
    Tell(String, u64),
    Fail,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Got {
    /// What the call of this number gave.
    Value(u64, u64),
    Ping(u64),
    /// Nothing, in time.
    Late,
    Served,
    /// Whether a message could be delivered.
    Told(u64, bool),
    /// A child that failed, by the number that its calls begin with.
    Failed(u64),
}

#[derive(Clone, Debug, Serialize, Deserialize, Signal)]
pub(crate) struct Ping(pub(crate) u64);

#[derive(Clone, Debug, Serialize, Deserialize, Update)]
#[update(output = u64)]
pub(crate) struct Ask(pub(crate) u64);

#[derive(Clone, Debug, Serialize, Deserialize, Publish)]
pub(crate) struct Shown(u64);

#[activity(
    name = "sim_work",
    retry(initial = "10ms", backoff = 2.0, max_interval = "1s"),
    start_to_close = "1min"
)]
async fn work(State(world): State<World>, call: u64) -> Result<u64, Error> {
    world.attempt(call).await
}

#[activity(name = "sim_risk", retry(initial = "10ms", max_attempts = 2))]
async fn risk(State(world): State<World>, call: u64) -> Result<u64, Error> {
    world.attempt(call).await
}

#[workflow]
async fn beside(call: u64, ms: u64) -> Result<u64, Error> {
    sleep(Duration::from_millis(ms)).await;
    work(call).await
}

/// Does what its seed says.
#[workflow]
pub(crate) async fn play(spec: Spec) -> Result<Vec<Got>, Error> {
    perform(script(spec)).await
}

/// Does one thing after the other.
#[workflow]
pub(crate) async fn perform(acts: Vec<Act>) -> Result<Vec<Got>, Error> {
    let mut got = Vec::new();
    for act in acts {
        match act {
            Act::Work(call) => got.push(Got::Value(call, work(call).await?)),
            Act::Risk(call) => got.push(Got::Value(call, risk(call).await?)),
            Act::Sleep(ms) => sleep(Duration::from_millis(ms)).await,
            Act::Receive => got.push(Got::Ping(recv::<Ping>().await.0)),
            Act::ReceiveFor(ms) => match recv::<Ping>().timeout(Duration::from_millis(ms)).await {
                Ok(ping) => got.push(Got::Ping(ping.0)),
                Err(_) => got.push(Got::Late),
            },
            Act::Serve => {
                let request = recv_update::<Ask>().await;
                let answer = request.0 + 1;
                request.reply(answer);
                got.push(Got::Served);
            }
            Act::Join(calls) => {
                let all: Vec<_> = calls.iter().map(|call| work(*call)).collect();
                let values = all.join().await;
                for (call, value) in calls.into_iter().zip(values) {
                    got.push(Got::Value(call, value?));
                }
            }
            Act::Race(one, other) => {
                got.push(select! {
                    value = work(one) => Got::Value(one, value?),
                    value = work(other) => Got::Value(other, value?),
                });
            }
            Act::WorkFor(call, ms) => match work(call).timeout(Duration::from_millis(ms)).await {
                Ok(value) => got.push(Got::Value(call, value?)),
                Err(_) => got.push(Got::Late),
            },
            Act::Beside(call, other) => {
                let handle = spawn(beside(call, 20));
                got.push(Got::Value(other, work(other).await?));
                let value = handle.await?;
                got.push(Got::Value(call, value));
            }
            Act::Child(name, spec) => match child(name, play(spec)).await {
                Ok(theirs) => got.extend(theirs),
                _ => got.push(Got::Failed(spec.first)),
            },
            Act::Undo(call) => compensate(work(call)),
            Act::Show(n) => publish(&Shown(n)),
            Act::Tell(id, n) => {
                let told = durable::signal(id, Ping(n)).await;
                got.push(Got::Told(n, told.is_ok()));
            }
            Act::Fail => bail!("it was to fail"),
        }
    }
    Ok(got)
}

/// The id of an instance.
pub(crate) fn id(number: u64) -> String {
    format!("instance-{number}")
}

/// What a spec's seed stands for.
pub(crate) fn script(spec: Spec) -> Vec<Act> {
    let mut rng = Rng::new(spec.seed);
    let mut next = spec.first;
    let mut call = || {
        next += 1;
        next
    };
    let mut acts = Vec::new();
    for nth in 0..=rng.below(4) {
        acts.push(match rng.below(17) {
            0..3 => Act::Work(call()),
            3 => Act::Risk(call()),
            4..6 => Act::Sleep(1 + rng.below(100)),
            6 => Act::Receive,
            7 => Act::ReceiveFor(1 + rng.below(50)),
            8 => Act::Serve,
            9 => Act::Join((0..2 + rng.below(10)).map(|_| call()).collect()),
            10 => Act::Race(call(), call()),
            11 => Act::WorkFor(call(), 1 + rng.below(30)),
            12 => Act::Beside(call(), call()),
            13 if spec.depth > 0 => {
                let first = spec.first + (nth + 1) * 100 * 10u64.pow(spec.depth);
                let theirs = Spec { seed: rng.next_u64(), first, depth: spec.depth - 1, ..spec };
                Act::Child(format!("kid-{nth}"), theirs)
            }
            13 | 14 => Act::Undo(call()),
            15 => Act::Tell(id(rng.below(spec.others)), call() << 32),
            _ if rng.chance(20) => Act::Fail,
            _ => Act::Show(call()),
        });
    }
    acts
}

/// Why an instance that ran this script can't have come to that, if it can't.
pub(crate) fn contradiction(acts: Vec<Act>, got: &[Got]) -> Option<String> {
    let mut got = got.iter();
    follow(acts, &mut got).err().or_else(|| {
        let left: Vec<_> = got.collect();
        (!left.is_empty()).then(|| format!("more than it did: {left:?}"))
    })
}

fn follow(acts: Vec<Act>, got: &mut std::slice::Iter<'_, Got>) -> Result<(), String> {
    for act in acts {
        let wanted = format!("{act:?}");
        let mut one = |right: &dyn Fn(&Got) -> bool| match got.next() {
            Some(found) if right(found) => Ok(()),
            found => Err(format!("{found:?} of {wanted}")),
        };
        let value = |of: u64| move |found: &Got| matches!(found, Got::Value(call, _) if *call == of);
        match act {
            Act::Work(call) | Act::Risk(call) => one(&value(call))?,
            Act::Sleep(_) | Act::Undo(_) | Act::Show(_) => {}
            Act::Receive => one(&|found| matches!(found, Got::Ping(_)))?,
            Act::ReceiveFor(_) => one(&|found| matches!(found, Got::Ping(_) | Got::Late))?,
            Act::Serve => one(&|found| *found == Got::Served)?,
            Act::Join(calls) => calls.into_iter().try_for_each(|call| one(&value(call)))?,
            Act::Race(a, b) => one(&|found| value(a)(found) || value(b)(found))?,
            Act::WorkFor(call, _) => one(&|found| value(call)(found) || *found == Got::Late)?,
            Act::Beside(call, other) => {
                one(&value(other))?;
                one(&value(call))?;
            }
            Act::Child(_, theirs) => {
                let mut ahead = got.clone();
                if ahead.next() == Some(&Got::Failed(theirs.first)) {
                    *got = ahead;
                } else {
                    follow(script(theirs), got)?;
                }
            }
            Act::Tell(_, n) => one(&|found| matches!(found, Got::Told(of, _) if *of == n))?,
            Act::Fail => return Err("it was to fail".into()),
        }
    }
    Ok(())
}
