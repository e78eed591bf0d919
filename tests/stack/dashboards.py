#!/usr/bin/env python3
"""Checks what Grafana is provisioned with, without Grafana: each dashboard against Grafana's own types and against the
rules for our boards, every query with promtool, the data source and the provider value by value, and the links of the
alert rules. Then it makes mistakes on purpose and demands that each is found.

    pip install -r tests/stack/requirements.txt
    python3 tests/stack/dashboards.py [DASHBOARD.json ...]

Grafana's types are fetched by schema.sh, which needs npm.
"""

import copy
import functools
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import yaml
from jsonschema import Draft7Validator

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "grafana"
DATASOURCE = {"type": "prometheus", "uid": "$datasource"}

# DESIGN.md, *Stack*: these values were asked for.
DATA_SOURCE_AS_ASKED = {
    "name": "prometheus",
    "uid": "prometheus",
    "type": "prometheus",
    "access": "proxy",
    "isDefault": True,
    "editable": True,
    "orgId": 1,
    "version": 1,
    "url": "http://prometheus:9090",
}
DATA_SOURCE_OPTIONS = {
    "timeInterval": "15s",
    "httpMethod": "POST",
    "prometheusType": "Prometheus",
    "prometheusVersion": "3.0.1",
    "manageAlerts": True,
    # `$$` is Grafana's own `$` in provisioning files, where `$NAME` is the environment's.
    "exemplarTraceIdDestinations": [
        {"name": "trace_id", "url": "$TRACES_URL/trace/$${__value.raw}", "urlDisplayLabel": "Open in Jaeger"}
    ],
}
PROVIDER = {
    "name": "meterbridge",
    "orgId": 1,
    "type": "file",
    "folder": "Meterbridge",
    "folderUid": "meterbridge",
    "disableDeletion": True,
    "allowUiUpdates": False,
    "updateIntervalSeconds": 10,
    "options": {"path": "/etc/grafana/dashboards"},
}

BOARD = {
    "schemaVersion": 42,
    "editable": False,
    "graphTooltip": 1,
    "refresh": "10s",
    "time": {"from": "now-30m", "to": "now"},
    "timezone": "browser",
}
PROVISIONING_MISTAKES = {
    "    uid: prometheus": "    uid: Prometheus",
    "http://prometheus:9090": "http://localhost:9090",
    "isDefault: true": "isDefault: 1",
    "orgId: 1": 'orgId: "1"',
    "access: proxy": "access: direct",
    "timeInterval: 15s": "timeInterval: 30s",
    "    folderUid: meterbridge": "    folderUID: meterbridge",
    "/etc/grafana/dashboards": "/var/lib/grafana/dashboards",
}
STATUS_COLOURS = {"2xx": "green", "3xx": "blue", "4xx": "orange", "5xx": "red"}

# What Prometheus itself says of its targets and rules has no job or route to be chosen by.
ABOUT_TARGETS = re.compile(r"up|scrape_\w+|ALERTS\w*")
# In flight is counted before a request is routed; the start of a process has no route either, nor has what is recorded by job.
WITHOUT_ROUTE = {"http_server_active_requests", "process_start_time_seconds", "target_info"}
COUNTER = re.compile(r"\w+_(total|count|sum|bucket)")
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
WORDS = set("and or unless by without on ignoring group_left group_right bool offset inf nan".split())


def differences(wanted, got, path=""):
    """What is not as wanted, as lines; True is not 1 and "1" is not 1."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in wanted.keys() | got.keys():
            yield from differences(wanted.get(key), got.get(key), f"{path}.{key}" if path else key)
    elif type(wanted) is not type(got) or wanted != got:
        yield f"{path} is {got!r}, not {wanted!r}"


class Schema:
    """The types of Grafana, one validator for the board and one for each kind of panel."""

    def __init__(self):
        made = subprocess.run([ROOT / "tests/stack/schema.sh"], check=True, text=True, stdout=subprocess.PIPE)
        types = json.loads(Path(made.stdout.strip()).read_text())
        checked = types["definitions"]["Checked"]["properties"]
        self.kinds = checked["panels"]["properties"]
        self.definitions = types["definitions"]
        self.board = self.validator(checked["dashboard"])
        self.panels = {kind: self.validator(schema) for kind, schema in self.kinds.items()}

    def validator(self, schema):
        return Draft7Validator({**schema, "definitions": self.definitions})

    @staticmethod
    def errors(validator, value):
        for error in validator.iter_errors(value):
            while error.context:  # of a union, the branch that came furthest
                error = max(error.context, key=lambda e: len(e.absolute_path))
            where = "/".join(map(str, error.absolute_path))
            yield f"{where}: {error.message[:160]}" if where else error.message[:160]

    def check_board(self, board):
        yield from self.errors(self.board, board)

    def check_panel(self, panel):
        kind = panel.get("type")
        if kind not in self.panels:
            yield f"no panel of type {kind!r} is known: add it to dashboard.ts"
            return
        yield from self.errors(self.panels[kind], panel)
        if kind in ("row", "text"):
            return
        # An override's value has no type of its own in Grafana's; it is that of the field setting it overrides.
        defaults = self.kinds[kind]["properties"]["fieldConfig"]["properties"]["defaults"]["properties"]
        custom = defaults["custom"].get("properties", {})
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            for setting in override.get("properties", []):
                name = setting["id"]
                known = custom.get(name[7:]) if name.startswith("custom.") else defaults.get(name)
                if known is None or name == "custom":
                    yield f"an override of {name}, which a {kind} does not have"
                else:
                    for error in self.errors(self.validator(known), setting.get("value")):
                        yield f"the override of {name}: {error}"


def selectors(expr):
    """Each metric in a query with its matchers and the text before it."""
    # Strings may hold anything; blank them, in place, to find names and braces.
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', lambda m: '"' + " " * (len(m[0]) - 2) + '"', expr)
    bare = re.sub(r"\[[^\]]*\]", lambda m: " " * len(m[0]), bare)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", lambda m: " " * len(m[0]), bare)
    at = 0
    while found := NAME.search(bare, at):
        at = found.end()
        rest = bare[at:].lstrip()
        if found[0].lower() in WORDS or rest.startswith("(") or re.fullmatch(r"e\d*", found[0]):
            continue
        if bare[: found.start()].endswith("$"):  # a variable of Grafana's
            continue
        matchers = ""
        if rest.startswith("{"):
            start = bare.index("{", at)
            end = bare.index("}", start)
            matchers, at = expr[start : end + 1], end
        yield found[0], matchers, bare[: found.start()]


def panels_of(board):
    for panel in board.get("panels", []):
        yield panel
        yield from panel.get("panels", [])


def check_query(target, kind, variables):
    expr = target.get("expr", "")
    if window := re.search(r"\[\s*\d[^\]]*\]", expr):
        yield f"the window {window[0]} is fixed: [$__rate_interval], or [$__range] in an instant query"
    if "$__range" in expr and not target.get("instant"):
        yield "[$__range] belongs in instant queries"
    if kind in ("timeseries", "heatmap", "state-timeline") and not target.get("range"):
        yield f"a {kind} needs a range query"
    if "histogram_quantile" in expr and "_bucket" in expr and not re.search(r"by \(\s*le\b", expr):
        yield "a quantile of buckets that are not summed by le"
    for metric, matchers, before in selectors(expr):
        if COUNTER.fullmatch(metric) and not re.search(r"\b(rate|irate|increase|resets)\(\s*$", before):
            yield f"{metric} is a counter, and not inside rate or increase"
        if metric.endswith("_bucket") and not re.search(r"by \([^)]*\ble\b", expr) and 'le="' not in matchers:
            yield f"{metric} counts a request once for each of its buckets, unless summed by le"
        if ABOUT_TARGETS.fullmatch(metric):
            continue
        for variable, matcher in variables.items():
            if variable == "route" and (metric in WITHOUT_ROUTE or metric.startswith("job:")):
                continue
            if matcher not in matchers:
                yield f"{metric} is not filtered by {matcher}"


def check_panel(panel, variables):
    kind = panel.get("type")
    if not panel.get("title"):
        yield "no title"
    if kind == "row":
        return
    if len(panel.get("description", "")) < 40:
        yield "no description that says what it shows, what is good or bad, and what to do"
    if kind == "text":
        return
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    overrides = panel.get("fieldConfig", {}).get("overrides", [])
    options = panel.get("options", {})
    if kind == "heatmap":
        if not options.get("yAxis", {}).get("unit") or not options.get("cellValues", {}).get("unit"):
            yield "no unit for the axis or the cells"
    elif kind == "table":
        for override in overrides:
            column = override["matcher"].get("options")
            ids = {setting["id"] for setting in override["properties"]}
            if str(column).startswith(("Value", "Trend")) and "unit" not in ids:
                yield f"no unit for the column {column}"
    elif not defaults.get("unit"):
        yield "no unit"
    if not defaults.get("noValue"):
        yield "noValue does not say why it may be empty"
    legends = [set(re.findall(r"{{(\w+)}}", target.get("legendFormat", ""))) for target in panel.get("targets", [])]
    endpoints = any({"job", "http_route"} <= labels for labels in legends)
    if endpoints and kind in ("timeseries", "bargauge") and not defaults.get("links"):
        yield "a series is an endpoint, and leads to no other board"
    if kind == "timeseries":
        legend, tooltip, custom = options.get("legend", {}), options.get("tooltip", {}), defaults.get("custom", {})
        if legend.get("displayMode") != "table" or not {"lastNotNull", "max"} <= set(legend.get("calcs", [])):
            yield "the legend is not a table with last and max"
        if (tooltip.get("mode"), tooltip.get("sort")) != ("multi", "desc"):
            yield "the tooltip does not show all series, largest first"
        if custom.get("spanNulls") is not False:
            yield "spanNulls hides gaps"
        by_class = any("(class)" in target.get("expr", "") for target in panel.get("targets", []))
        if custom.get("stacking", {}).get("mode", "none") != "none" and not by_class:
            yield "only status classes are stacked"
        if by_class:
            colours = {}
            for override in overrides:
                for setting in override["properties"]:
                    if setting["id"] == "color":
                        colours[override["matcher"]["options"]] = setting["value"].get("fixedColor")
            for status, colour in STATUS_COLOURS.items():
                if colours.get(f"/^{status}/") != colour:
                    yield f"{status} is not {colour}"
        elif defaults.get("color", {}).get("mode") != "palette-classic-by-name":
            yield "series do not keep their colours from panel to panel (palette-classic-by-name)"
    targets = panel.get("targets", [])
    if not targets:
        yield "no query"
    refs = [target.get("refId") for target in targets]
    if len(set(refs)) != len(refs):
        yield f"the queries' refIds are not unique: {refs}"
    for target in targets:
        for finding in check_query(target, kind, variables):
            yield f"query {target.get('refId')}: {finding}"


def check_variables(board):
    found = board.get("templating", {}).get("list", [])
    first = found[0] if found else {}
    if (first.get("name"), first.get("type"), first.get("query")) != ("datasource", "datasource", "prometheus"):
        yield "the first variable is not `datasource`, of Prometheus"
    for variable in found[1:]:
        name = variable.get("name")
        wanted = {"type": "query", "multi": True, "includeAll": True, "refresh": 2, "sort": 1}
        for line in differences(wanted, {key: variable.get(key) for key in wanted}):
            yield f"variable {name}: {line}"
        # A request without a route has no such label, and must still be counted under All.
        every = ".*" if name == "route" else ".+"
        if variable.get("allValue") != every:
            yield f"variable {name}: allValue is not {every}"


def check_grid(board):
    taken = {}
    for panel in board.get("panels", []):
        place = panel.get("gridPos")
        if not place:
            yield f"«{panel.get('title')}» has no place"
            continue
        if place["x"] + place["w"] > 24:
            yield f"«{panel.get('title')}» is wider than the board"
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if other := taken.setdefault((x, y), panel.get("title")):
                    if other != panel.get("title"):
                        yield f"«{panel.get('title')}» lies over «{other}»"
                        return
    if sum(panel.get("type") != "row" for panel in board.get("panels", [])) > 24:
        yield "more than 24 panels are open"


def check_board(board, schema):
    yield from schema.check_board(board)
    yield from differences(BOARD, {key: board.get(key) for key in BOARD})
    if board.get("id") is not None:
        yield "an id is this Grafana's, not the file's"
    if not str(board.get("uid")).startswith("meterbridge-"):
        yield "the uid does not start with meterbridge-"
    if "meterbridge" not in board.get("tags", []):
        yield "no tag meterbridge"
    if not any(
        link.get("type") == "dashboards"
        and link.get("tags") == ["meterbridge"]
        and link.get("asDropdown")
        and link.get("includeVars")
        and link.get("keepTime")
        for link in board.get("links", [])
    ):
        yield "no drop-down of the other boards that keeps time and variables"
    yield from check_variables(board)
    yield from check_grid(board)

    panels = list(panels_of(board))
    for key in ("id", "title"):
        seen = [panel.get(key) for panel in panels]
        for twice in {value for value in seen if seen.count(value) > 1}:
            yield f"two panels have the {key} {twice!r}"

    variables = {
        variable["name"]: f'{"http_route" if variable["name"] == "route" else variable["name"]}=~"${variable["name"]}"'
        for variable in board.get("templating", {}).get("list", [])
        if variable.get("type") == "query"
    }
    for panel in panels:
        for finding in [*schema.check_panel(panel), *check_panel(panel, variables)]:
            yield f"«{panel.get('title')}»: {finding}"
        places = [("", panel)] if panel.get("type") not in ("row", "text") else []
        places += [(f" query {target.get('refId')}", target) for target in panel.get("targets", [])]
        for what, place in places:
            if place.get("datasource") != DATASOURCE:
                yield f"«{panel.get('title')}»{what}: the data source is {place.get('datasource')}, not {DATASOURCE}"
    asking = [("variable", v) for v in board.get("templating", {}).get("list", []) if v.get("type") == "query"]
    asking += [("annotation", a) for a in board.get("annotations", {}).get("list", [])]
    for what, place in asking:
        if place.get("datasource") != DATASOURCE:
            yield f"{what} {place.get('name')}: the data source is {place.get('datasource')}, not {DATASOURCE}"


def queries(board):
    for panel in panels_of(board):
        for target in panel.get("targets", []):
            yield f"{panel.get('title')} {target.get('refId')}", target.get("expr", "")
    for annotation in board.get("annotations", {}).get("list", []):
        yield f"annotation {annotation.get('name')}", annotation.get("target", {}).get("expr", "")


@functools.cache
def promtool():
    fetch = [ROOT / "tests/tools/prometheus.sh", ROOT / ".cache/prometheus"]
    return str(Path(subprocess.run(fetch, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()) / "promtool")


def check_parses(boards):
    """Every query as a recording rule, so that one run of promtool judges them all."""
    names, rules = [], []
    for board in boards:
        for name, expr in queries(board):
            for variable in ("$__rate_interval", "$__range", "$__interval"):
                expr = expr.replace(variable, "5m")
            names.append(f"{board['title']}: {name}")
            rules.append({"record": f"query:{len(rules) + 1}", "expr": re.sub(r"\$\{?\w+\}?", "x", expr)})
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"groups": [{"name": "queries", "rules": rules}]}, file)
        file.flush()
        run = subprocess.run([promtool(), "check", "rules", file.name], text=True, capture_output=True)
    if run.returncode:
        for line in (run.stdout + run.stderr).splitlines():
            if "query:" in line or "rule " in line:
                yield re.sub(r"query:(\d+)", lambda m: names[int(m[1]) - 1], line.strip())
        yield "promtool refuses a query"


def provisioning():
    for file in ("datasources/prometheus.yaml", "dashboards/meterbridge.yaml"):
        yield (GRAFANA / "provisioning" / file).read_text()


def check_provisioning(data_source, provider):
    """Both files, as text."""
    config = yaml.safe_load(data_source)
    wanted = {
        "apiVersion": 1,
        "prune": True,
        "datasources": [{**DATA_SOURCE_AS_ASKED, "jsonData": DATA_SOURCE_OPTIONS}],
    }
    yield from check_list("data source", wanted, config, "datasources")
    config = yaml.safe_load(provider)
    yield from check_list("provider", {"apiVersion": 1, "providers": [PROVIDER]}, config, "providers")

    interval = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())["global"]["scrape_interval"]
    if interval != DATA_SOURCE_OPTIONS["timeInterval"]:
        yield f"Prometheus scrapes every {interval}, the data source says {DATA_SOURCE_OPTIONS['timeInterval']}"
    home = re.search(r"HOME_DASHBOARD_PATH=/etc/grafana/(\S+)", (GRAFANA / "Dockerfile").read_text())
    if not home or not (GRAFANA / home[1]).exists():
        yield "the home dashboard is none of ours"


def check_list(what, wanted, got, key):
    """Compares two files that hold a list of one thing."""
    if len(got.get(key) or []) != 1:
        yield f"there is not one {what}"
        return
    flat = ({**config, key: config[key][0]} for config in (wanted, got))
    for line in differences(*flat):
        yield f"{what}: {line}"


def check_alert_links(boards):
    known = {board["uid"]: {v["name"] for v in board["templating"]["list"]} for board in boards}
    for file in sorted((ROOT / "prometheus/rules").glob("*.rules.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                if "alert" not in rule:
                    continue
                notes = rule.get("annotations", {})
                for missing in {"summary", "description", "dashboard"} - notes.keys():
                    yield f"alert {rule['alert']} has no {missing}"
                link = urlsplit(re.sub(r"\{\{.*?\}\}", "x", notes.get("dashboard", "")))
                uid = link.path.removeprefix("/d/")
                if uid not in known:
                    yield f"alert {rule['alert']} points to a board that is not there: {uid}"
                for name, _ in parse_qsl(link.query):
                    if name.removeprefix("var-") not in known.get(uid, ()):
                        yield f"alert {rule['alert']} sets {name}, which the board has not"


def documented():
    """The names of docs/metrics.md, and those of the samples that they become."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    return {
        sample: name
        for name, kind in rows
        for sample in [name, *(name + suffix for suffix in ("_bucket", "_sum", "_count") if kind == "histogram")]
    }


def check_names(boards):
    """Boards and rules ask for nothing that the bridge does not have; prints what nobody asks for."""
    samples = documented()
    asked = {expr: f"{board['title']}: {what}" for board in boards for what, expr in queries(board)}
    for file in sorted((ROOT / "prometheus/rules").glob("*.rules.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            asked |= {rule["expr"]: f"{file.name}: {rule.get('alert', rule.get('record'))}" for rule in group["rules"]}
    used = set()
    for expr, where in asked.items():
        for metric, _, _ in selectors(expr):
            used.add(samples.get(metric))
            if re.match("meterbridge_|http_server_|process_", metric) and metric not in samples:
                yield f"{where} asks for {metric}, which docs/metrics.md does not have"
    unused = sorted({*samples.values()} - used)
    print(f"no board or rule asks for: {', '.join(unused) or 'nothing'}")


def mistakes(board):
    """Boards with one mistake each, and what has to be said of it."""

    def panel(changed, kind):
        return next(p for p in changed["panels"] if p["type"] == kind)

    def rename(place, old, new):
        place[new] = place.pop(old)

    def expr(kind, old, new):
        def change(changed):
            for target in panel(changed, kind)["targets"]:
                assert old in target["expr"], f"{old} is not in {target['expr']}"
                target["expr"] = target["expr"].replace(old, new)

        return change

    made = {
        "a misspelled option": (
            lambda b: rename(panel(b, "timeseries")["options"]["legend"], "displayMode", "displayModus"),
            "'displayModus' was unexpected",
        ),
        "a misspelled field setting": (
            lambda b: rename(panel(b, "timeseries")["fieldConfig"]["defaults"]["custom"], "lineWidth", "linewidth"),
            "'linewidth' was unexpected",
        ),
        "a number as a string": (
            lambda b: panel(b, "timeseries")["fieldConfig"]["defaults"].update(min="0"),
            "'0' is not of type 'number'",
        ),
        "a value that is none of the enumeration": (
            lambda b: panel(b, "stat")["options"].update(graphMode="areas"),
            "'areas' is not one of",
        ),
        "a misspelled override": (
            lambda b: panel(b, "table")["fieldConfig"]["overrides"][0]["properties"][1].update(id="custom.widht"),
            "an override of custom.widht, which a table does not have",
        ),
        "an override with a wrong value": (
            lambda b: panel(b, "table")["fieldConfig"]["overrides"][0]["properties"][1].update(value="wide"),
            "the override of custom.width: 'wide' is not of type 'number'",
        ),
        "a missing description": (lambda b: panel(b, "stat").pop("description"), "no description"),
        "an endpoint that leads nowhere": (
            lambda b: panel(b, "timeseries")["fieldConfig"]["defaults"].pop("links"),
            "leads to no other board",
        ),
        "a missing unit": (lambda b: panel(b, "stat")["fieldConfig"]["defaults"].pop("unit"), "no unit"),
        "a wrong uid in a panel": (
            lambda b: panel(b, "heatmap").update(datasource={"type": "prometheus", "uid": "prometheus"}),
            "the data source is",
        ),
        "a wrong uid in a query": (
            lambda b: panel(b, "stat")["targets"][0]["datasource"].update(uid="$ds"),
            "query A: the data source is",
        ),
        "a wrong uid in a variable": (
            lambda b: b["templating"]["list"][1]["datasource"].update(uid="x"),
            "variable job: the data source is",
        ),
        "a wrong uid of the board": (lambda b: b.update(uid="endpoints"), "does not start with meterbridge-"),
        "a fixed window": (expr("timeseries", "[$__rate_interval]", "[5m]"), "the window [5m] is fixed"),
        "a bare counter": (expr("heatmap", "rate(", "abs("), "is a counter, and not inside rate"),
        "buckets without le": (expr("heatmap", "by (le) ", ""), "once for each of its buckets"),
        "a query that ignores a variable": (
            expr("timeseries", 'job=~"$job",', ""),
            'is not filtered by job=~"$job"',
        ),
        "a query that does not parse": (expr("stat", "sum(", "sum(("), "promtool refuses"),
        "two panels in one place": (lambda b: panel(b, "heatmap")["gridPos"].update(y=0), "lies over"),
        "the layout of version 2": (lambda b: b.update(elements={}), "'elements' was unexpected"),
    }
    for name, (change, said) in made.items():
        changed = copy.deepcopy(board)
        change(changed)
        yield name, changed, said


def main():
    schema = Schema()
    files = [Path(name) for name in sys.argv[1:]] or sorted((GRAFANA / "dashboards").glob("*.json"))
    boards = [json.loads(file.read_text()) for file in files]
    findings = []
    for file, board in zip(files, boards):
        findings += [f"{file.name}: {finding}" for finding in check_board(board, schema)]
    uids = [board["uid"] for board in boards]
    findings += [f"two boards have the uid {uid}" for uid in {u for u in uids if uids.count(u) > 1}]
    findings += check_parses(boards)
    if not sys.argv[1:]:
        findings += check_provisioning(*provisioning())
        findings += check_alert_links(boards)
        findings += check_names(boards)
    for finding in findings:
        print(f"dashboards.py: {finding}", file=sys.stderr)
    if findings:
        sys.exit(f"dashboards.py: {len(findings)} findings")
    print(
        f"ok: {len(boards)} dashboard(s) with {sum(1 for b in boards for _ in queries(b))} queries, provisioning, links"
    )

    if not sys.argv[1:]:
        check_the_check(next(b for b in boards if b["uid"] == "meterbridge-endpoints"), schema)


def check_the_check(board, schema):
    missed, tried = [], 0
    for name, changed, said in mistakes(board):
        tried += 1
        if not any(said in finding for finding in [*check_board(changed, schema), *check_parses([changed])]):
            missed.append(name)
    files = list(provisioning())
    for old, new in PROVISIONING_MISTAKES.items():
        tried += 1
        assert any(old in text for text in files), f"{old} is in neither file"
        if not list(check_provisioning(*(text.replace(old, new) for text in files))):
            missed.append(f"{new} in place of {old}")
    for name in missed:
        print(f"dashboards.py: not found: {name}", file=sys.stderr)
    if missed:
        sys.exit(f"dashboards.py: {len(missed)} of {tried} mistakes made on purpose are not found")
    print(f"ok: {tried} mistakes made on purpose are all found")


if __name__ == "__main__":
    main()
