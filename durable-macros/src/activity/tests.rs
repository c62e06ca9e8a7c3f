//! What the macro says to mistakes, and where.

use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};

use super::expand;

/// Expands and gives each error as `the tokens' text: message`.
fn errors(args: &str, item: &str) -> Vec<String> {
    let expanded = expand(tokens(args), tokens(item));
    let mut found = Vec::new();
    let trees: Vec<TokenTree> = expanded.into_iter().collect();
    for (n, tree) in trees.iter().enumerate() {
        let TokenTree::Ident(ident) = tree else {
            continue;
        };
        if ident != "compile_error" {
            continue;
        }
        // `compile_error ! { "message" }`
        let Some(TokenTree::Group(group)) = trees.get(n + 2) else { panic!("not a macro call") };
        let message: syn::LitStr = syn::parse2(group.stream()).expect("one literal");
        // The first token carries the first span, the group the last.
        let at = [ident.span().source_text(), group.span().source_text()].map(Option::unwrap_or_default);
        let at = if at[0] == at[1] { at[0].clone() } else { format!("{}..{}", at[0], at[1]) };
        found.push(format!("{at}: {}", said(&message.value())));
    }
    found
}

/// What is wrong and what to write, without the page.
fn said(message: &str) -> String {
    match message.split_once("\n\n  = help: ") {
        Some((what, rest)) => {
            let (help, page) = rest.split_once("\n  = note: see docs/errors/").expect("it names a page");
            assert!(page.starts_with("activity-") || page == "impl-block.md", "{page}");
            format!("{what}; {help}")
        }
        None => message.to_owned(),
    }
}

fn tokens(text: &str) -> TokenStream {
    TokenStream::from_str(text).expect("it is Rust")
}

/// The function that callers see.
fn outer(item: &str) -> syn::ItemFn {
    let file: syn::File = syn::parse2(expand(TokenStream::new(), tokens(item))).expect("it is Rust");
    let function = file.items.into_iter().find_map(|item| match item {
        syn::Item::Fn(function) => Some(function),
        _ => None,
    });
    function.expect("a function is emitted")
}

const PLAIN: &str = "async fn charge(cents: u64) -> Result<u64, E> { Ok(cents) }";

#[track_caller]
fn check(args: &str, item: &str, expected: &[&str]) {
    assert_eq!(errors(args, item), expected);
}

#[track_caller]
fn option(args: &str, expected: &str) {
    check(args, PLAIN, &[expected]);
}

#[test]
fn every_option_of_the_documentation_is_taken() {
    let all = r#"name = "charge", start_to_close = "30s", schedule_to_close = "1h", heartbeat = "10s",
        retry(initial = "1s", backoff = 2, max_interval = "100s", max_attempts = 5, jitter = 0.1),
        no_retry(E::Declined { code } | E::Other(code) if *code > 3), park_when_exhausted, limit = 10,
        crate = my::durable,"#;
    check(all, PLAIN, &[]);
    check("", PLAIN, &[]);
}

#[test]
fn an_unknown_option_is_answered_with_the_known_ones() {
    option(
        "start_to_clse = \"30s\"",
        "start_to_clse: unknown option `start_to_clse`; did you mean `start_to_close`?; the options are `name`, `was`, \
         `start_to_close`, `schedule_to_close`, `heartbeat`, `retry`, `no_retry`, `park_when_exhausted`, `limit`, `crate`",
    );
    option(
        "retry(tries = 3)",
        "tries: unknown option `tries`; the options are `initial`, `backoff`, `max_interval`, `max_attempts`, `jitter`",
    );
}

#[test]
fn all_mistakes_are_reported_at_once_and_a_good_option_between_them_counts() {
    let found = errors(
        "nme = 3, limit = 0, start_to_close = \"5m\", retry(backoff = 0.5, jitter = 2), limit = 3",
        "async fn f(&self, x: &mut u32) {}",
    );
    let places: Vec<&str> = found.iter().filter_map(|error| error.split(':').next()).collect();
    assert_eq!(places, ["nme", "0", "\"5m\"", "0.5", "2", "limit", "&..self", "&..mut"]);
}

#[test]
fn numbers_out_of_range_say_what_is_in_range() {
    option(
        "retry(max_attempts = 0)",
        "0: 0 attempts would never run it; leave `max_attempts` out for no limit, or write 1 for no retry",
    );
    option(
        "retry(backoff = 0.9)",
        "0.9: `backoff` is the factor by which delays grow; write a number of at least 1",
    );
    option(
        "retry(jitter = 1.1)",
        "1.1: `jitter` is the part by which a delay is moved; write a number from 0 (off) to 1",
    );
    option(
        "retry(initial = \"10s\", max_interval = \"5s\")",
        "max_interval: `max_interval` is shorter than the first delay, `initial` (default \"1s\"); give a longer one, or a shorter `initial`",
    );
    option("limit = 0", "0: 0 would never run it; leave `limit` out for no limit");
    option("limit = \"3\"", "\"3\": expected a whole number; write it without quotes: `limit = 10`");
}

#[test]
fn a_duration_needs_a_number_a_unit_and_quotes() {
    option(
        "heartbeat = \"10 s\"",
        "\"10 s\": `10 s` is not a duration; write a whole number and a unit, as in \"250ms\", \"30s\", \"5min\", \"1h\" or \"30d\"",
    );
    option(
        "heartbeat = 10",
        "10: `10` is not a duration; write \"250ms\", \"30s\", \"5min\", \"1h\" or \"30d\", with the quotes",
    );
}

#[test]
fn options_have_their_forms() {
    option(
        "name = \"\"",
        "\"\": an activity's name has 1 to 200 bytes and no control characters; leave `name` out to take the function's",
    );
    option("park_when_exhausted = true", "=: `park_when_exhausted` takes no value; write the word alone");
    option("no_retry(E::A, E::B)", ",: `no_retry` takes one pattern; separate its alternatives by `|`");
    option("limit = 3, limit = 4", "limit: `limit` is given twice; give each option once");
    option("limit 3", "3: expected `=`");
}

#[test]
fn parameters_that_can_not_be_stored_are_refused_with_the_rewrite() {
    check(
        "",
        "async fn f(a: Option<&str>, b: &[&Path], c: (u8, &[u8])) {}",
        &[
            "&..str: a reference inside of a stored type can't be read back; take `Option<String>`",
            "&..Path: a reference inside of a stored type can't be read back; take `&[PathBuf]`",
            "&..[u8]: a reference inside of a stored type can't be read back; take `(u8, Vec<u8>)`",
        ],
    );
    check(
        "",
        "async fn f<'a>(a: Cow<'a, str>, b: &'static str, c: impl Display) {}",
        &[
            "'..a: what is stored owns its data; take an owned type",
            "'..static: a stored argument does not live for ever; leave out `'static`",
            "impl..Display: an activity's parameter has a type with a name, because it is stored; name it in place of `impl Trait`",
        ],
    );
    check(
        "",
        "async fn f(a: &mut Vec<u8>) {}",
        &[
            "&..mut: an activity works on a stored copy, so the caller would not see the change; take it by value and return it",
        ],
    );
}

#[test]
fn functions_that_can_not_be_activities_say_why() {
    check(
        "",
        "async fn f<T, const N: usize>() {}",
        &[
            "T: an activity can't be generic, because the engine finds it by its name; write one activity for each type, which call a generic function",
            "const..usize: an activity can't be generic, because the engine finds it by its name; write one activity for each type, which call a generic function",
        ],
    );
    check(
        "",
        "async fn open(x: u8) -> Self { Self }",
        &["Self: only the `impl` block says what `Self` is; write `#[workflow]` above the `impl` too"],
    );
    check("", "async fn f() -> &'static str { \"\" }", &[]);
    check(
        "",
        "async fn f(x: &str) -> &str { x }",
        &[
            "&: an activity returns owned values, because the result is stored; return a `String`, a `Vec`, ..",
        ],
    );
    assert_eq!(errors("", "struct Charge;"), ["struct: `#[activity]` stands on a function; move it there"]);
}

#[test]
fn callers_see_a_refused_function_in_its_repaired_shape() {
    let function = outer("pub async fn f(a: Option<&str>, b: &mut Vec<u8>, c: &[u8]) -> u32 { 1 }");
    let given: Vec<String> =
        function.sig.inputs.iter().map(|input| quote::quote!(#input).to_string()).collect();
    assert_eq!(given, ["a : Option < :: std :: string :: String >", "b : & Vec < u8 >", "c : & [u8]"]);
}

#[test]
fn what_the_engine_supplies_is_no_part_of_the_call() {
    let function = outer(
        "async fn f(State(g): durable::State<Gateway>, id: &str, cx: &ActivityContext, state: State, (a, b): (u8, u8), _x: u8) {}",
    );
    let given: Vec<String> =
        function.sig.inputs.iter().map(|input| quote::quote!(#input).to_string()).collect();
    assert_eq!(given, ["id : & str", "state : State", "arg4 : (u8 , u8)", "arg5 : u8"]);
}

#[test]
fn attributes_that_others_see_stay_outside() {
    let function = outer(
        "#[doc = \"x\"] #[cfg(test)] #[allow(dead_code)] #[instrument] #[cfg_attr(a, doc = \"\")] #[cfg_attr(a, inline)] pub(crate) fn f() {}",
    );
    let names: Vec<String> =
        function.attrs.iter().map(|attr| attr.path().segments[0].ident.to_string()).collect();
    assert_eq!(names, ["doc", "cfg", "allow", "cfg_attr"]);
    assert!(matches!(function.vis, syn::Visibility::Restricted(_)));
}
