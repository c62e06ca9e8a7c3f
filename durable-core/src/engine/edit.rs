//! Giving a variable of an instance another value by hand.
//!
//! It is an event in the instance's inbox like any other, so it falls between two steps: the snapshot is loaded dry with the new value in
//! its place (`machine`, `frame/rewrite`), and what that leaves is committed with the line in the history.
//!
//! Deliberately absent: what is awaited, and how far loops have come. They belong to the code.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
};

use durable_store::Slot;

use super::{advance::Event, error::EditError, handle::WorkflowHandle, inner::Inner, state::Loaded};
use crate::{
    codec::Value,
    context::{Inspection, OperationId},
    frame::{Edited, Editing, FrameImage, FrameSeen},
    registry::{Machine, Moved},
};

impl<T> WorkflowHandle<T> {
    /// Gives one of the instance's variables another value. It is given as JSON and read as the variable's type, so that it is refused if it is none, and
    /// by the names that [`describe`](WorkflowHandle::describe) shows. The old and the new value are noted in the history.
    ///
    /// The instance may be waiting, paused, parked, or have activities under way: what is edited is what it goes on with. It falls between two
    /// steps, so pause an instance that may go on before you look at it. A parked one stays parked until it is taken up again
    /// ([`retry_now`](WorkflowHandle::retry_now)).
    ///
    /// What is awaited and how far a loop has come can't be edited; nor can an instance that has not begun, or one that is ending.
    ///
    /// ```no_run
    /// # async fn f(engine: durable_core::Engine) -> Result<(), Box<dyn std::error::Error>> {
    /// let handle = engine.handle("order-1042");
    /// handle.edit("total", 4_200).await?;
    /// handle.edit("address", serde_json::json!({ "city": "Oslo" })).in_frame("ship").await?;
    /// handle.retry_now().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`EditError`]. Nothing was changed then.
    pub fn edit(&self, variable: impl Into<String>, value: impl Into<serde_json::Value>) -> Edit<T> {
        let request = EditRequest { variable: variable.into(), value: value.into(), frame: None };
        Edit { handle: self.clone(), request }
    }
}

/// A variable that is given another value; see [`WorkflowHandle::edit`].
#[derive(Debug)]
#[must_use = "nothing is edited until it is awaited"]
pub struct Edit<T = ()> {
    handle: WorkflowHandle<T>,
    request: EditRequest,
}

/// Which variable gets which value.
#[derive(Debug)]
pub(crate) struct EditRequest {
    variable: String,
    value: serde_json::Value,
    frame: Option<String>,
}

impl<T> Edit<T> {
    /// Says in which frame of the stack the variable is, if several have one of its name: the name of the workflow, or `name#2` for
    /// the second frame of that workflow, counted from the outermost.
    pub fn in_frame(mut self, frame: impl Into<String>) -> Self {
        self.request.frame = Some(frame.into());
        self
    }
}

impl<T: 'static> IntoFuture for Edit<T> {
    type Output = Result<(), EditError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let Edit { handle, request } = self;
        Box::pin(async move { handle.ask(|reply| Event::Edit { request: Box::new(request), reply }).await? })
    }
}

/// What an edit comes to.
#[derive(Debug)]
pub(crate) struct Applied {
    /// The machine whose image is another one now.
    pub(crate) machine: OperationId,
    pub(crate) moved: Machine,
    pub(crate) edited: Edited,
    /// The value, for people.
    pub(crate) after: String,
}

/// What a machine leaves that was loaded, or why it can't be; and the frames that were met.
type Looked = (Result<FrameImage, String>, Editing);

/// A frame, and how messages name it.
struct Named {
    machine: OperationId,
    seen: FrameSeen,
    name: String,
}

impl Inner {
    /// What becomes of an instance with another value of a variable. Nothing is changed yet.
    pub(crate) fn edited(
        &self,
        slot: Slot,
        loaded: &mut Loaded,
        request: EditRequest,
    ) -> Result<Applied, EditError> {
        let id = loaded.id.clone();
        if loaded.state.ending.is_some() {
            return Err(EditError::NotNow { id, reason: "it is ending, and does not go on" });
        }
        if let Machine::Start(_) = loaded.state.machine {
            return Err(EditError::NotNow { id, reason: "it has not begun, and has no variables yet" });
        }
        let EditRequest { variable, value, frame } = request;
        let (frames, unloaded) = self.frames_of(slot, loaded);
        let target = match (self.choose(loaded, &frames, &variable, frame.as_deref()), unloaded) {
            (Ok(target), _) => target,
            // It may be in what could not be looked at.
            (Err(EditError::NoVariable { .. }), Some(reason)) => {
                return Err(EditError::Unreadable { id, reason });
            }
            (Err(error), _) => return Err(error),
        };
        let (machine, seen) = (target.machine, &target.seen);
        let names = seen.names.iter().find(|(name, stored)| *name == variable || *stored == variable);
        let name = names.map_or_else(|| variable.clone(), |(name, _)| name.clone());
        let unfit = |reason| EditError::Unfit { id: id.clone(), variable: variable.clone(), reason };
        let given = Value::written(&value).map_err(unfit)?;
        let editing = Editing { edit: Some((seen.id, name, given)), ..Editing::default() };
        let after = value.to_string();
        match self.look_again(slot, loaded, machine, editing) {
            (Err(reason), _) => Err(unfit(reason)),
            (Ok(image), Editing { edited: Some(edited), .. }) => {
                Ok(Applied { machine, moved: Machine::At(image), edited, after })
            }
            (Ok(_), _) => Err(EditError::Unreadable { id, reason: "it was not found again".to_owned() }),
        }
    }

    /// The frames that an instance has, the outermost of each machine first, and why the rest can't be looked at.
    fn frames_of(&self, slot: Slot, loaded: &mut Loaded) -> (Vec<Named>, Option<String>) {
        let (mut frames, mut unloaded) = (Vec::<Named>::new(), None);
        let begun = loaded.machines().filter(|(.., machine)| matches!(machine, Machine::At(_)));
        for machine in begun.map(|(id, ..)| id).collect::<Vec<_>>() {
            let (left, editing) = self.look_again(slot, loaded, machine, Editing::default());
            unloaded = unloaded.or(left.err());
            for seen in editing.seen {
                let rank = 1 + frames.iter().filter(|frame| frame.seen.workflow == seen.workflow).count();
                let name = format!("{}#{rank}", seen.workflow);
                frames.push(Named { machine, seen, name });
            }
        }
        (frames, unloaded)
    }

    /// Loads a machine, with a value in the place of what was stored.
    fn look_again(&self, slot: Slot, loaded: &mut Loaded, id: OperationId, editing: Editing) -> Looked {
        let inspection = Inspection { editing: Some(editing), ..Inspection::default() };
        let ran = match self.look_at_machine(slot, loaded, id, inspection) {
            Ok(ran) => ran,
            Err(reason) => return (Err(reason), Editing::default()),
        };
        let left = match (ran.moved, ran.failure) {
            (Err(caught), _) => Err(format!(
                "the workflow panics when it is loaded like this, at {}: {}",
                caught.place, caught.message
            )),
            (_, Some(failure)) => Err(failure.to_string()),
            (Ok(Some(Moved::Suspended(image))), None) => Ok(image),
            (Ok(_), None) => Err("it leaves no snapshot".to_owned()),
        };
        (left, ran.found.and_then(|found| found.editing).unwrap_or_default())
    }

    /// The one frame that is meant.
    fn choose<'f>(
        &self,
        loaded: &Loaded,
        frames: &'f [Named],
        variable: &str,
        wanted: Option<&str>,
    ) -> Result<&'f Named, EditError> {
        let id = || loaded.id.clone();
        let is_wanted = |frame: &&Named| {
            wanted.is_none_or(|wanted| wanted == frame.name || wanted == frame.seen.workflow)
        };
        let has = |frame: &&Named| {
            frame.seen.names.iter().any(|(name, stored)| name == variable || stored == variable)
        };
        let found: Vec<_> = frames.iter().filter(is_wanted).filter(has).collect();
        match &found[..] {
            [only] => Ok(only),
            [] => {
                let has = frames.iter().map(|frame| self.variables_of(frame)).collect::<Vec<_>>().join("; ");
                let frame = wanted.map(|wanted| format!(" in a frame of {wanted}")).unwrap_or_default();
                Err(EditError::NoVariable { id: id(), variable: format!("`{variable}`{frame}"), has })
            }
            several => {
                let frames = several.iter().map(|frame| frame.name.clone()).collect();
                Err(EditError::Ambiguous { id: id(), variable: variable.to_owned(), frames })
            }
        }
    }

    /// A frame's variables with their types, for people.
    fn variables_of(&self, frame: &Named) -> String {
        let FrameSeen { workflow, place, point, names, .. } = &frame.seen;
        let entry = self.registry.workflows.get(workflow);
        let types = entry.and_then(|entry| entry.variables().into_iter().nth(*point)).unwrap_or_default();
        let names = names.iter().map(|(name, _)| {
            let of = types.iter().find(|(other, _)| other == name);
            of.map_or_else(|| format!("`{name}`"), |(_, of)| format!("`{name}: {}`", of.type_name()))
        });
        let names: Vec<_> = names.collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        format!("{names} in {} ({place})", frame.name)
    }
}
