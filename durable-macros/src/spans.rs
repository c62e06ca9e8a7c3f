//! Where generated tokens stand, for those who show a program.
//!
//! rustc shows an error at the span of the tokens that it is about, so what asks something of a user's variable stands at the
//! variable. An editor asks the other way round: what stands here? It should find the variable and nothing else, so what asks stands
//! nowhere for it. It has no errors of types to show; it shows those of `cargo check`.

use proc_macro2::Span;
use std::sync::OnceLock;

/// The span of generated tokens about which an error is shown at the user's.
pub(crate) fn asked_at(user: Span) -> Span {
    if is_editor() { Span::mixed_site() } else { Span::mixed_site().located_at(user) }
}

/// Whether it is rust-analyzer that expands, in a process of its own.
fn is_editor() -> bool {
    static EDITOR: OnceLock<bool> = OnceLock::new();
    *EDITOR.get_or_init(|| {
        let program = std::env::current_exe().unwrap_or_default();
        program.file_stem().is_some_and(|name| name.to_string_lossy().starts_with("rust-analyzer"))
    })
}
