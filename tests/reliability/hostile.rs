//! Hostile bytes: whatever the records of a store hold that passed their checksums, nothing panics, nothing hangs, and no memory is taken that is not a small
//! multiple of what was read.
//!
//! An engine runs half-way (random instances, simulated); then its store answers with records that were changed: snapshots, operations, messages, ends,
//! layouts, histories, kept snapshots. Everything is taken up, looked at and gone on with. In a process of its own, whose peak memory is asked of the
//! operating system. What the *file* may hold is another matter ([`damage`](crate::damage)).

use std::{
    future::IntoFuture,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
};

use durable::{
    Filter, Status,
    prelude::*,
    store::{
        Batch, Closed, Compacted, DiskUsage, Error as StoreError, Found, Instance, Mail, Mailbox,
        MemoryImage, Number, Operation, Options, RedbStore, Slot, Store, Timer,
    },
};
use durable_core::simulation::{Move, Simulated, SimulatedClock};
use durable_store::testing::Rng;

use crate::{
    process::peak_bytes,
    seed,
    simulation::{
        run::{INSTANCES, half_way},
        script::{id, play},
        world::World,
    },
    times,
};

const CHILD: &str = "DURABLE_HOSTILE";
const SPOILT: &str = "DURABLE_HOSTILE_TAKES_MEMORY";
/// How many stores the cases are made of.
const STORES: u64 = 6;
/// So much more memory than with sound records may be taken, in MiB: the records have some kilobytes.
const MOST_MIB: u64 = 48;
/// What is done with each.
const MOVES: u32 = 60;

/// A store whose records were changed by somebody who knows how to make checksums.
struct Hostile {
    store: RedbStore,
    rng: Mutex<Rng>,
    /// Which kind of record, and how many of a hundred of them.
    target: u64,
    percent: u64,
}

/// Kinds of records.
const RECORDS: u64 = 0;
const OPERATIONS: u64 = 1;
const MAIL: u64 = 2;
const ENDS: u64 = 3;
const LAYOUTS: u64 = 4;
const HISTORY: u64 = 5;
const SNAPSHOTS: u64 = 6;
const KEYS: u64 = 7;
const PROGRAMS: u64 = 8;
const KINDS: u64 = 9;

impl Hostile {
    fn spoil(&self, kind: u64, mut bytes: Vec<u8>) -> Vec<u8> {
        let mut rng = self.rng.lock().expect("no holder panics");
        if kind == self.target && rng.chance(self.percent) {
            for _ in 0..=rng.below(3) {
                spoil(&mut bytes, &mut rng);
            }
        }
        bytes
    }

    fn instance(&self, instance: Instance) -> Instance {
        Instance { state: self.spoil(RECORDS, instance.state), ..instance }
    }
}

/// One change: bits, lengths, numbers that say that there is very much of something.
fn spoil(bytes: &mut Vec<u8>, rng: &mut Rng) {
    const HUGE: [&[u8]; 4] =
        [&[0xff, 0xff, 0xff, 0xff, 0x0f], &[0xff; 9], &[0x80, 0x80, 0x80, 0x80, 0x08], &[0xff, 0xff, 0x7f]];
    let at = rng.below(bytes.len() as u64 + 1) as usize;
    match rng.below(8) {
        0..3 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
        3 if at < bytes.len() => bytes[at] = rng.next_u64() as u8,
        4 => bytes.truncate(at),
        5 => {
            let huge = HUGE[rng.below(4) as usize];
            bytes.splice(at..(at + 1).min(bytes.len()), huge.iter().copied());
        }
        6 => {
            let from = rng.below(bytes.len() as u64 + 1) as usize;
            let piece = bytes[from..(from + rng.below(40) as usize).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        _ => {
            let end = (at + rng.below(20) as usize).min(bytes.len());
            bytes.drain(at..end);
        }
    }
}

impl Store for Hostile {
    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.store.commit(batch)
    }

    fn allocate(&self) -> Result<Slot, StoreError> {
        self.store.allocate()
    }

    fn release(&self, slot: Slot) {
        self.store.release(slot);
    }

    fn epoch(&self) -> u64 {
        self.store.epoch()
    }

    fn find(&self, id: &str) -> Result<Option<Found>, StoreError> {
        self.store.find(id)
    }

    fn instance(&self, slot: Slot) -> Result<Option<Instance>, StoreError> {
        Ok(self.store.instance(slot)?.map(|instance| self.instance(instance)))
    }

    fn instances(&self, slots: &[Slot]) -> Result<Vec<Option<Instance>>, StoreError> {
        let found = self.store.instances(slots)?;
        Ok(found.into_iter().map(|found| found.map(|instance| self.instance(instance))).collect())
    }

    fn scan(&self, after: Option<Slot>, limit: usize) -> Result<Vec<(Slot, Instance)>, StoreError> {
        let found = self.store.scan(after, limit)?;
        Ok(found.into_iter().map(|(slot, instance)| (slot, self.instance(instance))).collect())
    }

    fn active(&self, after: Option<Slot>, limit: usize) -> Result<Vec<Slot>, StoreError> {
        self.store.active(after, limit)
    }

    fn closed(&self, number: Number) -> Result<Option<Closed>, StoreError> {
        let found = self.store.closed(number)?;
        Ok(found.map(|closed| Closed { state: self.spoil(ENDS, closed.state), ..closed }))
    }

    fn scan_closed(&self, after: Option<Number>, limit: usize) -> Result<Vec<Closed>, StoreError> {
        let found = self.store.scan_closed(after, limit)?;
        Ok(found
            .into_iter()
            .map(|closed| Closed { state: self.spoil(ENDS, closed.state), ..closed })
            .collect())
    }

    fn timers(&self, after: Option<Timer>, until_ms: u64, limit: usize) -> Result<Vec<Timer>, StoreError> {
        self.store.timers(after, until_ms, limit)
    }

    fn owner(&self, slot: Slot) -> Result<Option<Number>, StoreError> {
        self.store.owner(slot)
    }

    fn operations(&self, slot: Slot) -> Result<Vec<Operation>, StoreError> {
        let found = self.store.operations(slot)?.into_iter();
        Ok(found.map(|row| Operation { bytes: self.spoil(OPERATIONS, row.bytes), ..row }).collect())
    }

    fn operation(&self, slot: Slot, operation: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.store.operation(slot, operation)?.map(|bytes| self.spoil(OPERATIONS, bytes)))
    }

    fn mailbox(&self, slot: Slot) -> Result<Option<Mailbox>, StoreError> {
        self.store.mailbox(slot)
    }

    fn mailboxes(&self, after: Option<Slot>, limit: usize) -> Result<Vec<(Slot, Mailbox)>, StoreError> {
        self.store.mailboxes(after, limit)
    }

    fn mail(
        &self,
        slot: Slot,
        queue: u64,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Mail>, StoreError> {
        let found = self.store.mail(slot, queue, after, limit)?.into_iter();
        Ok(found.map(|mail| Mail { bytes: self.spoil(MAIL, mail.bytes), ..mail }).collect())
    }

    fn key(&self, number: Number, key: &[u8; 16]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.store.key(number, key)?.map(|bytes| self.spoil(KEYS, bytes)))
    }

    fn history(&self, number: Number) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        let found = self.store.history(number)?.into_iter();
        Ok(found.map(|(chunk, bytes)| (chunk, self.spoil(HISTORY, bytes))).collect())
    }

    fn snapshots(&self, number: Number) -> Result<Vec<u32>, StoreError> {
        self.store.snapshots(number)
    }

    fn snapshot(&self, number: Number, place: u32) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.store.snapshot(number, place)?.map(|bytes| self.spoil(SNAPSHOTS, bytes)))
    }

    fn usage(&self) -> Result<DiskUsage, StoreError> {
        self.store.usage()
    }

    fn compact(&self) -> Result<Compacted, StoreError> {
        self.store.compact()
    }

    fn layout(&self, id: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.store.layout(id)?.map(|bytes| self.spoil(LAYOUTS, bytes)))
    }

    fn program(&self, build: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.store.program(build)?.map(|bytes| self.spoil(PROGRAMS, bytes)))
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        self.store.backup(to)
    }

    fn settle(&self) -> Result<(), StoreError> {
        self.store.settle()
    }

    fn reopen(&self) -> Result<(), StoreError> {
        self.store.reopen()
    }

    fn close(&self) {
        self.store.close();
    }
}

/// What is wrong with what an engine makes of a store that was spoilt like this, if something is; and how many of its values could not be read.
fn spoilt(bytes: &[u8], now_ms: u64, target: u64, percent: u64, seed: u64) -> Result<usize, String> {
    let mut options = Options::default();
    options.cache_bytes = 1 << 20;
    let image = MemoryImage::from_bytes(bytes.to_vec());
    let store = RedbStore::open_image_with(&image, options).map_err(|error| error.to_string())?;
    let store = Arc::new(Hostile { store, rng: Mutex::new(Rng::new(seed)), target, percent });
    let clock = SimulatedClock::new(now_ms);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime is made");
    let world = World::default();
    let builder = Engine::builder().state(world.clone());
    let Ok(mut simulated) = Simulated::open(builder, store, &clock, seed, runtime.handle()) else {
        // A program that can't be read is an error of the opening.
        return Ok(1);
    };
    let mut unread = 0;
    for nth in 0..MOVES {
        let moves = simulated.moves();
        if moves.contains(&Move::Reopen) {
            return Err("the store failed".into());
        }
        match moves.last() {
            Some(next) => simulated.make(*next),
            None if world.waiting() > 0 => drop(world.release(0, Some(u64::from(nth)))),
            None => {
                let next = simulated.next_deadline().into_iter().chain(simulated.next_sleeper()).min();
                let Some(next) = next else { break };
                clock.set(next.max(clock.now_ms()));
                simulated.fire();
            }
        }
        runtime.block_on(async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        });
    }
    unread += usize::from(!matches!(simulated.unreadable(), Ok(None)));
    let engine = simulated.engine();
    for number in 0..INSTANCES {
        let handle = engine.handle(id(number));
        for told in [
            runtime.block_on(handle.describe()).map(drop).is_ok(),
            runtime.block_on(handle.history()).is_ok(),
            runtime.block_on(handle.of(play).try_result()).is_ok(),
        ] {
            unread += usize::from(!told);
        }
        if let Ok(description) = runtime.block_on(engine.handle(id(number)).describe())
            && let Status::Parked(reason) = &description.status
            && reason.to_string().contains("panicked")
        {
            return Err(format!("something panicked: {reason}"));
        }
    }
    let exported = runtime.block_on(engine.handle(id(0)).export().into_future());
    unread += usize::from(exported.is_err());
    unread += usize::from(runtime.block_on(engine.list(Filter::new())).is_err());
    Ok(unread)
}

/// The cases, in a process of their own.
#[test]
fn a_child_reads_hostile_records() {
    let Some(cases) = std::env::var(CHILD).ok().and_then(|cases| cases.parse::<u64>().ok()) else { return };
    let mut rng = Rng::new(seed());
    let stores: Vec<_> = (1..=STORES).map(half_way).collect();
    // With sound records everything is read; that takes the memory that it takes.
    let sound =
        |(bytes, now_ms): &(Vec<u8>, u64)| spoilt(bytes, *now_ms, KINDS, 0, 1).expect("sound records");
    let sound: Vec<_> = stores.iter().map(sound).collect();
    let before = peak_bytes() >> 20;
    let (mut wrong, mut unread) = (Vec::new(), 0);
    for case in 0..cases {
        let of = rng.below(STORES) as usize;
        let (bytes, now_ms) = &stores[of];
        let (target, percent, seed) =
            (rng.below(KINDS), [100, 50, 10][rng.below(3) as usize], rng.next_u64());
        match spoilt(bytes, *now_ms, target, percent, seed) {
            Ok(errors) => unread += u64::from(errors > sound[of]),
            Err(why) => wrong.push(format!("case {case}, kind {target}: {why}")),
        }
    }
    if std::env::var(SPOILT).is_ok() {
        // The control: what believes a length of a record takes this much.
        let believed = vec![1u8; 200 << 20];
        println!("{}", believed.iter().map(|byte| usize::from(*byte)).sum::<usize>());
    }
    let more = (peak_bytes() >> 20) - before;
    println!(
        "{cases} cases, {unread} with something that could not be read, {more} MiB more than for sound records"
    );
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
    assert!(unread > cases / 10, "only in {unread} cases something could not be read: this shows nothing");
    assert!(more < MOST_MIB, "{more} MiB more than for sound records");
}

fn child(cases: u64, spoilt: bool) -> std::process::Output {
    let mut command = Command::new(std::env::current_exe().expect("a test has an executable"));
    command.args(["--exact", "hostile::a_child_reads_hostile_records", "--nocapture", "--test-threads=1"]);
    command.env(CHILD, cases.to_string());
    if spoilt {
        command.env(SPOILT, "1");
    }
    command.output().expect("a child process starts")
}

#[test]
fn hostile_records_are_errors_and_take_no_memory() {
    let output = child(times(1_000), false);
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().filter(|line| line.contains("cases")).for_each(|line| println!("{line}"));
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The control: memory that a length in a record asks for is noticed.
#[test]
fn memory_that_is_taken_on_the_word_of_a_record_is_noticed() {
    assert!(!child(20, true).status.success(), "200 MiB were not noticed");
}
