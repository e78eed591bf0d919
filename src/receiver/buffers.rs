use std::ops::Deref;
use std::sync::Arc;

use parking_lot::Mutex;

/// Memory for bodies that is used again and again: fresh memory comes page by page from the system, which costs about as much as
/// what is read into it.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    idle: Mutex<Vec<Vec<u8>>>,
}

/// Some of that memory, with what has been put into it. It goes back when it is dropped.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    home: Arc<Buffers>,
}

/// So many bytes are kept at most, in so many buffers.
const KEPT: usize = 16 << 20;
const BUFFERS: usize = 32;

impl Buffers {
    /// An empty buffer.
    pub(super) fn take(self: &Arc<Self>) -> Buffer {
        Buffer {
            bytes: self.idle.lock().pop().unwrap_or_default(),
            home: Arc::clone(self),
        }
    }

    /// Gives the memory of those that are idle back.
    pub(super) fn release(&self) {
        drop(std::mem::take(&mut *self.idle.lock()));
    }

    fn put(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        let mut idle = self.idle.lock();
        let kept: usize = idle.iter().map(Vec::capacity).sum();
        if bytes.capacity() > 0 && idle.len() < BUFFERS && kept + bytes.capacity() <= KEPT {
            idle.push(bytes);
        }
    }
}

impl Buffer {
    /// Appends, growing by doubling but never past `limit`: a buffer of twice the limit would be memory that nobody can use.
    pub(super) fn append(&mut self, more: &[u8], limit: usize) {
        let needed = self.bytes.len() + more.len();
        if needed > self.bytes.capacity() {
            let target = needed.max(self.bytes.capacity() * 2).min(limit.max(needed));
            self.bytes.reserve_exact(target - self.bytes.len());
        }
        self.bytes.extend_from_slice(more);
    }
}

impl Buffer {
    /// Has `write` append as much as there is room for, which is some: at most as much again as is there, or 32 KiB, or what the
    /// memory had room for before; and where it grows, no more than one byte past the `limit`.
    pub(super) fn fill<T>(&mut self, limit: usize, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let length = self.bytes.len();
        if self.bytes.capacity() - length < ROOM {
            let most = (limit + 1).saturating_sub(length);
            self.bytes.reserve_exact(length.max(2 * ROOM).min(most).max(1));
        }
        write(&mut self.bytes)
    }
}

/// With less it is worth growing first.
const ROOM: usize = 16 << 10;

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.home.put(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_empty_and_is_bounded() {
        let buffers = Arc::new(Buffers::default());
        let mut first = buffers.take();
        first.append(b"abc", 100);
        first.append(b"def", 100);
        assert_eq!(&*first, b"abcdef");
        let place = first.as_ptr();
        drop(first);
        let again = buffers.take();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        let mut large = buffers.take();
        large.append(&vec![0; KEPT], usize::MAX);
        drop((again, large));
        assert_eq!(buffers.idle.lock().len(), 1, "one that is too large is not kept");
        buffers.release();
        assert!(buffers.idle.lock().is_empty());
    }

    #[test]
    fn growth_ends_at_the_limit() {
        let buffers = Arc::new(Buffers::default());
        let mut buffer = buffers.take();
        buffer.append(&[0; 60], 100);
        buffer.append(&[0; 10], 100);
        assert_eq!(buffer.bytes.capacity(), 100);
    }
}
