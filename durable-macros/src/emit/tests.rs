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
        ("async fn f(&mut self) {}", "take `self`, and call it on a clone"),
        ("async fn f(x: Option<&str>) {}", "take `Option<String>`"),
        ("async fn f() -> &'static str { \"\" }", "return `String`"),
        ("async fn f() -> Vec<&'static [u8]> { x }", "return `Vec<Vec<u8>>`"),
        ("async fn f<'a>(x: &'a u8) {}", "leave the lifetime out"),
        ("async fn f(x: &mut u8) {}", "take the value and return the changed one"),
        ("async fn f() -> ! { loop {} }", "never returns"),
        ("async fn f(x: impl Copy) {}", "type parameter"),
        ("async fn f() -> impl Copy { 1 }", "name the type"),
        ("async fn f() { println!(\"{}\", g().await); }", "await first"),
        ("async fn f() { let h = async { g().await }; }", "second `#[workflow]`"),
        ("async fn f() { v.map(|x| async move { g(x).await }); }", "async block"),
        ("async fn f() { unsafe { g().await } }", "unsafe block"),
        ("async fn f() { tokio::select! { x = g() => {} } }", "`tokio::select!` is not durable"),
        ("async fn f() { join!(a(), b()); }", "`join!` is not durable"),
        ("async fn f() { tokio::spawn(g()); }", "`tokio::spawn` is not durable"),
        ("async fn f() { tokio::time::sleep(d).await; }", "durable::sleep"),
        (
            "async fn f() { match x { (y, _) | (_, y) if g(y).await => {} _ => {} } }",
            "write an arm for each alternative",
        ),
        ("async fn f() { (v[g().await], x) = h(); }", "await the index before"),
        ("async fn f() { { use a::*; g().await; } }", "import what you use by name"),
        ("async fn f() { let S { x }: S; g().await; }", "declare each variable by itself"),
        (
            "async fn f(x: u8) { macro_rules! m { () => { x } } m!(); }",
            "give the variable as an argument of the macro",
        ),
        ("async fn f() { { struct S; g().await; } S; }", "rename one of the two"),
        ("async fn f() { *g() += h().await; }", "left side of this assignment"),
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
        ("impl { S }", "fn f(self) -> Self { self }", "fn f (self) -> :: durable :: WorkflowCall <"),
        ("crate = d", "fn f() {}", "fn f () -> d :: WorkflowCall <"),
    ] {
        let text = expand(options, item);
        assert!(text.contains("compile_error") && text.contains(signature), "{item}: {text}");
    }
}

#[test]
fn a_block_tells_its_functions_what_stands_around_them() {
    let block = "impl<T: Copy> S<T> where T: Eq { #[workflow] async fn f() {} #[a::activity(crate = x, name = \"n\")] fn g() {} fn h() {} }";
    let text = expand("crate = d", block);
    for expected in [
        "# [workflow (impl { < T : Copy > S < T > where T : Eq } , crate = d ,)] async fn f () { }",
        "# [a :: activity (impl { < T : Copy > S < T > where T : Eq } , crate = x , name = \"n\")] fn g () { }",
        "fn h () { }",
    ] {
        assert!(text.contains(expected), "{text}");
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
        ("deadline = \"0s\"", "no time at all"),
        ("migrate = \"f\"", "expected identifier"),
        ("retries = 3", "unknown option `retries`"),
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
fn what_looks_like_a_refused_construct_is_not() {
    for item in [
        "async fn f() { match x { A(y) | B(y) if g(y).await => {} _ => {} } }",
        "async fn f() { { use Kind::*; g().await; } use a::*; }",
        "async fn f() { { struct S; g().await; } }",
        "async fn f(x: u8) { macro_rules! m { ($x:ident) => {{ let x = 1; x + $x.x }} } m!(x); }",
    ] {
        assert_eq!(errors(item), Vec::<String>::new(), "{item}");
    }
}

#[test]
fn each_combination_of_conditions_is_compiled_for_itself() {
    let text = expand("", "async fn f() { #[cfg(unix)] g().await; #[cfg(all())] let x = h().await; }");
    assert_eq!(text.matches("# [cfg (all (").count(), 4, "{text}");
    assert!(text.contains("# [cfg (all (not (unix) , all ()))]"), "{text}");
    let many = "#[cfg(a)] g().await; #[cfg(b)] g().await; #[cfg(c)] g().await; #[cfg(d)] g().await; #[cfg(e)] g().await;";
    assert!(errors(&format!("async fn f() {{ {many} }}"))[0].contains("one condition more than 4"));
}

#[test]
fn a_mistake_under_a_condition_is_one_under_this_condition_only() {
    let text = expand("", "async fn f() { #[cfg(unix)] unsafe { g().await } }");
    assert!(text.contains("# [cfg (all (unix))] :: core :: compile_error"), "{text}");
    assert_eq!(text.matches("compile_error").count(), 1);
}
