//! What may be kept in a snapshot.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that can be kept in a snapshot: anything that serde writes, reads back, and that owns its data.
///
/// It is implemented for every such type; nobody implements it by hand. Whether a *value* really comes back
/// as it was written is checked when it is encoded, not here: see [`Codec`](super::Codec).
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Order { sku: String, qty: u32 }
///
/// fn kept(_: impl durable_core::codec::Persist) {}
/// kept(Order { sku: "A-1".into(), qty: 2 });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be stored",
    label = "this is stored",
    note = "if the type is yours: `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "if it borrows: take an owned type",
    note = "if it is a client, a connection or a handle: an `#[activity]` gets it as `State<T>`",
    note = "see docs/errors/not-storable.md"
)]
pub trait Persist: Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> Persist for T {}
