//! Random trees of compositions over operations that are done in a random order, against a plain interpreter.
//!
//! The trees are run as the engine runs a machine: what is done comes in batches, each thing with its number; the tree is polled with
//! the cutoff of what it waits for, as long as that is met, and is stored and restored around every poll.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::super::*;
use crate::{
    codec::Codec,
    context::{Completion, Context, NewOperation, OperationId, Scopes, Scratch, Step, Wait, ambient},
    engine::{
        ready::Readiness,
        state::{Done, Operation, OperationKind, Operations},
    },
    error::CallError,
    frame::Frames,
    future::DurableFuture,
};

/// What a tree gives. An operation's number is its own.
type Out = Result<Value, u32>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Value {
    Op(u32),
    All(Vec<Value>),
    Each(Vec<Out>),
    Timed(Option<Box<Out>>),
}

/// What is composed.
#[derive(Clone, Debug)]
enum Plan {
    Op(u32),
    /// An operation that was started before everything else.
    Spawned(u32),
    Join(Vec<Plan>, Option<usize>),
    TryJoin(Vec<Plan>),
    Race(Vec<Plan>),
    Select(Box<(Plan, Plan)>),
    Timeout(Box<Plan>, u32),
    /// A called workflow: one after the other.
    Frame(Vec<Plan>),
}

// ---- The compositions as they are.

#[derive(Serialize, Deserialize)]
struct Leaf {
    number: u32,
    started: Option<OperationId>,
}

impl DurableFuture for Leaf {
    type Output = Out;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Out> {
        let number = self.number;
        let id = *self.started.get_or_insert_with(|| cx.start(external(number)));
        match cx.take(id) {
            Some(Completion::Error(_)) => Poll::Ready(Err(number)),
            Some(_) => Poll::Ready(Ok(Value::Op(number))),
            None => {
                cx.wait(Wait::Op(id));
                Poll::Pending
            }
        }
    }

    fn quiet(&self) -> Option<Wait> {
        self.started.map(Wait::Op)
    }
}

fn external(number: u32) -> NewOperation {
    NewOperation::External { secret: u128::from(number).to_le_bytes() }
}

#[derive(Serialize, Deserialize)]
enum Tree {
    Op(Leaf),
    Spawned(u32, Handle<()>),
    Join(Join<Vec<Branch<Tree, Out>>>),
    TryJoin(TryJoin<TryVec<Tree, Value, u32>>),
    Race(Race<Vec<Tree>>),
    Select(Box<Selection<(Tree, Tree)>>),
    Timeout(Box<Timed<Tree>>),
    Frame { left: VecDeque<Tree>, got: Vec<Out> },
}

impl Tree {
    fn of(plan: &Plan, spawned: &BTreeMap<u32, OperationId>) -> Tree {
        let all = |plans: &[Plan]| plans.iter().map(|plan| Tree::of(plan, spawned)).collect::<Vec<_>>();
        match plan {
            Plan::Op(number) => Tree::Op(Leaf { number: *number, started: None }),
            Plan::Spawned(number) => Tree::Spawned(*number, Handle::new(spawned[number])),
            Plan::Join(plans, None) => Tree::Join(all(plans).join()),
            Plan::Join(plans, Some(limit)) => Tree::Join(all(plans).join().limit(*limit)),
            Plan::TryJoin(plans) => Tree::TryJoin(all(plans).try_join()),
            Plan::Race(plans) => Tree::Race(all(plans).race()),
            Plan::Select(plans) => {
                let (a, b) = (Tree::of(&plans.0, spawned), Tree::of(&plans.1, spawned));
                Tree::Select(Box::new(select2(false, [true, true], (own(a), own(b)))))
            }
            Plan::Timeout(plan, timer) => {
                let time = Duration::from_millis(u64::from(*timer));
                Tree::Timeout(Box::new(Tree::of(plan, spawned).timeout(time)))
            }
            Plan::Frame(plans) => Tree::Frame { left: all(plans).into(), got: Vec::new() },
        }
    }
}

awaited_as_is! { [] Tree; }

impl DurableFuture for Tree {
    type Output = Out;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Out> {
        match self {
            Tree::Op(leaf) => leaf.poll(cx),
            Tree::Spawned(number, handle) => handle.poll(cx).map(|()| Ok(Value::Op(*number))),
            Tree::Join(join) => join.poll(cx).map(|each| Ok(Value::Each(each))),
            Tree::TryJoin(join) => join.poll(cx).map(|all| all.map(Value::All)),
            Tree::Race(race) => race.poll(cx),
            Tree::Timeout(timed) => timed.poll(cx).map(|timed| Ok(Value::Timed(timed.ok().map(Box::new)))),
            Tree::Select(select) => select.poll(cx).map(|ended| match end2(ended).0 {
                Won2::A(out) | Won2::B(out) => out,
                Won2::Disabled => unreachable!("nothing is off"),
            }),
            Tree::Frame { left, got } => {
                while let Some(first) = left.front_mut() {
                    let Poll::Ready(out) = first.poll(cx) else { return Poll::Pending };
                    left.pop_front();
                    got.push(out);
                }
                Poll::Ready(Ok(Value::Each(std::mem::take(got))))
            }
        }
    }

    fn quiet(&self) -> Option<Wait> {
        match self {
            Tree::Op(leaf) => leaf.quiet(),
            Tree::Spawned(_, handle) => handle.quiet(),
            Tree::Join(join) => join.quiet(),
            Tree::TryJoin(join) => join.quiet(),
            Tree::Race(race) => race.quiet(),
            Tree::Timeout(timed) => timed.quiet(),
            Tree::Select(select) => select.quiet(),
            Tree::Frame { .. } => None,
        }
    }
}

/// An instance, as far as a tree needs one.
struct Instance {
    operations: Operations,
    scopes: Scopes,
    next: OperationId,
    stored: Vec<u8>,
    wait: Option<Wait>,
    out: Option<Out>,
    /// Each step sees what came up to its cutoff. If not, the test must fail.
    honest: bool,
}

impl Instance {
    fn new(plan: &Plan, spawned: &[u32], honest: bool) -> Self {
        let mut operations = Operations::default();
        let mut ids = BTreeMap::new();
        for (id, number) in (1..).zip(spawned) {
            operations.insert(Operation::new(id, 0, external_kind(*number)));
            ids.insert(*number, id);
        }
        let stored = postcard::to_stdvec(&Tree::of(plan, &ids)).expect("it is stored");
        let next = spawned.len() as u64 + 1;
        Instance { operations, scopes: Scopes::default(), next, stored, wait: None, out: None, honest }
    }

    /// The numbers of the operations that are under way, each with its id.
    fn pending(&self) -> BTreeMap<u32, OperationId> {
        let number = |op: &Operation| match op.kind {
            OperationKind::External { secret } => Some((u128::from_le_bytes(secret) as u32, op.id)),
            OperationKind::Timer { deadline_ms } => Some((deadline_ms as u32, op.id)),
            _ => None,
        };
        self.operations.iter().filter_map(number).collect()
    }

    fn complete(&mut self, id: OperationId, seq: u64, failed: bool) {
        let completion = if failed {
            Completion::Error(CallError::Cancelled { reason: String::new() })
        } else {
            Completion::Fired
        };
        let operation = self.operations.get_mut(id).expect("it is under way");
        operation.kind = OperationKind::Done(Done { seq, failed, completion });
    }

    /// Makes steps as long as what it waits for is there.
    fn run(&mut self) {
        let mut rounds = 0;
        while self.out.is_none() {
            let mut readiness = Readiness::of(self.wait.as_ref());
            if readiness.met().is_none() {
                let mut done: Vec<_> =
                    self.operations.done().map(|(op, done)| (done.seq, op.id, done.failed)).collect();
                done.sort_unstable();
                done.into_iter().for_each(|(seq, id, failed)| readiness.completed(id, seq, failed));
            }
            let Some(cutoff) = readiness.met() else { return };
            self.step(if self.honest { cutoff } else { u64::MAX });
            rounds += 1;
            assert!(rounds < 1_000, "it goes round in circles: {:?}", self.wait);
        }
    }

    fn step(&mut self, visible: u64) {
        let mut tree: Tree = postcard::from_bytes(&self.stored).expect("it is restored");
        let scratch = Scratch {
            operations: std::mem::take(&mut self.operations),
            visible,
            scopes: self.scopes.clone(),
            next_operation: self.next,
            ..Scratch::of_completions(0, Vec::new())
        };
        let frames = Arc::new(Frames::new(Box::new(|_| None)));
        let mut step = Step::new(Arc::<Codec>::default(), frames, 0, scratch);
        let shared = step.scratch.clone();
        let polled = ambient::enter(&shared, || tree.poll(&mut Context { step: &mut step }));
        assert!(step.failure.is_none(), "{:?}", step.failure);
        self.wait = step.wait.take();
        drop(step);
        let mut scratch = std::rc::Rc::into_inner(shared).expect("it is nobody's").into_inner();
        self.operations = std::mem::take(&mut scratch.operations);
        (self.scopes, self.next) = (scratch.scopes, scratch.next_operation);
        for id in scratch.taken.iter().chain(&scratch.cancelled) {
            self.operations.remove(*id);
        }
        for (id, scope) in scratch.rescoped {
            if let Some(operation) = self.operations.get_mut(id) {
                operation.scope = scope;
            }
        }
        for started in scratch.started {
            let kind = match started.operation {
                NewOperation::External { secret } => OperationKind::External { secret },
                NewOperation::Timer { deadline_ms } => OperationKind::Timer { deadline_ms },
                other => panic!("a tree starts nothing else: {other:?}"),
            };
            self.operations.insert(Operation::new(started.id, started.scope, kind));
        }
        match polled {
            Poll::Ready(out) => self.out = Some(out),
            Poll::Pending => self.stored = postcard::to_stdvec(&tree).expect("it is stored"),
        }
    }
}

fn external_kind(number: u32) -> OperationKind {
    OperationKind::External { secret: u128::from(number).to_le_bytes() }
}

// ---- The plain interpreter: one thing after the other, as it happens.

struct Node {
    kind: Kind,
    out: Option<Out>,
    begun: bool,
}

enum Kind {
    Op(u32),
    Each(Vec<Node>, usize),
    All(Vec<Node>),
    First(Vec<Node>),
    Timeout(Box<Node>, u32),
    Frame(Vec<Node>),
}

impl Node {
    fn of(plan: &Plan) -> Node {
        let all = |plans: &[Plan]| plans.iter().map(Node::of).collect::<Vec<_>>();
        let kind = match plan {
            Plan::Op(number) | Plan::Spawned(number) => Kind::Op(*number),
            Plan::Join(plans, limit) => Kind::Each(all(plans), limit.unwrap_or(usize::MAX)),
            Plan::TryJoin(plans) => Kind::All(all(plans)),
            Plan::Race(plans) => Kind::First(all(plans)),
            Plan::Select(plans) => Kind::First(vec![Node::of(&plans.0), Node::of(&plans.1)]),
            Plan::Timeout(plan, timer) => Kind::Timeout(Box::new(Node::of(plan)), *timer),
            Plan::Frame(plans) => Kind::Frame(all(plans)),
        };
        Node { kind, out: None, begun: false }
    }

    /// Lets it begin what it can, and tells it of an event. Gives whether it is done.
    fn go(&mut self, event: Option<(u32, bool)>) -> bool {
        if self.out.is_some() {
            return true;
        }
        let event = if self.begun { event } else { None };
        self.begun = true;
        self.out = match &mut self.kind {
            Kind::Op(number) => match event {
                Some((happened, failed)) if happened == *number => {
                    Some(if failed { Err(*number) } else { Ok(Value::Op(*number)) })
                }
                _ => None,
            },
            Kind::Each(parts, limit) => {
                let mut open = 0;
                for part in &mut *parts {
                    if open < *limit && !part.go(event) {
                        open += 1;
                    }
                }
                let out = || parts.iter().map(|part| part.out.clone()).collect::<Option<_>>();
                out().map(|each| Ok(Value::Each(each)))
            }
            Kind::All(parts) => {
                let failed = parts.iter_mut().find_map(|part| {
                    part.go(event);
                    part.out.clone()?.err()
                });
                let values = || parts.iter().map(|part| part.out.clone()?.ok()).collect::<Option<_>>();
                failed.map(Err).or_else(|| values().map(|values| Ok(Value::All(values))))
            }
            Kind::First(parts) => parts.iter_mut().find_map(|part| {
                part.go(event);
                part.out.clone()
            }),
            Kind::Timeout(part, timer) => {
                if part.go(event) {
                    Some(Ok(Value::Timed(part.out.clone().map(Box::new))))
                } else {
                    event.filter(|(happened, _)| happened == timer).map(|_| Ok(Value::Timed(None)))
                }
            }
            Kind::Frame(parts) => {
                let waits = parts.iter_mut().any(|part| !part.go(event));
                let out = parts.iter().map(|part| part.out.clone()).collect::<Option<_>>();
                if waits { None } else { out.map(|each| Ok(Value::Each(each))) }
            }
        };
        self.out.is_some()
    }

    /// What is under way in it.
    fn open(&self, open: &mut Vec<u32>) {
        if !self.begun || self.out.is_some() {
            return;
        }
        match &self.kind {
            Kind::Op(number) => open.push(*number),
            Kind::Each(parts, _) | Kind::All(parts) | Kind::First(parts) | Kind::Frame(parts) => {
                parts.iter().for_each(|part| part.open(open));
            }
            Kind::Timeout(part, timer) => {
                open.push(*timer);
                part.open(open);
            }
        }
    }

    /// Whether it has begun this operation, done or not.
    fn has_begun(&self, number: u32) -> bool {
        self.begun
            && match &self.kind {
                Kind::Op(own) => *own == number,
                Kind::Each(parts, _) | Kind::All(parts) | Kind::First(parts) | Kind::Frame(parts) => {
                    parts.iter().any(|part| part.has_begun(number))
                }
                Kind::Timeout(part, timer) => *timer == number || part.has_begun(number),
            }
    }
}

/// The interpreter with what happened to operations that nobody waited for yet.
struct Plain {
    root: Node,
    spawned: Vec<u32>,
    early: Vec<(u32, bool)>,
}

impl Plain {
    fn new(plan: &Plan, spawned: &[u32]) -> Self {
        let mut root = Node::of(plan);
        root.go(None);
        Plain { root, spawned: spawned.to_vec(), early: Vec::new() }
    }

    fn happened(&mut self, number: u32, failed: bool) {
        self.spawned.retain(|spawned| *spawned != number || self.root.has_begun(number));
        self.early.push((number, failed));
        // What is awaited now counts in the order in which it happened.
        while let Some(at) = self.early.iter().position(|(number, _)| self.root.has_begun(*number)) {
            let event = self.early.remove(at);
            self.root.go(Some(event));
        }
    }

    /// What is under way: what somebody waits for, and what was spawned and nobody has awaited.
    fn open(&self) -> Vec<u32> {
        let mut open = Vec::new();
        self.root.open(&mut open);
        open.extend(self.spawned.iter().filter(|number| !self.root.has_begun(**number)));
        open.sort_unstable();
        open
    }
}

// ---- The comparison.

struct Maker {
    rng: fastrand::Rng,
    next: u32,
    spawned: Vec<u32>,
}

impl Maker {
    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn several(&mut self, depth: u32, least: usize) -> Vec<Plan> {
        (0..self.rng.usize(least..4)).map(|_| self.plan(depth - 1)).collect()
    }

    fn plan(&mut self, depth: u32) -> Plan {
        match self.rng.u32(..if depth == 0 { 3 } else { 11 }) {
            0..=1 => Plan::Op(self.number()),
            2 => {
                let number = self.number();
                self.spawned.push(number);
                Plan::Spawned(number)
            }
            3 => Plan::Join(self.several(depth, 0), None),
            4 => {
                let limit = self.rng.usize(1..3);
                Plan::Join(self.several(depth, 1), Some(limit))
            }
            5..=6 => Plan::TryJoin(self.several(depth, 1)),
            7 => Plan::Race(self.several(depth, 1)),
            8 => Plan::Select(Box::new((self.plan(depth - 1), self.plan(depth - 1)))),
            9 => Plan::Timeout(Box::new(self.plan(depth - 1)), self.number()),
            _ => Plan::Frame(self.several(depth, 0)),
        }
    }
}

/// Runs a tree and the interpreter side by side. Gives what differs.
fn compare(seed: u64, honest: bool) -> Result<bool, String> {
    let mut maker = Maker { rng: fastrand::Rng::with_seed(seed), next: 0, spawned: Vec::new() };
    let plan = maker.plan(3);
    let Maker { mut rng, spawned, .. } = maker;
    let mut instance = Instance::new(&plan, &spawned, honest);
    let mut expected = Plain::new(&plan, &spawned);
    let mut told = Vec::new();
    let mut seq = 0;
    loop {
        instance.run();
        let (got, right) = (instance.out.as_ref(), expected.root.out.as_ref());
        if got != right {
            return Err(format!("{plan:?}\n  after {told:?}\n  it gave {got:?}\n  and not {right:?}"));
        }
        if got.is_some() {
            return Ok(told.len() > 1);
        }
        let mut pending: Vec<_> = instance.pending().into_iter().collect();
        let open: Vec<_> = pending.iter().map(|(number, _)| *number).collect();
        if open != expected.open() {
            let right = expected.open();
            return Err(format!("{plan:?}\n  after {told:?}\n  {open:?} are open, and not {right:?}"));
        }
        if pending.is_empty() {
            // A race of nothing that can be done.
            return Err(format!("{plan:?}\n  after {told:?}\n  nothing is left to wait for"));
        }
        // Several may be there by the time the tree is polled.
        for _ in 0..rng.usize(1..4).min(pending.len()) {
            let (number, id) = pending.swap_remove(rng.usize(..pending.len()));
            let is_timer = matches!(instance.operations.get(id).unwrap().kind, OperationKind::Timer { .. });
            let failed = !is_timer && !spawned.contains(&number) && rng.u8(..3) == 0;
            seq += 1;
            instance.complete(id, seq, failed);
            expected.happened(number, failed);
            told.push((number, failed));
        }
    }
}

#[test]
fn a_tree_gives_what_a_plain_interpreter_gives_for_every_order_of_completions() {
    let first = fastrand::u64(..u64::MAX / 2);
    let mut long = 0;
    for seed in first..first + 20_000 {
        match compare(seed, true) {
            Ok(was_long) => long += u32::from(was_long),
            Err(difference) => panic!("seed {seed}: {difference}"),
        }
    }
    assert!(long > 5_000, "only {long} trees took more than one completion");
}

#[test]
fn the_comparison_finds_a_machine_that_sees_too_much() {
    let first = fastrand::u64(..u64::MAX / 2);
    let wrong = (first..first + 5_000).filter(|seed| compare(*seed, false).is_err()).count();
    assert!(wrong > 10, "only {wrong} of 5,000 trees differ");
}
