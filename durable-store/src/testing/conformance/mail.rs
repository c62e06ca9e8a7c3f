//! Mail, the mailboxes that count it, and keys.

use super::super::sample::{close, closed, create, instance, keep, mail, update};
use super::{allocate, commit, create_many, refused};
use crate::{Batch, Mailbox, Number, Queue, Slot, Store};

/// The places in a queue that hold a message.
fn places(store: &dyn Store, slot: Slot, queue: u64) -> Vec<u64> {
    store.mail(slot, queue, None, usize::MAX).unwrap().iter().map(|mail| mail.seq).collect()
}

fn mailbox(queues: &[(u64, u32, u64, u64)]) -> Mailbox {
    let queue = |&(queue, count, first, last)| Queue { queue, count, first, last };
    Mailbox { queues: queues.iter().map(queue).collect() }
}

pub(super) fn in_order(store: &dyn Store) {
    let slots = create_many(store, 3);
    for seq in [40, 7, u64::MAX, 0, 300] {
        // From another instance, and to two queues side by side.
        let other = mail(slots[1], 5, seq);
        commit(store, keep(slots[0], 0).sending(mail(slots[1], 4, seq)).sending(other));
    }
    commit(store, keep(slots[0], 0).sending(mail(slots[0], 4, 1)).sending(mail(slots[2], 4, 2)));
    let mut seen = Vec::new();
    loop {
        let page = store.mail(slots[1], 4, seen.last().copied(), 2).unwrap();
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        for read in page {
            assert_eq!(read, mail(slots[1], 4, read.seq));
            seen.push(read.seq);
        }
    }
    assert_eq!(seen, [0, 7, 40, 300, u64::MAX]);
    assert_eq!(places(store, slots[0], 4), [1]);
    assert_eq!(places(store, slots[2], 4), [2]);
    assert!(store.mail(slots[1], 4, None, 0).unwrap().is_empty());
}

pub(super) fn counted(store: &dyn Store) {
    let slot = create_many(store, 1)[0];
    let put = |queue, seqs: &[u64]| {
        seqs.iter().fold(keep(slot, 0), |transition, seq| transition.sending(mail(slot, queue, *seq)))
    };
    commit(store, put(9, &[5, 3, 8]));
    assert_eq!(store.mailbox(slot).unwrap(), Some(mailbox(&[(9, 3, 3, 8)])));
    commit(store, put(0, &[20]));
    let both = store.mailbox(slot).unwrap();
    assert_eq!(both, Some(mailbox(&[(0, 1, 20, 20), (9, 3, 3, 8)])));
    let both = both.expect("it was just compared");
    assert_eq!((both.total(), both.queue(9).map(|queue| queue.count), both.queue(1)), (4, Some(3), None));
    // From both ends, from the middle, and all.
    commit(store, keep(slot, 0).taking(9, 3));
    assert_eq!(store.mailbox(slot).unwrap(), Some(mailbox(&[(0, 1, 20, 20), (9, 2, 5, 8)])));
    commit(store, put(9, &[4, 6]));
    commit(store, keep(slot, 0).taking(9, 8).taking(9, 5));
    assert_eq!(store.mailbox(slot).unwrap(), Some(mailbox(&[(0, 1, 20, 20), (9, 2, 4, 6)])));
    commit(store, keep(slot, 0).taking(9, 6).taking(9, 4).taking(0, 20));
    assert_eq!(store.mailbox(slot).unwrap(), None);
    assert!(places(store, slot, 9).is_empty());
}

pub(super) fn mailboxes(store: &dyn Store) {
    let slots = create_many(store, 7);
    let with_mail: Vec<Slot> = slots.iter().copied().filter(|slot| slot.0 % 3 != 1).collect();
    for slot in with_mail.iter().rev() {
        commit(store, keep(slots[0], 0).sending(mail(*slot, 1, 1)));
    }
    let mut seen: Vec<Slot> = Vec::new();
    loop {
        let page = store.mailboxes(seen.last().copied(), 2).unwrap();
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        for (slot, read) in page {
            assert_eq!(read, mailbox(&[(1, 1, 1, 1)]));
            seen.push(slot);
        }
    }
    assert_eq!(seen, with_mail);
    let last = *with_mail.last().expect("there are some");
    let number = slots.iter().position(|slot| *slot == last).expect("it is one of them") as u64;
    commit(store, close(last, closed(&format!("a{number}"), number)));
    assert_eq!(store.mailboxes(None, 100).unwrap().len(), with_mail.len() - 1);
}

pub(super) fn passed_on(store: &dyn Store) {
    let slots = create_many(store, 2);
    commit(store, keep(slots[0], 0).sending(mail(slots[0], 1, 1)));
    commit(
        store,
        vec![
            update(slots[0], instance("a0", 0)).taking(1, 1).sending(mail(slots[1], 1, 1)),
            keep(slots[1], 1).sending(mail(slots[0], 1, 2)).sending(mail(slots[1], 2, 3)),
        ],
    );
    assert_eq!(store.mailbox(slots[0]).unwrap(), Some(mailbox(&[(1, 1, 2, 2)])));
    assert_eq!(store.mailbox(slots[1]).unwrap(), Some(mailbox(&[(1, 1, 1, 1), (2, 1, 3, 3)])));
    // The last word of one that closes reaches the other.
    commit(store, close(slots[0], closed("a0", 0)).sending(mail(slots[1], 1, 9)));
    assert_eq!(places(store, slots[1], 1), [1, 9]);
}

pub(super) fn to_the_new(store: &dyn Store) {
    let sender = create_many(store, 1)[0];
    let new = allocate(store);
    let first = keep(sender, 0).sending(mail(new, 1, 1));
    commit(store, vec![first, create(new, instance("b", 9)).sending(mail(new, 1, 2))]);
    assert_eq!(places(store, new, 1), [1, 2]);
    assert_eq!(store.mailbox(new).unwrap(), Some(mailbox(&[(1, 2, 1, 2)])));
}

pub(super) fn conflicts(store: &dyn Store) {
    let slots = create_many(store, 2);
    commit(store, keep(slots[0], 0).sending(mail(slots[1], 1, 1)));
    let free = allocate(store);
    // To nobody, and to one who closes in the same batch.
    refused(store, keep(slots[0], 0).putting(1, b"x").sending(mail(free, 1, 2)));
    refused(
        store,
        vec![
            keep(slots[0], 0).putting(1, b"x").sending(mail(slots[1], 1, 2)),
            close(slots[1], closed("a1", 1)),
        ],
    );
    // To a place that is taken.
    refused(store, keep(slots[0], 0).putting(1, b"x").sending(mail(slots[1], 1, 1)));
    // What is not there, what is another's, what is taken twice, what the batch itself puts.
    refused(store, keep(slots[1], 1).putting(1, b"x").taking(1, 2));
    refused(store, keep(slots[1], 1).putting(1, b"x").taking(2, 1));
    refused(store, keep(slots[0], 0).putting(1, b"x").taking(1, 1));
    refused(store, keep(slots[1], 1).putting(1, b"x").taking(1, 1).taking(1, 1));
    refused(store, keep(slots[1], 1).putting(1, b"x").taking(1, 3).sending(mail(slots[1], 1, 3)));
    assert_eq!(places(store, slots[1], 1), [1]);
    assert_eq!(store.mailboxes(None, 10).unwrap().len(), 1);
    let sender = slots[0];
    for slot in slots {
        assert!(store.operations(slot).unwrap().is_empty(), "nothing of a refused batch is written");
        assert_eq!(store.mailbox(slot).unwrap().is_some(), slot != sender);
    }
}

pub(super) fn keys(store: &dyn Store) {
    let slots = create_many(store, 2);
    let read = |number, key| store.key(Number(number), &[key; 16]).unwrap();
    // Of its own run, and of another.
    commit(store, keep(slots[0], 0).remembering(0, [1; 16], b"one").remembering(1, [0xFF; 16], b"two"));
    assert_eq!(read(0, 1), Some(b"one".to_vec()));
    assert_eq!(read(1, 0xFF), Some(b"two".to_vec()));
    assert_eq!((read(0, 0xFF), read(1, 1)), (None, None));
    commit(store, keep(slots[0], 0).remembering(0, [1; 16], b"again"));
    assert_eq!(read(0, 1), Some(b"again".to_vec()));
    commit(store, close(slots[0], closed("a0", 0)).remembering(0, [2; 16], b"last"));
    assert_eq!(read(0, 1), Some(b"again".to_vec()), "keys outlive the live record");
    commit(store, Batch { expired: vec![Number(0)], ..Batch::default() });
    assert_eq!((read(0, 1), read(0, 2)), (None, None));
    assert_eq!(read(1, 0xFF), Some(b"two".to_vec()), "another run keeps its keys");
}
