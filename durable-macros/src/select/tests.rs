//! What a `select!` is written out as, which macros are ours, and what is refused.

use super::{find, outside, write_out};
use crate::diagnostics::Errors;
use crate::{lower, parse, resolve};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ItemFn;

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("tokens")
}

/// The body with every `select!` written out.
fn written(body: &str) -> Result<String, String> {
    let mut function: ItemFn =
        syn::parse_str(&format!("async fn f() {{ {body} }}")).expect("the body is a function's");
    let mut errors = Errors::default();
    write_out(&mut function, &syn::parse_quote!(crate::engine), &mut errors);
    errors.check().map_err(|error| error.to_string())?;
    let stmts: TokenStream = function.block.stmts.iter().map(ToTokens::to_token_stream).collect();
    Ok(stmts.to_string())
}

fn same(body: &str, expected: &str) {
    assert_eq!(written(body).expect("it is right"), tokens(expected).to_string());
}

#[test]
fn bodies_become_arms() {
    same(
        "select! { biased; x = a(), if c => { b(x) } _ = d => e, else => f };",
        "select!(@);
        match __p::end2(__p::select2(true, [c, true], (__p::own(a()), __p::own(d),)).await).0 {
            __p::Won2::A(x) => { { b(x) } }
            __p::Won2::B(_) => { e }
            __p::Won2::Disabled => { f }
        };",
    );
}

#[test]
fn what_is_lent_is_given_back_before_anything_is_bound() {
    same(
        "select! { x = a() => b, y = &mut s.list[0] => c }",
        r#"select!(@);
        match match __p::end2(__p::select2(false, [true, true], (__p::own(a()), __p::lend(&mut s.list[0]),)).await) {
            (__won, (_, __lent_1,)) => { __p::give_back(&mut s.list[0], __lent_1); __won }
        } {
            __p::Won2::A(x) => { b }
            __p::Won2::B(y) => { c }
            __p::Won2::Disabled => { ::core::panic!("all branches of `select!` are disabled, and it has no `else`") }
        }"#,
    );
}

#[test]
fn a_pattern_that_may_fail_loops() {
    let written = written("select! { Some((x, ref y)) = a => x, S { z, N } = b => z }").expect("it is right");
    let condition = tokens(
        "::core::matches!(&__won, __p::Won2::A(Some((_, _))) | __p::Won2::B(S { z: _, N: N }) | __p::Won2::Disabled)",
    );
    assert!(written.contains(&condition.to_string()), "{written}");
    assert!(written.contains("__p :: select_again (__select) . await"), "{written}");
    for irrefutable in ["x", "_", "mut x", "ref x", "(x, _)", "((a, ..), b)", "x @ _"] {
        let written = super::tests::written(&format!("select! {{ {irrefutable} = a => x }}"));
        assert!(!written.expect("it is right").contains("loop"), "{irrefutable}");
    }
    for refutable in ["Some(x)", "None", "1", "S { x }", "A | B", "a::B", "(x, 1)", "x @ 1..=2", "[x, ..]"] {
        let written = super::tests::written(&format!("select! {{ {refutable} = a => x }}"));
        assert!(written.expect("it is right").contains("loop"), "{refutable}");
    }
}

#[test]
fn bodies_end_as_arms_do() {
    for right in [
        "x = a => b",
        "x = a => b,",
        "x = a => { b } y = c => d",
        "x = a => { b }, y = c => d",
        "x = a => if b { c } else { d } y = c => d",
        "x = a => { b }.c(), y = c => d",
        "x = a => { b }?, y = c => d",
        "| x | y = a => b, else => c",
        "biased; x = a => return 5, y = c => break 'a",
        "biased = a => b",
        "x = a, if b => c, else => {}",
        "x = |y| y => c",
    ] {
        assert!(written(&format!("select! {{ {right} }}")).is_ok(), "{right}");
    }
}

#[test]
fn mistakes_name_the_rewrite() {
    for (wrong, expected) in [
        ("", "waits for nothing"),
        ("biased;", "waits for nothing"),
        ("else => a", "waits for nothing"),
        ("a()", "expected `=`"),
        ("default => a", "expected `=`"),
        ("x = a", "expected `=>`"),
        ("x = a, y = b => c", "expected `=>`"),
        ("x = a => b y = c => d", "expected `,`"),
        ("x = a => b, else => c, y = d => e", "`else` is the last"),
        ("x = a => b, else => c, else => e", "`else` is the last"),
        ("x = &mut a() => b", "name it first"),
        ("x = &mut list[next()] => b", "name it first"),
        ("x = &mut *list => b", "name it first"),
        ("x = a().await => b", "leave out the `.await`"),
    ] {
        let error = written(&format!("select! {{ {wrong} }}")).expect_err(wrong);
        assert!(error.contains(expected), "{wrong}: {error}");
        assert!(error.contains("docs/errors/select.md"), "{wrong}: {error}");
    }
    let nine = "x = a => b,".repeat(9);
    let error = written(&format!("select! {{ {nine} }}")).expect_err("nine are too many");
    assert!(error.contains("9 branches, and 8 is the limit"), "{error}");
    assert!(written(&format!("select! {{ {} }}", "x = a => b,".repeat(8))).is_ok());
}

#[test]
fn only_ours_are_written_out() {
    for ours in ["select", "durable::select", "::durable::select", "crate::engine::select"] {
        let written = written(&format!("{ours}! {{ x = a => b }}")).expect("it is right");
        assert!(written.contains("select1"), "{ours}");
        assert!(written.contains(&tokens(&format!("{ours}!(@);")).to_string()), "{written}");
    }
    for other in ["tokio::select", "futures::select", "sql::select", "selected", "crate::select"] {
        let text = format!("{other}! {{ x = a => b }}");
        assert_eq!(written(&text).expect("it is not read"), tokens(&text).to_string());
    }
}

#[test]
fn nested_ones_are_written_out() {
    let written =
        written("select! { x = select! { y = a => b } => select! { z = c => d } }; fn g() { select! {} }")
            .expect("they are right");
    assert_eq!(written.matches("select1").count(), 3);
    assert_eq!(
        written.matches("select !").count(),
        2,
        "one is mentioned, one is another function's: {written}"
    );
}

#[test]
fn one_in_a_macro_is_found() {
    for (text, found) in [
        ("\"{}\", select! { x = a => b }", true),
        ("[select!()]", true),
        ("tokio::select! { x = a => b }", false),
        ("select, !(a)", false),
        ("select(a)", false),
    ] {
        assert_eq!(find(&tokens(text)).is_some(), found, "{text}");
    }
}

#[test]
fn it_is_one_point_and_is_shown_as_written() {
    let mut workflow = parse::parse_str(
        "async fn w(a: u64) { let x = select! { v = price(a), if a > 1 => v, w = &mut late => w }; select! { Ok(y) = z(x) => {} } }",
    );
    let mut errors = Errors::default();
    write_out(&mut workflow.item, &syn::parse_quote!(::durable), &mut errors);
    errors.check().expect("it is right");
    let (function, _) = resolve::resolve(&mut workflow).expect("names resolve");
    let function = lower::lower(&workflow, function).expect("it lowers");
    let shown: Vec<_> =
        function.points.iter().map(|p| (p.callee.as_str(), p.args.as_str(), p.binding.as_str())).collect();
    assert_eq!(shown, [("select!", "price ( a ) , & mut late", "x"), ("select!", "", "")]);
}

#[test]
fn outside_it_says_where_it_works() {
    assert!(outside(&tokens("@")).is_empty());
    let error = outside(&tokens("x = a => b")).to_string();
    assert!(error.contains("`select!` works in a `#[workflow]` only"), "{error}");
}
