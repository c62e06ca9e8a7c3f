//! What a frame works with while it is polled. The next frame of its workflow on the same thread takes it over, so that a step
//! allocates next to nothing.
//!
//! Invariants: a memory that is handed on holds no value and no byte of anybody's; what is large is not handed on.

use std::{
    any::{Any, TypeId},
    cell::RefCell,
    ops::Range,
};

use crate::{
    codec::{Codec, EncodeError, LayoutId, Plain, Slot, TypeOf},
    meta::WorkflowMeta,
};

/// So many of them a thread keeps.
const SPARE: usize = 32;
/// Slots and buffers of more bytes are given back.
const MOST_BYTES: usize = 4096;

thread_local! {
    static MEMORIES: RefCell<Vec<Memory>> = const { RefCell::new(Vec::new()) };
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
    /// What is to be saved so far, the future first and then the last variable: where each lies in `kept`, with its layout.
    pub(super) parts: Vec<Part>,
    pub(super) kept: Vec<u8>,
    /// A variable is.
    is_large: bool,
}

/// A variable that is to be saved: its layout, and where it lies.
pub(super) type Part = Result<(u64, Range<usize>), EncodeError>;

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
    pub(super) fn of(meta: &'static WorkflowMeta) -> Self {
        let spare = MEMORIES.try_with(|memories| {
            let mut memories = memories.borrow_mut();
            let at = memories.iter().rposition(|memory| std::ptr::eq(memory.meta, meta))?;
            Some(memories.swap_remove(at))
        });
        spare.ok().flatten().unwrap_or_else(|| Memory {
            meta,
            stored: Vec::new(),
            version: 0,
            variables: Vec::new(),
            parts: Vec::new(),
            kept: Vec::new(),
            is_large: false,
        })
    }

    /// Hands it on. All that was read into it has been loaded.
    pub(super) fn hand_on(mut self) {
        self.parts.clear();
        self.kept.clear();
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
        self.parts.clear();
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
        self.parts.push(layout.map(|layout| (layout.0, start..self.kept.len())));
    }
}
