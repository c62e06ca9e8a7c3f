//! Makes a failing program small, so that what is left shows the mistake.
//!
//! An edit keeps a program well formed by construction: a statement goes if what it declares is not mentioned, an expression
//! becomes a constant or a part of its own type, a branch takes the place of what chose it. So no edit needs a type checker.

use super::program::{Block, Cond, Expr, Iterated, Method, Pat, Program, Stmt, Test, Ty, Var};
use super::value::{Activity, Value};

/// The smallest program found for which `fails` holds.
pub(super) fn shrink(
    program: &Program,
    args: &[Value],
    fails: &mut dyn FnMut(&Program, &[Value]) -> bool,
) -> (Program, Vec<Value>) {
    let (mut program, mut args) = (program.clone(), args.to_vec());
    loop {
        let mut smaller = false;
        for at in (0..program.params.len()).rev() {
            let (mut candidate, mut fewer) = (program.clone(), args.clone());
            let pat = candidate.params.remove(at);
            fewer.remove(at);
            if !mentions_any(&candidate.body, &pat) && fails(&candidate, &fewer) {
                (program, args, smaller) = (candidate, fewer, true);
            }
        }
        let mut wanted = 0;
        loop {
            let mut candidate = program.clone();
            let mut editor = Editor { vars: &program, wanted, seen: 0 };
            if !editor.block(&mut candidate.body) {
                break;
            }
            if fails(&candidate, &args) {
                (program, smaller) = (candidate, true);
            } else {
                wanted += 1;
            }
        }
        if !smaller {
            return (program, args);
        }
    }
}

/// Makes the edit of a number, counted over the whole program.
struct Editor<'p> {
    vars: &'p Program,
    wanted: usize,
    seen: usize,
}

impl Editor<'_> {
    fn now(&mut self) -> bool {
        self.seen += 1;
        self.seen == self.wanted + 1
    }

    /// Edits a block or what is in it; whether the edit was found.
    fn block(&mut self, block: &mut Block) -> bool {
        for at in (0..block.stmts.len()).rev() {
            let last = at + 1 == block.stmts.len() && block.tail.is_none();
            if self.may_go(block, at, last) && self.now() {
                block.stmts.remove(at);
                return true;
            }
        }
        for stmt in &mut block.stmts {
            let found = match stmt {
                Stmt::Deferred(_) => false,
                Stmt::Expr(expr) => self.expr(expr),
                Stmt::Let { init, otherwise, .. } => {
                    self.expr(init) || otherwise.as_mut().is_some_and(|block| self.block(block))
                }
            };
            if found {
                return true;
            }
        }
        block.tail.as_mut().is_some_and(|tail| self.expr(tail))
    }

    /// Whether a statement can be left out.
    fn may_go(&self, block: &Block, at: usize, last: bool) -> bool {
        match &block.stmts[at] {
            Stmt::Let { pat, .. } => !mentions_any(&self.vars.body, pat),
            Stmt::Deferred(var) => !mentions(&self.vars.body, *var),
            Stmt::Expr(Expr::Return(_) | Expr::Break(..) | Expr::Continue(_)) => !last,
            Stmt::Expr(expr) => !self.sets_deferred(expr),
        }
    }

    /// Whether an expression sets a variable that another statement counts on.
    fn sets_deferred(&self, expr: &Expr) -> bool {
        let mut found = false;
        visit(expr, &mut |part| {
            if let Expr::Assign(place, _) = part
                && let Expr::Var(var) = **place
            {
                found |= declares_later(&self.vars.body, var);
            }
        });
        found
    }

    fn expr(&mut self, expr: &mut Expr) -> bool {
        for smaller in self.replacements(expr) {
            if self.now() {
                *expr = smaller;
                return true;
            }
        }
        if let Expr::Await(_, args) = expr {
            for at in 0..args.len() {
                if self.now() {
                    args.remove(at);
                    return true;
                }
            }
        }
        if let Expr::Match(_, arms) = expr {
            for at in 0..arms.len().saturating_sub(1) {
                if !matches!(arms[at].pat, Pat::Bool(_)) && self.now() {
                    arms.remove(at);
                    return true;
                }
                if arms[at].guard.is_some() && self.now() {
                    arms[at].guard = None;
                    return true;
                }
            }
        }
        let (parts, blocks) = inside(expr);
        parts.into_iter().any(|part| self.expr(part)) || blocks.into_iter().any(|block| self.block(block))
    }

    /// What may take the place of an expression.
    fn replacements(&self, expr: &Expr) -> Vec<Expr> {
        let mut found = Vec::new();
        match expr {
            Expr::If(cond, then, other) => {
                if !cond.iter().any(|test| matches!(test, Test::Let(pat, _) if binds_used(pat, then))) {
                    found.push(Expr::Block(None, then.clone()));
                }
                match other {
                    Some(other) => found.push((**other).clone()),
                    None => found.push(Expr::Block(None, Block { stmts: Vec::new(), tail: None })),
                }
                if cond.len() > 1 && !cond.iter().any(|test| matches!(test, Test::Let(..))) {
                    found.push(Expr::If(vec![cond[0].clone()], then.clone(), other.clone()));
                    found.push(Expr::If(vec![cond[1].clone()], then.clone(), other.clone()));
                }
            }
            Expr::Match(_, arms) => {
                for arm in arms {
                    let body = Block { stmts: Vec::new(), tail: Some(Box::new(arm.body.clone())) };
                    if !binds_used(&arm.pat, &body) && !is_jump(&arm.body) {
                        found.push(arm.body.clone());
                    }
                }
            }
            Expr::Block(label, block) => {
                if let (true, Some(tail)) = (block.stmts.is_empty(), &block.tail)
                    && (label.is_none() || !jumps(tail))
                {
                    found.push((**tail).clone());
                }
                if label.is_some() && !block_jumps(block) {
                    found.push(Expr::Block(None, block.clone()));
                }
            }
            Expr::While(_, cond, body)
                if !block_jumps(body)
                    && !cond
                        .iter()
                        .any(|test| matches!(test, Test::Let(pat, _) if binds_used(pat, body))) =>
            {
                found.push(Expr::Block(None, body.clone()));
            }
            Expr::For(_, pat, _, body) if !block_jumps(body) && !binds_used(pat, body) => {
                found.push(Expr::Block(None, body.clone()));
            }
            _ => {}
        }
        let Some(ty) = self.ty(expr) else { return found };
        if !is_constant(expr) {
            found.extend(constant(&ty));
        }
        if !is_place(expr) {
            let mut copy = expr.clone();
            let (parts, _) = inside(&mut copy);
            found.extend(
                parts.into_iter().filter(|part| self.ty(part).as_ref() == Some(&ty)).map(|part| part.clone()),
            );
        }
        found
    }

    /// The type of an expression, where it is plain to see.
    fn ty(&self, expr: &Expr) -> Option<Ty> {
        Some(match expr {
            Expr::Int(_) => Ty::Int,
            Expr::Bool(_) | Expr::Not(_) | Expr::Matches(..) => Ty::Bool,
            Expr::Text(_) | Expr::Format(_) => Ty::Text,
            Expr::Var(var) => self.vars.vars[*var].ty.clone(),
            Expr::Field(base, index) => match (self.behind(base)?, index) {
                (Ty::Order | Ty::Pair, 0) => Ty::Int,
                (Ty::Order | Ty::Pair, 1) => Ty::Text,
                (Ty::Order, 2) => Ty::List,
                (Ty::Order, _) => Ty::Pair,
                _ => return None,
            },
            Expr::Index(..) | Expr::Try(_) => Ty::Int,
            Expr::Deref(inner) => self.behind(inner)?,
            Expr::Binary(op, ..) => match op.written() {
                "&" | "^" => Ty::Int,
                _ => Ty::Bool,
            },
            Expr::Call(func, _) => match func.name() {
                "note" | "add" => Ty::Int,
                _ => Ty::Text,
            },
            Expr::Method(receiver, Method::Clone, _) => self.behind(receiver)?,
            Expr::Method(_, Method::Push | Method::Append, _) => Ty::Unit,
            Expr::Method(..) => Ty::Int,
            Expr::Await(activity, _) => match activity {
                Activity::Num => Ty::Int,
                Activity::Flag => Ty::Bool,
                Activity::Text => Ty::Text,
                Activity::Maybe => Ty::Maybe,
                Activity::List => Ty::List,
                Activity::Order => Ty::Order,
                Activity::Pair => Ty::Pair,
                Activity::Check => Ty::Check,
                Activity::Unit => Ty::Unit,
            },
            Expr::Tuple(parts) if parts.len() == 2 => Ty::Pair,
            Expr::Array(_) => Ty::Array,
            Expr::List(_) => Ty::List,
            Expr::Order(..) => Ty::Order,
            Expr::Some(_) | Expr::None => Ty::Maybe,
            Expr::If(_, then, other) => {
                let tail = then.tail.as_deref().and_then(|tail| self.ty(tail));
                return tail.or_else(|| self.ty(other.as_deref()?));
            }
            Expr::Match(_, arms) => return arms.iter().find_map(|arm| self.ty(&arm.body)),
            Expr::Block(_, block) => return self.ty(block.tail.as_deref()?),
            _ => return None,
        })
    }

    fn behind(&self, expr: &Expr) -> Option<Ty> {
        Some(match self.ty(expr)? {
            Ty::Ref(inner) | Ty::RefMut(inner) => *inner,
            ty => ty,
        })
    }
}

fn constant(ty: &Ty) -> Option<Expr> {
    Some(match ty {
        Ty::Int => Expr::Int(1),
        Ty::Bool => Expr::Bool(true),
        Ty::Text => Expr::Text(0),
        Ty::List => Expr::List(vec![Expr::Int(1)]),
        Ty::Array => Expr::Array((0..3).map(Expr::Int).collect()),
        Ty::Pair => Expr::Tuple(vec![Expr::Int(1), Expr::Text(0)]),
        Ty::Maybe => Expr::Some(Box::new(Expr::Int(1))),
        _ => return None,
    })
}

fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Int(_) | Expr::Bool(_) | Expr::Text(_) => true,
        Expr::List(parts) | Expr::Array(parts) | Expr::Tuple(parts) => parts.iter().all(is_constant),
        Expr::Some(inner) => is_constant(inner),
        _ => false,
    }
}

fn is_place(expr: &Expr) -> bool {
    matches!(expr, Expr::Var(_) | Expr::Field(..) | Expr::Index(..) | Expr::Deref(_))
}

fn is_jump(expr: &Expr) -> bool {
    matches!(expr, Expr::Return(_) | Expr::Break(..) | Expr::Continue(_))
}

/// Whether there is a `break` or `continue` inside.
fn jumps(expr: &Expr) -> bool {
    let mut found = false;
    visit(expr, &mut |part| found |= matches!(part, Expr::Break(..) | Expr::Continue(_)));
    found
}

fn block_jumps(block: &Block) -> bool {
    let mut found = false;
    visit_block(block, &mut |part| found |= matches!(part, Expr::Break(..) | Expr::Continue(_)));
    found
}

fn mentions(block: &Block, var: Var) -> bool {
    let mut found = false;
    visit_block(block, &mut |part| {
        found |= match part {
            Expr::Var(other) => *other == var,
            Expr::Format(vars) | Expr::Destructure(vars, _) => vars.contains(&var),
            _ => false,
        };
    });
    found
}

fn mentions_any(block: &Block, pat: &Pat) -> bool {
    pat.vars().into_iter().any(|var| mentions(block, var))
}

fn binds_used(pat: &Pat, block: &Block) -> bool {
    mentions_any(block, pat)
}

/// Whether a variable is declared by `let x;`.
fn declares_later(block: &Block, var: Var) -> bool {
    let mut found = false;
    let mut look = |block: &Block| {
        found |= block.stmts.iter().any(|stmt| matches!(stmt, Stmt::Deferred(other) if *other == var));
    };
    look(block);
    visit_block(block, &mut |part| blocks_of(part).into_iter().for_each(&mut look));
    found
}

/// Every expression in an expression, itself first.
fn visit(expr: &Expr, see: &mut dyn FnMut(&Expr)) {
    see(expr);
    let mut copy = expr.clone();
    let (parts, blocks) = all(&mut copy);
    parts.into_iter().for_each(|part| visit(part, see));
    blocks.into_iter().for_each(|block| visit_block(block, see));
}

pub(super) fn visit_block(block: &Block, see: &mut dyn FnMut(&Expr)) {
    for stmt in &block.stmts {
        match stmt {
            Stmt::Deferred(_) => {}
            Stmt::Expr(expr) => visit(expr, see),
            Stmt::Let { init, otherwise, .. } => {
                visit(init, see);
                if let Some(otherwise) = otherwise {
                    visit_block(otherwise, see);
                }
            }
        }
    }
    if let Some(tail) = &block.tail {
        visit(tail, see);
    }
}

fn blocks_of(expr: &Expr) -> Vec<&Block> {
    match expr {
        Expr::If(_, block, _)
        | Expr::Block(_, block)
        | Expr::Loop(_, block)
        | Expr::While(_, _, block)
        | Expr::For(_, _, _, block) => vec![block],
        _ => Vec::new(),
    }
}

type Inside<'e> = (Vec<&'e mut Expr>, Vec<&'e mut Block>);

/// The expressions and blocks right inside of one, without what has to stay a place.
fn inside(expr: &mut Expr) -> Inside<'_> {
    match expr {
        Expr::Assign(_, value) | Expr::Compound(_, value) => (vec![value], Vec::new()),
        Expr::Method(receiver, method, args) => {
            let receiver = (method.by_value() || !is_place(receiver)).then_some(&mut **receiver);
            (receiver.into_iter().chain(args.iter_mut()).collect(), Vec::new())
        }
        Expr::Ref(_, place) | Expr::Deref(place) | Expr::Field(place, _) | Expr::Index(place, _)
            if is_place(place) =>
        {
            (Vec::new(), Vec::new())
        }
        Expr::For(_, _, Iterated::Range(value) | Iterated::Owned(value), body) => (vec![value], vec![body]),
        Expr::For(_, _, _, body) => (Vec::new(), vec![body]),
        other => all(other),
    }
}

fn tests(cond: &mut Cond) -> Vec<&mut Expr> {
    cond.iter_mut()
        .map(|test| match test {
            Test::Is(expr) | Test::Let(_, expr) => expr,
        })
        .collect()
}

/// All expressions and blocks right inside of one.
fn all(expr: &mut Expr) -> Inside<'_> {
    let mut parts: Vec<&mut Expr> = Vec::new();
    let mut blocks: Vec<&mut Block> = Vec::new();
    match expr {
        Expr::Unit | Expr::Int(_) | Expr::Bool(_) | Expr::Text(_) | Expr::Var(_) | Expr::None => {}
        Expr::Format(_) | Expr::Continue(_) | Expr::Break(_, None) => {}
        Expr::Field(inner, _)
        | Expr::Index(inner, _)
        | Expr::Deref(inner)
        | Expr::Ref(_, inner)
        | Expr::Not(inner)
        | Expr::Try(inner)
        | Expr::Some(inner)
        | Expr::Ok(inner)
        | Expr::Err(inner)
        | Expr::Return(inner)
        | Expr::Break(_, Some(inner))
        | Expr::Destructure(_, inner) => parts.push(inner),
        Expr::Binary(_, left, right) | Expr::Assign(left, right) | Expr::Compound(left, right) => {
            parts.extend([&mut **left, &mut **right]);
        }
        Expr::Call(_, args)
        | Expr::Await(_, args)
        | Expr::Tuple(args)
        | Expr::Array(args)
        | Expr::List(args) => parts.extend(args),
        Expr::Method(receiver, _, args) => {
            parts.push(receiver);
            parts.extend(args);
        }
        Expr::Order(fields, rest) => {
            parts.extend(fields.iter_mut().map(|(_, value)| value));
            parts.extend(rest.as_deref_mut());
        }
        Expr::If(cond, then, other) => {
            parts.extend(tests(cond));
            parts.extend(other.as_deref_mut());
            blocks.push(then);
        }
        Expr::Match(value, arms) => {
            parts.push(value);
            for arm in arms {
                parts.extend(&mut arm.guard);
                parts.push(&mut arm.body);
            }
        }
        Expr::Block(_, body) | Expr::Loop(_, body) => blocks.push(body),
        Expr::While(_, cond, body) => {
            parts.extend(tests(cond));
            blocks.push(body);
        }
        Expr::For(_, _, iterated, body) => {
            let (Iterated::Range(value)
            | Iterated::Owned(value)
            | Iterated::Borrowed(value)
            | Iterated::BorrowedMut(value)
            | Iterated::Iter(value)
            | Iterated::Rev(value)
            | Iterated::Enumerate(value)
            | Iterated::Skip(value)) = iterated;
            parts.push(value);
            blocks.push(body);
        }
        Expr::Matches(value, _, guard) => {
            parts.push(value);
            parts.extend(guard.as_deref_mut());
        }
    }
    (parts, blocks)
}
