//! A random program: its tree, and how it is written as Rust.
//!
//! Bindings have numbers of their own, so that the direct interpreter knows nothing of scopes; names are shared on purpose,
//! and the compiler has to tell the bindings apart.

use super::value::{Activity, FIELDS};
use std::fmt::Write;

/// A binding, by its place in `Program::vars`.
pub(super) type Var = usize;
/// A label, written `'x0`.
pub(super) type Label = usize;

/// A workflow.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) vars: Vec<VarInfo>,
    pub(super) params: Vec<Pat>,
    pub(super) body: Block,
}

#[derive(Clone, Debug)]
pub(super) struct VarInfo {
    pub(super) name: &'static str,
    pub(super) mutable: bool,
    pub(super) ty: Ty,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ty {
    Unit,
    Int,
    Bool,
    Text,
    /// `Vec<i64>`
    List,
    /// `[i64; 3]`
    Array,
    Order,
    /// `(i64, String)`
    Pair,
    /// `Option<i64>`
    Maybe,
    /// `Result<i64, String>`
    Check,
    /// What `enumerate` counts with.
    Count,
    Ref(Box<Ty>),
    RefMut(Box<Ty>),
}

impl Ty {
    pub(super) fn is_copy(&self) -> bool {
        !matches!(self, Ty::Text | Ty::List | Ty::Order | Ty::Pair | Ty::Check | Ty::RefMut(_))
    }

    pub(super) fn written(&self) -> String {
        match self {
            Ty::Unit => "()".to_owned(),
            Ty::Int => "i64".to_owned(),
            Ty::Bool => "bool".to_owned(),
            Ty::Text => "String".to_owned(),
            Ty::List => "Vec<i64>".to_owned(),
            Ty::Array => "[i64; 3]".to_owned(),
            Ty::Order => "Order".to_owned(),
            Ty::Pair => "(i64, String)".to_owned(),
            Ty::Maybe => "Option<i64>".to_owned(),
            Ty::Check => "Result<i64, String>".to_owned(),
            Ty::Count => "usize".to_owned(),
            Ty::Ref(inner) => format!("&{}", inner.written()),
            Ty::RefMut(inner) => format!("&mut {}", inner.written()),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) stmts: Vec<Stmt>,
    pub(super) tail: Option<Box<Expr>>,
}

#[derive(Clone, Debug)]
pub(super) enum Stmt {
    Let {
        pat: Pat,
        /// Whether the type is written.
        typed: bool,
        init: Expr,
        otherwise: Option<Block>,
    },
    Deferred(Var),
    Expr(Expr),
}

#[derive(Clone, Debug)]
pub(super) enum Pat {
    Wild,
    Bind(Var),
    ByRef(Var),
    At(Var, Box<Pat>),
    Tuple(Vec<Pat>),
    Some(Box<Pat>),
    None,
    Ok(Box<Pat>),
    Err(Box<Pat>),
    Int(i64),
    Range(i64, i64),
    Bool(bool),
    Or(Vec<Pat>),
    /// Fields by number; `true`: the others are left out with `..`.
    Order(Vec<(usize, Pat)>),
}

/// A condition: `let` patterns and tests, joined by `&&`.
pub(super) type Cond = Vec<Test>;

#[derive(Clone, Debug)]
pub(super) enum Test {
    Is(Expr),
    Let(Pat, Expr),
}

#[derive(Clone, Debug)]
pub(super) struct Arm {
    pub(super) pat: Pat,
    pub(super) guard: Option<Expr>,
    pub(super) body: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Op {
    Less,
    Equal,
    BitAnd,
    BitXor,
    And,
    Or,
}

impl Op {
    pub(super) fn written(self) -> &'static str {
        match self {
            Op::Less => "<",
            Op::Equal => "==",
            Op::BitAnd => "&",
            Op::BitXor => "^",
            Op::And => "&&",
            Op::Or => "||",
        }
    }
}

/// What is called and ends at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Func {
    /// Gives its number back and is seen.
    Note,
    /// Gives its text back and is seen.
    Tell,
    /// The sum.
    Add,
    /// Both texts.
    Join,
}

impl Func {
    pub(super) fn name(self) -> &'static str {
        match self {
            Func::Note => "note",
            Func::Tell => "tell",
            Func::Add => "add",
            Func::Join => "join_texts",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Method {
    /// `i64`, by value.
    Plus,
    /// `&self` of texts and lists: how much there is.
    Size,
    /// `&self` of a list: the item there, or 7.
    Nth,
    /// `&mut self` of a list.
    Push,
    /// `&mut self` of a text.
    Append,
    /// An option, by value.
    Or,
    /// `&self`
    Clone,
}

impl Method {
    pub(super) fn name(self) -> &'static str {
        match self {
            Method::Plus => "plus",
            Method::Size => "size",
            Method::Nth => "nth_or_7",
            Method::Push => "push",
            Method::Append => "append",
            Method::Or => "unwrap_or",
            Method::Clone => "clone",
        }
    }

    pub(super) fn by_value(self) -> bool {
        matches!(self, Method::Plus | Method::Or)
    }
}

/// What a `for` goes over.
#[derive(Clone, Debug)]
pub(super) enum Iterated {
    /// `0..n`
    Range(Box<Expr>),
    /// A list or an array by value.
    Owned(Box<Expr>),
    /// `&place`
    Borrowed(Box<Expr>),
    /// `&mut place`
    BorrowedMut(Box<Expr>),
    /// `place.iter()`
    Iter(Box<Expr>),
    /// `place.iter().rev()`
    Rev(Box<Expr>),
    /// `place.iter().enumerate()`
    Enumerate(Box<Expr>),
    /// `place.iter().skip(1)`
    Skip(Box<Expr>),
}

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Unit,
    Int(i64),
    Bool(bool),
    Text(u8),
    Var(Var),
    Field(Box<Expr>, usize),
    Index(Box<Expr>, usize),
    Deref(Box<Expr>),
    Ref(bool, Box<Expr>),
    Not(Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    Call(Func, Vec<Expr>),
    Method(Box<Expr>, Method, Vec<Expr>),
    Await(Activity, Vec<Expr>),
    Try(Box<Expr>),
    Tuple(Vec<Expr>),
    Array(Vec<Expr>),
    List(Vec<Expr>),
    Order(Vec<(usize, Expr)>, Option<Box<Expr>>),
    Some(Box<Expr>),
    None,
    Ok(Box<Expr>),
    Err(Box<Expr>),
    If(Cond, Block, Option<Box<Expr>>),
    Match(Box<Expr>, Vec<Arm>),
    Block(Option<Label>, Block),
    Loop(Option<Label>, Block),
    While(Option<Label>, Cond, Block),
    For(Option<Label>, Pat, Iterated, Block),
    Break(Option<Label>, Option<Box<Expr>>),
    Continue(Option<Label>),
    Return(Box<Expr>),
    /// `format!("{a} {b}")`
    Format(Vec<Var>),
    Matches(Box<Expr>, Pat, Option<Box<Expr>>),
    Assign(Box<Expr>, Box<Expr>),
    /// `(a, b) = value`
    Destructure(Vec<Var>, Box<Expr>),
    /// `place ^= value`
    Compound(Box<Expr>, Box<Expr>),
}

impl Program {
    /// The program as Rust.
    pub(super) fn written(&self) -> String {
        let mut writer = Writer { program: self, text: String::new(), depth: 1 };
        writer.text.push_str("async fn w(");
        for (at, pat) in self.params.iter().enumerate() {
            writer.text.push_str(if at > 0 { ", " } else { "" });
            writer.pat(pat);
            let ty = pat.ty(self).map_or_else(|| Ty::Pair.written(), Ty::written);
            let _ = write!(writer.text, ": {ty}");
        }
        writer.text.push_str(") -> Result<i64, String> ");
        writer.depth = 0;
        writer.block(&self.body);
        writer.text.push('\n');
        writer.text
    }
}

impl Pat {
    /// The type of a plain binding.
    pub(super) fn ty<'p>(&self, program: &'p Program) -> Option<&'p Ty> {
        match self {
            Pat::Bind(var) => Some(&program.vars[*var].ty),
            _ => None,
        }
    }

    /// What it binds.
    pub(super) fn vars(&self) -> Vec<Var> {
        match self {
            Pat::Bind(var) | Pat::ByRef(var) => vec![*var],
            Pat::At(var, inner) => {
                let mut vars = inner.vars();
                vars.push(*var);
                vars
            }
            Pat::Or(cases) => cases[0].vars(),
            Pat::Tuple(parts) => parts.iter().flat_map(Pat::vars).collect(),
            Pat::Some(inner) | Pat::Ok(inner) | Pat::Err(inner) => inner.vars(),
            Pat::Order(fields) => fields.iter().flat_map(|(_, part)| part.vars()).collect(),
            Pat::Wild | Pat::None | Pat::Int(_) | Pat::Range(..) | Pat::Bool(_) => Vec::new(),
        }
    }
}

struct Writer<'p> {
    program: &'p Program,
    text: String,
    depth: usize,
}

impl Writer<'_> {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn line(&mut self) {
        self.text.push('\n');
        for _ in 0..self.depth {
            self.text.push_str("    ");
        }
    }

    fn name(&mut self, var: Var) {
        self.text.push_str(self.program.vars[var].name);
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            each(self, item);
        }
    }

    fn block(&mut self, block: &Block) {
        self.push("{");
        self.depth += 1;
        for stmt in &block.stmts {
            self.line();
            self.stmt(stmt);
        }
        if let Some(tail) = &block.tail {
            self.line();
            self.expr(tail);
        }
        self.depth -= 1;
        if !block.stmts.is_empty() || block.tail.is_some() {
            self.line();
        }
        self.push("}");
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let { pat, typed, init, otherwise } => {
                self.push("let ");
                self.pat(pat);
                if let (true, Some(ty)) = (typed, pat.ty(self.program)) {
                    let _ = write!(self.text, ": {}", ty.written());
                }
                self.push(" = ");
                // Before an `else` there may be no closing brace.
                if otherwise.is_some() {
                    self.operand(init);
                } else {
                    self.expr(init);
                }
                if let Some(otherwise) = otherwise {
                    self.push(" else ");
                    self.block(otherwise);
                }
                self.push(";");
            }
            Stmt::Deferred(var) => {
                self.push(if self.program.vars[*var].mutable { "let mut " } else { "let " });
                self.name(*var);
                self.push(";");
            }
            Stmt::Expr(expr) => {
                self.expr(expr);
                if !matches!(expr, Expr::If(..) | Expr::While(..) | Expr::For(..)) {
                    self.push(";");
                }
            }
        }
    }

    fn pat(&mut self, pat: &Pat) {
        match pat {
            Pat::Wild => self.push("_"),
            Pat::Bind(var) => {
                self.push(if self.program.vars[*var].mutable { "mut " } else { "" });
                self.name(*var);
            }
            Pat::ByRef(var) => {
                self.push("ref ");
                self.name(*var);
            }
            Pat::At(var, inner) => {
                self.name(*var);
                self.push(" @ ");
                self.pat(inner);
            }
            Pat::Tuple(parts) => {
                self.push("(");
                self.list(parts, Writer::pat);
                self.push(")");
            }
            Pat::Some(inner) => self.variant("Some", inner),
            Pat::None => self.push("None"),
            Pat::Ok(inner) => self.variant("Ok", inner),
            Pat::Err(inner) => self.variant("Err", inner),
            Pat::Int(number) => self.push(&number.to_string()),
            Pat::Range(from, to) => self.push(&format!("{from}..={to}")),
            Pat::Bool(flag) => self.push(&flag.to_string()),
            Pat::Or(cases) => {
                self.push("(");
                for (at, case) in cases.iter().enumerate() {
                    self.push(if at > 0 { " | " } else { "" });
                    self.pat(case);
                }
                self.push(")");
            }
            Pat::Order(fields) => {
                self.push("Order { ");
                for (index, pat) in fields {
                    self.push(FIELDS[*index]);
                    self.push(": ");
                    self.pat(pat);
                    self.push(", ");
                }
                self.push(".. }");
            }
        }
    }

    fn variant(&mut self, name: &str, inner: &Pat) {
        self.push(name);
        self.push("(");
        self.pat(inner);
        self.push(")");
    }

    /// An expression where one without brackets could be read otherwise.
    fn operand(&mut self, expr: &Expr) {
        use Expr as E;
        let alone = matches!(
            expr,
            E::Unit
                | E::Int(_)
                | E::Bool(_)
                | E::Text(_)
                | E::Var(_)
                | E::Field(..)
                | E::Index(..)
                | E::Call(..)
                | E::Method(..)
                | E::Await(..)
                | E::Try(_)
                | E::Tuple(_)
                | E::Array(_)
                | E::List(_)
                | E::Some(_)
                | E::None
                | E::Ok(_)
                | E::Err(_)
                | E::Format(_)
                | E::Matches(..)
        );
        if alone {
            return self.expr(expr);
        }
        self.push("(");
        self.expr(expr);
        self.push(")");
    }

    fn call(&mut self, name: &str, args: &[Expr]) {
        self.push(name);
        self.push("(");
        self.list(args, Self::expr_of);
        self.push(")");
    }

    fn expr_of(&mut self, expr: &Expr) {
        self.expr(expr);
    }

    fn label(&mut self, label: Option<Label>, after: &str) {
        if let Some(label) = label {
            self.push(&format!("'x{label}{after}"));
        }
    }

    fn cond(&mut self, cond: &Cond) {
        for (at, test) in cond.iter().enumerate() {
            self.push(if at > 0 { " && " } else { "" });
            match test {
                Test::Is(expr) => self.operand(expr),
                Test::Let(pat, expr) => {
                    self.push("let ");
                    self.pat(pat);
                    self.push(" = ");
                    match expr {
                        Expr::Ref(mutable, place) => {
                            self.push(if *mutable { "&mut " } else { "&" });
                            self.operand(place);
                        }
                        expr => self.operand(expr),
                    }
                }
            }
        }
    }

    // One arm for each kind.
    #[allow(clippy::too_many_lines)]
    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Unit => self.push("()"),
            Expr::Int(number) => self.push(&format!("{number}i64")),
            Expr::Bool(flag) => self.push(&flag.to_string()),
            Expr::Text(number) => self.push(&format!("String::from(\"t{number}\")")),
            Expr::Var(var) => self.name(*var),
            Expr::Field(base, index) => {
                self.operand(base);
                self.push(".");
                match self.field_name(base, *index) {
                    Some(name) => self.push(name),
                    None => self.push(&index.to_string()),
                }
            }
            Expr::Index(base, index) => {
                self.operand(base);
                self.push(&format!("[{index}]"));
            }
            Expr::Deref(inner) => {
                self.push("*");
                self.operand(inner);
            }
            Expr::Ref(mutable, place) => {
                self.push(if *mutable { "&mut " } else { "&" });
                self.operand(place);
            }
            Expr::Not(inner) => {
                self.push("!");
                self.operand(inner);
            }
            Expr::Binary(op, left, right) => {
                self.operand(left);
                self.push(&format!(" {} ", op.written()));
                self.operand(right);
            }
            Expr::Call(func, args) => self.call(func.name(), args),
            Expr::Method(receiver, method, args) => {
                self.operand(receiver);
                self.push(".");
                self.call(method.name(), args);
            }
            Expr::Await(activity, args) => {
                self.call(&format!("{}{}", activity.name(), args.len()), args);
                self.push(".await");
            }
            Expr::Try(inner) => {
                self.operand(inner);
                self.push("?");
            }
            Expr::Tuple(parts) => self.call("", parts),
            Expr::Array(parts) => {
                self.push("[");
                self.list(parts, Self::expr_of);
                self.push("]");
            }
            Expr::List(parts) => {
                self.push("Vec::from([");
                self.list(parts, Self::expr_of);
                self.push("])");
            }
            Expr::Order(fields, rest) => self.order(fields, rest.as_deref()),
            Expr::Some(inner) => self.call("Some", std::slice::from_ref(inner)),
            Expr::None => self.push("None::<i64>"),
            Expr::Ok(inner) => self.call("Ok", std::slice::from_ref(inner)),
            Expr::Err(inner) => self.call("Err", std::slice::from_ref(inner)),
            Expr::Format(vars) => {
                self.push("format!(\"");
                let names: Vec<String> =
                    vars.iter().map(|var| format!("{{{}}}", self.program.vars[*var].name)).collect();
                self.push(&names.join(" "));
                self.push("\")");
            }
            Expr::Matches(value, pat, guard) => {
                self.push("matches!(");
                self.expr(value);
                self.push(", ");
                self.pat(pat);
                if let Some(guard) = guard {
                    self.push(" if ");
                    self.expr(guard);
                }
                self.push(")");
            }
            Expr::Assign(place, value) => {
                self.expr(place);
                self.push(" = ");
                self.expr(value);
            }
            Expr::Destructure(vars, value) => {
                self.push("(");
                self.list(vars, |this, var| this.name(*var));
                self.push(") = ");
                self.expr(value);
            }
            Expr::Compound(place, value) => {
                self.expr(place);
                self.push(" ^= ");
                self.expr(value);
            }
            control => self.control(control),
        }
    }

    fn order(&mut self, fields: &[(usize, Expr)], rest: Option<&Expr>) {
        self.push("(Order { ");
        for (index, value) in fields {
            self.push(FIELDS[*index]);
            self.push(": ");
            self.expr(value);
            self.push(", ");
        }
        if let Some(rest) = rest {
            self.push("..");
            self.operand(rest);
        }
        self.push(" })");
    }

    fn control(&mut self, expr: &Expr) {
        match expr {
            Expr::If(cond, then, other) => {
                self.push("if ");
                self.cond(cond);
                self.push(" ");
                self.block(then);
                if let Some(other) = other {
                    self.push(" else ");
                    match &**other {
                        Expr::If(..) | Expr::Block(None, _) => self.expr(other),
                        other => {
                            self.push("{ ");
                            self.expr(other);
                            self.push(" }");
                        }
                    }
                }
            }
            Expr::Match(value, arms) => {
                self.push("match ");
                match &**value {
                    Expr::Ref(_, place) => {
                        self.push("&");
                        self.operand(place);
                    }
                    value => self.operand(value),
                }
                self.push(" {");
                self.depth += 1;
                for arm in arms {
                    self.line();
                    self.pat(&arm.pat);
                    if let Some(guard) = &arm.guard {
                        self.push(" if ");
                        self.expr(guard);
                    }
                    self.push(" => ");
                    self.expr(&arm.body);
                    self.push(",");
                }
                self.depth -= 1;
                self.line();
                self.push("}");
            }
            Expr::Block(label, block) => {
                self.label(*label, ": ");
                self.block(block);
            }
            Expr::Loop(label, body) => {
                self.label(*label, ": ");
                self.push("loop ");
                self.block(body);
            }
            Expr::While(label, cond, body) => {
                self.label(*label, ": ");
                self.push("while ");
                self.cond(cond);
                self.push(" ");
                self.block(body);
            }
            Expr::For(label, pat, iterated, body) => {
                self.label(*label, ": ");
                self.push("for ");
                self.pat(pat);
                self.push(" in ");
                self.iterated(iterated);
                self.push(" ");
                self.block(body);
            }
            Expr::Break(label, value) => {
                self.push(if label.is_some() { "break " } else { "break" });
                self.label(*label, "");
                if let Some(value) = value {
                    self.push(" ");
                    self.operand(value);
                }
            }
            Expr::Continue(label) => {
                self.push(if label.is_some() { "continue " } else { "continue" });
                self.label(*label, "");
            }
            Expr::Return(value) => {
                self.push("return ");
                self.expr(value);
            }
            other => unreachable!("{other:?} directs no control"),
        }
    }

    fn iterated(&mut self, iterated: &Iterated) {
        let (before, base, after) = match iterated {
            Iterated::Range(end) => ("0..", end, ""),
            Iterated::Owned(value) => ("", value, ""),
            Iterated::Borrowed(place) => ("&", place, ""),
            Iterated::BorrowedMut(place) => ("&mut ", place, ""),
            Iterated::Iter(place) => ("", place, ".iter()"),
            Iterated::Rev(place) => ("", place, ".iter().rev()"),
            Iterated::Enumerate(place) => ("", place, ".iter().enumerate()"),
            Iterated::Skip(place) => ("", place, ".iter().skip(1)"),
        };
        self.push(before);
        self.operand(base);
        self.push(after);
    }

    /// The name of a field of an `Order`; `None`: it is a tuple's.
    fn field_name(&self, base: &Expr, index: usize) -> Option<&'static str> {
        (self.place_ty(base) == Ty::Order).then(|| FIELDS[index])
    }

    /// The type of a place, behind any references.
    fn place_ty(&self, place: &Expr) -> Ty {
        let ty = match place {
            Expr::Var(var) => self.program.vars[*var].ty.clone(),
            Expr::Deref(inner) => self.place_ty(inner),
            Expr::Field(base, index) if self.place_ty(base) == Ty::Order => match index {
                0 => Ty::Int,
                1 => Ty::Text,
                2 => Ty::List,
                _ => Ty::Pair,
            },
            Expr::Await(Activity::Order, _) | Expr::Order(..) => Ty::Order,
            Expr::Method(receiver, Method::Clone, _) => self.place_ty(receiver),
            _ => Ty::Unit,
        };
        match ty {
            Ty::Ref(inner) | Ty::RefMut(inner) => *inner,
            ty => ty,
        }
    }
}
