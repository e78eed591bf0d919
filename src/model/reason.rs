use std::fmt;

/// Declares a closed set of reasons with the word that is the counter's label, the API's word and the start of a message.
macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every reason, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

reasons! {
    /// Why a data point was refused. Each refused point has exactly one.
    PointReason {
        /// Nothing is left of the metric's name (conformance N-12).
        EmptyName = "empty_name",
        /// The final name is `target_info` (K-04).
        ReservedName = "reserved_name",
        /// The family lives with another type (K-01).
        TypeConflict = "type_conflict",
        /// Another family owns one of its sample names (K-04).
        NameConflict = "name_conflict",
        /// Unspecified, or no number of the enumeration (M-03).
        UnknownTemporality = "unknown_temporality",
        /// A number point without a value (G-04).
        NoValue = "no_value",
        /// The end time is 0 (P-15).
        NoTimestamp = "no_timestamp",
        /// NaN or below 0 where the sum is monotonic (M-04).
        InvalidCounterValue = "invalid_counter_value",
        /// A delta window that overlaps what is counted, or is late and fits no gap (D-04, D-05, D-06).
        OutOfOrder = "out_of_order",
        /// Counts and bounds that do not fit, or bounds out of order (H-05).
        InvalidBuckets = "invalid_buckets",
        /// The count of an exponential histogram is not the total of its buckets (E-07).
        InconsistentCount = "inconsistent_count",
        /// The scale of an exponential histogram is below -4 (E-04).
        ScaleTooLow = "scale_too_low",
        /// A bucket of an exponential histogram is beyond what a double holds (E-10).
        BucketOutOfRange = "bucket_out_of_range",
        /// An exponential histogram has no sum (E-06).
        NoSum = "no_sum",
        /// A quantile outside 0 to 1.
        InvalidQuantile = "invalid_quantile",
        /// A cap is reached; the detail says which (B-01).
        TooManySeries = "too_many_series",
        /// `--max-labels` is passed (B-03).
        TooManyLabels = "too_many_labels",
        /// `--max-label-name-bytes` is passed (B-03).
        LabelNameTooLong = "label_name_too_long",
        /// `--max-label-value-bytes` is passed (B-03).
        LabelValueTooLong = "label_value_too_long",
        /// `--max-help-bytes` is passed (B-03).
        HelpTooLong = "help_too_long",
    }
}

reasons! {
    /// Why a whole request was refused.
    RequestReason {
        /// It cannot be decoded (P-04, P-12, B-04).
        Malformed = "malformed",
        /// A text in it is not UTF-8 (L-08).
        InvalidUtf8 = "invalid_utf8",
        /// It is longer than `--max-request-bytes`, as sent or inflated (P-06).
        RequestTooLarge = "request_too_large",
        /// Its compression is not known (P-07).
        UnsupportedEncoding = "unsupported_encoding",
        /// Its content type is not one of OTLP (P-08).
        UnsupportedMediaType = "unsupported_media_type",
        /// Traces or logs (P-17).
        UnsupportedSignal = "unsupported_signal",
        /// The bridge has too much in hand right now (P-05).
        Overloaded = "overloaded",
    }
}

/// A refusal of one point: the reason, and what the sender should know about this case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The word that is counted.
    pub reason: PointReason,
    /// What was wrong and what to do, without the reason in front.
    pub detail: String,
}

impl Refused {
    /// A refusal for `reason`.
    pub fn new(reason: PointReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }

    /// The same refusal, with the metric's name in front of the detail.
    pub fn of_metric(mut self, name: &str) -> Self {
        self.detail = format!("metric \"{name}\": {}", self.detail);
        self
    }
}
