use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point};
use prost::Message;

use super::*;

fn request(json: &str) -> ExportMetricsServiceRequest {
    let transcoded = transcode(json.as_bytes()).unwrap();
    ExportMetricsServiceRequest::decode(&*transcoded.protobuf).unwrap()
}

/// The first point of a gauge whose fields are `point`.
fn number(point: &str) -> Option<number_data_point::Value> {
    let json = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"g","gauge":{{"dataPoints":[{{{point}}}]}}}}]}}]}}]}}"#
    );
    let request = request(&json);
    let Some(Data::Gauge(gauge)) = &request.resource_metrics[0].scope_metrics[0].metrics[0].data else {
        panic!("no gauge")
    };
    gauge.data_points[0].value
}

#[test]
fn p_11_whole_numbers_are_text_or_numbers_and_exact() {
    use number_data_point::Value::AsInt;
    assert_eq!(number(r#""asInt":"42""#), Some(AsInt(42)));
    assert_eq!(number(r#""asInt":42"#), Some(AsInt(42)));
    assert_eq!(number(r#""asInt":4.0"#), Some(AsInt(4)));
    assert_eq!(number(r#""asInt":"-9223372036854775808""#), Some(AsInt(i64::MIN)));
    assert_eq!(
        number(r#""asInt":9007199254740993"#),
        Some(AsInt(9_007_199_254_740_993))
    );
}

#[test]
fn p_11_whole_numbers_with_a_point_or_an_exponent() {
    use number_data_point::Value::AsInt;
    for (json, expected) in [
        ("1e3", 1000),
        ("-2.50e1", -25),
        ("\"1e3\"", 1000),
        ("\"4.0\"", 4),
        ("-0", 0),
        ("\"-0\"", 0),
        ("9.223372036854774784e18", 9_223_372_036_854_774_784),
        ("-9.223372036854775808e18", i64::MIN),
    ] {
        assert_eq!(number(&format!(r#""asInt":{json}"#)), Some(AsInt(expected)), "{json}");
    }
    let request = request(
        r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[
            {"timeUnixNano":1.5447126603e18,"startTimeUnixNano":"18446744073709551615","flags":"1"}]}}]}]}]}"#,
    );
    let Some(Data::Gauge(gauge)) = &request.resource_metrics[0].scope_metrics[0].metrics[0].data else {
        panic!("no gauge")
    };
    let point = &gauge.data_points[0];
    assert_eq!(
        (point.time_unix_nano, point.start_time_unix_nano, point.flags),
        (1_544_712_660_300_000_000, u64::MAX, 1)
    );
}

#[test]
fn p_11_p_14_values_that_a_field_cannot_have_are_refused_by_its_name() {
    for (field, value) in [
        ("asInt", "4.5"),
        ("asInt", "\"4.5\""),
        ("asInt", "9223372036854775808"),
        ("asInt", "1e30"),
        ("asInt", "\"inf\""),
        ("asInt", "\"\""),
        ("asInt", "\"+1\""),
        ("asInt", "\"0x10\""),
        ("asInt", "true"),
        ("asInt", "{}"),
        ("asDouble", "\"-inf\""),
        ("asDouble", "\"1_000\""),
        ("timeUnixNano", "-1"),
        ("timeUnixNano", "-1e18"),
        ("timeUnixNano", "18446744073709551616"),
        ("timeUnixNano", "1.5"),
        ("flags", "\"x\""),
        ("flags", "-1"),
        ("exemplars", "[{\"spanId\":\"abc\"}]"),
        ("exemplars", "[{\"traceId\":\"0g\"}]"),
        ("exemplars", "[{\"traceId\":5}]"),
        ("exemplars", "{}"),
        ("attributes", "[{\"value\":{\"bytesValue\":\"*\"}}]"),
        ("attributes", "[{\"value\":{\"boolValue\":\"true\"}}]"),
    ] {
        let json = format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"gauge":{{"dataPoints":[{{"{field}":{value}}}]}}}}]}}]}}]}}"#
        );
        let Err(DecodeError::Malformed(message)) = transcode(json.as_bytes()) else {
            panic!("{json} was taken")
        };
        let named = ["spanId", "traceId", "bytesValue", "boolValue"];
        let name = named.into_iter().find(|name| value.contains(name)).unwrap_or(field);
        assert!(message.contains(name), "{json}: {message}");
    }
}

#[test]
fn b_04_of_equal_keys_the_last_counts_whatever_stands_under_them() {
    use number_data_point::Value::AsInt;
    assert_eq!(number(r#""asInt":1,"flags":0,"asInt":2"#), Some(AsInt(2)));
    assert_eq!(number(r#""asInt":1,"asInt":null"#), None);
    assert_eq!(
        number(r#""asInt":1,"as\u0049nt":3"#),
        Some(AsInt(3)),
        "an escaped key is the same key"
    );
    let long = "x".repeat(1 << 20);
    for length in [0, 1, 125, 126, 127, 128, 129, 130, 200, 1 << 14, 1 << 20] {
        let (long, last) = (&long[..length], r#"{"key":"last"}"#);
        let twice = format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[]}},{{}}],"resourceMetrics":[{{
                "resource":{{"attributes":[{{"key":"{long}"}},{{"key":"b"}}]}},
                "schemaUrl":"{long}",
                "resource":{{"attributes":[{{"key":"{long}"}}],"attributes":[{last}]}},
                "schemaUrl":"u"}}]}}"#
        );
        let once = format!(r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{last}]}},"schemaUrl":"u"}}]}}"#);
        assert_eq!(request(&twice), request(&once), "{length}");
    }
}

#[test]
fn p_14_doubles_by_name_as_text_and_as_numbers() {
    for (json, expected) in [
        (r#""Infinity""#, f64::INFINITY),
        (r#""-Infinity""#, f64::NEG_INFINITY),
        (r#""1.5""#, 1.5),
        ("1.5", 1.5),
        ("2", 2.0),
        ("-3", -3.0),
    ] {
        assert_eq!(
            number(&format!(r#""asDouble":{json}"#)),
            Some(number_data_point::Value::AsDouble(expected))
        );
    }
    let Some(number_data_point::Value::AsDouble(nan)) = number(r#""asDouble":"NaN""#) else {
        panic!("no double")
    };
    assert!(nan.is_nan());
}

#[test]
fn p_14_null_is_what_was_not_sent() {
    assert_eq!(number(r#""asDouble":null"#), None);
    assert_eq!(
        request(r#"{"resourceMetrics":null}"#),
        ExportMetricsServiceRequest::default()
    );
    let request = request(
        r#"{"resourceMetrics":[{"resource":null,"scopeMetrics":[{"metrics":[{"name":"m","description":null}]}]}]}"#,
    );
    assert_eq!(request.resource_metrics[0].scope_metrics[0].metrics[0].name, "m");
}

#[test]
fn attributes_of_every_type() {
    let request = request(
        r#"{"resourceMetrics":[{"resource":{"attributes":[
            {"key":"s","value":{"stringValue":"a\u00e9\"\n"}},{"key":"b","value":{"boolValue":true}},
            {"key":"i","value":{"intValue":"-5"}},{"key":"d","value":{"doubleValue":0.5}},
            {"key":"x","value":{"bytesValue":"aGk="}},{"key":"y","value":{"bytesValue":"-_8"}},{"key":"e","value":{}},
            {"key":"l","value":{"arrayValue":{"values":[{"intValue":1},{"stringValue":""}]}}},
            {"key":"n","value":{"arrayValue":{}}},
            {"key":"m","value":{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":false}}]}}}]}}]}"#,
    );
    let attributes = &request.resource_metrics[0].resource.as_ref().unwrap().attributes;
    let value = |key: &str| {
        let attribute = attributes.iter().find(|attribute| attribute.key == key).unwrap();
        attribute.value.clone().unwrap().value
    };
    assert_eq!(value("s"), Some(Value::StringValue("aé\"\n".into())));
    assert_eq!(value("b"), Some(Value::BoolValue(true)));
    assert_eq!(value("i"), Some(Value::IntValue(-5)));
    assert_eq!(value("d"), Some(Value::DoubleValue(0.5)));
    assert_eq!(value("x"), Some(Value::BytesValue(b"hi".to_vec())));
    assert_eq!(value("y"), Some(Value::BytesValue(vec![0xfb, 0xff])));
    assert_eq!(value("e"), None);
    let Some(Value::ArrayValue(list)) = value("l") else {
        panic!("no list")
    };
    assert_eq!(list.values.len(), 2);
    let Some(Value::ArrayValue(list)) = value("n") else {
        panic!("no list")
    };
    assert_eq!(list.values.len(), 0);
    let Some(Value::KvlistValue(map)) = value("m") else {
        panic!("no map")
    };
    assert_eq!(
        map.values[0].value.clone().unwrap().value,
        Some(Value::BoolValue(false))
    );
}

#[test]
fn p_10_ids_are_hexadecimal_and_the_whole_histogram_comes_through() {
    let request = request(
        r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"aggregationTemporality":2,"dataPoints":[{
            "timeUnixNano":"1544712660300000000","count":"3","sum":2.5,"bucketCounts":["1",2],"explicitBounds":[1.5],
            "exemplars":[{"traceId":"5B8EFFF798038103d269b633813fc60c","asInt":"7"}]}]}},
            {"exponentialHistogram":{"dataPoints":[{"scale":-2,"positive":{"offset":-3,"bucketCounts":["4"]}}]}}]}]}]}"#,
    );
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    let Some(Data::Histogram(histogram)) = &metrics[0].data else {
        panic!("no histogram")
    };
    let point = &histogram.data_points[0];
    assert_eq!(histogram.aggregation_temporality, 2);
    assert_eq!(
        (point.time_unix_nano, point.count, point.sum),
        (1_544_712_660_300_000_000, 3, Some(2.5))
    );
    assert_eq!(
        (&*point.bucket_counts, &*point.explicit_bounds),
        (&[1, 2][..], &[1.5][..])
    );
    assert_eq!(point.exemplars[0].trace_id[..3], [0x5b, 0x8e, 0xff]);
    let Some(Data::ExponentialHistogram(histogram)) = &metrics[1].data else {
        panic!("no histogram")
    };
    let point = &histogram.data_points[0];
    assert_eq!(point.scale, -2);
    assert_eq!(point.positive.as_ref().unwrap().offset, -3);
    assert_eq!(point.positive.as_ref().unwrap().bucket_counts, [4]);
}

#[test]
fn what_is_not_otlp_is_refused_by_name() {
    let sum = |temporality| {
        format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"sum":{{"aggregationTemporality":{temporality}}}}}]}}]}}]}}"#
        )
    };
    for (json, expected) in [
        ("[1,2".to_owned(), "expected an object for the request"),
        ("".to_owned(), "EOF"),
        ("{} {}".to_owned(), "trailing"),
        (
            r#"{"resourceMetrics":5}"#.to_owned(),
            "expected an array for resourceMetrics",
        ),
        (
            r#"{"resourceMetrics":[5]}"#.to_owned(),
            "expected an object for resourceMetrics",
        ),
        (
            sum(r#""AGGREGATION_TEMPORALITY_CUMULATIVE""#),
            "aggregationTemporality is \"AGGREGATION_TEMPORALITY_CUMULATIVE\"",
        ),
        (sum("true"), "aggregationTemporality is true"),
        (
            r#"{"resourceMetrics":[{"schemaUrl":7}]}"#.to_owned(),
            "schemaUrl is 7, it has to be a string",
        ),
    ] {
        let Err(DecodeError::Malformed(message)) = transcode(json.as_bytes()) else {
            panic!("{json} was taken")
        };
        assert!(
            message.starts_with("not an OTLP metrics request in JSON: "),
            "{message}"
        );
        assert!(message.contains(expected), "{json}: {message}");
    }
    for (json, expected) in [
        (
            b"{\"a\xff\":1}".as_slice(),
            "the text is not UTF-8 (byte 3 of the JSON text)",
        ),
        (
            b"{\"a\":1,\"schema\\\"Url\" : \"x\xff\"}",
            "schema\\\"Url is not UTF-8 (byte 25 of the JSON text)",
        ),
    ] {
        assert_eq!(transcode(json).unwrap_err(), DecodeError::InvalidUtf8(expected.into()));
    }
}

#[test]
fn p_13_unknown_fields_are_ignored_and_an_object_of_nothing_else_is_told() {
    let transcoded = transcode(br#"{"resource_metrics":[{"x":[[[{"y":null}]]]}]}"#).unwrap();
    assert!(transcoded.protobuf.is_empty());
    assert_eq!(
        transcoded.unknown.unwrap(),
        "no field of the request is known, the first is \"resource_metrics\""
    );
    assert!(
        transcode(br#"{"resourceMetrics":[],"extra":1}"#)
            .unwrap()
            .unknown
            .is_none()
    );
    assert!(transcode(b"{}").unwrap().unknown.is_none());
}

#[test]
fn b_04_depth_is_bounded_and_64_levels_pass() {
    let nested = |depth: usize| {
        let open = r#"{"arrayValue":{"values":["#.repeat(depth);
        let close = "]}}".repeat(depth);
        format!(
            r#"{{"resourceMetrics":[{{"resource":{{"attributes":[{{"key":"k","value":{open}{{"intValue":1}}{close}}}]}}}}]}}"#
        )
    };
    struct Nothing;
    impl crate::otlp::Sink for Nothing {
        fn resource(&mut self, _: &crate::otlp::Resource<'_>) {}
        fn scope(&mut self, _: &crate::otlp::Scope<'_>) {}
        fn metric(&mut self, _: &crate::otlp::Metric<'_>) {}
        fn point(&mut self, _: &crate::otlp::Point<'_>) {}
    }
    let decode = |depth| crate::otlp::decode(&transcode(nested(depth).as_bytes())?.protobuf, &mut Nothing);
    assert_eq!(decode(64), Ok(()));
    assert!(decode(65).is_err());
    let maps = |depth: usize| {
        let open = r#"{"kvlistValue":{"values":[{"value":"#.repeat(depth);
        let close = "}]}}".repeat(depth);
        let json = format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"gauge":{{"dataPoints":[{{"exemplars":[
                {{"filteredAttributes":[{{"value":{open}{{"intValue":1}}{close}}}]}}]}}]}}}}]}}]}}]}}"#
        );
        crate::otlp::decode(&transcode(json.as_bytes())?.protobuf, &mut Nothing)
    };
    assert_eq!(maps(64), Ok(()), "a map takes three messages a level");
    assert!(maps(65).is_err());
    assert!(decode(100_000).is_err());
    let unknown = format!(r#"{{"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert!(
        transcode(unknown.as_bytes()).is_ok(),
        "what is skipped does not recurse"
    );
}

#[test]
fn l_08_bytes_that_are_not_utf_8_are_replaced_where_that_is_asked_for() {
    let json = b"{\"resourceMetrics\":[{\"schemaUrl\":\"a\xFFb\xC3\",\"x\xFF\":1,\"scopeMetrics\":[{\"schemaUrl\":\"\xC3\xA9\"}]}]}";
    assert!(matches!(transcode(json), Err(DecodeError::InvalidUtf8(_))));
    let transcoded = transcode_lossy(json).unwrap();
    assert_eq!(transcoded.replaced, 2, "two texts, one of them a key");
    let request = ExportMetricsServiceRequest::decode(&*transcoded.protobuf).unwrap();
    assert_eq!(request.resource_metrics[0].schema_url, "a\u{FFFD}b\u{FFFD}");
    assert_eq!(request.resource_metrics[0].scope_metrics[0].schema_url, "é");
    assert_eq!(transcode_lossy(b"{}").unwrap().replaced, 0);
    assert!(matches!(transcode_lossy(b"{\xFF}"), Err(DecodeError::Malformed(_))));
}
