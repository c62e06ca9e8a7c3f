//! Signals: what was acknowledged comes, once, and in the order in which each sender sent it, wherever the engine dies.
//!
//! Senders outside of the engine and instances inside of it write to receivers, which are busy with an activity after each message, so that
//! messages wait in the store. At random moments the disk is copied and the engine thrown away: what was acknowledged before that moment
//! counts, what came after it is sent again if it has a key, and may have been lost if it has none.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use durable::{
    prelude::*,
    store::{MemoryImage, RedbStore, Store},
};
use durable_store::testing::Rng;
use serde::{Deserialize, Serialize};

use crate::{block_on, seed, times, watched::Watched};

const RECEIVERS: u64 = 5;
/// Senders of each receiver: two outside with keys, one without, and one that is an instance.
const SENDERS: u64 = 4;
const KEYLESS: u64 = 2;
const PEER: u64 = 3;
/// Messages of each sender, the last one not counted.
const MESSAGES: u64 = 50;
/// All messages of a run.
const MESSAGES_PER_RUN: u64 = RECEIVERS * SENDERS * MESSAGES;
/// A run ends within this, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Clone, Debug, Serialize, Deserialize, Signal)]
struct Parcel {
    sender: u64,
    n: u64,
}

#[activity]
async fn unpack(n: u64) -> u64 {
    n
}

/// Receives until each sender has sent its last parcel.
#[workflow]
async fn receiver() -> Vec<(u64, u64)> {
    let mut received = Vec::new();
    let mut open = SENDERS;
    while open > 0 {
        let Parcel { sender, n } = recv::<Parcel>().await;
        unpack(n).await;
        received.push((sender, n));
        if n == MESSAGES {
            open -= 1;
        }
    }
    received
}

#[workflow]
async fn courier(to: String) -> Result<(), SignalError> {
    for n in 0..=MESSAGES {
        durable::signal(&to, Parcel { sender: PEER, n }).await?;
    }
    Ok(())
}

fn name(receiver: u64) -> String {
    format!("receiver-{receiver}")
}

/// What has become of a message, as far as its sender knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Acknowledged,
    Unknown,
}

struct World {
    /// The engine that lives at the moment, and how many died before it.
    engine: Mutex<(Engine, u64)>,
    /// Counted before the disk is copied.
    died: AtomicU64,
    acknowledged: AtomicU64,
    sent: Mutex<Sent>,
}

impl World {
    fn engine(&self) -> (Engine, u64) {
        self.engine.lock().expect("no holder panics").clone()
    }

    /// Sends all messages of one sender.
    async fn send_all(&self, receiver: u64, sender: u64) {
        let mut n = 0;
        while n <= MESSAGES {
            let (engine, died) = self.engine();
            let call = engine.signal(name(receiver), Parcel { sender, n });
            // Without its last message a receiver would wait for ever.
            let has_key = sender != KEYLESS || n == MESSAGES;
            let sent = if has_key { call.dedup(format!("{sender}/{n}")) } else { call }.await;
            // Told before the next death, it was durable before it.
            let known = match sent {
                Ok(()) if died == self.died.load(Ordering::SeqCst) => Known::Acknowledged,
                _ => Known::Unknown,
            };
            if known == Known::Acknowledged {
                self.acknowledged.fetch_add(1, Ordering::SeqCst);
            } else if has_key {
                tokio::task::yield_now().await;
                continue;
            }
            self.sent.lock().expect("no holder panics").insert((receiver, sender, n), known);
            n += 1;
        }
    }
}

/// What each receiver got: the sender and the number of each parcel.
type Received = BTreeMap<u64, Vec<(u64, u64)>>;
/// What has become of each parcel: its receiver, its sender, its number.
type Sent = BTreeMap<(u64, u64, u64), Known>;

/// Runs everything to its end, with a death after about so many acknowledgements each. `wrap` is what lies between engine and store.
async fn run(rng: &mut Rng, wrap: impl Fn(RedbStore) -> Arc<dyn Store>) -> Result<(Received, Sent), String> {
    let mut image = MemoryImage::new();
    let open = async |image: &MemoryImage| {
        let store = wrap(RedbStore::open_image(image).expect("a copied disk opens"));
        Engine::builder().store(store).open().await.expect("the engine opens")
    };
    let engine = open(&image).await;
    for number in 0..RECEIVERS {
        engine.start(name(number), receiver()).await.expect("it starts");
        engine.start(format!("courier-{number}"), courier(name(number))).await.expect("it starts");
    }
    let world = Arc::new(World {
        engine: Mutex::new((engine, 0)),
        died: AtomicU64::new(0),
        acknowledged: AtomicU64::new(0),
        sent: Mutex::default(),
    });
    let mut senders = tokio::task::JoinSet::new();
    for receiver in 0..RECEIVERS {
        for sender in 0..PEER {
            let world = world.clone();
            senders.spawn(async move { world.send_all(receiver, sender).await });
        }
    }
    let begun = Instant::now();
    while !senders.is_empty() {
        let next = world.acknowledged.load(Ordering::SeqCst) + 20 + rng.below(100);
        while !senders.is_empty() && world.acknowledged.load(Ordering::SeqCst) < next {
            let _ = tokio::time::timeout(Duration::from_millis(1), senders.join_next()).await;
            if begun.elapsed() > PATIENCE {
                return Err("the senders did not come to an end".into());
            }
        }
        // From here on what is told does not count: the disk is copied.
        let died = world.died.fetch_add(1, Ordering::SeqCst) + 1;
        image = image.fork();
        let engine = open(&image).await;
        *world.engine.lock().expect("no holder panics") = (engine, died);
    }
    let (engine, _) = world.engine();
    let mut received = Received::new();
    for number in 0..RECEIVERS {
        let handle = engine.handle(name(number)).of(receiver);
        let ended = tokio::time::timeout(PATIENCE, handle.result()).await;
        let parcels = ended.map_err(|_| format!("receiver {number} did not come to an end"))?;
        received.insert(number, parcels.map_err(|error| error.to_string())?);
    }
    let sent = world.sent.lock().expect("no holder panics").clone();
    Ok((received, sent))
}

/// What is wrong with what was received.
fn judge(received: &Received, sent: &Sent) -> Result<(), String> {
    for (receiver, parcels) in received {
        for sender in 0..SENDERS {
            let got: Vec<_> = parcels.iter().filter(|(by, _)| *by == sender).map(|(_, n)| *n).collect();
            if !got.is_sorted_by(|a, b| a < b) {
                return Err(format!("receiver {receiver} got {got:?} of sender {sender}"));
            }
            let must = (0..=MESSAGES).filter(|n| {
                sender == PEER || sent.get(&(*receiver, sender, *n)) == Some(&Known::Acknowledged)
            });
            if let Some(lost) = must.into_iter().find(|n| !got.contains(n)) {
                return Err(format!("receiver {receiver} did not get {lost} of sender {sender}: {got:?}"));
            }
        }
    }
    Ok(())
}

fn plain(store: RedbStore) -> Arc<dyn Store> {
    Arc::new(store)
}

#[test]
fn acknowledged_signals_come_once_and_in_order_wherever_the_engine_dies() {
    let seed = seed();
    for round in 0..times(10_000 / MESSAGES_PER_RUN) {
        let mut rng = Rng::new(seed.wrapping_add(round));
        let ran = block_on(run(&mut rng, plain));
        let judged = ran.and_then(|(received, sent)| judge(&received, &sent));
        judged.unwrap_or_else(|wrong| panic!("round {round}: {wrong}"));
    }
}

#[test]
fn a_store_that_forgets_what_was_taken_is_found_out() {
    let mut rng = Rng::new(seed());
    let taken = Arc::new(AtomicU64::new(0));
    let forgetful = |store| {
        let taken = taken.clone();
        let store = Watched::new(store, move |store: &RedbStore, batch: &durable::store::Batch| {
            let mut batch = batch.clone();
            for transition in batch.transitions.iter_mut().filter(|transition| !transition.taken.is_empty()) {
                // Now and then one is left where it was.
                if taken.fetch_add(1, Ordering::SeqCst) % 20 == 10 {
                    transition.taken.pop();
                }
            }
            store.commit(&batch)
        });
        store as Arc<dyn Store>
    };
    let found = block_on(run(&mut rng, forgetful)).and_then(|(received, sent)| judge(&received, &sent));
    assert!(found.is_err(), "it was not noticed");
}
