//! The frames of an instance, for people: a tree, since a composition may hold several called workflows at once.

use super::{
    describe::FrameView,
    inner::Inner,
    state::{InstanceState, Loaded, MAIN, OperationKind},
};
use crate::{
    codec::{LayoutId, Value},
    context::{MAX_DEPTH, OperationId, Present, Wait},
    frame::{AWAITED, FrameImage, KnownLayout},
    program::Program,
    registry::Machine,
};

/// What an instance waits on: what its innermost frame awaits, or the frame in which it branches.
pub(super) fn waits_on(frames: &[FrameView]) -> String {
    let at = |depth| frames.iter().filter(move |frame| frame.task.is_none() && frame.depth == depth);
    let Some(mut innermost) = at(0).next() else { return "its first step".into() };
    while let (Some(inner), None) = (at(innermost.depth + 1).next(), at(innermost.depth + 1).nth(1)) {
        innermost = inner;
    }
    innermost.awaits.clone()
}

impl Inner {
    /// The frames of the instance's own workflow, then those of the workflows that it has spawned.
    pub(super) fn stack(&self, loaded: &Loaded) -> Vec<FrameView> {
        let program = &self.program_of(loaded.state.build);
        let state = &loaded.state;
        let mut stack = Stack { inner: self, program, state, wait: None, task: None, frames: Vec::new() };
        stack.of_machine(MAIN, &state.machine, state.wait.as_ref());
        for operation in state.operations.iter() {
            if let OperationKind::Task(task) = &operation.kind {
                stack.of_machine(operation.id, &task.machine, task.wait.as_ref());
            }
        }
        stack.frames
    }
}

/// The frames as they are found.
struct Stack<'a> {
    inner: &'a Inner,
    program: &'a Program,
    state: &'a InstanceState,
    /// What the machine waits for whose frames these are.
    wait: Option<&'a Wait>,
    task: Option<OperationId>,
    frames: Vec<FrameView>,
}

impl<'a> Stack<'a> {
    fn of_machine(&mut self, id: OperationId, machine: &Machine, wait: Option<&'a Wait>) {
        let Machine::At(image) = machine else { return };
        self.wait = wait;
        self.task = (id != MAIN).then_some(id);
        self.add(image, 0);
    }

    /// Adds the frames that this one awaits, then itself.
    fn add(&mut self, image: &FrameImage, depth: u32) {
        // None that ran is deeper.
        let Some(known) = self.inner.frames.get(image.layout).ok().filter(|_| depth <= MAX_DEPTH) else {
            return;
        };
        let (mut view, awaited) = self.frame(&known, image);
        let mut inner = Vec::new();
        if let Some(awaited) = awaited {
            inner = awaited.outermost(&["FrameImage"]);
            if let Some(missing) = self.missing(&awaited, inner.is_empty() && depth == 0) {
                view.awaits = format!("{} {missing}", view.awaits);
            }
        }
        view.depth = depth;
        for image in inner.into_iter().filter_map(Value::read::<FrameImage>) {
            self.add(&image, depth + 1);
        }
        self.frames.push(view);
    }

    /// How much of a join is missing. What the machine waits for knows better than the join, which is not told of each.
    fn missing(&self, awaited: &Value, is_whole_wait: bool) -> Option<String> {
        let joins = awaited.outermost(&["Join", "TryJoin"]);
        let [join] = &joins[..] else { return None };
        let branches = join.find_variants("Branch");
        let mut missing = branches.iter().filter(|name| *name == "Pending").count();
        if let (true, Some(Wait::All(parts) | Wait::FirstErr(parts))) = (is_whole_wait, self.wait) {
            missing = parts.iter().filter(|part| !part.is_met(self)).count();
        }
        Some(format!("({missing} of {} missing)", branches.len()))
    }

    /// One frame, and what it awaits.
    fn frame(&self, known: &KnownLayout, image: &FrameImage) -> (FrameView, Option<Value>) {
        let layout = &known.layout;
        let (file, line) = self.program.place(known).unwrap_or_default();
        let mut view = FrameView {
            workflow: layout.workflow.clone(),
            file,
            line,
            awaits: known.point().callee.clone(),
            locals: Vec::new(),
            depth: 0,
            task: self.task,
        };
        let mut awaited = None;
        let ranges = crate::frame::split(&image.vars, layout.vars.len()).unwrap_or_default();
        for ((name, id), range) in layout.vars.iter().zip(ranges) {
            let bytes = &image.vars[range];
            if name == AWAITED {
                awaited = self.inner.frames.view(&self.inner.codec, LayoutId(*id), bytes).ok();
            } else {
                view.locals.push((name.clone(), self.inner.json(LayoutId(*id), bytes)));
            }
        }
        (view, awaited)
    }
}

/// What is done, for counting what is missing.
impl Present for Stack<'_> {
    fn done(&self, id: OperationId) -> Option<bool> {
        Some(self.state.operations.get(id)?.done()?.failed)
    }

    fn messages(&self, _: u64) -> usize {
        0
    }

    fn cancelled(&self) -> bool {
        false
    }
}
