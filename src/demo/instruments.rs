use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, MeterProvider as _, UpDownCounter};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use super::service::{Moment, Request, Service};

/// What a service of the demo measures, under the names of the semantic conventions where there are some.
pub(super) struct Instruments {
    duration: Histogram<f64>,
    active: UpDownCounter<i64>,
    jobs: Counter<u64>,
    queue: UpDownCounter<i64>,
    cache_hits: Gauge<f64>,
}

impl Instruments {
    pub(super) fn new(provider: &SdkMeterProvider) -> Self {
        let meter = provider.meter("meterbridge.demo");
        Self {
            duration: meter
                .f64_histogram("http.server.request.duration")
                .with_unit("s")
                .with_description("Duration of HTTP server requests.")
                .with_boundaries(vec![
                    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
                ])
                .build(),
            active: meter
                .i64_up_down_counter("http.server.active_requests")
                .with_unit("{request}")
                .with_description("Number of active HTTP server requests.")
                .build(),
            jobs: meter
                .u64_counter("demo.jobs")
                .with_unit("{job}")
                .with_description("Jobs that were done.")
                .build(),
            queue: meter
                .i64_up_down_counter("demo.queue.length")
                .with_unit("{job}")
                .with_description("Jobs that wait.")
                .build(),
            cache_hits: meter
                .f64_gauge("demo.cache.hits")
                .with_unit("1")
                .with_description("Share of look-ups that the cache answers.")
                .build(),
        }
    }

    pub(super) fn record(&self, service: &Service, moment: &Moment) {
        for request in &moment.requests {
            self.record_request(request);
        }
        // Each request is over in the tick in which it begins, but the instrument is there.
        self.active.add(
            0,
            &[
                KeyValue::new("http.request.method", "GET"),
                KeyValue::new("url.scheme", "https"),
            ],
        );
        if service.name == "worker" {
            let failed = moment.requests.iter().filter(|request| request.status >= 500).count();
            self.jobs.add(
                (moment.requests.len() - failed) as u64,
                &[KeyValue::new("outcome", "ok")],
            );
            self.jobs.add(failed as u64, &[KeyValue::new("outcome", "failed")]);
        }
        self.queue.add(moment.queue_change, &[]);
        self.cache_hits.record(moment.cache_hits, &[]);
    }

    fn record_request(&self, request: &Request) {
        let mut attributes = vec![
            KeyValue::new("http.request.method", request.endpoint.method),
            KeyValue::new("http.response.status_code", i64::from(request.status)),
            KeyValue::new("http.route", request.endpoint.route),
            KeyValue::new("network.protocol.version", "1.1"),
            KeyValue::new("url.scheme", "https"),
        ];
        if request.status >= 500 {
            attributes.insert(0, KeyValue::new("error.type", request.status.to_string()));
        }
        self.duration.record(request.seconds, &attributes);
    }
}
