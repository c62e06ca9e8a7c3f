//! What the phases hand to one another: a function as basic blocks over numbered variables.
//!
//! Invariants:
//! - After `resolve`, every mention of a local variable in the syntax tree is a *marker* identifier (`marker`), so that each later
//!   phase sees through shadowing, and any piece of syntax can be asked what it mentions. `emit` alone turns markers into names.
//! - Blocks hold the user's own syntax. Only what contains an `.await` is taken apart.
//! - `Function::order` is a topological order of the forward edges: a block stands behind all blocks that jump forward to it.
//!
//! Deliberately absent: types. rustc infers and checks them on the emitted code.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use std::collections::BTreeSet;
use syn::punctuated::Punctuated;
use syn::{Expr, Pat, Path, PathSegment, Stmt as UserStmt, Type};

/// A variable of the function: a binding of the user's or a temporary.
pub(crate) type VarId = usize;
/// A basic block.
pub(crate) type BlockId = usize;
/// A loop that contains an `.await`.
pub(crate) type LoopId = usize;
/// A resume point, counted from 0; what is stored is this plus one.
pub(crate) type PointId = usize;
/// A scope of the user's that ends before the function or its loop does.
pub(crate) type ScopeId = usize;

/// A function after `lower`.
#[derive(Default)]
pub(crate) struct Function {
    pub(crate) vars: Vec<Var>,
    pub(crate) blocks: Vec<Block>,
    /// Blocks in source order.
    pub(crate) order: Vec<BlockId>,
    pub(crate) loops: Vec<Loop>,
    pub(crate) points: Vec<Point>,
    pub(crate) remats: Vec<Remat>,
    /// Guards that are dropped at an await: the user is warned of them.
    pub(crate) released: Vec<Span>,
    pub(crate) refusals: Vec<Refusal>,
    /// The scope around each scope.
    pub(crate) scopes: Vec<Option<ScopeId>>,
    pub(crate) parts: Vec<Parts>,
    /// Items of the body's blocks, moved to the front of the function.
    pub(crate) items: Vec<syn::Item>,
    /// Lints that the user allows for statements that were taken apart.
    pub(crate) allowed: Vec<syn::Attribute>,
}

/// What a variable is, which decides how it is named in the emitted code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum VarKind {
    /// A binding of the user's.
    User,
    /// A value that the compiler keeps: an operand, the owned form of a reference parameter, the state of a `for`.
    Temp,
    /// The future of a resume point.
    Future,
}

/// Whether a variable borrows text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    Perhaps,
    Never,
}

/// A variable.
pub(crate) struct Var {
    pub(crate) kind: VarKind,
    /// The user's identifier, or a made-up one.
    pub(crate) ident: Ident,
    /// How a snapshot names it.
    pub(crate) stored_name: String,
    /// How older snapshots name it.
    pub(crate) was: Option<String>,
    pub(crate) mutable: bool,
    pub(crate) ty: Option<Type>,
    /// How its type is asked whether it can be stored.
    pub(crate) ask: crate::resolve::Ask,
    /// Whether it may borrow text, by how it is initialised.
    pub(crate) text: Text,
    /// Bound in a scope that was taken apart, so that it needs a name of its own in the function.
    pub(crate) flattened: bool,
    /// How its value is made again after a restore; `None`: it is saved.
    pub(crate) remat: Option<usize>,
    /// Why it can't be made again though it borrows.
    pub(crate) refusal: Option<usize>,
    /// State of a `for`: initialised wherever the loop's body is, hence kept at all of its points.
    pub(crate) pinned: bool,
    /// The block whose text declares it.
    pub(crate) decl: Option<BlockId>,
}

/// A straight line of statements and one terminator.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) stmts: Vec<Stmt>,
    pub(crate) term: Term,
    /// The innermost lowered loop around it.
    pub(crate) in_loop: Option<LoopId>,
    /// The innermost lowered scope around it.
    pub(crate) in_scope: Option<ScopeId>,
    /// Set when the block begins by polling this point's future.
    pub(crate) point: Option<PointId>,
    /// Control never comes here, but rustc wants the way.
    pub(crate) never: bool,
    /// Set when the block is the head of this loop; it holds nothing but the dispatch.
    pub(crate) head_of: Option<LoopId>,
}

/// One statement of a block.
pub(crate) enum Stmt {
    /// A statement of the user's, kept as written.
    Keep(Box<UserStmt>),
    /// `let x;`
    Declare(VarId),
    /// `let pat: ty = init else { .. };`
    Let(Box<Let>),
    /// `x = value;` where `x` was declared by the compiler or by a deferred `let`.
    Set(VarId, Box<Expr>),
}

/// A `let` whose bindings may have to be declared elsewhere.
pub(crate) struct Let {
    pub(crate) attrs: Vec<syn::Attribute>,
    pub(crate) pat: Pat,
    pub(crate) ty: Option<Type>,
    pub(crate) init: Expr,
    pub(crate) diverge: Option<Expr>,
}

/// How a block ends.
#[derive(Default)]
pub(crate) enum Term {
    /// Its last statement never completes.
    #[default]
    Never,
    Goto(BlockId),
    Return(Option<Box<Expr>>),
    If {
        cond: Box<Expr>,
        then: BlockId,
        other: BlockId,
    },
    Match {
        scrutinee: Box<Expr>,
        arms: Vec<Arm>,
    },
    /// Jump to the resume point inside; in a fresh start or a new iteration go on to `normal`.
    Dispatch {
        normal: BlockId,
    },
}

/// An arm of a `match`.
pub(crate) struct Arm {
    pub(crate) attrs: Vec<syn::Attribute>,
    pub(crate) pat: Pat,
    pub(crate) guard: Option<Expr>,
    pub(crate) target: BlockId,
}

/// A loop that contains a resume point.
pub(crate) struct Loop {
    pub(crate) parent: Option<LoopId>,
    pub(crate) head: BlockId,
    /// For a `for` over something borrowed: how the current item is taken again. After a restore the iterator stands before that
    /// item, and every resume into the body takes it.
    pub(crate) items: Option<usize>,
}

/// How a borrow is made again: `let pat = expr`.
pub(crate) struct Remat {
    pub(crate) pat: Pat,
    pub(crate) expr: Expr,
    /// For an iterator: the number of items taken, and `expr` is what is iterated.
    pub(crate) count: Option<VarId>,
    /// What is iterated is a reference or a constant, and no iterator of the user's making.
    pub(crate) constant: bool,
    /// Calls that ask rustc whether types are what the names of their methods say.
    pub(crate) checks: Vec<Expr>,
}

/// A borrow that can't be made again: an error if it is alive at a resume point.
pub(crate) struct Refusal {
    /// The user's tokens, and what a message calls them.
    pub(crate) borrow: proc_macro2::TokenStream,
    pub(crate) shown: String,
    pub(crate) because: String,
    pub(crate) instead: String,
    /// The page that explains it.
    pub(crate) page: &'static str,
}

/// A variable that some blocks know by its parts alone: a part of it may have been moved out.
pub(crate) struct Parts {
    pub(crate) var: VarId,
    /// Each part's fields (`.address.city`) and variable.
    pub(crate) pieces: Vec<(TokenStream, VarId)>,
    pub(crate) blocks: BTreeSet<BlockId>,
}

impl Parts {
    /// Whether the variable is taken apart on this way.
    pub(crate) fn begins(&self, from: BlockId, to: BlockId) -> bool {
        self.blocks.contains(&to) && !self.blocks.contains(&from)
    }
}

/// A resume point: an `.await` of the user's.
pub(crate) struct Point {
    pub(crate) block: BlockId,
    pub(crate) future: VarId,
    pub(crate) span: Span,
    pub(crate) name: Option<String>,
    pub(crate) was: Option<String>,
    pub(crate) callee: String,
    pub(crate) path: String,
    pub(crate) binding: String,
    pub(crate) args: String,
}

impl Function {
    /// The loops around a block, outermost first.
    pub(crate) fn loops_around(&self, block: BlockId) -> Vec<LoopId> {
        let mut found = Vec::new();
        let mut next = self.blocks[block].in_loop;
        while let Some(id) = next {
            found.push(id);
            next = self.loops[id].parent;
        }
        found.reverse();
        found
    }

    /// Whether all scopes around a block are around another one too.
    pub(crate) fn shares_scopes(&self, block: BlockId, other: BlockId) -> bool {
        let Some(wanted) = self.blocks[block].in_scope else {
            return true;
        };
        let mut next = self.blocks[other].in_scope;
        while let Some(id) = next {
            if id == wanted {
                return true;
            }
            next = self.scopes[id];
        }
        false
    }

    /// Whether a block lies in a loop (or in the function, which is `None`).
    pub(crate) fn is_in(&self, block: BlockId, level: Option<LoopId>) -> bool {
        level.is_none_or(|id| self.loops_around(block).contains(&id))
    }

    pub(crate) fn new_var(&mut self, kind: VarKind, ident: Ident, stored_name: String) -> VarId {
        self.vars.push(Var {
            kind,
            ident,
            stored_name,
            was: None,
            mutable: false,
            ty: None,
            ask: crate::resolve::ANY,
            text: Text::Perhaps,
            flattened: kind != VarKind::User,
            remat: None,
            refusal: None,
            pinned: false,
            decl: None,
        });
        self.vars.len() - 1
    }
}

const MARKER: &str = "__durable_v";
/// Stands for the poll of a point in an expression: `__durable_poll!(point)`.
pub(crate) const POLL: &str = "__durable_poll";
/// Stands for a jump out of kept syntax: `__durable_jump!(block)`.
pub(crate) const JUMP: &str = "__durable_jump";
/// Stands for the arguments of the workflow: `__durable_args!()`.
pub(crate) const ARGS: &str = "__durable_args";
/// Stands for a captured variable behind a format string: `__durable_capture (name marker)`.
pub(crate) const CAPTURE: &str = "__durable_capture";

/// The identifier that stands for a variable until `emit`.
pub(crate) fn marker(var: VarId, span: Span) -> Ident {
    Ident::new(&format!("{MARKER}{var}"), span)
}

/// The variable that an identifier stands for.
pub(crate) fn marked(ident: &Ident) -> Option<VarId> {
    ident.to_string().strip_prefix(MARKER)?.parse().ok()
}

/// The variable that an expression is, if it is nothing else.
pub(crate) fn as_var(expr: &Expr) -> Option<VarId> {
    match expr {
        Expr::Path(path) if path.qself.is_none() => marked(path.path.get_ident()?),
        Expr::Paren(inner) => as_var(&inner.expr),
        Expr::Group(inner) => as_var(&inner.expr),
        _ => None,
    }
}

/// The expression that mentions a variable.
pub(crate) fn var_expr(var: VarId, span: Span) -> Expr {
    path_expr([marker(var, span)])
}

/// `one::other`, written down: the macros are not optimised in a user's build, and a parser is a good part of what they take.
pub(crate) fn path_expr<const N: usize>(names: [Ident; N]) -> Expr {
    let mut segments = Punctuated::new();
    for name in names {
        if !segments.empty_or_trailing() {
            segments.push_punct(syn::Token![::](name.span()));
        }
        segments.push_value(PathSegment::from(name));
    }
    Expr::Path(syn::ExprPath { attrs: Vec::new(), qself: None, path: Path { leading_colon: None, segments } })
}

/// `name!(number)`
fn placeholder_expr(name: &str, number: usize, span: Span) -> Expr {
    let mac = syn::Macro {
        path: Ident::new(name, span).into(),
        bang_token: syn::Token![!](span),
        delimiter: syn::MacroDelimiter::Paren(syn::token::Paren(span)),
        tokens: TokenTree::from(Literal::usize_unsuffixed(number)).into(),
    };
    Expr::Macro(syn::ExprMacro { attrs: Vec::new(), mac })
}

/// The number in a placeholder of this name.
pub(crate) fn placeholder(mac: &syn::Macro, name: &str) -> Option<usize> {
    if !mac.path.is_ident(name) {
        return None;
    }
    mac.tokens.to_string().trim().parse().ok()
}

/// The expression that jumps to a block.
pub(crate) fn jump_expr(block: BlockId, span: Span) -> Expr {
    placeholder_expr(JUMP, block, span)
}

/// The expression that polls a point.
pub(crate) fn poll_expr(point: PointId, span: Span) -> Expr {
    placeholder_expr(POLL, point, span)
}

/// The variables that a pattern binds, in source order, each once.
pub(crate) fn bound(pat: &Pat) -> Vec<VarId> {
    use syn::visit::Visit;
    struct Bound(Vec<VarId>);
    impl<'a> Visit<'a> for Bound {
        fn visit_pat_ident(&mut self, pat: &'a syn::PatIdent) {
            if let Some(var) = marked(&pat.ident)
                && !self.0.contains(&var)
            {
                self.0.push(var);
            }
            syn::visit::visit_pat_ident(self, pat);
        }
    }
    let mut found = Bound(Vec::new());
    found.visit_pat(pat);
    found.0
}
