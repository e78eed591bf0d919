use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use hashbrown::HashMap;

use super::{Applied, Change, FamilyCell, Known, Moment, Point, Store};
use crate::model::{Family, PointReason, Refused};

/// The families by name, and which of them owns which sample name.
#[derive(Debug, Default)]
pub(super) struct Registry {
    families: BTreeMap<Arc<str>, Arc<FamilyCell>>,
    owners: HashMap<String, Arc<FamilyCell>>,
}

impl Registry {
    fn remove(&mut self, cell: &Arc<FamilyCell>) {
        for name in cell.family().sample_names() {
            self.owners.remove(&name);
        }
        self.families.remove(cell.name());
    }

    /// Takes the family out if nothing in it is shown any more. From then on nothing can be put into its cell.
    fn close_if_empty(&mut self, store: &Store, cell: &Arc<FamilyCell>, now: Moment) -> bool {
        let empty = cell.close_if_empty(store, now);
        if empty {
            self.remove(cell);
        }
        empty
    }
}

/// What [`Store::family`] found, or made.
#[derive(Debug)]
pub struct FamilyFound {
    /// The family.
    pub cell: Arc<FamilyCell>,
    /// A unit of the family that is not the one that was asked with; the family is shown without one then (conformance K-03).
    /// It is told each time that they meet.
    pub unit_conflict: Option<String>,
}

impl FamilyFound {
    fn of(cell: &Arc<FamilyCell>, family: &Family) -> Self {
        Self {
            unit_conflict: cell.prefer(family),
            cell: Arc::clone(cell),
        }
    }
}

impl Store {
    /// All families, ordered by name.
    pub fn families(&self) -> Vec<Arc<FamilyCell>> {
        self.registry.read().families.values().cloned().collect()
    }

    /// The family of that name and type for the points of a metric; made if there is none. `origin` says in words who sends
    /// it. A family of which everything has expired `now` stands in nobody's way.
    ///
    /// # Errors
    ///
    /// Where the name lives with another type, or another family owns one of the sample names (conformance K-01, K-04).
    pub fn family(&self, family: &Family, origin: &str, now: Instant) -> Result<FamilyFound, Refused> {
        if let Some(cell) = self.registry.read().families.get(family.name.as_str())
            && cell.metric_type() == family.metric_type
        {
            return Ok(FamilyFound::of(cell, family));
        }
        let now = self.moment(now);
        let registry = &mut *self.registry.write();
        if let Some(cell) = registry.families.get(family.name.as_str()).cloned() {
            if cell.metric_type() == family.metric_type {
                return Ok(FamilyFound::of(&cell, family));
            }
            if !registry.close_if_empty(self, &cell, now) {
                let (name, new, old) = (&family.name, family.metric_type.as_str(), cell.metric_type().as_str());
                let detail = format!(
                    "\"{name}\" is a {new} from {origin}, and already a {old} from {}",
                    cell.origin()
                );
                return Err(Refused::new(PointReason::TypeConflict, detail));
            }
        }
        for name in family.sample_names() {
            if let Some(owner) = registry.owners.get(&name).cloned()
                && !registry.close_if_empty(self, &owner, now)
            {
                let (family, old, from) = (&family.name, owner.name(), owner.origin());
                let detail =
                    format!("\"{family}\" from {origin} needs the sample name \"{name}\" of \"{old}\" from {from}");
                return Err(Refused::new(PointReason::NameConflict, detail));
            }
        }
        let cell = Arc::new(FamilyCell::new(self, family.clone(), origin.to_owned()));
        for name in family.sample_names() {
            registry.owners.insert(name, Arc::clone(&cell));
        }
        registry.families.insert(family.name.as_str().into(), Arc::clone(&cell));
        Ok(FamilyFound {
            cell,
            unit_conflict: None,
        })
    }

    /// Applies one point to the series with its labels in `cell`, received `now`.
    ///
    /// # Errors
    ///
    /// A new series that a cap does not let in; a delta that fits nowhere (conformance D-04). A cell whose family has been
    /// taken out in the meantime is replaced first, which may meet the errors of [`Store::family`].
    pub fn apply(&self, cell: &mut Arc<FamilyCell>, point: &Point<'_>, now: Instant) -> Result<Applied, Refused> {
        self.apply_and_know(cell, point, now).map(|(applied, _)| applied)
    }

    /// The same, and where the series is held, for [`Writer::update`](super::Writer::update); `None` where there is none now.
    ///
    /// # Errors
    ///
    /// As [`Store::apply`].
    pub fn apply_and_know(
        &self,
        cell: &mut Arc<FamilyCell>,
        point: &Point<'_>,
        now: Instant,
    ) -> Result<(Applied, Option<Known>), Refused> {
        let moment = self.moment(now);
        loop {
            if let Some(applied) = cell.apply(self, point, moment) {
                // The family was made for a series that did not come, or has lost its last one.
                if (applied.is_err() || matches!(point.change, Change::Stale)) && cell.is_empty() {
                    self.close_empty_families(std::slice::from_ref(cell), moment);
                }
                return applied;
            }
            *cell = self.family(&cell.family(), cell.origin(), now)?.cell;
        }
    }

    /// Takes out the families that have no series.
    pub(super) fn close_empty_families(&self, cells: &[Arc<FamilyCell>], now: Moment) {
        let registry = &mut *self.registry.write();
        for cell in cells {
            // It may have been closed and replaced by a new one of its name since the caller looked.
            if registry
                .families
                .get(cell.name())
                .is_some_and(|held| Arc::ptr_eq(held, cell))
            {
                registry.close_if_empty(self, cell, now);
            }
        }
    }
}
