//! A page that a person can start from.

use std::fmt::Write;
use std::time::Instant;

use super::Bridge;

/// How many sources the page lists.
const SHOWN: usize = 50;

/// The page as it is now.
pub(super) fn render(bridge: &Bridge) -> String {
    let addresses = bridge.addresses;
    let (http, grpc) = (addresses.otlp_http, addresses.otlp_grpc);
    let sources: Vec<_> = bridge
        .store
        .sources()
        .into_iter()
        .filter(|source| source.series() > 0)
        .collect();
    let now = Instant::now();
    let mut rows = String::new();
    for source in sources.iter().take(SHOWN) {
        let identity = source.identity();
        let origin = source.origin();
        let ago = bridge.store.age(source.last_seen(), now).as_secs();
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{} {}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{ago} s ago</td></tr>",
            escape(identity.job.as_deref().unwrap_or("")),
            escape(&identity.instance),
            escape(&origin.sdk_language),
            escape(&origin.sdk_version),
            source.series(),
            source.points(),
        );
    }
    if sources.is_empty() {
        rows.push_str(
            "<tr><td colspan=6>Nothing has arrived yet. Point an OpenTelemetry SDK here, or run \
             <code>meterbridge demo</code>.</td></tr>",
        );
    } else if sources.len() > SHOWN {
        let _ = write!(
            rows,
            "<tr><td colspan=6>and {} more: <a href=/api/v1/sources>/api/v1/sources</a></td></tr>",
            sources.len() - SHOWN
        );
    }
    let state = if bridge.is_ready() { "ready" } else { "not ready" };
    format!(
        r#"<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta http-equiv=refresh content=5>
<meta name=viewport content="width=device-width, initial-scale=1">
<title>Meterbridge</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #d8dee4; }}
.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
code {{ background: #f1f3f5; padding: .1rem .3rem; border-radius: .2rem; }}
</style>
<h1>Meterbridge</h1>
<p>Version {version}, {state}. Applications push OpenTelemetry metrics here, Prometheus scrapes them.</p>
<h2>Where it listens</h2>
<table>
<tr><td>OTLP over gRPC<td><code>http://{grpc}</code>
<tr><td>OTLP over HTTP<td><code>http://{http}/v1/metrics</code>
<tr><td>for Prometheus<td><a href=/metrics>/metrics</a>, or its halves <a href=/metrics/self>/metrics/self</a> and
<a href=/metrics/otlp>/metrics/otlp</a>
<tr><td>for people and programs<td><a href=/docs>/docs</a>, <a href=/openapi.json>/openapi.json</a>,
<a href=/api/v1/status>/api/v1/status</a>
</table>
<h2>What is arriving</h2>
<p>{series} series, {families}, {count}.</p>
<table>
<tr><th>job<th>instance<th>SDK<th class=n>series<th class=n>points<th class=n>last seen</tr>
{rows}
</table>
</html>
"#,
        version = env!("CARGO_PKG_VERSION"),
        series = bridge.store.series(),
        families = counted(bridge.store.families().len(), "family", "families"),
        count = counted(sources.len(), "source", "sources"),
    )
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What senders say, as text of the page and nothing else.
fn escape(text: &str) -> String {
    let shown: String = text.chars().take(200).collect();
    shown
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_senders_chose_are_text() {
        assert_eq!(escape("<script>&\"'"), "&lt;script&gt;&amp;&quot;'");
    }
}
