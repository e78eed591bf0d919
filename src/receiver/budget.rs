use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Refusal;
use crate::model::RequestReason;

/// How many bytes of requests may be in hand at a time, those still on their way in included. However many clients send at
/// once, memory stays bounded; who comes too much is asked to come again (conformance P-05).
#[derive(Debug)]
pub struct Budget {
    left: AtomicUsize,
}

/// The part of the budget that one request has. It goes back when the request is done.
#[derive(Debug)]
pub(super) struct Reservation {
    budget: Arc<Budget>,
    taken: AtomicUsize,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            left: AtomicUsize::new(bytes),
        })
    }

    /// A part for one request, nothing in it yet.
    pub(super) fn reserve(self: &Arc<Self>) -> Reservation {
        Reservation {
            budget: Arc::clone(self),
            taken: AtomicUsize::new(0),
        }
    }
}

impl Reservation {
    /// Takes `bytes` more.
    pub(super) fn take(&self, bytes: usize) -> Result<(), Refusal> {
        let left = &self.budget.left;
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .map_err(|_| Refusal {
                reason: RequestReason::Overloaded,
                detail: "too many bytes of requests are in hand; send again later".to_owned(),
            })?;
        self.taken.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.left.fetch_add(*self.taken.get_mut(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_05_what_is_taken_comes_back_and_no_more_is_given_than_there_is() {
        let budget = Budget::new(10);
        let first = budget.reserve();
        assert!(first.take(6).is_ok());
        let second = budget.reserve();
        assert_eq!(second.take(5).unwrap_err().reason, RequestReason::Overloaded);
        assert!(second.take(4).is_ok());
        drop(first);
        assert!(second.take(6).is_ok());
        drop(second);
        assert!(budget.reserve().take(10).is_ok());
    }
}
