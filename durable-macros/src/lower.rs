//! Takes the function apart into basic blocks, as far as awaits force it to.
//!
//! - A statement or expression without an await is kept as written; only its jumps to lowered loops are replaced by placeholders,
//!   because `emit` may have to move variables on the way.
//! - Operands are evaluated in Rust's order (`operand`); what is evaluated before an await in the same expression becomes a
//!   saved temporary, except what has no effect and may be delayed: `&place`, constants, the place a method is called on.
//! - Each await ends a block and begins the next, which is its resume point.
//!
//! Deliberately absent: what is saved where (`liveness`), and names, labels and declarations (`layout`, `emit`).

mod binding;
mod borrow;
mod branch;
mod changed;
mod choice;
mod condition;
mod constant;
mod guard;
mod items;
mod jumps;
mod operand;
mod pattern;
mod point;
mod repeat;
mod temporary;
mod unstored;
mod view;
mod views;

pub(crate) use pattern::retain;
#[cfg(test)]
pub(crate) use point::normalised_with;

use unstored::Unstored;

use crate::diagnostics::{self, Errors};
use crate::ir::{Block, BlockId, Function, Let, LoopId, ScopeId, Stmt, Term, VarId, VarKind, bound, marked};
use crate::parse::{Resume, Workflow, take_resume};
use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{Expr, Pat, Stmt as UserStmt};

/// More resume points in one function make it slow to compile.
const MAX_POINTS: usize = 128;

/// Lowers a resolved workflow.
pub(crate) fn lower(workflow: &Workflow, function: Function) -> syn::Result<Function> {
    // Only the names of items are looked for in it.
    let has_items = items::has_items(&workflow.item.block);
    let text = if has_items { workflow.item.to_token_stream() } else { TokenStream::new() };
    let mut lowerer = Lowerer::new(function, text);
    let entry = lowerer.new_block();
    let start = lowerer.new_block();
    lowerer.start(entry);
    lowerer.end(Term::Dispatch { normal: start });
    lowerer.start(start);
    lowerer.params(workflow);
    let mut body = (*workflow.item.block).clone();
    Unstored::new().visit_block_mut(&mut body);
    lowerer.block(body, Dest::Return);
    let Lowerer { function, mut errors, .. } = lowerer;
    if function.points.len() > MAX_POINTS {
        let message = diagnostics::too_many_points(function.points.len(), MAX_POINTS);
        errors.push(workflow.item.sig.ident.span(), message);
    }
    errors.check()?;
    Ok(function)
}

/// Where a value goes.
#[derive(Clone, Copy)]
enum Dest {
    /// It is the workflow's result.
    Return,
    Var(VarId),
    /// It is dropped: a statement's value.
    Discard,
}

/// What a `break` or `continue` may go to.
struct Target {
    label: Option<String>,
    /// An unlabelled jump means this one.
    is_loop: bool,
    after: BlockId,
    head: Option<BlockId>,
    dest: Dest,
}

struct Lowerer {
    function: Function,
    errors: Errors,
    /// How many blocks that await surround what is lowered.
    nesting: u32,
    /// The block under construction; none where control can't be.
    current: Option<BlockId>,
    entered: Vec<bool>,
    /// The function as resolved, where names can be looked for.
    text: TokenStream,
    inside: Option<LoopId>,
    scope: Option<ScopeId>,
    targets: Vec<Target>,
    path: point::Path,
    /// The binding that the statement initialises, and the name the user gave to its point.
    binding: String,
    resume: Option<Resume>,
}

impl Lowerer {
    fn new(function: Function, text: TokenStream) -> Self {
        Self {
            function,
            errors: Errors::default(),
            nesting: 0,
            current: None,
            entered: Vec::new(),
            text,
            inside: None,
            scope: None,
            targets: Vec::new(),
            path: point::Path::default(),
            binding: String::new(),
            resume: None,
        }
    }

    // ---- blocks

    fn new_block(&mut self) -> BlockId {
        self.function.blocks.push(Block { in_loop: self.inside, in_scope: self.scope, ..Block::default() });
        self.entered.push(false);
        self.function.blocks.len() - 1
    }

    /// Begins a scope: what is declared until `close` is dropped there, if it is not needed over an await.
    fn open(&mut self) {
        self.function.scopes.push(self.scope);
        self.scope = Some(self.function.scopes.len() - 1);
        let inner = self.new_block();
        self.goto(inner);
        self.start(inner);
    }

    /// Ends the innermost scope; what follows belongs into a block made outside of it.
    fn close(&mut self) {
        self.scope = self.scope.and_then(|id| self.function.scopes[id]);
    }

    /// Goes on in a block, if anything leads to it.
    fn start(&mut self, block: BlockId) {
        self.function.order.push(block);
        self.current = (self.entered[block] || block == 0).then_some(block);
    }

    fn end(&mut self, term: Term) {
        let targets: Vec<BlockId> = match &term {
            Term::Never | Term::Return(_) => Vec::new(),
            Term::Goto(target) | Term::Dispatch { normal: target } => vec![*target],
            Term::If { then, other, .. } => vec![*then, *other],
            Term::Match { arms, .. } => arms.iter().map(|arm| arm.target).collect(),
        };
        if let Some(current) = self.current.take() {
            for target in targets {
                self.entered[target] = true;
            }
            self.function.blocks[current].term = term;
        }
    }

    fn goto(&mut self, target: BlockId) {
        self.end(Term::Goto(target));
    }

    fn push(&mut self, stmt: Stmt) {
        if let Some(current) = self.current {
            self.function.blocks[current].stmts.push(stmt);
        }
    }

    /// Marks what a pattern binds as declared in a scope that is taken apart.
    fn flatten(&mut self, pat: &Pat, block: Option<BlockId>) {
        for var in bound(pat) {
            let var = &mut self.function.vars[var];
            var.flattened = true;
            var.decl = block;
        }
    }

    /// A temporary, declared in the current block.
    /// What rustc says of a temporary, it says of the user's expression at `span`; and of one that holds it, at the user's tokens and
    /// not at the attribute, because they are all of one syntax context.
    fn temp(&mut self, stored_name: String, span: Span) -> VarId {
        let ident = Ident::new(&format!("__temp_{}", self.function.vars.len()), span);
        let var = self.function.new_var(VarKind::Temp, ident, stored_name);
        self.function.vars[var].decl = self.current;
        var
    }

    /// `let temporary = value;`
    fn bind_temp(&mut self, stored_name: String, value: Expr, mutable: bool) -> VarId {
        let span = value.span();
        let var = self.temp(stored_name, span);
        self.function.vars[var].mutable = mutable;
        if !mutable {
            self.rematerialise_pattern(&var_pat(var, span), None, &value);
        }
        self.push(Stmt::Let(Box::new(Let {
            attrs: Vec::new(),
            pat: var_pat(var, span),
            ty: None,
            init: value,
            diverge: None,
        })));
        var
    }

    /// Puts a value where it belongs.
    fn store(&mut self, dest: Dest, value: Expr) {
        match dest {
            Dest::Return => match value {
                Expr::Return(inner) => self.end(Term::Return(inner.expr)),
                value => self.end(Term::Return(Some(Box::new(value)))),
            },
            Dest::Var(var) => self.push(Stmt::Set(var, Box::new(value))),
            Dest::Discard => {
                if !matches!(&value, Expr::Tuple(tuple) if tuple.elems.is_empty()) {
                    self.push(Stmt::Keep(Box::new(UserStmt::Expr(value, Some(syn::token::Semi::default())))));
                }
            }
        }
    }

    fn store_unit(&mut self, dest: Dest) {
        if self.current.is_some() {
            self.store(dest, syn::parse_quote!(()));
        }
    }

    // ---- statements

    fn block(&mut self, block: syn::Block, dest: Dest) {
        self.nesting += 1;
        self.block_stmts(block, dest);
        self.nesting -= 1;
    }

    fn block_stmts(&mut self, block: syn::Block, dest: Dest) {
        let block = if self.nesting > 1 { self.distinct_items(block) } else { block };
        let last = block.stmts.len();
        for (at, stmt) in block.stmts.into_iter().enumerate() {
            if self.current.is_none() {
                return;
            }
            self.binding.clear();
            match stmt {
                UserStmt::Expr(expr, None) if at + 1 == last => return self.tail(expr, dest),
                UserStmt::Macro(mac) if at + 1 == last && mac.semi_token.is_none() => {
                    let value = Expr::Macro(syn::ExprMacro { attrs: mac.attrs, mac: mac.mac });
                    return self.store(dest, value);
                }
                UserStmt::Expr(expr, semi) => self.expr_stmt(expr, semi),
                UserStmt::Local(local) => self.local(local),
                UserStmt::Item(item) => self.function.items.push(item),
                UserStmt::Macro(mut mac) => {
                    // After a macro in statement position more statements may follow.
                    mac.semi_token.get_or_insert_with(syn::token::Semi::default);
                    self.push(Stmt::Keep(Box::new(UserStmt::Macro(mac))));
                }
            }
        }
        self.store_unit(dest);
    }

    fn tail(&mut self, mut expr: Expr, dest: Dest) {
        self.attributes(&mut expr);
        self.evaluate(expr, dest);
        self.unused_resume();
    }

    fn expr_stmt(&mut self, mut expr: Expr, semi: Option<syn::token::Semi>) {
        self.attributes(&mut expr);
        if point::has_await(&expr) || matches!(expr, Expr::Return(_) | Expr::Break(_) | Expr::Continue(_)) {
            self.evaluate(expr, Dest::Discard);
        } else {
            let expr = self.kept(expr);
            self.push(Stmt::Keep(Box::new(UserStmt::Expr(expr, semi))));
        }
        self.unused_resume();
    }

    /// The attributes of a statement: its point's name, and what it allows if it is taken apart.
    fn attributes(&mut self, expr: &mut Expr) {
        let awaits = point::has_await(expr);
        if let Some(attrs) = attrs_of(expr) {
            self.resume = take_resume(attrs, &mut self.errors);
            if awaits {
                let attrs = std::mem::take(attrs);
                self.allow(&attrs);
            }
        }
    }

    /// A lint that is allowed for something that is taken apart is allowed for the function.
    fn allow(&mut self, attrs: &[syn::Attribute]) {
        for attr in attrs {
            if let syn::Meta::List(list) = &attr.meta
                && (list.path.is_ident("allow") || list.path.is_ident("expect"))
            {
                let lints = &list.tokens;
                self.function.allowed.push(syn::parse_quote!(#[allow(#lints)]));
            } else if attr.path().is_ident("cfg_attr") {
                self.function.allowed.push(attr.clone());
            }
        }
    }

    fn unused_resume(&mut self) {
        if let Some(resume) = self.resume.take() {
            self.errors.push(resume.span, diagnostics::RESUME_WITHOUT_AWAIT);
        }
    }

    // ---- expressions that direct control

    /// Evaluates an expression into its destination.
    fn evaluate(&mut self, expr: Expr, dest: Dest) {
        if self.current.is_none() {
            return;
        }
        let awaits = point::has_await(&expr);
        match expr {
            Expr::Return(inner) => match inner.expr {
                Some(value) => self.evaluate(*value, Dest::Return),
                None => self.end(Term::Return(None)),
            },
            Expr::Break(jump) => self.break_stmt(jump, dest),
            Expr::Continue(jump) => self.continue_stmt(jump, dest),
            expr if !awaits => {
                let expr = self.kept(expr);
                self.store(dest, expr);
            }
            Expr::Paren(inner) => self.evaluate(*inner.expr, dest),
            Expr::Group(inner) => self.evaluate(*inner.expr, dest),
            Expr::If(cond) => self.if_expr(cond, dest),
            Expr::Match(choice) => self.match_expr(choice, dest),
            Expr::Block(block) => self.block_expr(block, dest),
            Expr::Loop(looped) => self.loop_expr(looped, dest),
            Expr::While(looped) => self.while_expr(looped, dest),
            // Nothing of its iterator is kept: no point is inside of it.
            Expr::ForLoop(looped) if !point::block_has_await(&looped.body) => {
                self.for_without_points(looped, dest);
            }
            Expr::ForLoop(looped) => self.for_expr(looped, dest),
            Expr::Binary(binary) if is_lazy(&binary.op) => self.lazy(binary, dest),
            Expr::Unsafe(block) => self.errors.push(block.unsafe_token.span, diagnostics::AWAIT_IN_UNSAFE),
            expr => {
                let value = self.operand(expr);
                if self.current.is_some() {
                    self.store(dest, value);
                }
            }
        }
    }
}

/// The pattern that binds a variable and nothing else.
fn var_pat(var: VarId, span: Span) -> Pat {
    let ident = crate::ir::marker(var, span);
    Pat::Ident(syn::PatIdent { attrs: Vec::new(), by_ref: None, mutability: None, ident, subpat: None })
}

/// The variable of a pattern that is a plain name.
pub(crate) fn plain(pat: &Pat) -> Option<VarId> {
    match pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => marked(&pat.ident),
        _ => None,
    }
}

fn is_lazy(op: &syn::BinOp) -> bool {
    matches!(op, syn::BinOp::And(_) | syn::BinOp::Or(_))
}

fn is_control(expr: &Expr) -> bool {
    match expr {
        Expr::If(_) | Expr::Match(_) | Expr::Block(_) | Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_) => {
            true
        }
        Expr::Binary(binary) => is_lazy(&binary.op),
        Expr::Paren(inner) => is_control(&inner.expr),
        Expr::Group(inner) => is_control(&inner.expr),
        _ => false,
    }
}

/// The attributes of an expression that stands as a statement: syn hangs those of `#[a] x + y` on the `x`.
fn attrs_of(expr: &mut Expr) -> Option<&mut Vec<syn::Attribute>> {
    Some(match expr {
        Expr::Assign(e) => return attrs_of(&mut e.left),
        Expr::Binary(e) => return attrs_of(&mut e.left),
        Expr::Cast(e) => return attrs_of(&mut e.expr),
        Expr::Array(e) => &mut e.attrs,
        Expr::Await(e) => &mut e.attrs,
        Expr::Block(e) => &mut e.attrs,
        Expr::Break(e) => &mut e.attrs,
        Expr::Call(e) => &mut e.attrs,
        Expr::Field(e) => &mut e.attrs,
        Expr::ForLoop(e) => &mut e.attrs,
        Expr::If(e) => &mut e.attrs,
        Expr::Index(e) => &mut e.attrs,
        Expr::Loop(e) => &mut e.attrs,
        Expr::Match(e) => &mut e.attrs,
        Expr::MethodCall(e) => &mut e.attrs,
        Expr::Paren(e) => &mut e.attrs,
        Expr::Path(e) => &mut e.attrs,
        Expr::Reference(e) => &mut e.attrs,
        Expr::Return(e) => &mut e.attrs,
        Expr::Struct(e) => &mut e.attrs,
        Expr::Try(e) => &mut e.attrs,
        Expr::Tuple(e) => &mut e.attrs,
        Expr::Unary(e) => &mut e.attrs,
        Expr::While(e) => &mut e.attrs,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
