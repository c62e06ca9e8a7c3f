//! Loops. Each begins with a head that dispatches a resume to the points in its body.
//!
//! A `for` over something borrowed counts the items it took and makes its iterator again after a restore; a `for` over
//! something owned keeps the rest of it in the snapshot.

use super::{Dest, Lowerer, Target, borrow, operand, var_pat};
use crate::ir::{Arm, BlockId, Let, Loop, Remat, Stmt, Term, bound, var_expr};
use proc_macro2::{Ident, Span};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Pat, Stmt as UserStmt};

impl Lowerer {
    pub(super) fn loop_expr(&mut self, looped: syn::ExprLoop, dest: Dest) {
        let segment = self.path.enter("loop");
        let after = self.new_block();
        let (head, body) = self.enter_loop();
        self.start(body);
        self.body(segment, looped.label, after, head, dest, looped.body);
    }

    pub(super) fn while_expr(&mut self, looped: syn::ExprWhile, dest: Dest) {
        let segment = self.path.enter("while");
        // The way out of the condition goes over a block of its own, where the loop's value is set.
        let done = self.new_block();
        let after = self.new_block();
        let (head, test) = self.enter_loop();
        let body = self.new_block();
        self.start(test);
        self.condition(*looped.cond, body, done);
        self.start(body);
        self.body(segment, looped.label, after, head, dest, looped.body);
        self.finish(done, after, dest);
    }

    /// The loop ended by itself.
    fn finish(&mut self, done: BlockId, after: BlockId, dest: Dest) {
        // `after` was started behind the body; the way out by itself comes before it.
        self.function.order.retain(|block| *block != after);
        self.start(done);
        self.store_unit(dest);
        self.goto(after);
        self.start(after);
    }

    fn enter_loop(&mut self) -> (BlockId, BlockId) {
        self.function.loops.push(Loop { parent: self.inside, head: 0, items: None });
        let id = self.function.loops.len() - 1;
        self.inside = Some(id);
        let (head, first) = (self.new_block(), self.new_block());
        self.function.blocks[head].head_of = Some(id);
        self.function.loops[id].head = head;
        self.goto(head);
        self.start(head);
        self.end(Term::Dispatch { normal: first });
        (head, first)
    }

    /// Lowers a loop's body, from the current block, and goes on behind the loop.
    fn body(
        &mut self,
        segment: String,
        label: Option<syn::Label>,
        after: BlockId,
        head: BlockId,
        dest: Dest,
        body: syn::Block,
    ) {
        let label = label.map(|label| label.name.ident.to_string());
        self.targets.push(Target { label, is_loop: true, after, head: Some(head), dest });
        self.path.push(segment);
        self.block(body, Dest::Discard);
        self.path.pop();
        self.targets.pop();
        self.goto(head);
        self.inside = self.inside.and_then(|id| self.function.loops[id].parent);
        self.start(after);
    }

    pub(super) fn for_expr(&mut self, each: syn::ExprForLoop, dest: Dest) {
        let segment = self.path.enter("for");
        let after = self.new_block();
        self.open();
        let mut iterated = self.operand(*each.expr);
        if operand::borrows_temporary(&iterated) {
            iterated = self.polled("for", iterated);
        }
        let iterated = self.keep_temporary(iterated);
        if self.current.is_none() {
            return self.close();
        }
        let name = match super::plain(&each.pat) {
            Some(var) => format!("for {}", self.function.vars[var].stored_name),
            None => "for".to_owned(),
        };
        let next = if self.is_borrowed_iteration(&iterated) {
            self.counted(&name, iterated, &each.pat)
        } else {
            self.owned(&name, &iterated)
        };
        let done = self.new_block();
        let (head, test) = self.enter_loop();
        let id = self.inside;
        let body = self.new_block();
        self.start(test);
        self.flatten(&each.pat, Some(body));
        let pat = &each.pat;
        let arm = |pat, target| Arm { attrs: Vec::new(), pat, guard: None, target };
        let arms = vec![
            arm(syn::parse_quote!(::core::option::Option::Some(#pat)), body),
            arm(syn::parse_quote!(::core::option::Option::None), done),
        ];
        self.end(Term::Match { scrutinee: Box::new(next.expr), arms });
        self.start(body);
        if let (Some((iterator, count)), Some(id)) = (next.counted, id) {
            let count = var_expr(count, Span::mixed_site());
            let step: Expr = syn::parse_quote!(#count += 1);
            self.push(Stmt::Keep(Box::new(UserStmt::Expr(step, Some(syn::token::Semi::default())))));
            self.rematerialise_items(id, iterator, *each.pat);
        }
        self.body(segment, each.label, after, head, dest, each.body);
        self.finish(done, after, dest);
        self.close();
    }

    fn counted(&mut self, name: &str, iterated: Expr, _: &Pat) -> Next {
        let span = iterated.span();
        let p = runtime(span);
        let count = self.bind_temp(name.to_owned(), syn::parse_quote!(0usize), true);
        let iterator = self.temp(format!("{name} iterator"));
        for var in [count, iterator] {
            self.function.vars[var].pinned = true;
            self.function.vars[var].mutable = true;
        }
        let fresh = parsed(quote_spanned!(span=> #p::ordered(#iterated)));
        let pat = var_pat(iterator, span);
        self.function.remats.push(Remat { pat: pat.clone(), expr: iterated, count: Some(count) });
        self.function.vars[iterator].remat = Some(self.function.remats.len() - 1);
        self.push(Stmt::Let(Box::new(Let { attrs: Vec::new(), pat, ty: None, init: fresh, diverge: None })));
        let iterator_expr = var_expr(iterator, span);
        Next {
            expr: parsed(quote!(::core::iter::Iterator::next(&mut #iterator_expr))),
            counted: Some((iterator, count)),
        }
    }

    fn owned(&mut self, name: &str, iterated: &Expr) -> Next {
        let span = iterated.span();
        let p = runtime(span);
        let value = parsed(quote_spanned!(span=> #p::IntoSteps::into_steps(#iterated)));
        let steps = self.bind_temp(name.to_owned(), value, true);
        self.function.vars[steps].pinned = true;
        let steps = var_expr(steps, span);
        Next { expr: parsed(quote_spanned!(span=> #p::Steps::next_step(&mut #steps))), counted: None }
    }

    /// The items of a counted loop are taken again from its iterator.
    fn rematerialise_items(&mut self, id: usize, iterator: usize, mut pat: Pat) {
        let iterator_expr = var_expr(iterator, Span::mixed_site());
        let expr = parsed(quote!(::core::iter::Iterator::next(&mut #iterator_expr)));
        let saved: Vec<_> = bound(&pat).into_iter().filter(|var| self.function.vars[*var].mutable).collect();
        borrow::forget(&mut pat, &saved);
        let remade = bound(&pat);
        self.function.remats.push(Remat { pat, expr, count: None });
        let remat = self.function.remats.len() - 1;
        for var in remade {
            self.function.vars[var].remat = Some(remat);
        }
        self.function.loops[id].items = Some(remat);
    }
}

/// How a `for` takes its next item.
struct Next {
    expr: Expr,
    /// The iterator and the number of items taken.
    counted: Option<(usize, usize)>,
}

fn runtime(span: Span) -> Ident {
    Ident::new("__p", Span::mixed_site().located_at(span))
}

/// Parses tokens of our own making.
fn parsed(tokens: proc_macro2::TokenStream) -> Expr {
    syn::parse2(tokens.clone()).unwrap_or(Expr::Verbatim(tokens))
}
