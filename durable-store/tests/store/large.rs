//! Large states: a step writes what it has changed. Counted in bytes, which are the same on every machine.

use durable_store::testing::{CountingDisk, Counts, Rng, sample};
use durable_store::{Batch, Instance, MemoryImage, Number, Options, RedbStore, Slot, Store};

use super::times;

/// What makes up the state of an agent: something in front whose length changes, a conversation, and what is called with it.
struct Agent {
    rng: Rng,
    conversation: Vec<u8>,
    /// The conversation is the argument of the pending call as well.
    is_argument: bool,
}

impl Agent {
    fn says(&mut self, bytes: usize) {
        let words =
            ["the ", "invoice ", "of ", "a ", "tool ", "call ", "{\"role\":\"user\"} ", "was ", "found "];
        let until = self.conversation.len() + bytes;
        while self.conversation.len() < until {
            let word = words[self.rng.below(words.len() as u64) as usize];
            self.conversation.extend_from_slice(word.as_bytes());
            self.conversation.extend_from_slice(self.rng.below(1_000_000).to_string().as_bytes());
        }
    }

    fn state(&mut self, step: u64) -> Vec<u8> {
        let mut state = vec![1; 300 + self.rng.below(40) as usize];
        state.extend(step.to_le_bytes());
        state.extend((self.conversation.len() as u64).to_le_bytes());
        state.extend(&self.conversation);
        state.extend(vec![2; 100 + self.rng.below(10) as usize]);
        if self.is_argument {
            state.extend(&self.conversation);
        }
        state.extend(step.to_le_bytes());
        state
    }
}

/// Grows a conversation to `until` bytes, `by` at a step, beginning at `from`. Gives the steps, what they appended and what they wrote.
fn grow(from: usize, until: usize, by: usize, is_argument: bool) -> (u64, u64, Counts) {
    let disk = CountingDisk::new(&MemoryImage::new());
    let store = RedbStore::with_backend(disk.factory(), Options::default()).unwrap();
    let mut agent = Agent { rng: Rng::new(1), conversation: Vec::new(), is_argument };
    agent.says(from);
    let slot = store.allocate().unwrap();
    let record = |state| Instance { state, ..sample::instance("agent", 0) };
    store.commit(&Batch::from(sample::create(slot, record(agent.state(0))))).unwrap();
    let begin = disk.counts();
    let mut steps = 0;
    let mut last = Vec::new();
    while agent.conversation.len() < until {
        agent.says(by);
        steps += 1;
        last = agent.state(steps);
        store.commit(&Batch::from(sample::update(slot, record(last.clone())))).unwrap();
    }
    let counts = disk.counts() - begin;
    assert!(store.instance(slot).unwrap().unwrap().state == last);
    (steps, (agent.conversation.len() - from) as u64, counts)
}

fn multiple(what: &str, from: usize, until: usize, by: usize, is_argument: bool) -> f64 {
    let (steps, appended, counts) = grow(from, until, by, is_argument);
    let written = counts.written_bytes;
    let multiple = written as f64 / appended as f64;
    println!(
        "{what}: {steps} steps from {from} to {until} bytes append {} and write {} bytes each, {multiple:.1} times as much",
        appended / steps,
        written / steps
    );
    multiple
}

const MB: usize = 1_000_000;

/// The whole way with `DURABLE_SCALE=10`, else its first and its last steps.
#[test]
fn a_conversation_that_grows_to_10_mb_writes_what_it_appends_times_a_small_number() {
    let scale = times(1) as usize;
    for is_argument in [false, true] {
        let what = if is_argument { "conversation, and as argument" } else { "conversation" };
        let limit = if is_argument { 20.0 } else { 13.0 };
        if scale >= 10 {
            assert!(multiple(what, 0, 10 * MB, 10_000, is_argument) < limit);
            continue;
        }
        assert!(multiple(what, 0, MB, 10_000, is_argument) < limit);
        assert!(multiple(what, 10 * MB - 100_000, 10 * MB, 10_000, is_argument) < limit);
    }
}

/// The control: the same count sees a state that is written whole.
#[test]
fn states_that_have_nothing_in_common_are_written_whole() {
    let disk = CountingDisk::new(&MemoryImage::new());
    let store = RedbStore::with_backend(disk.factory(), Options::default()).unwrap();
    let slot = store.allocate().unwrap();
    let mut rng = Rng::new(2);
    let mut noise = || (0..MB / 8).flat_map(|_| rng.next_u64().to_le_bytes()).collect::<Vec<u8>>();
    let record = |state| Instance { state, ..sample::instance("a", 0) };
    store.commit(&Batch::from(sample::create(slot, record(noise())))).unwrap();
    let before = disk.counts();
    store.commit(&Batch::from(sample::update(slot, record(noise())))).unwrap();
    let written = (disk.counts() - before).written_bytes;
    assert!((MB as u64..3 * MB as u64).contains(&written), "{written}");
}

/// What changes beside a large state does not touch it.
#[test]
fn what_stands_beside_a_large_state_does_not_read_it() {
    let disk = CountingDisk::new(&MemoryImage::new());
    let mut options = Options::default();
    options.cache_bytes = 0;
    let store = RedbStore::with_backend(disk.factory(), options).unwrap();
    let slot = store.allocate().unwrap();
    let record = Instance { state: vec![3; 10 * MB], ..sample::instance("a", 0) };
    store.commit(&Batch::from(sample::create(slot, record))).unwrap();
    let before = disk.counts();
    store.commit(&Batch::from(sample::keep(slot, 0).putting(1, b"x"))).unwrap();
    assert_eq!(store.owner(slot).unwrap(), Some(Number(0)));
    assert_eq!(store.find("a").unwrap(), Some(durable_store::Found::Live(Slot(0))));
    let counts = disk.counts() - before;
    assert!(counts.read_bytes < 400_000 && counts.written_bytes < 100_000, "{counts:?}");
}
