//! The process's own resources, under the names that every Prometheus client gives them.

use opentelemetry::metrics::Meter;

/// Registers `process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds`, `process_max_fds` and
/// `process_start_time_seconds`. Only Linux tells; elsewhere there are none.
#[cfg(target_os = "linux")]
pub(super) fn observe(meter: &Meter) {
    use super::contained;
    use procfs::WithCurrentSystemInfo;
    use procfs::process::{LimitValue, Process, Stat};

    let ticks = procfs::ticks_per_second() as f64;
    let stat = || Process::myself().ok()?.stat().ok();
    let start =
        stat().and_then(|stat: Stat| Some(procfs::boot_time_secs().ok()? as f64 + stat.starttime as f64 / ticks));

    meter
        .f64_observable_counter("process.cpu")
        .with_unit("s")
        .with_description("Total user and system CPU time spent in seconds.")
        .with_callback(move |observer| {
            contained(|| {
                if let Some(stat) = stat() {
                    observer.observe((stat.utime + stat.stime) as f64 / ticks, &[]);
                }
            });
        })
        .build();
    meter
        .u64_observable_gauge("process.resident_memory")
        .with_unit("By")
        .with_description("Resident memory size in bytes.")
        .with_callback(move |observer| {
            contained(|| {
                if let Some(stat) = stat() {
                    observer.observe(stat.rss_bytes().get(), &[]);
                }
            });
        })
        .build();
    meter
        .u64_observable_gauge("process.open_fds")
        .with_description("Number of open file descriptors.")
        .with_callback(|observer| {
            contained(|| {
                if let Some(count) = Process::myself().ok().and_then(|process| process.fd_count().ok()) {
                    observer.observe(count as u64, &[]);
                }
            });
        })
        .build();
    meter
        .u64_observable_gauge("process.max_fds")
        .with_description("Maximum number of open file descriptors.")
        .with_callback(|observer| {
            contained(|| {
                let limits = Process::myself().ok().and_then(|process| process.limits().ok());
                if let Some(LimitValue::Value(most)) = limits.map(|limits| limits.max_open_files.soft_limit) {
                    observer.observe(most, &[]);
                }
            });
        })
        .build();
    if let Some(start) = start {
        meter
            .f64_gauge("process.start_time")
            .with_unit("s")
            .with_description("Start time of the process since unix epoch in seconds.")
            .build()
            .record(start, &[]);
    }
}

/// Nothing to read from.
#[cfg(not(target_os = "linux"))]
pub(super) fn observe(_: &Meter) {}
