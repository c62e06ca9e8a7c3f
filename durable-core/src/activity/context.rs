//! What an attempt knows of itself, and how it and the engine talk while it runs.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::{MissingState, State, States};
use crate::{
    codec::{Codec, EncodeError, Encoded, Persist},
    engine::{Engine, inner::Inner},
};

/// A key for the outside world to recognise a call by: the same in every attempt of a call, and no
/// other call's. Hand it to an API that takes one, and a repeated attempt has no second effect.
///
/// 128 random bits, shown as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    bits: u128,
    hex: [u8; 32],
}

impl IdempotencyKey {
    /// The key with these bits.
    pub fn from_bits(bits: u128) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 32];
        for (n, digit) in hex.iter_mut().enumerate() {
            *digit = DIGITS[(bits >> (124 - 4 * n) & 0xf) as usize];
        }
        IdempotencyKey { bits, hex }
    }

    /// The bits.
    pub fn bits(&self) -> u128 {
        self.bits
    }

    /// 32 hex digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.hex).expect("hex digits are ASCII")
    }
}

impl AsRef<str> for IdempotencyKey {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({self})")
    }
}

impl Serialize for IdempotencyKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.bits.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for IdempotencyKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u128::deserialize(deserializer).map(IdempotencyKey::from_bits)
    }
}

/// What the engine knows of an attempt before it begins.
pub struct AttemptInfo {
    /// The instance that made the call.
    pub instance_id: String,
    /// The key that was committed with the operation.
    pub key: IdempotencyKey,
    /// Which attempt this is; the first is 1.
    pub attempt: u32,
    /// When the engine gives it up, in milliseconds since the Unix epoch.
    pub deadline_ms: Option<u64>,
    /// What an earlier attempt reported last. The codec must know its layout.
    pub last_heartbeat: Option<Encoded>,
    /// The engine's dependencies.
    pub states: Arc<States>,
    /// The engine's codec.
    pub codec: Arc<Codec>,
    /// The engine's clock, in milliseconds since the Unix epoch: read at a heartbeat and nowhere else.
    pub clock: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl fmt::Debug for AttemptInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptInfo")
            .field("instance_id", &self.instance_id)
            .field("key", &self.key)
            .field("attempt", &self.attempt)
            .field("deadline_ms", &self.deadline_ms)
            .finish_non_exhaustive()
    }
}

/// A running attempt, as the engine holds it; the attempt holds it as an [`ActivityContext`].
#[derive(Debug)]
pub struct AttemptState {
    info: AttemptInfo,
    beat_ms: AtomicU64,
    progress: Mutex<Progress>,
    engine: Weak<Inner>,
    cancelled: AtomicBool,
    /// Told once `cancelled` is set. Not a `watch`: that is an allocation of a kilobyte per attempt.
    told: Notify,
}

#[derive(Debug, Default)]
struct Progress {
    newest: Option<Encoded>,
    error: Option<EncodeError>,
}

impl AttemptState {
    /// An attempt that begins at `started_ms`: that counts as its first heartbeat.
    pub fn new(info: AttemptInfo, started_ms: u64) -> Arc<Self> {
        Self::on(Weak::new(), info, started_ms)
    }

    /// The same, made by an engine.
    pub(crate) fn on(engine: Weak<Inner>, info: AttemptInfo, started_ms: u64) -> Arc<Self> {
        Arc::new(AttemptState {
            info,
            beat_ms: AtomicU64::new(started_ms),
            progress: Mutex::default(),
            engine,
            cancelled: AtomicBool::new(false),
            told: Notify::new(),
        })
    }

    /// What the attempt is given.
    pub fn context(self: &Arc<Self>) -> ActivityContext {
        ActivityContext { attempt: self.clone() }
    }

    /// When the attempt gave its last sign of life, in milliseconds since the Unix epoch.
    pub fn last_beat_ms(&self) -> u64 {
        self.beat_ms.load(Ordering::Acquire)
    }

    /// The newest progress: this attempt's, else what the earlier attempts left. It is what the
    /// next attempt's `last_heartbeat` is.
    pub fn progress(&self) -> Option<Encoded> {
        self.lock().newest.clone().or_else(|| self.info.last_heartbeat.clone())
    }

    /// Why the newest progress was not recorded, if it wasn't. It counted as a sign of life.
    pub fn progress_error(&self) -> Option<EncodeError> {
        self.lock().error.clone()
    }

    /// Tells the attempt to stop. What it makes of that is its own affair.
    pub fn cancel(&self) {
        if !self.cancelled.swap(true, Ordering::AcqRel) {
            self.told.notify_waiters();
        }
    }

    /// The engine's codec.
    pub fn codec(&self) -> &Arc<Codec> {
        &self.info.codec
    }

    /// What the engine said of the attempt.
    pub fn info(&self) -> &AttemptInfo {
        &self.info
    }

    // Nothing panics while it is held.
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an activity asks and tells the engine. Take it as a parameter: it is no part of the call.
#[derive(Clone, Debug)]
pub struct ActivityContext {
    /// By a trait object, as `context::Lent` has its step.
    attempt: Arc<dyn Attempt>,
}

/// An attempt, and nothing else.
trait Attempt: fmt::Debug + Send + Sync {
    fn state(&self) -> &AttemptState;
}

impl Attempt for AttemptState {
    fn state(&self) -> &AttemptState {
        self
    }
}

impl ActivityContext {
    /// Which attempt this is; the first is 1.
    pub fn attempt(&self) -> u32 {
        self.attempt.state().info.attempt
    }

    /// The key of this call: the same in every attempt, and no other call's.
    pub fn idempotency_key(&self) -> IdempotencyKey {
        self.attempt.state().info.key
    }

    /// The id of the instance that made the call.
    pub fn instance_id(&self) -> &str {
        &self.attempt.state().info.instance_id
    }

    /// Shows that the attempt lives, and records how far it is for the next attempt, should this
    /// one fail. Cheap: call it as often as you like.
    ///
    /// What is recorded is committed when the attempt ends. An attempt that is cut off with the whole
    /// process leaves what the attempts before it had recorded.
    ///
    /// Progress that can't be stored counts as a sign of life all the same; the engine reports it.
    pub fn heartbeat<P: Persist>(&self, progress: &P) {
        let encoded = self.attempt.state().info.codec.encode(progress);
        {
            let mut recorded = self.attempt.state().lock();
            match encoded {
                Ok(encoded) => *recorded = Progress { newest: Some(encoded), error: None },
                Err(error) => recorded.error = Some(error),
            }
        }
        self.attempt.state().beat_ms.fetch_max((self.attempt.state().info.clock)(), Ordering::AcqRel);
    }

    /// How far an earlier attempt was. `None` in the first one, when no attempt reported
    /// anything, and when what was reported is no `P`: then the work begins at its start.
    pub fn last_heartbeat<P: Persist>(&self) -> Option<P> {
        let encoded = self.attempt.state().info.last_heartbeat.as_ref()?;
        self.attempt.state().info.codec.decode(encoded.layout, &encoded.bytes).ok()
    }

    /// Waits until the call was cancelled. For `tokio::select!`.
    pub async fn cancelled(&self) {
        // Made before the flag is looked at: whoever sets it afterwards tells this one.
        let told = self.attempt.state().told.notified();
        if !self.is_cancelled() {
            told.await;
        }
    }

    /// Whether the call was cancelled. A blocking activity that runs long asks now and then.
    pub fn is_cancelled(&self) -> bool {
        self.attempt.state().cancelled.load(Ordering::Acquire)
    }

    /// The engine that this attempt runs on.
    ///
    /// # Panics
    /// In a unit test of an activity, and in an attempt that outlives its engine: there is none.
    pub fn engine(&self) -> Engine {
        Engine::of_attempt(&self.attempt.state().engine).expect("this attempt has no engine")
    }

    /// When the engine gives this attempt up.
    pub fn deadline(&self) -> Option<SystemTime> {
        let after_epoch = Duration::from_millis(self.attempt.state().info.deadline_ms?);
        SystemTime::UNIX_EPOCH.checked_add(after_epoch)
    }

    /// The engine's dependency of this type.
    pub fn state<T: ?Sized + Send + Sync + 'static>(&self) -> Option<State<T>> {
        self.attempt.state().info.states.get().map(State)
    }

    #[doc(hidden)]
    pub fn require<T: ?Sized + Send + Sync + 'static>(&self) -> Result<State<T>, MissingState> {
        self.attempt.state().info.states.require()
    }

    /// The engine's codec.
    pub(crate) fn codec(&self) -> &Codec {
        &self.attempt.state().info.codec
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(codec: &Arc<Codec>, last_heartbeat: Option<Encoded>) -> (Arc<AttemptState>, Arc<AtomicU64>) {
        let now = Arc::new(AtomicU64::new(100));
        let clock = Arc::clone(&now);
        let info = AttemptInfo {
            instance_id: "order-7".into(),
            key: IdempotencyKey::from_bits(0xab),
            attempt: 2,
            deadline_ms: Some(1500),
            last_heartbeat,
            states: Arc::default(),
            codec: Arc::clone(codec),
            clock: Arc::new(move || clock.load(Ordering::Relaxed)),
        };
        (AttemptState::new(info, 100), now)
    }

    #[test]
    fn the_key_reads_as_32_hex_digits() {
        let key = IdempotencyKey::from_bits(0x0123_4567_89ab_cdef_0000_0000_0000_00fe);
        assert_eq!(key.to_string(), "0123456789abcdef00000000000000fe");
        assert_eq!(key.as_str(), key.to_string());
        let bytes = postcard::to_stdvec(&key).unwrap();
        assert_eq!(postcard::from_bytes::<IdempotencyKey>(&bytes).unwrap(), key);
    }

    #[test]
    fn a_heartbeat_is_seen_by_the_engine_and_its_progress_by_the_next_attempt() {
        let codec = Arc::default();
        let (first, now) = attempt(&codec, None);
        assert_eq!((first.last_beat_ms(), first.progress()), (100, None));
        now.store(170, Ordering::Relaxed);
        first.context().heartbeat(&(3_u32, "page".to_owned()));
        assert_eq!(first.last_beat_ms(), 170);
        assert_eq!(first.context().last_heartbeat::<(u32, String)>(), None);

        let (second, _) = attempt(&codec, first.progress());
        let context = second.context();
        assert_eq!(context.last_heartbeat(), Some((3_u32, "page".to_owned())));
        assert_eq!(context.deadline(), Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1500)));
        assert_eq!((context.attempt(), context.instance_id()), (2, "order-7"));
        // A second attempt that reports nothing leaves the progress to the third.
        assert_eq!(second.progress(), first.progress());
    }

    #[tokio::test]
    async fn a_cancelled_attempt_is_told_before_and_after_it_asks() {
        let (state, _) = attempt(&Arc::default(), None);
        let context = state.context();
        assert!(!context.is_cancelled());
        let waiting = tokio::spawn({
            let context = context.clone();
            async move { context.cancelled().await }
        });
        state.cancel();
        waiting.await.unwrap();
        context.cancelled().await;
        assert!(context.is_cancelled());
    }
}
