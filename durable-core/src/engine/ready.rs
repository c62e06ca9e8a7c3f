//! Whether a machine can move, kept up to date as things happen: each costs the depth of the wait, not its size.
//!
//! What happens is told in the order of its numbers (`Inner::next_seq`). The number at which the wait is met first is the *cutoff*: the
//! step that follows sees what came up to it and nothing of what came later, however much is there. So a race is decided by what was
//! committed first, and stays decided after a crash.
//!
//! Pure: no store, no clock. Deliberately absent: what the machine does about it (`compose`).

use std::collections::HashMap;

use smallvec::SmallVec;

use crate::context::{OperationId, Spoken, Wait, needed};

/// A wait, and how much of it is met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readiness {
    /// Most waits are for one operation: that one needs no memory of its own.
    nodes: SmallVec<[Node; 1]>,
    /// Which leaves wait for which operation, in order of both.
    operations: SmallVec<[(OperationId, u32); 1]>,
    queues: HashMap<u64, Queue>,
    cancellations: Vec<u32>,
    met: Option<u64>,
}

#[derive(Clone, Debug)]
struct Node {
    parent: Option<u32>,
    kind: Kind,
    /// So many parts must still be met.
    missing: u32,
    met: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Leaf,
    All,
    Any,
    FirstErr,
}

/// The leaves that wait for messages of one queue.
#[derive(Clone, Debug, Default)]
struct Queue {
    arrived: usize,
    /// By how many messages there must be.
    leaves: HashMap<usize, Vec<u32>>,
    /// The most messages that any leaf needs: later ones make no difference.
    most: usize,
}

impl Readiness {
    /// A wait of which nothing is known to be there yet. Without one a machine can move at once: it has not begun.
    pub(crate) fn of(wait: Option<&Wait>) -> Self {
        let mut readiness = Readiness::default();
        match wait {
            None => readiness.met = Some(0),
            Some(wait) => {
                readiness.add(wait, None, &mut Spoken::new());
                // Nearly always they are: operations are numbered as they are started.
                readiness.operations.sort_unstable();
            }
        }
        // What waits for nothing is met before anything happens.
        let empty = |node: &Node| node.missing == 0 && matches!(node.kind, Kind::All | Kind::FirstErr);
        let all = 0..readiness.nodes.len() as u32;
        let empty: SmallVec<[_; 1]> = all.filter(|&at| empty(&readiness.nodes[at as usize])).collect();
        for at in empty {
            readiness.satisfy(at, 0, false);
        }
        readiness
    }

    fn add(&mut self, wait: &Wait, parent: Option<u32>, spoken: &mut Spoken) {
        // There are at most as many as operations, whose number is limited, and a wait names each a few times.
        let at = self.nodes.len() as u32;
        let (kind, parts): (_, &[Wait]) = match wait {
            Wait::Op(_) | Wait::Message(_) | Wait::Cancelled => (Kind::Leaf, &[]),
            Wait::All(parts) => (Kind::All, parts),
            Wait::Any(parts) => (Kind::Any, parts),
            Wait::FirstErr(parts) => (Kind::FirstErr, parts),
        };
        self.nodes.push(Node { parent, kind, missing: parts.len() as u32, met: false });
        match wait {
            Wait::Op(id) => self.operations.push((*id, at)),
            Wait::Cancelled => self.cancellations.push(at),
            Wait::Message(queue) => {
                let needed = needed(*queue, spoken);
                let queue = self.queues.entry(*queue).or_default();
                queue.leaves.entry(needed).or_default().push(at);
                queue.most = queue.most.max(needed);
            }
            Wait::Any(parts) => parts.iter().for_each(|part| self.add(part, Some(at), &mut spoken.clone())),
            Wait::All(parts) | Wait::FirstErr(parts) => {
                parts.iter().for_each(|part| self.add(part, Some(at), spoken));
            }
        }
    }

    /// An operation is done.
    pub(crate) fn completed(&mut self, id: OperationId, seq: u64, failed: bool) {
        let mut place = self.operations.partition_point(|(other, _)| *other < id);
        while let Some(&(_, at)) = self.operations.get(place).filter(|(other, _)| *other == id) {
            self.satisfy(at, seq, failed);
            place += 1;
        }
    }

    /// One more message of a queue is there for the taking.
    pub(crate) fn message(&mut self, queue: u64, seq: u64) {
        let Some(queue) = self.queues.get_mut(&queue) else { return };
        queue.arrived += 1;
        for at in queue.leaves.remove(&queue.arrived).unwrap_or_default() {
            self.satisfy(at, seq, false);
        }
    }

    /// The instance is cancelled.
    pub(crate) fn cancelled(&mut self, seq: u64) {
        for at in std::mem::take(&mut self.cancellations) {
            self.satisfy(at, seq, false);
        }
    }

    fn satisfy(&mut self, at: u32, seq: u64, mut failed: bool) {
        let mut next = Some(at);
        while let Some(at) = next {
            let node = &mut self.nodes[at as usize];
            if node.met {
                return;
            }
            node.met = true;
            let Some(parent) = node.parent else {
                self.met = Some(seq);
                return;
            };
            let parent_node = &mut self.nodes[parent as usize];
            parent_node.missing -= 1;
            let met = match parent_node.kind {
                Kind::Leaf => unreachable!("a leaf has no parts"),
                Kind::All => parent_node.missing == 0,
                Kind::Any => true,
                Kind::FirstErr => failed || parent_node.missing == 0,
            };
            failed &= parent_node.kind == Kind::FirstErr;
            next = met.then_some(parent);
        }
    }

    /// The number of what met the wait first.
    pub(crate) fn met(&self) -> Option<u64> {
        self.met
    }

    /// The operations that are waited for, done or not.
    pub(crate) fn operations(&self) -> impl Iterator<Item = OperationId> {
        self.operations.chunk_by(|a, b| a.0 == b.0).map(|leaves| leaves[0].0)
    }

    /// The queues that are waited for, and how many messages of each make a difference.
    pub(crate) fn queues(&self) -> impl Iterator<Item = (u64, usize)> {
        self.queues.iter().map(|(queue, leaves)| (*queue, leaves.most))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::context::Present;

    /// Everything that has happened, asked from scratch each time.
    #[derive(Default)]
    struct Happened {
        done: HashMap<OperationId, bool>,
        messages: HashMap<u64, usize>,
        cancelled: bool,
    }

    impl Present for Happened {
        fn done(&self, id: OperationId) -> Option<bool> {
            self.done.get(&id).copied()
        }

        fn messages(&self, queue: u64) -> usize {
            self.messages.get(&queue).copied().unwrap_or_default()
        }

        fn cancelled(&self) -> bool {
            self.cancelled
        }
    }

    fn wait(rng: &mut fastrand::Rng, depth: u32) -> Wait {
        match rng.u32(..if depth == 0 { 4 } else { 8 }) {
            0..=1 => Wait::Op(rng.u64(1..6)),
            2 => Wait::Message(rng.u64(1..3)),
            3 if rng.u8(..4) == 0 => Wait::Cancelled,
            3 => Wait::Op(rng.u64(1..6)),
            kind => {
                let parts = (0..rng.usize(..4)).map(|_| wait(rng, depth - 1)).collect();
                [Wait::All, Wait::Any, Wait::FirstErr, Wait::All][kind as usize - 4](parts)
            }
        }
    }

    #[test]
    fn it_is_met_exactly_when_asking_from_scratch_says_so() {
        let seed = fastrand::u64(..);
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut met, mut never) = (0, 0);
        for _ in 0..20_000 {
            let wait = wait(&mut rng, 3);
            let mut readiness = Readiness::of(Some(&wait));
            let mut happened = Happened::default();
            let mut cutoff = wait.is_met(&happened).then_some(0);
            for seq in 1..12 {
                match rng.u8(..8) {
                    0 if !happened.cancelled => {
                        happened.cancelled = true;
                        readiness.cancelled(seq);
                    }
                    1..=3 => {
                        let queue = rng.u64(1..3);
                        *happened.messages.entry(queue).or_default() += 1;
                        readiness.message(queue, seq);
                    }
                    _ => {
                        let (id, failed) = (rng.u64(1..6), rng.u8(..3) == 0);
                        if happened.done.contains_key(&id) {
                            continue;
                        }
                        happened.done.insert(id, failed);
                        readiness.completed(id, seq, failed);
                    }
                }
                cutoff = cutoff.or_else(|| wait.is_met(&happened).then_some(seq));
                assert_eq!(readiness.met(), cutoff, "seed {seed}: {wait:?}");
            }
            *if cutoff.is_some() { &mut met } else { &mut never } += 1;
        }
        assert!(met > 2_000 && never > 2_000, "seed {seed}: {met} were met, {never} never");
    }

    #[test]
    fn a_machine_that_has_not_begun_can_move() {
        assert_eq!(Readiness::of(None).met(), Some(0));
    }

    #[test]
    fn joins_in_a_race_may_count_on_the_same_message_and_parts_of_a_join_may_not() {
        let (a, b, c) = (Wait::Message(1), Wait::Message(2), Wait::Message(3));
        let race = Wait::Any(vec![Wait::All(vec![a.clone(), b]), Wait::All(vec![a.clone(), c])]);
        let mut readiness = Readiness::of(Some(&race));
        readiness.message(1, 10);
        assert_eq!(readiness.met(), None);
        readiness.message(3, 11);
        assert_eq!(readiness.met(), Some(11));

        let mut readiness = Readiness::of(Some(&Wait::All(vec![a.clone(), a])));
        readiness.message(1, 10);
        assert_eq!(readiness.met(), None);
        readiness.message(1, 11);
        assert_eq!(readiness.met(), Some(11));
    }

    #[test]
    fn ten_thousand_operations_are_met_by_the_last_and_by_a_failed_one() {
        let parts: Vec<_> = (1..=10_000).map(Wait::Op).collect();
        let mut all = Readiness::of(Some(&Wait::All(parts.clone())));
        let mut first = Readiness::of(Some(&Wait::FirstErr(parts)));
        for id in 1..=10_000 {
            assert_eq!(all.met(), None);
            all.completed(id, id, id == 700);
            first.completed(id, id, id == 700);
        }
        assert_eq!((all.met(), first.met()), (Some(10_000), Some(700)));
    }
}
