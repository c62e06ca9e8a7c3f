//! Random edits: what people do to a workflow, and what they do by mistake.
//!
//! An edit works on the tree and keeps the numbers of what it leaves what it was. Deliberately absent: two variables that change
//! their names with each other, and a new variable under the name of one that is removed or renamed without a word. A variable *is* its name, so these are
//! edits of everything else.

use std::fmt;

use crate::{
    generate::Maker,
    tree::{Function, Op, Over, Program, Stmt, Ty, VarId, Wait},
};

/// A kind of edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    InsertAwait,
    RemoveAwait,
    RepeatAwait,
    SwapStatements,
    MoveStatement,
    Wrap,
    Unwrap,
    SwapCalls,
    SwapJoined,
    OtherCallee,
    OtherArguments,
    SwapBranches,
    ReorderArms,
    ChangeLoop,
    Rename,
    RenameSaid,
    Retype,
    AddVariable,
    RemoveVariable,
    Shadow,
    TakeName,
    Log,
    Name,
    MoveSaid,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

pub(crate) const KINDS: [Kind; 24] = [
    Kind::InsertAwait,
    Kind::RemoveAwait,
    Kind::RepeatAwait,
    Kind::SwapStatements,
    Kind::MoveStatement,
    Kind::Wrap,
    Kind::Unwrap,
    Kind::SwapCalls,
    Kind::SwapJoined,
    Kind::OtherCallee,
    Kind::OtherArguments,
    Kind::SwapBranches,
    Kind::ReorderArms,
    Kind::ChangeLoop,
    Kind::Rename,
    Kind::RenameSaid,
    Kind::Retype,
    Kind::AddVariable,
    Kind::RemoveVariable,
    Kind::Shadow,
    Kind::TakeName,
    Kind::Log,
    Kind::Name,
    Kind::MoveSaid,
];

/// Another version of a program, by one edit or a few.
pub(crate) fn version(maker: &mut Maker, old: &Program) -> (Program, Vec<Kind>) {
    let edits = [1, 1, 1, 2, 2, 3][maker.rng.usize(0..6)];
    loop {
        let (mut program, mut kinds) = (old.clone(), Vec::new());
        while kinds.len() < edits {
            let kind = KINDS[maker.rng.usize(0..KINDS.len())];
            let mut edited = program.clone();
            let at = maker.rng.usize(0..edited.functions.len());
            let done = maker.edit(kind, old.functions.get(at), &mut edited.functions[at]);
            if done.is_some() && edited.is_valid() && edited != program {
                kinds.push(kind);
                program = edited;
            }
        }
        if program.print("") != old.print("") {
            return (program, kinds);
        }
    }
}

/// One of all blocks.
fn pick<'b>(rng: &mut fastrand::Rng, body: &'b mut Vec<Stmt>) -> &'b mut Vec<Stmt> {
    let inner: Vec<usize> = (0..body.len()).filter(|at| !body[*at].blocks().is_empty()).collect();
    if inner.is_empty() || rng.u8(0..5) < 2 {
        return body;
    }
    let mut blocks = body[inner[rng.usize(0..inner.len())]].blocks_mut();
    let block = blocks.swap_remove(rng.usize(0..blocks.len()));
    pick(rng, block)
}

/// All awaits of a block and within.
fn waits(body: &mut [Stmt]) -> Vec<&mut Wait> {
    body.iter_mut()
        .flat_map(|stmt| match stmt {
            Stmt::Wait(wait) => vec![wait],
            other => other.blocks_mut().into_iter().flat_map(|block| waits(block)).collect(),
        })
        .collect()
}

/// Everything that is said of variables, as another variable.
fn replace(body: &mut [Stmt], old: VarId, new: VarId) {
    let put = |var: &mut VarId| {
        if *var == old {
            *var = new;
        }
    };
    let put_num = |num: &mut crate::tree::Num| {
        if let crate::tree::Num::Of(var, _) = num {
            put(var);
        }
    };
    for stmt in body {
        stmt.num_mut().into_iter().for_each(put_num);
        match stmt {
            Stmt::Bump { var, .. } => put(var),
            Stmt::Note(vars) => vars.iter_mut().for_each(put),
            Stmt::Wait(wait) => wait.op.nums_mut().into_iter().for_each(put_num),
            Stmt::For { over: Over::Ref(list) | Over::Iter(list) | Over::Rev(list), .. } => put(list),
            _ => {}
        }
        stmt.blocks_mut().into_iter().for_each(|block| replace(block, old, new));
    }
}

/// Forgets a variable wherever it is read.
fn forget(body: &mut Vec<Stmt>, gone: VarId) {
    use crate::tree::Num;
    let put = |num: &mut Num| {
        if matches!(num, Num::Of(var, _) if *var == gone) {
            *num = Num::Lit(3);
        }
    };
    body.retain(|stmt| !matches!(stmt, Stmt::Let { var, .. } | Stmt::Bump { var, .. } if *var == gone));
    for stmt in body {
        stmt.num_mut().into_iter().for_each(put);
        match stmt {
            Stmt::Note(vars) => vars.retain(|var| *var != gone),
            Stmt::Wait(wait) => wait.op.nums_mut().into_iter().for_each(put),
            _ => {}
        }
        stmt.blocks_mut().into_iter().for_each(|block| forget(block, gone));
    }
}

/// How the old version's await with this number is named.
pub(crate) fn reference(old: &Function, id: crate::tree::Id) -> Option<String> {
    let points = old.points();
    let at = points.iter().position(|point| point.wait.id == id)?;
    let callee = points[at].wait.op.callee();
    let rank = points[..=at].iter().filter(|point| point.wait.op.callee() == callee).count();
    Some(format!("{callee}#{rank}"))
}

impl Maker {
    /// An edit of this kind, if there is something for it.
    fn edit(&mut self, kind: Kind, old: Option<&Function>, function: &mut Function) -> Option<()> {
        match kind {
            Kind::InsertAwait | Kind::RemoveAwait | Kind::RepeatAwait | Kind::OtherCallee => {
                self.edit_await(kind, function)
            }
            Kind::SwapCalls | Kind::SwapJoined | Kind::OtherArguments => self.edit_calls(kind, function),
            Kind::SwapStatements | Kind::MoveStatement | Kind::Wrap | Kind::Unwrap => {
                self.edit_order(kind, &mut function.body)
            }
            Kind::SwapBranches | Kind::ReorderArms | Kind::ChangeLoop => self.edit_structure(kind, function),
            Kind::Rename
            | Kind::RenameSaid
            | Kind::Retype
            | Kind::AddVariable
            | Kind::RemoveVariable
            | Kind::Shadow
            | Kind::TakeName => self.edit_variable(kind, old, function),
            Kind::Log => {
                let var = self.any(function);
                let block = pick(&mut self.rng, &mut function.body);
                let at = self.rng.usize(0..=block.len());
                block.insert(at, Stmt::Note(vec![var]));
                Some(())
            }
            Kind::Name => {
                let wait = self.one_of(waits(&mut function.body))?;
                wait.name = if wait.name.is_some() { None } else { Some(format!("named{}", wait.id)) };
                Some(())
            }
            Kind::MoveSaid => self.move_and_say(old?, function),
        }
    }

    fn any(&mut self, function: &Function) -> VarId {
        self.rng.usize(0..function.vars.len())
    }

    fn one_of<T>(&mut self, mut among: Vec<T>) -> Option<T> {
        if among.is_empty() { None } else { Some(among.swap_remove(self.rng.usize(0..among.len()))) }
    }

    fn edit_await(&mut self, kind: Kind, function: &mut Function) -> Option<()> {
        let mut scope: Vec<_> = (0..function.vars.len()).filter(|_| self.rng.u8(0..3) > 0).collect();
        scope.push(0);
        let fresh = (kind == Kind::InsertAwait).then(|| self.wait(function, &mut scope, false));
        let mut call = self.call(&scope);
        let block = pick(&mut self.rng, &mut function.body);
        if let Some(fresh) = fresh {
            block.insert(self.rng.usize(0..=block.len()), fresh);
            return Some(());
        }
        let there = (0..block.len()).filter(|at| matches!(block[*at], Stmt::Wait(_))).collect();
        let at = self.one_of(there)?;
        let Stmt::Wait(wait) = &mut block[at] else { return None };
        match kind {
            Kind::RemoveAwait => {
                // What it gave is made otherwise.
                let made = wait
                    .binds
                    .clone()
                    .into_iter()
                    .map(|var| Stmt::Let { var, from: crate::tree::Num::Lit(self.rng.u64(1..90)) });
                let made: Vec<_> = made.collect();
                block.splice(at..=at, made);
            }
            Kind::RepeatAwait => {
                let mut again = wait.clone();
                (again.id, again.name, again.was) = (self.id(), None, None);
                again.op.calls_mut().into_iter().for_each(|call| call.id = self.id());
                again.binds.clear();
                block.insert(at + self.rng.usize(0..2), Stmt::Wait(again));
            }
            _ => {
                // Another activity that gives the same: no call of it is the old one's.
                let Op::Call(own) = &mut wait.op else { return None };
                call.callee = 1 - own.callee.min(1);
                call.args.resize(crate::tree::CALLEES[call.callee].1, crate::tree::Num::Lit(1));
                (*own, wait.id, wait.was) = (call, self.id(), None);
            }
        }
        Some(())
    }

    fn edit_calls(&mut self, kind: Kind, function: &mut Function) -> Option<()> {
        let mut all = waits(&mut function.body);
        match kind {
            Kind::SwapCalls => {
                let one = self.rng.usize(0..all.len().max(1));
                let fits = |other: &usize| *other != one && all[*other].op.gives() == all[one].op.gives();
                let others = (0..all.len()).filter(fits).collect();
                let other = self.one_of(others)?;
                // Who stands at a call goes where the call goes, with its name.
                let parts = |wait: &Wait| (wait.id, wait.op.clone(), wait.name.clone(), wait.was.clone());
                let (first, second) = (parts(all[one]), parts(all[other]));
                let take = |wait: &mut Wait, parts| (wait.id, wait.op, wait.name, wait.was) = parts;
                take(all[one], second);
                take(all[other], first);
            }
            Kind::SwapJoined => {
                let joins = all.into_iter().filter(|wait| matches!(wait.op, Op::Join(..))).collect();
                let wait: &mut Wait = self.one_of(joins)?;
                let Op::Join(one, other) = &mut wait.op else { return None };
                std::mem::swap(one, other);
                // With their bindings, or to each other's.
                if self.rng.bool()
                    || crate::tree::CALLEES[one.callee].2 != crate::tree::CALLEES[other.callee].2
                {
                    wait.binds.reverse();
                }
            }
            _ => {
                let nums = all.into_iter().flat_map(|wait| wait.op.nums_mut()).collect();
                let num = self.one_of(nums)?;
                *num = match num {
                    crate::tree::Num::Of(var, _) => crate::tree::Num::Of(*var, self.rng.u64(1..900)),
                    crate::tree::Num::Lit(_) => crate::tree::Num::Lit(self.rng.u64(1..9)),
                };
            }
        }
        Some(())
    }

    fn edit_order(&mut self, kind: Kind, body: &mut Vec<Stmt>) -> Option<()> {
        let block = pick(&mut self.rng, body);
        if block.is_empty() {
            return None;
        }
        let at = self.rng.usize(0..block.len());
        match kind {
            Kind::SwapStatements => {
                let other = self.rng.usize(0..block.len());
                block.swap(at, other);
            }
            Kind::MoveStatement => {
                let moved = block.remove(at);
                let to = pick(&mut self.rng, body);
                to.insert(self.rng.usize(0..=to.len()), moved);
            }
            Kind::Wrap => {
                let end = (at + self.rng.usize(1..3)).min(block.len());
                let inner: Vec<_> = block.drain(at..end).collect();
                let wrapped = match self.rng.u8(0..3) {
                    0 => Stmt::If { cond: crate::tree::Num::Lit(2), then: inner, other: Vec::new() },
                    1 => Stmt::Block(inner),
                    _ => {
                        let arms = [inner, Vec::new(), Vec::new()];
                        Stmt::Match { on: crate::tree::Num::Lit(0), order: [0, 1, 2], arms }
                    }
                };
                block.insert(at, wrapped);
            }
            _ => {
                let holding = (0..block.len()).filter(|at| !block[*at].blocks().is_empty()).collect();
                let at = self.one_of(holding)?;
                let mut inner = block[at].blocks_mut();
                let inner = std::mem::take(inner.swap_remove(0));
                block.splice(at..=at, inner);
            }
        }
        Some(())
    }

    fn edit_structure(&mut self, kind: Kind, function: &mut Function) -> Option<()> {
        let body = self.var(function, Ty::U64);
        let loop_id = self.id();
        let block = pick(&mut self.rng, &mut function.body);
        let among: Vec<_> = block.iter_mut().collect();
        match (kind, self.one_of(among)?) {
            (Kind::SwapBranches, Stmt::If { then, other, .. }) => std::mem::swap(then, other),
            (Kind::SwapBranches, Stmt::Match { arms, .. }) => arms.swap(0, 1),
            (Kind::ReorderArms, Stmt::Match { order, .. }) => order.swap(0, 1),
            (Kind::ChangeLoop, Stmt::For { over, .. }) => {
                *over = match *over {
                    Over::Count(count) => Over::Count(count % 3 + 1),
                    Over::Ref(list) => self.one_of(vec![Over::Iter(list), Over::Rev(list)])?,
                    Over::Iter(list) => self.one_of(vec![Over::Ref(list), Over::Rev(list)])?,
                    Over::Rev(list) => Over::Ref(list),
                };
            }
            // A loop around what had none.
            (Kind::ChangeLoop, stmt) => {
                let inner = std::mem::replace(stmt, Stmt::Block(Vec::new()));
                let over = Over::Count(self.rng.u64(1..3));
                *stmt = Stmt::For { id: loop_id, var: body, over, body: vec![inner] };
            }
            _ => return None,
        }
        Some(())
    }

    fn edit_variable(&mut self, kind: Kind, old: Option<&Function>, function: &mut Function) -> Option<()> {
        use crate::tree::Num;
        let var = self.any(function);
        match kind {
            Kind::Rename | Kind::RenameSaid => {
                let was = old.and_then(|old| old.vars.get(var)).map(|var| var.name.clone());
                // In a pattern there is no place to say it.
                let alone = var == 0 || is_declared(&function.body, var);
                (kind == Kind::Rename || alone).then_some(())?;
                function.vars[var].name = format!("renamed{}", self.id());
                function.vars[var].was = if kind == Kind::RenameSaid { Some(was?) } else { None };
            }
            Kind::TakeName => {
                // A variable says what it was, and a new one of the same type has that name.
                let was = old.and_then(|old| old.vars.get(var)).map(|var| var.name.clone())?;
                is_declared(&function.body, var).then_some(())?;
                let ty = function.vars[var].ty;
                function.vars[var].name = format!("renamed{}", self.id());
                function.vars[var].was = Some(was.clone());
                let fresh = self.var(function, ty);
                function.vars[fresh].name = was;
                let block = pick(&mut self.rng, &mut function.body);
                let at = self.rng.usize(0..=block.len());
                block.insert(at, Stmt::Let { var: fresh, from: Num::Lit(self.rng.u64(1..90)) });
                block.insert(self.rng.usize(at + 1..=block.len()), Stmt::Note(vec![fresh]));
            }
            Kind::Retype => {
                // Half of them as the documentation has it.
                let wider = match function.vars[var].ty {
                    Ty::U8 => Ty::U32,
                    Ty::U32 => Ty::U64,
                    Ty::U64 => Ty::OptU64,
                    Ty::OptU32 => Ty::OptU64,
                    Ty::List32 => Ty::List64,
                    Ty::Item => Ty::ItemWide,
                    Ty::Kind => Ty::KindMore,
                    other => other,
                };
                let any = Ty::ALL[self.rng.usize(0..Ty::ALL.len())];
                function.vars[var].ty = if self.rng.bool() { wider } else { any };
                // What an await gives and what is counted has its type from there.
                is_declared(&function.body, var).then_some(())?;
            }
            Kind::AddVariable => {
                let from = if self.rng.bool() { Num::Lit(self.rng.u64(1..90)) } else { Num::Of(var, 1) };
                let mut scope = vec![0];
                let Stmt::Let { var: fresh, .. } = self.declare(function, &mut scope) else { return None };
                let block = pick(&mut self.rng, &mut function.body);
                let at = self.rng.usize(0..=block.len());
                block.insert(at, Stmt::Let { var: fresh, from });
                block.insert(self.rng.usize(at + 1..=block.len()), Stmt::Note(vec![fresh]));
            }
            Kind::RemoveVariable => {
                is_declared(&function.body, var).then_some(())?;
                forget(&mut function.body, var);
            }
            _ => {
                let ty = function.vars[var].ty;
                let shadow = self.var(function, ty);
                function.vars[shadow].name = function.vars[var].name.clone();
                let block = pick(&mut self.rng, &mut function.body);
                let at = self.rng.usize(0..=block.len());
                replace(&mut block[at..], var, shadow);
                block.insert(at, Stmt::Let { var: shadow, from: Num::Of(var, 1) });
            }
        }
        Some(())
    }

    /// Moves an await or puts another one like it beside it, and says which one it was.
    fn move_and_say(&mut self, old: &Function, function: &mut Function) -> Option<()> {
        let wait = self.one_of(waits(&mut function.body))?;
        if wait.name.is_some() {
            return None;
        }
        let id = wait.id;
        wait.was = Some(reference(old, id)?);
        let kind = [Kind::MoveStatement, Kind::RepeatAwait, Kind::Wrap, Kind::SwapStatements];
        match kind[self.rng.usize(0..kind.len())] {
            Kind::RepeatAwait => self.edit_await(Kind::RepeatAwait, function),
            other => self.edit_order(other, &mut function.body),
        }
    }
}

fn is_declared(body: &[Stmt], var: VarId) -> bool {
    body.iter().any(|stmt| {
        matches!(stmt, Stmt::Let { var: one, .. } if *one == var)
            || stmt.blocks().into_iter().any(|(_, block)| is_declared(block, var))
    })
}
