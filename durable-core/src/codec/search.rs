//! Questions that the engine asks of a value without its type.

use serde::de::DeserializeOwned;

use super::{
    Value,
    tree::{Body, Tree},
};

impl Value {
    /// Whether it is the `Err` of a `Result`.
    pub(crate) fn is_err(&self) -> bool {
        matches!(&self.tree, Tree::Variant(variant) if variant.of == "Result" && variant.name == "Err")
    }

    /// The first struct of this name in it, as a `T`.
    pub(crate) fn find_struct<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let tree = find(&self.tree, name)?.clone();
        T::deserialize(Value { tree, readable: self.readable }).ok()
    }
}

fn find<'a>(tree: &'a Tree, wanted: &str) -> Option<&'a Tree> {
    let all = |parts: &'a [Tree]| parts.iter().find_map(|part| find(part, wanted));
    let fields =
        |parts: &'a [(super::tree::Name, Tree)]| parts.iter().find_map(|(_, part)| find(part, wanted));
    match tree {
        Tree::Struct(name, _) if name == wanted => Some(tree),
        Tree::Leaf(_) | Tree::None | Tree::UnitStruct(_) => None,
        Tree::Some(inner) | Tree::Newtype(_, inner) => find(inner, wanted),
        Tree::Seq(parts) | Tree::Tuple(parts) | Tree::TupleStruct(_, parts) => all(parts),
        Tree::Map(entries) => {
            entries.iter().find_map(|(key, value)| find(key, wanted).or_else(|| find(value, wanted)))
        }
        Tree::Struct(_, parts) => fields(parts),
        Tree::Variant(variant) => match &variant.body {
            Body::Unit => None,
            Body::Newtype(inner) => find(inner, wanted),
            Body::Tuple(parts) => all(parts),
            Body::Struct(parts) => fields(parts),
        },
    }
}
