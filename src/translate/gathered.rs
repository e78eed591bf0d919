use super::Translator;
use super::batch::Batch;
use super::memory::Memory;
use super::recognise::recognise;
use super::steps::Step;
use super::taking::Taking;
use crate::store::Store;

/// What there is to do to take a request in, gathered without changing anything in the store.
#[derive(Debug)]
pub(super) struct Gathered<'m> {
    memory: &'m Memory,
    batch: Batch,
}

/// To take in as many points that are not known takes about half a millisecond.
const MANY: u64 = 256;

impl<'m> Gathered<'m> {
    /// Goes through a request, recognising what `memory` holds. `None` where only [`crate::otlp::decode`] can take it in, or say what
    /// is wrong.
    pub(super) fn of(memory: &'m Memory, store: &Store, request: &[u8]) -> Option<Self> {
        let batch = memory.lend();
        let mut gathered = Self { memory, batch };
        recognise(&mut gathered.batch, memory, store, request)?;
        Some(gathered)
    }

    /// Whether much of it is not known, so that to take it in is more work than it was to read it.
    pub(super) fn is_much_work(&self) -> bool {
        self.batch.recognised.unknown > MANY || self.batch.steps.iter().any(|step| matches!(step, Step::Plain(_)))
    }

    /// Does it, as [`crate::otlp::decode`] does with a translator as the sink.
    pub(super) fn take(&self, translator: &mut Translator<'_>, request: &[u8]) {
        self.memory.count(self.batch.recognised);
        Taking::new(translator, self.memory, &self.batch, request).take_all();
    }
}

impl Drop for Gathered<'_> {
    fn drop(&mut self) {
        self.memory.take_back(std::mem::take(&mut self.batch));
    }
}
