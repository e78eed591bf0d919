//! Records what ../plan.tsv says with the SDK of Rust; ../README.md says how.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use std::{env, fs, thread};

use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Compression, MetricExporter, Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{Aggregation, Instrument, PeriodicReader, SdkMeterProvider, Stream};

static INTERVAL: AtomicU32 = AtomicU32::new(1);

fn interval() -> u32 {
    INTERVAL.load(Relaxed)
}

/// The same in all senders.
fn mix(a: u32, b: u32) -> u32 {
    let x = a.wrapping_mul(2654435761) ^ b.wrapping_mul(2246822519);
    let x = (x ^ x >> 15).wrapping_mul(2246822519);
    x ^ x >> 13
}

fn attributes(i: u32) -> [KeyValue; 5] {
    let at = i as usize;
    [
        KeyValue::new("http.route", format!("/shop/{}/items", i / 6)),
        KeyValue::new("http.request.method", ["GET", "POST", "PUT"][at % 3]),
        KeyValue::new("http.response.status_code", [200, 500][at / 3 % 2]),
        KeyValue::new("cache.hit", i % 2 == 0),
        KeyValue::new("region", ["eu-west", "us-east", "ap-south"][at / 6 % 3]),
    ]
}

struct Entry {
    scope: String,
    kind: String,
    name: String,
    unit: String,
    series: Vec<u32>,
}

impl Entry {
    fn of(line: &str) -> Result<Self, Box<dyn Error>> {
        let fields: Vec<&str> = line.split('\t').collect();
        let [scope, kind, name, unit, ref series @ ..] = fields[..] else {
            return Err(line.into());
        };
        Ok(Self {
            scope: scope.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            unit: unit.to_owned(),
            series: series.iter().map(|count| count.parse()).collect::<Result<_, _>>()?,
        })
    }

    /// What records one value of one series; `None` where the SDK asks for it.
    fn make(&self, meter: &Meter) -> Option<Box<dyn Fn(u32, u32)>> {
        let description = format!("What {} tells.", self.name);
        let series = self.series.clone();
        let observed = move || (0..count(&series)).map(|i| (i, mix(i, interval()) % 1000));
        macro_rules! made {
            ($make:ident) => {
                meter
                    .$make(self.name.clone())
                    .with_unit(self.unit.clone())
                    .with_description(description)
            };
        }
        match self.kind.as_str() {
            "counter" => {
                let counter = made!(u64_counter).build();
                return Some(Box::new(move |value, i| counter.add(value.into(), &attributes(i))));
            }
            "double_counter" => {
                let counter = made!(f64_counter).build();
                return Some(Box::new(move |value, i| {
                    counter.add(f64::from(value) / 8.0, &attributes(i))
                }));
            }
            "up_down_counter" => {
                let counter = made!(i64_up_down_counter).build();
                return Some(Box::new(move |value, i| counter.add(value.into(), &attributes(i))));
            }
            "gauge" => {
                let gauge = made!(f64_gauge).build();
                return Some(Box::new(move |value, i| {
                    gauge.record(f64::from(value) / 1000.0, &attributes(i))
                }));
            }
            "histogram" | "exponential" => {
                let histogram = made!(f64_histogram).build();
                return Some(Box::new(move |_, i| {
                    for j in 0..3 {
                        histogram.record(f64::from(mix(i + j, interval()) % 10_000) / 8.0, &attributes(i));
                    }
                }));
            }
            "observable_counter" => drop(
                made!(f64_observable_counter)
                    .with_callback(move |observer| {
                        observed().for_each(|(i, value)| {
                            observer.observe(f64::from(interval() * 1000 + value) / 8.0, &attributes(i));
                        });
                    })
                    .build(),
            ),
            "observable_gauge" => drop(
                made!(f64_observable_gauge)
                    .with_callback(move |observer| {
                        observed().for_each(|(i, value)| observer.observe(f64::from(value) / 1000.0, &attributes(i)));
                    })
                    .build(),
            ),
            "observable_up_down_counter" => drop(
                made!(i64_observable_up_down_counter)
                    .with_callback(move |observer| {
                        observed().for_each(|(i, value)| observer.observe(value.into(), &attributes(i)));
                    })
                    .build(),
            ),
            other => panic!("unknown kind {other}"),
        }
        None
    }
}

fn count(series: &[u32]) -> u32 {
    series[usize::from(interval() >= 4) + usize::from(interval() >= 7)]
}

fn main() -> Result<(), Box<dyn Error>> {
    let exporter = MetricExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(env::var("ENDPOINT")?)
        .with_compression(Compression::Gzip)
        .build()?;
    let plan = fs::read_to_string(env::var("PLAN")?)?;
    let plan = plan.lines().filter(|line| !line.starts_with('#'));
    let plan = plan.map(Entry::of).collect::<Result<Vec<_>, _>>()?;
    let exponential: Vec<String> = plan
        .iter()
        .filter(|entry| entry.kind == "exponential")
        .map(|entry| entry.name.clone())
        .collect();
    let provider = SdkMeterProvider::builder()
        .with_reader(
            PeriodicReader::builder(exporter)
                .with_interval(Duration::from_hours(1))
                .build(),
        )
        .with_resource(
            Resource::builder_empty()
                .with_service_name(env::var("OTEL_SERVICE_NAME")?)
                .with_attribute(KeyValue::new("service.namespace", "recordings"))
                .with_attribute(KeyValue::new("service.instance.id", "1"))
                .with_attribute(KeyValue::new("telemetry.sdk.language", "rust"))
                .build(),
        )
        .with_view(move |instrument: &Instrument| {
            let aggregation = Aggregation::Base2ExponentialHistogram {
                max_size: 160,
                max_scale: 20,
                record_min_max: true,
            };
            let is_it = exponential.iter().any(|name| name == instrument.name());
            is_it.then(|| Stream::builder().with_aggregation(aggregation).build().ok())?
        })
        .build();
    let recorders: Vec<_> = plan
        .iter()
        .filter_map(|entry| {
            let scope = InstrumentationScope::builder(entry.scope.clone()).with_version("1.2.0");
            let record = entry.make(&provider.meter_with_scope(scope.build()))?;
            Some((&entry.series, record))
        })
        .collect();
    let part: u32 = env::var("PART")?.parse()?;
    let pause = Duration::from_secs_f64(env::var("PAUSE")?.parse()?);
    for at in 1..=10 {
        INTERVAL.store(at, Relaxed);
        for (series, record) in &recorders {
            let mut series: Vec<u32> = (0..count(series)).collect();
            series.sort_by_key(|i| mix(*i, at + 100));
            for i in series {
                if [1, 4, 7].contains(&at) || mix(i, at + 200) % 100 < part {
                    record(mix(i, at) % 1000, i);
                }
            }
        }
        thread::sleep(pause);
        // The last export is that of the shutdown.
        if at < 10 {
            provider.force_flush()?;
        }
    }
    provider.shutdown()?;
    Ok(())
}
