//! What stays together and what is taken apart: each block as `number: statements; => terminator`.

use super::normalised_with;
use crate::ir::{Function, Stmt, Term, marked};
use crate::{lower, parse, resolve};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

fn lowered(body: &str) -> Vec<String> {
    let mut workflow = parse::parse_str(&format!("async fn w(a: u64) {{ {body} }}"));
    let (function, _) = resolve::resolve(&mut workflow).expect("names resolve");
    let function = lower::lower(&workflow, function).expect("it lowers");
    let order = function.order.iter().skip(2);
    order.filter(|block| !is_empty(&function, **block)).map(|block| show(&function, *block)).collect()
}

fn is_empty(function: &Function, block: usize) -> bool {
    function.blocks[block].stmts.is_empty() && matches!(function.blocks[block].term, Term::Never)
}

fn show(function: &Function, number: usize) -> String {
    let block = &function.blocks[number];
    let text = |tokens: TokenStream| {
        normalised_with(tokens, false, &|ident| match marked(ident) {
            Some(var) => function.vars[var].stored_name.clone(),
            None => ident.to_string().replace("__durable_", ""),
        })
    };
    let name = |var: usize| function.vars[var].stored_name.clone();
    let stmts = block.stmts.iter().map(|stmt| match stmt {
        Stmt::Keep(stmt) => text(stmt.to_token_stream()),
        Stmt::Declare(var) => format!("let {} ;", name(*var)),
        Stmt::Set(var, value) => format!("{} = {} ;", name(*var), text(value.to_token_stream())),
        Stmt::Let(bind) => {
            let (pat, init) = (&bind.pat, &bind.init);
            text(quote!(let #pat = #init;))
        }
    });
    let stmts: Vec<String> = stmts.collect();
    let term = match &block.term {
        Term::Never => "never".to_owned(),
        Term::Goto(to) => format!("{to}"),
        Term::Return(value) => format!("return {}", text(value.to_token_stream())),
        Term::If { cond, then, other } => {
            format!("if {} {then} else {other}", text(cond.to_token_stream()))
        }
        Term::Match { scrutinee, arms } => {
            let arms: Vec<String> = arms
                .iter()
                .map(|arm| format!("{} {}", text(arm.pat.to_token_stream()), arm.target))
                .collect();
            format!("match {} {}", text(scrutinee.to_token_stream()), arms.join(", "))
        }
        Term::Dispatch { normal } => format!("dispatch {normal}"),
    };
    format!("{number}: {} => {term}", stmts.join(" ")).replace(":  =>", ": =>")
}

#[test]
fn an_await_ends_a_block() {
    assert_eq!(
        lowered("let x = f(a).await; if a > 1 { return 2; } x"),
        ["2: let x = poll ! ( 0 ) ; if a > 1 { return 2 ; } => return x"]
    );
    assert_eq!(lowered("g(a, f().await)"), ["2: let g(1) = poll ! ( 0 ) ; => return g ( g(0) , g(1) )"]);
}

#[test]
fn only_what_awaits_is_taken_apart() {
    assert_eq!(
        lowered("if a > 1 { f().await; } while a > 2 { a -= 1; continue; } a"),
        [
            "3: => if a > 1 4 else 5",
            "4: f = __p :: into_durable ( f ( ) ) ; => 6",
            "6: poll ! ( 0 ) ; => 2",
            "5: => 2",
            "2: while a > 2 { a -= 1 ; continue ; } => return a",
        ]
    );
}

#[test]
fn a_loop_has_a_head_and_its_jumps_are_placed() {
    assert_eq!(
        lowered("loop { if a > 1 { break; } if a > 2 { continue } f().await; } a"),
        [
            "3: => dispatch 4",
            "4: if a > 1 { jump ! ( 2 ) ; } if a > 2 { jump ! ( 3 ) } f = __p :: into_durable ( f ( ) ) ; => 5",
            "5: poll ! ( 0 ) ; => 3",
            "2: => return a",
        ]
    );
}
