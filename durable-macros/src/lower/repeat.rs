//! Loops. Each begins with a head that dispatches a resume to the points in its body.
//!
//! A `for` over something borrowed counts the items it took and makes its iterator again after a restore; a `for` over
//! something owned keeps the rest of it in the snapshot.

use super::borrow::Not;
use super::constant::{is_constant, is_text};
use super::pattern::retain;
use super::view::{self, Items, Iteration};
use super::views::Method;
use super::{Dest, Lowerer, Target, operand, var_pat};
use crate::ir::{Arm, BlockId, Let, Loop, Remat, Stmt, Term, VarId, bound, var_expr};
use crate::spans::asked_at;
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
        let iterated = self.keep_scrutinee(iterated);
        if self.current.is_none() {
            return self.close();
        }
        let name = match super::plain(&each.pat) {
            Some(var) => format!("for {}", self.function.vars[var].stored_name),
            None => "for".to_owned(),
        };
        let iteration =
            if is_owned_by_syntax(&iterated) { Err(Not::Owned) } else { self.iteration(&iterated) };
        let next = match iteration {
            Ok(found) => self.counted(&(name + &order_of(&iterated)), iterated, found),
            Err(not) => {
                self.refuse_iteration(&iterated, not);
                self.owned(&name, &iterated)
            }
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
        if let (Some(counted), Some(id)) = (next.counted, id) {
            let count = var_expr(counted.count, Span::mixed_site());
            let step: Expr = syn::parse_quote!(#count += 1);
            self.push(Stmt::Keep(Box::new(UserStmt::Expr(step, Some(syn::token::Semi::default())))));
            self.rematerialise_items(id, &counted, *each.pat);
        }
        self.body(segment, each.label, after, head, dest, each.body);
        self.finish(done, after, dest);
        self.close();
    }

    /// A `for` whose head awaits and whose body does not: a loop of the user's behind the await.
    pub(super) fn for_without_points(&mut self, mut each: syn::ExprForLoop, dest: Dest) {
        // It has its number among the loops, as its head holds a point.
        self.path.enter("for");
        let iterated = std::mem::replace(&mut *each.expr, Expr::PLACEHOLDER);
        let iterated = self.operand(iterated);
        let mut looped = self.kept(Expr::ForLoop(each));
        if let Expr::ForLoop(each) = &mut looped {
            *each.expr = iterated;
        }
        if self.current.is_some() {
            self.store(dest, looped);
        }
    }

    fn counted(&mut self, name: &str, iterated: Expr, found: Iteration) -> Next {
        let span = iterated.span();
        let p = runtime(span);
        let count = self.bind_temp(name.to_owned(), syn::parse_quote!(0usize), true);
        let iterator = self.temp(format!("{name} iterator"), span);
        for var in [count, iterator] {
            self.function.vars[var].pinned = true;
            self.function.vars[var].mutable = true;
        }
        let constant = !found.is_iterator;
        let begin = if constant { quote!(listed) } else { quote!(ordered) };
        let fresh = parsed(quote_spanned!(span=> #p::#begin(#iterated)));
        let pat = var_pat(iterator, span);
        let remat =
            Remat { pat: pat.clone(), expr: iterated, count: Some(count), constant, checks: found.checks };
        self.remake(vec![iterator], remat);
        self.push(Stmt::Let(Box::new(Let { attrs: Vec::new(), pat, ty: None, init: fresh, diverge: None })));
        let iterator_expr = var_expr(iterator, span);
        Next {
            expr: parsed(quote!(::core::iter::Iterator::next(&mut #iterator_expr))),
            counted: Some(Counted { iterator, count, items: found.items }),
        }
    }

    fn owned(&mut self, name: &str, iterated: &Expr) -> Next {
        let span = iterated.span();
        let p = runtime(span);
        let value = parsed(quote_spanned!(span=> #p::into_steps(#iterated)));
        let steps = self.bind_temp(name.to_owned(), value, true);
        self.function.vars[steps].pinned = true;
        let steps = var_expr(steps, span);
        Next { expr: parsed(quote_spanned!(span=> #p::Steps::next_step(&mut #steps))), counted: None }
    }

    /// The items of a counted loop are taken again from its iterator, but for those that are values: what is iterated may have
    /// changed by then, on a way out of the loop.
    fn rematerialise_items(&mut self, id: usize, counted: &Counted, mut pat: Pat) {
        let iterator = var_expr(counted.iterator, Span::mixed_site());
        let expr = parsed(quote!(::core::iter::Iterator::next(&mut #iterator)));
        let mut saved: Vec<_> =
            bound(&pat).into_iter().filter(|var| self.function.vars[*var].mutable).collect();
        values(&pat, &counted.items, &mut saved);
        retain(&mut pat, &|var| !saved.contains(&var));
        let remade = bound(&pat);
        self.remake(remade, Remat { pat, expr, count: None, constant: false, checks: Vec::new() });
        self.function.loops[id].items = Some(self.function.remats.len() - 1);
    }

    /// The adaptor with a closure that an iterator ends with.
    fn closure_of<'e>(&self, expr: &'e Expr) -> Option<&'e Ident> {
        let Expr::MethodCall(call) = expr else { return None };
        match self.method(call) {
            Method::Closure => Some(&call.method),
            Method::Adaptor => self.closure_of(&call.receiver),
            _ => None,
        }
    }

    /// What can neither be kept nor be iterated again.
    fn refuse_iteration(&mut self, iterated: &Expr, not: Not) {
        let why = match not {
            Not::Refused(why) => why,
            Not::Owned => match self.closure_of(iterated) {
                Some(method) => view::closure(method),
                None => return,
            },
            Not::Derived(_) => return,
        };
        let what = format!("a `for` loop that awaits can't go over this: {}", why.because);
        let message = crate::diagnostics::refusal(what, why.instead, "for-loop");
        self.errors.push_error(syn::Error::new_spanned(iterated, message));
    }
}

/// How a `for` takes its next item.
struct Next {
    expr: Expr,
    counted: Option<Counted>,
}

/// A loop that counts: its iterator, the number of items taken, and what the items are.
struct Counted {
    iterator: VarId,
    count: VarId,
    items: Items,
}

/// A range, also backward, and a list of plain values keep their rest.
fn is_owned_by_syntax(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(e) => is_owned_by_syntax(&e.expr),
        Expr::Group(e) => is_owned_by_syntax(&e.expr),
        Expr::Range(_) => true,
        Expr::MethodCall(e) => e.method == "rev" && is_owned_by_syntax(&e.receiver),
        expr => is_constant(expr) && !is_text(expr),
    }
}

/// The bindings of a pattern that are values and not references.
fn values(pat: &Pat, items: &Items, found: &mut Vec<VarId>) {
    match (pat, items) {
        (Pat::Paren(pat), _) => values(&pat.pat, items, found),
        (_, Items::Values) => found.extend(bound(pat)),
        (Pat::Tuple(pat), Items::Pair(first, second)) if pat.elems.len() == 2 => {
            values(&pat.elems[0], first, found);
            values(&pat.elems[1], second, found);
        }
        _ => {}
    }
}

fn runtime(span: Span) -> Ident {
    Ident::new("__p", asked_at(span))
}

/// Parses tokens of our own making.
fn parsed(tokens: proc_macro2::TokenStream) -> Expr {
    syn::parse2(tokens.clone()).unwrap_or(Expr::Verbatim(tokens))
}

/// What decides which item a count is of, beside what is iterated: a count of one order must not be taken for one of another.
fn order_of(iterated: &Expr) -> String {
    const SAME: &[&str] = &[
        "iter",
        "iter_mut",
        "into_iter",
        "enumerate",
        "cloned",
        "copied",
        "zip",
        "take",
        "fuse",
        "peekable",
        "keys",
        "values",
        "values_mut",
    ];
    match iterated {
        Expr::MethodCall(call) => {
            let (inner, method) = (order_of(&call.receiver), call.method.to_string());
            if SAME.contains(&method.as_str()) || method.starts_with("as_") {
                inner
            } else {
                format!("{inner}.{method}")
            }
        }
        Expr::Paren(inner) => order_of(&inner.expr),
        Expr::Group(inner) => order_of(&inner.expr),
        Expr::Reference(inner) => order_of(&inner.expr),
        _ => String::new(),
    }
}
