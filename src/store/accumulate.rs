use super::series::{Point, Series};
use super::windows::{Place, Window, Windows};
use crate::model::{PointReason, Refused, Sample};

/// What a sample did to its series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Nothing: it is older than what is held (conformance Z-05), or was counted already (D-02).
    pub(super) ignored: bool,
    /// It left a gap (D-03).
    pub(super) gap: bool,
}

const IGNORED: Taken = Taken {
    ignored: true,
    gap: false,
};

impl Point<'_> {
    /// Whether it is to be added; a summary never is, since quantiles do not add up.
    pub(super) fn is_added(&self, sample: &Sample<'_>) -> bool {
        self.is_delta && !matches!(sample, Sample::Summary(_))
    }

    pub(super) fn window(&self) -> Window {
        Window::new(self.start_unix_nano, self.time_unix_nano)
    }
}

impl Series {
    /// Takes a sample of this series over, or adds it.
    ///
    /// Where the temporality changes, the series starts anew with the point: neither value says what the other one counted.
    pub(super) fn take(&mut self, point: &Point<'_>, sample: Sample<'_>) -> Result<Taken, Refused> {
        let is_added = point.is_added(&sample);
        if is_added && self.windows.is_some() {
            return self.add(point, sample);
        }
        if point.time_unix_nano < self.time_unix_nano {
            return Ok(IGNORED);
        }
        let window = point.window();
        self.start_unix_nano = window.start();
        self.windows = None;
        if is_added {
            // Not before what was shown last (conformance T-04).
            self.start_unix_nano = window.start().max(self.time_unix_nano);
            self.windows = Some(Box::new(Windows::restart(window)));
        }
        self.time_unix_nano = point.time_unix_nano;
        self.replace(sample);
        Ok(Taken::default())
    }

    fn add(&mut self, point: &Point<'_>, sample: Sample<'_>) -> Result<Taken, Refused> {
        let Some(windows) = &mut self.windows else {
            return Ok(IGNORED);
        };
        let window = point.window();
        let place = windows.place(window);
        let refused = |detail| Err(Refused::new(PointReason::OutOfOrder, detail));
        match place {
            Place::Counted => return Ok(IGNORED),
            Place::Nowhere => return refused(windows.conflict(window).to_string()),
            Place::Next | Place::Before | Place::Gap(_) => {}
        }
        if let Some(reshaped) = self.value.add(sample) {
            let gap = windows.count(window, place);
            self.time_unix_nano = windows.newest();
            if place == Place::Before {
                self.start_unix_nano = window.start();
            }
            if reshaped {
                self.rebucket_exemplars();
            }
            return Ok(Taken { ignored: false, gap });
        }
        // What has other bounds cannot be added, only begin anew, and not in the past (D-06).
        if place != Place::Next {
            let detail = format!(
                "it is late and does not fit the buckets that are held now: {}",
                windows.conflict(window)
            );
            return refused(detail);
        }
        self.start_unix_nano = window.start().max(windows.newest());
        windows.start_anew(window);
        self.time_unix_nano = windows.newest();
        self.replace(sample);
        Ok(Taken::default())
    }

    fn replace(&mut self, sample: Sample<'_>) {
        if self.value.replace(sample) {
            self.rebucket_exemplars();
        }
    }
}
