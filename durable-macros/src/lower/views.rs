//! The methods of the standard library that borrow from their receiver and do nothing else, by name.
//!
//! A name alone proves nothing, so whatever a user's own type may call something else is checked by rustc as well: the generated
//! code asks that the receiver is a type of the standard library (`Viewed`), or that an iterator comes in the same order again
//! (`Ordered`). Names that begin with `as_` are taken at their word: by convention they only look.

/// Methods that look: `as_`, from a borrow to a borrow, and free.
const LOOKS: &[&str] = &[
    "as_str",
    "as_slice",
    "as_bytes",
    "as_path",
    "as_ref",
    "as_deref",
    "as_mut",
    "as_deref_mut",
    "as_mut_slice",
    "as_os_str",
];

/// Methods of the standard library's types that a user's type may have with another meaning; without an argument.
const LOOKUPS: &[&str] = &[
    "first",
    "first_mut",
    "last",
    "last_mut",
    "front",
    "front_mut",
    "back",
    "back_mut",
    "first_key_value",
    "last_key_value",
    "split_first",
    "split_last",
    "split_first_mut",
    "split_last_mut",
    "trim",
    "trim_start",
    "trim_end",
    "file_name",
    "file_stem",
    "extension",
    "parent",
];

/// The same, with one argument: `cell.get()` is none of them.
const LOOKUPS_BY: &[&str] = &[
    "get",
    "get_mut",
    "get_key_value",
    "split_at",
    "split_at_mut",
    "trim_matches",
    "trim_start_matches",
    "trim_end_matches",
    "strip_prefix",
    "strip_suffix",
    "split_once",
    "rsplit_once",
];

/// Methods that take a borrow out of an option or a result.
const OPENERS: &[&str] = &["unwrap", "expect", "unwrap_or", "unwrap_or_default", "ok", "err"];

/// Methods that begin an iteration over their receiver, whatever type that is.
const STARTS: &[&str] =
    &["iter", "iter_mut", "chars", "char_indices", "bytes", "split_whitespace", "split_ascii_whitespace"];

/// Methods that begin an iteration, of names that other things have as well.
const OTHER_STARTS: &[&str] = &[
    "lines",
    "keys",
    "values",
    "values_mut",
    "chunks",
    "chunks_mut",
    "windows",
    "chunks_exact",
    "chunks_exact_mut",
    "rchunks",
    "split",
    "rsplit",
    "splitn",
    "rsplitn",
    "split_terminator",
    "split_inclusive",
    "range",
    "range_mut",
];

/// Adaptors of iterators without a closure.
const ADAPTORS: &[&str] = &[
    "enumerate",
    "rev",
    "skip",
    "take",
    "step_by",
    "zip",
    "peekable",
    "copied",
    "cloned",
    "fuse",
    "chain",
    "cycle",
    "into_iter",
    "flatten",
];

/// Adaptors that hold a closure.
const CLOSURES: &[&str] =
    &["map", "filter", "filter_map", "flat_map", "take_while", "skip_while", "map_while", "scan", "inspect"];

/// What ends an iteration with one of its items, without a closure.
const ENDS: &[&str] = &["next", "next_back", "last", "nth", "max", "min"];

/// What ends an iteration with one of its items, by a closure.
const SEARCHES: &[&str] = &["find", "rfind", "max_by_key", "min_by_key", "max_by", "min_by", "reduce"];

/// Sources of values and not of references.
const VALUES: &[&str] = &["chars", "char_indices", "bytes", "copied", "cloned"];

/// What a method is to the compiler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Method {
    Look,
    Lookup,
    Opener,
    /// Begins an iteration; `certain` if no other method has this name.
    Start {
        certain: bool,
    },
    Adaptor,
    Closure,
    End,
    Search,
    Other,
}

impl Method {
    /// A method by its name, as a call on an iterator or on anything else.
    pub(super) fn of(call: &syn::ExprMethodCall, on_iterator: bool) -> Self {
        let name = call.method.to_string();
        let is = |table: &[&str]| table.contains(&name.as_str());
        if on_iterator {
            let tables = [
                (ADAPTORS, Self::Adaptor),
                (CLOSURES, Self::Closure),
                (ENDS, Self::End),
                (SEARCHES, Self::Search),
            ];
            return tables.into_iter().find(|(table, _)| is(table)).map_or(Self::Other, |(_, method)| method);
        }
        let takes_nothing = call.args.is_empty();
        if is(LOOKS) {
            Self::Look
        } else if (takes_nothing && is(LOOKUPS)) || (call.args.len() == 1 && is(LOOKUPS_BY)) {
            Self::Lookup
        } else if is(OPENERS) {
            Self::Opener
        } else if is(STARTS) || is(OTHER_STARTS) {
            Self::Start { certain: is(STARTS) }
        } else if name == "into_iter" {
            Self::Adaptor
        } else {
            Self::Other
        }
    }
}

/// Whether an iteration's items are values that this method makes.
pub(super) fn gives_values(name: &str) -> bool {
    VALUES.contains(&name)
}
