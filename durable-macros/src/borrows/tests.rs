//! Which borrows are refused, in which words; and that what need not be refused is not.

use crate::expand;
use proc_macro2::TokenStream;

/// The messages for a body in which `o: Order`, `v: Vec<T>` and `n: usize` are arguments, and `act` is awaited.
fn errors(body: &str) -> Vec<String> {
    let item = format!("async fn w(o: Order, v: Vec<T>, n: usize) {{\n{body}\n}}");
    let item: TokenStream = item.parse().expect("tokens");
    let text = expand::workflow(TokenStream::new(), item).to_string();
    let messages = text.split("compile_error ! { \"").skip(1);
    messages
        .filter_map(|rest| {
            Some(rest.split_once("\" }")?.0.replace("\\\"", "\"").replace("\\n\\n  = help: ", "; "))
        })
        .collect()
}

#[test]
fn what_can_not_be_borrowed_again_is_one_error_with_the_borrow_the_await_and_the_rewrite() {
    for (body, expected) in [
        (
            "let mut r = &o.name;\nact().await;\nact().await; use_it(r); r = &o.city; act(r).await;",
            "`&o.name` is still needed after the await of `act` in line 3, and can't be made again there: `r` is `mut`, so it may \
             refer to something else by then; keep an index, a key or an owned copy in `r`, and borrow again after the await",
        ),
        (
            "let mut node = &o; while let Some(next) = &node.next { act(node).await; node = next; }",
            "`node` is `mut`",
        ),
        (
            "let mut s = \"a\"; if n > 1 { s = \"b\"; } act().await; use_it(s);",
            "use a `String`: `let mut s = \"a\".to_string();`",
        ),
        (
            "let mut it = v.iter(); while let Some(x) = it.next() { act(x).await; }",
            "write `for item in v.iter()`",
        ),
        ("let mut it = v.iter().rev(); act().await; it.next();", "how far `it` has come is not known"),
        (
            "let found = v.iter().find(|x| x.id == n); act().await; use_it(found);",
            "`let at = ...iter().position(..)`",
        ),
        (
            "let it = v.iter().map(|x| x.id); act().await; use_it(it);",
            "the closure of `map` can't be kept; collect it first",
        ),
        (
            "let pair = (&o.name, make()); act().await; use_it(pair);",
            "bind the value and the borrow each by itself",
        ),
        (
            "let s: &str = longest(&o.name, &o.city); act().await; use_it(s);",
            "what it refers to is not known here",
        ),
        ("let s: &'static str = label(n); act().await; use_it(s);", "keep an owned copy"),
        (
            "match &o.pair { (0, x) | (x, _) => { act().await; use_it(x); } }",
            "several alternatives of the pattern bind it",
        ),
        ("let bad = |why: &str| fail(&o, why); act().await; bad(\"no\");", "make it a nested `fn`"),
        (
            "let mut left = v.into_iter(); while let Some(x) = left.next() { act(x).await; }",
            "a `VecDeque` and `pop_front()`",
        ),
        (
            "let mut left = v.drain(..); while let Some(x) = left.next() { act(x).await; }",
            "write a `for` loop",
        ),
        ("for x in v.iter().filter(|x| x.ok) { act(x).await; }", "the closure of `filter` can't be kept"),
        ("for x in v.into_iter().map(f).rev() { act(x).await; }", "the closure of `map` can't be kept"),
        ("for x in (0..n).filter(odd) { act(x).await; }", "the closure of `filter` can't be kept"),
    ] {
        let found = errors(body);
        assert_eq!(found.len(), 1, "{body}: {found:?}");
        assert!(found[0].contains(expected), "{body}: {found:?}");
    }
}

#[test]
fn each_mistake_is_reported_once_and_all_at_once() {
    let body = "let mut a = &o.name; let b = a; act().await; act().await; use_it(b, a);";
    assert_eq!(errors(body).len(), 1);
    let body = "let mut a = &o.name; let mut b = &o.city; act().await; swap(&mut a, &mut b); use_it(a, b);";
    assert_eq!(errors(body).len(), 2);
}

#[test]
fn a_borrow_that_no_await_crosses_is_free() {
    for body in [
        "let mut r = &o.name; r = &o.city; use_it(r); act().await;",
        "let mut it = v.iter(); let first = it.next().cloned(); act().await; use_it(first);",
        "let s: &str = longest(&o.name, &o.city); act(s).await;",
        "let found = v.iter().find(|x| x.ok).cloned(); act().await; use_it(found);",
        "let mut n = LIMIT; act().await; n += 1; act(n).await;",
        "let all: Vec<u8> = v.iter().map(f).collect(); act().await; use_it(all);",
        "for x in o.coupon.map(f) { act(x).await; }",
        "for x in grid.map(f) { act(x).await; }",
        "let opt: Option<String> = o.get(\"key\"); act().await; use_it(opt);",
        "let lowest = v.iter().map(|x| x.cents).min(); act().await; use_it(lowest);",
        "for wait in [DAY, 2 * DAY, n * DAY] { act(wait).await; act(wait).await; }",
    ] {
        assert!(errors(body).is_empty(), "{body}: {:?}", errors(body));
    }
}
