//! Makes a failing program small: statements go, expressions become literals or parts of themselves, blocks are unwrapped.
//!
//! A reduction need not be a legal program: one whose plain twin does not compile fails to fail and is not taken. Many are
//! compiled at once, because a compilation costs more than a function in it.

use std::collections::HashSet;

use crate::run::{Case, Verdict, Workshop};
use crate::tree::{Block, Expr, Piece, Program, Stmt, Twin};

/// So many reductions are compiled at once.
const BATCH: usize = 40;

/// The smallest program found that fails in the same way, and how it does.
///
/// It ends after so many rounds, if nothing smaller fails no sooner. `case` makes of a program what is compared: a negative control breaks the workflow on the way.
pub(crate) fn shrink(
    workshop: &Workshop,
    program: &Program,
    verdict: &Verdict,
    rounds: usize,
    case: impl Fn(&Program, usize) -> Option<Case>,
) -> (Program, Verdict) {
    let mut best = (program.clone(), verdict.clone());
    let mut tried = HashSet::new();
    for _ in 0..rounds {
        let mut candidates = Vec::new();
        let mut cases = Vec::new();
        for candidate in reductions(&best.0) {
            if cases.len() == BATCH {
                break;
            }
            if tried.insert(candidate.print(Twin::Flow, ""))
                && let Some(case) = case(&candidate, cases.len())
            {
                candidates.push(candidate);
                cases.push(case);
            }
        }
        if cases.is_empty() {
            break;
        }
        let verdicts = workshop.run(&cases);
        let found = candidates.into_iter().zip(verdicts).find(|(_, found)| found.kind() == verdict.kind());
        if let Some(found) = found {
            best = found;
        }
    }
    best
}

/// Every program that is one step smaller, the smallest first.
pub(crate) fn reductions(program: &Program) -> Vec<Program> {
    let mut found = Vec::new();
    for (at, function) in program.functions.iter().enumerate() {
        if at + 1 < program.functions.len() {
            let mut smaller = program.clone();
            smaller.functions.remove(at);
            found.push(smaller);
        }
        for body in of_block(&function.body) {
            let mut smaller = program.clone();
            smaller.functions[at].body = body;
            found.push(smaller);
        }
    }
    let mut sized: Vec<(usize, Program)> =
        found.into_iter().map(|program| (program.print(Twin::Flow, "").len(), program)).collect();
    let size = program.print(Twin::Flow, "").len();
    sized.retain(|(smaller, _)| *smaller < size);
    sized.sort_by_key(|(size, _)| *size);
    sized.into_iter().map(|(_, program)| program).collect()
}

fn of_block(block: &Block) -> Vec<Block> {
    let mut found = Vec::new();
    let with = |range: std::ops::Range<usize>, stmts: Vec<Stmt>| {
        let mut block = block.clone();
        block.stmts.splice(range, stmts);
        block
    };
    let count = block.stmts.len();
    let mut part = count;
    while part > 1 {
        part = part.div_ceil(2);
        if part > 1 {
            found.extend((0..count).step_by(part).map(|at| with(at..(at + part).min(count), Vec::new())));
        }
        if part == 2 {
            break;
        }
    }
    for (at, stmt) in block.stmts.iter().enumerate() {
        found.push(with(at..at + 1, Vec::new()));
        for inner in blocks(&stmt.pieces) {
            found.push(with(at..at + 1, unwrapped(inner)));
        }
        for pieces in of_pieces(&stmt.pieces) {
            found.push(with(at..at + 1, vec![Stmt { pieces, declares: stmt.declares.clone() }]));
        }
    }
    if let Some(tail) = &block.tail {
        for smaller in of_expr(tail) {
            found.push(Block { stmts: block.stmts.clone(), tail: Some(Box::new(smaller)) });
        }
    }
    found
}

/// The statements of a block that goes.
fn unwrapped(block: &Block) -> Vec<Stmt> {
    let mut stmts = block.stmts.clone();
    if let Some(tail) = &block.tail
        && tail.text() != "()"
    {
        stmts.push(Stmt::from(vec![Piece::Expr((**tail).clone()), ";".into()]));
    }
    stmts
}

/// The outermost blocks.
fn blocks(pieces: &[Piece]) -> Vec<&Block> {
    let inner = |piece| match piece {
        &Piece::Text(_) => Vec::new(),
        Piece::Expr(expr) => blocks(&expr.pieces),
        Piece::Block(block) => vec![block],
        Piece::Optional(pieces) => blocks(pieces),
    };
    pieces.iter().flat_map(inner).collect()
}

fn of_pieces(pieces: &[Piece]) -> Vec<Vec<Piece>> {
    let mut found = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let mut replace = |by: Option<Piece>| {
            let mut pieces = pieces.to_vec();
            pieces.splice(at..=at, by);
            found.push(pieces);
        };
        match piece {
            Piece::Text(_) => {}
            Piece::Expr(expr) => of_expr(expr).into_iter().for_each(|smaller| replace(Some(smaller.into()))),
            Piece::Block(block) => {
                of_block(block).into_iter().for_each(|smaller| replace(Some(smaller.into())));
            }
            Piece::Optional(inner) => {
                replace(None);
                of_pieces(inner).into_iter().for_each(|smaller| replace(Some(smaller.into())));
            }
        }
    }
    found
}

fn of_expr(expr: &Expr) -> Vec<Expr> {
    let mut found = Vec::new();
    let literal = expr.ty.literal(3);
    if expr.text().len() > literal.len() {
        found.push(Expr::atom(&expr.ty, vec![literal.into()]));
    }
    descendants(&expr.pieces, &mut |inner| {
        if inner.ty == expr.ty {
            found.push(inner.clone());
        }
    });
    for pieces in of_pieces(&expr.pieces) {
        found.push(Expr { pieces, ..expr.clone() });
    }
    found
}

fn descendants(pieces: &[Piece], found: &mut impl FnMut(&Expr)) {
    for piece in pieces {
        match piece {
            Piece::Text(_) => {}
            Piece::Expr(expr) => {
                found(expr);
                descendants(&expr.pieces, found);
            }
            Piece::Block(block) => {
                block.stmts.iter().for_each(|stmt| descendants(&stmt.pieces, found));
                if let Some(tail) = &block.tail {
                    found(tail);
                    descendants(&tail.pieces, found);
                }
            }
            Piece::Optional(pieces) => descendants(pieces, found),
        }
    }
}
