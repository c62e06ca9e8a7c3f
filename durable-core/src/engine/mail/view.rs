//! An instance's mailbox as a step sees it: what is in the store, read as far as it is needed, and what has just come.

use std::{collections::BTreeMap, fmt, sync::Arc};

use durable_store::Mailbox;

use super::Message;
use crate::seldom::{Empty, Seldom};

/// So many messages of a queue are read at once.
const PAGE: usize = 16;

/// Reads messages of a queue after a number, at most so many.
pub(crate) type Fetch = dyn Fn(u64, Option<u64>, usize) -> Result<Vec<(u64, Message)>, String> + Send + Sync;

/// A mailbox. Nearly always nothing is in it.
#[derive(Clone, Default)]
pub(crate) struct MailView(Seldom<Contents>);

#[derive(Clone, Default)]
struct Contents {
    /// What the store said when the view was made.
    mailbox: Mailbox,
    queues: BTreeMap<u64, Queue>,
    fetch: Option<Arc<Fetch>>,
}

impl Empty for Contents {
    const EMPTY: &'static Self =
        &Contents { mailbox: Mailbox { queues: Vec::new() }, queues: BTreeMap::new(), fetch: None };
}

#[derive(Clone, Debug, Default)]
struct Queue {
    /// By number.
    waiting: BTreeMap<u64, Waiting>,
    /// So many more are in the store, behind `read_to`.
    unread: u32,
    read_to: Option<u64>,
}

/// A message that nobody has taken for good.
#[derive(Clone, Debug)]
struct Waiting {
    message: Arc<Message>,
    /// It has a row in the store.
    stored: bool,
}

impl fmt::Debug for MailView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailView").field("queues", &self.0.queues).finish_non_exhaustive()
    }
}

impl MailView {
    /// What is in the store, of which nothing is read yet.
    pub(crate) fn new(mailbox: Mailbox, fetch: Arc<Fetch>) -> Self {
        let unread = |queue: &durable_store::Queue| Queue { unread: queue.count, ..Queue::default() };
        let queues = mailbox.queues.iter().map(|queue| (queue.queue, unread(queue))).collect();
        MailView(Contents { mailbox, queues, fetch: Some(fetch) }.into())
    }

    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.0.mailbox
    }

    /// Whether a message waits, of whatever queue.
    pub(crate) fn holds(&self, seq: u64) -> bool {
        self.0.queues.values().any(|known| known.waiting.contains_key(&seq))
    }

    /// A message has just come.
    pub(crate) fn arrived(&mut self, queue: u64, seq: u64, message: Message) {
        let waiting = Waiting { message: Arc::new(message), stored: false };
        self.0.queues.entry(queue).or_default().waiting.insert(seq, waiting);
    }

    /// The numbers of the first `most` messages of a queue that are not `held`.
    pub(crate) fn first(
        &mut self,
        queue: u64,
        most: usize,
        held: &dyn Fn(u64) -> bool,
    ) -> Result<Vec<u64>, String> {
        self.first_from(0, queue, most, held)
    }

    /// The same where all in front of a number are known to be held.
    pub(crate) fn first_from(
        &mut self,
        from: u64,
        queue: u64,
        most: usize,
        held: &dyn Fn(u64) -> bool,
    ) -> Result<Vec<u64>, String> {
        let Some(Contents { queues, fetch, .. }) = self.0.touched() else { return Ok(Vec::new()) };
        let Some(known) = queues.get_mut(&queue) else { return Ok(Vec::new()) };
        loop {
            // What has come lately stands behind what is stored, but a peer's message may have got its number before.
            let complete = known.unread == 0;
            let last = known.read_to.unwrap_or_default();
            let there = known.waiting.range(from..).map(|(seq, _)| *seq);
            let there = there.filter(|seq| complete || *seq <= last);
            let first: Vec<_> = there.filter(|seq| !held(*seq)).take(most).collect();
            if first.len() == most || complete {
                return Ok(first);
            }
            let Some(fetch) = fetch else { return Ok(first) };
            let read = fetch(queue, known.read_to, PAGE)?;
            known.unread = known.unread.saturating_sub(read.len() as u32);
            match read.last() {
                Some((last, _)) => known.read_to = Some(*last),
                None => known.unread = 0,
            }
            let stored = |message| Waiting { message: Arc::new(message), stored: true };
            known.waiting.extend(read.into_iter().map(|(seq, message)| (seq, stored(message))));
        }
    }

    /// Whether a message is there, in the store or not.
    pub(crate) fn find(&self, queue: u64, seq: u64) -> Result<bool, String> {
        if self.get(queue, seq).is_some() {
            return Ok(true);
        }
        let unread =
            self.0.queues.get(&queue).is_some_and(|known| known.unread > 0 && known.read_to < Some(seq));
        let Some(fetch) = self.0.fetch.as_ref().filter(|_| unread) else { return Ok(false) };
        Ok(fetch(queue, seq.checked_sub(1), 1)?.iter().any(|(found, _)| *found == seq))
    }

    /// A message that [`first`](Self::first) has named.
    pub(crate) fn get(&self, queue: u64, seq: u64) -> Option<&Arc<Message>> {
        self.0.queues.get(&queue)?.waiting.get(&seq).map(|waiting| &waiting.message)
    }

    /// A message is taken for good. Gives whether it has a row in the store.
    pub(crate) fn remove(&mut self, queue: u64, seq: u64) -> bool {
        let Some(known) = self.0.touched().and_then(|contents| contents.queues.get_mut(&queue)) else {
            return false;
        };
        known.waiting.remove(&seq).is_some_and(|waiting| waiting.stored)
    }

    /// A message that has just come is not kept. Gives its key.
    pub(crate) fn discard(&mut self, seq: u64) -> Option<[u8; 16]> {
        self.0.touched()?.queues.values_mut().find_map(|known| known.waiting.remove(&seq))?.message.key
    }

    /// What has come and was not taken: it is to become rows. Asking makes them stored.
    pub(crate) fn take_fresh(&mut self) -> Vec<(u64, u64, Arc<Message>)> {
        let mut fresh = Vec::new();
        let Some(contents) = self.0.touched() else { return fresh };
        for (queue, known) in &mut contents.queues {
            for (seq, waiting) in &mut known.waiting {
                if !std::mem::replace(&mut waiting.stored, true) {
                    fresh.push((*queue, *seq, waiting.message.clone()));
                }
            }
        }
        fresh
    }

    /// So many messages wait, those of the engine not counted.
    pub(crate) fn unread(&self) -> u32 {
        let of = |(queue, known): (&u64, &Queue)| {
            if *queue == super::CONTROL { 0 } else { known.unread + known.waiting.len() as u32 }
        };
        self.0.queues.iter().map(of).sum()
    }

    /// Whether anything is there at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.queues.values().all(|known| known.unread == 0 && known.waiting.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use durable_store::Queue as Stored;

    use super::*;
    use crate::{
        codec::{Encoded, LayoutId},
        engine::{mail::Body, state::ReplyTo},
    };

    fn message(byte: u8) -> Message {
        let value = Encoded { layout: LayoutId(0), bytes: vec![byte].into() };
        Message { name: "m".into(), body: Body::Signal(value), reply: ReplyTo::Nobody, key: None, sent_ms: 0 }
    }

    /// A mailbox with the messages 1, 2, .. 40 of queue 7 in the store.
    fn stored() -> MailView {
        let fetch = |queue, after: Option<u64>, limit| {
            assert_eq!(queue, 7);
            let next = after.unwrap_or_default() + 1;
            Ok((next..=40).take(limit).map(|seq| (seq, message(seq as u8))).collect())
        };
        let queue = Stored { queue: 7, count: 40, first: 1, last: 40 };
        MailView::new(Mailbox { queues: vec![queue] }, Arc::new(fetch))
    }

    #[test]
    fn messages_come_in_the_order_of_their_numbers_wherever_they_are() {
        let mut mail = stored();
        mail.arrived(7, 50, message(50));
        assert_eq!(mail.first(7, 2, &|_| false).unwrap(), [1, 2]);
        assert_eq!(mail.first(7, 2, &|seq| seq % 20 != 0).unwrap(), [20, 40]);
        let all = mail.first(7, 100, &|_| false).unwrap();
        assert_eq!((all.len(), all.last()), (41, Some(&50)));
        assert_eq!(mail.get(7, 33).map(|message| message.body.clone()), Some(message(33).body));
        assert!(mail.first(8, 1, &|_| false).unwrap().is_empty());
    }

    #[test]
    fn only_what_was_stored_is_taken_from_the_store_and_only_what_is_left_becomes_a_row() {
        let mut mail = stored();
        mail.arrived(7, 50, message(50));
        mail.arrived(9, 51, message(51));
        mail.arrived(9, 52, message(52));
        assert_eq!(mail.first(7, 1, &|_| false).unwrap(), [1]);
        assert!(mail.remove(7, 1), "it has a row");
        assert!(!mail.remove(9, 51), "it has none");
        assert_eq!(mail.unread(), 41);
        let fresh: Vec<_> = mail.take_fresh().into_iter().map(|(queue, seq, _)| (queue, seq)).collect();
        assert_eq!(fresh, [(7, 50), (9, 52)]);
        assert!(mail.take_fresh().is_empty(), "they have rows now");
    }
}
