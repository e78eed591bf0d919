//! X: what a point with exemplars does to the rest. Which ones are kept stands beside the code that reads them.

use crate::harness::*;

const C: &str = "# TYPE c_total counter\nc_total{instance=\"i1\",job=\"svc\"} 3";

#[test]
fn x_05_text_shows_none() {
    row(
        counter("c").is(3).exemplar(|e| {
            e.is(1)
                .t(1.5)
                .trace("5B8EFFF798038103D269B633813FC60C")
                .span("EEE19B7EC3C1B174")
                .attr("user.id", "u")
        }),
        C,
    );
    row(
        gauge("g").is(3).exemplar(|e| e.is(1.0)),
        "# TYPE g gauge\ng{instance=\"i1\",job=\"svc\"} 3",
    );
}

#[test]
fn x_06_an_exemplar_that_is_nothing_costs_itself_alone() {
    for says in [
        (|e| e.is(Value::Unset)) as fn(ExemplarOf) -> ExemplarOf,
        |e| e.is(1).trace("00"),
        |e| e.is(1).trace("").span(""),
        |e| e.is(1).attr("", "v").attr("__name__", "v").attr("é", 1),
        |e| e.is(1).attr("k.k", "1").attr("k_k", "2"),
        |e| e.is(f64::NAN).t(1e9),
    ] {
        row(counter("c").is(3).exemplar(says), C);
    }
    let long = "x".repeat(1 << 20);
    row(counter("c").is(3).exemplar(|e| e.is(1).attr(&long, long.clone())), C);
    let many = (0..5000).fold(counter("c").is(3), |metric, at| {
        metric.exemplar(|e| e.is(at).t(at as f64).attr("k", 1))
    });
    row(many, C);
    let attributes = |e: ExemplarOf| (0..5000).fold(e.is(1), |e, at| e.attr(&format!("k{at}"), "v"));
    row(counter("c").is(3).exemplar(attributes), C);
}
