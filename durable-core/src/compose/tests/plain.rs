//! Random trees of compositions, and a plain interpreter of them: one thing after the other, as it happens.
//!
//! Nothing in here knows the library. `trees` runs the trees as futures; `tests/behaviour/compose/random` runs them through the engine.

use serde::{Deserialize, Serialize};

/// What a tree gives. An operation's number is its own; one that fails gives its number.
pub(crate) type Out = Result<Value, u32>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Value {
    Op(u32),
    All(Vec<Value>),
    Each(Vec<Out>),
    Timed(Option<Box<Out>>),
    /// No branch of a select was left.
    Else,
}

/// What is composed.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    Op(u32),
    /// An operation that was started before everything else.
    Spawned(u32),
    Join(Vec<Plan>, Option<usize>),
    TryJoin(Vec<Plan>),
    Race(Vec<Plan>),
    Select(Box<(Plan, Plan)>),
    /// A branch that fails is off.
    SelectOk(Box<(Plan, Plan)>),
    /// An operation that is lent to a select, and awaited behind it if the other branch wins.
    Kept(Box<(Plan, Plan)>),
    Timeout(Box<Plan>, u32),
    /// A called workflow: one after the other.
    Frame(Vec<Plan>),
}

/// How an interpreter may be wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wrong {
    Not,
    /// A race is won by the first in the source, once all are done.
    Source,
    /// A failed `try_join` waits for all.
    Patient,
    /// A timeout does not end what it waits for.
    Late,
    /// As many as there are run at once.
    Unlimited,
    /// A branch that fails wins all the same.
    Unmatched,
}

/// A part of a tree, as far as it has come.
#[derive(Clone)]
struct Node {
    kind: Kind,
    out: Option<Out>,
    begun: bool,
}

#[derive(Clone)]
enum Kind {
    Op(u32),
    Each(Vec<Node>, usize),
    All(Vec<Node>),
    First(Vec<Node>),
    FirstOk(Vec<Node>),
    Kept(Vec<Node>),
    Timeout(Box<Node>, u32),
    Frame(Vec<Node>),
}

impl Node {
    fn of(plan: &Plan) -> Node {
        let all = |plans: &[Plan]| plans.iter().map(Node::of).collect::<Vec<_>>();
        let two = |plans: &(Plan, Plan)| vec![Node::of(&plans.0), Node::of(&plans.1)];
        let kind = match plan {
            Plan::Op(number) | Plan::Spawned(number) => Kind::Op(*number),
            Plan::Join(plans, limit) => Kind::Each(all(plans), limit.unwrap_or(usize::MAX)),
            Plan::TryJoin(plans) => Kind::All(all(plans)),
            Plan::Race(plans) => Kind::First(all(plans)),
            Plan::Select(plans) => Kind::First(two(plans)),
            Plan::SelectOk(plans) => Kind::FirstOk(two(plans)),
            Plan::Kept(plans) => Kind::Kept(two(plans)),
            Plan::Timeout(plan, timer) => Kind::Timeout(Box::new(Node::of(plan)), *timer),
            Plan::Frame(plans) => Kind::Frame(all(plans)),
        };
        Node { kind, out: None, begun: false }
    }

    /// Lets it begin what it can, and tells it of an event. Gives whether it is done.
    fn go(&mut self, event: Option<(u32, bool)>, wrong: Wrong) -> bool {
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
            Kind::Each(parts, limit) => each(parts, *limit, event, wrong),
            Kind::All(parts) => all(parts, event, wrong),
            Kind::First(parts) => first(parts, event, wrong),
            Kind::FirstOk(parts) => first_ok(parts, event, wrong),
            Kind::Kept(parts) => kept(parts, event, wrong),
            Kind::Timeout(part, timer) => {
                if part.go(event, wrong) {
                    Some(Ok(Value::Timed(part.out.clone().map(Box::new))))
                } else {
                    let timer = event.filter(|(happened, _)| happened == timer && wrong != Wrong::Late);
                    timer.map(|_| Ok(Value::Timed(None)))
                }
            }
            Kind::Frame(parts) => {
                let waits = parts.iter_mut().any(|part| !part.go(event, wrong));
                if waits { None } else { outs(parts) }
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
            Kind::Timeout(part, timer) => {
                open.push(*timer);
                part.open(open);
            }
            _ => self.parts().iter().for_each(|part| part.open(open)),
        }
    }

    /// Whether it has begun this operation, done or not.
    fn has_begun(&self, number: u32) -> bool {
        self.begun
            && match &self.kind {
                Kind::Op(own) => *own == number,
                Kind::Timeout(part, timer) => *timer == number || part.has_begun(number),
                _ => self.parts().iter().any(|part| part.has_begun(number)),
            }
    }

    fn parts(&self) -> &[Node] {
        match &self.kind {
            Kind::Op(_) => &[],
            Kind::Timeout(part, _) => std::slice::from_ref(part),
            Kind::Each(parts, _)
            | Kind::All(parts)
            | Kind::First(parts)
            | Kind::FirstOk(parts)
            | Kind::Kept(parts)
            | Kind::Frame(parts) => parts,
        }
    }
}

/// What all gave, once all are done.
fn outs(parts: &[Node]) -> Option<Out> {
    let outs: Option<_> = parts.iter().map(|part| part.out.clone()).collect();
    outs.map(|each| Ok(Value::Each(each)))
}

fn each(parts: &mut [Node], limit: usize, event: Option<(u32, bool)>, wrong: Wrong) -> Option<Out> {
    let mut open = 0;
    for part in &mut *parts {
        if (open < limit || wrong == Wrong::Unlimited) && !part.go(event, wrong) {
            open += 1;
        }
    }
    outs(parts)
}

fn all(parts: &mut [Node], event: Option<(u32, bool)>, wrong: Wrong) -> Option<Out> {
    let failed = parts.iter_mut().find_map(|part| {
        part.go(event, wrong);
        part.out.clone()?.err().filter(|_| wrong != Wrong::Patient)
    });
    if let Some(failed) = failed {
        return Some(Err(failed));
    }
    let outs: Option<Vec<Out>> = parts.iter().map(|part| part.out.clone()).collect();
    outs.map(|outs| outs.into_iter().collect::<Result<_, _>>().map(Value::All))
}

fn first(parts: &mut [Node], event: Option<(u32, bool)>, wrong: Wrong) -> Option<Out> {
    if wrong == Wrong::Source {
        let done: Vec<_> = parts.iter_mut().map(|part| part.go(event, wrong)).collect();
        return if done.contains(&false) { None } else { parts[0].out.clone() };
    }
    parts.iter_mut().find_map(|part| {
        part.go(event, wrong);
        part.out.clone()
    })
}

fn first_ok(parts: &mut [Node], event: Option<(u32, bool)>, wrong: Wrong) -> Option<Out> {
    if wrong == Wrong::Unmatched {
        return first(parts, event, wrong);
    }
    let ok = parts.iter_mut().find_map(|part| {
        part.go(event, wrong);
        part.out.clone().filter(Result::is_ok)
    });
    let off = || parts.iter().all(|part| part.out.is_some()).then_some(Ok(Value::Else));
    ok.or_else(off)
}

/// The one that is kept stands first.
fn kept(parts: &mut [Node], event: Option<(u32, bool)>, wrong: Wrong) -> Option<Out> {
    let [kept, other] = parts else { unreachable!("there are two") };
    let was_over = other.out.is_some();
    if kept.go(event, wrong) {
        let others = if was_over { other.out.clone() } else { None };
        return Some(Ok(Value::Each(others.into_iter().chain(kept.out.clone()).collect())));
    }
    if !was_over {
        other.go(event, wrong);
    }
    None
}

/// The interpreter, with what happened to operations that nobody waited for yet.
#[derive(Clone)]
pub(crate) struct Plain {
    root: Node,
    spawned: Vec<u32>,
    early: Vec<(u32, bool)>,
    wrong: Wrong,
}

impl Plain {
    pub(crate) fn new(plan: &Plan, spawned: &[u32], wrong: Wrong) -> Self {
        let mut root = Node::of(plan);
        root.go(None, wrong);
        Plain { root, spawned: spawned.to_vec(), early: Vec::new(), wrong }
    }

    /// An operation is done.
    pub(crate) fn happened(&mut self, number: u32, failed: bool) {
        self.spawned.retain(|spawned| *spawned != number || self.root.has_begun(number));
        self.early.push((number, failed));
        // What is awaited now counts in the order in which it happened.
        while let Some(at) = self.early.iter().position(|(number, _)| self.root.has_begun(*number)) {
            let event = self.early.remove(at);
            self.root.go(Some(event), self.wrong);
        }
    }

    /// What is under way: what somebody waits for, and what was spawned and nobody has awaited.
    pub(crate) fn open(&self) -> Vec<u32> {
        let mut open = Vec::new();
        self.root.open(&mut open);
        open.extend(self.spawned.iter().filter(|number| !self.root.has_begun(**number)));
        open.sort_unstable();
        open
    }

    pub(crate) fn out(&self) -> Option<&Out> {
        self.root.out.as_ref()
    }
}

/// Makes trees.
pub(crate) struct Maker {
    pub(crate) rng: fastrand::Rng,
    /// The highest number given away.
    pub(crate) last: u32,
    pub(crate) spawned: Vec<u32>,
    /// The numbers that stand for the timers of timeouts.
    pub(crate) timers: Vec<u32>,
}

impl Maker {
    pub(crate) fn new(seed: u64) -> Self {
        Maker { rng: fastrand::Rng::with_seed(seed), last: 0, spawned: Vec::new(), timers: Vec::new() }
    }

    fn number(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    fn several(&mut self, depth: u32, least: usize) -> Vec<Plan> {
        (0..self.rng.usize(least..4)).map(|_| self.plan(depth - 1)).collect()
    }

    fn two(&mut self, depth: u32) -> (Plan, Plan) {
        (self.plan(depth - 1), self.plan(depth - 1))
    }

    pub(crate) fn plan(&mut self, depth: u32) -> Plan {
        match self.rng.u32(..if depth == 0 { 3 } else { 13 }) {
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
            8 => Plan::Select(Box::new(self.two(depth))),
            9 => Plan::SelectOk(Box::new(self.two(depth))),
            10 => Plan::Kept(Box::new((self.plan(0), self.plan(depth - 1)))),
            11 => {
                let plan = self.plan(depth - 1);
                let timer = self.number();
                self.timers.push(timer);
                Plan::Timeout(Box::new(plan), timer)
            }
            _ => Plan::Frame(self.several(depth, 0)),
        }
    }
}
