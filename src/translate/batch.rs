use super::steps::{
    ExponentialStep, HistogramStep, List, MetricStep, NumberStep, OtherStep, ResourceStep, ScopeStep, Step,
};

/// What a request is going to do, gathered before any of it is done: a request may turn out to be broken at its last byte. Kept from
/// request to request. Messages are places in the request.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) steps: Vec<Step>,
    // Points of series that are known, apart from the other steps, since nearly all of a request is these.
    pub(super) numbers: Vec<NumberStep>,
    pub(super) histograms: Vec<HistogramStep>,
    pub(super) exponentials: Vec<ExponentialStep>,
    pub(super) others: Vec<OtherStep>,
    pub(super) resources: Vec<ResourceStep>,
    pub(super) scopes: Vec<ScopeStep>,
    pub(super) metrics: Vec<MetricStep>,
    pub(super) recognised: Recognised,
}

/// How points were recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recognised {
    /// Where they were expected.
    pub expected: u64,
    /// By their hash.
    pub looked_up: u64,
    /// Not at all: they are new, or there is something to say about them each time.
    pub unknown: u64,
}

#[derive(Clone, Copy)]
pub(super) struct Mark {
    steps: usize,
    numbers: usize,
    histograms: usize,
    exponentials: usize,
    others: usize,
    recognised: Recognised,
}

/// So many steps are kept room for; a request may have many times more.
const KEPT: usize = 1 << 15;

impl Batch {
    /// Adds a number to those that the steps end with.
    pub(super) fn push_number(&mut self, step: NumberStep) {
        self.numbers.push(step);
        self.pushed(List::Numbers, 1);
    }

    /// The same of a histogram.
    pub(super) fn push_histogram(&mut self, step: HistogramStep) {
        self.histograms.push(step);
        self.pushed(List::Histograms, 1);
    }

    /// The same of an exponential one.
    pub(super) fn push_exponential(&mut self, step: ExponentialStep) {
        self.exponentials.push(step);
        self.pushed(List::Exponentials, 1);
    }

    /// The same of anything else.
    pub(super) fn push_other(&mut self, step: OtherStep) {
        self.others.push(step);
        self.pushed(List::Others, 1);
    }

    /// So many more have been added to a list.
    pub(super) fn pushed(&mut self, list: List, more: u32) {
        match self.steps.last_mut() {
            Some(Step::Known(last, count)) if *last == list => *count += more,
            _ => self.steps.push(Step::Known(list, more)),
        }
    }

    /// How far it has come, to go back there.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            steps: self.steps.len(),
            numbers: self.numbers.len(),
            histograms: self.histograms.len(),
            exponentials: self.exponentials.len(),
            others: self.others.len(),
            recognised: self.recognised,
        }
    }

    /// Forgets the steps since then, which does not lie within a run of points.
    pub(super) fn cut_back(&mut self, mark: Mark) {
        self.steps.truncate(mark.steps);
        self.numbers.truncate(mark.numbers);
        self.histograms.truncate(mark.histograms);
        self.exponentials.truncate(mark.exponentials);
        self.others.truncate(mark.others);
        self.recognised = mark.recognised;
    }

    pub(super) fn clear(&mut self) {
        self.recognised = Recognised::default();
        empty(&mut self.steps);
        empty(&mut self.numbers);
        empty(&mut self.histograms);
        empty(&mut self.exponentials);
        empty(&mut self.others);
        empty(&mut self.resources);
        empty(&mut self.scopes);
        empty(&mut self.metrics);
    }
}

fn empty<T>(list: &mut Vec<T>) {
    list.clear();
    list.shrink_to(KEPT);
}
