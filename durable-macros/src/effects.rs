//! What a piece of the user's syntax does to variables: which it needs, which it certainly sets, where it jumps to.
//!
//! Invariant: a use is counted only where the value is needed, never for a plain assignment, so that *live* implies *initialised*.

use crate::ir::{BlockId, JUMP, VarId, as_var, marked, placeholder};
use crate::liveness::bound_in;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::BTreeSet;
use syn::visit::{self, Visit};
use syn::{Expr, Pat, Stmt};

/// A set of variables.
pub(crate) type Set = BTreeSet<VarId>;

/// The effects of a straight piece of code.
#[derive(Default, Clone)]
pub(crate) struct Effects {
    /// Needed before the piece sets them.
    pub(crate) uses: Set,
    /// Certainly set when the piece completes.
    pub(crate) defs: Set,
    /// Everything the piece mentions.
    pub(crate) mentions: Set,
    /// Jumps out, each with what is certainly set by then.
    pub(crate) exits: Vec<(BlockId, Set)>,
    /// The piece never completes.
    pub(crate) never: bool,
}

impl Effects {
    pub(crate) fn of_expr(expr: &Expr) -> Self {
        let mut effects = Self::default();
        effects.visit_expr(expr);
        effects
    }

    pub(crate) fn of_stmt(stmt: &Stmt) -> Self {
        let mut effects = Self::default();
        effects.visit_stmt(stmt);
        effects
    }

    pub(crate) fn of_pat(pat: &Pat) -> Self {
        let mut effects = Self::default();
        effects.visit_pat(pat);
        effects
    }

    /// Every mention in some tokens, as a use.
    pub(crate) fn of_tokens(tokens: &TokenStream) -> Self {
        let mut effects = Self::default();
        effects.tokens(tokens);
        effects
    }

    pub(crate) fn use_var(&mut self, var: VarId) {
        self.mentions.insert(var);
        if !self.defs.contains(&var) && !self.never {
            self.uses.insert(var);
        }
    }

    pub(crate) fn def_var(&mut self, var: VarId) {
        self.mentions.insert(var);
        self.defs.insert(var);
    }

    /// Appends what happens next.
    pub(crate) fn then(&mut self, next: &Self) {
        for &var in &next.uses {
            self.use_var(var);
        }
        for (target, defs) in &next.exits {
            self.exits.push((*target, self.defs.union(defs).copied().collect()));
        }
        self.defs.extend(&next.defs);
        self.mentions.extend(&next.mentions);
        self.never |= next.never;
    }

    fn branch(&self, inside: impl FnOnce(&mut Self)) -> Self {
        let mut branch = Self { defs: self.defs.clone(), never: self.never, ..Self::default() };
        inside(&mut branch);
        branch
    }

    /// Joins alternatives, one of which runs.
    fn join(&mut self, branches: Vec<Self>) {
        let mut defs: Option<Set> = None;
        let never = !branches.is_empty() && branches.iter().all(|branch| branch.never);
        for branch in branches {
            self.uses.extend(branch.uses);
            self.mentions.extend(branch.mentions);
            self.exits.extend(branch.exits);
            if !branch.never {
                defs = Some(match defs {
                    None => branch.defs,
                    Some(defs) => defs.intersection(&branch.defs).copied().collect(),
                });
            }
        }
        self.defs.extend(defs.unwrap_or_default());
        self.never |= never;
    }

    fn tokens(&mut self, tokens: &TokenStream) {
        for tree in tokens.clone() {
            match tree {
                TokenTree::Ident(ident) => {
                    if let Some(var) = marked(&ident) {
                        self.use_var(var);
                    }
                }
                TokenTree::Group(group) => self.tokens(&group.stream()),
                _ => {}
            }
        }
    }
}

/// Macros that never complete.
pub(crate) fn diverges(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|last| {
        matches!(last.ident.to_string().as_str(), "panic" | "todo" | "unimplemented" | "unreachable" | "bail")
    })
}

impl<'a> Visit<'a> for Effects {
    fn visit_item(&mut self, _: &'a syn::Item) {}

    fn visit_type(&mut self, _: &'a syn::Type) {}

    fn visit_ident(&mut self, ident: &'a syn::Ident) {
        if let Some(var) = marked(ident) {
            self.use_var(var);
        }
    }

    fn visit_pat_ident(&mut self, pat: &'a syn::PatIdent) {
        if let Some(var) = marked(&pat.ident) {
            self.def_var(var);
        }
        if let Some((_, inner)) = &pat.subpat {
            self.visit_pat(inner);
        }
    }

    fn visit_local(&mut self, local: &'a syn::Local) {
        if let Some(init) = &local.init {
            self.visit_expr(&init.expr);
            if let Some((_, diverge)) = &init.diverge {
                let branch = self.branch(|this| this.visit_expr(diverge));
                self.join(vec![branch, Self { defs: self.defs.clone(), ..Self::default() }]);
            }
            self.visit_pat(&local.pat);
        } else {
            // `let x;` begins a life: nothing before it can be needed.
            self.visit_pat(&local.pat);
        }
    }

    fn visit_macro(&mut self, mac: &'a syn::Macro) {
        if let Some(target) = placeholder(mac, JUMP) {
            self.exits.push((target, self.defs.clone()));
            self.never = true;
            return;
        }
        self.tokens(&mac.tokens);
        self.never |= diverges(&mac.path);
    }

    fn visit_arm(&mut self, arm: &'a syn::Arm) {
        self.visit_pat(&arm.pat);
        if let Some((_, guard)) = &arm.guard {
            self.visit_expr(guard);
        }
        self.visit_expr(&arm.body);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Assign(assign) => {
                self.visit_expr(&assign.right);
                match as_var(&assign.left) {
                    Some(var) => self.def_var(var),
                    None => self.assignee(&assign.left),
                }
            }
            Expr::If(cond) => {
                self.visit_expr(&cond.cond);
                let then = self.branch(|this| this.visit_block(&cond.then_branch));
                let other = self.branch(|this| {
                    if let Some((_, other)) = &cond.else_branch {
                        this.visit_expr(other);
                    }
                });
                self.join(vec![then, other]);
            }
            Expr::Match(choice) => {
                self.visit_expr(&choice.expr);
                let arms = choice.arms.iter().map(|arm| self.branch(|this| this.visit_arm(arm))).collect();
                self.join(arms);
            }
            Expr::Binary(binary) if matches!(binary.op, syn::BinOp::And(_) | syn::BinOp::Or(_)) => {
                self.visit_expr(&binary.left);
                let right = self.branch(|this| this.visit_expr(&binary.right));
                let mut skipped = Self { defs: self.defs.clone(), never: self.never, ..Self::default() };
                // The bindings of a `let` chain are set where the chain holds; whatever else the right side sets, it may not.
                if matches!(binary.op, syn::BinOp::And(_)) {
                    skipped.defs.extend(bound_in(&binary.right));
                }
                self.join(vec![right, skipped]);
            }
            // A macro that is an operand gives a value, whatever its name is.
            Expr::Binary(binary) => {
                for operand in [&binary.left, &binary.right] {
                    let never = self.never;
                    self.visit_expr(operand);
                    if matches!(**operand, Expr::Macro(_)) {
                        self.never = never;
                    }
                }
            }
            Expr::While(looped) => {
                self.visit_expr(&looped.cond);
                let body = self.branch(|this| this.visit_block(&looped.body));
                self.repeat(body);
            }
            Expr::ForLoop(looped) => {
                self.visit_expr(&looped.expr);
                let body = self.branch(|this| {
                    this.visit_pat(&looped.pat);
                    this.visit_block(&looped.body);
                });
                self.repeat(body);
            }
            Expr::Loop(looped) => {
                let body = self.branch(|this| this.visit_block(&looped.body));
                self.repeat(body);
            }
            Expr::Block(block) if block.label.is_some() => {
                let body = self.branch(|this| this.visit_block(&block.block));
                self.repeat(body);
            }
            Expr::Closure(closure) => self.tokens(&closure.body.to_token_stream()),
            Expr::Async(block) => self.tokens(&block.block.to_token_stream()),
            Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => {
                visit::visit_expr(self, expr);
                self.never = true;
            }
            _ => visit::visit_expr(self, expr),
        }
    }
}

impl Effects {
    /// What a body that may run any number of times does: it sets nothing for certain.
    fn repeat(&mut self, body: Self) {
        let skipped = Self { defs: self.defs.clone(), never: self.never, ..Self::default() };
        let never = self.never;
        self.join(vec![Self { never: false, ..body }, skipped]);
        self.never = never;
    }

    /// The left side of an assignment: a destructured variable is set, whatever else it mentions is needed.
    fn assignee(&mut self, left: &Expr) {
        match left {
            Expr::Tuple(tuple) => tuple.elems.iter().for_each(|elem| self.assignee(elem)),
            Expr::Array(array) => array.elems.iter().for_each(|elem| self.assignee(elem)),
            Expr::Paren(inner) => self.assignee(&inner.expr),
            Expr::Path(_) => match as_var(left) {
                Some(var) => self.def_var(var),
                None => self.visit_expr(left),
            },
            _ => self.visit_expr(left),
        }
    }
}
