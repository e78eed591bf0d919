"""What happens where two senders, or two attributes, want the same name; caps and expiry."""

import time
from collections.abc import Callable

import otlp
from bridge import Bridge, wait_until
from exposition import Exposition, block

Bridges = Callable[..., Bridge]


def own(bridge: Bridge, name: str, **labels: str) -> float:
    value = Exposition(bridge.scrape("/metrics/self")).value(name, **labels)
    assert value is not None, name
    return value


def points_refused(bridge: Bridge, reason: str) -> float:
    return own(bridge, "meterbridge_points_refused_total", reason=reason)


def test_the_first_type_of_a_name_stays_and_the_other_service_is_told(bridge: Bridge) -> None:
    first = otlp.request(otlp.counter("a_total", 1), service="one", scope="x")
    otlp.push_accepted(bridge.otlp_url, first)
    second = otlp.request(otlp.gauge("a_total", 2), otlp.gauge("fine", 3), service="two", scope="y")
    message = otlp.push_refused(bridge.otlp_url, second, "type_conflict")
    for word in ("a_total", "one", "two", "counter", "gauge", '"x"', '"y"'):
        assert word in message
    text = bridge.scrape()
    Exposition(text)
    assert block(text, "a_total") == (
        '# TYPE a_total counter\na_total{instance="i1",job="one",otel_scope_name="x"} 1\n'
    )
    assert 'fine{instance="i1",job="two",otel_scope_name="y"} 3\n' in text
    assert points_refused(bridge, "type_conflict") == 1
    # And no other than the one that was refused.
    assert own(bridge, "meterbridge_series") == 2


def test_the_other_type_may_take_over_once_the_first_has_expired(bridges: Bridges) -> None:
    bridge = bridges("--expiry", "1s")
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.counter("a_total", 1), service="one"))
    second = otlp.request(otlp.gauge("a_total", 2), service="two")
    otlp.push_refused(bridge.otlp_url, second, "type_conflict")
    wait_until(lambda: "a_total" not in bridge.scrape("/metrics/otlp"), what="a_total is gone")
    taken = lambda: not otlp.push(bridge.otlp_url, second).HasField("partial_success")  # noqa: E731
    wait_until(taken, seconds=2, what="the name is free")
    assert block(bridge.scrape(), "a_total") == '# TYPE a_total gauge\na_total{instance="i1",job="two"} 2\n'


def test_two_resources_that_collide_are_one_line_with_the_newest_value(bridge: Bridge) -> None:
    for host, value, t in (("a", 5, 10), ("b", 9, 20)):
        message = otlp.request(otlp.counter("c", value, t=t), instance="", resource={"host.name": host})
        otlp.push(bridge.otlp_url, message)
    assert bridge.scrape("/metrics/otlp") == (
        "# HELP target_info Target metadata\n"
        "# TYPE target_info gauge\n"
        'target_info{host_name="b",instance="",job="svc"} 1\n'
        "# TYPE c_total counter\n"
        'c_total{instance="",job="svc"} 9\n'
    )
    assert own(bridge, "meterbridge_collisions_total") == 1
    Exposition(bridge.scrape())


def test_two_resources_that_collide_in_one_request_are_one_line(bridge: Bridge) -> None:
    message = otlp.request(otlp.counter("c", 9, t=20), instance="", resource={"host.name": "b"})
    message.resource_metrics.append(
        otlp.resource_metrics([otlp.counter("c", 5, t=10)], instance="", resource={"host.name": "a"})
    )
    otlp.push(bridge.otlp_url, message)
    assert block(bridge.scrape(), "c_total") == '# TYPE c_total counter\nc_total{instance="",job="svc"} 9\n'
    assert own(bridge, "meterbridge_collisions_total") == 1


def test_attributes_that_collide_are_joined_and_the_sender_is_advised_once(bridge: Bridge) -> None:
    message = otlp.request(otlp.gauge("g", 1, {"a_b": "z", "a.b": "y", "a-b": "x"}))
    partial = otlp.push(bridge.otlp_url, message).partial_success
    assert partial.rejected_data_points == 0
    assert "a.b" in partial.error_message and "a_b" in partial.error_message
    assert block(bridge.scrape(), "g") == '# TYPE g gauge\ng{a_b="x;y;z",instance="i1",job="svc"} 1\n'
    counted = own(bridge, "meterbridge_advice_total", kind="joined_attributes")
    assert counted >= 1
    otlp.push_accepted(bridge.otlp_url, message)
    assert own(bridge, "meterbridge_advice_total", kind="joined_attributes") == 2 * counted


def test_attributes_with_the_names_of_identity_and_buckets_are_set_aside(bridge: Bridge) -> None:
    message = otlp.request(
        otlp.gauge("g", 1, {"job": "x", "__name__": "evil"}), otlp.histogram("h", [1], [1, 0], 1, {"le": "x"})
    )
    otlp.push(bridge.otlp_url, message)
    text = bridge.scrape()
    Exposition(text)
    assert block(text, "g") == '# TYPE g gauge\ng{exported_job="x",instance="i1",job="svc"} 1\n'
    assert block(text, "h") == (
        "# TYPE h histogram\n"
        'h_bucket{exported_le="x",instance="i1",job="svc",le="1"} 1\n'
        'h_bucket{exported_le="x",instance="i1",job="svc",le="+Inf"} 1\n'
        'h_sum{exported_le="x",instance="i1",job="svc"} 1\n'
        'h_count{exported_le="x",instance="i1",job="svc"} 1\n'
    )


def test_values_that_look_like_separators_do_not_merge_series(bridge: Bridge) -> None:
    otlp.push_accepted(
        bridge.otlp_url, otlp.request(otlp.gauge("g", 1, {"a": "1*b*2"}), otlp.gauge("g", 2, {"a": "1", "b": "2"}))
    )
    assert block(bridge.scrape(), "g") == (
        '# TYPE g gauge\ng{a="1*b*2",instance="i1",job="svc"} 1\ng{a="1",b="2",instance="i1",job="svc"} 2\n'
    )


def test_target_info_cannot_be_pushed(bridge: Bridge) -> None:
    message = otlp.request(otlp.gauge("target.info", 5), resource={"host.name": "h"})
    assert "target" in otlp.push_refused(bridge.otlp_url, message, "reserved_name")
    text = bridge.scrape("/metrics/otlp")
    assert "} 5\n" not in text
    assert points_refused(bridge, "reserved_name") == 1


def test_a_name_that_a_histogram_owns_is_refused(bridge: Bridge) -> None:
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.histogram("foo", [1], [1, 2], 3)))
    for name in ("foo_count", "foo_sum", "foo.bucket"):
        otlp.push_refused(bridge.otlp_url, otlp.request(otlp.gauge(name, 1)), "name_conflict")
    Exposition(bridge.scrape())
    assert points_refused(bridge, "name_conflict") == 3


def test_a_histogram_whose_names_are_taken_is_refused(bridge: Bridge) -> None:
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("foo_count", 1)))
    otlp.push_refused(bridge.otlp_url, otlp.request(otlp.histogram("foo", [1], [1, 2], 3)), "name_conflict")
    assert bridge.scrape("/metrics/otlp") == '# TYPE foo_count gauge\nfoo_count{instance="i1",job="svc"} 1\n'


def test_what_does_not_fit_beside_an_own_metric_is_left_out_of_the_whole_alone(bridge: Bridge) -> None:
    before = own(bridge, "meterbridge_collisions_total")
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.counter("meterbridge.series", 77)))
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("process_open_fds", 78)))
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.counter("process.open.fds", 79)))
    text = bridge.scrape()
    Exposition(text)
    # Another name, and the same name and type: both fit.
    assert 'meterbridge_series_total{instance="i1",job="svc"} 77\n' in text
    assert 'process_open_fds{instance="i1",job="svc"} 78\n' in text
    assert own(bridge, "meterbridge_collisions_total") == before
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.counter("process_open_fds_count", 80)))
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.counter("meterbridge_build_info", 81)))
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.histogram("meterbridge.sources", [1], [1, 1], 2)))
    text = bridge.scrape()
    Exposition(text)
    assert "\nmeterbridge_sources_bucket" not in text
    assert text.count("# TYPE meterbridge_sources ") == 1
    assert "# TYPE meterbridge_sources gauge\n" in text
    assert "\nmeterbridge_sources_bucket" in bridge.scrape("/metrics/otlp")
    assert own(bridge, "meterbridge_collisions_total") > before


def test_a_cap_refuses_newcomers_and_keeps_the_others(bridges: Bridges) -> None:
    bridge = bridges("--max-series", "1")
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("g", 1, {"a": 1})))
    message = otlp.push_refused(bridge.otlp_url, otlp.request(otlp.gauge("g", 2, {"a": 2})), "too_many_series")
    assert "--max-series" in message
    # The incumbent goes on, beside a newcomer in one request too.
    both = otlp.request(otlp.gauge("g", 2, {"a": 2}), otlp.gauge("g", 3, {"a": 1}, t=20))
    otlp.push_refused(bridge.otlp_url, both, "too_many_series")
    assert block(bridge.scrape(), "g") == '# TYPE g gauge\ng{a="1",instance="i1",job="svc"} 3\n'
    assert points_refused(bridge, "too_many_series") == 2
    assert own(bridge, "meterbridge_series") == own(bridge, "meterbridge_series_limit") == 1


def test_a_series_makes_room_when_it_expires(bridges: Bridges) -> None:
    bridge = bridges("--max-series", "1", "--expiry", "1s")
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("old", 1)))
    new = otlp.request(otlp.gauge("new", 2))
    otlp.push_refused(bridge.otlp_url, new, "too_many_series")
    wait_until(lambda: not otlp.push(bridge.otlp_url, new).HasField("partial_success"), what="there is room")
    assert bridge.scrape("/metrics/otlp") == '# TYPE new gauge\nnew{instance="i1",job="svc"} 2\n'


def test_series_expire_one_by_one_and_those_that_are_refreshed_stay(bridges: Bridges) -> None:
    bridge = bridges("--expiry", "1s")
    stays = otlp.request(otlp.gauge("g", 1, {"a": "stays"}))
    goes = otlp.request(otlp.gauge("g", 2, {"a": "goes"}), otlp.gauge("lonely", 3), resource={"host.name": "h"})
    otlp.push_accepted(bridge.otlp_url, stays)
    otlp.push_accepted(bridge.otlp_url, goes)
    text = bridge.scrape("/metrics/otlp")
    assert all(word in text for word in ('a="goes"', 'a="stays"', "lonely", "target_info"))

    def refreshed_is_alone() -> bool:
        # The same point again, with the same time: a refresh is what comes, not what is new.
        otlp.push_accepted(bridge.otlp_url, stays)
        text = bridge.scrape("/metrics/otlp")
        assert 'g{a="stays",instance="i1",job="svc"} 1\n' in text
        return 'a="goes"' not in text and "lonely" not in text

    wait_until(refreshed_is_alone, what="what is not refreshed expires")
    # Long after the first push of it.
    assert 'a="stays"' in bridge.scrape("/metrics/otlp")
    # A name goes with its last series, its head too.
    wait_until(lambda: bridge.scrape("/metrics/otlp") == "", what="everything expires")
    wait_until(lambda: own(bridge, "meterbridge_series") == 0, what="nothing is held")
    wait_until(lambda: own(bridge, "meterbridge_series_expired_total") == 3, what="three series expired")


def test_series_expire_without_scrapes(bridges: Bridges) -> None:
    bridge = bridges("--expiry", "500ms")
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("g", 1)))
    time.sleep(2)
    # Counted by then, which no scrape has had the chance to do.
    assert own(bridge, "meterbridge_series_expired_total") == 1


def test_target_info_goes_with_the_last_series_of_its_source(bridges: Bridges) -> None:
    bridge = bridges("--expiry", "1s")
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("g", 1), service="a", resource={"host.name": "h"}))
    assert 'target_info{host_name="h",instance="i1",job="a"} 1\n' in bridge.scrape()

    def only_b() -> bool:
        otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("g", 1), service="b", resource={"host.name": "h"}))
        text = bridge.scrape("/metrics/otlp")
        # Never the one without the other.
        assert text.count('job="a"') in (0, 2), text
        assert 'target_info{host_name="h",instance="i1",job="b"} 1\n' in text
        return 'job="a"' not in text

    wait_until(only_b, pause=0.1, what="service a expires")


def test_zero_means_never(bridges: Bridges) -> None:
    bridge = bridges("--expiry", "0")
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("g", 1)))
    time.sleep(2)
    assert "g{" in bridge.scrape("/metrics/otlp")


def test_an_older_point_is_ignored_and_a_point_of_the_same_time_is_not(bridge: Bridge) -> None:
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("g", 5, t=20), otlp.counter("c", 5, t=20)))
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("g", 4, t=10), otlp.counter("c", 4, t=10)))
    text = bridge.scrape("/metrics/otlp")
    assert 'g{instance="i1",job="svc"} 5\n' in text
    assert 'c_total{instance="i1",job="svc"} 5\n' in text
    assert own(bridge, "meterbridge_points_ignored_total") == 2
    otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.gauge("g", 6, t=20)))
    assert 'g{instance="i1",job="svc"} 6\n' in bridge.scrape("/metrics/otlp")


def test_two_scopes_are_two_series_of_one_family(bridge: Bridge) -> None:
    for scope, value in (("a", 1), ("b", 2)):
        otlp.push_accepted(bridge.otlp_url, otlp.request(otlp.counter("c", value), scope=scope))
    assert block(bridge.scrape(), "c_total") == (
        "# TYPE c_total counter\n"
        'c_total{instance="i1",job="svc",otel_scope_name="a"} 1\n'
        'c_total{instance="i1",job="svc",otel_scope_name="b"} 2\n'
    )
