//! Frames that go on with something else than what was stored: what their workflow's `migrate` makes of it, or with a variable that was
//! edited by hand.
//!
//! Values are given by name and without types. Only generated code knows the types of a frame's variables: it shows them when it is
//! polled. So the frame is polled *dry*: it reads what it is given as the types of its variables, has what it awaits looked at, and saves
//! that. The image that it leaves was read and written like any other, under today's layouts. Nothing of the user's runs but that,
//! and `migrate`.
//!
//! A frame of a workflow with a `migrate` whose image was not saved by this process is polled dry in any case. If that works, it is polled again,
//! and resumes as it is. If not, `migrate` gets what there is; what comes of it is polled dry, and the image of that is what it goes on from. Whatever fails
//! on the way fails the step, and the record stays as it is.
//!
//! Deliberately absent: frames of called workflows that their caller can't resume. Each frame is its own workflow's affair.

use super::{Frame, FrameImage, Snapshot, image::split, snapshot::Target};
use crate::{
    activity::is_call,
    codec::{Codec, DecodeError, Encoded, LayoutId, Slot, TypeOf, Value},
    context::{FrameId, Inspection, Migrated, StepFailure, ambient},
    engine::catch,
    evolve::{Place, PointTable, find_point, find_variables, is_loop},
    frame::Migration,
    meta::WorkflowMeta,
};

/// What a frame loads besides its image, or in its place.
#[derive(Debug)]
pub(super) struct Given {
    /// Where it goes on, from 1.
    pub(super) point: u32,
    /// The variables of that point; one that is not given is loaded from the image.
    values: Vec<Option<Value>>,
    awaited: Awaited,
}

/// What a frame awaits.
#[derive(Debug)]
enum Awaited {
    /// What the image says.
    AsStored,
    /// What another image says. Another `.await` of the same thing may go on with it, and one of the same activity's under another name: a
    /// call knows its activity.
    Kept { stored: Encoded, is_same: bool },
    /// Nothing any more: this is what it gives.
    Result(Encoded),
}

/// A frame on its way to an image that it can go on from.
#[derive(Debug)]
pub(super) struct Attempt {
    image: FrameImage,
    /// The whole step is dry, and not for this.
    was_dry: bool,
    migrated: Option<Migrated>,
}

/// What a migration has come to.
enum Plan {
    At(Given, Migrated),
    Start(Vec<Value>, Migrated),
}

impl Frame<'_> {
    /// Looks first whether the image can be resumed, if its workflow has something to say if not.
    pub(super) fn attempt(&mut self, image: &FrameImage) {
        let step = &mut *self.step;
        let is_edited = step.dry.as_ref().is_some_and(|dry| dry.editing.is_some());
        let is_ours = || step.frames.is_written(self.meta, image.layout);
        if self.meta.migrate.is_none() || is_edited || step.failure.is_some() || is_ours() {
            return;
        }
        let was_dry = step.dry.is_some();
        step.dry.get_or_insert_default();
        self.attempt = Some(Box::new(Attempt { image: image.clone(), was_dry, migrated: None }));
    }

    /// To be asked after each poll that is pending: whether the machine is to be polled once more, as it goes on from something else now. If it
    /// begins again, its arguments are in the slot.
    pub(crate) fn again(&mut self, of: &TypeOf, args: &mut dyn Slot) -> bool {
        if self.thrown.is_some() {
            return false;
        }
        let Some(attempt) = self.attempt.take() else { return false };
        match (self.step.failure.take(), attempt.migrated.is_some()) {
            (None, false) => self.resume_from(*attempt),
            (None, true) => self.migrated(*attempt),
            (Some(failure), true) => self.misfit(&attempt, &failure.to_string()),
            (Some(failure), false) => self.migrate(*attempt, failure, of, args),
        }
    }

    /// It can be resumed as it is.
    fn resume_from(&mut self, attempt: Attempt) -> bool {
        if attempt.was_dry {
            return false;
        }
        self.step.dry = None;
        self.reset();
        self.begin(attempt.image);
        true
    }

    /// What `migrate` gave was read, and the image made of it is what it goes on from.
    fn migrated(&mut self, attempt: Attempt) -> bool {
        let Some(image) = self.saved.clone() else {
            return self.misfit(&attempt, "it leaves no snapshot");
        };
        self.note(attempt.migrated, attempt.was_dry);
        if attempt.was_dry {
            return false;
        }
        self.reset();
        self.begin(image);
        true
    }

    /// What is noted while the whole step is dry is found there, else it is committed.
    fn note(&mut self, migrated: Option<Migrated>, was_dry: bool) {
        let step = &mut *self.step;
        let Some(dry) = &mut step.dry else { return };
        dry.migrated.extend(migrated);
        if !was_dry {
            step.scratch.borrow_mut().rare.migrated.append(&mut dry.migrated);
            step.dry = None;
        }
    }

    fn misfit(&mut self, attempt: &Attempt, reason: &str) -> bool {
        let name = self.meta.name;
        self.give_up(attempt, format!("what the `migrate` of workflow `{name}` gives does not fit: {reason}"))
    }

    fn give_up(&mut self, attempt: &Attempt, reason: String) -> bool {
        if !attempt.was_dry {
            self.step.dry = None;
        }
        self.fail(StepFailure::Incompatible { reason });
        false
    }

    /// The image can't be resumed, for this reason.
    fn migrate(
        &mut self,
        mut attempt: Attempt,
        failure: StepFailure,
        of: &TypeOf,
        args: &mut dyn Slot,
    ) -> bool {
        let is_nested = self.step.dry.as_ref().is_some_and(|dry| dry.nested);
        // What is too large or can't be written is no matter of what was stored.
        let is_unfit = matches!(failure, StepFailure::Decode { .. } | StepFailure::Incompatible { .. });
        let Some(migrate) = self.meta.migrate.filter(|_| is_unfit && !is_nested) else {
            if !attempt.was_dry {
                self.step.dry = None;
            }
            self.fail(failure);
            return false;
        };
        match self.plan(migrate, &attempt.image, &failure) {
            Err(reason) => self.give_up(&attempt, reason),
            Ok(Plan::At(given, migrated)) => {
                self.step.stuck = None;
                attempt.migrated = Some(migrated);
                self.reset();
                self.given = Some(Box::new(given));
                self.attempt = Some(Box::new(attempt));
                true
            }
            Ok(Plan::Start(values, migrated)) => {
                if let Err(error) = Value::read_all(values, of, args) {
                    return self.misfit(&attempt, &format!("its arguments: {error}"));
                }
                self.step.stuck = None;
                self.note(Some(migrated), attempt.was_dry);
                self.reset();
                if attempt.was_dry {
                    // It is left as it is.
                    self.saved = Some(attempt.image);
                    return false;
                }
                true
            }
        }
    }

    /// Asks `migrate`, and finds what it gives in this build.
    fn plan(
        &mut self,
        migrate: &dyn Migration,
        image: &FrameImage,
        failure: &StepFailure,
    ) -> Result<Plan, String> {
        let meta = self.meta;
        let (before, awaited) = self.snapshot(image).map_err(|reason| format!("{failure} ({reason})"))?;
        let (from, known) = (before.resume_point().to_owned(), before.known.clone());
        let after = match catch(|| ambient::outside(|| migrate.migrate(before))) {
            Ok(Ok(after)) => after,
            Ok(Err(error)) => {
                return Err(format!(
                    "the `migrate` of workflow `{}` gave an error: {error:#}. It was asked because {failure}",
                    meta.name
                ));
            }
            Err(caught) => {
                return Err(format!(
                    "the `migrate` of workflow `{}` panicked at {}: {}. It was asked because {failure}",
                    meta.name, caught.place, caught.message
                ));
            }
        };
        let unfit =
            |reason| format!("what the `migrate` of workflow `{}` gives does not fit: {reason}", meta.name);
        let (_, own) = self.step.frames.own_table(meta);
        let Snapshot { variables, target, result, .. } = after;
        let point = match &target {
            Target::Start => {
                let values = arguments(meta, variables).map_err(unfit)?;
                return Ok(Plan::Start(values, Migrated { workflow: meta.name, from, to: None }));
            }
            Target::Same => find_point(meta, &own, &known),
            Target::Point(wanted) => named_point(meta, &own, wanted),
        };
        let point = point.map_err(unfit)?;
        let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
        let places = find_variables(meta, point, &names).map_err(unfit)?;
        let values = places.into_iter().map(|place| {
            let (name, value) = &variables[place.at];
            value
                .clone()
                .part(&place.part)
                .map(Some)
                .ok_or_else(|| unfit(format!("variable `{name}` has no part `{}`", place.part.join("."))))
        });
        let given = Given {
            point: point as u32 + 1,
            values: values.collect::<Result<_, _>>()?,
            awaited: if let Some(result) = result {
                Awaited::Result(result.to_named())
            } else {
                let is_same =
                    known.point().callee == own.points[point].callee || matches!(target, Target::Same);
                Awaited::Kept { stored: awaited, is_same }
            },
        };
        let to = Some(own.points[point].name.clone().unwrap_or_else(|| own.reference(point)));
        Ok(Plan::At(given, Migrated { workflow: meta.name, from, to }))
    }

    /// What there is, without types, and the future in flight.
    fn snapshot(&self, image: &FrameImage) -> Result<(Snapshot, Encoded), String> {
        let (frames, codec) = (&self.step.frames, &self.step.codec);
        let known = frames.of_workflow(self.meta, image.layout)?;
        let damaged = || "the snapshot is damaged: its variables do not add up".to_owned();
        let ranges = split(&image.vars, known.layout.vars.len()).ok_or_else(damaged)?;
        let mut parts = known.layout.vars.iter().zip(ranges);
        let ((_, layout), range) = parts.next().ok_or_else(damaged)?;
        let awaited = Encoded { layout: LayoutId(*layout), bytes: image.vars[range].to_vec().into() };
        let variables = parts.map(|((name, layout), range)| {
            let value = frames.view(codec, LayoutId(*layout), &image.vars[range]);
            value.map(|value| (name.clone(), value)).map_err(|error| format!("variable `{name}`: {error}"))
        });
        let variables = variables.collect::<Result<_, _>>()?;
        Ok((Snapshot::new(known, variables), awaited))
    }

    /// Loads what was given for a place; false if nothing was.
    pub(super) fn load_given(&mut self, at: usize, of: &TypeOf, slot: &mut dyn Slot) -> bool {
        let Some(given) = self.given.take() else { return false };
        let loaded = self.load_from(&given, at, of, slot);
        self.given = Some(given);
        match loaded {
            None => false,
            Some(Ok(())) => true,
            Some(Err(failure)) => {
                slot.clear();
                self.fail(failure);
                true
            }
        }
    }

    fn load_from(
        &mut self,
        given: &Given,
        at: usize,
        of: &TypeOf,
        slot: &mut dyn Slot,
    ) -> Option<Result<(), StepFailure>> {
        let point = &self.meta.points[given.point as usize - 1];
        let Some(at) = at.checked_sub(1) else {
            let (callee, line) = (point.callee, point.line);
            return match &given.awaited {
                Awaited::AsStored => None,
                Awaited::Kept { stored, is_same } => {
                    let (frames, codec) = (&self.step.frames, &self.step.codec);
                    let read = if *is_same || is_call(of) {
                        frames.decode_as(codec, of, stored.layout, &stored.bytes, slot)
                    } else {
                        Err(DecodeError::UnknownLayout(stored.layout))
                    };
                    Some(read.map_err(|_| StepFailure::Incompatible {
                        reason: format!(
                            "what it awaited is not what `{callee}` at {}:{line} awaits: resume it at an `.await` of the same thing, or behind the \
                             call of an activity whose result `gives` says",
                            self.meta.file
                        ),
                    }))
                }
                Awaited::Result(_) => Some(Err(StepFailure::Incompatible {
                    reason: format!(
                        "what {}:{line} `{callee}` gives can't be given: only the call of an activity can",
                        self.meta.file
                    ),
                })),
            };
        };
        let value = given.values.get(at)?.as_ref()?;
        let read = Codec::read_as(of, value, slot);
        Some(read.map_err(|error| self.unread(point.vars().nth(at).unwrap_or_default(), given.point, error)))
    }

    /// The words for a value that is none of its variable's type.
    fn unread(&self, name: &str, point: u32, error: DecodeError) -> StepFailure {
        let what = self.variable(name, point);
        let reason = match error {
            DecodeError::Mismatch { type_name, path, message, .. } => {
                let at = if path.is_empty() { path } else { format!(" (at `{path}`)") };
                format!("{what} is of type `{type_name}`, and this can't be read as one: {message}{at}")
            }
            other => format!("{what}: {other}"),
        };
        StepFailure::Incompatible { reason }
    }

    /// What the awaited call of an activity gives, if it is given.
    pub(crate) fn take_result(&mut self) -> Option<Encoded> {
        let given = self.given.as_mut()?;
        match std::mem::replace(&mut given.awaited, Awaited::AsStored) {
            Awaited::Result(result) => Some(result),
            other => {
                given.awaited = other;
                None
            }
        }
    }
}

/// The point of this build that a migration names.
fn named_point(meta: &WorkflowMeta, own: &PointTable, wanted: &str) -> Result<usize, String> {
    let name = |at: usize| own.points[at].name.clone().unwrap_or_else(|| own.reference(at));
    let all = 0..own.points.len();
    let found = all.clone().find(|at| own.points[*at].name.as_deref() == Some(wanted));
    found.or_else(|| all.clone().find(|at| own.reference(*at) == wanted)).ok_or_else(|| {
        let points: Vec<_> = all.map(|at| format!("`{}`", name(at))).collect();
        let points = if points.is_empty() { "none".to_owned() } else { points.join(", ") };
        format!(
            "workflow `{}` ({}:{}) has no resume point `{wanted}`; it has {points}",
            meta.name, meta.file, meta.line
        )
    })
}

/// The parameters of a workflow that begins again, by their names.
fn arguments(meta: &WorkflowMeta, variables: Vec<(String, Value)>) -> Result<Vec<Value>, String> {
    let find = |names: &&[&str]| {
        let mut found = names.iter().filter_map(|name| variables.iter().find(|(other, _)| other == name));
        found.next().map(|(_, value)| value.clone()).ok_or_else(|| {
            format!(
                "workflow `{}` can't begin again without its parameter `{}`: set a variable of that name",
                meta.name,
                names.first().copied().unwrap_or_default()
            )
        })
    };
    meta.args.iter().map(find).collect()
}

/// A variable that is given another value by hand, while its machine is loaded dry.
#[derive(Debug, Default)]
pub(crate) struct Editing {
    /// Which frame and which of its names, with the value. None: the frames are only looked at.
    pub(crate) edit: Option<(FrameId, String, Value)>,
    /// The frames that were met.
    pub(crate) seen: Vec<FrameSeen>,
    /// What was edited.
    pub(crate) edited: Option<Edited>,
}

/// A frame that can be edited.
#[derive(Clone, Debug)]
pub(crate) struct FrameSeen {
    pub(crate) id: FrameId,
    pub(crate) workflow: &'static str,
    pub(crate) place: String,
    /// Its resume point, from 0.
    pub(crate) point: usize,
    /// Each variable: its name today, and the one that the snapshot has.
    pub(crate) names: Vec<(String, String)>,
}

/// What was edited.
#[derive(Clone, Debug)]
pub(crate) struct Edited {
    pub(crate) workflow: &'static str,
    pub(crate) variable: String,
    /// The value before, for people.
    pub(crate) before: String,
}

impl Frame<'_> {
    /// Takes the value of a variable that is edited.
    pub(super) fn edit(&mut self) {
        let (Some(source), Some(Inspection { editing: Some(_), .. })) = (&self.source, &self.step.dry) else {
            return;
        };
        let point = source.resolved.matched.point;
        let meta = &self.meta.points[point as usize - 1];
        let stored = |at: usize| source.resolved.matched.places[at + 1].at;
        let vars = &source.resolved.known.layout.vars;
        let names = meta.vars().enumerate().filter(|(_, name)| !is_loop(name));
        let names: Vec<_> =
            names.map(|(at, name)| ((*name).to_owned(), vars[stored(at)].0.clone())).collect();
        let id = self.step.scratch.borrow().frame;
        let place = format!("{}:{}", self.meta.file, meta.line);
        let seen = FrameSeen { id, workflow: self.meta.name, place, point: point as usize - 1, names };
        let step = &mut *self.step;
        let Some(editing) = step.dry.as_mut().and_then(|dry| dry.editing.as_mut()) else { return };
        editing.seen.push(seen);
        let Some((_, name, value)) = editing.edit.take_if(|(frame, ..)| *frame == id) else { return };
        let Some(at) = meta.vars().position(|other| other == name) else { return };
        let Place { at: stored, part } = &source.resolved.matched.places[at + 1];
        let bytes = &source.bytes[self.memory.stored[*stored].clone()];
        let before = step.frames.view(&step.codec, LayoutId(vars[*stored].1), bytes);
        let before = before.ok().and_then(|value| value.part(part));
        let before =
            before.map_or_else(|| "what can't be read".to_owned(), |value| value.to_json().to_string());
        editing.edited = Some(Edited { workflow: self.meta.name, variable: name, before });
        let mut values: Vec<Option<Value>> = meta.vars().map(|_| None).collect();
        values[at] = Some(value);
        self.given = Some(Box::new(Given { point, values, awaited: Awaited::AsStored }));
    }
}
