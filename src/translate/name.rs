use super::unit;

/// What the type of a metric does to its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suffix {
    /// Counters end in `_total`.
    Total,
    /// Gauges of the unit `1` end in `_ratio`.
    Ratio,
    /// Infos end in `_info`.
    Info,
    /// Nothing is added but the unit.
    None,
}

/// A metric's name and unit as Prometheus has them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// `http_request_duration_seconds`.
    pub(super) name: String,
    /// `seconds`; empty where the unit has no word.
    pub(super) unit: String,
}

/// Translates with the strategy `UnderscoreEscapingWithSuffixes`: what is not legal separates words, words are joined with
/// `_`, then come unit and suffix, each once (conformance N-01 to N-12). `None` where nothing is left of the name.
///
/// The rules are those of the specification, but where names that everybody else produces differ from it: a unit that
/// stands anywhere in the name is not added again (N-05), and an inner `total` or `ratio` moves to the end (N-07, N-08).
pub(super) fn translate(name: &str, unit: &str, suffix: Suffix) -> Option<Name> {
    let mut words: Vec<&str> = name
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == ':'))
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() {
        return None;
    }
    let unit_words = unit::words(unit);
    let (main, per) = (unit_words.main.as_str(), unit_words.per.as_str());
    let rate = !per.is_empty();
    if !main.is_empty() && !words.contains(&main) {
        words.push(main);
    }
    if rate && !(words.len() > 2 && words.ends_with(&["per", per])) {
        // An underscore at the end of an odd unit would double the one that joins.
        trim_last(&mut words);
        words.extend(["per", per]);
    }
    let moved = match suffix {
        Suffix::Total => "total",
        Suffix::Ratio if unit.trim() == "1" => "ratio",
        Suffix::Info if words.last() != Some(&"info") => "info",
        Suffix::Ratio | Suffix::Info | Suffix::None => "",
    };
    if !moved.is_empty() {
        if suffix != Suffix::Info {
            words.retain(|word| *word != moved);
        }
        trim_last(&mut words);
        words.push(moved);
    }
    let mut name = words.join("_");
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, '_');
    }
    let unit = match (main, rate) {
        (main, false) => main.to_owned(),
        ("", true) => format!("per_{per}"),
        (main, true) => format!("{}_per_{per}", main.trim_end_matches('_')),
    };
    Some(Name { name, unit })
}

fn trim_last(words: &mut [&str]) {
    if let Some(last) = words.last_mut() {
        *last = last.trim_end_matches('_');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(suffix: Suffix, name: &str, unit: &str, expected: &str) {
        assert_eq!(
            translate(name, unit, suffix).map(|name| name.name).unwrap_or_default(),
            expected,
            "{name} {unit}"
        );
    }

    #[test]
    fn n_01_unit_then_total() {
        check(
            Suffix::Total,
            "http.client.request.size",
            "By",
            "http_client_request_size_bytes_total",
        );
    }

    #[test]
    fn n_02_units() {
        for (unit, word) in [
            ("d", "days"),
            ("h", "hours"),
            ("min", "minutes"),
            ("s", "seconds"),
            ("ms", "milliseconds"),
            ("us", "microseconds"),
            ("ns", "nanoseconds"),
            ("By", "bytes"),
            ("KiBy", "kibibytes"),
            ("MiBy", "mebibytes"),
            ("GiBy", "gibibytes"),
            ("TiBy", "tebibytes"),
            ("kBy", "kilobytes"),
            ("KBy", "kilobytes"),
            ("MBy", "megabytes"),
            ("GBy", "gigabytes"),
            ("TBy", "terabytes"),
            ("m", "meters"),
            ("V", "volts"),
            ("A", "amperes"),
            ("J", "joules"),
            ("W", "watts"),
            ("g", "grams"),
            ("Cel", "celsius"),
            ("Hz", "hertz"),
            ("%", "percent"),
        ] {
            check(Suffix::Ratio, "x", unit, &format!("x_{word}"));
            assert_eq!(translate("x", unit, Suffix::None).unwrap().unit, word);
        }
    }

    #[test]
    fn n_03_rates() {
        for (unit, expected) in [
            ("By/s", "x_bytes_per_second"),
            ("m/s", "x_meters_per_second"),
            ("1/s", "x_per_second"),
            ("{request}/s", "x_per_second"),
            ("/s", "x_per_second"),
            ("By/m", "x_bytes_per_minute"),
            ("1/min", "x_per_min"),
            ("By/s/s", "x_bytes_per_s_s"),
            (" By / s ", "x_bytes_per_second"),
            ("By/", "x_bytes"),
        ] {
            check(Suffix::Ratio, "x", unit, expected);
        }
        check(Suffix::Ratio, "frames_per_second", "1/s", "frames_per_second");
        check(Suffix::Ratio, "io.bytes_per_second", "By/s", "io_bytes_per_second");
        assert_eq!(translate("x", "By/s", Suffix::None).unwrap().unit, "bytes_per_second");
    }

    #[test]
    fn n_04_annotations_go() {
        check(
            Suffix::None,
            "http.server.active_requests",
            "{request}",
            "http_server_active_requests",
        );
        check(Suffix::None, "heap", "By{heap}", "heap_bytes");
        check(Suffix::None, "odd", "{a{b}c}s}", "odd_seconds");
    }

    #[test]
    fn n_05_no_second_unit() {
        check(
            Suffix::Ratio,
            "request.duration.seconds",
            "s",
            "request_duration_seconds",
        );
        check(Suffix::Ratio, "seconds.since.boot", "s", "seconds_since_boot");
    }

    #[test]
    fn n_06_n_07_total_comes_last_and_once() {
        check(
            Suffix::Total,
            "jvm.gc.duration_total",
            "s",
            "jvm_gc_duration_seconds_total",
        );
        check(Suffix::Total, "requests_total", "", "requests_total");
        check(Suffix::Total, "total.requests.failed", "", "requests_failed_total");
        check(Suffix::Total, "total", "", "total");
    }

    #[test]
    fn n_08_only_gauges_of_unit_1_are_ratios() {
        check(
            Suffix::Ratio,
            "system.cpu.utilization",
            "1",
            "system_cpu_utilization_ratio",
        );
        check(Suffix::Ratio, "ratio.of.x", "1", "of_x_ratio");
        check(Suffix::None, "queue.depth", "1", "queue_depth");
        check(Suffix::Total, "items", "1", "items_total");
        assert_eq!(translate("x", "1", Suffix::Ratio).unwrap().unit, "");
    }

    #[test]
    fn n_09_unknown_units_are_appended() {
        for (unit, expected) in [
            ("None", "x_None"),
            ("°C", "x_C"),
            ("[lb_av]", "x_lb_av_"),
            ("week", "x_week"),
        ] {
            check(Suffix::Ratio, "x", unit, expected);
        }
        check(Suffix::Total, "x", "[lb_av]", "x_lb_av_total");
        check(Suffix::None, "x", "[lb_av]/s", "x_lb_av_per_second");
    }

    #[test]
    fn n_10_n_11_characters() {
        for (name, expected) in [
            ("a@@b..c", "a_b_c"),
            ("rpc:client.x", "rpc:client_x"),
            (".foo.bar.", "foo_bar"),
            ("_foo__bar_", "foo_bar"),
            ("5xx.count", "_5xx_count"),
        ] {
            check(Suffix::None, name, "", expected);
        }
        check(Suffix::Total, "5xx.count", "", "_5xx_count_total");
    }

    #[test]
    fn n_12_nothing_left_is_no_name() {
        for (name, unit) in [("", ""), ("温度", ""), ("温度", "Cel"), ("____", "")] {
            assert_eq!(translate(name, unit, Suffix::Ratio), None, "{name}");
        }
    }

    #[test]
    fn g_03_infos_end_in_info() {
        check(Suffix::Info, "build_info", "", "build_info");
        check(Suffix::Info, "build", "", "build_info");
        check(Suffix::Info, "info.of.build", "", "info_of_build_info");
    }
}
