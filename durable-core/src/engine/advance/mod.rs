//! One transition of one instance: events in, the new record and the effects out.
//!
//! Pure but for the clock and the random source that it is handed: nothing is written and nothing
//! begins here. What has come in is kept even when the step that it causes fails: then the instance
//! parks, and the completion is committed with that.
//!
//! A transition has *rounds*: as long as some machine of the instance (its workflow, or one that it spawned) can move, the one that
//! could move first does, and sees what came up to that moment (`engine/ready`). Rounds are in memory; a crash repeats them from the
//! last snapshot with the same numbers, and so with the same outcome.

mod attempts;
mod begin;
mod children;
mod draft;
mod end;
mod ending;
mod events;
mod finish;
mod moved;
mod ready;
mod received;
mod rewind;
mod step;
mod unwind;

use durable_store::{Slot, Timer, Transition};
use smallvec::SmallVec;
use tokio::sync::oneshot;

pub(crate) use attempts::Attempted;
pub(crate) use draft::{Draft, Post};
pub(crate) use events::{Command, Event};

use super::{
    NotCompleted,
    error::{EditError, EngineError},
    inner::Inner,
    mail::{Answer, MailView, MessageKind, Sender},
    state::{Loaded, OpenRequest, ParkReason},
};
use crate::{
    codec::Encoded,
    context::{OperationId, Refused},
    seldom::{Empty, Seldom},
};

/// So many rounds are made in one transition; what is left goes on in the next one.
const MOST_ROUNDS: usize = 32;

/// A transition with what is to begin once it is committed.
#[derive(Debug)]
pub(crate) struct Advanced {
    pub(crate) transition: Transition,
    /// The instance as committed; none if it has closed.
    pub(crate) loaded: Option<Box<Loaded>>,
    pub(crate) effects: Effects,
    pub(crate) callers: Seldom<Callers>,
    /// What is committed in its place if a message came that the last rounds should have seen.
    pub(crate) fallback: Option<Box<Draft>>,
}

/// What begins after the commit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    /// Attempts due now. Of these and of what has ended there is nearly always one.
    pub(crate) dispatch: SmallVec<[OperationId; 2]>,
    /// Operations whose attempts are over.
    pub(crate) ended: SmallVec<[OperationId; 2]>,
    /// No attempt begins: those that wait for their turn or their time are taken back.
    pub(crate) hold: bool,
    pub(crate) closed: bool,
    /// It can move at once.
    pub(crate) again: bool,
    pub(crate) rare: Seldom<RareEffects>,
}

/// What few transitions have.
#[derive(Clone, Debug, Default)]
pub(crate) struct RareEffects {
    /// Attempts due later.
    pub(crate) backoff: Vec<(u64, OperationId)>,
    /// Activities that are told to end, and whose last word is waited for.
    pub(crate) stop: Vec<OperationId>,
    pub(crate) timers: Vec<Timer>,
    /// Instances to be started: the operations that stand for them.
    pub(crate) starts: Vec<OperationId>,
    /// What was sent and has no receiver yet: the operations. They are resolved before the commit.
    pub(crate) outgoing: Vec<OperationId>,
    /// What other instances get. It is resolved before the commit.
    pub(crate) posts: Vec<Post>,
    /// Answers to updates, for callers in this process.
    pub(crate) answers: Vec<(OpenRequest, Result<Encoded, Refused>)>,
    pub(crate) parked: Option<ParkReason>,
}

impl Empty for RareEffects {
    const EMPTY: &'static Self = &RareEffects {
        backoff: Vec::new(),
        stop: Vec::new(),
        timers: Vec::new(),
        starts: Vec::new(),
        outgoing: Vec::new(),
        posts: Vec::new(),
        answers: Vec::new(),
        parked: None,
    };
}

pub(crate) type CompletedReply = oneshot::Sender<Result<Result<(), NotCompleted>, EngineError>>;

pub(crate) type EditReply = oneshot::Sender<Result<Result<(), EditError>, EngineError>>;

/// Whoever is answered after the commit.
#[derive(Debug, Default)]
pub(crate) struct Callers {
    pub(crate) replies: Vec<oneshot::Sender<Result<(), EngineError>>>,
    /// Those who ask for a cancellation.
    pub(crate) cancels: Vec<oneshot::Sender<Result<(), EngineError>>>,
    /// Those who are told that the instance has ended without what they asked for.
    pub(crate) too_late: Vec<oneshot::Sender<Result<(), EngineError>>>,
    /// Whoever completes an operation from outside, and whether that was done.
    pub(crate) completed: Vec<(CompletedReply, Result<(), NotCompleted>)>,
    /// Whoever edits a variable, and whether that was done.
    pub(crate) edited: Vec<(EditReply, Result<(), EditError>)>,
    /// Senders of messages that came in this transition.
    pub(crate) senders: Vec<Posted>,
    /// Those who ask again for the answer to an update that came before, by its number.
    pub(crate) waiting: Vec<(u64, Sender)>,
    /// Those who are told at once.
    pub(crate) answered: Vec<(Sender, Answer)>,
    /// Senders of messages that the instance ended without.
    pub(crate) late: Vec<Posted>,
}

/// The sender of a message, which has this number.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) seq: u64,
    pub(crate) kind: MessageKind,
    pub(crate) sender: Sender,
}

impl Empty for Callers {
    const EMPTY: &'static Self = &Callers {
        replies: Vec::new(),
        cancels: Vec::new(),
        too_late: Vec::new(),
        completed: Vec::new(),
        edited: Vec::new(),
        senders: Vec::new(),
        waiting: Vec::new(),
        answered: Vec::new(),
        late: Vec::new(),
    };
}

impl Callers {
    /// Nothing was done for any of them.
    pub(crate) fn refuse(self, error: &dyn Fn() -> EngineError) {
        for reply in self.replies.into_iter().chain(self.cancels).chain(self.too_late) {
            let _ = reply.send(Err(error()));
        }
        for (reply, _) in self.completed {
            let _ = reply.send(Err(error()));
        }
        for (reply, _) in self.edited {
            let _ = reply.send(Err(error()));
        }
        let answered = self.answered.into_iter().map(|(sender, _)| sender);
        let waiting = self.waiting.into_iter().map(|(_, sender)| sender);
        let posted = self.senders.into_iter().chain(self.late).map(|posted| posted.sender);
        for sender in posted.chain(waiting).chain(answered) {
            sender.refuse(error());
        }
    }
}

/// An instance on its way from one record to the next.
struct Advance<'a> {
    engine: &'a Inner,
    draft: Draft,
    callers: Seldom<Callers>,
    /// What the draft was before a round that may have been wrong to go without a message, or that ended what was being created.
    fallback: Option<Box<Draft>>,
    /// Its machines are not run in this transition.
    held: bool,
}

/// Applies `events` to an instance and steps it if they let it move.
pub(crate) fn advance(
    engine: &Inner,
    slot: Slot,
    loaded: Box<Loaded>,
    mail: MailView,
    events: &mut dyn Iterator<Item = Event>,
    create: bool,
) -> Advanced {
    let draft = Draft::new(slot, loaded, mail, engine.clock.now_ms(), create, engine.settings.keep_snapshots);
    let mut advance = Advance { engine, draft, callers: Seldom::default(), fallback: None, held: false };
    advance.mailed();
    for event in events {
        advance.apply(event);
    }
    if create {
        let Draft { slot, loaded, keeping, now_ms, .. } = &mut advance.draft;
        keeping.keep_beginning(*slot, &mut loaded.state, *now_ms);
    }
    loop {
        advance.rounds();
        advance.end_if_unhandled();
        advance.go_on_ending();
        if !advance.unwind() {
            break;
        }
    }
    advance.answer_cancels();
    advance.hold_back();
    if advance.draft.end.is_some() && !create {
        advance.tell_of_end();
    }
    let Advance { mut draft, callers, fallback, .. } = advance;
    let fallback = match fallback {
        // A store holds an instance before it holds its end: the step is made once more after the commit.
        Some(before) if create && draft.end.is_some() => {
            draft = *before;
            draft.effects.again = true;
            None
        }
        fallback => fallback.filter(|_| !create),
    };
    draft.finish(callers, fallback)
}

impl Advance<'_> {
    /// A paused instance begins no attempt; what is due stays due.
    fn hold_back(&mut self) {
        if self.draft.loaded.state.paused_ms.is_none() {
            return;
        }
        let effects = &mut self.draft.effects;
        effects.hold = true;
        effects.dispatch.clear();
        let backoff =
            effects.rare.touched().map(|rare| std::mem::take(&mut rare.backoff)).unwrap_or_default();
        effects.ended.extend(backoff.into_iter().map(|(_, id)| id));
    }

    /// Lets the machines move as far as they can.
    fn rounds(&mut self) {
        let mut stalled = Vec::new();
        if self.held {
            self.draft.effects.again = self.earliest(&stalled).is_some();
            return;
        }
        for _ in 0..MOST_ROUNDS {
            let Some((machine, cutoff)) = self.earliest(&stalled) else { return };
            if !self.step(machine, cutoff) {
                // It could move and did not: it waits for something that it can't take. The next event tries it again.
                stalled.push(machine);
            }
        }
        self.draft.effects.again = self.earliest(&stalled).is_some();
    }
}
