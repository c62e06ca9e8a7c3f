//! What a binding is likely to be, by how it is initialised or what its type is called: it decides which words rustc finds if the value
//! can't be stored, and nothing else. A wrong guess refuses no program.

use crate::ir::Text;
use syn::visit::{self, Visit};
use syn::{Expr, Type};

/// The function that asks for a variable's type; see `kept` in `durable-core`.
pub(crate) type Ask = &'static str;

/// Asks for a variable of which nothing is known.
pub(crate) const ANY: Ask = "storable";

const GUARD: Ask = "storable_guard";
const REF: Ask = "storable_ref";
const INSTANT: Ask = "storable_instant";
const DYN: Ask = "storable_dyn";
const HANDLE: Ask = "storable_handle";
const CHANNEL: Ask = "storable_channel";
const CLOSURE: Ask = "storable_closure";
const ITERATOR: Ask = "storable_iterator";
const FUTURE: Ask = "storable_future";
const POINTER: Ask = "storable_pointer";
const JOIN_HANDLE: Ask = "storable_join_handle";
const ERROR: Ask = "storable_error";

/// Names of types, of constructors' types and of functions, and what they give.
const NAMES: &[(&str, Ask)] = &[
    ("MutexGuard", GUARD),
    ("RwLockReadGuard", GUARD),
    ("RwLockWriteGuard", GUARD),
    ("Ref", REF),
    ("RefMut", REF),
    ("Instant", INSTANT),
    ("File", HANDLE),
    ("OpenOptions", HANDLE),
    ("TcpStream", HANDLE),
    ("TcpListener", HANDLE),
    ("UdpSocket", HANDLE),
    ("UnixStream", HANDLE),
    ("Command", HANDLE),
    ("Sender", CHANNEL),
    ("SyncSender", CHANNEL),
    ("UnboundedSender", CHANNEL),
    ("Receiver", CHANNEL),
    ("UnboundedReceiver", CHANNEL),
    ("JoinHandle", JOIN_HANDLE),
    ("JoinSet", JOIN_HANDLE),
];

/// Functions that are known by their last name.
const FUNCTIONS: &[(&str, Ask)] = &[
    ("channel", CHANNEL),
    ("sync_channel", CHANNEL),
    ("unbounded_channel", CHANNEL),
    ("unbounded", CHANNEL),
    ("spawn", JOIN_HANDLE),
];

/// Methods that are known by their names, if they are called without arguments.
const METHODS: &[(&str, Ask)] = &[
    ("lock", GUARD),
    ("try_lock", GUARD),
    ("read", GUARD),
    ("write", GUARD),
    ("borrow", REF),
    ("borrow_mut", REF),
];

/// Methods that give what their receiver holds.
const UNWRAPPING: &[&str] = &["unwrap", "expect", "unwrap_or_else", "unwrap_or_default", "as_ref", "as_mut"];

/// Methods that give an iterator with a closure in it.
const ADAPTORS: &[&str] =
    &["map", "filter", "filter_map", "flat_map", "take_while", "skip_while", "inspect", "scan"];

/// What a binding with this type and this initialiser is.
pub(super) fn likely(ty: Option<&Type>, init: Option<&Expr>) -> Ask {
    ty.and_then(of_type).or_else(|| init.and_then(of_value)).unwrap_or(ANY)
}

/// Whether it holds a lock, or a borrow, as long as it lives.
pub(super) fn is_guard(ask: Ask) -> bool {
    ask == GUARD || ask == REF
}

/// Methods that give something of their own.
const OWNING: &[&str] = &["to_string", "to_owned", "into_owned", "len", "is_empty"];

/// Whether a value may be a borrow of text; if surely not, nobody needs to ask rustc. What is awaited was stored, and operators give what they
/// compute: whoever writes a type for which this is not so gets rustc's words for a borrow that does not live long enough.
pub(super) fn text(value: &Expr) -> Text {
    if is_owned(value) { Text::Never } else { Text::Perhaps }
}

fn is_owned(value: &Expr) -> bool {
    match value {
        Expr::Paren(e) => is_owned(&e.expr),
        Expr::Group(e) => is_owned(&e.expr),
        Expr::Try(e) => matches!(&*e.expr, Expr::Await(_)),
        Expr::Await(_) | Expr::Binary(_) | Expr::Struct(_) => true,
        Expr::Unary(e) => !matches!(e.op, syn::UnOp::Deref(_)),
        Expr::Cast(e) => matches!(&*e.ty, Type::Path(_)),
        Expr::Lit(e) => !matches!(&e.lit, syn::Lit::Str(_) | syn::Lit::ByteStr(_)),
        Expr::Macro(e) => e.mac.path.is_ident("format"),
        Expr::MethodCall(e) => OWNING.iter().any(|name| e.method == name),
        _ => false,
    }
}

fn named(table: &[(&str, Ask)], name: &syn::Ident) -> Option<Ask> {
    table.iter().find(|(known, _)| name == known).map(|(_, ask)| *ask)
}

/// The first part of a type that is known.
pub(crate) fn of_type(ty: &Type) -> Option<Ask> {
    #[derive(Default)]
    struct Finder(Option<Ask>);
    impl<'a> Visit<'a> for Finder {
        fn visit_type(&mut self, ty: &'a Type) {
            let found = match ty {
                Type::TraitObject(object) if is_error(object) => Some(ERROR),
                Type::TraitObject(_) => Some(DYN),
                Type::Ptr(_) => Some(POINTER),
                Type::Path(path) if path.path.segments.iter().any(|segment| segment.ident == "anyhow") => {
                    Some(ERROR)
                }
                Type::Path(path) => path.path.segments.last().and_then(|last| named(NAMES, &last.ident)),
                _ => None,
            };
            match found {
                Some(ask) => {
                    self.0.get_or_insert(ask);
                }
                None => visit::visit_type(self, ty),
            }
        }
    }
    let mut finder = Finder::default();
    finder.visit_type(ty);
    finder.0
}

/// Whether a type has an error without a type of its own in it.
pub(crate) fn has_error(ty: &Type) -> bool {
    of_type(ty) == Some(ERROR)
}

/// `dyn Error + ..`
fn is_error(object: &syn::TypeTraitObject) -> bool {
    object.bounds.iter().any(|bound| match bound {
        syn::TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|last| last.ident == "Error" || last.ident == "StdError")
        }
        _ => false,
    })
}

fn of_value(value: &Expr) -> Option<Ask> {
    match value {
        Expr::Paren(e) => of_value(&e.expr),
        Expr::Group(e) => of_value(&e.expr),
        Expr::Try(e) => of_value(&e.expr),
        Expr::Await(e) => of_value(&e.base),
        Expr::Binary(e) => of_value(&e.left).filter(|ask| *ask == INSTANT),
        Expr::Closure(_) => Some(CLOSURE),
        Expr::Async(_) => Some(FUTURE),
        Expr::RawAddr(_) => Some(POINTER),
        Expr::Cast(e) => of_type(&e.ty),
        Expr::Macro(e) => e.mac.path.segments.last().filter(|last| last.ident == "anyhow").map(|_| ERROR),
        Expr::Call(e) => match &*e.func {
            Expr::Path(path) => of_call(&path.path).or_else(|| {
                // A wrapper: `BufReader::new(File::open(..)?)`, `Some(Instant::now())`.
                e.args.iter().find_map(of_value).filter(|ask| *ask == HANDLE || *ask == INSTANT)
            }),
            _ => None,
        },
        Expr::MethodCall(e) => of_method(e),
        _ => None,
    }
}

fn of_call(path: &syn::Path) -> Option<Ask> {
    let last = path.segments.last()?;
    let owner = path.segments.iter().rev().nth(1);
    owner.and_then(|owner| named(NAMES, &owner.ident)).or_else(|| named(FUNCTIONS, &last.ident))
}

fn of_method(call: &syn::ExprMethodCall) -> Option<Ask> {
    let name = call.method.to_string();
    if call.args.is_empty()
        && let Some(ask) = named(METHODS, &call.method)
    {
        return Some(ask);
    }
    if ADAPTORS.contains(&name.as_str())
        && call.args.iter().any(|arg| matches!(arg, Expr::Closure(_) | Expr::Path(_)))
    {
        return Some(ITERATOR);
    }
    let inner = of_value(&call.receiver)?;
    // What a method makes of a guard is something else; what `?` and `unwrap` take off is not.
    let same = UNWRAPPING.contains(&name.as_str())
        || (inner == HANDLE
            && ["open", "append", "read", "write", "create", "new", "arg", "spawn"].contains(&name.as_str()));
    same.then_some(inner)
}
