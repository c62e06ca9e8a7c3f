//! What a frame works with while it is polled. The next frame of its workflow on the same thread takes it over, so that a step
//! allocates next to nothing.
//!
//! Invariants: a memory that is handed on holds no value and no bytes of anybody's; what is large is not handed on.

use std::{
    any::{Any, TypeId},
    cell::RefCell,
    ops::Range,
};

use super::image::{push_delimited, put_together};
use crate::{
    codec::{Bytes, Codec, EncodeError, LayoutId, Plain, Slot, TypeOf},
    meta::WorkflowMeta,
};

/// So many of them a thread keeps.
const SPARE: usize = 32;
/// Slots and buffers of more bytes are given back.
const MOST_BYTES: usize = 4096;

thread_local! {
    #[allow(clippy::vec_box, reason = "a frame has one in its box")]
    static MEMORIES: RefCell<Vec<Box<Memory>>> = const { RefCell::new(Vec::new()) };
}

/// What a frame of one workflow works with.
pub(super) struct Memory {
    meta: &'static WorkflowMeta,
    /// Where the variables lie in the image that the frame resumes from.
    pub(super) stored: Vec<Range<usize>>,
    /// What is known of the variables besides their types is right for this version of a codec.
    version: u64,
    /// By the numbers of their witnesses. There may be more than the frame has asked for: those of the frame before it.
    variables: Vec<Variable>,
    /// What is to be saved so far, the future first and then the last variable: the layout of each, and where it lies in `kept`.
    pub(super) parts: Vec<Part>,
    /// The first of them that could not be written.
    pub(super) unwritten: Option<(usize, EncodeError)>,
    pub(super) kept: Vec<u8>,
    /// Where an image is put together.
    image: Vec<u8>,
    /// A variable is.
    is_large: bool,
}

/// What is to be saved: its layout, and where it lies.
pub(super) type Part = (u64, Range<usize>);

/// A variable's type, and the place into which it is read before it is loaded.
struct Variable {
    id: TypeId,
    of: &'static TypeOf,
    slot: Option<Box<dyn Slot>>,
    /// How it is written without a look at its layout, and which that is.
    plain: Option<(LayoutId, Plain)>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("workflow", &self.meta.name).finish_non_exhaustive()
    }
}

impl Memory {
    /// That of a frame before, if this thread has one.
    pub(super) fn of(meta: &'static WorkflowMeta) -> Box<Self> {
        let spare = MEMORIES.try_with(|memories| {
            let mut memories = memories.borrow_mut();
            let at = memories.iter().rposition(|memory| std::ptr::eq(memory.meta, meta))?;
            Some(memories.swap_remove(at))
        });
        spare.ok().flatten().unwrap_or_else(|| {
            Box::new(Memory {
                meta,
                stored: Vec::new(),
                version: 0,
                variables: Vec::new(),
                parts: Vec::new(),
                unwritten: None,
                kept: Vec::new(),
                image: Vec::new(),
                is_large: false,
            })
        })
    }

    /// Hands it on. All that was read into it has been loaded.
    pub(super) fn hand_on(mut self: Box<Self>) {
        self.parts.clear();
        self.unwritten = None;
        self.kept.clear();
        self.image.clear();
        if self.kept.capacity() > MOST_BYTES {
            self.kept = Vec::new();
        }
        if self.is_large {
            self.variables.clear();
            self.is_large = false;
        }
        // A thread that is past its locals drops it.
        let _ = MEMORIES.try_with(|memories| {
            let mut memories = memories.borrow_mut();
            if memories.len() == SPARE {
                memories.swap_remove(0);
            }
            memories.push(self);
        });
    }

    /// As if nothing had been read or kept.
    pub(super) fn clear(&mut self) {
        self.variables.iter_mut().filter_map(|variable| variable.slot.as_mut()).for_each(|slot| slot.clear());
        self.begin_parts();
    }

    /// As if nothing had been kept.
    fn begin_parts(&mut self) {
        self.parts.clear();
        self.unwritten = None;
        self.kept.clear();
    }

    /// The variable of this witness is of this type.
    pub(super) fn learn(&mut self, witness: usize, of: &'static TypeOf) {
        if self.variables.get(witness).is_some_and(|known| std::ptr::eq(known.of, of)) {
            return;
        }
        self.variables.truncate(witness);
        self.variables.push(Variable { id: (of.id)(), of, slot: None, plain: None });
    }

    /// A place for a value of the variable.
    pub(super) fn take_slot(&mut self, witness: usize) -> Box<dyn Slot> {
        let variable = &mut self.variables[witness];
        variable.slot.take().unwrap_or_else(|| {
            let slot = (variable.of.slot)();
            self.is_large |= size_of_val(&*slot) > MOST_BYTES;
            slot
        })
    }

    /// Keeps what was read until it is loaded.
    pub(super) fn put_slot(&mut self, witness: usize, slot: Box<dyn Slot>) {
        self.variables[witness].slot = Some(slot);
    }

    /// The place of a variable, which is as good as new once it is empty.
    pub(super) fn loaded(&mut self, witness: usize) -> Option<&mut dyn Any> {
        let slot: &mut dyn Slot = self.variables.get_mut(witness)?.slot.as_deref_mut()?;
        Some(slot)
    }

    /// The slot of a variable that was read before, and where the variables lie.
    pub(super) fn reading(&mut self, witness: usize) -> Option<(&mut dyn Slot, &[Range<usize>])> {
        Some((self.variables[witness].slot.as_deref_mut()?, &self.stored))
    }

    /// Takes the future into what is to be saved. It is the first part.
    pub(super) fn keep_awaited(&mut self, codec: &Codec, of: &TypeOf, future: &dyn Any) {
        self.begin_parts();
        let layout = codec.encode_any(of, (of.id)(), future, &mut self.kept);
        self.push(0, layout);
    }

    fn push(&mut self, start: usize, layout: Result<LayoutId, EncodeError>) {
        let layout = match layout {
            Ok(layout) => layout,
            Err(error) => {
                self.unwritten.get_or_insert((self.parts.len(), error));
                LayoutId::NAMED
            }
        };
        self.parts.push((layout.0, start..self.kept.len()));
    }

    /// What is to be saved as it is stored: the future and the variables in their order, each with its length in front.
    pub(super) fn put_together(&mut self) -> Bytes {
        if self.kept.len() > MOST_BYTES {
            let (awaited, vars) = self.parts.split_first().expect("the future is the first part");
            let parts: Vec<_> = std::iter::once(awaited).chain(vars.iter().rev()).collect();
            let ranges: Vec<_> = parts.into_iter().map(|(_, range)| range.clone()).collect();
            return put_together(&mut self.kept, &ranges).into();
        }
        self.image.clear();
        let mut parts = self.parts.iter();
        for (_, range) in parts.next().into_iter().chain(parts.rev()) {
            push_delimited(&mut self.image, &self.kept[range.clone()]);
        }
        self.image.as_slice().into()
    }

    /// Takes a variable into what is to be saved.
    pub(super) fn keep(&mut self, codec: &Codec, var: &dyn Any) {
        if self.version != codec.version() {
            self.version = codec.version();
            self.variables.iter_mut().for_each(|variable| variable.plain = None);
        }
        let id = var.type_id();
        let variable = self.variables.iter_mut().find(|variable| variable.id == id);
        let variable = variable.expect("generated code asks for the proof of each variable that it saves");
        let start = self.kept.len();
        let layout = match variable.plain {
            Some((layout, plain)) if (plain.write)(var, &mut self.kept) => Ok(layout),
            _ => {
                variable.plain = codec.plain(id);
                codec.encode_any(variable.of, id, var, &mut self.kept)
            }
        };
        self.push(start, layout);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::{Refused, Workflow};

    /// In debug builds every value is checked, and written by the walk for that.
    #[test]
    fn what_is_kept_without_a_look_at_its_layout_is_what_the_codec_writes() {
        let codec = Codec::new();
        codec.set_checking(false);
        let mut memory = Memory::of(<Refused<(), ()> as Workflow>::META);
        memory.learn(0, TypeOf::of::<u64>());
        memory.learn(1, TypeOf::of::<String>());
        for n in [3, 300, 0, u64::MAX, 70_000] {
            let text = n.to_string();
            memory.keep_awaited(&codec, TypeOf::of::<(u64,)>(), &(n,));
            memory.keep(&codec, &text);
            memory.keep(&codec, &n);
            let mut expected = Vec::new();
            for written in [codec.encode(&(n,)), codec.encode(&n), codec.encode(&text)] {
                push_delimited(&mut expected, &written.expect("it is written").bytes);
            }
            assert_eq!(*memory.put_together(), *expected);
            let (number, text) = (codec.encode(&n).expect("it is"), codec.encode(&text).expect("it is"));
            assert_eq!(codec.decode::<u64>(number.layout, &number.bytes).expect("it is read"), n);
            assert_eq!(codec.decode::<String>(text.layout, &text.bytes).expect("it is read"), n.to_string());
            assert_eq!(
                memory.parts.iter().skip(1).map(|part| part.0).collect::<Vec<_>>(),
                [text.layout.0, number.layout.0]
            );
        }
        assert!(memory.variables.iter().all(|variable| variable.plain.is_some()), "it was not looked at");
        codec.set_checking(true);
        memory.keep(&codec, &5_u64);
        assert!(
            memory.variables.iter().all(|variable| variable.plain.is_none()),
            "every value is checked again"
        );
    }

    #[test]
    fn what_is_handed_on_is_empty_and_what_is_large_is_not_handed_on() {
        let meta = <Refused<u8, ()> as Workflow>::META;
        let mut memory = Memory::of(meta);
        memory.learn(0, TypeOf::of::<[u64; 32]>());
        memory.learn(1, TypeOf::of::<Vec<[u64; 32]>>());
        let slot = memory.take_slot(1);
        memory.put_slot(1, slot);
        memory.keep_awaited(&Codec::new(), TypeOf::of::<String>(), &"x".repeat(MOST_BYTES + 1));
        assert!(memory.put_together().len() > MOST_BYTES);
        memory.hand_on();
        let memory = Memory::of(meta);
        assert_eq!((memory.variables.len(), memory.parts.len(), memory.kept.capacity()), (2, 0, 0));
        assert!(memory.variables[1].slot.as_ref().is_some_and(|slot| slot.value().is_none()));
    }
}
