//! Under the commit lock, where no other instance can change: what goes to other instances finds its receiver, and a step that may have
//! been wrong to go without a message is made again.
//!
//! Invariant: whatever an instance sends is in its own transition, so that both sides commit together or not at all, also when a
//! batch is committed one transition at a time.

use std::collections::{HashMap, HashSet};

use durable_store::{Batch, Change, Closed, Error as StoreError, Mail, Mailbox, Number, Slot, Transition};

use super::{Body, CONTROL, Message, end_of_parent, holds_updates, outgoing};
use crate::{
    context::{Completion, OnClose, Refused},
    engine::{
        advance::{Advanced, Callers, Draft, Effects, Post},
        copies::{chunk_of, late_chunk},
        history::{HistoryEvent, HistoryKind},
        inner::Inner,
        state::{Address, ClosedState, Loaded, ReplyTo},
    },
    seldom::Seldom,
};

/// One transition of a batch, as far as it can change before its commit.
pub(crate) struct Resolving<'a> {
    pub(crate) loaded: &'a mut Option<Box<Loaded>>,
    pub(crate) effects: &'a mut Effects,
    pub(crate) fallback: &'a mut Option<Box<Draft>>,
    pub(crate) callers: &'a mut Seldom<Callers>,
    /// The instances that get mail.
    pub(crate) mailed: &'a mut Vec<(Slot, Number)>,
}

/// What a batch does to the runs in it.
pub(crate) struct Runs {
    /// Whether each is live after it, in order of slot.
    live: Vec<(Slot, Number, bool)>,
    /// What each that ends in it ends with.
    ends: HashMap<Number, Closed>,
}

impl Runs {
    /// `sends`: something in the batch looks for its receiver by an id. An end may be large, and is copied only then.
    pub(crate) fn of(batch: &Batch, sends: bool) -> Self {
        let run = |of: &Transition| (of.slot, of.number, !matches!(of.change, Change::Close(_)));
        let end = |of: &Transition| match &of.change {
            Change::Close(closed) if sends => Some((of.number, closed.clone())),
            _ => None,
        };
        let mut live: Vec<_> = batch.transitions.iter().map(run).collect();
        live.sort_unstable_by_key(|(slot, ..)| *slot);
        let ends = batch.transitions.iter().filter_map(end).collect();
        Runs { live, ends }
    }

    /// Whether a run is live after the batch.
    pub(super) fn is_live(&self, inner: &Inner, slot: Slot, number: Number) -> Result<bool, StoreError> {
        let found = self.live.binary_search_by_key(&slot, |(slot, ..)| *slot);
        match found.map(|at| self.live[at]) {
            Ok((_, other, live)) if other == number => Ok(live),
            _ => Ok(inner.store.owner(slot)? == Some(number)),
        }
    }

    /// What a run ends with in this batch.
    pub(super) fn end(&self, number: Number) -> Option<&Closed> {
        self.ends.get(&number)
    }
}

/// Whether anything is to be done for a transition.
pub(crate) fn is_needed(effects: &Effects, fallback: Option<&Draft>) -> bool {
    fallback.is_some()
        || effects.closed
        || !effects.rare.posts.is_empty()
        || !effects.rare.outgoing.is_empty()
}

/// Commits the fallback in place of a transition if a message came meanwhile.
pub(crate) fn fall_back(
    inner: &Inner,
    transition: &mut Transition,
    resolving: &mut Resolving<'_>,
) -> Result<(), StoreError> {
    let Some(fallback) = resolving.fallback.take() else { return Ok(()) };
    let now = match inner.store.mailbox(transition.slot) {
        // What can't be read can't be waited for either.
        Err(StoreError::DamagedRecord { .. }) => return Ok(()),
        mailbox => mailbox?.unwrap_or_default(),
    };
    // What the engine itself has put there is for no step, and of an end it is told by `left`.
    let of_users = |mailbox: &Mailbox| {
        let mut queues = mailbox.queues.clone();
        queues.retain(|queue| queue.queue != CONTROL);
        queues
    };
    if of_users(&now) == of_users(fallback.mailbox()) {
        return Ok(());
    }
    let Advanced { transition: instead, mut loaded, mut effects, .. } =
        fallback.finish(Seldom::default(), None);
    effects.again = true;
    if let Some(loaded) = &mut loaded {
        loaded.has_mail = true;
    }
    *transition = instead;
    // It goes on with what it would have ended without.
    if let Some(callers) = resolving.callers.touched() {
        let late = std::mem::take(&mut callers.late);
        callers.senders.extend(late);
    }
    (*resolving.loaded, *resolving.effects) = (loaded, effects);
    Ok(())
}

/// Finds the receivers of what a transition sends. One that is gone gets nothing.
pub(crate) fn resolve(
    inner: &Inner,
    runs: &Runs,
    transition: &mut Transition,
    resolving: &mut Resolving<'_>,
) -> Result<(), StoreError> {
    let posts = resolving.effects.rare.touched().map(|rare| std::mem::take(&mut rare.posts));
    for Post { to, message } in posts.unwrap_or_default() {
        if runs.is_live(inner, to.slot, to.number)? {
            transition.mail.push(mail(inner, to.slot, &message));
            resolving.mailed.push((to.slot, to.number));
        } else if let Body::Created { on_close: Some(on_close), .. } = message.body {
            orphaned(inner, transition, resolving, on_close);
        } else if let Body::Forked { id, step } = message.body
            && inner.store.closed(to.number)?.is_some()
        {
            let kind = HistoryKind::ForkedAs { id, step };
            let event = HistoryEvent { at_ms: inner.clock.now_ms(), step, kind };
            let chunk = (to.number, late_chunk(transition.number), chunk_of(&event));
            transition.history_of.push(chunk);
        }
    }
    if resolving.effects.closed {
        left(inner, runs, transition, resolving)?;
    }
    outgoing::send(inner, runs, transition, resolving)
}

/// The parent of what is being created has ended meanwhile: it gets with its creation what a child gets at its parent's end.
fn orphaned(inner: &Inner, transition: &mut Transition, resolving: &mut Resolving<'_>, on_close: OnClose) {
    let Some(body) = end_of_parent(on_close) else { return };
    let message = Message::control(body, inner.clock.now_ms());
    transition.mail.push(mail(inner, transition.slot, &message));
    resolving.mailed.push((transition.slot, transition.number));
    if let Some(loaded) = resolving.loaded {
        loaded.has_mail = true;
    }
}

/// An instance ends without having looked at some of its mail: others that wait for an answer of it are told, and so are its children.
fn left(
    inner: &Inner,
    runs: &Runs,
    transition: &mut Transition,
    resolving: &mut Resolving<'_>,
) -> Result<(), StoreError> {
    let mailbox = match inner.store.mailbox(transition.slot) {
        // What can't be read can't be answered either.
        Err(StoreError::DamagedRecord { .. }) => return Ok(()),
        mailbox => mailbox?.unwrap_or_default(),
    };
    let mut queues = mailbox.queues;
    queues.retain(|queue| queue.queue == CONTROL || holds_updates(queue.queue));
    if queues.is_empty() {
        return Ok(());
    }
    let end = match &transition.change {
        Change::Close(closed) => postcard::from_bytes::<ClosedState>(&closed.state).ok(),
        _ => None,
    };
    let Some((completion, failed)) = end.map(|state| state.end.completion()) else { return Ok(()) };
    let taken: HashSet<_> = transition.taken.iter().map(|taken| (taken.queue, taken.seq)).collect();
    for queue in queues {
        let rows = inner.store.mail(transition.slot, queue.queue, None, usize::MAX)?;
        for row in rows.into_iter().filter(|row| !taken.contains(&(row.queue, row.seq))) {
            let Ok(message) = postcard::from_bytes::<Message>(&row.bytes) else { continue };
            let over = |to: Address, completion, failed| {
                (to, Body::Completed { operation: to.operation, completion, failed })
            };
            let told = match (message.body, message.reply) {
                (Body::Watch(to), _) => Some(over(to, completion.clone(), failed)),
                (Body::Update(_), ReplyTo::Instance(to)) => {
                    Some(over(to, Completion::Refused(Refused::Unanswered), true))
                }
                // A child that this one does not know yet.
                (Body::Created { child, on_close, .. }, _) => {
                    on_close.and_then(end_of_parent).map(|body| (child, body))
                }
                _ => None,
            };
            let Some((to, body)) = told else { continue };
            if runs.is_live(inner, to.slot, to.number)? {
                let told = Message::control(body, inner.clock.now_ms());
                transition.mail.push(mail(inner, to.slot, &told));
                resolving.mailed.push((to.slot, to.number));
            }
        }
    }
    Ok(())
}

/// A message for an instance, as a row.
pub(crate) fn mail(inner: &Inner, slot: Slot, message: &Message) -> Mail {
    let bytes = postcard::to_stdvec(message).expect("the engine's own records always encode");
    Mail { slot, queue: message.queue(), seq: inner.next_seq(), bytes }
}

/// What a mailbox holds, for a step of its instance.
pub(crate) fn view(inner: &Inner, slot: Slot) -> Result<super::MailView, StoreError> {
    let mailbox = match inner.ask(|store| store.mailbox(slot)) {
        Err(error @ StoreError::DamagedRecord { .. }) => {
            inner.report(&error.to_string());
            None
        }
        mailbox => mailbox?,
    };
    let Some(mailbox) = mailbox else { return Ok(super::MailView::default()) };
    Ok(read(inner, slot, mailbox))
}

fn read(inner: &Inner, slot: Slot, mailbox: Mailbox) -> super::MailView {
    let store = inner.store.clone();
    let fetch = move |queue, after, limit| {
        let rows = store.mail(slot, queue, after, limit).map_err(|error| error.to_string())?;
        let read = |row: Mail| {
            let message = postcard::from_bytes(&row.bytes)
                .map_err(|error| format!("message {} in its mailbox can't be read: {error}", row.seq))?;
            Ok((row.seq, message))
        };
        rows.into_iter().map(read).collect()
    };
    super::MailView::new(mailbox, std::sync::Arc::new(fetch))
}
