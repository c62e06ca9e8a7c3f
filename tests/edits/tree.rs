//! Workflows as trees: what is generated, edited, printed as Rust and interpreted.
//!
//! A variable is its place in [`Function::vars`], an await is its number: an edit keeps both for what it only moves, renames or
//! retypes, so that they tell what is what in both versions. The compiler never sees them.

use std::{collections::BTreeSet, fmt::Write as _};

/// A variable, by its place in its function's list.
pub(crate) type VarId = usize;
/// An await, a call within one, or a loop.
pub(crate) type Id = u32;

/// What variables are of, as `world.rs` declares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    U8,
    U32,
    U64,
    I64,
    Float,
    Flag,
    Text,
    OptU32,
    OptU64,
    List32,
    List64,
    Item,
    ItemWide,
    ItemStrict,
    Kind,
    KindMore,
    KindOther,
}

impl Ty {
    pub(crate) const ALL: [Ty; 17] = [
        Ty::U8,
        Ty::U32,
        Ty::U64,
        Ty::I64,
        Ty::Float,
        Ty::Flag,
        Ty::Text,
        Ty::OptU32,
        Ty::OptU64,
        Ty::List32,
        Ty::List64,
        Ty::Item,
        Ty::ItemWide,
        Ty::ItemStrict,
        Ty::Kind,
        Ty::KindMore,
        Ty::KindOther,
    ];

    fn name(self) -> &'static str {
        match self {
            Ty::U8 => "u8",
            Ty::U32 => "u32",
            Ty::U64 => "u64",
            Ty::I64 => "i64",
            Ty::Float => "f64",
            Ty::Flag => "bool",
            Ty::Text => "String",
            Ty::OptU32 => "Option<u32>",
            Ty::OptU64 => "Option<u64>",
            Ty::List32 => "Vec<u32>",
            Ty::List64 => "Vec<u64>",
            Ty::Item => "Item",
            Ty::ItemWide => "wide::Item",
            Ty::ItemStrict => "strict::Item",
            Ty::Kind => "Kind",
            Ty::KindMore => "more::Kind",
            Ty::KindOther => "other::Kind",
        }
    }

    pub(crate) fn is_list(self) -> bool {
        matches!(self, Ty::List32 | Ty::List64)
    }

    pub(crate) fn counts(self) -> bool {
        matches!(self, Ty::U32 | Ty::U64)
    }
}

/// The activities: their names, how many numbers they take, what they give.
pub(crate) const CALLEES: [(&str, usize, Ty); 4] =
    [("charge", 2, Ty::U64), ("reserve", 1, Ty::U64), ("mail", 1, Ty::Text), ("stock", 1, Ty::List64)];

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Var {
    pub(crate) name: String,
    /// `#[was("..")]`
    pub(crate) was: Option<String>,
    pub(crate) ty: Ty,
}

/// A number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Num {
    Lit(u64),
    /// What a variable counts as, and so much more.
    Of(VarId, u64),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) id: Id,
    pub(crate) callee: usize,
    pub(crate) args: Vec<Num>,
}

/// What is awaited.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    Call(Call),
    Join(Call, Call),
    Sleep,
    /// The other workflow.
    Helper(Num),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wait {
    pub(crate) id: Id,
    pub(crate) op: Op,
    /// One for each value that it gives, or none.
    pub(crate) binds: Vec<VarId>,
    /// `#[resume("..")]`
    pub(crate) name: Option<String>,
    /// `#[resume(was = "..")]`
    pub(crate) was: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Over {
    /// `0..n`
    Count(u64),
    /// `&list`
    Ref(VarId),
    /// `list.iter()`
    Iter(VarId),
    /// `list.iter().rev()`
    Rev(VarId),
}

impl Over {
    pub(crate) fn list(self) -> Option<VarId> {
        match self {
            Over::Count(_) => None,
            Over::Ref(list) | Over::Iter(list) | Over::Rev(list) => Some(list),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stmt {
    Let {
        var: VarId,
        from: Num,
    },
    Bump {
        var: VarId,
        by: u64,
    },
    /// The values become part of the result.
    Note(Vec<VarId>),
    Wait(Wait),
    If {
        cond: Num,
        then: Vec<Stmt>,
        other: Vec<Stmt>,
    },
    /// Arms for 0, 1 and the rest, in this order.
    Match {
        on: Num,
        order: [usize; 3],
        arms: [Vec<Stmt>; 3],
    },
    For {
        id: Id,
        var: VarId,
        over: Over,
        body: Vec<Stmt>,
    },
    Block(Vec<Stmt>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Function {
    /// The first is the parameter.
    pub(crate) vars: Vec<Var>,
    pub(crate) body: Vec<Stmt>,
}

/// A workflow, and one that it may call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program {
    pub(crate) functions: Vec<Function>,
}

impl Stmt {
    /// The blocks within, with what leads there.
    pub(crate) fn blocks(&self) -> Vec<(String, &Vec<Stmt>)> {
        match self {
            Stmt::If { then, other, .. } => vec![("if.then".into(), then), ("if.else".into(), other)],
            Stmt::Match { arms, .. } => {
                arms.iter().enumerate().map(|(at, arm)| (format!("match.{at}"), arm)).collect()
            }
            Stmt::For { body, .. } => vec![("for".into(), body)],
            Stmt::Block(body) => vec![("block".into(), body)],
            Stmt::Let { .. } | Stmt::Bump { .. } | Stmt::Note(_) | Stmt::Wait(_) => Vec::new(),
        }
    }

    pub(crate) fn blocks_mut(&mut self) -> Vec<&mut Vec<Stmt>> {
        match self {
            Stmt::If { then, other, .. } => vec![then, other],
            Stmt::Match { arms, .. } => arms.iter_mut().collect(),
            Stmt::For { body, .. } | Stmt::Block(body) => vec![body],
            Stmt::Let { .. } | Stmt::Bump { .. } | Stmt::Note(_) | Stmt::Wait(_) => Vec::new(),
        }
    }

    /// The number that it begins with, if it is no await.
    pub(crate) fn num_mut(&mut self) -> Option<&mut Num> {
        match self {
            Stmt::Let { from: num, .. } | Stmt::If { cond: num, .. } | Stmt::Match { on: num, .. } => {
                Some(num)
            }
            _ => None,
        }
    }
}

impl Op {
    pub(crate) fn calls(&self) -> Vec<&Call> {
        match self {
            Op::Call(call) => vec![call],
            Op::Join(one, other) => vec![one, other],
            Op::Sleep | Op::Helper(_) => Vec::new(),
        }
    }

    pub(crate) fn calls_mut(&mut self) -> Vec<&mut Call> {
        match self {
            Op::Call(call) => vec![call],
            Op::Join(one, other) => vec![one, other],
            Op::Sleep | Op::Helper(_) => Vec::new(),
        }
    }

    pub(crate) fn nums(&self) -> Vec<&Num> {
        match self {
            Op::Helper(num) => vec![num],
            other => other.calls().into_iter().flat_map(|call| &call.args).collect(),
        }
    }

    pub(crate) fn nums_mut(&mut self) -> Vec<&mut Num> {
        match self {
            Op::Helper(num) => vec![num],
            other => other.calls_mut().into_iter().flat_map(|call| &mut call.args).collect(),
        }
    }

    /// What the compiler knows it by.
    pub(crate) fn callee(&self) -> &'static str {
        match self {
            Op::Call(call) => CALLEES[call.callee].0,
            Op::Join(..) => "join",
            Op::Sleep => "sleep",
            Op::Helper(_) => "helper",
        }
    }

    /// What it gives.
    pub(crate) fn gives(&self) -> Vec<Ty> {
        match self {
            Op::Helper(_) => vec![Ty::Text],
            other => other.calls().into_iter().map(|call| CALLEES[call.callee].2).collect(),
        }
    }
}

/// An await with where it stands: what leads there, without numbers.
#[derive(Clone, Debug)]
pub(crate) struct Point<'f> {
    pub(crate) wait: &'f Wait,
    pub(crate) place: Vec<String>,
}

impl Function {
    /// Its awaits, in source order.
    pub(crate) fn points(&self) -> Vec<Point<'_>> {
        fn go<'f>(body: &'f [Stmt], place: &mut Vec<String>, out: &mut Vec<Point<'f>>) {
            for stmt in body {
                if let Stmt::Wait(wait) = stmt {
                    out.push(Point { wait, place: place.clone() });
                }
                let mut blocks = stmt.blocks();
                if let Stmt::Match { order, .. } = stmt {
                    blocks = order.iter().map(|at| blocks[*at].clone()).collect();
                }
                for (name, block) in blocks {
                    place.push(name);
                    go(block, place, out);
                    place.pop();
                }
            }
        }
        let mut out = Vec::new();
        go(&self.body, &mut Vec::new(), &mut out);
        out
    }

    /// Whether every name means what it should, and everything has a type that can do what is done with it.
    pub(crate) fn is_valid(&self) -> bool {
        let mut scope = BTreeSet::from([0]);
        self.is_valid_block(&self.body, &mut scope)
    }

    fn is_valid_block(&self, body: &[Stmt], scope: &mut BTreeSet<VarId>) -> bool {
        let num = |num: &Num, scope: &BTreeSet<VarId>| match num {
            Num::Lit(_) => true,
            Num::Of(var, _) => scope.contains(var),
        };
        for stmt in body {
            let fine = match stmt {
                Stmt::Let { from, .. } => num(from, scope),
                Stmt::Bump { var, .. } => scope.contains(var) && self.vars[*var].ty.counts(),
                Stmt::Note(vars) => vars.iter().all(|var| scope.contains(var)),
                Stmt::Wait(wait) => {
                    let types: Vec<_> = wait.binds.iter().map(|var| self.vars[*var].ty).collect();
                    wait.op.nums().iter().all(|one| num(one, scope))
                        && (types.is_empty() || types == wait.op.gives())
                }
                Stmt::If { cond: one, .. } | Stmt::Match { on: one, .. } => num(one, scope),
                Stmt::For { over, .. } => {
                    over.list().is_none_or(|list| scope.contains(&list) && self.vars[list].ty.is_list())
                }
                Stmt::Block(_) => true,
            };
            let inner = stmt.blocks().into_iter().all(|(_, block)| {
                let mut scope = scope.clone();
                if let Stmt::For { var, .. } = stmt {
                    self.declare(*var, &mut scope);
                }
                self.is_valid_block(block, &mut scope)
            });
            if !fine || !inner {
                return false;
            }
            match stmt {
                Stmt::Let { var, .. } => self.declare(*var, scope),
                Stmt::Wait(wait) => wait.binds.iter().for_each(|var| self.declare(*var, scope)),
                _ => {}
            }
        }
        true
    }

    /// Shadows what has its name.
    fn declare(&self, var: VarId, scope: &mut BTreeSet<VarId>) {
        scope.retain(|other| self.vars[*other].name != self.vars[var].name);
        scope.insert(var);
    }
}

impl Program {
    pub(crate) fn is_valid(&self) -> bool {
        self.functions.iter().all(Function::is_valid)
    }

    /// As Rust, in a module of its own. `name` is the workflow's stored name.
    pub(crate) fn print(&self, name: &str) -> String {
        let mut out = String::new();
        for (at, function) in self.functions.iter().enumerate() {
            let (stored, ident) = (stored_name(name, at), ["flow", "helper"][at]);
            let param = &function.vars[0];
            let _ = write!(
                out,
                "#[workflow(name = \"{stored}\")]\npub async fn {ident}({}{}: u64) -> String {{\n    \
                 let mut out: Vec<String> = Vec::new();\n",
                was_attribute(param),
                param.name
            );
            Printer { function, out: &mut out }.block(&function.body, 1);
            out += "    out.join(\" \")\n}\n\n";
        }
        out
    }
}

/// The name that the engine knows a function of a version by.
pub(crate) fn stored_name(version: &str, function: usize) -> String {
    if function == 0 { version.to_owned() } else { format!("{version}_helper") }
}

fn was_attribute(var: &Var) -> String {
    var.was.as_ref().map_or(String::new(), |was| format!("#[was(\"{was}\")] "))
}

struct Printer<'a> {
    function: &'a Function,
    out: &'a mut String,
}

impl Printer<'_> {
    fn name(&self, var: VarId) -> &str {
        &self.function.vars[var].name
    }

    fn num(&self, num: &Num) -> String {
        print_num(self.function, num)
    }

    fn is_bumped(&self, var: VarId) -> bool {
        fn any(body: &[Stmt], var: VarId) -> bool {
            body.iter().any(|stmt| {
                matches!(stmt, Stmt::Bump { var: one, .. } if *one == var)
                    || stmt.blocks().into_iter().any(|(_, block)| any(block, var))
            })
        }
        any(&self.function.body, var)
    }

    fn block(&mut self, body: &[Stmt], depth: usize) {
        for stmt in body {
            self.stmt(stmt, depth);
        }
    }

    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.out, "{:width$}{text}", "", width = 4 * depth);
    }

    fn stmt(&mut self, stmt: &Stmt, depth: usize) {
        match stmt {
            Stmt::Let { var, from } => {
                let (of, mutable) =
                    (&self.function.vars[*var], if self.is_bumped(*var) { "mut " } else { "" });
                let was = was_attribute(of);
                let text =
                    format!("{was}let {mutable}{}: {} = make({});", of.name, of.ty.name(), self.num(from));
                self.line(depth, &text);
            }
            Stmt::Bump { var, by } => {
                let text = format!("{0} = {0}.wrapping_add({by});", self.name(*var));
                self.line(depth, &text);
            }
            Stmt::Note(vars) => vars.iter().for_each(|var| {
                let text = format!("out.push(show(&{}));", self.name(*var));
                self.line(depth, &text);
            }),
            Stmt::Wait(wait) => {
                let text = self.wait(wait);
                self.line(depth, &text);
            }
            Stmt::If { cond, then, other } => {
                let text = format!("if ({}) % 2 == 0 {{", self.num(cond));
                self.line(depth, &text);
                self.block(then, depth + 1);
                if !other.is_empty() {
                    self.line(depth, "} else {");
                    self.block(other, depth + 1);
                }
                self.line(depth, "}");
            }
            Stmt::Match { on, order, arms } => {
                let text = format!("match ({}) % 3 {{", self.num(on));
                self.line(depth, &text);
                for at in order {
                    let text = ["0 => {", "1 => {", "_ => {"][*at];
                    self.line(depth + 1, text);
                    self.block(&arms[*at], depth + 2);
                    self.line(depth + 1, "}");
                }
                self.line(depth, "}");
            }
            Stmt::For { var, over, body, .. } => {
                let over = match over {
                    Over::Count(count) => format!("0..{count}u64"),
                    Over::Ref(list) => format!("&{}", self.name(*list)),
                    Over::Iter(list) => format!("{}.iter()", self.name(*list)),
                    Over::Rev(list) => format!("{}.iter().rev()", self.name(*list)),
                };
                let text = format!("for {} in {over} {{", self.binding(*var));
                self.line(depth, &text);
                self.block(body, depth + 1);
                self.line(depth, "}");
            }
            Stmt::Block(body) => {
                self.line(depth, "{");
                self.block(body, depth + 1);
                self.line(depth, "}");
            }
        }
    }

    fn wait(&self, wait: &Wait) -> String {
        let said = match (&wait.name, &wait.was) {
            (None, None) => String::new(),
            (Some(name), None) => format!("#[resume(\"{name}\")] "),
            (None, Some(was)) => format!("#[resume(was = \"{was}\")] "),
            (Some(name), Some(was)) => format!("#[resume(\"{name}\", was = \"{was}\")] "),
        };
        let binds: Vec<_> = wait.binds.iter().map(|var| self.binding(*var)).collect();
        let bound = match &binds[..] {
            [] => String::new(),
            [one] => format!("{}let {one} = ", was_attribute(&self.function.vars[wait.binds[0]])),
            several => format!("let ({}) = ", several.join(", ")),
        };
        format!("{said}{bound}{}.await;", print_op(self.function, &wait.op))
    }

    fn binding(&self, var: VarId) -> String {
        let mutable = if self.is_bumped(var) { "mut " } else { "" };
        format!("{mutable}{}", self.name(var))
    }
}

fn print_num(function: &Function, num: &Num) -> String {
    match num {
        Num::Lit(number) => number.to_string(),
        Num::Of(var, 0) => format!("num(&{})", function.vars[*var].name),
        Num::Of(var, more) => format!("num(&{}) + {more}", function.vars[*var].name),
    }
}

fn print_call(function: &Function, call: &Call) -> String {
    let args: Vec<_> = call.args.iter().map(|arg| print_num(function, arg)).collect();
    format!("{}({})", CALLEES[call.callee].0, args.join(", "))
}

/// What stands in front of `.await`.
pub(crate) fn print_op(function: &Function, op: &Op) -> String {
    match op {
        Op::Call(call) => print_call(function, call),
        Op::Join(one, other) => {
            format!("({}, {}).join()", print_call(function, one), print_call(function, other))
        }
        Op::Sleep => "sleep(TAKES)".into(),
        Op::Helper(num) => format!("helper({})", print_num(function, num)),
    }
}
