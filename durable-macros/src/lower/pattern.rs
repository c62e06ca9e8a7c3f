//! Patterns that are matched a second time, to make their references again.
//!
//! What stands beside a reference may have changed in the meantime: only the path to it is borrowed. So a pattern is cut down to
//! the paths of what it is wanted for, and that it matches is then certain, for as long as the reference is alive.

use crate::ir::{VarId, bound, marked};
use quote::ToTokens;
use syn::Pat;
use syn::visit_mut::{self, VisitMut};

/// Cuts a pattern down to the bindings of some variables.
pub(crate) fn retain(pat: &mut Pat, wanted: &dyn Fn(VarId) -> bool) {
    if let Pat::Rest(_) = pat {
        return;
    }
    if !bound(pat).into_iter().any(wanted) {
        let is_rest = |pat: &Pat| matches!(pat, Pat::Ident(ident) if matches!(&ident.subpat, Some((_, inner)) if matches!(**inner, Pat::Rest(_))));
        *pat = if is_rest(pat) { syn::parse_quote!(..) } else { syn::parse_quote!(_) };
        return;
    }
    let all = |pats: &mut dyn Iterator<Item = &mut Pat>| pats.for_each(|pat| retain(pat, wanted));
    match pat {
        Pat::Ident(ident) => {
            let inner = ident.subpat.take();
            let Some((at, mut inner)) = inner else { return };
            let kept = marked(&ident.ident).is_some_and(wanted);
            let needed = matches!(*inner, Pat::Rest(_)) || bound(&inner).into_iter().any(wanted);
            retain(&mut inner, wanted);
            match (kept, needed) {
                (true, true) => ident.subpat = Some((at, inner)),
                (true, false) => {}
                (false, _) => *pat = *inner,
            }
        }
        Pat::Or(pat) => all(&mut pat.cases.iter_mut()),
        Pat::Paren(pat) => retain(&mut pat.pat, wanted),
        Pat::Reference(pat) => retain(&mut pat.pat, wanted),
        Pat::Slice(pat) => all(&mut pat.elems.iter_mut()),
        Pat::Tuple(pat) => all(&mut pat.elems.iter_mut()),
        Pat::TupleStruct(pat) => all(&mut pat.elems.iter_mut()),
        Pat::Struct(pat) => {
            let fields = std::mem::take(&mut pat.fields).into_iter();
            pat.fields = fields.filter(|field| bound(&field.pat).into_iter().any(wanted)).collect();
            pat.fields.iter_mut().for_each(|field| retain(&mut field.pat, wanted));
            if !pat.fields.empty_or_trailing() {
                pat.fields.push_punct(syn::token::Comma::default());
            }
            pat.rest = Some(syn::PatRest { attrs: Vec::new(), dot2_token: syn::token::DotDot::default() });
        }
        Pat::Type(pat) => retain(&mut pat.pat, wanted),
        _ => {}
    }
}

/// Replaces the bindings of some variables by `_`; whatever else a value must match stays.
pub(super) fn forget(pat: &mut Pat, vars: &[VarId]) {
    struct Forget<'a>(&'a [VarId]);
    impl VisitMut for Forget<'_> {
        fn visit_pat_mut(&mut self, pat: &mut Pat) {
            visit_mut::visit_pat_mut(self, pat);
            if let Pat::Ident(ident) = pat
                && marked(&ident.ident).is_some_and(|var| self.0.contains(&var))
            {
                *pat = match ident.subpat.take() {
                    Some((_, inner)) => *inner,
                    None => syn::parse_quote!(_),
                };
            }
        }
    }
    Forget(vars).visit_pat_mut(pat);
}

/// Whether a pattern binds by `ref`.
pub(super) fn binds_by_ref(pat: &Pat) -> bool {
    use syn::visit::Visit;
    struct Finder(bool);
    impl<'a> Visit<'a> for Finder {
        fn visit_pat_ident(&mut self, pat: &'a syn::PatIdent) {
            self.0 |= pat.by_ref.is_some();
            syn::visit::visit_pat_ident(self, pat);
        }
    }
    let mut finder = Finder(false);
    finder.visit_pat(pat);
    finder.0
}

/// What a pattern binds by reference: by `ref`, or by the default binding mode.
#[derive(Default)]
pub(super) struct References {
    /// The pattern finds them again.
    pub(super) found: Vec<VarId>,
    /// Which alternative bound them is not known any more.
    pub(super) ambiguous: Vec<VarId>,
}

impl References {
    pub(super) fn of(pat: &Pat, by_reference: bool) -> Self {
        let mut references = Self::default();
        references.collect(pat, by_reference);
        let ambiguous = std::mem::take(&mut references.ambiguous);
        references.found.retain(|var| !ambiguous.contains(var));
        references.ambiguous = ambiguous;
        references
    }

    fn collect(&mut self, pat: &Pat, by_reference: bool) {
        let mut all = |pats: &mut dyn Iterator<Item = &Pat>| {
            pats.for_each(|pat| self.collect(pat, by_reference));
        };
        match pat {
            Pat::Ident(pat) => {
                if (by_reference || pat.by_ref.is_some())
                    && let Some(var) = marked(&pat.ident)
                    && !self.found.contains(&var)
                {
                    self.found.push(var);
                }
                if let Some((_, inner)) = &pat.subpat {
                    self.collect(inner, by_reference);
                }
            }
            Pat::Reference(pat) => self.collect(&pat.pat, false),
            Pat::Or(or) => {
                let before = self.found.len();
                or.cases.iter().for_each(|case| self.collect(case, by_reference));
                if !are_distinct(or) {
                    let found = self.found.split_off(before);
                    self.ambiguous.extend(found);
                }
            }
            Pat::Paren(pat) => self.collect(&pat.pat, by_reference),
            Pat::Slice(pat) => all(&mut pat.elems.iter()),
            Pat::Struct(pat) => all(&mut pat.fields.iter().map(|field| &*field.pat)),
            Pat::Tuple(pat) => all(&mut pat.elems.iter()),
            Pat::TupleStruct(pat) => all(&mut pat.elems.iter()),
            Pat::Type(pat) => self.collect(&pat.pat, by_reference),
            _ => {}
        }
    }
}

/// Whether alternatives, cut down to what they bind, still exclude each other or come to the same.
fn are_distinct(or: &syn::PatOr) -> bool {
    let mut cases: Vec<Pat> = or.cases.iter().cloned().collect();
    for case in &mut cases {
        retain(case, &|_| true);
    }
    let text = |pat: &Pat| pat.to_token_stream().to_string();
    if cases.iter().all(|case| text(case) == text(&cases[0])) {
        return true;
    }
    let mut variants: Vec<String> = cases.iter().filter_map(variant).collect();
    variants.sort();
    variants.dedup();
    variants.len() == cases.len()
}

fn variant(pat: &Pat) -> Option<String> {
    let path = match pat {
        Pat::TupleStruct(pat) => &pat.path,
        Pat::Struct(pat) => &pat.path,
        Pat::Paren(pat) => return variant(&pat.pat),
        Pat::Reference(pat) => return variant(&pat.pat),
        _ => return None,
    };
    path.segments.last().map(|last| last.ident.to_string())
}
