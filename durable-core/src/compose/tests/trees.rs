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

use super::{
    super::*,
    plain::{Maker, Out, Plain, Plan, Value, Wrong},
};
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

// ---- The compositions as they are.

#[derive(Clone, Serialize, Deserialize)]
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
    /// None while it is polled.
    SelectOk(Option<Box<Selection<(Tree, Tree)>>>),
    Keeping(Box<Selection<(Tree, Tree)>>),
    /// What is awaited behind the select, and what the other branch gave.
    Kept(Box<Tree>, Out),
    Timeout(Box<Timed<Tree>>),
    Frame {
        left: VecDeque<Tree>,
        got: Vec<Out>,
    },
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
            Plan::SelectOk(plans) => {
                let (a, b) = (Tree::of(&plans.0, spawned), Tree::of(&plans.1, spawned));
                Tree::SelectOk(Some(Box::new(select2(false, [true, true], (own(a), own(b))))))
            }
            Plan::Kept(plans) => {
                let (mut a, b) = (Tree::of(&plans.0, spawned), Tree::of(&plans.1, spawned));
                Tree::Keeping(Box::new(select2(false, [true, true], (lend(&mut a), own(b)))))
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

impl Lend for Tree {
    type Lent = Tree;

    fn lend(&mut self) -> Tree {
        match self {
            Tree::Op(leaf) => Tree::Op(leaf.clone()),
            Tree::Spawned(number, handle) => Tree::Spawned(*number, handle.lend()),
            _ => unreachable!("only operations are lent"),
        }
    }

    fn give_back(&mut self, lent: Tree) {
        *self = lent;
    }
}

type Selected = (Won2<Out, Out>, Selection<(Tree, Tree)>);

/// As the macro writes it out: a branch whose value does not match is off.
fn poll_select_ok(slot: &mut Option<Box<Selection<(Tree, Tree)>>>, cx: &mut Context<'_>) -> Poll<Out> {
    loop {
        let select = slot.as_mut().expect("it is not over");
        let Poll::Ready((won, select)): Poll<Selected> = select.poll(cx) else { return Poll::Pending };
        match won {
            Won2::A(Err(_)) | Won2::B(Err(_)) => *slot = Some(Box::new(select_again(select))),
            Won2::A(ref out) | Won2::B(ref out) => {
                let out = out.clone();
                end2((won, select));
                return Poll::Ready(out);
            }
            Won2::Disabled => {
                end2((won, select));
                return Poll::Ready(Ok(Value::Else));
            }
        }
    }
}

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
            Tree::SelectOk(select) => poll_select_ok(select, cx),
            Tree::Keeping(select) => {
                let Poll::Ready(ended) = select.poll(cx) else { return Poll::Pending };
                match end2(ended) {
                    (Won2::A(out), _) => Poll::Ready(Ok(Value::Each(vec![out]))),
                    (Won2::B(out), (kept, _)) => {
                        *self = Tree::Kept(Box::new(kept), out);
                        self.poll(cx)
                    }
                    (Won2::Disabled, _) => unreachable!("nothing is off"),
                }
            }
            Tree::Kept(kept, other) => kept.poll(cx).map(|out| Ok(Value::Each(vec![other.clone(), out]))),
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
            Tree::SelectOk(_) | Tree::Keeping(_) | Tree::Kept(..) | Tree::Frame { .. } => None,
        }
    }
}

/// An instance, as far as a tree needs one.
#[derive(Clone)]
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
        let frames = Arc::new(Frames::new(Box::new(|_| None), Vec::new()));
        let mut step = Step::new(Arc::<Codec>::default(), frames, 0, scratch);
        let shared = step.scratch.clone();
        let polled = ambient::enter(&shared, || tree.poll(&mut Context { step: (&mut step).into() }));
        assert!(step.failure.is_none(), "{:?}", step.failure);
        self.wait = step.wait.take();
        drop(step);
        let mut scratch = std::rc::Rc::into_inner(shared).expect("it is nobody's").into_inner();
        self.operations = std::mem::take(&mut scratch.operations);
        (self.scopes, self.next) = (scratch.scopes, scratch.next_operation);
        for id in scratch.taken.iter().chain(&scratch.rare.cancelled) {
            self.operations.remove(*id);
        }
        for (id, scope) in scratch.rare.rescoped.clone() {
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

// ---- The comparison.

/// A tree and the interpreter side by side.
#[derive(Clone)]
struct Pair {
    instance: Instance,
    plain: Plain,
    /// What has happened, and the number of the last of it.
    told: Vec<(u32, bool)>,
    seq: u64,
}

impl Pair {
    fn new(plan: &Plan, spawned: &[u32], honest: bool) -> Self {
        let instance = Instance::new(plan, spawned, honest);
        Pair { instance, plain: Plain::new(plan, spawned, Wrong::Not), told: Vec::new(), seq: 0 }
    }

    /// Lets the tree run. Gives what is pending, or nothing at its end; an error says what differs.
    fn run(&mut self) -> Result<Option<BTreeMap<u32, OperationId>>, String> {
        self.instance.run();
        let (got, right) = (self.instance.out.as_ref(), self.plain.out());
        if got != right {
            return Err(format!("after {:?}\n  it gave {got:?}\n  and not {right:?}", self.told));
        }
        if got.is_some() {
            return Ok(None);
        }
        let (pending, right) = (self.instance.pending(), self.plain.open());
        let open: Vec<_> = pending.keys().copied().collect();
        if open != right {
            return Err(format!("after {:?}\n  {open:?} are open, and not {right:?}", self.told));
        }
        if open.is_empty() {
            return Err(format!("after {:?}\n  nothing is left to wait for", self.told));
        }
        Ok(Some(pending))
    }

    fn happens(&mut self, number: u32, id: OperationId, failed: bool) {
        self.seq += 1;
        self.instance.complete(id, self.seq, failed);
        self.plain.happened(number, failed);
        self.told.push((number, failed));
    }

    /// Timers and what was spawned don't fail here.
    fn may_fail(&self, id: OperationId, spawned: &[u32], number: u32) -> bool {
        let operation = self.instance.operations.get(id).expect("it is under way");
        !matches!(operation.kind, OperationKind::Timer { .. }) && !spawned.contains(&number)
    }
}

/// Runs a random tree with a random order of completions. Gives whether it took more than one.
fn compare(seed: u64, honest: bool) -> Result<bool, String> {
    let mut maker = Maker::new(seed);
    let plan = maker.plan(3);
    let Maker { mut rng, spawned, .. } = maker;
    let mut pair = Pair::new(&plan, &spawned, honest);
    while let Some(pending) = pair.run().map_err(|wrong| format!("{plan:?}\n  {wrong}"))? {
        let mut pending: Vec<_> = pending.into_iter().collect();
        // Several may be there by the time the tree is polled.
        for _ in 0..rng.usize(1..4).min(pending.len()) {
            let (number, id) = pending.swap_remove(rng.usize(..pending.len()));
            let failed = pair.may_fail(id, &spawned, number) && rng.u8(..3) == 0;
            pair.happens(number, id, failed);
        }
    }
    Ok(pair.told.len() > 1)
}

#[test]
fn a_tree_gives_what_a_plain_interpreter_gives_whatever_the_order_of_completions() {
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

/// An empty join beside it ends at once, and what began in the same pass must not be looked at again.
#[test]
fn what_was_there_before_a_select_in_a_join_does_not_win_by_its_place() {
    compare(8_047_832_467_142_559_815, true).unwrap_or_else(|difference| panic!("{difference}"));
}

#[test]
fn the_comparison_finds_a_machine_that_sees_too_much() {
    let first = fastrand::u64(..u64::MAX / 2);
    let wrong = (first..first + 5_000).filter(|seed| compare(*seed, false).is_err()).count();
    assert!(wrong > 10, "only {wrong} of 5,000 trees differ");
}

/// Every order in which the operations of a tree can end, well or not, and every way in which they come together: `budget` runs of them.
fn every_order(mut pair: Pair, spawned: &[u32], budget: &mut u32) -> Result<(), String> {
    if *budget == 0 {
        return Ok(());
    }
    let before = pair.clone();
    let Some(pending) = pair.run()? else {
        *budget -= 1;
        return Ok(());
    };
    for (number, id) in pending {
        for failed in [false, true] {
            if failed && !pair.may_fail(id, spawned, number) {
                continue;
            }
            let mut next = pair.clone();
            next.happens(number, id, failed);
            every_order(next, spawned, budget)?;
            // The same with the tree polled only now: a crash has lost what it came to in between, or it was too slow.
            let still_there = before.instance.pending().get(&number) == Some(&id);
            if still_there && !before.told.is_empty() {
                let mut late = before.clone();
                late.happens(number, id, failed);
                every_order(late, spawned, budget)?;
            }
        }
    }
    Ok(())
}

#[test]
fn every_order_and_every_batch_of_completions_of_small_trees_gives_the_same_as_the_interpreter() {
    let first = fastrand::u64(..u64::MAX / 2);
    let (mut whole, mut runs) = (0, 0);
    for seed in first..first + 2_000 {
        let mut maker = Maker::new(seed);
        let plan = maker.plan(2);
        if maker.last > 6 {
            continue;
        }
        let most = 2_000;
        let mut budget = most;
        let pair = Pair::new(&plan, &maker.spawned, true);
        let same = every_order(pair, &maker.spawned, &mut budget);
        same.unwrap_or_else(|difference| panic!("seed {seed}: {plan:?}\n  {difference}"));
        whole += u32::from(budget > 0);
        runs += most - budget;
    }
    assert!(whole > 500 && runs > 50_000, "only {whole} trees in every order, {runs} runs");
}
