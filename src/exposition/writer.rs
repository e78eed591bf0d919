use super::line::Name;
use super::{Format, Syntax, openmetrics, openmetrics2, protobuf, text};
use crate::model::{Family, Series};

/// Writes a family. What would be the same for each of its series is asked once.
#[derive(Clone, Copy, Debug)]
pub struct FamilyWriter<'f> {
    format: Format,
    family: &'f Family,
    name: Name<'f>,
}

impl Format {
    /// Who writes this family.
    pub fn writer(self, family: &Family) -> FamilyWriter<'_> {
        FamilyWriter {
            format: self,
            family,
            name: Name::of(match self.syntax {
                Syntax::OpenMetrics => openmetrics::family_name(family),
                _ => &family.name,
            }),
        }
    }
}

impl FamilyWriter<'_> {
    /// Appends what stands in front of the series. Names that are not legal are in it only where they may stay.
    pub fn write_head(&self, out: &mut Vec<u8>) {
        match self.format.syntax {
            Syntax::Text | Syntax::Text1 => text::write_head(out, self.family),
            Syntax::OpenMetrics => openmetrics::write_head(out, self.family),
            Syntax::OpenMetrics2 => openmetrics2::write_head(out, self.family),
            Syntax::Protobuf => protobuf::write_head(out, self.family),
        }
    }

    /// Appends one series, with all lines that it becomes.
    pub fn write_series(&self, out: &mut Vec<u8>, series: &Series<'_>) {
        let Self { format, family, name } = *self;
        match format.syntax {
            Syntax::Text | Syntax::Text1 => text::write_series(out, format, name, series),
            Syntax::OpenMetrics => openmetrics::write_series(out, format, family, name, series),
            Syntax::OpenMetrics2 => openmetrics2::write_series(out, format, family, name, series),
            Syntax::Protobuf => protobuf::write_series(out, format, family, series),
        }
    }
}
