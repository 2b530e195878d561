//! A handle of the library that one call may wait at while others use it.

use futures::future::{join, select, Either};
use futures::{Stream, StreamExt};
use std::pin::pin;
use std::time::Instant;
use tokio::sync::{Mutex, MutexGuard, Notify};

use crate::driver::left;

pub struct Shared<T> {
    inner: Mutex<T>,
    /// Somebody else waits for `inner`.
    wanted: Notify,
}

impl<T> Shared<T> {
    pub fn of(inner: T) -> Shared<T> {
        Shared { inner: Mutex::new(inner), wanted: Notify::new() }
    }

    pub async fn lock(&self) -> MutexGuard<'_, T> {
        // In line first, for the lock goes to who came first.
        join(self.inner.lock(), async { self.wanted.notify_one() }).await.0
    }
}

impl<T: Stream + Unpin> Shared<T> {
    /// The next item, or None at the deadline and at the stream's end.
    pub async fn next(&self, deadline: Instant) -> Option<T::Item> {
        loop {
            let mut stream = self.inner.lock().await;
            let next = pin!(tokio::time::timeout(left(deadline), stream.next()));
            match select(next, pin!(self.wanted.notified())).await {
                Either::Left((next, _)) => return next.ok().flatten(),
                Either::Right(_) => {}
            }
        }
    }
}
