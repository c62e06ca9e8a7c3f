//! Programs as trees: text with expressions and blocks in it.
//!
//! It is as much of Rust as printing and shrinking need: what is an expression (and of which type), what is a statement, and
//! which parts may be left out. Everything else is text, so that a new construct is one line in [`generate`](crate::generate).

use std::fmt::Write as _;

use crate::types::Ty;

/// A part of an expression or of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    Expr(Expr),
    Block(Block),
    /// May be left out: an arm, an `else`.
    Optional(Vec<Piece>),
}

/// How an expression may be combined with what is around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Needs no parentheses anywhere.
    Atom,
    /// Needs them as an operand.
    Compound,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expr {
    pub(crate) ty: Ty,
    pub(crate) shape: Shape,
    pub(crate) pieces: Vec<Piece>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stmt {
    pub(crate) pieces: Vec<Piece>,
    /// A mutable variable that this `let` declares.
    pub(crate) declares: Option<(String, Ty)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Block {
    pub(crate) stmts: Vec<Stmt>,
    pub(crate) tail: Option<Box<Expr>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// `n: i64, text: &String`
    pub(crate) params: String,
    pub(crate) ret: Ty,
    /// Calls itself; the plain twin has to box it.
    pub(crate) recursive: bool,
    pub(crate) body: Block,
}

/// Functions that call each other; the last one is the one to run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program {
    pub(crate) functions: Vec<Function>,
}

/// Which of the two compilations a program is printed for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Twin {
    Plain,
    Flow,
}

/// The pieces of an expression or statement: texts, expressions, blocks.
macro_rules! pieces {
    ($($piece:expr),* $(,)?) => { vec![$($crate::tree::Piece::from($piece)),*] };
}
pub(crate) use pieces;

impl From<&str> for Piece {
    fn from(text: &str) -> Self {
        Piece::Text(text.to_owned())
    }
}

impl From<String> for Piece {
    fn from(text: String) -> Self {
        Piece::Text(text)
    }
}

impl From<Expr> for Piece {
    fn from(expr: Expr) -> Self {
        Piece::Expr(expr)
    }
}

impl From<Block> for Piece {
    fn from(block: Block) -> Self {
        Piece::Block(block)
    }
}

impl From<Vec<Piece>> for Piece {
    fn from(pieces: Vec<Piece>) -> Self {
        Piece::Optional(pieces)
    }
}

impl Expr {
    pub(crate) fn atom(ty: &Ty, pieces: Vec<Piece>) -> Self {
        Expr { ty: ty.clone(), shape: Shape::Atom, pieces }
    }

    pub(crate) fn compound(ty: &Ty, pieces: Vec<Piece>) -> Self {
        Expr { ty: ty.clone(), shape: Shape::Compound, pieces }
    }

    /// As an operand of an operator, a receiver, a scrutinee.
    pub(crate) fn operand(self) -> Self {
        match self.shape {
            Shape::Atom => self,
            Shape::Compound => Expr::atom(&self.ty.clone(), pieces!["(", self, ")"]),
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        print_pieces(&self.pieces, Twin::Flow, 0, &mut out);
        out
    }
}

impl From<Vec<Piece>> for Stmt {
    fn from(pieces: Vec<Piece>) -> Self {
        Stmt { pieces, declares: None }
    }
}

impl Program {
    /// As the source of a module's functions. The workflows of a process need names of their own, which `case` is part of.
    pub(crate) fn print(&self, twin: Twin, case: &str) -> String {
        let mut out = String::new();
        for function in &self.functions {
            let Function { name, params, ret, recursive, body } = function;
            if twin == Twin::Flow {
                let _ = writeln!(out, "#[workflow(name = \"{case}_{name}\")]");
            }
            if *recursive && twin == Twin::Plain {
                let _ = write!(
                    out,
                    "pub fn {name}({params}) -> std::pin::Pin<Box<dyn Future<Output = {ret}>>> {{ Box::pin(async move "
                );
                print_block(body, twin, 0, &mut out);
                out.push_str(") }\n");
            } else {
                let _ = write!(out, "pub async fn {name}({params}) -> {ret} ");
                print_block(body, twin, 0, &mut out);
                out.push('\n');
            }
        }
        out
    }
}

fn print_pieces(pieces: &[Piece], twin: Twin, indent: usize, out: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Expr(expr) => print_pieces(&expr.pieces, twin, indent, out),
            Piece::Block(block) => print_block(block, twin, indent, out),
            Piece::Optional(pieces) => print_pieces(pieces, twin, indent, out),
        }
    }
}

fn print_block(block: &Block, twin: Twin, indent: usize, out: &mut String) {
    let line = |out: &mut String, indent: usize| {
        out.push('\n');
        out.push_str(&"    ".repeat(indent));
    };
    out.push('{');
    for stmt in &block.stmts {
        line(out, indent + 1);
        print_pieces(&stmt.pieces, twin, indent + 1, out);
    }
    if let Some(tail) = &block.tail {
        line(out, indent + 1);
        print_pieces(&tail.pieces, twin, indent + 1, out);
    }
    line(out, indent);
    out.push('}');
}
