//! Operations that somebody outside completes: a person, a webhook, another system that calls back.
//!
//! A [`Token`] is the right to do so, once. It holds 128 random bits that the store keeps beside the operation and nowhere else, so it
//! can be sent in a link and can't be guessed; it stays good over restarts, because it names the operation and not the process.

use std::{fmt, marker::PhantomData, str::FromStr, task::Poll};

use durable_store::{Number, Slot};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    codec::{Persist, TypeOf},
    context::{Completion, Context, NewOperation, OperationId, StepFailure, Wait, ambient},
    engine::state::Address,
    future::{DurableFuture, IntoDurableFuture},
};

/// Something that is completed from outside with a `T`; see [`external`].
pub struct External<T> {
    token: Token<T>,
    /// Whoever awaits it has polled it once.
    awaited: bool,
    ended: bool,
}

/// The right to complete one [`External`], once: [`Engine::complete`](crate::Engine::complete). It is written as text of 80 characters that fits into
/// a link, can be stored, and survives restarts. Whoever has it can use it, so treat it as a password.
pub struct Token<T> {
    to: Address,
    secret: [u8; 16],
    value: PhantomData<fn(T)>,
}

/// Begins an operation that somebody outside completes with a `T`. Every call makes a new one, with a token of its own.
///
/// It can be completed from the commit of this step on; a value that comes before it is awaited is kept.
///
/// ```
/// # use durable_core::*;
/// # fn in_a_workflow() {
/// let decision = external::<bool>();
/// let link = format!("https://example.com/approve/{}", decision.token());
/// // `ask(link).await?; let approved = decision.await;`
/// # }
/// ```
///
/// # Panics
/// Outside of a workflow.
pub fn external<T: Persist>() -> External<T> {
    ambient::with("external", |scratch| {
        let secret = scratch.random.bits().to_le_bytes();
        let operation = scratch.start(NewOperation::External { secret });
        let to = Address { operation, ..scratch.address };
        External { token: Token { to, secret, value: PhantomData }, awaited: false, ended: false }
    })
}

impl<T> External<T> {
    /// What whoever is to complete it needs.
    pub fn token(&self) -> Token<T> {
        self.token.clone()
    }

    /// The same once more, for a `select!` to which it is lent.
    pub(crate) fn copy(&self) -> Self {
        External { token: self.token.clone(), awaited: self.awaited, ended: self.ended }
    }

    fn operation(&self) -> OperationId {
        self.token.to.operation
    }
}

const GIVEN: &str = "what was given from outside";

impl<T: Persist> DurableFuture for External<T> {
    type Output = T;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        assert!(!self.ended, "an external operation was polled after it ended");
        let id = self.operation();
        // Whoever waits for it in a branch owns it: it ends with the branch.
        if !self.awaited {
            self.awaited = true;
            cx.claim(id);
        }
        let Some(completion) = cx.take(id) else {
            cx.wait(Wait::Op(id));
            return Poll::Pending;
        };
        self.ended = true;
        let Completion::Value(value) = completion else {
            let reason = "an operation that is completed from outside was cancelled and is awaited".into();
            cx.fail(StepFailure::Incompatible { reason });
            return Poll::Pending;
        };
        let mut output = None;
        if let Err(error) = cx.decode_as(TypeOf::of::<T>(), value.layout, &value.bytes, &mut output) {
            cx.fail(StepFailure::Decode { what: GIVEN.to_owned(), error });
        }
        output.map_or(Poll::Pending, Poll::Ready)
    }

    fn inspect(&mut self, cx: &mut Context<'_>) {
        cx.inspect(Some(self.operation()), TypeOf::of::<T>(), GIVEN);
    }

    fn quiet(&self) -> Option<Wait> {
        self.awaited.then(|| Wait::Op(self.operation()))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Persist> IntoDurableFuture for External<T> {
    type Output = T;
    type IntoFuture = Self;

    fn into_durable(self) -> Self {
        External { awaited: false, ..self }
    }
}

impl<T> fmt::Debug for External<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("External").finish_non_exhaustive()
    }
}

impl<T> Serialize for External<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.token, self.awaited, self.ended).serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for External<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (token, awaited, ended) = Deserialize::deserialize(deserializer)?;
        Ok(External { token, awaited, ended })
    }
}

impl<T> Token<T> {
    pub(crate) fn address(&self) -> Address {
        self.to
    }

    pub(crate) fn secret(&self) -> [u8; 16] {
        self.secret
    }

    fn bytes(&self) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[..8].copy_from_slice(&self.to.slot.0.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.to.number.0.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.to.operation.to_be_bytes());
        bytes[24..].copy_from_slice(&self.secret);
        bytes
    }
}

/// The text of a token, which has the same length for all.
pub(crate) fn token_text(to: Address, secret: [u8; 16]) -> String {
    Token::<()> { to, secret, value: PhantomData }.to_string()
}

impl<T> Clone for Token<T> {
    fn clone(&self) -> Self {
        Token { to: self.to, secret: self.secret, value: PhantomData }
    }
}

impl<T> PartialEq for Token<T> {
    fn eq(&self, other: &Self) -> bool {
        self.to == other.to && self.secret == other.secret
    }
}

impl<T> Eq for Token<T> {}

impl<T> fmt::Display for Token<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<T> fmt::Debug for Token<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It is a secret, and logs are read by many.
        f.write_str("Token(..)")
    }
}

/// A text is not a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a token: a token has 80 hexadecimal digits")]
pub struct TokenError(());

impl<T> FromStr for Token<T> {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.as_bytes();
        let digit = |at: usize| (text[at] as char).to_digit(16).ok_or(TokenError(()));
        if text.len() != 80 {
            return Err(TokenError(()));
        }
        let mut bytes = [0; 40];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = (digit(2 * at)? * 16 + digit(2 * at + 1)?) as u8;
        }
        let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let to = Address { slot: Slot(number(0)), number: Number(number(8)), operation: number(16) };
        let secret = bytes[24..].try_into().expect("sixteen bytes");
        Ok(Token { to, secret, value: PhantomData })
    }
}

impl<T> Serialize for Token<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T> Deserialize<'de> for Token<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
