//! The types of random programs, and what the generator has to know of them.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    Unit,
    Int,
    Size,
    Bool,
    Text,
    Option(Box<Ty>),
    Vec(Box<Ty>),
    Array(Box<Ty>),
    Tuple(Vec<Ty>),
    Item,
    Order,
    Event,
    Fault,
    Result(Box<Ty>),
    Ref(Box<Ty>),
    RefMut(Box<Ty>),
}

impl Ty {
    pub(crate) fn option(of: Ty) -> Ty {
        Ty::Option(Box::new(of))
    }

    pub(crate) fn vec(of: Ty) -> Ty {
        Ty::Vec(Box::new(of))
    }

    pub(crate) fn result(of: Ty) -> Ty {
        Ty::Result(Box::new(of))
    }

    pub(crate) fn pair() -> Ty {
        Ty::Tuple(vec![Ty::Int, Ty::Text])
    }

    pub(crate) fn ints() -> Ty {
        Ty::vec(Ty::Int)
    }

    pub(crate) fn texts() -> Ty {
        Ty::vec(Ty::Text)
    }

    pub(crate) fn is_copy(&self) -> bool {
        match self {
            Ty::Unit | Ty::Int | Ty::Size | Ty::Bool | Ty::Ref(_) => true,
            Ty::Option(of) | Ty::Array(of) => of.is_copy(),
            Ty::Tuple(of) => of.iter().all(Ty::is_copy),
            _ => false,
        }
    }

    /// What a place of this type is made of: `.name` and the like. Vectors always have two elements or more.
    pub(crate) fn parts(&self) -> Vec<(String, Ty)> {
        let named =
            |parts: &[(&str, Ty)]| parts.iter().map(|(name, ty)| (format!(".{name}"), ty.clone())).collect();
        match self {
            Ty::Tuple(of) => of.iter().enumerate().map(|(at, ty)| (format!(".{at}"), ty.clone())).collect(),
            Ty::Vec(of) | Ty::Array(of) => {
                vec![("[0]".into(), (**of).clone()), ("[1]".into(), (**of).clone())]
            }
            Ty::Item => named(&[("sku", Ty::Text), ("qty", Ty::Int)]),
            Ty::Order => named(&[
                ("id", Ty::Int),
                ("name", Ty::Text),
                ("items", Ty::vec(Ty::Item)),
                ("note", Ty::option(Ty::Text)),
                ("spot", Ty::pair()),
            ]),
            _ => Vec::new(),
        }
    }

    /// A value of this type, without side effects.
    pub(crate) fn literal(&self, n: u32) -> String {
        match self {
            Ty::Unit => "()".into(),
            Ty::Int => n.to_string(),
            Ty::Size => format!("{n}usize"),
            Ty::Bool => n.is_multiple_of(2).to_string(),
            Ty::Text => format!("String::from(\"t{n}\")"),
            Ty::Option(of) => match n % 2 {
                0 => format!("None::<{of}>"),
                _ => format!("Some({})", of.literal(n)),
            },
            Ty::Vec(of) => format!("vec![{}, {}]", of.literal(n), of.literal(n + 1)),
            Ty::Array(of) => format!("[{}, {}]", of.literal(n), of.literal(n + 1)),
            Ty::Tuple(of) => {
                format!("({})", of.iter().map(|ty| ty.literal(n)).collect::<Vec<_>>().join(", "))
            }
            Ty::Item => format!("make_item({n})"),
            Ty::Order => format!("make_order({n})"),
            Ty::Event => format!("make_event({n})"),
            Ty::Fault => format!("Fault::Odd({n})"),
            Ty::Result(of) => format!("Ok::<{of}, Fault>({})", of.literal(n)),
            Ty::Ref(of) => format!("&{}", of.literal(n)),
            Ty::RefMut(of) => format!("&mut {}", of.literal(n)),
        }
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Unit => f.write_str("()"),
            Ty::Int => f.write_str("i64"),
            Ty::Size => f.write_str("usize"),
            Ty::Bool => f.write_str("bool"),
            Ty::Text => f.write_str("String"),
            Ty::Option(of) => write!(f, "Option<{of}>"),
            Ty::Vec(of) => write!(f, "Vec<{of}>"),
            Ty::Array(of) => write!(f, "[{of}; 2]"),
            Ty::Tuple(of) => {
                write!(f, "({})", of.iter().map(Ty::to_string).collect::<Vec<_>>().join(", "))
            }
            Ty::Item => f.write_str("Item"),
            Ty::Order => f.write_str("Order"),
            Ty::Event => f.write_str("Event"),
            Ty::Fault => f.write_str("Fault"),
            Ty::Result(of) => write!(f, "Result<{of}, Fault>"),
            Ty::Ref(of) => write!(f, "&{of}"),
            Ty::RefMut(of) => write!(f, "&mut {of}"),
        }
    }
}
