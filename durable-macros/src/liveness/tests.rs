//! What each resume point saves, and what it makes again.

use crate::{layout, liveness, lower, parse, resolve};

/// For each point, what it saves in order, then `&` and what it makes again.
pub(crate) fn points(item: &str) -> Vec<String> {
    let mut workflow = parse::parse_str(item);
    let (function, _) = resolve::resolve(&mut workflow).expect("names resolve");
    let function = lower::lower(&workflow, function).expect("it lowers");
    let live = liveness::liveness(&function);
    let plan = layout::layout(&function, &live);
    let name = |var: &usize| function.vars[*var].stored_name.clone();
    (0..function.points.len())
        .map(|point| {
            let saved: Vec<String> = plan.saved(&function, point).iter().map(name).collect();
            let made = live.at_point[point].iter().filter(|var| function.vars[**var].remat.is_some());
            let made: Vec<String> = made.map(|var| format!(" &{}", name(var))).collect();
            format!("{}{}", saved.join(" "), made.concat())
        })
        .collect()
}

#[test]
fn only_what_is_needed_is_saved() {
    let cases: &[(&str, &[&str])] = &[
        ("let x = a; f().await; g().await", &["", ""]),
        ("let x = a; f().await; x", &["x"]),
        ("let x; f().await; if c() { x = 1 } else { x = 2 } g().await; x", &["", "x"]),
        ("let mut x = 1; f().await; x = 2; g().await; x", &["", "x"]),
        ("let mut x = 1; f().await; x += 2; g().await; x", &["x", "x"]),
        ("let x = a; let y = { let x = 2; f().await; x } + x; y", &["x x"]),
        ("loop { let x = a; f().await; if x { break } }", &["a x"]),
        ("let mut s = a; loop { s = f(s).await; }", &[""]),
        ("g(a, f().await, h().await)", &["g(0)", "g(0) g(1)"]),
        ("println!(\"{a}\"); f().await; println!(\"{a}\")", &["a"]),
        ("let k = |y| y + a; f().await; matches!(a, n if n > 1)", &["a"]),
        ("for x in a { f().await; }", &["for x"]),
        ("if f().await { return a; } g().await", &["a", ""]),
        ("let x; if f().await { x = 1 } else { return 2 } g().await; x", &["", "x"]),
        ("let x; let y = f().await && { return a }; x = y; g(x).await", &["a", ""]),
        ("let mut x = 1; f().await; let y = a && { x = 2; true }; g(x, y).await", &["a x", ""]),
    ];
    for (body, expected) in cases {
        assert_eq!(points(&format!("async fn w(a: u64) {{ {body} }}")), *expected, "{body}");
    }
}

#[test]
fn borrows_are_made_again() {
    let cases: &[(&str, &[&str])] = &[
        ("let n = &a.name; f().await; n", &["a &n"]),
        ("let n = &a.name; let m = &n.first; f().await; m", &["a &n &m"]),
        ("let mut v = vec![]; let w = &mut v; f().await; w.push(1)", &["v &w"]),
        ("let x = &make(); f().await; x", &["borrowed &x"]),
        ("match &a { A { n, .. } => { f().await; n } B => b }", &["a &n"]),
        ("match &a { A { n: &k, m } => { f().await; g(k, m) } }", &["a k &m"]),
        ("let i = 0; let x = &a[i]; f().await; x", &["a i &x"]),
        ("let mut i = 0; let x = &a[i]; f().await; x", &["a index &x"]),
        ("let x = a.get(b); f().await; x", &["a &x"]),
        ("let (x, y) = (&a, b()); f().await; g(x, y)", &["a y &x"]),
        ("let x = if a { \"a\" } else { \"b\" }; f().await; x", &["choice &x"]),
        ("for x in &a { f().await; g(x); }", &["a for x &x &for x iterator"]),
        ("for (i, x) in a.iter().enumerate() { f().await; h(i, x); }", &["a for i &x &for iterator"]),
        ("for x in [\"a\", \"b\"] { f().await; h(x); }", &["for x &x &for x iterator"]),
        ("let n = &a.n; loop { if f(n).await { g().await; break; } }", &["a &n", "a &n"]),
    ];
    for (body, expected) in cases {
        assert_eq!(points(&format!("async fn w(a: T) {{ {body} }}")), *expected, "{body}");
    }
}
