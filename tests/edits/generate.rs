//! Random workflows that compile.

use crate::{
    interpret::{Stop, run},
    tree::{CALLEES, Call, Function, Id, Num, Op, Over, Program, Stmt, Ty, Var, VarId, Wait},
};

/// What makes and edits workflows.
pub(crate) struct Maker {
    pub(crate) rng: fastrand::Rng,
    next: Id,
}

impl Maker {
    pub(crate) fn new(seed: u64) -> Self {
        Maker { rng: fastrand::Rng::with_seed(seed), next: 0 }
    }

    pub(crate) fn id(&mut self) -> Id {
        self.next += 1;
        self.next
    }

    /// A workflow that ends soon, and stands somewhere on its way.
    pub(crate) fn program(&mut self) -> Program {
        loop {
            let mut program = Program { functions: vec![self.function(true)] };
            let calls = |function: &Function| {
                function.points().iter().any(|point| matches!(point.wait.op, Op::Helper(_)))
            };
            if calls(&program.functions[0]) {
                let helper = self.function(false);
                program.functions.push(helper);
            }
            assert!(program.is_valid(), "{}", program.print("invalid"));
            match run(&program) {
                Ok((stands, _)) if stands.len() > 1 => return program,
                Ok(_) | Err(Stop::TooLong) => {}
                Err(Stop::NoRightWay) => panic!("what is valid runs: {}", program.print("stuck")),
            }
        }
    }

    fn function(&mut self, outer: bool) -> Function {
        let param = Var { name: "n".into(), was: None, ty: Ty::U64 };
        let mut function = Function { vars: vec![param], body: Vec::new() };
        let mut scope = vec![0];
        let mut body = Vec::new();
        for _ in 0..self.rng.usize(1..4) {
            body.push(self.declare(&mut function, &mut scope));
        }
        let most = if outer { 5 } else { 3 };
        self.block(&mut function, &mut scope, &mut body, 2, most, outer);
        let noted = scope.iter().copied().filter(|_| self.rng.u8(0..3) > 0).collect();
        body.push(Stmt::Note(noted));
        function.body = body;
        function
    }

    fn block(
        &mut self,
        function: &mut Function,
        scope: &mut Vec<VarId>,
        body: &mut Vec<Stmt>,
        depth: u32,
        most: usize,
        outer: bool,
    ) {
        for _ in 0..self.rng.usize(1..=most) {
            let inner = self.rng.u8(0..if depth == 0 { 8 } else { 12 });
            let stmt = match inner {
                0..4 => self.wait(function, scope, outer),
                4 => self.declare(function, scope),
                5 => Stmt::Note(self.some(scope)),
                6 => match self.one_that(function, scope, Ty::counts) {
                    Some(var) => Stmt::Bump { var, by: self.rng.u64(1..5) },
                    None => Stmt::Note(self.some(scope)),
                },
                7 => Stmt::Wait(self.waiting(Op::Sleep)),
                8 => {
                    let cond = self.num(scope);
                    let then = self.inner(function, scope, depth, outer);
                    let other =
                        if self.rng.bool() { self.inner(function, scope, depth, outer) } else { Vec::new() };
                    Stmt::If { cond, then, other }
                }
                9 => {
                    let on = self.num(scope);
                    let arms = std::array::from_fn(|_| self.inner(function, scope, depth, outer));
                    Stmt::Match { on, order: [0, 1, 2], arms }
                }
                10 => Stmt::Block(self.inner(function, scope, depth, outer)),
                _ => {
                    let (over, ty) = match self.one_that(function, scope, Ty::is_list) {
                        Some(list) if self.rng.bool() => {
                            let ty = if function.vars[list].ty == Ty::List32 { Ty::U32 } else { Ty::U64 };
                            (if self.rng.bool() { Over::Ref(list) } else { Over::Iter(list) }, ty)
                        }
                        _ => (Over::Count(self.rng.u64(1..4)), Ty::U64),
                    };
                    let id = self.id();
                    let var = self.var(function, ty);
                    let mut scope = scope.clone();
                    // What a reference stands for is not counted up.
                    if over.list().is_none() {
                        scope.push(var);
                    }
                    let mut body = vec![Stmt::Note(vec![var])];
                    self.block(function, &mut scope, &mut body, depth - 1, 2, outer);
                    if self.rng.bool() {
                        body.push(Stmt::Note(vec![var]));
                    }
                    Stmt::For { id, var, over, body }
                }
            };
            body.push(stmt);
        }
    }

    fn inner(&mut self, function: &mut Function, scope: &[VarId], depth: u32, outer: bool) -> Vec<Stmt> {
        let mut body = Vec::new();
        self.block(function, &mut scope.to_vec(), &mut body, depth - 1, 2, outer);
        body
    }

    /// A variable of a name that no other has.
    pub(crate) fn var(&mut self, function: &mut Function, ty: Ty) -> VarId {
        const NAMES: [&str; 6] = ["total", "sku", "fee", "paid", "item", "left"];
        let name = format!("{}{}", NAMES[self.rng.usize(0..NAMES.len())], function.vars.len());
        function.vars.push(Var { name, was: None, ty });
        function.vars.len() - 1
    }

    pub(crate) fn ty(&mut self) -> Ty {
        // Wide and strict ones come by an edit.
        const TYPES: [Ty; 10] = [
            Ty::U8,
            Ty::U32,
            Ty::U32,
            Ty::U64,
            Ty::Flag,
            Ty::Text,
            Ty::OptU32,
            Ty::List32,
            Ty::Item,
            Ty::Kind,
        ];
        TYPES[self.rng.usize(0..TYPES.len())]
    }

    pub(crate) fn declare(&mut self, function: &mut Function, scope: &mut Vec<VarId>) -> Stmt {
        let from = self.num(scope);
        let ty = self.ty();
        let var = self.var(function, ty);
        scope.push(var);
        Stmt::Let { var, from }
    }

    pub(crate) fn num(&mut self, scope: &[VarId]) -> Num {
        match self.rng.u8(0..5) {
            0 => Num::Lit(self.rng.u64(1..4)),
            1 => Num::Of(scope[self.rng.usize(0..scope.len())], self.rng.u64(1..900)),
            _ => Num::Of(scope[self.rng.usize(0..scope.len())], 0),
        }
    }

    fn some(&mut self, scope: &[VarId]) -> Vec<VarId> {
        vec![scope[self.rng.usize(0..scope.len())]]
    }

    fn one_that(&mut self, function: &Function, scope: &[VarId], fits: impl Fn(Ty) -> bool) -> Option<VarId> {
        let fitting: Vec<_> =
            scope.iter().copied().filter(|var| *var > 0 && fits(function.vars[*var].ty)).collect();
        (!fitting.is_empty()).then(|| fitting[self.rng.usize(0..fitting.len())])
    }

    pub(crate) fn call(&mut self, scope: &[VarId]) -> Call {
        // Mostly the first ones: calls that might be mistaken for one another.
        let callee = self.rng.usize(0..CALLEES.len()).min(self.rng.usize(0..CALLEES.len()));
        let args = (0..CALLEES[callee].1)
            .map(|_| if self.rng.bool() { Num::Lit(self.rng.u64(1..4)) } else { self.num(scope) })
            .collect();
        Call { id: self.id(), callee, args }
    }

    pub(crate) fn waiting(&mut self, op: Op) -> Wait {
        Wait { id: self.id(), op, binds: Vec::new(), name: None, was: None }
    }

    pub(crate) fn wait(&mut self, function: &mut Function, scope: &mut Vec<VarId>, outer: bool) -> Stmt {
        let op = match self.rng.u8(0..10) {
            0..7 => Op::Call(self.call(scope)),
            7 if outer => Op::Helper(self.num(scope)),
            _ => Op::Join(self.call(scope), self.call(scope)),
        };
        let mut wait = self.waiting(op);
        if self.rng.u8(0..8) == 0 {
            wait.name = Some(format!("step{}", wait.id));
        }
        let gives = wait.op.gives();
        if self.rng.u8(0..4) > 0 {
            wait.binds = gives.into_iter().map(|ty| self.var(function, ty)).collect();
            scope.extend(&wait.binds);
        }
        Stmt::Wait(wait)
    }
}
