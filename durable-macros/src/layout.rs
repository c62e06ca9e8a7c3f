//! Where everything stands in the emitted text: which block follows which, where variables are declared, what a resume does.
//!
//! The graph, with the edges of the dispatches, is reducible. It is laid out by its dominator tree (Ramsey, "Beyond Relooper",
//! 2022): a block with one predecessor stands in its predecessor's text, so an arm keeps its code; a block with several
//! stands behind a labelled block that they leave with `break`; what follows a loop or a scope of the user's stands behind
//! that, so that whatever was declared inside is dropped there.
//!
//! A variable stays the user's own `let` if everything that mentions it stands in that `let`'s scope; else it is declared,
//! uninitialised, at the head of the innermost loop that holds all its mentions.
//!
//! One case needs a slot, an `Option` filled on every way into a loop: a variable from outside that the loop's head needs and
//! that is not alive at some point inside (`state = step(state).await?`), so that a resume comes to the head without it.

use crate::ir::{BlockId, Function, LoopId, PointId, VarId, VarKind};
use crate::liveness::Liveness;
use crate::loads::{self, Loads};
use std::collections::{BTreeMap, BTreeSet};

/// The function's level, or a loop's.
pub(crate) type Level = Option<LoopId>;

/// The plan of the emitted text.
pub(crate) struct Layout {
    /// Blocks that follow a block's own text, in order; each is reached by `break`.
    pub(crate) followers: Vec<Vec<BlockId>>,
    /// Blocks that follow a loop, in order.
    pub(crate) exits: Vec<Vec<BlockId>>,
    /// Whether a block is reached by a label, and not written where it is entered.
    pub(crate) labelled: Vec<bool>,
    /// Where a hoisted variable is declared; `None` for the user's own `let`s.
    pub(crate) hoisted: Vec<Option<Level>>,
    /// Hoisted variables that are declared inside of the labelled block that leads to a follower: behind it their scope is over.
    pub(crate) scoped: BTreeMap<VarId, BlockId>,
    /// Loops that need a slot, with the variable.
    pub(crate) slots: BTreeSet<(LoopId, VarId)>,
    /// The points that a resume can come to.
    pub(crate) points: Vec<PointId>,
    /// What each level's dispatch loads.
    pub(crate) loads: BTreeMap<Level, Loads>,
}

/// Plans the text of a function.
pub(crate) fn layout(function: &Function, live: &Liveness) -> Layout {
    let points: Vec<PointId> =
        (0..function.points.len()).filter(|point| live.reachable[function.points[*point].block]).collect();
    let order: Vec<BlockId> = function.order.iter().copied().filter(|block| live.reachable[*block]).collect();
    let mut position = vec![usize::MAX; function.blocks.len()];
    for (at, block) in order.iter().enumerate() {
        position[*block] = at;
    }
    let (edges, targets) = edges(function, live, &points, &position);
    let idom = dominators(&order, &position, &edges);
    let mut predecessors = vec![0usize; function.blocks.len()];
    for (_, to) in &edges {
        predecessors[*to] += 1;
    }
    let mut plan = Layout {
        followers: vec![Vec::new(); function.blocks.len()],
        exits: vec![Vec::new(); function.loops.len()],
        labelled: vec![false; function.blocks.len()],
        hoisted: vec![None; function.vars.len()],
        scoped: BTreeMap::new(),
        slots: BTreeSet::new(),
        points,
        loads: BTreeMap::new(),
    };
    let mut scope = vec![None; function.blocks.len()];
    for &block in order.iter().skip(1) {
        match place(function, &scope, idom[block], block) {
            Place::Behind(id) => {
                plan.labelled[block] = true;
                plan.exits[id].push(block);
                scope[block] = scope[function.loops[id].head];
            }
            Place::In(parent) => {
                plan.labelled[block] =
                    predecessors[block] > 1 || targets.contains(&block) || parent != idom[block];
                if plan.labelled[block] {
                    plan.followers[parent].push(block);
                }
                scope[block] = Some(parent);
            }
        }
    }
    hoist(function, live, &scope, &mut plan);
    find_slots(function, live, &mut plan);
    narrow(function, live, &scope, &mut plan);
    plan.loads = plan_loads(function, live, &plan);
    plan
}

/// Where a block stands.
enum Place {
    /// In the text of a block.
    In(BlockId),
    /// Behind a loop.
    Behind(LoopId),
}

/// A block stands in its dominator's text, or in the nearest text around that which is in no loop and no scope that the block
/// has left: what they declare is dropped before it.
fn place(function: &Function, scope: &[Option<BlockId>], dominator: BlockId, block: BlockId) -> Place {
    let mut at = dominator;
    loop {
        let left = function.loops_around(at).into_iter().find(|id| !function.is_in(block, Some(*id)));
        let outer = match left {
            Some(id) => scope[function.loops[id].head],
            None if function.shares_scopes(at, block) => return Place::In(at),
            None => scope[at],
        };
        match (outer, left) {
            // Behind a loop is still in the scopes that the loop stands in.
            (Some(_), Some(id)) if function.shares_scopes(function.loops[id].head, block) => {
                return Place::Behind(id);
            }
            (Some(outer), _) => at = outer,
            (None, _) => return Place::In(at),
        }
    }
}

/// The forward edges, and the blocks that must have a label whatever else leads to them.
fn edges(
    function: &Function,
    live: &Liveness,
    points: &[PointId],
    position: &[usize],
) -> (Vec<(BlockId, BlockId)>, BTreeSet<BlockId>) {
    let mut edges = Vec::new();
    let mut targets = BTreeSet::new();
    for (from, successors) in live.successors.iter().enumerate() {
        if live.reachable[from] {
            edges
                .extend(successors.iter().filter(|to| position[**to] > position[from]).map(|to| (from, *to)));
        }
    }
    for (from, block) in function.blocks.iter().enumerate() {
        // A jump out of kept syntax is always a `break`.
        let inline: Vec<BlockId> = match &block.term {
            crate::ir::Term::Goto(to) | crate::ir::Term::Dispatch { normal: to } => vec![*to],
            crate::ir::Term::If { then, other, .. } => vec![*then, *other],
            crate::ir::Term::Match { arms, .. } => arms.iter().map(|arm| arm.target).collect(),
            _ => Vec::new(),
        };
        let jumps = live.successors[from].len() - inline.len();
        targets.extend(live.successors[from].iter().take(jumps));
    }
    for &point in points {
        let block = function.points[point].block;
        let mut from = 0;
        for id in function.loops_around(block) {
            let head = function.loops[id].head;
            edges.push((from, head));
            targets.insert(head);
            from = head;
        }
        edges.push((from, block));
        targets.insert(block);
    }
    (edges, targets)
}

/// Immediate dominators. In a reducible graph the forward edges, taken in topological order, decide them.
fn dominators(order: &[BlockId], position: &[usize], edges: &[(BlockId, BlockId)]) -> Vec<BlockId> {
    let mut idom = vec![0; position.len()];
    for &block in order.iter().skip(1) {
        let mut nearest: Option<BlockId> = None;
        for (from, _) in edges.iter().filter(|(_, to)| *to == block) {
            nearest = Some(match nearest {
                None => *from,
                Some(other) => common(*from, other, position, &idom),
            });
        }
        idom[block] = nearest.unwrap_or(0);
    }
    idom
}

fn common(mut a: BlockId, mut b: BlockId, position: &[usize], idom: &[BlockId]) -> BlockId {
    while a != b {
        if position[a] > position[b] {
            a = idom[a];
        } else {
            b = idom[b];
        }
    }
    a
}

fn hoist(function: &Function, live: &Liveness, scope: &[Option<BlockId>], plan: &mut Layout) {
    for (var, info) in function.vars.iter().enumerate() {
        let Some(decl) = info.decl else { continue };
        // A future is what the block in front of its point is left with.
        if info.kind == VarKind::Future || !info.flattened || !live.reachable[decl] {
            continue;
        }
        let blocks = needing(function, live, plan, var);
        let visible = |block: BlockId| {
            let mut at = Some(block);
            while let Some(block) = at {
                if block == decl {
                    return true;
                }
                at = scope[block];
            }
            false
        };
        let is_part = function.parts.iter().any(|parts| parts.pieces.iter().any(|(_, part)| *part == var));
        if is_part || !blocks.iter().all(|block| visible(*block)) {
            // A part may begin further in than its whole.
            let first = if is_part { blocks.first().copied().unwrap_or(decl) } else { decl };
            let mut around = function.loops_around(first);
            for block in blocks {
                let other = function.loops_around(block);
                let shared = around.iter().zip(&other).take_while(|(a, b)| a == b).count();
                around.truncate(shared);
            }
            plan.hoisted[var] = Some(around.last().copied());
        }
    }
}

/// Where a block that stands behind a loop is found among its scope's blocks: where that loop begins.
fn stands(function: &Function, plan: &Layout, mut block: BlockId) -> BlockId {
    while let Some(id) = plan.exits.iter().position(|exits| exits.contains(&block)) {
        block = function.loops[id].head;
    }
    block
}

/// A hoisted variable of a scope of the user's is dropped where this scope ends, if that is a block of its own.
fn narrow(function: &Function, live: &Liveness, scope: &[Option<BlockId>], plan: &mut Layout) {
    for (var, info) in function.vars.iter().enumerate() {
        let (Some(decl), Some(level)) = (info.decl, plan.hoisted[var]) else {
            continue;
        };
        let slotted = plan.slots.iter().any(|(_, other)| *other == var);
        if slotted
            || function.blocks[decl].in_scope.is_none()
            || function.loops_around(decl).last().copied() != level
        {
            continue;
        }
        let blocks = needing(function, live, plan, var);
        let mut at = decl;
        while let Some(parent) = scope[at] {
            let followers = &plan.followers[parent];
            let stands = stands(function, plan, at);
            let from = followers.iter().position(|follower| *follower == stands).map_or(0, |index| index + 1);
            let end = (from..followers.len()).find(|index| !function.shares_scopes(decl, followers[*index]));
            if let Some(end) = end {
                // Everything that needs the variable must stand in the text in front of that block.
                let inside = |block: BlockId| {
                    let mut at = Some(block);
                    while let Some(block) = at {
                        if scope[block] == Some(parent) {
                            return !followers[end..].contains(&self::stands(function, plan, block));
                        }
                        at = scope[block];
                    }
                    false
                };
                if function.loops_around(parent).last().copied() == level
                    && blocks.iter().all(|block| inside(*block))
                {
                    plan.scoped.insert(var, followers[end]);
                }
                break;
            }
            at = parent;
        }
    }
}

/// The blocks that mention a variable or save it.
fn needing(function: &Function, live: &Liveness, plan: &Layout, var: VarId) -> Vec<BlockId> {
    let mentioned = (0..function.blocks.len())
        .filter(|block| live.reachable[*block] && live.mentions[*block].contains(&var));
    let saved = plan.points.iter().filter(|point| live.at_point[**point].contains(&var));
    mentioned.chain(saved.map(|point| function.points[*point].block)).collect()
}

fn find_slots(function: &Function, live: &Liveness, plan: &mut Layout) {
    for (id, looped) in function.loops.iter().enumerate() {
        if !live.reachable[looped.head] {
            continue;
        }
        let inside: Vec<PointId> = plan
            .points
            .iter()
            .copied()
            .filter(|point| function.is_in(function.points[*point].block, Some(id)))
            .collect();
        for &var in &live.live_in[looped.head] {
            let Some(level) = plan.hoisted[var] else {
                continue;
            };
            let outside = level != Some(id) && function.is_in(looped.head, level);
            if outside && inside.iter().any(|point| !live.at_point[*point].contains(&var)) {
                plan.slots.insert((id, var));
            }
        }
    }
}

impl Layout {
    /// The innermost loop of a chain that has its own instance of a variable.
    pub(crate) fn instance(&self, var: VarId, loops: &[LoopId]) -> Level {
        loops.iter().rev().copied().find(|id| self.slots.contains(&(*id, var)))
    }

    /// Where the instance of a variable that a chain of loops sees is declared.
    pub(crate) fn level(&self, var: VarId, loops: &[LoopId]) -> Level {
        self.instance(var, loops).or(self.hoisted[var].flatten())
    }

    /// What a point saves, in the order of its load: by level from the outside in.
    pub(crate) fn saved(&self, function: &Function, point: PointId) -> Vec<VarId> {
        let loops = function.loops_around(function.points[point].block);
        let levels = std::iter::once(None).chain(loops.into_iter().map(Some));
        levels.filter_map(|level| self.loads.get(&level)).flat_map(|loads| loads.order(point)).collect()
    }
}

impl Layout {
    /// The variables that any point saves. The place of a variable here is the number of its witness.
    pub(crate) fn witnesses(&self) -> Vec<VarId> {
        let mut vars = BTreeSet::new();
        self.loads.values().for_each(|loads| loads.add_to(&mut vars));
        vars.into_iter().collect()
    }
}

/// What the dispatch of each level loads: the variables that are declared there.
pub(crate) fn plan_loads(function: &Function, live: &Liveness, plan: &Layout) -> BTreeMap<Level, Loads> {
    let mut needs: BTreeMap<Level, Vec<(PointId, BTreeSet<VarId>)>> = BTreeMap::new();
    for &point in &plan.points {
        let loops = function.loops_around(function.points[point].block);
        let saved = live.saved(function, point);
        for level in std::iter::once(None).chain(loops.iter().copied().map(Some)) {
            let here = saved.iter().copied().filter(|var| plan.level(*var, &loops) == level);
            needs.entry(level).or_default().push((point, here.collect()));
        }
    }
    needs.into_iter().map(|(level, needs)| (level, loads::plan(&needs))).collect()
}
