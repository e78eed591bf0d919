use super::LabelLimits;

/// How points are translated: what the options say. The defaults are those of the options.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What becomes of names (conformance V-01).
    pub strategy: Strategy,
    /// In front of every metric's name; empty where there is none (V-03).
    pub namespace: String,
    /// Pairs of a unit and the word for it, before those of the specification (N-09).
    pub unit_aliases: Vec<(String, String)>,
    /// A label name that begins with `_` gets `key` in front (L-03).
    pub label_name_underscore_sanitization: bool,
    /// Several underscores in a row stay in label names (L-03).
    pub label_name_preserve_multiple_underscores: bool,
    /// What becomes of a point's own `job` and `instance` (C-02).
    pub identity_conflict: IdentityConflict,
    /// Every series carries `otel_resource`, so that streams of different resources never meet (C-05).
    pub label_resource: bool,
    /// `instance=""` where the resource names none.
    pub empty_instance: bool,
    /// `service.name`, `service.namespace` and `service.instance.id` stay in `target_info`.
    pub keep_identifying_resource_attributes: bool,
    /// Resource attributes that are copied to every series; `*` stands for any run of characters.
    pub promote_resource_attributes: Vec<String>,
    /// Labels `otel_scope_…` (S-04).
    pub scope_labels: bool,
    /// What becomes of exponential histograms without a sum (E-06).
    pub missing_sum: MissingSum,
    /// The time of arrival stands in for an end time of 0 (P-15).
    pub stamp_arrival_time: bool,
    /// U+FFFD takes the place of what is not UTF-8; a request that has such a text is refused if not (L-08).
    pub replace_invalid_utf8: bool,
    /// Limits on labels; 0 means that there is none.
    pub labels: LabelLimits,
    /// The longest description of a metric, in bytes; 0 is no limit.
    pub help_bytes: usize,
}

/// How the names of OpenTelemetry become names of Prometheus (conformance V-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Letters, digits and underscores; units and types are appended.
    #[default]
    UnderscoreEscapingWithSuffixes,
    /// Letters, digits and underscores; nothing is appended.
    UnderscoreEscapingWithoutSuffixes,
    /// Names stay as they are; units and types are appended.
    NoUtf8EscapingWithSuffixes,
    /// Names stay as they are.
    NoTranslation,
}

/// What becomes of a point's own `job` or `instance` where the resource gives that label too (conformance C-02).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IdentityConflict {
    /// It is renamed to `exported_job` or `exported_instance`, as Prometheus does in the same case.
    #[default]
    Exported,
    /// Both values are joined, as the specification has it.
    Spec,
    /// The point's own wins.
    Point,
}

/// What becomes of an exponential histogram without a sum (conformance E-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MissingSum {
    /// The point is refused.
    #[default]
    Refuse,
    /// The sum is NaN.
    Nan,
}

impl Strategy {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::UnderscoreEscapingWithSuffixes,
        Self::UnderscoreEscapingWithoutSuffixes,
        Self::NoUtf8EscapingWithSuffixes,
        Self::NoTranslation,
    ];

    /// The word of the specification for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnderscoreEscapingWithSuffixes => "UnderscoreEscapingWithSuffixes",
            Self::UnderscoreEscapingWithoutSuffixes => "UnderscoreEscapingWithoutSuffixes",
            Self::NoUtf8EscapingWithSuffixes => "NoUTF8EscapingWithSuffixes",
            Self::NoTranslation => "NoTranslation",
        }
    }

    /// Whether names keep characters that only quotes make legal.
    pub fn allows_utf8(self) -> bool {
        matches!(self, Self::NoUtf8EscapingWithSuffixes | Self::NoTranslation)
    }

    /// Whether units and types are appended.
    pub fn adds_suffixes(self) -> bool {
        matches!(
            self,
            Self::UnderscoreEscapingWithSuffixes | Self::NoUtf8EscapingWithSuffixes
        )
    }
}

impl Default for Rules {
    fn default() -> Self {
        let labels = LabelLimits {
            labels: 256,
            name_bytes: 1024,
            value_bytes: 16 << 10,
        };
        Self {
            strategy: Strategy::default(),
            namespace: String::new(),
            unit_aliases: Vec::new(),
            label_name_underscore_sanitization: false,
            label_name_preserve_multiple_underscores: false,
            identity_conflict: IdentityConflict::default(),
            label_resource: false,
            empty_instance: true,
            keep_identifying_resource_attributes: false,
            promote_resource_attributes: Vec::new(),
            scope_labels: true,
            missing_sum: MissingSum::default(),
            stamp_arrival_time: false,
            replace_invalid_utf8: false,
            labels,
            help_bytes: 16 << 10,
        }
    }
}
