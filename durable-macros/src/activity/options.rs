//! `#[activity(..)]`: what stands between the parentheses.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Expr, Ident, Lit, LitStr, Pat, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use crate::home::Home;

use super::{duration, errors::Errors};
use crate::diagnostics::refusal;

const PAGE: &str = "activity-option";

const OPTIONS: [&str; 10] = [
    "name",
    "was",
    "start_to_close",
    "schedule_to_close",
    "heartbeat",
    "retry",
    "no_retry",
    "park_when_exhausted",
    "limit",
    "crate",
];
const RETRY_OPTIONS: [&str; 5] = ["initial", "backoff", "max_interval", "max_attempts", "jitter"];

/// The options of an activity.
#[derive(Default)]
pub(super) struct Options {
    pub(super) name: Option<LitStr>,
    /// The names that it was stored under before.
    pub(super) was: Vec<LitStr>,
    pub(super) start_to_close_ms: Option<u64>,
    pub(super) schedule_to_close_ms: Option<u64>,
    pub(super) heartbeat_ms: Option<u64>,
    pub(super) retry: RetryOptions,
    pub(super) no_retry: Option<NoRetry>,
    pub(super) park_when_exhausted: bool,
    pub(super) limit: Option<u32>,
    /// `crate = path`: where `durable` is found.
    pub(super) krate: Option<Path>,
    /// The `impl` block around the function, as its attribute says.
    pub(super) home: Option<Home>,
}

#[derive(Default)]
pub(super) struct RetryOptions {
    pub(super) initial_ms: Option<u64>,
    pub(super) backoff: Option<f64>,
    pub(super) max_interval_ms: Option<u64>,
    pub(super) max_attempts: Option<u32>,
    pub(super) jitter: Option<f64>,
}

/// `no_retry(pattern if guard)`.
pub(super) struct NoRetry {
    pub(super) pattern: Pat,
    pub(super) guard: Option<Expr>,
}

impl Options {
    pub(super) fn parse(args: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Options::default();
        let parser = |input: ParseStream<'_>| {
            // Not the user's: it comes first, from the attribute of the block.
            if input.parse::<Option<Token![impl]>>()?.is_some() {
                options.home = Some(input.parse()?);
                input.parse::<Option<Token![,]>>()?;
            }
            list(input, &OPTIONS, errors, |key, input, errors| options.option(key, input, errors));
            Ok(())
        };
        // `list` reports its own errors and always reaches the end.
        if let Err(error) = parser.parse2(args) {
            errors.push(error);
        }
        options
    }

    /// Parses what follows the name of an option.
    fn option(&mut self, key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(name(input)?),
            "was" => self.was.push(name(input)?),
            "start_to_close" => self.start_to_close_ms = Some(duration(input)?),
            "schedule_to_close" => self.schedule_to_close_ms = Some(duration(input)?),
            "heartbeat" => self.heartbeat_ms = Some(duration(input)?),
            "limit" => {
                self.limit =
                    Some(at_least_one(input, ("would never run it", "leave `limit` out for no limit"))?);
            }
            "park_when_exhausted" => {
                if input.peek(Token![=]) || input.peek(syn::token::Paren) {
                    return Err(input.error(refusal(
                        "`park_when_exhausted` takes no value",
                        "write the word alone",
                        PAGE,
                    )));
                }
                self.park_when_exhausted = true;
            }
            "crate" => {
                input.parse::<Token![=]>()?;
                self.krate = Some(input.call(Path::parse_mod_style)?);
            }
            "retry" => self.retry = retry(input, errors)?,
            "no_retry" => self.no_retry = Some(no_retry(input)?),
            _ => unreachable!("`list` only gives the options it was told"),
        }
        Ok(())
    }
}

/// Parses a comma-separated list of options, each once, and goes on after a mistake.
fn list(
    input: ParseStream<'_>,
    known: &[&str],
    errors: &mut Errors,
    mut option: impl FnMut(&Ident, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    let mut seen: Vec<String> = Vec::new();
    while !input.is_empty() {
        let parsed = input.call(Ident::parse_any).and_then(|key| {
            let name = key.to_string();
            if !known.contains(&name.as_str()) {
                return Err(unknown(&key, known));
            }
            if seen.contains(&name) {
                return Err(syn::Error::new(
                    key.span(),
                    refusal(format!("`{name}` is given twice"), "give each option once", PAGE),
                ));
            }
            seen.push(name);
            option(&key, input, errors)?;
            if input.is_empty() || input.peek(Token![,]) {
                return Ok(());
            }
            Err(input.error(refusal("two options without a comma between them", "write `,`", PAGE)))
        });
        if let Err(error) = parsed {
            errors.push(error);
        }
        skip_past_comma(input);
    }
}

/// Leaves the rest of an option unread.
fn skip_past_comma(input: ParseStream<'_>) {
    while !input.is_empty() {
        let comma = input.peek(Token![,]);
        // A token tree is what is left when the input is not at its end.
        if input.parse::<TokenTree>().is_err() || comma {
            return;
        }
    }
}

fn unknown(key: &Ident, known: &[&str]) -> syn::Error {
    let name = key.to_string();
    let near = known.iter().map(|option| (distance(&name, option), option)).min();
    let hint = match near {
        Some((distance, option)) if distance <= 1 + name.len() / 4 => {
            format!("; did you mean `{option}`?")
        }
        _ => String::new(),
    };
    let list: Vec<String> = known.iter().map(|option| format!("`{option}`")).collect();
    let (what, help) =
        (format!("unknown option `{name}`{hint}"), format!("the options are {}", list.join(", ")));
    syn::Error::new(key.span(), refusal(what, help, PAGE))
}

/// How many letters must be added, removed or replaced.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[row.len() - 1]
}

fn name(input: ParseStream<'_>) -> syn::Result<LitStr> {
    input.parse::<Token![=]>()?;
    let name: LitStr = input.parse()?;
    let value = name.value();
    if value.is_empty() || value.len() > 200 || value.chars().any(char::is_control) {
        return Err(syn::Error::new(
            name.span(),
            refusal(
                "an activity's name has 1 to 200 bytes and no control characters",
                "leave `name` out to take the function's",
                PAGE,
            ),
        ));
    }
    Ok(name)
}

fn duration(input: ParseStream<'_>) -> syn::Result<u64> {
    input.parse::<Token![=]>()?;
    match input.parse()? {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => duration::parse(&text.value())
            .map_err(|why| syn::Error::new(text.span(), refusal(why.0, why.1, PAGE))),
        other => Err(syn::Error::new_spanned(
            &other,
            refusal(
                format!("`{}` is not a duration", plain(&other)),
                "write \"250ms\", \"30s\", \"5min\", \"1h\" or \"30d\", with the quotes",
                PAGE,
            ),
        )),
    }
}

fn at_least_one(input: ParseStream<'_>, zero: (&str, &str)) -> syn::Result<u32> {
    input.parse::<Token![=]>()?;
    let value: Expr = input.parse()?;
    let Expr::Lit(syn::ExprLit { lit: Lit::Int(number), .. }) = &value else {
        return Err(syn::Error::new_spanned(
            &value,
            refusal("expected a whole number", "write it without quotes: `limit = 10`", PAGE),
        ));
    };
    match number.base10_parse::<u32>()? {
        0 => Err(syn::Error::new_spanned(&value, refusal(format!("0 {}", zero.0), zero.1, PAGE))),
        number => Ok(number),
    }
}

fn number(
    input: ParseStream<'_>,
    range: std::ops::RangeInclusive<f64>,
    must: (&str, &str),
) -> syn::Result<f64> {
    input.parse::<Token![=]>()?;
    let value: Expr = input.parse()?;
    let parsed = match &value {
        Expr::Lit(syn::ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse::<f64>().ok(),
        Expr::Lit(syn::ExprLit { lit: Lit::Float(number), .. }) => number.base10_parse::<f64>().ok(),
        _ => None,
    };
    parsed
        .filter(|number| range.contains(number))
        .ok_or_else(|| syn::Error::new_spanned(&value, refusal(must.0, must.1, PAGE)))
}

fn retry(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<RetryOptions> {
    if !input.peek(syn::token::Paren) {
        return Err(input.error(refusal(
            "`retry` takes its options in parentheses",
            "write `retry(initial = \"1s\", backoff = 2.0, max_attempts = 5)`",
            PAGE,
        )));
    }
    let inner;
    syn::parenthesized!(inner in input);
    let mut retry = RetryOptions::default();
    let mut max_interval = Span::call_site();
    list(&inner, &RETRY_OPTIONS, errors, |key, input, _| {
        match key.to_string().as_str() {
            "initial" => retry.initial_ms = Some(duration(input)?),
            "max_interval" => {
                max_interval = input.cursor().token_tree().map_or(key.span(), |_| key.span());
                retry.max_interval_ms = Some(duration(input)?);
            }
            "max_attempts" => {
                let zero = (
                    "attempts would never run it",
                    "leave `max_attempts` out for no limit, or write 1 for no retry",
                );
                retry.max_attempts = Some(at_least_one(input, zero)?);
            }
            "backoff" => {
                let must = ("`backoff` is the factor by which delays grow", "write a number of at least 1");
                retry.backoff = Some(number(input, 1.0..=f64::MAX, must)?);
            }
            _ => {
                let must =
                    ("`jitter` is the part by which a delay is moved", "write a number from 0 (off) to 1");
                retry.jitter = Some(number(input, 0.0..=1.0, must)?);
            }
        }
        Ok(())
    });
    // 1 s is the default of `initial`.
    if retry.max_interval_ms.is_some_and(|longest| longest < retry.initial_ms.unwrap_or(1000)) {
        errors.push(syn::Error::new(
            max_interval,
            refusal(
                "`max_interval` is shorter than the first delay, `initial` (default \"1s\")",
                "give a longer one, or a shorter `initial`",
                PAGE,
            ),
        ));
    }
    Ok(retry)
}

/// Leaves nothing unread: syn would report it a second time.
fn drain(input: ParseStream<'_>) {
    while input.parse::<TokenTree>().is_ok() {}
}

fn no_retry(input: ParseStream<'_>) -> syn::Result<NoRetry> {
    if !input.peek(syn::token::Paren) {
        return Err(input.error(refusal(
            "`no_retry` takes a pattern in parentheses",
            "write `no_retry(MyError::Declined { .. } | MyError::Fraud)`",
            PAGE,
        )));
    }
    let inner;
    syn::parenthesized!(inner in input);
    let parsed = pattern(&inner);
    drain(&inner);
    parsed
}

fn pattern(input: ParseStream<'_>) -> syn::Result<NoRetry> {
    if input.is_empty() {
        // Not `input.error`, which would speak of the end of the input.
        return Err(syn::Error::new(
            input.span(),
            refusal(
                "`no_retry` takes a pattern over the error",
                "write `no_retry(MyError::Declined { .. })`",
                PAGE,
            ),
        ));
    }
    let pattern = input.call(Pat::parse_multi_with_leading_vert)?;
    let guard = if input.peek(Token![if]) {
        input.parse::<Token![if]>()?;
        Some(input.parse()?)
    } else {
        None
    };
    if input.peek(Token![,]) {
        return Err(input.error(refusal(
            "`no_retry` takes one pattern",
            "separate its alternatives by `|`",
            PAGE,
        )));
    }
    if !input.is_empty() {
        return Err(input.error(refusal(
            "expected the end of the pattern",
            "separate alternatives by `|`",
            PAGE,
        )));
    }
    Ok(NoRetry { pattern, guard })
}

impl NoRetry {
    /// An expression: does `error`, a reference, match?
    pub(super) fn matches(&self, error: &Ident) -> TokenStream {
        let NoRetry { pattern, guard } = self;
        let guard = guard.as_ref().map(|guard| quote!(if #guard));
        quote!(::core::matches!(#error, #pattern #guard))
    }

    pub(super) fn span(&self) -> Span {
        self.pattern.span()
    }
}

fn plain(tokens: impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}
