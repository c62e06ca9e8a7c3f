//! Writes random programs that compile as plain async Rust by construction.
//!
//! It is directed by types: [`expr`] writes an expression of a wanted type, [`stmt`] writes statements, [`pattern`] patterns,
//! and `scope` knows what may be mentioned, moved, borrowed and assigned. Loops are bounded by counters; numbers wrap, and
//! vectors have at least two elements, so that no program panics; the calls of a program are bounded by the number of its awaits times
//! the iterations around each.
//!
//! Deliberately absent: what [the language](../../../docs/language.md) says is refused. What the compiler refuses beyond that is
//! a finding.

mod expr;
mod pattern;
mod scope;
mod stmt;

use fastrand::Rng;

use crate::tree::{Function, Program};
use crate::types::Ty;
use scope::Scope;

/// Names are few, so that they shadow each other.
const NAMES: &[&str] = &["a", "b", "c", "d", "e", "g", "h", "p", "q", "r", "s", "t", "u", "v", "w"];

/// A function that can be called.
#[derive(Clone, Debug)]
struct Callee {
    name: String,
    params: Vec<Param>,
    ret: Ty,
    awaited: bool,
}

#[derive(Clone, Debug)]
enum Param {
    Value(Ty),
    Borrow(Ty),
    /// Counts down.
    Depth,
}

/// A loop or labelled block around.
#[derive(Clone, Debug)]
struct Target {
    label: Option<String>,
    is_loop: bool,
    /// The type that a `break` gives, if it has to give one.
    value: Option<Ty>,
}

/// What may stand in the place that is being written.
#[derive(Clone, Copy, Debug)]
struct Here {
    awaits: bool,
    /// Reads alone: no moves, no assignments, no jumps. Closures, guards.
    pure: bool,
    jumps: bool,
    /// How often it runs for each run of the function.
    times: u32,
}

struct Generator {
    rng: Rng,
    scope: Scope,
    callees: Vec<Callee>,
    targets: Vec<Target>,
    here: Here,
    ret: Ty,
    /// How much more is to be written.
    fuel: i32,
    labels: u32,
    temps: u32,
}

/// The program of a seed.
pub(crate) fn generate(seed: u64) -> Program {
    let mut rng = Rng::with_seed(seed);
    let helpers = rng.usize(..3);
    program(rng, helpers, 50..160)
}

/// A smaller one, of one function.
pub(crate) fn generate_small(seed: u64) -> Program {
    program(Rng::with_seed(seed), 0, 20..45)
}

fn program(mut rng: Rng, helpers: usize, size: std::ops::Range<i32>) -> Program {
    let mut callees = world();
    let mut functions = Vec::new();
    for at in 0..helpers {
        let function = helper(&mut rng, &mut callees, at);
        functions.push(function);
    }
    let ret = match rng.u32(..4) {
        0 => Ty::Text,
        1 => Ty::Tuple(vec![Ty::Int, Ty::Text]),
        2 => Ty::result(Ty::Int),
        _ => Ty::result(Ty::Text),
    };
    let fuel = rng.i32(size);
    let mut generator = Generator::new(rng, callees, ret.clone(), fuel);
    generator.scope.declare("n", &Ty::Int, false);
    let mut params = "n: i64".to_owned();
    if generator.one_in(3) {
        let mutable = generator.one_in(2);
        generator.scope.declare("o", &Ty::Order, mutable);
        params.push_str(if mutable { ", mut o: Order" } else { ", o: Order" });
    } else {
        params.push_str(", _: Order");
    }
    let body = generator.body();
    functions.push(Function { name: "entry".into(), params, ret, recursive: false, body });
    Program { functions }
}

/// A workflow that the entry calls.
fn helper(rng: &mut Rng, callees: &mut Vec<Callee>, at: usize) -> Function {
    let name = format!("helper_{at}");
    let recursive = rng.u32(..3) == 0;
    let pick = |rng: &mut Rng| {
        [Ty::Int, Ty::Text, Ty::option(Ty::Int), Ty::Order, Ty::Event][rng.usize(..5)].clone()
    };
    let ret = match rng.u32(..3) {
        0 => Ty::Int,
        1 => Ty::result(Ty::Int),
        _ => Ty::Text,
    };
    let mut params = Vec::new();
    if recursive {
        params.push(Param::Depth);
    }
    for _ in 0..rng.usize(1..3) {
        let ty = pick(rng);
        // The plain twin of a recursive function is boxed, and would have to name the lifetime.
        params.push(if rng.bool() || recursive { Param::Value(ty) } else { Param::Borrow(ty) });
    }
    let callee = Callee { name: name.clone(), params: params.clone(), ret: ret.clone(), awaited: true };
    let fuel = rng.i32(15..50);
    let mut generator = Generator::new(rng.fork(), callees.clone(), ret.clone(), fuel);
    let mut list = Vec::new();
    for (at, param) in params.iter().enumerate() {
        let name = ["x", "y", "z"][at];
        let mutable = generator.one_in(3);
        let (ty, text) = match param {
            Param::Depth => (Ty::Int, "i64".to_owned()),
            Param::Value(ty) => (ty.clone(), ty.to_string()),
            Param::Borrow(ty) => (Ty::Ref(Box::new(ty.clone())), format!("&{ty}")),
        };
        let mutable = mutable && matches!(param, Param::Value(_));
        generator.scope.declare(name, &ty, mutable);
        list.push(format!("{}{name}: {text}", if mutable { "mut " } else { "" }));
    }
    // What a helper makes counts for each of its calls.
    generator.here.times = if recursive { 6 } else { 3 };
    let body = if recursive { generator.recursive_body(&callee) } else { generator.body() };
    callees.push(callee);
    Function { name, params: list.join(", "), ret, recursive, body }
}

/// What `world.rs` offers.
fn world() -> Vec<Callee> {
    let int = || Param::Value(Ty::Int);
    let text = || Param::Borrow(Ty::Text);
    let entries = [
        ("get", vec![int()], Ty::Int),
        ("add", vec![int(), int()], Ty::Int),
        ("flag", vec![int()], Ty::Bool),
        ("say", vec![text()], Ty::Text),
        ("keep", vec![Param::Value(Ty::Text)], Ty::Text),
        ("join", vec![text(), text()], Ty::Text),
        ("record", vec![text()], Ty::Unit),
        ("list", vec![int()], Ty::ints()),
        ("words", vec![int()], Ty::texts()),
        ("maybe", vec![int()], Ty::option(Ty::Int)),
        ("hint", vec![int()], Ty::option(Ty::Text)),
        ("both", vec![int()], Ty::pair()),
        ("event", vec![int()], Ty::Event),
        ("item", vec![int()], Ty::Item),
        ("order", vec![int()], Ty::Order),
        ("price", vec![Param::Borrow(Ty::Item)], Ty::Int),
        ("ship", vec![Param::Value(Ty::Order)], Ty::Order),
        ("total", vec![Param::Borrow(Ty::ints())], Ty::Int),
        ("attempt", vec![int()], Ty::result(Ty::Int)),
        ("digits", vec![text()], Ty::result(Ty::Text)),
    ];
    let mut callees: Vec<Callee> = entries
        .into_iter()
        .map(|(name, params, ret)| Callee { name: name.into(), params, ret, awaited: true })
        .collect();
    for (name, params, ret) in [("tap", vec![int()], Ty::Int), ("mark", vec![text()], Ty::Text)] {
        callees.push(Callee { name: name.into(), params, ret, awaited: false });
    }
    callees
}

impl Generator {
    fn new(rng: Rng, callees: Vec<Callee>, ret: Ty, fuel: i32) -> Self {
        Generator {
            rng,
            scope: Scope::default(),
            callees,
            targets: Vec::new(),
            here: Here { awaits: true, pure: false, jumps: true, times: 1 },
            ret,
            fuel,
            labels: 0,
            temps: 0,
        }
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.rng.u32(..n) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.rng.usize(..from.len())].clone())
    }

    fn name(&mut self) -> String {
        NAMES[self.rng.usize(..NAMES.len())].to_owned()
    }

    /// A name that nothing else has.
    fn temp(&mut self, prefix: &str) -> String {
        self.temps += 1;
        format!("{prefix}{}", self.temps)
    }

    /// A label, or none for what needs none.
    fn label(&mut self, needed: bool) -> Option<String> {
        (needed || self.one_in(4)).then(|| {
            self.labels += 1;
            // Labels shadow each other too.
            format!("'l{}", self.labels % 3)
        })
    }

    fn with<T>(&mut self, here: Here, write: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.here, here);
        let written = write(self);
        self.here = before;
        written
    }

    fn may_await(&self) -> bool {
        self.here.awaits && self.here.times <= 12
    }

    fn fallible(&self) -> bool {
        matches!(self.ret, Ty::Result(_))
    }
}
