//! What is refused, where, and that the signature is there in spite of it.

use crate::expand;
use proc_macro2::TokenStream;

fn expand(options: &str, item: &str) -> String {
    let parse = |text: &str| text.parse::<TokenStream>().expect("tokens");
    expand::workflow(parse(options), parse(item)).to_string()
}

/// The messages of an expansion.
fn errors(item: &str) -> Vec<String> {
    let text = expand("", item);
    text.split("compile_error ! { \"")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("\" }")?.0.to_owned()))
        .collect()
}

#[test]
fn mistakes_name_the_rewrite() {
    for (item, expected) in [
        ("fn f() {}", "write `async fn`"),
        ("async fn f(&self) {}", "no `self` by reference"),
        ("async fn f(self) {}", "write `#[workflow]` above the `impl` too"),
        ("async fn f() -> u8 { vec![Self::A].len() }", "write `#[workflow]` above the `impl` too"),
        ("async fn f();", "can't be a function of a trait"),
        ("struct S;", "stands on an async function"),
        ("impl S { async fn f() {} }", "no function of this `impl` block is a workflow"),
        ("impl T for S { #[workflow] async fn f() {} }", "a function of a trait can't be a workflow"),
        ("impl S { #[workflow] async fn f(&mut self) {} }", "take `self`, and call it on a clone"),
        ("impl S { #[workflow] fn f() {} #[workflow(name = 1)] async fn g() {} }", "expected string literal"),
        ("async fn f(x: Option<&str>) {}", "take `Option<String>`"),
        ("async fn f() -> &'static str { \"\" }", "return `String`"),
        ("async fn f() -> Vec<&'static [u8]> { x }", "return `Vec<Vec<u8>>`"),
        ("async fn f<'a>(x: &'a u8) {}", "leave the lifetime out"),
        ("async fn f(x: &mut u8) {}", "take the value and return the changed one"),
        ("async fn f() -> ! { loop {} }", "never returns"),
        ("async fn f(x: impl Copy) {}", "type parameter"),
        ("async fn f() -> impl Copy { 1 }", "name its type"),
        ("async fn f() { println!(\"{}\", g().await); }", "bind it before"),
        ("async fn f() { let h = async { g().await }; }", "second `#[workflow]`"),
        ("async fn f() { v.map(|x| async move { g(x).await }); }", "async block"),
        ("async fn f() { unsafe { g().await } }", "unsafe block"),
        ("async fn f() { tokio::select! { x = g() => {} } }", "durable::select!"),
        ("async fn f() { join!(a(), b()); }", "(a, b).join().await"),
        ("async fn f() { tokio::spawn(g()); }", "durable::spawn"),
        ("async fn f() { tokio::time::sleep(d).await; }", "durable::sleep"),
        ("async fn f() { match x { y if g().await => {} _ => {} } }", "match guard"),
        ("async fn f() { *g() += h().await; }", "compound assignment"),
        ("async fn f() { #[resume(\"a\")] g(); }", "there is none in this statement"),
        ("async fn f() { #[resume(a)] g().await; }", "a resume point's name is a string"),
    ] {
        let found = errors(item);
        assert!(found.iter().any(|error| error.contains(expected)), "{item}: {found:?}");
    }
}

#[test]
fn all_mistakes_of_a_phase_are_reported_at_once() {
    assert_eq!(errors("async fn f() { println!(\"{}\", g().await); let h = async { k().await }; }").len(), 2);
    assert_eq!(errors("fn f(&self, x: &mut u8) -> ! {}").len(), 4);
}

#[test]
fn the_signature_stands_beside_the_errors() {
    let text = expand("", "pub async fn f(a: u8, b: &str) -> u8 { println!(\"{}\", g().await); a }");
    assert!(text.contains("pub fn f (a : u8 , b : & str) -> :: durable :: WorkflowCall"), "{text}");
}

#[test]
fn every_refused_item_keeps_its_signature() {
    for (options, item, signature) in [
        ("name = 1", "async fn f(a: u8) -> u8 { a }", "fn f (a : u8) -> :: durable :: WorkflowCall <"),
        ("what", "pub async fn f() {}", "pub fn f () -> :: durable :: WorkflowCall <"),
        ("", "fn f(a: u8) -> u8 { a }", "fn f (a : u8) -> :: durable :: WorkflowCall <"),
        ("", "async fn f(&self) -> u8 { a }", "fn f (& self) -> :: durable :: WorkflowCall <"),
        ("", "async fn f() -> &'static str { a }", "Refused < () , :: std :: string :: String >>"),
        ("", "async fn f<T>(a: T) where T: Copy { let = ; }", "fn f < T > (a : T) -> :: durable"),
        ("", "impl S { #[workflow] fn f() {} fn g() {} }", "impl S { :: core :: compile_error"),
        ("", "impl S { #[workflow] fn f() {} fn g() {} }", "fn g () { }"),
        ("crate = d", "impl S { #[workflow] fn f() {} }", "fn f () -> d :: WorkflowCall <"),
    ] {
        let text = expand(options, item);
        assert!(text.contains("compile_error") && text.contains(signature), "{item}: {text}");
    }
}

#[test]
fn a_body_that_cannot_be_read_is_one_error() {
    assert_eq!(errors("async fn f() { let = ; g().await }").len(), 1);
}

#[test]
fn options_are_checked() {
    for (options, expected) in [
        ("name = \"\"", "can't be empty"),
        ("deadline = \"30 days\"", "is not a duration"),
        ("deadline = \"30d\"", "not supported yet"),
        ("migrate = f", "not supported yet"),
        ("retries = 3", "unknown argument `retries`"),
    ] {
        assert!(expand(options, "async fn f() {}").contains(expected), "{options}");
    }
}

#[test]
fn too_many_points_are_refused() {
    let body = "g().await;".repeat(129);
    assert!(
        errors(&format!("async fn f() {{ {body} }}"))[0].contains("129 resume points and 128 is the limit")
    );
    assert!(errors(&format!("async fn f() {{ {} }}", "g().await;".repeat(128))).is_empty());
}

#[test]
fn an_item_in_an_inner_block_that_awaits_is_refused_and_not_seen_by_the_whole_function() {
    let refused = "move it to the top of the function";
    assert!(expand("", "async fn f() { { const A: u8 = 1; g(A).await; } }").contains(refused));
    assert!(!expand("", "async fn f() { const A: u8 = 1; g(A).await; }").contains(refused));
    assert!(!expand("", "async fn f() { { const A: u8 = 1; h(A); } g().await; }").contains(refused));
}
