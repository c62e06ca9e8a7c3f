//! What can go wrong between a value and its bytes.

use super::LayoutId;

/// A value was not encoded, because it could not have been read back. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The value's own `Serialize` returned an error.
    #[error("`{type_name}` can't be stored: its `Serialize` failed: {message}")]
    Serialize {
        /// The type that was encoded.
        type_name: &'static str,
        /// What `Serialize` said.
        message: String,
    },
    /// The type's `Deserialize` refuses what its `Serialize` wrote.
    #[error(
        "`{type_name}` can't be stored, because it could not be read back: {message}{}; \
         give the field `#[serde(default)]`, or make `Serialize` and `Deserialize` agree",
        at(path)
    )]
    Unreadable {
        /// The type that was encoded.
        type_name: &'static str,
        /// Where in the value, as far as it is known: `.items[3].note`.
        path: String,
        /// What `Deserialize` said.
        message: String,
    },
    /// The value is read back as another one.
    #[error(
        "`{type_name}` can't be stored, because it would come back as another value{}: \
         wrote {wrote}, read back {read}; make its `Serialize` and `Deserialize` agree",
        at(path)
    )]
    Changed {
        /// The type that was encoded.
        type_name: &'static str,
        /// The first place that differs: `.items[3].note`.
        path: String,
        /// What was written there, abbreviated.
        wrote: String,
        /// What was read there, abbreviated.
        read: String,
    },
    /// The value nests deeper than the limit.
    #[error(
        "`{type_name}` can't be stored: it nests deeper than {limit} levels; keep a flat list in its place"
    )]
    TooDeep {
        /// The type that was encoded.
        type_name: &'static str,
        /// The deepest nesting that is stored.
        limit: u32,
    },
}

/// Stored bytes were not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// This layout was not learned yet: read it from the store, [`learn`](super::Codec::learn) it, try again.
    #[error("layout {0} is not known; the store that holds the value also holds its layout")]
    UnknownLayout(LayoutId),
    /// A layout that was read from the store is not what its id says.
    #[error("layout {layout} is damaged: {message}")]
    BadLayout {
        /// The layout's id.
        layout: LayoutId,
        /// What is wrong with it.
        message: &'static str,
    },
    /// The bytes do not follow the layout they are stored under.
    #[error("a value stored under layout {layout} is damaged: {message}")]
    Malformed {
        /// The layout's id.
        layout: LayoutId,
        /// What is wrong with the bytes.
        message: &'static str,
    },
    /// The bytes are sound, but today's type can't be read from them.
    #[error("a value stored as `{stored}` can't be read as `{type_name}`: {message}{}", at(path))]
    Mismatch {
        /// What it was stored as: the name of a struct or an enum, or of a type of serde's data model.
        stored: String,
        /// The type that was asked for.
        type_name: &'static str,
        /// Where in the stored value, as far as it is known: `.items[3].note`.
        path: String,
        /// What `Deserialize` said.
        message: String,
    },
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" (at `{path}`)") }
}

/// Why a pass over a value stopped. One word wide: it is in the result of everything that a user's crate compiles for a type.
#[derive(Debug)]
pub struct Fault(Box<Reason>);

#[derive(Debug)]
pub(super) enum Reason {
    /// The value's calls left the layout: not an error, the slower way knows what to do.
    Outside,
    TooDeep,
    Message(String),
}

impl Fault {
    #[cold]
    pub(super) fn outside() -> Self {
        Self(Box::new(Reason::Outside))
    }

    #[cold]
    pub(super) fn too_deep() -> Self {
        Self(Box::new(Reason::TooDeep))
    }

    #[cold]
    pub(super) fn message(message: impl Into<String>) -> Self {
        Self(Box::new(Reason::Message(message.into())))
    }

    pub(super) fn reason(&self) -> &Reason {
        &self.0
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &*self.0 {
            Reason::Outside => f.write_str("the value left its layout"),
            Reason::TooDeep => f.write_str("the value nests too deep"),
            Reason::Message(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Fault {}

/// Not inlined, and once for all kinds of messages: every derived implementation calls it in many places.
#[cold]
#[inline(never)]
fn text(message: &dyn std::fmt::Display) -> String {
    message.to_string()
}

impl serde::ser::Error for Fault {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::message(text(&message))
    }
}

impl From<postcard::Error> for Fault {
    /// Writing into a `Vec` can't fail; what postcard itself refuses is outside of every layout.
    fn from(_: postcard::Error) -> Self {
        Self::outside()
    }
}

/// Why a type could not be read, and where. One word wide, as [`Fault`] is.
#[derive(Debug)]
pub struct Misfit(Box<Found>);

#[derive(Debug)]
struct Found {
    message: String,
    path: String,
}

impl Misfit {
    #[cold]
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Found { message: message.into(), path: String::new() }))
    }

    pub(super) fn at(mut self, path: String) -> Self {
        self.0.path = path;
        self
    }

    pub(super) fn path(&self) -> &str {
        &self.0.path
    }

    pub(super) fn into_parts(self) -> (String, String) {
        (self.0.message, self.0.path)
    }
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::new(text(&message))
    }
}
