//! Mail: the messages that wait for an instance, and its mailbox, which says how many do.
//!
//! Invariants:
//! - A mailbox agrees with the messages: both change in one transaction, and only here. A slot with
//!   no mail has no mailbox.
//! - Mail is only put where a live instance is, and goes in the transaction that closes it, so that
//!   a slot that is used again has none. Closing reads neither messages nor mailbox, and so gets rid
//!   of damaged ones; taking a message does not read it either.
//!
//! Deliberately absent: a limit on how much waits. The engine has one, and looks at the mailbox.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included};

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, Table, WriteTransaction};

use super::commit::conflict;
use super::fault::Fault;
use super::read::{after, out_of_order, page};
use super::row::{self, Blob};
use super::tables::{INSTANCES, MAIL, MAILBOXES};
use crate::record::{Change, Mail, MailTaken, Mailbox, Queue, Record, Slot, Transition};

/// What a batch does to the mail of one slot.
#[derive(Default)]
struct Changes<'a> {
    closes: bool,
    taken: Vec<&'a MailTaken>,
    put: Vec<&'a Mail>,
}

struct Tables<'txn> {
    mail: Table<'txn, (u64, u64, u64), &'static [u8]>,
    mailboxes: Table<'txn, u64, &'static [u8]>,
}

/// To be called after the instances were written: mail goes to those that live then.
pub(super) fn apply(txn: &WriteTransaction, transitions: &[Transition]) -> Result<(), Fault> {
    let mut slots: BTreeMap<Slot, Changes<'_>> = BTreeMap::new();
    for transition in transitions {
        if matches!(transition.change, Change::Close(_)) {
            slots.entry(transition.slot).or_default().closes = true;
        } else if !transition.taken.is_empty() {
            slots.entry(transition.slot).or_default().taken.extend(&transition.taken);
        }
        for mail in &transition.mail {
            slots.entry(mail.slot).or_default().put.push(mail);
        }
    }
    if slots.is_empty() {
        return Ok(());
    }
    receivers_live(txn, &slots)?;
    let mut tables = Tables { mail: txn.open_table(MAIL)?, mailboxes: txn.open_table(MAILBOXES)? };
    for (&slot, changes) in &slots {
        if changes.closes {
            tables.clear(slot)?;
        } else {
            tables.change(slot, changes)?;
        }
    }
    Ok(())
}

fn receivers_live(txn: &WriteTransaction, slots: &BTreeMap<Slot, Changes<'_>>) -> Result<(), Fault> {
    let mut receivers = slots.iter().filter(|(_, changes)| !changes.put.is_empty()).peekable();
    if receivers.peek().is_none() {
        return Ok(());
    }
    let instances = txn.open_table(INSTANCES)?;
    for (slot, _) in receivers {
        if instances.get(slot.0)?.is_none() {
            return conflict(format!("slot {} has no live instance and can't be sent mail", slot.0));
        }
    }
    Ok(())
}

impl Tables<'_> {
    /// Removes all mail of a slot.
    fn clear(&mut self, slot: Slot) -> Result<(), Fault> {
        // Most have none, and looking costs less than removing nothing.
        if self.mailboxes.is_empty()? && self.mail.is_empty()? {
            return Ok(());
        }
        self.mailboxes.remove(slot.0)?;
        let all = (slot.0, 0, 0)..=(slot.0, u64::MAX, u64::MAX);
        if self.mail.range(all.clone())?.next().transpose()?.is_some() {
            self.mail.retain_in(all, |_, _| false)?;
        }
        Ok(())
    }

    /// Takes, then puts.
    fn change(&mut self, slot: Slot, changes: &Changes<'_>) -> Result<(), Fault> {
        let stored = self.mailboxes.get(slot.0)?.map(|row| row::read_mailbox(slot, row.value()));
        let mut queues: BTreeMap<u64, Queue> = stored
            .transpose()?
            .unwrap_or_default()
            .queues
            .iter()
            .map(|queue| (queue.queue, *queue))
            .collect();
        for &&MailTaken { queue, seq } in &changes.taken {
            if self.mail.remove((slot.0, queue, seq))?.is_none() {
                let what = Record::Mail(slot, queue, seq);
                return conflict(format!("{what} is not there and can't be taken"));
            }
            self.taken_from(slot, queue, seq, &mut queues)?;
        }
        for mail in &changes.put {
            let row = Blob::Mail(slot, mail.queue, mail.seq).write(&mail.bytes);
            if self.mail.insert((slot.0, mail.queue, mail.seq), row.as_slice())?.is_some() {
                let what = Record::Mail(slot, mail.queue, mail.seq);
                return conflict(format!("{what} is there and can't be put again"));
            }
            let empty = Queue { queue: mail.queue, count: 0, first: mail.seq, last: mail.seq };
            let queue = queues.entry(mail.queue).or_insert(empty);
            let Some(count) = queue.count.checked_add(1) else {
                return conflict(format!("queue {:016x} of slot {} holds all that fits", mail.queue, slot.0));
            };
            queue.count = count;
            queue.first = queue.first.min(mail.seq);
            queue.last = queue.last.max(mail.seq);
        }
        let mailbox = Mailbox { queues: queues.into_values().collect() };
        if mailbox.queues.is_empty() {
            self.mailboxes.remove(slot.0)?;
        } else {
            self.mailboxes.insert(slot.0, row::write_mailbox(slot, &mailbox).as_slice())?;
        }
        Ok(())
    }

    /// Notes in a mailbox that a message has gone.
    fn taken_from(
        &self,
        slot: Slot,
        number: u64,
        seq: u64,
        queues: &mut BTreeMap<u64, Queue>,
    ) -> Result<(), Fault> {
        let disagrees = || Fault::Damaged(Record::Mailbox(slot));
        let queue = queues.get_mut(&number).ok_or_else(disagrees)?;
        queue.count = queue.count.checked_sub(1).ok_or_else(disagrees)?;
        if queue.count == 0 {
            queues.remove(&number);
        } else if seq == queue.first || seq == queue.last {
            let mut rest = self.mail.range((slot.0, number, 0)..=(slot.0, number, u64::MAX))?;
            let first = rest.next().ok_or_else(disagrees)??.0.value().2;
            queue.first = first;
            queue.last = rest.next_back().transpose()?.map_or(first, |(key, _)| key.value().2);
        }
        Ok(())
    }
}

pub(super) fn mailbox(txn: &ReadTransaction, slot: Slot) -> Result<Option<Mailbox>, Fault> {
    let table = txn.open_table(MAILBOXES)?;
    table.get(slot.0)?.map(|row| row::read_mailbox(slot, row.value())).transpose()
}

pub(super) fn mailboxes(
    txn: &ReadTransaction,
    from: Option<Slot>,
    limit: usize,
) -> Result<Vec<(Slot, Mailbox)>, Fault> {
    let table = txn.open_table(MAILBOXES)?;
    page(table.range(after(from.map(|slot| slot.0)))?, from, limit, |key, value| {
        let slot = Slot(key);
        Ok((slot, (slot, row::read_mailbox(slot, value)?)))
    })
}

pub(super) fn mail(
    txn: &ReadTransaction,
    slot: Slot,
    queue: u64,
    from: Option<u64>,
    limit: usize,
) -> Result<Vec<Mail>, Fault> {
    if from == Some(u64::MAX) {
        return Ok(Vec::new());
    }
    let start = from.map_or(Included((slot.0, queue, 0)), |from| Excluded((slot.0, queue, from)));
    let end = Included((slot.0, queue, u64::MAX));
    let table = txn.open_table(MAIL)?;
    page(table.range((start, end))?, from, limit, |key, value| {
        let seq = key.2;
        if key != (slot.0, queue, seq) {
            return Err(out_of_order());
        }
        let bytes = Blob::Mail(slot, queue, seq).read(value)?.to_vec();
        Ok((seq, Mail { slot, queue, seq, bytes }))
    })
}
