//! `Serialize` -> [`Tree`]: writes down every call that a value makes.

use std::borrow::Cow;

use super::emitter::{Chosen, Emitter, Of, Sink};
use super::erased::Emit;
use super::error::Fault;
use super::tree::{Body, Leaf, MAX_DEPTH, Name, Tree, Variant, with_scalars};

/// A value as it was captured.
pub(super) struct Captured {
    pub(super) tree: Tree,
    /// The calls can be written by position: every length was announced and kept, no field was skipped.
    pub(super) regular: bool,
}

/// Captures `value`, which is told that the format is human readable or not.
pub(super) fn capture(value: &dyn Emit, readable: bool) -> Result<Captured, Fault> {
    let mut capture = Capture { readable, regular: true, frames: Vec::new(), done: None };
    value.emit(Emitter::new(&mut capture))?;
    match capture.done {
        Some(tree) if capture.frames.is_empty() => Ok(Captured { tree, regular: capture.regular }),
        _ => Err(Fault::message("it returned before the value was complete")),
    }
}

struct Capture {
    readable: bool,
    regular: bool,
    /// From the root to the value that is written next.
    frames: Vec<Frame>,
    /// The value that was completed last, until its frame takes it.
    done: Option<Tree>,
}

/// A value whose inside is being written.
enum Frame {
    Some,
    Newtype(&'static str),
    NewtypeVariant(Chosen),
    Parts { of: Of, len: Option<usize>, parts: Vec<Tree>, pending: bool },
    Fields { of: Of, len: usize, fields: Vec<(Name, Tree)>, pending: Option<&'static str> },
    Map { len: Option<usize>, entries: Vec<(Tree, Tree)>, key: Option<Tree>, pending: Pending },
}

/// What a map expects to be completed.
enum Pending {
    Nothing,
    Key,
    Value,
}

fn variant(chosen: Chosen, body: Body) -> Tree {
    let Chosen { of, index, name } = chosen;
    Tree::Variant(Box::new(Variant { of: Cow::Borrowed(of), index, name: Cow::Borrowed(name), body }))
}

impl Capture {
    fn put(&mut self, tree: Tree) {
        self.done = Some(tree);
    }

    fn push(&mut self, frame: Frame) -> Result<(), Fault> {
        if self.frames.len() >= MAX_DEPTH as usize {
            return Err(Fault::too_deep());
        }
        self.done = None;
        self.frames.push(frame);
        Ok(())
    }

    /// The frame at `depth`, with the part that was completed last.
    fn settle(&mut self, depth: usize) -> Result<&mut Frame, Fault> {
        if self.frames.len() > depth + 1 {
            // A part failed inside, and its error was swallowed: it is as if it had not begun.
            self.frames.truncate(depth + 1);
            self.done = None;
        }
        let done = self.done.take();
        let Some(frame) = self.frames.get_mut(depth) else {
            return Err(Fault::message("a part was written after its end"));
        };
        match frame {
            Frame::Some | Frame::Newtype(_) | Frame::NewtypeVariant(_) => {}
            Frame::Parts { parts, pending, .. } => {
                if std::mem::take(pending) {
                    parts.extend(done);
                }
            }
            Frame::Fields { fields, pending, .. } => {
                if let (Some(name), Some(tree)) = (pending.take(), done) {
                    fields.push((name.into(), tree));
                }
            }
            Frame::Map { entries, key, pending, .. } => match std::mem::replace(pending, Pending::Nothing) {
                Pending::Nothing => {}
                Pending::Key => *key = done,
                Pending::Value => {
                    if let (Some(key), Some(value)) = (key.take(), done) {
                        entries.push((key, value));
                    }
                }
            },
        }
        Ok(frame)
    }
}

const MIXED: &str = "it mixed the parts of different kinds";

macro_rules! leaves {
    ($($kind:ident $ty:ident $ser:ident $visit:ident,)*) => {
        $(fn $ser(&mut self, v: $ty) -> Result<(), Fault> {
            self.put(Tree::Leaf(Leaf::$kind(v)));
            Ok(())
        })*
    };
}

impl Sink for Capture {
    with_scalars!(leaves);

    fn is_human_readable(&self) -> bool {
        self.readable
    }
    fn str(&mut self, v: &str) -> Result<(), Fault> {
        self.put(Tree::str(v));
        Ok(())
    }
    fn bytes(&mut self, v: &[u8]) -> Result<(), Fault> {
        self.put(Tree::Leaf(Leaf::Bytes(v.to_vec())));
        Ok(())
    }
    fn unit(&mut self) -> Result<(), Fault> {
        self.put(Tree::Leaf(Leaf::Unit));
        Ok(())
    }
    fn none(&mut self) -> Result<(), Fault> {
        self.put(Tree::None);
        Ok(())
    }
    fn unit_struct(&mut self, name: &'static str) -> Result<(), Fault> {
        self.put(Tree::UnitStruct(name.into()));
        Ok(())
    }
    fn unit_variant(&mut self, chosen: Chosen) -> Result<(), Fault> {
        self.put(variant(chosen, Body::Unit));
        Ok(())
    }
    fn some(&mut self) -> Result<(), Fault> {
        self.push(Frame::Some)
    }
    fn newtype(&mut self, name: &'static str) -> Result<(), Fault> {
        self.push(Frame::Newtype(name))
    }
    fn newtype_variant(&mut self, chosen: Chosen) -> Result<(), Fault> {
        self.push(Frame::NewtypeVariant(chosen))
    }
    fn close(&mut self) -> Result<(), Fault> {
        let tree = match (self.frames.pop(), self.done.take()) {
            (Some(Frame::Some), Some(inner)) => Tree::Some(Box::new(inner)),
            (Some(Frame::Newtype(name)), Some(inner)) => Tree::Newtype(name.into(), Box::new(inner)),
            (Some(Frame::NewtypeVariant(chosen)), Some(inner)) => variant(chosen, Body::Newtype(inner)),
            _ => return Err(Fault::message("it returned before the value inside was complete")),
        };
        self.put(tree);
        Ok(())
    }
    fn begin(&mut self, of: Of, len: Option<usize>) -> Result<usize, Fault> {
        self.push(match of {
            Of::Map => Frame::Map { len, entries: Vec::new(), key: None, pending: Pending::Nothing },
            Of::Struct(_) | Of::StructVariant(_) => {
                Frame::Fields { of, len: len.unwrap_or_default(), fields: Vec::new(), pending: None }
            }
            Of::Seq | Of::Tuple | Of::TupleStruct(_) | Of::TupleVariant(_) => {
                Frame::Parts { of, len, parts: Vec::new(), pending: false }
            }
        })?;
        Ok(self.frames.len() - 1)
    }
    fn element(&mut self, depth: usize) -> Result<(), Fault> {
        match self.settle(depth)? {
            Frame::Parts { pending, .. } => {
                *pending = true;
                Ok(())
            }
            _ => Err(Fault::message(MIXED)),
        }
    }
    fn field(&mut self, depth: usize, name: &'static str) -> Result<(), Fault> {
        match self.settle(depth)? {
            Frame::Fields { pending, .. } => {
                *pending = Some(name);
                Ok(())
            }
            _ => Err(Fault::message(MIXED)),
        }
    }
    fn skip(&mut self, depth: usize) -> Result<(), Fault> {
        self.settle(depth)?;
        self.regular = false;
        Ok(())
    }
    fn key(&mut self, depth: usize) -> Result<(), Fault> {
        match self.settle(depth)? {
            Frame::Map { pending, .. } => {
                *pending = Pending::Key;
                Ok(())
            }
            _ => Err(Fault::message(MIXED)),
        }
    }
    fn value(&mut self, depth: usize) -> Result<(), Fault> {
        match self.settle(depth)? {
            Frame::Map { key: Some(_), pending, .. } => {
                *pending = Pending::Value;
                Ok(())
            }
            _ => Err(Fault::message("a map's value was written before its key")),
        }
    }
    fn end(&mut self, depth: usize) -> Result<(), Fault> {
        self.settle(depth)?;
        let (tree, kept) = match self.frames.pop() {
            Some(Frame::Parts { of, len, parts, .. }) => {
                let kept = len == Some(parts.len());
                let tree = match of {
                    Of::TupleVariant(chosen) => variant(chosen, Body::Tuple(parts)),
                    Of::TupleStruct(name) => Tree::TupleStruct(name.into(), parts),
                    Of::Tuple => Tree::Tuple(parts),
                    _ => Tree::Seq(parts),
                };
                (tree, kept)
            }
            Some(Frame::Fields { of, len, fields, .. }) => {
                let kept = len == fields.len();
                let tree = match of {
                    Of::StructVariant(chosen) => variant(chosen, Body::Struct(fields)),
                    Of::Struct(name) => Tree::Struct(name.into(), fields),
                    _ => return Err(Fault::message(MIXED)),
                };
                (tree, kept)
            }
            Some(Frame::Map { key: Some(_), .. }) => {
                return Err(Fault::message("a map's key was written without its value"));
            }
            Some(Frame::Map { len, entries, .. }) => {
                let kept = len == Some(entries.len());
                (Tree::Map(entries), kept)
            }
            _ => return Err(Fault::message(MIXED)),
        };
        self.regular &= kept;
        self.put(tree);
        Ok(())
    }
}
