//! What a workflow does, told from its tree: from its start, and from where an instance of an older version stands.
//!
//! An instance that goes on under a new version keeps its variables, as values of the types that they have there; what it awaits
//! keeps the arguments that it was called with. An await, a call or a loop is the old one by its number. Where a value is asked for
//! that the instance does not have, there is no right way to go on, and it has to be parked.

use std::collections::BTreeMap;

use crate::{
    tree::{CALLEES, Call, Function, Id, Num, Op, Over, Program, Stmt, Ty, VarId, Wait},
    values::{Value, convert, make},
};

/// What the harness starts all workflows with.
pub(crate) const INPUT: u64 = 7;

/// A loop on its way.
#[derive(Clone, Debug, PartialEq)]
struct Loop {
    /// What is left, the next one last. What is counted is kept; of a list, it is made of the list.
    rest: Vec<i128>,
    next: usize,
    over: Over,
}

/// A workflow function at an await.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    pub(crate) function: usize,
    pub(crate) at: Id,
    env: BTreeMap<VarId, Value>,
    loops: BTreeMap<Id, Loop>,
    out: Vec<String>,
}

/// A call that has been made.
#[derive(Clone, Debug, PartialEq)]
struct Pending {
    id: Id,
    callee: usize,
    args: Vec<u64>,
}

/// An instance that stands at an await.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// The outermost first.
    pub(crate) frames: Vec<Frame>,
    pending: Vec<Pending>,
    /// How many turns with calls it has behind it.
    turns: usize,
}

/// From some point to the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Run {
    pub(crate) result: String,
    /// The calls of each turn that had any.
    pub(crate) calls: Vec<Vec<String>>,
}

/// Why there is no way to go on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stop {
    NoRightWay,
    /// It is not worth running.
    TooLong,
}

struct Machine<'p> {
    program: &'p Program,
    frames: Vec<Frame>,
    calls: Vec<Vec<String>>,
    pending: Vec<Pending>,
    stands: Vec<Standing>,
    /// How many turns are enough.
    most: usize,
}

const TURNS_ENOUGH: usize = 14;

/// From the start: all places where it stands on its way, and what it does.
pub(crate) fn run(program: &Program) -> Result<(Vec<Standing>, Run), Stop> {
    let mut machine = Machine {
        program,
        frames: Vec::new(),
        calls: Vec::new(),
        pending: Vec::new(),
        stands: Vec::new(),
        most: TURNS_ENOUGH,
    };
    let result = machine.enter(0, INPUT)?;
    Ok((machine.stands, Run { result, calls: machine.calls }))
}

impl Standing {
    /// What the old version does from here, of all that it does.
    pub(crate) fn rest(&self, whole: &Run) -> Run {
        Run { result: whole.result.clone(), calls: whole.calls[self.turns..].to_vec() }
    }

    /// The same instance under a new version, at these awaits: one for each of its frames.
    pub(crate) fn go_on(&self, old: &Program, new: &Program, at: &[Id]) -> Result<Run, Stop> {
        let mut frames = Vec::new();
        for (frame, at) in self.frames.iter().zip(at) {
            let (was, is) = (&old.functions[frame.function], &new.functions[frame.function]);
            frames.push(Frame { at: *at, env: converted(was, is, &frame.env), ..frame.clone() });
        }
        let mut pending = self.pending.clone();
        let innermost = self.frames.len() - 1;
        if at[innermost] != self.frames[innermost].at {
            // Another await that can't be told from it: its calls are known by their order.
            let function = &new.functions[self.frames[innermost].function];
            let wait = function.points().into_iter().find(|point| point.wait.id == at[innermost]);
            let wait = wait.ok_or(Stop::NoRightWay)?.wait;
            for (pending, call) in pending.iter_mut().zip(wait.op.calls()) {
                pending.id = call.id;
            }
        }
        let mut machine = Machine {
            program: new,
            frames,
            calls: Vec::new(),
            pending,
            stands: Vec::new(),
            most: usize::MAX,
        };
        let result = machine.resume()?;
        Ok(Run { result, calls: machine.calls })
    }
}

/// The variables under a new version: the same one, or one that has taken its name.
fn converted(old: &Function, new: &Function, env: &BTreeMap<VarId, Value>) -> BTreeMap<VarId, Value> {
    let mut out = BTreeMap::new();
    for (var, of) in new.vars.iter().enumerate() {
        let namesake = || {
            // One that says that it was this one has it.
            let is_claimed = new.vars.iter().any(|var| var.was.as_ref() == Some(&of.name));
            let mut named =
                env.iter().filter(|(old_var, _)| !is_claimed && old.vars[**old_var].name == of.name);
            named.next_back().map(|(var, _)| *var)
        };
        let source = if var < old.vars.len() { Some(var) } else { namesake() };
        let Some((source, value)) = source.and_then(|source| Some((source, env.get(&source)?))) else {
            continue;
        };
        if let (Some(value), _) = convert(old.vars[source].ty, value, of.ty) {
            out.insert(var, value);
        }
    }
    out
}

impl<'p> Machine<'p> {
    fn frame(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("it is in a function")
    }

    fn function(&self) -> &'p Function {
        let function = self.frames.last().expect("it is in a function").function;
        &self.program.functions[function]
    }

    fn enter(&mut self, function: usize, input: u64) -> Result<String, Stop> {
        let mut frame = Frame { function, ..Frame::default() };
        frame.env.insert(0, make(Ty::U64, input));
        self.frames.push(frame);
        let body = &self.program.functions[function].body;
        self.block(body, None)?;
        Ok(self.leave())
    }

    /// Goes on in the outermost frame, once the one that it called has come back.
    fn resume(&mut self) -> Result<String, Stop> {
        let inner = self.frames.split_off(1);
        let at = self.frame().at;
        let mut result = None;
        if !inner.is_empty() {
            let outer = std::mem::replace(&mut self.frames, inner);
            result = Some(self.resume()?);
            self.frames = outer;
        }
        let body = &self.function().body;
        self.block(body, Some(&Resume { at, result }))?;
        Ok(self.leave())
    }

    fn leave(&mut self) -> String {
        self.frames.pop().expect("it was entered").out.join(" ")
    }

    fn block(&mut self, body: &'p [Stmt], resume: Option<&Resume>) -> Result<(), Stop> {
        let mut resume = resume;
        for stmt in body {
            match resume {
                Some(to) if !holds(stmt, to.at) => {}
                _ => self.stmt(stmt, resume.take())?,
            }
        }
        if resume.is_some() { Err(Stop::NoRightWay) } else { Ok(()) }
    }

    fn stmt(&mut self, stmt: &'p Stmt, resume: Option<&Resume>) -> Result<(), Stop> {
        match stmt {
            Stmt::Let { var, from } => {
                let value = make(self.function().vars[*var].ty, self.num(from)?);
                self.frame().env.insert(*var, value);
            }
            Stmt::Bump { var, by } => {
                let Value::Number(number) = self.read(*var)? else { return Err(Stop::NoRightWay) };
                self.frame().env.insert(*var, Value::Number(number + i128::from(*by)));
            }
            Stmt::Note(vars) => {
                for var in vars {
                    let shown = self.read(*var)?.show(self.function().vars[*var].ty);
                    self.frame().out.push(shown);
                }
            }
            Stmt::Wait(wait) => self.wait(wait, resume)?,
            Stmt::If { cond, then, other } => {
                let holds = match resume {
                    Some(to) => then.iter().any(|stmt| self::holds(stmt, to.at)),
                    None => self.num(cond)?.is_multiple_of(2),
                };
                self.block(if holds { then } else { other }, resume)?;
            }
            Stmt::Match { on, arms, .. } => {
                let arm = match resume {
                    Some(to) => arms.iter().position(|arm| arm.iter().any(|stmt| self::holds(stmt, to.at))),
                    None => Some((self.num(on)? % 3) as usize),
                };
                self.block(&arms[arm.ok_or(Stop::NoRightWay)?], resume)?;
            }
            Stmt::For { id, var, over, body } => self.repeat(*id, *var, *over, body, resume)?,
            Stmt::Block(body) => self.block(body, resume)?,
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        id: Id,
        var: VarId,
        over: Over,
        body: &'p [Stmt],
        resume: Option<&Resume>,
    ) -> Result<(), Stop> {
        let mut resume = resume;
        let mut items = match over {
            Over::Count(count) => (0..i128::from(count)).collect(),
            _ => self.items(over)?,
        };
        let mut next = 0;
        if resume.is_some() {
            let state = self.frame().loops.get(&id).cloned().ok_or(Stop::NoRightWay)?;
            // What is counted goes on as it began; a list is asked again, in the same order.
            match (state.over, over) {
                (Over::Count(_), Over::Count(_)) => items = state.rest,
                (Over::Rev(_), Over::Rev(_)) => {}
                (Over::Ref(_) | Over::Iter(_), Over::Ref(_) | Over::Iter(_)) => {}
                _ => return Err(Stop::NoRightWay),
            }
            next = state.next;
        }
        loop {
            if resume.is_none() {
                let Some(item) = items.get(next) else { break };
                let item = Value::Number(*item);
                next += 1;
                self.frame().env.insert(var, item);
                self.frame().loops.insert(id, Loop { rest: items.clone(), next, over });
            } else if over.list().is_some() {
                // It is looked up again.
                let item = items.get(next - 1).copied().ok_or(Stop::NoRightWay)?;
                self.frame().env.insert(var, Value::Number(item));
            }
            self.block(body, resume.take())?;
        }
        self.frame().loops.remove(&id);
        Ok(())
    }

    fn items(&mut self, over: Over) -> Result<Vec<i128>, Stop> {
        let Some(list) = over.list() else { return Err(Stop::NoRightWay) };
        let Value::List(mut items) = self.read(list)? else { return Err(Stop::NoRightWay) };
        if matches!(over, Over::Rev(_)) {
            items.reverse();
        }
        Ok(items)
    }

    fn wait(&mut self, wait: &'p Wait, resume: Option<&Resume>) -> Result<(), Stop> {
        let given = match (&wait.op, resume) {
            (Op::Sleep, None) => {
                self.stand(wait.id, Vec::new())?;
                Vec::new()
            }
            (Op::Sleep, Some(_)) => Vec::new(),
            (Op::Helper(num), None) => {
                self.frame().at = wait.id;
                let input = self.num(num)?;
                vec![Value::Text(self.enter(1, input)?)]
            }
            (Op::Helper(_), Some(resume)) => {
                vec![Value::Text(resume.result.clone().ok_or(Stop::NoRightWay)?)]
            }
            (op, None) => {
                let mut pending = Vec::new();
                for Call { id, callee, args } in op.calls() {
                    let args: Result<Vec<_>, _> = args.iter().map(|arg| self.num(arg)).collect();
                    pending.push(Pending { id: *id, callee: *callee, args: args? });
                }
                self.stand(wait.id, pending.clone())?;
                self.answer(op, &pending)?
            }
            (op, Some(_)) => {
                let pending = std::mem::take(&mut self.pending);
                self.answer(op, &pending)?
            }
        };
        for (var, value) in wait.binds.iter().zip(given) {
            self.frame().env.insert(*var, value);
        }
        Ok(())
    }

    /// What the calls give, each known by its number.
    fn answer(&mut self, op: &Op, pending: &[Pending]) -> Result<Vec<Value>, Stop> {
        let calls = op.calls();
        let mut given = Vec::new();
        for call in &calls {
            let made = pending.iter().find(|made| (made.id, made.callee) == (call.id, call.callee));
            given.push(answer(made.ok_or(Stop::NoRightWay)?));
        }
        if calls.len() != pending.len() {
            return Err(Stop::NoRightWay);
        }
        let mut turn: Vec<_> = pending.iter().map(shown).collect();
        turn.sort();
        self.calls.push(turn);
        Ok(given)
    }

    fn stand(&mut self, at: Id, pending: Vec<Pending>) -> Result<(), Stop> {
        self.frame().at = at;
        let turns = self.calls.len();
        if self.stands.len() > self.most {
            return Err(Stop::TooLong);
        }
        self.stands.push(Standing { frames: self.frames.clone(), pending, turns });
        Ok(())
    }

    fn read(&self, var: VarId) -> Result<Value, Stop> {
        let frame = self.frames.last().expect("it is in a function");
        frame.env.get(&var).cloned().ok_or(Stop::NoRightWay)
    }

    fn num(&self, num: &Num) -> Result<u64, Stop> {
        match num {
            Num::Lit(number) => Ok(*number),
            Num::Of(var, more) => Ok(self.read(*var)?.num() + more),
        }
    }
}

/// Where to go on, with what the workflow that was called there gave.
struct Resume {
    at: Id,
    result: Option<String>,
}

fn holds(stmt: &Stmt, at: Id) -> bool {
    matches!(stmt, Stmt::Wait(wait) if wait.id == at)
        || stmt.blocks().into_iter().any(|(_, block)| block.iter().any(|stmt| holds(stmt, at)))
}

fn shown(call: &Pending) -> String {
    let args: Vec<_> = call.args.iter().map(ToString::to_string).collect();
    format!("{}({})", CALLEES[call.callee].0, args.join(", "))
}

/// What the activities of the world give.
fn answer(call: &Pending) -> Value {
    let (name, _, ty) = CALLEES[call.callee];
    match (name, &call.args[..]) {
        ("charge", [a, b]) => make(ty, (a * 31 + b * 7 + 1) % 100_019),
        ("reserve", [a]) => make(ty, (a * 13 + 5) % 100_003),
        ("mail", [a]) => Value::Text(format!("m{a}")),
        (_, args) => make(ty, args[0]),
    }
}
