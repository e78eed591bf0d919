use http::{HeaderMap, HeaderName};

use super::{Escaping, Format, Style, Syntax};

/// What the operator says about formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Negotiation {
    /// How names are escaped in protobuf where the scraper does not say (conformance F-06).
    pub protobuf_escaping: Escaping,
    /// Whether OpenMetrics 2.0 is there for who asks for it (O-01).
    pub openmetrics2: bool,
    /// Whether OpenMetrics 1.0 is the last choice; true only where the strategy adds no suffixes (V-02).
    pub prefer_text_without_suffixes: bool,
    /// What the formats write.
    pub style: Style,
}

/// The format for a scraper with this header `Accept`: of the clauses that fit, the one with the highest weight, of equal ones
/// the first (conformance F-02). Where none does, text 0.0.4: a scrape is never refused for its header (F-01).
pub fn negotiate(accept: Option<&str>, negotiation: &Negotiation) -> Format {
    let fallback = Format {
        style: negotiation.style,
        ..Format::default()
    };
    let fitting: Vec<(Format, f64)> = split(accept.unwrap_or(""), ',')
        .filter_map(|clause| Clause::read(clause).format(negotiation))
        .collect();
    let others = |(format, _): &&(Format, f64)| format.syntax != Syntax::OpenMetrics;
    let best = |clauses: &mut dyn Iterator<Item = &(Format, f64)>| {
        // `max_by` gives the last of equal ones, and the first is wanted.
        clauses.fold(None, |best: Option<(Format, f64)>, clause| match best {
            Some(best) if best.1 >= clause.1 => Some(best),
            _ => Some(*clause),
        })
    };
    let preferred = match negotiation.prefer_text_without_suffixes {
        true => best(&mut fitting.iter().filter(others)),
        false => None,
    };
    preferred
        .or_else(|| best(&mut fitting.iter()))
        .map_or(fallback, |(format, _)| format)
}

/// One clause of the header: a media range and its parameters.
struct Clause<'a> {
    media: &'a str,
    parameters: Vec<(&'a str, String)>,
}

impl<'a> Clause<'a> {
    fn read(clause: &'a str) -> Self {
        let mut parts = split(clause, ';').map(str::trim);
        let media = parts.next().unwrap_or("");
        let parameters = parts.filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            Some((name.trim(), unquoted(value.trim())))
        });
        Self {
            media,
            parameters: parameters.collect(),
        }
    }

    /// A parameter; of one that stands twice the first.
    fn get(&self, wanted: &str) -> Option<&str> {
        let found = self
            .parameters
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str())
    }

    /// The format that it asks for and its weight, unless it asks for none that there is, or wants none (conformance F-02 to
    /// F-06, O-02).
    fn format(&self, negotiation: &Negotiation) -> Option<(Format, f64)> {
        let weight = match self.get("q") {
            Some(weight) => weight
                .parse()
                .ok()
                .filter(|weight: &f64| *weight > 0.0 && *weight <= 1.0)?,
            None => 1.0,
        };
        let syntax = self.syntax(negotiation)?;
        let by_default = match syntax {
            Syntax::Protobuf => negotiation.protobuf_escaping,
            _ => Escaping::Underscores,
        };
        let escaping = match self.get("escaping").map(str::to_ascii_lowercase).as_deref() {
            Some("underscores") => Escaping::Underscores,
            Some("dots") => Escaping::Dots,
            Some("values") => Escaping::Values,
            Some("allow-utf-8") => Escaping::AllowUtf8,
            _ => by_default,
        };
        let format = Format {
            syntax,
            escaping,
            style: negotiation.style,
        };
        Some((format, weight))
    }

    fn syntax(&self, negotiation: &Negotiation) -> Option<Syntax> {
        let version = self.get("version");
        match self.media.to_ascii_lowercase().as_str() {
            "text/plain" => match version {
                None | Some("0.0.4") => Some(Syntax::Text),
                Some("1.0.0") => Some(Syntax::Text1),
                Some(_) => None,
            },
            "text/*" | "*/*" => Some(Syntax::Text),
            "application/openmetrics-text" => match version {
                None | Some("1.0.0") => Some(Syntax::OpenMetrics),
                Some("2.0.0") if negotiation.openmetrics2 => Some(Syntax::OpenMetrics2),
                Some(_) => None,
            },
            "application/vnd.google.protobuf" => {
                let is_ours = self.get("proto") == Some("io.prometheus.client.MetricFamily")
                    && self.get("encoding") == Some("delimited");
                is_ours.then_some(Syntax::Protobuf)
            }
            _ => None,
        }
    }
}

/// The parts between separators that do not stand in quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut in_quotes, mut escaped) = (false, false);
    text.split(move |character| {
        let was_escaped = std::mem::take(&mut escaped);
        match character {
            '"' if !was_escaped => in_quotes = !in_quotes,
            '\\' if in_quotes => escaped = !was_escaped,
            character => return character == separator && !in_quotes,
        }
        false
    })
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut escaped = false;
    inner
        .chars()
        .filter(|character| {
            escaped = *character == '\\' && !escaped;
            !escaped
        })
        .collect()
}

/// All values of a header that may come in several lines; one that is not text is as good as none.
pub fn list_of(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let all = headers.get_all(name).iter();
    let values: Vec<&str> = all.filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    const T4: &str = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
    const OM: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores";
    const OM_UTF8: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8";
    const P: &str = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; \
                     escaping=underscores";
    const ASKS_P: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
         application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
         text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

    fn with_openmetrics2() -> Negotiation {
        Negotiation {
            openmetrics2: true,
            ..Negotiation::default()
        }
    }

    #[track_caller]
    fn gives(accept: &str, negotiation: &Negotiation, expected: &str) {
        assert_eq!(
            negotiate(Some(accept), negotiation).content_type(),
            expected,
            "{accept}"
        );
    }

    #[test]
    fn f_01_whatever_comes_there_is_text() {
        assert_eq!(negotiate(None, &Negotiation::default()).content_type(), T4);
        for accept in [
            "",
            "*/*",
            "text/*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "application/json",
            "text/plain;version=0.0.3",
            "*/*;q=0",
            ";;,,;q=,=",
            "text/plain;q=odd",
            "text/plain;version=\"0.0.4",
            "TEXT/PLAIN; Version=0.0.4",
        ] {
            gives(accept, &Negotiation::default(), T4);
        }
    }

    #[test]
    fn f_02_the_highest_weight_wins_then_the_first() {
        let with = Negotiation::default();
        gives(PROMETHEUS_3, &with, OM_UTF8);
        gives("text/plain;q=0.1, application/openmetrics-text;q=0.2", &with, OM);
        gives("application/openmetrics-text, text/plain", &with, OM);
        gives("text/plain, application/openmetrics-text", &with, T4);
        gives("application/openmetrics-text;q=0, text/plain;q=0.1", &with, T4);
        gives(
            "application/openmetrics-text;version=0.0.1;escaping=allow-utf-8, */*;q=0.1",
            &with,
            T4,
        );
        gives(
            "application/openmetrics-text;version=\"1.0.0\";q=0.5;x=\"a,b;q=1\", text/plain;q=0.4",
            &with,
            OM,
        );
        gives("*/*, application/openmetrics-text;q=0.9", &with, T4);
    }

    #[test]
    fn f_03_protobuf_in_the_one_form_that_there_is() {
        let with = Negotiation::default();
        gives(&format!("{ASKS_P};q=0.6,{PROMETHEUS_3}"), &with, P);
        for other in [
            "application/vnd.google.protobuf",
            "application/vnd.google.protobuf;proto=x.Y;encoding=delimited",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
        ] {
            gives(&format!("{other},application/openmetrics-text;q=0.1"), &with, OM);
        }
    }

    #[test]
    fn f_04_f_06_the_scheme_is_that_of_the_chosen_clause_whatever_the_format() {
        let with = Negotiation::default();
        gives(
            "text/plain;version=1.0.0;escaping=allow-utf-8",
            &with,
            "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        );
        gives(
            "text/plain;version=0.0.4;escaping=allow-utf-8",
            &with,
            "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8",
        );
        gives("text/plain;escaping=dots", &with, &T4.replace("underscores", "dots"));
        gives(
            "text/plain;escaping=VALUES",
            &with,
            &T4.replace("underscores", "values"),
        );
        gives("text/plain;escaping=odd", &with, T4);
        gives(
            &format!("{ASKS_P};escaping=allow-utf-8"),
            &with,
            &P.replace("underscores", "allow-utf-8"),
        );
        let utf8 = Negotiation {
            protobuf_escaping: Escaping::AllowUtf8,
            ..Negotiation::default()
        };
        gives(ASKS_P, &utf8, &P.replace("underscores", "allow-utf-8"));
        gives(&format!("{ASKS_P};escaping=underscores"), &utf8, P);
        gives("application/openmetrics-text", &utf8, OM);
    }

    #[test]
    fn v_02_text_comes_first_where_openmetrics_would_not_know_counters() {
        let with = Negotiation {
            prefer_text_without_suffixes: true,
            ..Negotiation::default()
        };
        gives(
            PROMETHEUS_3,
            &with,
            "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        );
        gives("application/openmetrics-text", &with, OM);
        gives("application/openmetrics-text, text/plain;version=7;q=0.5", &with, OM);
    }

    #[test]
    fn o_01_o_02_o_03_openmetrics_2_for_who_asks_for_exactly_that() {
        const OM2: &str = "application/openmetrics-text; version=2.0.0; charset=utf-8; escaping=";
        let asks = "application/openmetrics-text;version=2.0.0;escaping=allow-utf-8;q=0.7,\
                    application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5";
        gives(asks, &with_openmetrics2(), &format!("{OM2}allow-utf-8"));
        gives(asks, &Negotiation::default(), OM_UTF8);
        gives(
            "application/openmetrics-text;version=2.0.0",
            &with_openmetrics2(),
            &format!("{OM2}underscores"),
        );
        gives(&format!("{ASKS_P};q=0.8,{asks}"), &with_openmetrics2(), P);
        for (accept, expected) in [
            ("application/openmetrics-text", OM),
            ("application/openmetrics-text;version=2.0", T4),
            ("application/openmetrics-text;version=2.1.0", T4),
            ("application/openmetrics-text;version=2.0.0-rc", T4),
            ("application/openmetrics-text;version=2.0.0;q=0", T4),
            ("application/*", T4),
            ("*/*", T4),
        ] {
            gives(accept, &with_openmetrics2(), expected);
        }
    }
}
