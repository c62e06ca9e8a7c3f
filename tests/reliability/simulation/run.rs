//! One simulation: a seed decides what instances there are, what is asked of them, in which order everything happens, what the clock shows, and
//! when the power is lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::IntoFuture,
};

use durable::{Status, prelude::*};
use durable_core::simulation::{Move, SimulatedClock};
use durable_store::testing::Rng;

use super::{
    life::{Birth, Broken, Life, Opened, Told},
    script::{Ask, CALLS, Got, Ping, Spec, contradiction, id, play, script},
    world::Values,
};
use crate::contents::Contents;

const START_MS: u64 = 1_893_456_000_000;
const DAY_MS: u64 = 86_400_000;
pub(crate) const INSTANCES: u64 = 4;
/// Things that happen before the simulation only waits for the end.
const EVENTS: u64 = 90;
/// More than this before everything has ended is a hang.
const PATIENCE: u32 = 20_000;
/// How many openings are made in a row that do not come to their end.
const NESTED: u32 = 4;

/// What a simulation has come to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What was wrong; the first is what counts.
    pub(crate) wrong: Vec<String>,
    /// Everything that happened, in order.
    pub(crate) trace: Vec<String>,
    pub(crate) crashes: u32,
    /// Crashes in the middle of an opening.
    pub(crate) nested: u32,
    pub(crate) failures: u32,
    pub(crate) results: usize,
}

struct Run {
    rng: Rng,
    clock: SimulatedClock,
    seed: u64,
    keep: u32,
    broken: Broken,
    /// How often the power may still be lost.
    crashes: u64,
    openings: u64,
    values: Values,
    pings: u64,
    /// What was acknowledged before the last loss of power.
    told: BTreeSet<Told>,
    /// Ends that were there after a loss of power, and will be for ever.
    ended: BTreeMap<u64, Vec<u8>>,
    outcome: Outcome,
}

/// Runs a seed.
pub(crate) fn simulate(seed: u64, broken: Broken) -> Outcome {
    let mut run = Run::new(seed, broken);
    run.run();
    run.outcome
}

impl Run {
    fn new(seed: u64, broken: Broken) -> Self {
        let mut rng = Rng::new(seed);
        let (keep, crashes) = (rng.below(2) as u32 * 3, rng.below(4));
        Run {
            rng,
            clock: SimulatedClock::new(START_MS),
            seed,
            keep,
            broken,
            crashes,
            openings: 0,
            values: Values::default(),
            pings: 0,
            told: BTreeSet::new(),
            ended: BTreeMap::new(),
            outcome: Outcome::default(),
        }
    }

    fn wrong(&mut self, what: String) {
        self.outcome.wrong.push(what);
    }

    fn is_wrong(&self) -> bool {
        !self.outcome.wrong.is_empty()
    }

    /// All lives, one after the other.
    fn run(&mut self) {
        let (mut bytes, mut expected) = (Vec::new(), vec![Contents::default()]);
        let mut left = EVENTS;
        let mut nested = 0;
        while !self.is_wrong() {
            let dies_at = self.death(nested);
            self.openings += 1;
            let birth = Birth {
                bytes,
                expected,
                clock: &self.clock,
                seed: self.seed ^ self.openings.rotate_left(40),
                keep: self.keep,
                dies_at,
                broken: self.broken,
            };
            let mut life = match birth.open() {
                Ok(Opened::Life(life)) => life,
                Ok(Opened::Dead { left, states }) => {
                    (bytes, expected) = (left, states);
                    nested += 1;
                    self.outcome.nested += 1;
                    continue;
                }
                Err(reason) => return self.wrong(reason),
            };
            nested = 0;
            self.outcome.trace.push(format!("opened with {} calls", life.disk_calls()));
            if self.openings > 1 {
                self.look_for_what_was_told(&life);
            }
            while !self.is_wrong() && left > 0 && life.disk_calls() < dies_at {
                left -= 1;
                let happened = self.event(&mut life);
                self.after(&mut life, &happened);
            }
            if life.disk_calls() < dies_at {
                self.wait_for_the_end(&mut life, dies_at);
            }
            if self.is_wrong() {
                return;
            }
            if life.disk_calls() < dies_at {
                return self.judge(&life);
            }
            let seed = self.rng.next_u64();
            let (image, states, told) = life.record().at(dies_at, seed);
            let hash = fingerprint(&image);
            self.outcome.trace.push(format!("the power was lost after call {dies_at}, {hash:016x} is left"));
            self.outcome.crashes += 1;
            self.told.extend(told);
            (bytes, expected) = (image, states);
            // What the lost part had ended may end otherwise.
            self.ended.clear();
        }
    }

    /// The call after which the next opening loses power.
    fn death(&mut self, nested: u32) -> usize {
        if self.crashes == 0 || nested > NESTED {
            return usize::MAX;
        }
        // What happens in the middle of an opening is tried again at once.
        let soon = self.openings > 0 && self.rng.chance(40);
        self.crashes -= u64::from(!soon);
        self.rng.below(if soon { 12 } else { 300 }) as usize
    }

    /// What was acknowledged before the power was lost is there.
    fn look_for_what_was_told(&mut self, life: &Life) {
        for told in self.told.clone() {
            let wrong = match &told {
                Told::Started(id) => match life.simulated.is_told_to_end(id) {
                    Ok(Some(_)) => None,
                    other => Some(format!("`{id}` had been started, and is {other:?}")),
                },
                Told::ToEnd(id) => match life.simulated.is_told_to_end(id) {
                    Ok(Some(true)) => None,
                    other => Some(format!("`{id}` had been told to end, and is {other:?}")),
                },
                // Whether it was received is seen in the result.
                Told::Signalled(..) | Told::Else => None,
            };
            self.outcome.wrong.extend(wrong);
        }
    }

    /// Makes something happen; gives what.
    fn event(&mut self, life: &mut Life) -> String {
        let moves = life.simulated.moves();
        let choice = self.rng.below(100);
        match choice {
            0..45 if !moves.is_empty() => {
                let next = moves[self.rng.below(moves.len() as u64) as usize];
                Self::make(life, next)
            }
            45..60 if life.world.waiting() > 0 => self.release(life),
            60..70 => self.tick(life),
            70..73 => {
                life.simulated.settle();
                "settled".into()
            }
            73..75 => {
                let durable = self.rng.chance(50);
                life.fail_next(durable);
                self.outcome.failures += 1;
                format!("the next commit fails, durable: {durable}")
            }
            _ => self.ask(life),
        }
    }

    fn make(life: &mut Life, next: Move) -> String {
        life.simulated.make(next);
        format!("{next:?}")
    }

    /// An attempt ends.
    fn release(&mut self, life: &Life) -> String {
        let which = self.rng.below(life.world.waiting() as u64) as usize;
        let value = (!self.rng.chance(20)).then(|| self.values.next());
        let call = life.world.release(which, value);
        if let Some(value) = value {
            self.values.0.insert(value, call);
        }
        format!("an attempt of call {call} ends with {value:?}")
    }

    /// The clock is moved, and what is due fires.
    fn tick(&mut self, life: &Life) -> String {
        let now_ms = self.clock.now_ms();
        let next = life.simulated.next_deadline().into_iter().chain(life.simulated.next_sleeper()).min();
        let next_ms = match self.rng.below(20) {
            0 => now_ms - self.rng.below(DAY_MS),
            1 => now_ms + self.rng.below(DAY_MS),
            2..8 => now_ms + self.rng.below(20),
            _ => next.unwrap_or(now_ms).max(now_ms),
        };
        self.clock.set(next_ms);
        if life.simulated.is_due() {
            life.simulated.fire();
        }
        format!("the clock shows {}", i128::from(next_ms) - i128::from(START_MS))
    }

    /// Somebody outside asks for something.
    fn ask(&mut self, life: &mut Life) -> String {
        let number = self.rng.below(INSTANCES);
        let to = id(number);
        let engine = life.simulated.engine().clone();
        let handle = engine.handle(&to);
        let choice = self.rng.below(20);
        match choice {
            0..8 => {
                let start = engine.start(&to, play(spec(self.seed, number))).into_future();
                let told = Told::Started(to.clone());
                life.call(async move { start.await.ok().map(|_| told) });
            }
            8..13 => {
                self.pings += 1;
                let n = self.pings;
                let told = Told::Signalled(to.clone(), n);
                let signal = handle.signal(Ping(n)).into_future();
                life.call(async move { signal.await.ok().map(|()| told) });
            }
            13 => {
                let asked = handle.update(Ask(7)).into_future();
                life.call(async move { asked.await.ok().map(|_| Told::Else) });
            }
            14 => {
                let told = Told::ToEnd(to.clone());
                life.call(async move { handle.cancel("it was asked for").await.ok().map(|()| told) });
            }
            15 if self.rng.chance(50) => {
                let told = Told::ToEnd(to.clone());
                life.call(async move { handle.terminate("it was asked for").await.ok().map(|()| told) });
            }
            15 | 16 => life.call(async move { handle.pause().await.ok().map(|()| Told::Else) }),
            17 | 18 => life.call(async move { handle.resume().await.ok().map(|()| Told::Else) }),
            _ => life.call(async move { handle.retry_now().await.ok().map(|()| Told::Else) }),
        }
        format!("request {choice} of {to}")
    }

    /// After anything that happened: everybody moves as far as they can, and the invariants hold.
    fn after(&mut self, life: &mut Life, happened: &str) {
        let answered = life.let_move();
        let entry = format!("{happened}; {answered} answered, {} calls of the disk", life.disk_calls());
        self.outcome.trace.push(entry);
        if life.simulated.is_broken() {
            return;
        }
        match life.simulated.audit(life.disk_calls()) {
            Ok(audit) => {
                for (number, end) in &self.ended {
                    if audit.ended.get(number) != Some(end) {
                        self.outcome.wrong.push(format!("run {number} had ended, and its end has changed"));
                    }
                }
                self.ended = audit.ended;
                self.outcome.wrong.extend(audit.wrong);
            }
            Err(reason) => self.wrong(format!("the store can't be read: {reason}")),
        }
    }

    /// Nothing more is asked but what lets everybody end.
    fn wait_for_the_end(&mut self, life: &mut Life, dies_at: usize) {
        if !life.simulated.is_broken() {
            match life.simulated.unreadable() {
                Ok(None) => {}
                other => self.wrong(format!("a stored value can't be read: {other:?}")),
            }
        }
        for _ in 0..PATIENCE {
            if self.is_wrong() || life.disk_calls() >= dies_at {
                return;
            }
            let Some(happened) = self.last_event(life) else { return };
            self.after(life, &happened);
        }
        let open = life.simulated.open_instances();
        self.wrong(format!("it does not come to an end: {open:?}"));
    }

    /// Whatever is left to do. Nothing if everything has ended, or nothing can.
    fn last_event(&mut self, life: &mut Life) -> Option<String> {
        let moves = life.simulated.moves();
        if !moves.is_empty() {
            let next = moves[self.rng.below(moves.len() as u64) as usize];
            return Some(Self::make(life, next));
        }
        if life.world.waiting() > 0 {
            return Some(self.release(life));
        }
        if life.simulated.is_due() {
            life.simulated.fire();
            return Some("fired".into());
        }
        let open = match life.simulated.open_instances() {
            Ok(open) => open,
            Err(reason) => {
                self.wrong(reason);
                return None;
            }
        };
        if open.is_empty() {
            return None;
        }
        let engine = life.simulated.engine().clone();
        if let Some((id, _)) = open.iter().find(|(_, status)| *status == Status::Paused) {
            let handle = engine.handle(id);
            life.call(async move { handle.resume().await.ok().map(|()| Told::Else) });
            return Some(format!("{id} is resumed"));
        }
        if let Some((id, status)) = open.iter().find(|(_, status)| matches!(status, Status::Parked(_))) {
            self.wrong(format!("`{id}` is {status:?}"));
            return None;
        }
        let next = life.simulated.next_deadline().into_iter().chain(life.simulated.next_sleeper()).min();
        if let Some(next) = next {
            self.clock.set(next.max(self.clock.now_ms()));
            life.simulated.fire();
            return Some("the clock is moved on".into());
        }
        // Who is left waits for a message.
        let most_unanswered = 4 * INSTANCES as usize;
        if life.unanswered() > most_unanswered + open.len() * 40 {
            self.wrong(format!("nothing moves {open:?}"));
            return None;
        }
        for (id, _) in &open {
            self.pings += 1;
            let (signalled, asked) =
                (engine.handle(id).signal(Ping(self.pings)), engine.handle(id).update(Ask(1)));
            let told = Told::Signalled(id.clone(), self.pings);
            let (signalled, asked) = (signalled.into_future(), asked.into_future());
            life.call(async move { signalled.await.ok().map(|()| told) });
            life.call(async move { asked.await.ok().map(|_| Told::Else) });
        }
        Some(format!("{} are sent what they may wait for", open.len()))
    }

    /// Everything has ended: results are what their scripts allow, and every message that was acknowledged was received once or left unread.
    fn judge(&mut self, life: &Life) {
        self.told.extend(life.told.iter().map(|(_, told)| told.clone()));
        let mut seen = BTreeSet::new();
        let mut received = BTreeMap::new();
        for number in 0..INSTANCES {
            let to = id(number);
            let was_told = self.told.contains(&Told::Started(to.clone()));
            let handle = life.simulated.engine().handle(&to).of(play);
            let result = life.runtime.block_on(handle.try_result());
            let got = match result {
                Ok(Some(Ok(got))) => got,
                Ok(None) => return self.wrong(format!("`{to}` has not ended")),
                // It failed, or it was told to end, or was never started.
                Ok(Some(Err(_))) => continue,
                Err(error) if was_told && matches!(error, RunError::Engine(_)) => {
                    return self.wrong(format!("`{to}` was started, and: {error}"));
                }
                Err(_) => continue,
            };
            self.outcome.results += 1;
            if let Some(why) = contradiction(script(spec(self.seed, number)), &got) {
                self.wrong(format!("`{to}` has come to what it can't have come to: {why}"));
            }
            for one in &got {
                match one {
                    Got::Value(call, value) => {
                        if self.values.0.get(value) != Some(call) {
                            self.wrong(format!("`{to}`: call {call} never gave {value}"));
                        }
                        if !seen.insert(*value) {
                            self.wrong(format!("`{to}`: the value {value} of call {call} counted twice"));
                        }
                    }
                    Got::Ping(n) => *received.entry((to.clone(), *n)).or_insert(0) += 1,
                    _ => {}
                }
            }
        }
        if let Some(((to, n), times)) = received.iter().find(|(_, times)| **times > 1) {
            self.wrong(format!("`{to}` received message {n} {times} times"));
        }
    }
}

/// What is on the disk in the middle of everything, and what the clock shows then: instances that have ended, that wait, that are paused, with mail.
pub(crate) fn half_way(seed: u64) -> (Vec<u8>, u64) {
    let mut run = Run::new(seed, Broken::Nothing);
    run.crashes = 0;
    let clock = run.clock.clone();
    let birth = Birth {
        bytes: Vec::new(),
        expected: vec![Contents::default()],
        clock: &clock,
        seed,
        keep: 3,
        dies_at: usize::MAX,
        broken: Broken::Nothing,
    };
    let Ok(Opened::Life(mut life)) = birth.open() else { panic!("an empty disk opens") };
    for _ in 0..EVENTS {
        let happened = run.event(&mut life);
        run.after(&mut life, &happened);
    }
    let record = life.record();
    (record.at(record.calls(), 0).0, clock.now_ms())
}

/// What the instance of this number does under this seed.
pub(crate) fn spec(seed: u64, number: u64) -> Spec {
    Spec {
        seed: seed.wrapping_mul(31) ^ number << 20,
        first: (number + 1) * CALLS,
        depth: 2,
        others: INSTANCES,
    }
}

/// So many bytes say little in a trace.
fn fingerprint(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
