//! Makes a workflow wrong on purpose, as a wrong compiler would: the controls of this harness.
//!
//! The compiler itself is left alone. What a lost variable or a wrong order of evaluation does is written into the workflow's
//! source, while the plain twin stays as it was; whoever compares the two has to notice.

use crate::tree::{Block, Expr, Piece, Program, Shape, Stmt};

/// A way to be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sabotage {
    /// A variable that is needed after an await is not in the snapshot, and comes back with another value.
    DropLiveVariable,
    /// The second of two operands with awaits is evaluated first.
    SwapOperands,
}

impl Sabotage {
    /// Every program that differs by one such mistake.
    pub(crate) fn of(self, program: &Program) -> Vec<Program> {
        let mut found = Vec::new();
        for (at, function) in program.functions.iter().enumerate() {
            for body in self.in_block(&function.body) {
                let mut wrong = program.clone();
                wrong.functions[at].body = body;
                found.push(wrong);
            }
        }
        found
    }

    fn in_block(self, block: &Block) -> Vec<Block> {
        let mut found = Vec::new();
        if self == Sabotage::DropLiveVariable {
            found.extend(lost(block));
        }
        for (at, stmt) in block.stmts.iter().enumerate() {
            for pieces in self.in_pieces(&stmt.pieces) {
                let mut wrong = block.clone();
                wrong.stmts[at].pieces = pieces;
                found.push(wrong);
            }
        }
        for tail in block.tail.iter().flat_map(|tail| self.in_expr(tail)) {
            found.push(Block { stmts: block.stmts.clone(), tail: Some(Box::new(tail)) });
        }
        found
    }

    fn in_pieces(self, pieces: &[Piece]) -> Vec<Vec<Piece>> {
        let mut found = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            let inner: Vec<Piece> = match piece {
                Piece::Text(_) => Vec::new(),
                Piece::Expr(expr) => self.in_expr(expr).into_iter().map(Piece::Expr).collect(),
                Piece::Block(block) => self.in_block(block).into_iter().map(Piece::Block).collect(),
                Piece::Optional(pieces) => self.in_pieces(pieces).into_iter().map(Piece::Optional).collect(),
            };
            for wrong in inner {
                let mut pieces = pieces.to_vec();
                pieces[at] = wrong;
                found.push(pieces);
            }
        }
        found
    }

    fn in_expr(self, expr: &Expr) -> Vec<Expr> {
        let mut found: Vec<Expr> = Vec::new();
        if self == Sabotage::SwapOperands {
            found.extend(swapped(expr));
        }
        found.extend(self.in_pieces(&expr.pieces).into_iter().map(|pieces| Expr { pieces, ..expr.clone() }));
        found
    }
}

/// `x` is declared, something is awaited, and `x` is mentioned again: in between it changes its value.
fn lost(block: &Block) -> Vec<Block> {
    let mut found = Vec::new();
    for (at, stmt) in block.stmts.iter().enumerate() {
        let Some((name, ty)) = &stmt.declares else { continue };
        let suspends = |stmt: &Stmt| text(&stmt.pieces).contains(".await");
        let Some(suspension) = (at + 1..block.stmts.len()).find(|at| suspends(&block.stmts[*at])) else {
            continue;
        };
        let rest = Block { stmts: block.stmts[suspension + 1..].to_vec(), tail: block.tail.clone() };
        if !mentions(&text(&[Piece::Block(rest)]), name) {
            continue;
        }
        let mut wrong = block.clone();
        let loss = Stmt::from(vec![format!("{name} = {};", ty.literal(7)).into()]);
        wrong.stmts.insert(suspension + 1, loss);
        found.push(wrong);
    }
    found
}

/// `f(a, b)` as `{ let second = b; f(a, second) }`.
fn swapped(expr: &Expr) -> Option<Expr> {
    let is_call = matches!(&expr.pieces[..], [Piece::Text(name), ..] if name.ends_with('('));
    let is_operation = matches!(&expr.pieces[..], [Piece::Expr(_), Piece::Text(_), Piece::Expr(_)]);
    if !is_call && !is_operation {
        return None;
    }
    let awaits = |piece: &&Piece| matches!(piece, Piece::Expr(expr) if expr.text().contains(".await"));
    if expr.pieces.iter().filter(awaits).count() < 2 {
        return None;
    }
    let second = expr.pieces.iter().rposition(|piece| awaits(&piece))?;
    let mut pieces = vec!["{ let second = ".into(), expr.pieces[second].clone(), "; ".into()];
    let mut inner = expr.pieces.clone();
    inner[second] = "second".into();
    pieces.extend(inner);
    pieces.push(" }".into());
    Some(Expr { ty: expr.ty.clone(), shape: Shape::Compound, pieces })
}

fn text(pieces: &[Piece]) -> String {
    crate::tree::text(pieces)
}

fn mentions(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}
