//! Questions that the engine asks of a value without its type.

use serde::de::DeserializeOwned;

use super::{
    Value,
    capture::capture,
    erased::Emit,
    tree::{Body, Tree},
};

impl Value {
    /// What something writes of itself; nothing if it can't.
    pub(crate) fn of(value: &dyn Emit) -> Option<Value> {
        let captured = capture(value, false).ok()?;
        Some(Value { tree: captured.tree, readable: false })
    }

    /// Whether it is the `Err` of a `Result`.
    pub(crate) fn is_err(&self) -> bool {
        matches!(&self.tree, Tree::Variant(variant) if variant.of == "Result" && variant.name == "Err")
    }

    /// The structs in it that have one of these names, in the order in which they are written; none that stands in another.
    pub(crate) fn outermost(&self, names: &[&str]) -> Vec<Value> {
        let mut found = Vec::new();
        walk(&self.tree, &mut |tree| {
            let is_wanted = matches!(tree, Tree::Struct(of, _) if names.contains(&&**of));
            if is_wanted {
                found.push(Value { tree: tree.clone(), readable: self.readable });
            }
            !is_wanted
        });
        found
    }

    /// As a `T`, if it is one.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Option<T> {
        T::deserialize(self).ok()
    }

    /// The names of all variants of an enum in it, those that stand in another one of that enum left out.
    pub(crate) fn find_variants(&self, of: &str) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.tree, &mut |tree| match tree {
            Tree::Variant(variant) if variant.of == of => {
                found.push(variant.name.to_string());
                false
            }
            _ => true,
        });
        found
    }
}

/// Shows every part to `visit`, which says whether to look into it.
fn walk(tree: &Tree, visit: &mut dyn FnMut(&Tree) -> bool) {
    if !visit(tree) {
        return;
    }
    match tree {
        Tree::Leaf(_) | Tree::None | Tree::UnitStruct(_) => {}
        Tree::Some(inner) | Tree::Newtype(_, inner) => walk(inner, visit),
        Tree::Seq(parts) | Tree::Tuple(parts) | Tree::TupleStruct(_, parts) => {
            parts.iter().for_each(|part| walk(part, visit));
        }
        Tree::Map(entries) => entries.iter().for_each(|(key, value)| {
            walk(key, visit);
            walk(value, visit);
        }),
        Tree::Struct(_, parts) => parts.iter().for_each(|(_, part)| walk(part, visit)),
        Tree::Variant(variant) => match &variant.body {
            Body::Unit => {}
            Body::Newtype(inner) => walk(inner, visit),
            Body::Tuple(parts) => parts.iter().for_each(|part| walk(part, visit)),
            Body::Struct(parts) => parts.iter().for_each(|(_, part)| walk(part, visit)),
        },
    }
}
