//! Trees as data, and the workflow that makes them real.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use durable::{child, prelude::*};
use serde::{Deserialize, Serialize};

use super::plain::{Out, Plan, Value};

/// So many signals there are, each of its own type.
pub(super) const LETTERS: u32 = 3;

#[derive(Debug, Serialize, Deserialize, Signal)]
struct LetterA;
#[derive(Debug, Serialize, Deserialize, Signal)]
struct LetterB;
#[derive(Debug, Serialize, Deserialize, Signal)]
struct LetterC;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// It fails once, asks for a delay, and is done at its second attempt.
    Activity,
    Timer,
    Child,
    /// It comes at its time after the start, awaited or not.
    Letter(u32),
}

/// An operation: when it is done after it has begun, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Op {
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) ms: u64,
    pub(super) fails: bool,
}

impl Op {
    /// When it comes, if it is a letter, and which.
    pub(super) fn letter(&self) -> Option<(u64, u32)> {
        match self.kind {
            Kind::Letter(letter) => Some((self.ms, letter)),
            _ => None,
        }
    }

    fn is_activity(&self) -> bool {
        self.kind == Kind::Activity
    }
}

/// How operations are composed that stand in a composition by themselves, without workflows around them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum How {
    Join(Option<usize>),
    TryJoin,
    Race,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Node {
    Op(Op),
    Spawned(u32),
    Given(Handle<Out>),
    /// Only activities.
    Activities(How, Vec<Op>),
    Many(How, Vec<Node>),
    Select(Box<(Node, Node)>),
    SelectOk(Box<(Node, Node)>),
    Kept(Box<(Node, Node)>),
    Timeout(Box<Node>, u64),
    Frame(Vec<Node>),
}

impl Node {
    pub(super) fn of(plan: &Plan, ops: &BTreeMap<u32, Op>) -> Node {
        let two = |plans: &(Plan, Plan)| Box::new((Node::of(&plans.0, ops), Node::of(&plans.1, ops)));
        match plan {
            Plan::Op(number) => Node::Op(ops[number].clone()),
            Plan::Spawned(number) => Node::Spawned(*number),
            Plan::Join(plans, limit) => Node::many(How::Join(*limit), plans, ops),
            Plan::TryJoin(plans) => Node::many(How::TryJoin, plans, ops),
            Plan::Race(plans) => Node::many(How::Race, plans, ops),
            Plan::Select(plans) => Node::Select(two(plans)),
            Plan::SelectOk(plans) => Node::SelectOk(two(plans)),
            Plan::Kept(plans) => Node::Kept(two(plans)),
            Plan::Timeout(plan, timer) => Node::Timeout(Box::new(Node::of(plan, ops)), ops[timer].ms),
            Plan::Frame(plans) => Node::Frame(plans.iter().map(|plan| Node::of(plan, ops)).collect()),
        }
    }

    fn many(how: How, plans: &[Plan], ops: &BTreeMap<u32, Op>) -> Node {
        let op = |plan: &Plan| match plan {
            Plan::Op(number) => Some(ops[number].clone()).filter(Op::is_activity),
            _ => None,
        };
        match plans.iter().map(op).collect::<Option<Vec<_>>>() {
            Some(ops) if !ops.is_empty() => Node::Activities(how, ops),
            _ => Node::Many(how, plans.iter().map(|plan| Node::of(plan, ops)).collect()),
        }
    }

    /// Puts the handles in their places.
    fn give(&mut self, handles: &mut BTreeMap<u32, Handle<Out>>) {
        match self {
            Node::Spawned(number) => {
                let handle = handles.remove(number).expect("it stands in one place");
                *self = Node::Given(handle);
            }
            Node::Many(_, nodes) | Node::Frame(nodes) => nodes.iter_mut().for_each(|node| node.give(handles)),
            Node::Select(two) | Node::SelectOk(two) | Node::Kept(two) => {
                two.0.give(handles);
                two.1.give(handles);
            }
            Node::Timeout(node, _) => node.give(handles),
            Node::Op(_) | Node::Given(_) | Node::Activities(..) => {}
        }
    }
}

/// Under which keys each activity ran.
#[derive(Default)]
pub(super) struct Log(Mutex<BTreeMap<u32, BTreeSet<String>>>);

impl Log {
    pub(super) fn keys(&self) -> BTreeMap<u32, BTreeSet<String>> {
        self.0.lock().unwrap().clone()
    }
}

/// What fails says which one it is.
#[activity(retry(jitter = 0))]
async fn perform(State(log): State<Log>, context: ActivityContext, op: &Op) -> Result<u32, Error> {
    let key = context.idempotency_key().to_string();
    log.0.lock().unwrap().entry(op.number).or_default().insert(key);
    if context.attempt() == 1 {
        return Err(Error::msg("later").retry_after(Duration::from_millis(op.ms)));
    }
    if op.fails {
        return Err(Error::msg(op.number.to_string()).non_retryable());
    }
    Ok(op.number)
}

fn out(performed: Result<u32, Error>) -> Out {
    match performed {
        Ok(number) => Ok(Value::Op(number)),
        Err(error) => Err(error.to_string().parse().expect("it says which one it is")),
    }
}

#[workflow]
async fn young(op: Op) -> Result<u32, Error> {
    sleep(Duration::from_millis(op.ms)).await;
    ensure!(!op.fails, "{}", op.number);
    Ok(op.number)
}

#[workflow]
async fn leaf(op: Op) -> Out {
    match op.kind {
        Kind::Activity => out(perform(&op).await),
        Kind::Timer => {
            sleep(Duration::from_millis(op.ms)).await;
            Ok(Value::Op(op.number))
        }
        Kind::Child => {
            let young = young(op.clone());
            out(child(format!("op-{}", op.number), young).await)
        }
        Kind::Letter(letter) => {
            match letter {
                0 => drop(recv::<LetterA>().await),
                1 => drop(recv::<LetterB>().await),
                _ => drop(recv::<LetterC>().await),
            }
            Ok(Value::Op(op.number))
        }
    }
}

/// What is lent to a select is an operation, not a workflow.
#[workflow]
async fn keep(kept: Node, other: Node) -> Out {
    let (first, rest) = match kept {
        Node::Given(mut handle) => select! {
            out = &mut handle => (out, None),
            other = grow(other) => (other, Some(handle.await)),
        },
        Node::Op(op) if op.is_activity() => {
            let mut call = perform(&op);
            select! {
                performed = &mut call => (out(performed), None),
                other = grow(other) => (other, Some(out(call.await))),
            }
        }
        Node::Op(op) if op.kind == Kind::Timer => {
            let done = Ok(Value::Op(op.number));
            let mut timer = sleep(Duration::from_millis(op.ms));
            select! {
                () = &mut timer => (done, None),
                other = grow(other) => {
                    timer.await;
                    (other, Some(done))
                }
            }
        }
        Node::Op(Op { number, kind: Kind::Letter(letter), .. }) => match letter {
            0 => keep_letter::<LetterA>(number, other).await,
            1 => keep_letter::<LetterB>(number, other).await,
            _ => keep_letter::<LetterC>(number, other).await,
        },
        child => {
            let mut handle = spawn(grow(child));
            select! {
                out = &mut handle => (out, None),
                other = grow(other) => (other, Some(handle.await)),
            }
        }
    };
    Ok(Value::Each(std::iter::once(first).chain(rest).collect()))
}

#[workflow]
async fn keep_letter<S: Signal>(number: u32, other: Node) -> (Out, Option<Out>) {
    let mut letter = recv::<S>();
    select! {
        _ = &mut letter => (Ok(Value::Op(number)), None),
        other = grow(other) => {
            letter.await;
            (other, Some(Ok(Value::Op(number))))
        }
    }
}

#[workflow]
async fn activities(how: How, ops: Vec<Op>) -> Out {
    let calls: Vec<_> = ops.iter().map(|op| perform(op)).collect();
    match how {
        How::Join(None) => Ok(Value::Each(calls.join().await.into_iter().map(out).collect())),
        How::Join(Some(limit)) => {
            Ok(Value::Each(calls.join().limit(limit).await.into_iter().map(out).collect()))
        }
        How::TryJoin => match calls.try_join().await {
            Ok(numbers) => Ok(Value::All(numbers.into_iter().map(Value::Op).collect())),
            Err(error) => out(Err(error)),
        },
        How::Race => out(calls.race().await),
    }
}

#[workflow]
async fn grow(node: Node) -> Out {
    match node {
        Node::Op(op) => leaf(op).await,
        Node::Given(handle) => handle.await,
        Node::Spawned(_) => unreachable!("it was given its handle"),
        Node::Activities(how, ops) => activities(how, ops).await,
        Node::Many(how, nodes) => {
            let calls: Vec<_> = nodes.into_iter().map(|node| grow(node)).collect();
            match how {
                How::Join(None) => Ok(Value::Each(calls.join().await)),
                How::Join(Some(limit)) => Ok(Value::Each(calls.join().limit(limit).await)),
                How::TryJoin => Ok(Value::All(calls.try_join().await?)),
                How::Race => calls.race().await,
            }
        }
        Node::Select(two) => {
            let (a, b) = *two;
            select! {
                a = grow(a) => a,
                b = grow(b) => b,
            }
        }
        Node::SelectOk(two) => {
            let (a, b) = *two;
            select! {
                Ok(a) = grow(a) => Ok(a),
                Ok(b) = grow(b) => Ok(b),
                else => Ok(Value::Else),
            }
        }
        Node::Kept(two) => {
            let (kept, other) = *two;
            keep(kept, other).await
        }
        Node::Timeout(node, ms) => {
            let timed = grow(*node).timeout(Duration::from_millis(ms)).await;
            Ok(Value::Timed(timed.ok().map(Box::new)))
        }
        Node::Frame(nodes) => {
            let mut each = Vec::new();
            for node in nodes {
                each.push(grow(node).await);
            }
            Ok(Value::Each(each))
        }
    }
}

/// Writes letters at their times after the start.
#[workflow]
async fn correspondent(to: String, began: std::time::SystemTime, letters: Vec<(u64, u32)>) {
    for (ms, letter) in letters {
        sleep_until(began + Duration::from_millis(ms)).await;
        let sent = match letter {
            0 => durable::signal(&to, LetterA).await,
            1 => durable::signal(&to, LetterB).await,
            _ => durable::signal(&to, LetterC).await,
        };
        if sent.is_err() {
            break;
        }
    }
}

/// What a tree gives, and how long that took.
#[workflow]
pub(super) async fn grown(mut node: Node, spawned: Vec<Op>, letters: Vec<(u64, u32)>) -> (Out, Duration) {
    let began = durable::now();
    let writes = correspondent(durable::instance().id, began, letters);
    let _ = child("correspondent", writes).start().await;
    let mut handles = BTreeMap::new();
    for op in spawned {
        handles.insert(op.number, spawn(leaf(op)));
    }
    node.give(&mut handles);
    let out = grow(node).await;
    (out, durable::now().duration_since(began).unwrap_or_default())
}
