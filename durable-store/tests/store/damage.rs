//! Damaged files: a right answer or a typed error, and the file as it was.

use std::sync::LazyLock;

use durable_store::testing::{Batches, Model, Rng, Verdict, sample};
use durable_store::{Error, MemoryImage, Number, Options, Record, RedbStore, Store};

use crate::{open, seed, times};

/// A sound file and what it holds.
struct Sound {
    bytes: Vec<u8>,
    model: Model,
    /// What it held one commit earlier. Damage to the last commit of a file that was not closed
    /// can't be told from a commit that a crash cut off, which a repair takes back as a whole.
    before: Option<Model>,
}

/// A file that was closed, and one that a crash left.
static SOUND: LazyLock<[Sound; 2]> = LazyLock::new(|| {
    [true, false].map(|closed| {
        let image = MemoryImage::new();
        let store = RedbStore::open_image(&image).unwrap();
        let mut batches = Batches::new(7);
        let mut before = Model::default();
        for _ in 0..40 {
            before = batches.model().clone();
            let batch = batches.next_batch(|| store.allocate().unwrap());
            store.commit(&batch).unwrap();
        }
        let crashed = image.snapshot();
        drop(store);
        let bytes = if closed { image.snapshot() } else { crashed };
        Sound { bytes, model: batches.model().clone(), before: (!closed).then_some(before) }
    })
});

/// Verified: every page was checked while opening.
fn options(verify: bool) -> Options {
    let mut options = Options::default();
    options.verify = verify;
    options
}

/// Opens a damaged file and asks it everything; `None` if it was refused, as it was.
fn judge(sound: &Sound, bytes: &[u8], verify: bool) -> Option<Verdict> {
    let (image, store) = open(bytes, &options(verify));
    match store {
        Ok(store) => {
            let verdict = sound.model.judge(&store);
            let before = sound.before.as_ref().map(|before| before.judge(&store));
            Some(before.filter(|_| !verdict.wrong.is_empty()).unwrap_or(verdict))
        }
        Err(error) => {
            assert!(
                matches!(error, Error::Damaged { .. } | Error::Foreign { .. } | Error::Newer { .. }),
                "{error}"
            );
            assert!(image.snapshot() == bytes, "a refused file was changed");
            None
        }
    }
}

/// Where the file holds anything: damage elsewhere harms nobody.
fn used(bytes: &[u8]) -> Vec<usize> {
    let pages = bytes.chunks(4096).enumerate();
    pages.filter(|(_, page)| page.iter().any(|byte| *byte != 0)).map(|(page, _)| page * 4096).collect()
}

#[test]
fn flipped_bytes_never_give_a_wrong_answer() {
    let mut rng = Rng::new(seed());
    let (mut refused, mut errors, mut missing) = (0, 0, 0);
    for n in 0..times(400) {
        let sound = &SOUND[(n % 2) as usize];
        let pages = used(&sound.bytes);
        let mut bytes = sound.bytes.clone();
        for _ in 0..=rng.below(3) {
            // A third of it in the header, where it does the most harm.
            let page = if rng.chance(33) { 0 } else { pages[rng.below(pages.len() as u64) as usize] };
            let within = if page == 0 { 320 } else { 4096 };
            bytes[page + rng.below(within) as usize] ^= 1 + rng.below(255) as u8;
        }
        let verify = n % 4 >= 2;
        let Some(verdict) = judge(sound, &bytes, verify) else {
            refused += 1;
            continue;
        };
        assert!(verdict.wrong.is_empty(), "case {n}: {:?}", verdict.wrong);
        if verify {
            assert!(verdict.missing.is_empty(), "case {n}: {:?}", verdict.missing);
        }
        errors += usize::from(!verdict.errors.is_empty());
        missing += usize::from(!verdict.missing.is_empty());
    }
    println!("{refused} refused, {errors} with typed errors, {missing} with something missing");
    assert!(refused > 0 && errors > 0, "the damage did nothing: the test shows nothing");
}

/// Every day each thousandth byte; with `DURABLE_SCALE=1000` each.
#[test]
fn no_byte_can_be_changed_to_a_wrong_answer() {
    let step = (1_000 / times(1)).max(1) as usize;
    let (mut cases, mut harmless) = (0, 0);
    for at in (0..SOUND[0].bytes.len()).step_by(step) {
        let sound = &SOUND[at / step % 2];
        let Some(byte) = sound.bytes.get(at) else { continue };
        let mut bytes = sound.bytes.clone();
        bytes[at] = byte ^ (1 << (at / step % 8));
        cases += 1;
        let Some(verdict) = judge(sound, &bytes, false) else { continue };
        assert!(verdict.wrong.is_empty(), "byte {at}: {:?}", verdict.wrong);
        harmless += usize::from(verdict.is_right());
    }
    println!("{cases} bytes changed, {harmless} of them where nothing is");
    assert!(harmless < cases, "the damage did nothing: the test shows nothing");
}

#[test]
fn a_truncated_or_extended_file_is_refused_or_right() {
    let mut rng = Rng::new(seed());
    for n in 0..times(100) {
        let sound = &SOUND[(n % 2) as usize];
        let mut bytes = sound.bytes.clone();
        let len = match n % 3 {
            0 => 1 + rng.below(8_192),
            1 => 1 + rng.below(bytes.len() as u64),
            _ => bytes.len() as u64 + 1 + rng.below(1 << 20),
        };
        bytes.resize(len as usize, 0xA5);
        if let Some(verdict) = judge(sound, &bytes, n % 2 == 0) {
            assert!(verdict.wrong.is_empty() && verdict.missing.is_empty(), "{len}: {verdict:?}");
        }
    }
}

#[test]
fn zeroed_and_exchanged_pages_never_give_a_wrong_answer() {
    let mut rng = Rng::new(seed());
    for n in 0..times(100) {
        let sound = &SOUND[(n % 2) as usize];
        let pages = used(&sound.bytes);
        let mut bytes = sound.bytes.clone();
        let page = pages[rng.below(pages.len() as u64) as usize];
        let other = pages[rng.below(pages.len() as u64) as usize];
        let exchanged = rng.chance(50);
        if exchanged {
            bytes.copy_within(other..other + 4096, page);
        } else {
            bytes[page..page + 4096].fill(0);
        }
        let verify = n % 4 >= 2;
        if let Some(verdict) = judge(sound, &bytes, verify) {
            // The page may have got what it held some commits ago. Every row of that is a sound one for its key: only a look at all
            // pages tells.
            if !exchanged || verify {
                assert!(verdict.wrong.is_empty(), "case {n}: {:?}", verdict.wrong);
            }
            if verify {
                assert!(verdict.missing.is_empty(), "case {n}: {:?}", verdict.missing);
            }
        }
    }
}

/// The control: without damage everything is right, so the tests above compare what they seem to.
#[test]
fn an_undamaged_file_is_right_and_a_changed_one_is_noticed() {
    for sound in &*SOUND {
        assert!(judge(sound, &sound.bytes, true).is_some_and(|verdict| verdict.is_right()));
        let image = MemoryImage::from_bytes(sound.bytes.clone());
        let store = RedbStore::open_image(&image).unwrap();
        let (slot, instance) = store.scan(None, 1).unwrap().remove(0);
        let mut other = instance.clone();
        other.status = other.status.wrapping_add(1);
        store.commit(&sample::update(slot, other).into()).unwrap();
        assert!(!sound.model.judge(&store).wrong.is_empty());
    }
}

/// A damaged record is one instance's problem.
#[test]
fn damage_to_one_record_leaves_the_others_readable() {
    let image = MemoryImage::new();
    let store = RedbStore::open_image(&image).unwrap();
    let slots: Vec<_> = (0..5).map(|_| store.allocate().unwrap()).collect();
    let marked = |n: usize| durable_store::Instance {
        state: format!("the state of number {n}").into_bytes(),
        ..sample::instance(&format!("a{n}"), n as u64)
    };
    let create = |n: usize| sample::create(slots[n], marked(n));
    store.commit(&(0..5).map(create).collect::<Vec<_>>().into()).unwrap();
    drop(store);

    let mut bytes = image.snapshot();
    flip(&mut bytes, b"the state of number 2");
    let (_, store) = open(&bytes, &Options::default());
    let store = store.unwrap();
    let damaged = |error: Error| matches!(error, Error::DamagedRecord { record: Record::Instance(slot), .. } if slot == slots[2]);
    assert!(damaged(store.instance(slots[2]).unwrap_err()));
    for n in [0, 1, 3, 4] {
        assert_eq!(store.instance(slots[n]).unwrap(), Some(marked(n)));
    }
    // A scan stops in front of it, says so, and goes on behind it.
    assert_eq!(store.scan(None, 10).unwrap().len(), 2);
    assert!(damaged(store.scan(Some(slots[1]), 10).unwrap_err()));
    assert_eq!(store.scan(Some(slots[2]), 10).unwrap().len(), 2);
    // It can't be updated without knowing what it was, but it can be closed.
    let update = sample::update(slots[2], marked(2)).into();
    assert!(damaged(store.commit(&update).unwrap_err()));
    let close = sample::close(slots[2], sample::closed("a2", 2));
    store.commit(&close.into()).unwrap();
    assert_eq!(store.instance(slots[2]).unwrap(), None);
    assert_eq!(store.scan(None, 10).unwrap().len(), 4);
}

/// A piece of a large state is damaged: readings name its instance, and what has that piece anew is whole again.
#[test]
fn a_damaged_piece_of_a_large_state_is_its_instances_problem() {
    let image = MemoryImage::new();
    let store = RedbStore::open_image(&image).unwrap();
    let slots: Vec<_> = (0..3).map(|_| store.allocate().unwrap()).collect();
    let large = |n: usize| durable_store::Instance {
        state: (0..10_000).flat_map(|line| format!("line {line} of number {n}. ").into_bytes()).collect(),
        ..sample::instance(&format!("a{n}"), n as u64)
    };
    let create = |n: usize| sample::create(slots[n], large(n));
    store.commit(&(0..3).map(create).collect::<Vec<_>>().into()).unwrap();
    drop(store);

    let mut bytes = image.snapshot();
    flip(&mut bytes, b"line 5000 of number 1");
    let (_, store) = open(&bytes, &Options::default());
    let store = store.unwrap();
    let damaged = |error: Error| matches!(error, Error::DamagedRecord { record: Record::Instance(slot), .. } if slot == slots[1]);
    assert!(damaged(store.instance(slots[1]).unwrap_err()));
    assert!(store.instance(slots[0]).unwrap() == Some(large(0)));
    assert_eq!(store.scan(None, 10).unwrap().len(), 1);
    assert!(damaged(store.scan(Some(slots[0]), 10).unwrap_err()));
    assert_eq!(store.scan(Some(slots[1]), 10).unwrap().len(), 1);
    store.commit(&sample::update(slots[1], large(1)).into()).unwrap();
    assert!(store.instance(slots[1]).unwrap() == Some(large(1)));
    drop(store);

    let (_, store) = open(&bytes, &Options::default());
    let store = store.unwrap();
    store.commit(&sample::close(slots[1], sample::closed("a1", 1)).into()).unwrap();
    let again = durable_store::Instance { number: Number(9), id: "b".into(), ..large(1) };
    store.commit(&sample::create(slots[1], again.clone()).into()).unwrap();
    assert!(store.instance(slots[1]).unwrap() == Some(again));
    assert_eq!(store.scan(None, 10).unwrap().len(), 3);
}

/// Flips a bit wherever a text stands in a file.
fn flip(bytes: &mut [u8], text: &[u8]) {
    let places: Vec<usize> =
        (0..bytes.len() - text.len()).filter(|at| bytes[*at..].starts_with(text)).collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place] ^= 1;
    }
}

/// What stands beside an instance is damaged: readings name it, others go on, closing gets rid of it.
#[test]
fn damaged_operations_and_mail_are_named_and_go_with_their_instance() {
    let image = MemoryImage::new();
    let store = RedbStore::open_image(&image).unwrap();
    let slots: Vec<_> = (0..2).map(|_| store.allocate().unwrap()).collect();
    for (n, slot) in (0..).zip(&slots) {
        let mut full = sample::create(*slot, sample::instance(&format!("a{n}"), n));
        for seq in 0..3 {
            let text = format!("number {seq} of instance {n}");
            full = full.putting(seq, format!("operation {text}").as_bytes());
            full = full.sending(durable_store::Mail {
                bytes: format!("message {text}").into_bytes(),
                ..sample::mail(*slot, 0xABCD_EF01_2345_6789 + n, seq)
            });
        }
        store.commit(&full.remembering(n, [7; 16], format!("key {n}").as_bytes()).into()).unwrap();
    }
    drop(store);
    let (slot, queue) = (slots[0], 0xABCD_EF01_2345_6789);
    let mut bytes = image.snapshot();
    flip(&mut bytes, b"operation number 1 of instance 0");
    flip(&mut bytes, b"message number 1 of instance 0");
    flip(&mut bytes, b"key 0");
    let (_, store) = open(&bytes, &Options::default());
    let store = store.unwrap();
    let damaged = |error: Error| match error {
        Error::DamagedRecord { record, .. } => record,
        other => panic!("{other}"),
    };
    assert_eq!(damaged(store.operations(slot).unwrap_err()), Record::Operation(slot, 1));
    assert_eq!(damaged(store.operation(slot, 1).unwrap_err()), Record::Operation(slot, 1));
    assert!(store.operation(slot, 2).unwrap().is_some());
    assert_eq!(damaged(store.key(Number(0), &[7; 16]).unwrap_err()), Record::Key(Number(0)));
    // A page of mail stops in front of it, says so, and goes on behind it.
    assert_eq!(store.mail(slot, queue, None, 10).unwrap().len(), 1);
    assert_eq!(damaged(store.mail(slot, queue, Some(0), 10).unwrap_err()), Record::Mail(slot, queue, 1));
    assert_eq!(store.mail(slot, queue, Some(1), 10).unwrap().len(), 1);
    // It can be taken unread, and an operation be written over.
    let mended = sample::keep(slot, 0).taking(queue, 1).putting(1, b"again");
    store.commit(&mended.into()).unwrap();
    assert_eq!(store.mail(slot, queue, None, 10).unwrap().len(), 2);
    assert_eq!(store.operations(slot).unwrap().len(), 3);
    drop(store);

    // A damaged mailbox takes no mail and gives none, until its instance is closed.
    flip(&mut bytes, &queue.to_le_bytes());
    let (_, store) = open(&bytes, &Options::default());
    let store = store.unwrap();
    assert_eq!(damaged(store.mailbox(slot).unwrap_err()), Record::Mailbox(slot));
    assert_eq!(damaged(store.mailboxes(None, 10).unwrap_err()), Record::Mailbox(slot));
    assert_eq!(store.mailboxes(Some(slot), 10).unwrap().len(), 1);
    let send = sample::keep(slots[1], 1).sending(sample::mail(slot, 1, 1));
    assert_eq!(damaged(store.commit(&send.into()).unwrap_err()), Record::Mailbox(slot));
    store.commit(&sample::close(slot, sample::closed("a0", 0)).into()).unwrap();
    store.commit(&sample::create(slot, sample::instance("b", 9)).into()).unwrap();
    assert!(store.operations(slot).unwrap().is_empty());
    assert_eq!(store.mailbox(slot).unwrap(), None);
    assert!((0..3).all(|after| store.mail(slot, queue, Some(after), 10).unwrap().is_empty()));
    assert_eq!(store.operations(slots[1]).unwrap().len(), 3, "the neighbour is unharmed");
}
