//! `#[was("..")]` at variables that no snapshot has.
//!
//! A block that awaits nothing stays as it is written, so its variables are never stored, and the old name of one says nothing. It may
//! stand there since an edit that took the await away; rustc would not know the attribute.

use super::point::block_has_await;
use syn::visit_mut::{self, VisitMut};

/// Takes it off.
pub(super) struct Unstored {
    /// Whether the block awaits in which the statement stands.
    awaits: bool,
}

impl Unstored {
    pub(super) fn new() -> Self {
        Unstored { awaits: true }
    }
}

impl VisitMut for Unstored {
    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        let outside = self.awaits;
        self.awaits = outside && block_has_await(block);
        visit_mut::visit_block_mut(self, block);
        self.awaits = outside;
    }

    fn visit_local_mut(&mut self, local: &mut syn::Local) {
        if !self.awaits {
            local.attrs.retain(|attr| !attr.path().is_ident("was"));
        }
        visit_mut::visit_local_mut(self, local);
    }

    // What is written in a closure is none of the workflow's variables.
    fn visit_expr_closure_mut(&mut self, closure: &mut syn::ExprClosure) {
        let outside = std::mem::replace(&mut self.awaits, false);
        visit_mut::visit_expr_closure_mut(self, closure);
        self.awaits = outside;
    }

    fn visit_item_mut(&mut self, _: &mut syn::Item) {}
}
