use super::Options;
use super::choice::Collisions;
use crate::exposition::{Negotiation, Style};
use crate::{app, store, translate};

/// What the parts of the service are made from.
impl Options {
    /// The rules of the translation.
    pub fn translate_rules(&self) -> translate::Rules {
        translate::Rules {
            strategy: self.translation_strategy,
            namespace: self.namespace.clone().unwrap_or_default(),
            unit_aliases: self
                .unit_alias
                .iter()
                .map(|alias| (alias.key.clone(), alias.value.0.clone()))
                .collect(),
            label_name_underscore_sanitization: self.label_name_underscore_sanitization,
            label_name_preserve_multiple_underscores: self.label_name_preserve_multiple_underscores,
            identity_conflict: self.identity_conflict,
            label_resource: self.collisions == Collisions::Label,
            empty_instance: self.empty_instance,
            keep_identifying_resource_attributes: self.keep_identifying_resource_attributes,
            promote_resource_attributes: self.promote_resource_attributes.clone(),
            scope_labels: self.scope_labels,
            missing_sum: self.missing_sum,
            stamp_arrival_time: self.stamp_arrival_time,
            replace_invalid_utf8: self.invalid_utf8.0,
            labels: translate::LabelLimits {
                labels: self.max_labels,
                name_bytes: self.max_label_name_bytes.bytes(),
                value_bytes: self.max_label_value_bytes.bytes(),
            },
            help_bytes: self.max_help_bytes.bytes(),
        }
    }

    /// The limits of the store.
    pub fn store_limits(&self) -> store::Limits {
        store::Limits {
            series: self.max_series,
            series_per_job: self.max_series_per_job,
            series_per_metric: self.max_series_per_metric,
            expiry: self.expiry.limit(),
            delta_expiry: self.delta_expiry.limit(),
            expiry_rules: self
                .expiry_rule
                .iter()
                .map(|rule| store::ExpiryRule {
                    pattern: rule.key.clone(),
                    expiry: rule.value.limit(),
                })
                .collect(),
            collisions: match self.collisions {
                Collisions::Sum => store::Collisions::Sum,
                Collisions::Latest | Collisions::Label => store::Collisions::Latest,
            },
        }
    }

    /// How a format is found with a scraper.
    pub fn negotiation(&self) -> Negotiation {
        Negotiation {
            protobuf_escaping: self.protobuf_escaping,
            openmetrics2: self.openmetrics2.0,
            prefer_text_without_suffixes: self.prefer_text_without_suffixes
                && !self.translation_strategy.adds_suffixes(),
            style: self.style(),
        }
    }

    /// What the formats write where they leave the choice.
    pub fn style(&self) -> Style {
        Style {
            created_lines: self.created_lines,
            timestamps: self.timestamps,
            exponential: self.exponential_histograms,
        }
    }

    /// What the service is made from.
    pub fn app(&self, settings: Vec<crate::api::Setting>) -> app::Config {
        app::Config {
            http_listen: self.http_listen.clone(),
            otlp_http_listen: self.otlp_http_listen.clone(),
            otlp_grpc_listen: self.otlp_grpc_listen.clone(),
            store: self.store_limits(),
            translate: self.translate_rules(),
            negotiation: self.negotiation(),
            cors_origins: self.cors_origins.iter().map(|origin| origin.0.clone()).collect(),
            max_request_bytes: Some(self.max_request_bytes.bytes()).filter(|bytes| *bytes > 0),
            drain_timeout: self.drain_timeout.duration(),
            settings,
        }
    }
}
