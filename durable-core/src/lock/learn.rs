//! What this build has: its items, asked for their types.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use super::{
    LockError,
    content::{Awaits, Block, Content, Kind, Point},
};
use crate::{
    activity::ActivityEntry,
    codec::{
        Bytes, Codec, TypeOf, Value,
        described::{Described, Types},
        with_current,
    },
    context::{Scratch, Step, ambient},
    engine::{mail::MessageKind, panics::catch_quietly},
    evolve::PointTable,
    frame::{
        FrameImage, Frames,
        witnesses::{Callee, Learning},
    },
    instance::InstanceInfo,
    meta::WorkflowMeta,
    random::Random,
    registry::{Machine, Registry, WorkflowEntry},
    time::at_time,
};

/// The items of this build.
pub(super) struct Build {
    pub(super) registry: Registry,
    /// What was learnt of workflows.
    learnt: RefCell<BTreeMap<&'static str, Arc<Learnt>>>,
}

/// A workflow's types.
pub(super) struct Learnt {
    /// For each point, those of its variables.
    pub(super) points: Vec<LearntPoint>,
    content: Content,
}

pub(super) struct LearntPoint {
    pub(super) variables: Vec<&'static TypeOf>,
    /// The state of what is awaited, and whom it calls; none if the point can't be reached with made up values.
    pub(super) awaits: Option<(TypeOf, Vec<Callee>)>,
}

impl Build {
    pub(super) fn new() -> Result<Self, LockError> {
        let registry = Registry::collect(&[]).map_err(|duplicate| LockError::Duplicate {
            name: duplicate.name.to_owned(),
            first: duplicate.first,
            second: duplicate.second,
        })?;
        Ok(Build { registry, learnt: RefCell::default() })
    }

    /// All of it, as it is written.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        // What had another name is there under both.
        for (name, entry) in &self.registry.activities {
            if *name == entry.meta.name {
                let lines = activity(entry).lines();
                blocks.push(Block { kind: Kind::Activity, name: (*name).into(), line: 0, lines });
            }
        }
        for entry in self.messages() {
            let lines = message(&entry).lines();
            blocks.push(Block { kind: entry.kind, name: entry.name.into(), line: 0, lines });
        }
        for (name, entry) in &self.registry.workflows {
            if *name == entry.meta.name {
                let lines = self.workflow(entry).content.lines();
                blocks.push(Block { kind: Kind::Workflow, name: (*name).into(), line: 0, lines });
            }
        }
        // Several messages may have one name.
        blocks.sort_by(|a, b| (a.sort_key(), &a.lines).cmp(&(b.sort_key(), &b.lines)));
        blocks.dedup_by(|a, b| a.is(b));
        blocks
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = Message> {
        let received = self.registry.messages.values().flatten().map(|entry| {
            let kind = match entry.kind {
                MessageKind::Signal => Kind::Signal,
                MessageKind::Update => Kind::Update,
            };
            Message { kind, name: entry.name, of: entry.of, reply: entry.reply }
        });
        let shown = self.registry.published.iter();
        received.chain(shown.map(|entry| Message {
            kind: Kind::Published,
            name: entry.name,
            of: entry.of,
            reply: None,
        }))
    }

    pub(super) fn workflow(&self, entry: &WorkflowEntry) -> Arc<Learnt> {
        if let Some(known) = self.learnt.borrow().get(entry.meta.name) {
            return known.clone();
        }
        let learnt = Arc::new(learn(entry));
        self.learnt.borrow_mut().insert(entry.meta.name, learnt.clone());
        learnt
    }

    /// What is described of today's version of a workflow.
    pub(super) fn described(learnt: &Learnt) -> &Content {
        &learnt.content
    }
}

/// The parameters by their names, if the type has a part for each.
fn arguments(types: &mut Types, names: &[&'static [&'static str]], of: &TypeOf) -> Vec<(String, Described)> {
    let all = types.describe(of);
    let count = names.len();
    let names = names.iter().filter_map(|names| names.first()).map(|name| (*name).to_owned());
    match all.parts(count) {
        Some(parts) => names.zip(parts).collect(),
        None => names.map(|name| (name, all.clone())).collect(),
    }
}

pub(super) fn activity(entry: &ActivityEntry) -> Content {
    let mut content = Content::default();
    content.arguments = arguments(&mut content.types, entry.meta.args, entry.args);
    content.result = Some(content.types.describe(entry.output));
    content
}

/// Something that instances receive or show.
pub(super) struct Message {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    pub(super) of: &'static TypeOf,
    /// What an update is answered with.
    pub(super) reply: Option<&'static TypeOf>,
}

pub(super) fn message(message: &Message) -> Content {
    let mut content = Content::default();
    content.message = Some(content.types.describe(message.of));
    content.reply = message.reply.map(|reply| content.types.describe(reply));
    content
}

fn learn(entry: &WorkflowEntry) -> Learnt {
    let meta = entry.meta;
    let mut content = Content::default();
    content.arguments = arguments(&mut content.types, meta.args, entry.args);
    content.result = Some(content.types.describe(entry.output));
    let types = ask(entry, Learning::default()).types;
    let mut points = Vec::new();
    for (at, id) in PointTable::of(meta).points.into_iter().enumerate() {
        let witnesses = meta.points[at].witnesses.chunks_exact(2);
        let of = |bytes: &[u8]| types.get(usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))).copied();
        let variables: Vec<_> = witnesses.filter_map(of).collect();
        let described: Vec<_> = variables.iter().map(|of| content.types.describe(of)).collect();
        let (awaits, point) = (reach(entry, at as u32 + 1, &described, &mut content.types), &meta.points[at]);
        content.points.push(Point {
            id,
            place: format!("{}:{}", meta.file, point.line),
            awaits: awaits
                .as_ref()
                .map(|(_, calls, state)| Awaits { calls: calls.clone(), state: state.clone() }),
            variables: point.vars().map(str::to_owned).zip(described).collect(),
        });
        points.push(LearntPoint { variables, awaits: awaits.map(|(of, calls, _)| (of, calls)) });
    }
    Learnt { points, content }
}

/// What is awaited at a point.
fn reach(
    entry: &WorkflowEntry,
    point: u32,
    variables: &[Described],
    types: &mut Types,
) -> Option<(TypeOf, Vec<Callee>, Described)> {
    let values: Option<Vec<Value>> = variables.iter().map(|described| types.one(described)).collect();
    let values = values?;
    let of = ask(entry, Learning::at(point, values.clone(), None)).awaits?;
    let state = types.describe_awaited(&of);
    let calls = match types.one(&state) {
        Some(future) => ask(entry, Learning::at(point, values, Some(future))).calls,
        None => Vec::new(),
    };
    Some((of, calls, state))
}

/// Polls a workflow's machine to learn something.
fn ask(entry: &WorkflowEntry, learning: Learning) -> Learning {
    let info = Arc::new(InstanceInfo {
        id: String::new(),
        workflow: entry.meta.name.to_owned(),
        parent: None,
        started: std::time::SystemTime::UNIX_EPOCH,
    });
    let (codec, frames) = (Arc::new(Codec::new()), Arc::new(Frames::new(Box::new(|_| None), Vec::new())));
    let scratch = Scratch { frames: Some(frames.clone()), ..Scratch::new(info, Arc::new(Random::seeded(0))) };
    let mut step = Step::new(codec.clone(), frames, 0, scratch);
    step.learning = Some(Box::new(learning));
    let shared = step.scratch.clone();
    // Nothing of it is looked at.
    let machine = Machine::At(FrameImage { layout: 0, vars: Bytes::default() });
    // What a user's code made of values that were made up is no news, not even a panic.
    let _ = catch_quietly(|| {
        let run = || with_current(&codec, || (entry.poll)((&mut step).into(), machine));
        at_time(0, || ambient::enter(&shared, run))
    });
    step.learning.take().map(|learning| *learning).unwrap_or_default()
}

/// What a message calls a variable at a point of this build.
pub(super) fn variable(meta: &WorkflowMeta, name: &str, point: usize) -> String {
    format!("variable `{name}` of workflow `{}` at {}:{}", meta.name, meta.file, meta.points[point].line)
}
