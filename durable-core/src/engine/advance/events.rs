//! What happens to an instance, and what each event does to its record.

use durable_store::{Timer, TimerChange};
use tokio::sync::oneshot;

use super::{Advance, Attempted, EditReply, attempts::schedule_deadline_ms};
use crate::{
    codec::Encoded,
    context::{Completion, OperationId},
    engine::{
        Applied, EditRequest, NotCompleted,
        error::{EditError, EngineError},
        history::{HistoryKind, clip},
        kept::RewindError,
        mail::{Body, Message, Sender},
        state::{Address, Cause, DEADLINE, End, MAIN, OperationKind, ParkReason, Parked, ReplyTo},
    },
    frame::Edited,
};

/// Something that happened to an instance.
#[derive(Debug)]
pub(crate) enum Event {
    /// It was started, and is to make its first step.
    Begin,
    /// It begins where another one stood, which learns of it.
    BeginCopy { kind: HistoryKind, original: Option<Address> },
    /// An attempt of an activity has ended.
    Attempted { operation: OperationId, ended: Attempted },
    /// An activity was told to end, and no attempt of it runs.
    Stopped { operation: OperationId },
    /// A timer is due. Its slot may hold another instance by now, so the deadline must match too.
    Fired { operation: OperationId, deadline_ms: u64 },
    /// It can move, as far as is known.
    GoOn,
    /// Another build parked it: try again.
    Unpark { by: &'static str },
    /// What has come with this is committed before a machine is run: it is suspected of taking the process down (`suspects`).
    Hold,
    /// Its next state can't be stored.
    Park { reason: ParkReason },
    /// A message from outside.
    Mail { message: Box<Message>, sender: Option<Sender> },
    /// Another instance has put something into its mailbox, or a crash left something there.
    Mailed,
    /// Somebody outside completes an operation; whether that was the one who may is the answer.
    Complete {
        operation: OperationId,
        secret: [u8; 16],
        value: Encoded,
        reply: oneshot::Sender<Result<Result<(), NotCompleted>, EngineError>>,
    },
    /// After a restart: the instances that it was to start and does not know to be there are started now.
    StartAgain,
    /// What it asked of another instance came to nothing or is done.
    Resolved { operation: OperationId, completion: Completion, failed: bool },
    /// A variable gets another value by hand; why not is the answer.
    Edit { request: Box<EditRequest>, reply: EditReply },
    /// From outside.
    Command { command: Command, reply: oneshot::Sender<Result<(), EngineError>> },
}

/// What a person asks of an instance.
#[derive(Debug)]
pub(crate) enum Command {
    RetryNow,
    Terminate {
        why: String,
    },
    Cancel {
        why: String,
    },
    Pause,
    Resume,
    /// Back to where it stood after this step, or the reason why not.
    Rewind {
        step: u64,
        refused: oneshot::Sender<RewindError>,
    },
}

impl Event {
    /// Tells whoever waits for an answer that nothing was done.
    pub(crate) fn refuse(self, error: EngineError) {
        // Whoever does not wait any more needs no answer.
        match self {
            Event::Command { reply, .. } => drop(reply.send(Err(error))),
            Event::Complete { reply, .. } => drop(reply.send(Err(error))),
            Event::Edit { reply, .. } => drop(reply.send(Err(error))),
            Event::Mail { sender: Some(sender), .. } => sender.refuse(error),
            _ => {}
        }
    }
}

impl Advance<'_> {
    pub(super) fn apply(&mut self, event: Event) {
        match event {
            Event::Begin => self.begun(),
            Event::BeginCopy { kind, original } => self.begun_as_copy(kind, original),
            Event::Attempted { operation, ended } => self.attempted(operation, ended),
            Event::Stopped { operation } => self.stopped(operation),
            Event::Fired { operation: DEADLINE, deadline_ms } => self.deadline_passed(deadline_ms),
            Event::Fired { operation, deadline_ms } => self.fired(operation, deadline_ms),
            Event::Unpark { by } => self.unpark(by),
            Event::Hold => self.held = true,
            Event::Park { reason } => self.park(reason),
            Event::Mail { message, sender } => self.received(*message, sender),
            // What is in the mailbox is looked at before any event, and what can move moves after all of them.
            Event::Mailed | Event::GoOn => {}
            Event::Complete { operation, secret, value, reply } => {
                let completed = self.completed_outside(operation, secret, value);
                // Answered once it is durable, and refused if it can't be.
                self.callers.completed.push((reply, completed));
            }
            Event::Resolved { operation, completion, failed } => {
                self.peer_completed(operation, completion, failed);
            }
            Event::StartAgain => self.start_again(),
            Event::Edit { request, reply } => {
                let edited = self.edit(*request);
                self.callers.edited.push((reply, edited));
            }
            Event::Command { command: Command::Rewind { step, refused }, reply } => match self.rewind(step) {
                Ok(()) => self.callers.replies.push(reply),
                // Nothing is done that would have to be durable first. Whoever does not wait any more needs no answer.
                Err(error) => drop(refused.send(error)),
            },
            Event::Command { command, reply } => {
                let is_cancel = matches!(command, Command::Cancel { .. });
                self.command(command);
                let asked = if is_cancel { &mut self.callers.cancels } else { &mut self.callers.replies };
                asked.push(reply);
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::RetryNow => self.retry_now(),
            Command::Terminate { why } => self.terminate(why),
            Command::Cancel { why } => self.stop(Cause::Cancel { why: clip(why) }),
            Command::Pause => self.pause(),
            Command::Resume => self.resume(),
            Command::Rewind { .. } => unreachable!("it has an answer of its own"),
        }
    }

    fn edit(&mut self, request: EditRequest) -> Result<(), EditError> {
        let Applied { machine, moved, edited, after } =
            self.engine.edited(self.draft.slot, &mut self.draft.loaded, request)?;
        let state = &mut self.draft.loaded.state;
        state.build = self.engine.build;
        if machine == MAIN {
            state.machine = moved;
        } else if let Some(OperationKind::Task(task)) =
            state.operations.get_mut(machine).map(|op| &mut op.kind)
        {
            task.machine = moved;
        }
        let Edited { workflow, variable, before } = edited;
        let (workflow, before, after) = (workflow.to_owned(), clip(before), clip(after));
        self.draft.note(HistoryKind::Edited { workflow, variable, before, after });
        Ok(())
    }

    fn terminate(&mut self, why: String) {
        let why = clip(why);
        self.draft.note(HistoryKind::Terminated { why: why.clone() });
        self.draft.end = Some(End::Terminated { why });
    }

    fn pause(&mut self) {
        // What is under way comes to its end, and what that gives is kept.
        if self.draft.loaded.state.paused_ms.is_none() {
            self.draft.loaded.state.paused_ms = Some(self.draft.now_ms);
            self.draft.note(HistoryKind::Paused);
        }
    }

    fn resume(&mut self) {
        if self.draft.loaded.state.paused_ms.take().is_some() {
            self.draft.note(HistoryKind::Resumed);
            // A parked one is not taken up by this: what it was parked for would be tried again.
            if self.draft.loaded.state.parked.is_none() {
                self.dispatch_all();
            }
            self.act_on_stop();
        }
    }

    /// Its activities are attempted again when they are due.
    pub(super) fn dispatch_all(&mut self) {
        let activities = self.draft.loaded.state.activities();
        let due: Vec<_> = activities.map(|(id, activity)| (id, activity.next_attempt_ms)).collect();
        for (id, next_ms) in due {
            if next_ms > self.draft.now_ms {
                self.draft.effects.rare.backoff.push((next_ms, id));
            } else {
                self.dispatch(id);
            }
        }
    }

    fn deadline_passed(&mut self, deadline_ms: u64) {
        if self.draft.loaded.state.deadline_ms == Some(deadline_ms) {
            self.draft.loaded.state.deadline_ms = None;
            self.draft.changed = true;
            let timer = Timer { deadline_ms, slot: self.draft.slot, operation: DEADLINE };
            self.draft.timers.push(TimerChange::Clear(timer));
            self.stop(Cause::Deadline);
        }
    }

    /// What is in the engine's own queue is dealt with; the others wait for the workflow.
    pub(super) fn mailed(&mut self) {
        if self.draft.mail.is_empty() {
            return;
        }
        let control = match self.draft.mail.first(crate::engine::mail::CONTROL, usize::MAX, &|_| false) {
            Ok(control) => control,
            Err(reason) => return self.park(ParkReason::Incompatible { reason }),
        };
        for seq in control {
            let message = self.draft.mail.get(crate::engine::mail::CONTROL, seq).cloned();
            self.draft.take_mail(crate::engine::mail::CONTROL, seq);
            if let Some(message) = message {
                self.controlled((*message).clone());
            }
        }
        // Whatever else has come may let a machine move.
        for (_, readiness) in &mut self.draft.ready {
            if readiness.as_ref().is_some_and(|readiness| readiness.queues().next().is_some()) {
                *readiness = None;
            }
        }
    }

    fn controlled(&mut self, message: Message) {
        match message.body {
            Body::Completed { operation, completion, failed } => {
                self.peer_completed(operation, completion, failed);
            }
            Body::Created { operation, child, on_close } => self.child_created(operation, child, on_close),
            Body::Stop(cause) => self.stop(cause),
            Body::Terminate { why } => self.terminate(why),
            Body::Watch(address) => {
                self.draft.loaded.state.watchers.push(address);
                self.draft.changed = true;
            }
            Body::Unwatch(address) => {
                self.draft.loaded.state.watchers.retain(|other| *other != address);
                self.draft.changed = true;
            }
            Body::Forked { id, step } => self.draft.note(HistoryKind::ForkedAs { id, step }),
            // They have queues of their own.
            Body::Signal(_) | Body::Update(_) => debug_assert!(message.reply == ReplyTo::Nobody),
        }
    }

    /// The secret must be the right one, and the operation one that was not completed before.
    fn completed_outside(
        &mut self,
        id: OperationId,
        secret: [u8; 16],
        value: Encoded,
    ) -> Result<(), NotCompleted> {
        let state = &self.draft.loaded.state;
        let Some(OperationKind::External { secret: right }) = state.operations.get(id).map(|op| &op.kind)
        else {
            // What it was is not known any more once it is over.
            let was_there = id < state.next_operation;
            return Err(if was_there { NotCompleted::Used } else { NotCompleted::Unknown });
        };
        // In a time that does not tell how much of it was right.
        let different = right.iter().zip(secret).fold(0, |different, (a, b)| different | (a ^ b));
        if different != 0 {
            return Err(NotCompleted::Unknown);
        }
        if self.draft.end.is_some() {
            // It was terminated in this very transition.
            return Err(NotCompleted::Used);
        }
        self.complete_with(id, Completion::Value(value), false);
        self.draft.note_of(id, HistoryKind::ExternalCompleted);
        Ok(())
    }

    pub(super) fn park(&mut self, reason: ParkReason) {
        let reason = reason.clipped();
        self.draft.note(HistoryKind::Parked { reason: reason.to_string() });
        self.draft.effects.rare.parked = Some(reason.clone());
        self.draft.loaded.state.parked =
            Some(Parked { reason, at_ms: self.draft.now_ms, build: self.engine.build });
        self.draft.loaded.state.since_ms = self.draft.now_ms;
    }

    fn fired(&mut self, id: OperationId, deadline_ms: u64) {
        let Some(operation) = self.draft.loaded.state.operations.get(id) else { return };
        if operation.kind != (OperationKind::Timer { deadline_ms }) {
            return;
        }
        self.complete_with(id, Completion::Fired, false);
        let timer = Timer { deadline_ms, slot: self.draft.slot, operation: id };
        self.draft.timers.push(TimerChange::Clear(timer));
        self.draft.note_of(id, HistoryKind::TimerFired { due_ms: deadline_ms });
    }

    pub(super) fn unpark(&mut self, by: &str) {
        let Some(parked) = self.draft.loaded.state.parked.take() else { return };
        if matches!(parked.reason, ParkReason::Compensation { .. }) {
            self.arm_again();
        }
        self.draft.note(HistoryKind::Unparked { by: by.into() });
        // An instance that it starts may not have been in the build.
        self.start_again();
        // One may have fired in a transition that the store refused.
        self.draft.effects.rare.timers.extend(self.draft.loaded.state.timers(self.draft.slot));
        let due = self.draft.loaded.state.activities().map(|(id, _)| id).collect::<Vec<_>>();
        let engine = self.engine;
        for id in due {
            let now_ms = self.draft.now_ms;
            let Some(activity) = self.draft.loaded.state.pending_activity(id) else { continue };
            activity.next_attempt_ms = activity.next_attempt_ms.min(now_ms);
            let entry = engine.registry.activities.get(&*activity.name);
            let deadline_ms = entry.and_then(|entry| schedule_deadline_ms(entry.meta, activity));
            if deadline_ms.is_some_and(|deadline_ms| deadline_ms <= now_ms) {
                // Its time has run out; whoever takes it up again means it to be tried.
                activity.count_from(now_ms);
            }
            self.dispatch(id);
        }
    }

    /// An attempt of an activity is due, unless the activity was told to end.
    fn dispatch(&mut self, id: OperationId) {
        let stopped = self.draft.loaded.state.operations.get(id).is_some_and(|op| op.stopped);
        let effects = &mut self.draft.effects;
        if stopped { effects.rare.stop.push(id) } else { effects.dispatch.push(id) }
    }

    pub(super) fn retry_now(&mut self) {
        if self.draft.loaded.state.parked.is_some() {
            self.unpark("hand");
            return;
        }
        let now_ms = self.draft.now_ms;
        let waiting: Vec<_> = self
            .draft
            .loaded
            .state
            .activities()
            .filter(|(_, activity)| activity.next_attempt_ms > now_ms)
            .map(|(id, _)| id)
            .collect();
        if !waiting.is_empty() {
            self.draft.note(HistoryKind::RetriedByHand);
        }
        for id in waiting {
            if let Some(activity) = self.draft.loaded.state.pending_activity(id) {
                activity.next_attempt_ms = now_ms;
                self.dispatch(id);
            }
        }
    }
}
