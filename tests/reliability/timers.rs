//! Timers: never early, never late, once, wherever the engine dies and however the clock is set.
//!
//! Instances sleep, one after the other and several at once, and ring after each sleep. The clock moves on, is set a day back or forward, while
//! the engine runs and while it is dead, and the engine dies at any moment of that. A plain interpreter of the same days says at which time
//! on the clock each sleep ends: when it is due, or the moment at which the clock was set past it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use durable::{HistoryKind, prelude::*, store::MemoryImage, testing, testing::TestEngine};
use durable_store::testing::Rng;

use crate::{block_on, seed, times};

const SLEEPERS: u64 = 200;
/// Sleeps of each instance: some are one after the other, some side by side.
const SLEEPS: usize = 5;
const TIMERS_PER_ROUND: u64 = SLEEPERS * SLEEPS as u64;
const DAY_MS: u64 = 86_400_000;
/// The virtual clock shows this at the beginning.
const START_MS: u64 = 20_000 * DAY_MS;

/// Sleeps that begin together, in milliseconds; the next ones begin when all of them are over.
type Nights = Vec<Vec<u64>>;

/// Under which keys each sleep rang: its instance and which one it was.
#[derive(Default)]
struct Bell(Mutex<BTreeMap<(u64, usize), BTreeSet<String>>>);

#[activity]
async fn ring(State(bell): State<Bell>, context: ActivityContext, sleeper: u64, sleep: usize) {
    let key = context.idempotency_key().to_string();
    bell.0.lock().expect("no holder panics").entry((sleeper, sleep)).or_default().insert(key);
}

/// One sleep: when it is over.
#[workflow]
async fn night(ms: u64) -> SystemTime {
    sleep(Duration::from_millis(ms)).await;
    durable::now()
}

/// When each sleep was over.
#[workflow]
async fn sleeper(number: u64, nights: Nights) -> Vec<SystemTime> {
    let mut woken = Vec::new();
    for together in nights {
        let calls: Vec<_> = together.iter().map(|ms| night(*ms)).collect();
        for time in calls.join().await {
            ring(number, woken.len()).await;
            woken.push(time);
        }
    }
    woken
}

fn nights(rng: &mut Rng) -> Nights {
    let mut nights = Vec::new();
    let mut left = SLEEPS;
    while left > 0 {
        let together = 1 + rng.below(left.min(3) as u64) as usize;
        // Some are due in the same millisecond as others.
        let ms = |rng: &mut Rng| if rng.below(8) == 0 { 3_600_000 } else { 1 + rng.below(DAY_MS) };
        nights.push((0..together).map(|_| ms(rng)).collect());
        left -= together;
    }
    nights
}

/// What happens to the clock, and to the engine.
#[derive(Clone, Copy, Debug)]
enum Hour {
    /// The clock moves on; so long after that began, in microseconds of real time, the engine dies.
    Passes { ms: u64, dies_after_us: Option<u64> },
    /// The clock is set; the engine may be dead meanwhile.
    Jumps { to_ms: u64, dead: bool },
}

/// Days on which the clock is set a day back and forward, until all have slept.
fn hours(rng: &mut Rng) -> Vec<Hour> {
    let mut hours = Vec::new();
    let mut now = START_MS;
    for _ in 0..40 {
        let hour = if rng.below(4) == 0 {
            now = if rng.below(2) == 0 { now - DAY_MS } else { now + DAY_MS };
            Hour::Jumps { to_ms: now, dead: rng.below(2) == 0 }
        } else {
            let ms = 1 + rng.below(DAY_MS / 4);
            now += ms;
            Hour::Passes { ms, dies_after_us: (rng.below(2) == 0).then(|| rng.below(20_000)) }
        };
        hours.push(hour);
    }
    // Everybody sleeps for so long at most, and the clock was set back so often.
    hours.push(Hour::Passes { ms: (SLEEPS as u64 + 41) * DAY_MS, dies_after_us: None });
    hours
}

/// When sleeps end that begin now and are due then.
struct Sky<'a> {
    hours: &'a [Hour],
    /// The hour that it is, and the time on the clock.
    hour: usize,
    now_ms: u64,
}

impl Sky<'_> {
    /// Goes on until the clock shows a time, or more.
    fn until(&mut self, due_ms: u64) {
        while self.now_ms < due_ms {
            match self.hours[self.hour] {
                Hour::Passes { .. } if due_ms <= self.end_ms() => self.now_ms = due_ms,
                Hour::Passes { .. } => {
                    self.now_ms = self.end_ms();
                    self.hour += 1;
                }
                Hour::Jumps { to_ms, .. } => {
                    self.now_ms = to_ms;
                    self.hour += 1;
                }
            }
        }
    }

    /// What the clock shows when this hour is over.
    fn end_ms(&self) -> u64 {
        let mut now = START_MS;
        for hour in &self.hours[..=self.hour] {
            match hour {
                Hour::Passes { ms, .. } => now += ms,
                Hour::Jumps { to_ms, .. } => now = *to_ms,
            }
        }
        now
    }
}

/// When each sleep of an instance is over.
fn expected(nights: &Nights, hours: &[Hour]) -> Vec<u64> {
    let mut sky = Sky { hours, hour: 0, now_ms: START_MS };
    let mut woken = Vec::new();
    for together in nights {
        let began = sky.now_ms;
        let mut order: Vec<_> = together.iter().enumerate().collect();
        order.sort_by_key(|(_, ms)| **ms);
        let mut times = vec![0; together.len()];
        for (at, ms) in order {
            sky.until(began + ms);
            times[at] = sky.now_ms;
        }
        woken.extend(times);
    }
    woken
}

fn at(ms: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(ms)
}

struct Round {
    nights: Vec<Nights>,
    hours: Vec<Hour>,
    bell: Arc<Bell>,
}

impl Round {
    fn new(rng: &mut Rng) -> Self {
        let nights = (0..SLEEPERS).map(|_| nights(rng)).collect();
        Round { nights, hours: hours(rng), bell: Arc::default() }
    }

    async fn open(&self, image: &MemoryImage) -> TestEngine {
        let engine = testing::engine().image(image).state_arc(self.bell.clone()).starting_at(at(START_MS));
        // Whoever is done is asked when everybody is.
        engine.retention(Duration::from_millis(1_000 * DAY_MS)).open().await
    }

    async fn start(&self, engine: &TestEngine) {
        for (number, nights) in (0..).zip(&self.nights) {
            let started = engine.start(format!("sleeper-{number}"), sleeper(number, nights.clone()));
            started.await.expect("it starts");
        }
        engine.idle().await;
    }

    /// Lets all hours pass. Gives how often the engine died with something left to do.
    async fn live(&self, engine: &TestEngine) -> u32 {
        let mut cut_off = 0;
        for hour in &self.hours {
            match *hour {
                Hour::Passes { ms, dies_after_us } => {
                    let advance = engine.advance(Duration::from_millis(ms));
                    if let Some(us) = dies_after_us {
                        let passed =
                            tokio::time::timeout(Duration::from_micros(us), advance.into_future()).await;
                        cut_off += u32::from(passed.is_err());
                        engine.crash_and_reopen().await;
                    }
                }
                Hour::Jumps { to_ms, dead } => {
                    engine.set_clock(at(to_ms));
                    if dead {
                        engine.crash_and_reopen().await;
                    }
                }
            }
            engine.idle().await;
        }
        cut_off
    }

    /// What is wrong with how the instances slept.
    async fn judge(&self, engine: &TestEngine) -> Result<(), String> {
        for (number, nights) in (0..).zip(&self.nights) {
            let handle = engine.handle(format!("sleeper-{number}")).of(sleeper);
            let woken = handle.try_result().await.map_err(|error| error.to_string())?;
            let woken = woken.ok_or_else(|| format!("sleeper {number} still sleeps"))?;
            let right: Vec<_> = expected(nights, &self.hours).into_iter().map(at).collect();
            if woken != right {
                return Err(format!("sleeper {number}, {nights:?}: woken at {woken:?} and not {right:?}"));
            }
            let history = handle.history().await.map_err(|error| error.to_string())?;
            let fired = history.iter().filter(|event| matches!(event.kind, HistoryKind::TimerFired { .. }));
            if fired.count() != SLEEPS {
                return Err(format!("sleeper {number}: so many timers did not fire once each: {history:?}"));
            }
        }
        let rung = self.bell.0.lock().expect("no holder panics");
        match rung.iter().find(|(_, keys)| keys.len() != 1) {
            Some((sleep, keys)) => Err(format!("{sleep:?} rang under {keys:?}")),
            None if rung.len() as u64 != TIMERS_PER_ROUND => Err(format!("only {} rang", rung.len())),
            None => Ok(()),
        }
    }
}

#[test]
fn timers_fire_once_and_at_their_time_wherever_the_engine_dies_and_however_the_clock_is_set() {
    let seed = seed();
    let mut cut_off = 0;
    for round in 0..times(10_000 / TIMERS_PER_ROUND) {
        let sleeps = Round::new(&mut Rng::new(seed.wrapping_add(round)));
        block_on(async {
            let engine = sleeps.open(&MemoryImage::new()).await;
            sleeps.start(&engine).await;
            cut_off += sleeps.live(&engine).await;
            let judged = sleeps.judge(&engine).await;
            judged.unwrap_or_else(|wrong| panic!("round {round}: {wrong}"));
        });
    }
    println!("the engine died {cut_off} times in the middle of something");
    assert!(cut_off > 20, "only {cut_off} deaths were in the middle of something");
}

#[test]
fn a_disk_that_has_forgotten_which_timers_fired_is_found_out() {
    let sleeps = Round::new(&mut Rng::new(seed()));
    block_on(async {
        let image = MemoryImage::new();
        let engine = sleeps.open(&image).await;
        sleeps.start(&engine).await;
        let forgetful = image.fork();
        engine.advance(Duration::from_millis(DAY_MS / 2)).await;
        let now = engine.now();
        drop(engine);
        let engine = sleeps.open(&forgetful).await;
        engine.set_clock(now);
        engine.idle().await;
        sleeps.live(&engine).await;
        assert!(sleeps.judge(&engine).await.is_err(), "it was not noticed");
    });
}

#[test]
fn a_clock_that_was_set_without_the_interpreter_knowing_is_found_out() {
    let sleeps = Round::new(&mut Rng::new(seed()));
    for time_ms in [START_MS, START_MS - DAY_MS, START_MS + DAY_MS] {
        block_on(async {
            let engine = sleeps.open(&MemoryImage::new()).await;
            sleeps.start(&engine).await;
            engine.set_clock(at(time_ms));
            engine.idle().await;
            sleeps.live(&engine).await;
            assert_eq!(sleeps.judge(&engine).await.is_ok(), time_ms == START_MS, "set to {time_ms}");
        });
    }
}
