//! Which binding a name means: each case shows the body with its variables numbered in order of binding.

use super::resolve;
use crate::ir::marked;
use crate::lower::normalised_with;
use crate::parse;
use quote::ToTokens;

/// The body's tokens, each variable as `name:number`; a captured variable as `[name:number]`.
fn resolved(item: &str) -> String {
    let mut workflow = parse::parse_str(item);
    let (function, _) = resolve(&mut workflow).expect("names resolve");
    normalised_with(workflow.item.block.to_token_stream(), true, &|ident| match marked(ident) {
        Some(var) => format!("{}:{var}", function.vars[var].stored_name),
        None => ident.to_string(),
    })
}

#[test]
fn names_mean_bindings() {
    for (body, expected) in [
        ("let x = a; let x = x + 1; x", "{ let x:1 = a:0 ; let x:2 = x:1 + 1 ; x:2 }"),
        ("({ let a = 1; a }) + a", "{ ( { let a:1 = 1 ; a:1 } ) + a:0 }"),
        ("if let Some(a) = a { a } else { a }", "{ if let Some ( a:1 ) = a:0 { a:1 } else { a:0 } }"),
        (
            "match a { A(n) | B(n) if n > a => n, None => a }",
            "{ match a:0 { A ( n:1 ) | B ( n:1 ) if n:1 > a:0 => n:1 , None => a:0 } }",
        ),
        ("let f = |x| x + a; f(x)", "{ let f:2 = | x:1 | x:1 + a:0 ; f:2 ( x ) }"),
        (
            "for a in a { a } while let Some(a) = a { a }",
            "{ for a:1 in a:0 { a:1 } while let Some ( a:2 ) = a:0 { a:2 } }",
        ),
        ("let S { a, b: c } = S { a, b: a };", "{ let S { a : a:1 , b : c:2 } = S { a : a:0 , b : a:0 } ; }"),
        ("fn a() {} a; fn b(a: u8) -> u8 { a }", "{ fn a ( ) { } a:0 ; fn b ( a : u8 ) -> u8 { a } }"),
        ("a.a; a::a; S { a: a }", "{ a:0 . a ; a :: a ; S { a : a:0 } }"),
        ("let MAX = a;", "{ let MAX = a:0 ; }"),
    ] {
        assert_eq!(resolved(&format!("async fn f(a: u8) {{ {body} }}")), expected);
    }
}

#[test]
fn macros_mention_variables() {
    for (body, expected) in [
        ("println!(\"{a} {b}\", b = a)", "{ println ! ( \"{a} {b}\" , b = a:0 [ , a = a:0 ] ) }"),
        ("format!(\"{}\", a.a)", "{ format ! ( \"{}\" , a:0 . a ) }"),
        ("matches!(a, Some(n) if n > a)", "{ matches ! ( a:0 , Some ( n:1 ) if n:1 > a:0 ) }"),
        ("vec![a; 3]", "{ vec ! ( a:0 ; 3 ) }"),
        ("unknown!(a => x.a, \"{a}\")", "{ unknown ! ( a:0 => x . a , \"{a}\" [ , a = a:0 ] ) }"),
        ("json!({ \"a\": a })", "{ json ! ( { \"a\" : a:0 } ) }"),
    ] {
        let shown = resolved(&format!("async fn f(a: u8) {{ {body} }}"))
            .replace("vec ! [ a:0 ; 3 ]", "vec ! ( a:0 ; 3 )");
        assert_eq!(shown, expected);
    }
}
