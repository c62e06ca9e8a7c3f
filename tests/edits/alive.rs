//! Which variables are needed behind each await, by the rules of the language and not by the compiler's analysis.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{Function, Id, Num, Stmt, VarId};

type Vars = BTreeSet<VarId>;

/// For each await, what is needed behind it.
pub(crate) fn alive(function: &Function) -> BTreeMap<Id, Vars> {
    let mut found = BTreeMap::new();
    block(&function.body, Vars::new(), &mut found);
    found
}

/// What is needed in front of a block, if this is needed behind it.
fn block(body: &[Stmt], after: Vars, found: &mut BTreeMap<Id, Vars>) -> Vars {
    body.iter().rev().fold(after, |after, stmt| before(stmt, after, found))
}

fn before(stmt: &Stmt, mut after: Vars, found: &mut BTreeMap<Id, Vars>) -> Vars {
    match stmt {
        Stmt::Let { var, from } => {
            after.remove(var);
            read(from, &mut after);
            after
        }
        Stmt::Bump { var, .. } => {
            after.insert(*var);
            after
        }
        Stmt::Note(vars) => {
            after.extend(vars);
            after
        }
        Stmt::Wait(wait) => {
            after.retain(|var| !wait.binds.contains(var));
            found.insert(wait.id, after.clone());
            wait.op.nums().into_iter().for_each(|num| read(num, &mut after));
            after
        }
        Stmt::If { cond, then, other } => {
            let mut all = block(then, after.clone(), found);
            all.extend(block(other, after, found));
            read(cond, &mut all);
            all
        }
        Stmt::Match { on, arms, .. } => {
            let mut all = Vars::new();
            arms.iter().for_each(|arm| all.extend(block(arm, after.clone(), found)));
            read(on, &mut all);
            all
        }
        Stmt::For { var, over, body, .. } => {
            let mut head = after;
            head.extend(over.list());
            loop {
                let mut again = block(body, head.clone(), found);
                again.remove(var);
                if again.is_subset(&head) {
                    return head;
                }
                head.extend(again);
            }
        }
        Stmt::Block(body) => block(body, after, found),
    }
}

fn read(num: &Num, vars: &mut Vars) {
    if let Num::Of(var, _) = num {
        vars.insert(*var);
    }
}
