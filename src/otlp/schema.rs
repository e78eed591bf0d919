//! The messages of an OTLP metrics request: JSON name, field number and type of each field that means something here.

/// How deep messages may be nested: each of the 64 levels of an attribute value takes up to three (a map, a key-value, a
/// value), and the request itself a dozen. Beyond it the walk would refuse the value anyway (conformance B-04).
pub(super) const MAX_DEPTH: usize = 64 * 3 + 16;

/// Field numbers are below this. The last one means nothing in any message.
pub(super) const FIELD_NUMBERS: usize = 16;

/// A message and the fields that it may have.
pub(super) struct Message {
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
}

/// One field.
pub(super) struct Field {
    pub(super) json: &'static str,
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) repeated: bool,
}

/// How a value is written in protobuf.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Message(&'static Message),
    String,
    /// Base64 in JSON.
    Bytes,
    /// Hexadecimal in JSON, unlike other bytes (conformance P-10).
    Id,
    Bool,
    Double,
    Fixed64,
    Sfixed64,
    /// `int64` and `uint64`.
    Varint,
    Uint64,
    /// `sint32`.
    Zigzag,
    /// Numbers only, never names (conformance P-12).
    Enum,
}

const fn one(json: &'static str, number: u32, kind: Kind) -> Field {
    Field {
        json,
        number,
        kind,
        repeated: false,
    }
}

const fn many(json: &'static str, number: u32, kind: Kind) -> Field {
    Field {
        json,
        number,
        kind,
        repeated: true,
    }
}

use Kind::{Bool, Bytes, Double, Enum, Fixed64, Id, Message as M, Sfixed64, String as Text, Uint64, Varint, Zigzag};

pub(super) static REQUEST: Message = Message {
    name: "the request",
    fields: &[many("resourceMetrics", 1, M(&RESOURCE_METRICS))],
};

static RESOURCE_METRICS: Message = Message {
    name: "resourceMetrics",
    fields: &[
        one("resource", 1, M(&RESOURCE)),
        many("scopeMetrics", 2, M(&SCOPE_METRICS)),
        one("schemaUrl", 3, Text),
    ],
};

static RESOURCE: Message = Message {
    name: "resource",
    fields: &[
        many("attributes", 1, M(&KEY_VALUE)),
        one("droppedAttributesCount", 2, Uint64),
    ],
};

static SCOPE_METRICS: Message = Message {
    name: "scopeMetrics",
    fields: &[
        one("scope", 1, M(&SCOPE)),
        many("metrics", 2, M(&METRIC)),
        one("schemaUrl", 3, Text),
    ],
};

static SCOPE: Message = Message {
    name: "scope",
    fields: &[
        one("name", 1, Text),
        one("version", 2, Text),
        many("attributes", 3, M(&KEY_VALUE)),
        one("droppedAttributesCount", 4, Uint64),
    ],
};

static METRIC: Message = Message {
    name: "metrics",
    fields: &[
        one("name", 1, Text),
        one("description", 2, Text),
        one("unit", 3, Text),
        one("gauge", 5, M(&GAUGE)),
        one("sum", 7, M(&SUM)),
        one("histogram", 9, M(&HISTOGRAM)),
        one("exponentialHistogram", 10, M(&EXPONENTIAL_HISTOGRAM)),
        one("summary", 11, M(&SUMMARY)),
        many("metadata", 12, M(&KEY_VALUE)),
    ],
};

static GAUGE: Message = Message {
    name: "gauge",
    fields: &[many("dataPoints", 1, M(&NUMBER_POINT))],
};

static SUM: Message = Message {
    name: "sum",
    fields: &[
        many("dataPoints", 1, M(&NUMBER_POINT)),
        one("aggregationTemporality", 2, Enum),
        one("isMonotonic", 3, Bool),
    ],
};

static HISTOGRAM: Message = Message {
    name: "histogram",
    fields: &[
        many("dataPoints", 1, M(&HISTOGRAM_POINT)),
        one("aggregationTemporality", 2, Enum),
    ],
};

static EXPONENTIAL_HISTOGRAM: Message = Message {
    name: "exponentialHistogram",
    fields: &[
        many("dataPoints", 1, M(&EXPONENTIAL_POINT)),
        one("aggregationTemporality", 2, Enum),
    ],
};

static SUMMARY: Message = Message {
    name: "summary",
    fields: &[many("dataPoints", 1, M(&SUMMARY_POINT))],
};

static NUMBER_POINT: Message = Message {
    name: "dataPoints",
    fields: &[
        one("startTimeUnixNano", 2, Fixed64),
        one("timeUnixNano", 3, Fixed64),
        one("asDouble", 4, Double),
        many("exemplars", 5, M(&EXEMPLAR)),
        one("asInt", 6, Sfixed64),
        many("attributes", 7, M(&KEY_VALUE)),
        one("flags", 8, Uint64),
    ],
};

static HISTOGRAM_POINT: Message = Message {
    name: "dataPoints",
    fields: &[
        one("startTimeUnixNano", 2, Fixed64),
        one("timeUnixNano", 3, Fixed64),
        one("count", 4, Fixed64),
        one("sum", 5, Double),
        many("bucketCounts", 6, Fixed64),
        many("explicitBounds", 7, Double),
        many("exemplars", 8, M(&EXEMPLAR)),
        many("attributes", 9, M(&KEY_VALUE)),
        one("flags", 10, Uint64),
        one("min", 11, Double),
        one("max", 12, Double),
    ],
};

static EXPONENTIAL_POINT: Message = Message {
    name: "dataPoints",
    fields: &[
        many("attributes", 1, M(&KEY_VALUE)),
        one("startTimeUnixNano", 2, Fixed64),
        one("timeUnixNano", 3, Fixed64),
        one("count", 4, Fixed64),
        one("sum", 5, Double),
        one("scale", 6, Zigzag),
        one("zeroCount", 7, Fixed64),
        one("positive", 8, M(&BUCKETS)),
        one("negative", 9, M(&BUCKETS)),
        one("flags", 10, Uint64),
        many("exemplars", 11, M(&EXEMPLAR)),
        one("min", 12, Double),
        one("max", 13, Double),
        one("zeroThreshold", 14, Double),
    ],
};

static BUCKETS: Message = Message {
    name: "buckets",
    fields: &[one("offset", 1, Zigzag), many("bucketCounts", 2, Uint64)],
};

static SUMMARY_POINT: Message = Message {
    name: "dataPoints",
    fields: &[
        one("startTimeUnixNano", 2, Fixed64),
        one("timeUnixNano", 3, Fixed64),
        one("count", 4, Fixed64),
        one("sum", 5, Double),
        many("quantileValues", 6, M(&QUANTILE)),
        many("attributes", 7, M(&KEY_VALUE)),
        one("flags", 8, Uint64),
    ],
};

static QUANTILE: Message = Message {
    name: "quantileValues",
    fields: &[one("quantile", 1, Double), one("value", 2, Double)],
};

static EXEMPLAR: Message = Message {
    name: "exemplars",
    fields: &[
        one("timeUnixNano", 2, Fixed64),
        one("asDouble", 3, Double),
        one("spanId", 4, Id),
        one("traceId", 5, Id),
        one("asInt", 6, Sfixed64),
        many("filteredAttributes", 7, M(&KEY_VALUE)),
    ],
};

static KEY_VALUE: Message = Message {
    name: "attributes",
    fields: &[
        one("key", 1, Text),
        one("value", 2, M(&ANY_VALUE)),
        one("keyStrindex", 3, Varint),
    ],
};

static ANY_VALUE: Message = Message {
    name: "value",
    fields: &[
        one("stringValue", 1, Text),
        one("boolValue", 2, Bool),
        one("intValue", 3, Varint),
        one("doubleValue", 4, Double),
        one("arrayValue", 5, M(&ARRAY)),
        one("kvlistValue", 6, M(&MAP)),
        one("bytesValue", 7, Bytes),
        one("stringValueStrindex", 8, Varint),
    ],
};

static ARRAY: Message = Message {
    name: "arrayValue",
    fields: &[many("values", 1, M(&ANY_VALUE))],
};

static MAP: Message = Message {
    name: "kvlistValue",
    fields: &[many("values", 1, M(&KEY_VALUE))],
};
