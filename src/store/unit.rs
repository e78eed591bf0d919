use crate::model::Family;

/// What is known of the units of a family, which all ought to be one (conformance K-03).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// The family's own, or none.
    Agreed,
    /// Two of those that came. The family has none any more, for as long as it lives, so that it does not flap.
    Conflict { first: String, other: String },
}

impl Unit {
    pub(super) fn is_agreed(&self) -> bool {
        *self == Self::Agreed
    }

    /// Takes the unit of `other` into account; another unit that conflicts with it. A sender that names none says nothing
    /// against one that does.
    pub(super) fn meets(&mut self, family: &mut Family, other: &Family) -> Option<String> {
        if other.unit.is_empty() {
            return None;
        }
        match self {
            Self::Agreed if family.unit == other.unit => None,
            Self::Agreed if family.unit.is_empty() => {
                family.unit.clone_from(&other.unit);
                family.unit_in_name = other.unit_in_name;
                None
            }
            Self::Agreed => {
                let first = std::mem::take(&mut family.unit);
                *self = Self::Conflict {
                    first: first.clone(),
                    other: other.unit.clone(),
                };
                Some(first)
            }
            Self::Conflict { first, other: second } => {
                let conflicting = if *first == other.unit { second } else { first };
                Some(conflicting.clone())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MetricType;

    #[test]
    fn k_03_units_that_differ_leave_none_for_good() {
        for (units, shown, conflicts) in [
            (&["s", "s"][..], "s", &[None, None][..]),
            (&["", "s", ""], "s", &[None, None, None]),
            (&["s", "", "s"], "s", &[None, None, None]),
            (&["s", "ms", "s", "ms"], "", &[None, Some("s"), Some("ms"), Some("s")]),
            (
                &["s", "ms", "", "us", "s"],
                "",
                &[None, Some("s"), None, Some("s"), Some("ms")],
            ),
            (&["", "s", "ms"], "", &[None, None, Some("s")]),
        ] {
            let family = |unit: &str| Family {
                name: "g".into(),
                metric_type: MetricType::Gauge,
                help: String::new(),
                unit: unit.into(),
                unit_in_name: false,
            };
            let (mut held, mut unit) = (family(units[0]), Unit::Agreed);
            let told: Vec<_> = units
                .iter()
                .map(|other| unit.meets(&mut held, &family(other)))
                .collect();
            assert_eq!(
                told.iter().map(Option::as_deref).collect::<Vec<_>>(),
                conflicts,
                "{units:?}"
            );
            assert_eq!(held.unit, shown, "{units:?}");
        }
    }
}
