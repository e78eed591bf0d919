use super::wire::{Fault, Fields, Nested};
use super::{Attributes, Number};

/// The exemplars of a point, read when asked for.
#[derive(Clone, Copy, Debug)]
pub struct Exemplars<'a> {
    message: &'a [u8],
    path: &'static [u32],
}

/// One measurement that stands for many.
#[derive(Clone, Copy, Debug)]
pub struct Exemplar<'a> {
    /// When it was measured, in nanoseconds since the Unix epoch; 0 where unknown.
    pub time_unix_nano: u64,
    /// What was measured; `None` where no value was set.
    pub value: Option<Number>,
    /// 16 bytes, not all of them 0, if the sender keeps to the rules and there was a trace.
    pub trace_id: &'a [u8],
    /// 8 bytes, likewise.
    pub span_id: &'a [u8],
    /// Attributes of the measurement that are not those of the point.
    pub filtered_attributes: Attributes<'a>,
}

impl<'a> Exemplars<'a> {
    /// No exemplars: reading them costs nothing.
    pub(super) const NONE: Self = Self {
        message: &[],
        path: &[],
    };

    /// Those at the end of `path` in `message`.
    pub(super) fn of(message: &'a [u8], path: &'static [u32]) -> Self {
        Self { message, path }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.message.is_empty()
    }

    /// One by one, in the order of the bytes.
    pub fn iter(&self) -> impl Iterator<Item = Exemplar<'a>> + use<'a> {
        // `decode` has checked the bytes, so nothing fails here.
        self.elements().filter_map(|element| exemplar(element.ok()?).ok())
    }

    fn elements(&self) -> Nested<'a> {
        Nested::of(self.message, self.path, "exemplars")
    }

    /// Fails where [`Exemplars::iter`] would have to leave something out.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.elements()
            .try_for_each(|element| exemplar(element?)?.filtered_attributes.check())
    }
}

// message Exemplar { fixed64 time_unix_nano = 2; oneof value { double as_double = 3; sfixed64 as_int = 6; } bytes span_id = 4;
//   bytes trace_id = 5; repeated KeyValue filtered_attributes = 7; }
fn exemplar(message: &[u8]) -> Result<Exemplar<'_>, Fault> {
    let mut found = Exemplar {
        time_unix_nano: 0,
        value: None,
        trace_id: &[],
        span_id: &[],
        filtered_attributes: Attributes::of(message, &[7]),
    };
    for field in Fields::of(message) {
        match field? {
            (2, payload) => found.time_unix_nano = payload.fixed64("an exemplar's time")?,
            (3, payload) => found.value = Some(Number::Double(payload.double("an exemplar's as_double")?)),
            (4, payload) => found.span_id = payload.message("span_id")?,
            (5, payload) => found.trace_id = payload.message("trace_id")?,
            (6, payload) => {
                found.value = Some(Number::Int(payload.fixed64("an exemplar's as_int")?.cast_signed()));
            }
            _ => {}
        }
    }
    Ok(found)
}
