//! How an [`Instrumentation`] is set up.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderName, StatusCode};
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::{InstrumentationScope, KeyValue, StringValue};
use poem::{Request, Response};
use wildmatch::WildMatch;

use super::active::Active;
use super::instruments::{DURATION_BOUNDS, Measures, SIZE_BOUNDS};
use super::labeler::fit;
use super::options::{DurationEnd, Options, RequestRecord, Untemplated};
use super::recorder::{Recorder, Settings};
use super::request::{KNOWN_METHODS, MOST_METHODS, OTHER_METHOD};
use super::series::Naming;
use super::{Instrumentation, Shared};

/// The name of the scope of all instruments.
const SCOPE: &str = "meterbridge.instrument";
/// Well below the 2,000 at which the SDK drops all attributes of what is new (opentelemetry_sdk, `DEFAULT_CARDINALITY_LIMIT`).
const MAX_SERIES: usize = 1000;

/// Options of an [`Instrumentation`]. Each has a default that fits; none has to be called.
#[must_use = "nothing is recorded before it is built"]
pub struct InstrumentationBuilder {
    meter: Meter,
    is_enabled: bool,
    options: Options,
    naming: Naming,
    duration_boundaries: Vec<f64>,
    size_boundaries: Vec<f64>,
    has_sizes: bool,
    has_time_to_head: bool,
    is_by_route: bool,
    is_immediate: bool,
    max_series: usize,
}

impl InstrumentationBuilder {
    /// `OTEL_SDK_DISABLED=true` leaves everything out, `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS` is a list of methods that
    /// replaces the default one.
    pub(super) fn new(provider: &(impl MeterProvider + ?Sized), get_env: impl Fn(&str) -> Option<String>) -> Self {
        let scope = InstrumentationScope::builder(SCOPE).with_version(env!("CARGO_PKG_VERSION"));
        let is_disabled = get_env("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let builder = Self {
            meter: provider.meter_with_scope(scope.build()),
            is_enabled: !is_disabled,
            options: Options::default(),
            naming: Naming::default(),
            duration_boundaries: DURATION_BOUNDS.to_vec(),
            size_boundaries: SIZE_BOUNDS.to_vec(),
            has_sizes: true,
            has_time_to_head: false,
            is_by_route: false,
            is_immediate: false,
            max_series: MAX_SERIES,
        };
        match get_env("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS").filter(|list| !list.trim().is_empty()) {
            Some(list) => builder.known_methods(list.split(',').map(|method| method.trim().to_owned())),
            None => builder.known_methods(KNOWN_METHODS.map(str::to_owned)),
        }
    }

    /// Replaces the methods that are reported by name; any other becomes `_OTHER`. At most 250 count.
    pub fn known_methods(mut self, methods: impl IntoIterator<Item = String>) -> Self {
        // What is no token is no method, and never comes.
        let methods = methods.into_iter().filter_map(|method| method.parse().ok());
        self.options.known_methods = methods.take(MOST_METHODS).collect();
        self
    }

    /// The upper bounds of the buckets of durations, in seconds. By default those of the conventions, 5 ms to 10 s.
    ///
    /// A [`View`](https://docs.rs/opentelemetry_sdk) that asks for other buckets sees every observation as the mean of its
    /// bucket here; see [`InstrumentationBuilder::immediate`].
    pub fn duration_boundaries(mut self, seconds: impl Into<Vec<f64>>) -> Self {
        self.duration_boundaries = ascending(seconds.into());
        self
    }

    /// The upper bounds of the buckets of body sizes, in bytes. By default powers of four, 256 B to 16 MiB.
    pub fn size_boundaries(mut self, bytes: impl Into<Vec<f64>>) -> Self {
        self.size_boundaries = ascending(bytes.into());
        self
    }

    /// Whether the sizes of bodies are recorded. By default they are.
    pub fn body_sizes(mut self, yes: bool) -> Self {
        self.has_sizes = yes;
        self
    }

    /// Whether `http.server.response.head.duration` is recorded: the time until the head of the response was there.
    pub fn time_to_head(mut self, yes: bool) -> Self {
        self.has_time_to_head = yes;
        self
    }

    /// When the time of a request is over.
    pub fn duration_end(mut self, end: DurationEnd) -> Self {
        self.options.duration_end = end;
        self
    }

    /// Leaves requests out whose path is like one of these: `*` stands for any text, `?` for one character. They have neither
    /// metrics nor a span.
    pub fn exclude_paths<P: AsRef<str>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        let patterns = patterns.into_iter().map(|pattern| WildMatch::new(pattern.as_ref()));
        self.options.excluded_paths.extend(patterns);
        self
    }

    /// Leaves requests out for which the closure says so. They have neither metrics nor a span.
    pub fn exclude(mut self, is_excluded: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        self.options.excluded.push(Box::new(is_excluded));
        self
    }

    /// Leaves requests out of the histograms that were answered with one of these.
    pub fn exclude_statuses(mut self, statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        self.options.excluded_statuses.extend(statuses);
        self
    }

    /// What becomes of requests that match no route.
    pub fn untemplated(mut self, what: Untemplated) -> Self {
        self.options.ignores_untemplated = what == Untemplated::Ignore;
        self.naming.untemplated = match what {
            Untemplated::Constant(text) => Some(text.into_owned().into()),
            _ => None,
        };
        self
    }

    /// Puts a text in front of every route: the path under which a proxy has the service.
    pub fn route_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.naming.route_prefix = prefix.into();
        self
    }

    /// Whether series have the attribute `http.response.status_class`, such as `2xx`, beside the exact code.
    pub fn status_class(mut self, yes: bool) -> Self {
        self.naming.status_class = yes;
        self
    }

    /// Whether `http.server.active_requests` tells routes apart. A request counts without one until its route is known.
    pub fn active_requests_by_route(mut self, yes: bool) -> Self {
        self.is_by_route = yes;
        self
    }

    /// Attributes for all series.
    pub fn constant_attributes(mut self, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        self.naming.constant = fit(attributes.into_iter().collect());
        self
    }

    /// Adds what the closure finds in the request, before it is served. See [`Labeler`](super::Labeler) for what to keep in
    /// mind.
    pub fn request_attributes(mut self, hook: impl Fn(&Request) -> Vec<KeyValue> + Send + Sync + 'static) -> Self {
        self.options.request_hooks.push(Box::new(hook));
        self
    }

    /// Adds what the closure finds in the response, before its body is sent. See [`Labeler`](super::Labeler) for what to keep
    /// in mind.
    pub fn response_attributes(mut self, hook: impl Fn(&Response) -> Vec<KeyValue> + Send + Sync + 'static) -> Self {
        self.options.response_hooks.push(Box::new(hook));
        self
    }

    /// Calls the closure once for each request, when it has ended. It must not block.
    pub fn observer(mut self, observer: impl Fn(&RequestRecord<'_>) + Send + Sync + 'static) -> Self {
        self.options.observers.push(Box::new(observer));
        self
    }

    /// Where the closure says yes, a request begins a trace of its own with a link to that of the caller, who is not trusted.
    pub fn public_endpoint(mut self, is_public: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        self.options.public_endpoint = Some(Box::new(is_public));
        self
    }

    /// Puts headers of requests on the spans, as `http.request.header.<name>`. Those that carry secrets, such as
    /// `authorization` and `cookie`, are there with `[redacted]` for a value.
    pub fn capture_request_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.options.request_headers.extend(names);
        self
    }

    /// Puts headers of responses on the spans, as `http.response.header.<name>`, with the same care.
    pub fn capture_response_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.options.response_headers.extend(names);
        self
    }

    /// How many series are kept apart at most; by default 1,000. What would be one more is recorded in a single series with
    /// the attribute `otel.metric.overflow`, and counted in `meterbridge.instrument.overflow`.
    ///
    /// It has to stay below the limit of the SDK, 2,000 for each instrument if no view says otherwise.
    pub fn max_series(mut self, series: usize) -> Self {
        self.max_series = series;
        self
    }

    /// Whether the SDK is told of each request at once. By default it is when somebody reads, which costs the request a
    /// fraction. The buckets, sums, smallest and largest are the same; a view with other buckets is more exact so.
    pub fn immediate(mut self, yes: bool) -> Self {
        self.is_immediate = yes;
        self
    }

    /// Leaves everything out unless the environment variable is `true` or `1`.
    pub fn enabled_by_env(self, variable: impl Into<Cow<'static, str>>) -> Self {
        let value = std::env::var(variable.into().as_ref());
        self.enabled_if(value.is_ok_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1")))
    }

    /// Leaves everything out unless told otherwise.
    pub fn enabled_if(mut self, is_enabled: bool) -> Self {
        self.is_enabled &= is_enabled;
        self
    }

    /// Makes the instruments.
    pub fn build(self) -> Instrumentation {
        if !self.is_enabled {
            return Instrumentation(None);
        }
        // Shared texts, since each span and series takes one.
        let known = self
            .options
            .known_methods
            .iter()
            .map(|method| Arc::from(method.as_str()));
        let mut methods: Vec<StringValue> = known.map(|method: Arc<str>| method.into()).collect();
        methods.push(OTHER_METHOD.into());
        let sizes = self.has_sizes.then_some(self.size_boundaries.as_slice());
        let settings = Settings {
            active: Active::new(methods.into(), self.is_by_route),
            measures: Measures::new(&self.meter, &self.duration_boundaries, sizes, self.has_time_to_head),
            naming: self.naming,
            max_series: self.max_series,
            is_immediate: self.is_immediate,
        };
        Instrumentation(Some(Arc::new(Shared {
            recorder: Recorder::new(&self.meter, settings),
            options: self.options,
        })))
    }
}

/// The SDK takes no other bounds, and says so by not having the instrument.
fn ascending(mut bounds: Vec<f64>) -> Vec<f64> {
    bounds.retain(|bound| bound.is_finite());
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds
}
