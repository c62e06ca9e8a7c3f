//! Variables of which a part was moved out before an await: `let name = order.name; act().await; order.id`.
//!
//! Behind such an await only fields of the variable are needed, and the variable as a whole can't be saved. So from there on
//! each of the fields is a variable of its own, which the snapshot names `order.id`. On the way to the await it is made by a
//! copy, as a snapshot would make it: nothing is known of the variable's type, which may not let its fields go (`Drop`, an `Arc`).
//!
//! Whether `let n = order.count;` moves or copies is not known either. Where the variable as a whole, or that field, is needed
//! afterwards, it must have been a copy, or rustc refuses the program; then the variable stays whole. Else both are right.
//!
//! Deliberately absent: a part that is given back before the variable is used whole again. rustc says what is missing.

use crate::effects::{Effects, Set};
use crate::ir::{Block, BlockId, Function, Parts, Stmt, Term, VarId, VarKind, as_var, bound, marked, marker};
use crate::liveness::{Liveness, bound_in, liveness, stmt_effects};
use crate::spans::asked_at;
use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use std::collections::BTreeSet;
use syn::visit::{self, Visit};
use syn::{Expr, Member, Pat};

/// The fields from a variable to a part of it; empty for the variable itself.
type Path = Vec<String>;
/// The same, with the user's tokens.
type Fields = Vec<(String, Span)>;

/// Takes variables apart where a part of them may have been moved out.
pub(crate) fn split(mut function: Function) -> Function {
    let vars: BTreeSet<VarId> = moves(&function).iter().map(|found| found.var).collect();
    if vars.is_empty() {
        return function;
    }
    end_at_assignments(&mut function, &vars);
    let (moves, live) = (moves(&function), liveness(&function));
    for var in vars {
        let info = &function.vars[var];
        if info.kind == VarKind::User && info.flattened && info.remat.is_none() && !info.pinned {
            let moves: Vec<&Move> = moves.iter().filter(|found| found.var == var).collect();
            if let Some(blocks) = blocks(&function, &live, var, &moves) {
                take_apart(&mut function, &live, var, blocks);
            }
        }
    }
    function
}

/// A field that an expression may move out of a variable.
struct Move {
    var: VarId,
    path: Path,
    block: BlockId,
    /// The statement behind it.
    after: usize,
}

/// A block ends where one of these variables is whole again.
fn end_at_assignments(function: &mut Function, vars: &BTreeSet<VarId>) {
    let mut block = 0;
    while block < function.blocks.len() {
        let stmts = &function.blocks[block].stmts;
        let last = stmts.iter().position(|stmt| assigned(stmt).is_some_and(|var| vars.contains(&var)));
        if let Some(last) = last {
            let (in_loop, in_scope) = (function.blocks[block].in_loop, function.blocks[block].in_scope);
            let rest = function.blocks.len();
            let stmts = function.blocks[block].stmts.split_off(last + 1);
            let term = std::mem::replace(&mut function.blocks[block].term, Term::Goto(rest));
            function.blocks.push(Block { stmts, term, in_loop, in_scope, ..Block::default() });
            let at = function.order.iter().position(|other| *other == block);
            function.order.insert(at.map_or(function.order.len(), |at| at + 1), rest);
        }
        block += 1;
    }
}

/// The variable that a statement assigns as a whole.
fn assigned(stmt: &Stmt) -> Option<VarId> {
    match stmt {
        Stmt::Keep(stmt) => match &**stmt {
            syn::Stmt::Expr(Expr::Assign(assign), _) => as_var(&assign.left),
            _ => None,
        },
        Stmt::Set(var, _) => Some(*var),
        Stmt::Declare(_) | Stmt::Let(_) => None,
    }
}

/// The pieces of a block, in their order.
fn pieces(function: &Function, block: BlockId) -> Vec<TokenStream> {
    let block = &function.blocks[block];
    let stmts = block.stmts.iter().map(|stmt| match stmt {
        Stmt::Keep(kept) => match &**kept {
            syn::Stmt::Expr(Expr::Assign(assign), _) if assigned(stmt).is_some() => {
                assign.right.to_token_stream()
            }
            kept => kept.to_token_stream(),
        },
        Stmt::Declare(_) => TokenStream::new(),
        Stmt::Let(bind) => {
            let (init, diverge) = (&bind.init, &bind.diverge);
            quote!(#init #diverge)
        }
        Stmt::Set(_, value) => value.to_token_stream(),
    });
    let term = match &block.term {
        Term::Never | Term::Goto(_) | Term::Dispatch { .. } => TokenStream::new(),
        Term::Return(value) => value.to_token_stream(),
        Term::If { cond, .. } => cond.to_token_stream(),
        Term::Match { scrutinee, arms } => {
            let guards = arms.iter().map(|arm| &arm.guard);
            quote!(#scrutinee #(#guards)*)
        }
    };
    stmts.chain([term]).collect()
}

// ---- which moves matter

/// The blocks in which a variable is known by its parts alone.
fn blocks(function: &Function, live: &Liveness, var: VarId, moves: &[&Move]) -> Option<BTreeSet<BlockId>> {
    let mut points = BTreeSet::new();
    for found in moves {
        if let Some(behind) = behind(function, live, found) {
            points.extend(behind.into_iter().filter(|block| function.blocks[*block].point.is_some()));
        }
    }
    let blocks = reachable(function, live, var, points.into_iter().collect());
    let declared = |block: &BlockId| {
        let defines = |stmt: &Stmt| assigned(stmt).is_none() && stmt_effects(stmt).defs.contains(&var);
        function.blocks[*block].stmts.iter().any(defines)
    };
    if blocks.is_empty() || blocks.iter().any(declared) {
        return None;
    }
    // A borrow that is alive on the way into these blocks borrows from the whole, which then stays.
    let all = (0..function.remats.len()).all(|remat| {
        let made = |other: &VarId| function.vars[*other].remat == Some(remat);
        let enters = |from: BlockId| {
            let mut entered = live.successors[from].iter().filter(|to| blocks.contains(to));
            !blocks.contains(&from) && entered.any(|to| live.live_in[*to].iter().any(made))
        };
        !mentions(&function.remats[remat].expr.to_token_stream(), var)
            || !(0..function.blocks.len()).any(enters)
    });
    all.then_some(blocks)
}

fn mentions(tokens: &TokenStream, var: VarId) -> bool {
    Effects::of_tokens(tokens).mentions.contains(&var)
}

/// The blocks behind a move, while the variable is needed; `None` if the move must have been a copy.
fn behind(function: &Function, live: &Liveness, found: &Move) -> Option<BTreeSet<BlockId>> {
    let allowed = |piece: &TokenStream| {
        let mut paths = Vec::new();
        paths_of(piece, found.var, &mut paths);
        paths.iter().all(|path| path.iter().zip(&found.path).any(|((a, _), b)| a != b))
    };
    if !pieces(function, found.block)[found.after..].iter().all(allowed) {
        return None;
    }
    let next = next(function, live, found.var, found.block);
    let blocks = reachable(function, live, found.var, next);
    blocks.iter().all(|block| pieces(function, *block).iter().all(allowed)).then_some(blocks)
}

fn reachable(
    function: &Function,
    live: &Liveness,
    var: VarId,
    mut pending: Vec<BlockId>,
) -> BTreeSet<BlockId> {
    let mut seen = BTreeSet::new();
    while let Some(block) = pending.pop() {
        if seen.insert(block) {
            pending.extend(next(function, live, var, block));
        }
    }
    seen
}

/// Where a variable is needed after a block, unless it is bound on the way.
fn next(function: &Function, live: &Liveness, var: VarId, block: BlockId) -> Vec<BlockId> {
    if function.blocks[block].stmts.last().and_then(assigned) == Some(var) {
        return Vec::new();
    }
    let binds = |to: BlockId| match &function.blocks[block].term {
        Term::If { cond, then, .. } => *then == to && bound_in(cond).contains(&var),
        Term::Match { arms, .. } => arms.iter().any(|arm| arm.target == to && bound(&arm.pat).contains(&var)),
        _ => false,
    };
    let successors = live.successors[block].iter().copied();
    successors.filter(|to| live.live_in[*to].contains(&var) && !binds(*to)).collect()
}

// ---- taking apart

fn take_apart(function: &mut Function, live: &Liveness, var: VarId, blocks: BTreeSet<BlockId>) {
    let mut paths: Vec<Fields> = Vec::new();
    for &block in &blocks {
        for piece in pieces(function, block) {
            paths_of(&piece, var, &mut paths);
        }
    }
    let remats: Vec<usize> = (0..function.remats.len())
        .filter(|remat| {
            let made = |other: &VarId| function.vars[*other].remat == Some(*remat);
            blocks.iter().any(|block| live.live_in[*block].iter().any(&made))
        })
        .collect();
    for &remat in &remats {
        paths_of(&function.remats[remat].expr.to_token_stream(), var, &mut paths);
    }
    paths.sort_by_key(names_of);
    // Of a field and a field of it the outer one is the part; sorted, it stands first.
    let mut outer: Vec<(Path, Fields)> = Vec::new();
    for fields in paths {
        let path = names_of(&fields);
        if !outer.iter().any(|(known, _)| path.starts_with(known)) {
            outer.push((path, fields));
        }
    }
    let (mut parts, mut written) = (Vec::new(), Vec::new());
    for (path, fields) in outer {
        let (ident, name) = (&function.vars[var].ident, &function.vars[var].stored_name);
        let plain = |name: &str| name.trim_start_matches("r#").to_owned();
        let fields_of: Path = path.iter().map(|field| plain(field)).collect();
        let mut text = format!("__{}_{}", plain(&ident.to_string()), fields_of.join("_"));
        // Another variable of this name may have been taken apart, and `a.b_c` is not `a.b.c`.
        if function.vars.iter().any(|other| other.ident == text) {
            text = format!("{text}_{}", function.vars.len());
        }
        let ident = Ident::new(&text, asked_at(ident.span()));
        let name = format!("{name}.{}", fields_of.join("."));
        let (decl, mutable) = (function.vars[var].decl, function.vars[var].mutable);
        let part = function.new_var(VarKind::Temp, ident, name);
        function.vars[part].decl = decl;
        function.vars[part].mutable = mutable;
        parts.push((path, part));
        written.push((fields.iter().flat_map(|(field, at)| segment(field, *at)).collect(), part));
    }
    for &block in &blocks {
        rewrite_block(function, block, var, &parts);
    }
    for remat in remats {
        rewrite(&mut function.remats[remat].expr, var, &parts);
    }
    let parts = Parts { var, pieces: written, blocks };
    function.parts.push(parts);
}

fn rewrite_block(function: &mut Function, block: BlockId, var: VarId, parts: &[(Path, VarId)]) {
    let block = &mut function.blocks[block];
    for stmt in &mut block.stmts {
        match stmt {
            Stmt::Keep(stmt) => {
                let tokens = rewritten(stmt.to_token_stream(), var, parts);
                if let Ok(parsed) = syn::parse::Parser::parse2(syn::Block::parse_within, tokens)
                    && let Ok([only]) = <[syn::Stmt; 1]>::try_from(parsed)
                {
                    **stmt = only;
                }
            }
            Stmt::Declare(_) => {}
            Stmt::Let(bind) => {
                rewrite(&mut bind.init, var, parts);
                bind.diverge.iter_mut().for_each(|diverge| rewrite(diverge, var, parts));
            }
            Stmt::Set(_, value) => rewrite(value, var, parts),
        }
    }
    match &mut block.term {
        Term::Never | Term::Goto(_) | Term::Dispatch { .. } | Term::Return(None) => {}
        Term::Return(Some(value)) => rewrite(value, var, parts),
        Term::If { cond, .. } => rewrite(cond, var, parts),
        Term::Match { scrutinee, arms } => {
            rewrite(scrutinee, var, parts);
            arms.iter_mut().filter_map(|arm| arm.guard.as_mut()).for_each(|guard| rewrite(guard, var, parts));
        }
    }
}

fn rewrite(expr: &mut Expr, var: VarId, parts: &[(Path, VarId)]) {
    if mentions(&expr.to_token_stream(), var)
        && let Ok(parsed) = syn::parse2(rewritten(expr.to_token_stream(), var, parts))
    {
        *expr = parsed;
    }
}

// ---- paths in tokens

fn paths_of(tokens: &TokenStream, var: VarId, found: &mut Vec<Fields>) {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    for (at, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Ident(ident) if marked(ident) == Some(var) => found.push(path_at(&trees, at).0),
            TokenTree::Group(group) => paths_of(&group.stream(), var, found),
            _ => {}
        }
    }
}

/// The fields behind the variable at this place, and where they end.
fn path_at(trees: &[TokenTree], at: usize) -> (Fields, usize) {
    let (mut path, mut at) = (Fields::new(), at + 1);
    while let (Some(TokenTree::Punct(dot)), Some(member)) = (trees.get(at), trees.get(at + 1)) {
        if dot.as_char() != '.' {
            break;
        }
        match (member, trees.get(at + 2)) {
            // A method.
            (TokenTree::Ident(_), Some(TokenTree::Group(group)))
                if group.delimiter() == proc_macro2::Delimiter::Parenthesis =>
            {
                break;
            }
            (TokenTree::Ident(_), Some(TokenTree::Punct(colon))) if colon.as_char() == ':' => break,
            (TokenTree::Ident(ident), _) if ident == "await" => break,
            (TokenTree::Ident(ident), _) => path.push((ident.to_string(), ident.span())),
            // `x.0.1` holds the literal `0.1`.
            (TokenTree::Literal(literal), _) => {
                path.extend(literal.to_string().split('.').map(|field| (field.to_owned(), literal.span())));
            }
            _ => break,
        }
        at += 2;
    }
    (path, at)
}

fn rewritten(tokens: TokenStream, var: VarId, parts: &[(Path, VarId)]) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut result = TokenStream::new();
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        at += 1;
        match tree {
            TokenTree::Ident(ident) if marked(ident) == Some(var) => {
                let (path, end) = path_at(&trees, at - 1);
                let names = names_of(&path);
                match parts.iter().find(|(part, _)| names.starts_with(part)) {
                    Some((part, name)) => {
                        result.extend([TokenTree::Ident(marker(*name, ident.span()))]);
                        result.extend(path[part.len()..].iter().flat_map(|(field, at)| segment(field, *at)));
                        at = end;
                    }
                    None => result.extend([tree.clone()]),
                }
            }
            TokenTree::Group(group) => {
                let mut copy = Group::new(group.delimiter(), rewritten(group.stream(), var, parts));
                copy.set_span(group.span());
                result.extend([TokenTree::Group(copy)]);
            }
            other => result.extend([other.clone()]),
        }
    }
    result
}

fn names_of(fields: &Fields) -> Path {
    fields.iter().map(|(name, _)| name.clone()).collect()
}

/// `.field`
fn segment(field: &str, at: Span) -> TokenStream {
    if let Ok(index) = field.parse::<u32>() {
        let mut index = Literal::u32_unsuffixed(index);
        index.set_span(at);
        quote_spanned!(at=> .#index)
    } else {
        let field = match field.strip_prefix("r#") {
            Some(field) => Ident::new_raw(field, at),
            None => Ident::new(field, at),
        };
        quote_spanned!(at=> .#field)
    }
}

// ---- which fields may be moved

fn moves(function: &Function) -> Vec<Move> {
    // To find the numbers, all is printed. Without them there are more moves, and mostly none.
    let found = moves_but(function, &Set::new());
    if found.is_empty() { found } else { moves_but(function, &numbers(function)) }
}

/// The moves, of which a value for one of these variables is none.
fn moves_but(function: &Function, numbers: &Set) -> Vec<Move> {
    let mut all = Vec::new();
    for (number, block) in function.blocks.iter().enumerate() {
        for (at, stmt) in block.stmts.iter().enumerate() {
            let mut finder = Finder { numbers, found: Vec::new() };
            match stmt {
                Stmt::Keep(stmt) => finder.visit_stmt(stmt),
                Stmt::Declare(_) => {}
                Stmt::Let(bind) => finder.initialised(&bind.pat, &bind.init),
                Stmt::Set(_, value) => {
                    finder.value(value);
                    finder.visit_expr(value);
                }
            }
            all.extend(finder.found.into_iter().map(|(var, path)| Move {
                var,
                path,
                block: number,
                after: at + 1,
            }));
        }
        let mut finder = Finder { numbers, found: Vec::new() };
        match &block.term {
            Term::If { cond, .. } => finder.visit_expr(cond),
            Term::Match { scrutinee, arms } => {
                finder.matched(scrutinee, &arms.iter().map(|arm| &arm.pat).collect::<Vec<_>>());
                finder.visit_expr(scrutinee);
            }
            _ => {}
        }
        let after = block.stmts.len() + 1;
        all.extend(finder.found.into_iter().map(|(var, path)| Move { var, path, block: number, after }));
    }
    all
}

/// Variables that are used like numbers.
fn numbers(function: &Function) -> Set {
    fn search(tokens: &TokenStream, found: &mut Set) {
        let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let operates = |tree: Option<&TokenTree>| match tree {
            Some(TokenTree::Punct(punct)) => ['*', '/', '%', '-', '<', '>'].contains(&punct.as_char()),
            Some(TokenTree::Ident(ident)) => ident == "as",
            _ => false,
        };
        for (at, tree) in trees.iter().enumerate() {
            match tree {
                TokenTree::Ident(ident) => {
                    let before = at.checked_sub(1).and_then(|at| trees.get(at));
                    if let Some(var) = marked(ident)
                        && (operates(before) || operates(trees.get(at + 1)))
                    {
                        found.insert(var);
                    }
                }
                TokenTree::Group(group) => search(&group.stream(), found),
                _ => {}
            }
        }
    }
    let mut found = Set::new();
    for block in 0..function.blocks.len() {
        for piece in &pieces(function, block) {
            search(piece, &mut found);
        }
    }
    found
}

struct Finder<'a> {
    numbers: &'a Set,
    found: Vec<(VarId, Path)>,
}

impl Finder<'_> {
    /// A value that is moved, or copied.
    fn value(&mut self, expr: &Expr) {
        self.found.extend(field_path(expr).filter(|(_, path)| !path.is_empty()));
    }

    fn initialised(&mut self, pat: &Pat, init: &Expr) {
        match crate::lower::plain(pat) {
            Some(var) if self.numbers.contains(&var) => {}
            Some(_) => self.value(init),
            None => self.matched(init, &[pat]),
        }
        self.visit_expr(init);
    }

    fn matched(&mut self, scrutinee: &Expr, pats: &[&Pat]) {
        let moves = |pat: &Pat| !bound(pat).is_empty() && crate::lower::plain(pat).is_none();
        if pats.iter().any(|pat| moves(pat)) {
            self.value(scrutinee);
        }
    }
}

impl<'a> Visit<'a> for Finder<'_> {
    fn visit_item(&mut self, _: &'a syn::Item) {}

    fn visit_local(&mut self, local: &'a syn::Local) {
        if let Some(init) = &local.init {
            self.initialised(&local.pat, &init.expr);
            init.diverge.iter().for_each(|(_, diverge)| self.visit_expr(diverge));
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Closure(_) | Expr::Async(_) => return,
            Expr::Call(e) => e.args.iter().for_each(|arg| self.value(arg)),
            Expr::MethodCall(e) => {
                let name = e.method.to_string();
                if ["into", "unwrap", "expect", "map", "and_then", "ok_or", "or_else"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
                {
                    self.value(&e.receiver);
                }
                e.args.iter().for_each(|arg| self.value(arg));
            }
            Expr::Struct(e) => e.fields.iter().for_each(|field| self.value(&field.expr)),
            Expr::Tuple(e) => e.elems.iter().for_each(|elem| self.value(elem)),
            Expr::Array(e) => e.elems.iter().for_each(|elem| self.value(elem)),
            Expr::Assign(e) => self.value(&e.right),
            Expr::ForLoop(e) => self.value(&e.expr),
            Expr::Let(e) => self.matched(&e.expr, &[&*e.pat]),
            Expr::Match(e) => self.matched(&e.expr, &e.arms.iter().map(|arm| &arm.pat).collect::<Vec<_>>()),
            _ => {}
        }
        visit::visit_expr(self, expr);
    }
}

/// `variable.field.field`
fn field_path(expr: &Expr) -> Option<(VarId, Path)> {
    match expr {
        Expr::Field(e) => {
            let (var, mut path) = field_path(&e.base)?;
            path.push(match &e.member {
                Member::Named(name) => name.to_string(),
                Member::Unnamed(index) => index.index.to_string(),
            });
            Some((var, path))
        }
        Expr::Paren(e) => field_path(&e.expr),
        Expr::Group(e) => field_path(&e.expr),
        expr => Some((as_var(expr)?, Path::new())),
    }
}

#[cfg(test)]
mod tests {
    use crate::{layout, liveness, lower, parse, resolve};

    /// What each point of a function stores.
    fn stored(body: &str) -> Vec<String> {
        let mut workflow = parse::parse_str(&format!("async fn w(order: Order) {{ {body} }}"));
        let (function, _) = resolve::resolve(&mut workflow).expect("names resolve");
        let function = super::split(lower::lower(&workflow, function).expect("it lowers"));
        let live = liveness::liveness(&function);
        let layout = layout::layout(&function, &live);
        let saved = |point: &usize| {
            let mut names: Vec<&str> = layout
                .saved(&function, *point)
                .into_iter()
                .map(|var| function.vars[var].stored_name.as_str())
                .collect();
            names.sort_unstable();
            names.join(" ")
        };
        layout.points.iter().map(saved).collect()
    }

    #[test]
    fn what_is_needed_behind_a_move_is_kept_in_parts() {
        for (body, points) in [
            ("let name = order.name; f(name).await; g(order.id)", &["order.id"][..]),
            (
                "f(order.name).await; f(order.address.city).await; g(order.address.zip)",
                &["order.address.city order.address.zip", "order.address.zip"],
            ),
            ("f(order.name).await; f(order.id.0).await; g(order.id)", &["order.id", "order.id"]),
            ("for item in order.items { f(item).await; } g(order.id)", &["for item order.id"]),
            // The whole is needed, or the field itself: it was a copy.
            ("let n = order.count; f(n).await; g(&order)", &["order"]),
            ("let n = order.count; f(n).await; g(order.count, order.id)", &["order"]),
            ("let n = order.count; f(n * 2).await; g(order.id)", &["order"]),
            ("f(&order.name).await; g(order.id)", &["order"]),
            // A borrow from the whole is alive.
            ("let id = &order.id; f(order.count).await; g(id, order.tags)", &["order"]),
            ("f(order.name.len()).await; g(order.id)", &["order"]),
            ("loop { f(order.name).await; g(order.id) }", &["order"]),
            // It is whole again.
            (
                "f(order.name).await; g(order.id); let order = h().await; k(order.name).await; g(order.id)",
                &["order.id", "", "order.id"],
            ),
        ] {
            assert_eq!(stored(body), points, "{body}");
        }
    }
}
