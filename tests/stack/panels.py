#!/usr/bin/env python3
"""Runs every query of every dashboard, its variables included, against a Prometheus that scrapes a bridge, and demands a number from each.

    python3 tests/stack/panels.py http://127.0.0.1:9090 [SECONDS] [--all]

With --all what may be empty in a healthy stack has to have data as well, but for alerts: live.py makes it. A query without data is asked again until SECONDS (default 60) are over: a rate needs two scrapes.
"""

import json
import math
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

BOARDS = Path(__file__).resolve().parents[2] / "grafana/dashboards"

# What Grafana would put in: 60 s is four scrape intervals, the least that it chooses.
VARIABLES = {
    "$__rate_interval": "60s",
    "$__range": "5m",
    "$__interval": "15s",
    "$job": ".+",
    "$route": ".*",
}

# What may be empty in a healthy stack, and why.
MAY_BE_EMPTY = {
    **{f"{board}: annotation Alerts": "no alert fires" for board in ("Endpoints", "Latency", "Ingest", "Prometheus")},
    **{f"{board}: annotation Deploys": "no version is new" for board in ("Endpoints", "Latency", "Ingest", "Prometheus")},
    "Endpoints: Request size p95 A": "the demo pushes over gRPC, and its services do not record the sizes of requests",
    "Ingest: Refused by reason A": "nothing is refused",
    "Ingest: Requests refused by reason A": "nothing is refused",
    "Ingest: Advice given A": "there is no reason for advice",
    "Latency: Native heatmap A": "the demo sends classic histograms of durations",
}


def queries():
    for file in sorted(BOARDS.glob("*.json")):
        board = json.loads(file.read_text())
        panels = [p for panel in board["panels"] for p in (panel, *panel.get("panels", []))]
        for panel in panels:
            for target in panel.get("targets", []):
                yield f"{board['title']}: {panel['title']} {target['refId']}", target["expr"]
        for annotation in board["annotations"]["list"]:
            yield f"{board['title']}: annotation {annotation['name']}", annotation["target"]["expr"]


def variables():
    """The queries of the boards' variables: which values a label has."""
    for file in sorted(BOARDS.glob("*.json")):
        board = json.loads(file.read_text())
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield f"{board['title']}: variable {variable['name']}", variable["query"]["query"]


def substitute(expr):
    for variable, value in VARIABLES.items():
        expr = expr.replace(variable, value)
    return expr


def ask_values(prometheus, query):
    """What is wrong with the answer to a variable's query, or nothing."""
    found = re.fullmatch(r"label_values\((.+), *(\w+)\)", substitute(query))
    if not found:
        return f"{query} is not of the form label_values(SELECTOR, LABEL)"
    match = urllib.parse.urlencode({"match[]": found[1]})
    try:
        with urllib.request.urlopen(f"{prometheus}/api/v1/label/{found[2]}/values?{match}", timeout=10) as answer:
            return None if json.load(answer)["data"] else "no values"
    except urllib.error.HTTPError as error:
        return json.load(error).get("error", str(error))
    except OSError as error:
        return str(error)


def ask(prometheus, expr):
    """What is wrong with the answer to a query, or nothing."""
    expr = substitute(expr)
    if left := re.search(r"\$\w+", expr):
        return f"the variable {left[0]} is unknown to this script"
    body = urllib.parse.urlencode({"query": expr}).encode()
    try:
        with urllib.request.urlopen(f"{prometheus}/api/v1/query", body, timeout=10) as answer:
            answer = json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error).get("error", str(error))
    except OSError as error:
        return str(error)
    # They tell of a rate of what is no counter, and of histograms that do not fit together.
    if notes := answer.get("warnings", []) + answer.get("infos", []):
        return "; ".join(notes)
    result = answer["data"]["result"]
    if not result:
        return "no data"
    if not any("histogram" in series or math.isfinite(float(series["value"][1])) for series in result):
        return "no number"
    return None


def main():
    prometheus = sys.argv[1].rstrip("/")
    until = time.monotonic() + float(sys.argv[2] if len(sys.argv) > 2 else 60)
    asked = dict(queries())
    choices = dict(variables())
    may_be_empty = {name for name in MAY_BE_EMPTY if "--all" not in sys.argv or name.endswith("annotation Alerts")}
    wrong = dict.fromkeys([*asked, *choices], "not asked")
    while True:
        answers = {
            name: ask_values(prometheus, choices[name]) if name in choices else ask(prometheus, asked[name])
            for name in wrong
        }
        wrong = {name: why for name, why in answers.items() if why}
        pending = {name: why for name, why in wrong.items() if name not in may_be_empty or why != "no data"}
        if not pending or time.monotonic() > until:
            break
        time.sleep(2)
    for name, why in pending.items():
        print(f"panels.py: {name}: {why}", file=sys.stderr)
    if pending:
        sys.exit(f"panels.py: {len(pending)} of {len(asked) + len(choices)} queries give nothing to show")
    print(f"ok: {len(asked) + len(choices) - len(wrong)} of {len(asked) + len(choices)} queries of the dashboards have data")
    for name in wrong:
        print(f"    not {name}: {MAY_BE_EMPTY[name]}")


if __name__ == "__main__":
    main()
