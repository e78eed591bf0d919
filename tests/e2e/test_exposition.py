"""The checks of every scrape themselves: each finds what it is there for."""

import pytest

from exposition import Exposition

HISTOGRAM = """\
# TYPE h histogram
h_bucket{le="1"} 2
h_bucket{le="+Inf"} 3
h_sum 4
h_count 3
"""

BROKEN = {
    "a bucket that falls": (HISTOGRAM.replace('"1"} 2', '"1"} 4'), "not cumulative"),
    "a count beside the last bucket": (HISTOGRAM.replace("h_count 3", "h_count 4"), "is not the count"),
    "no last bucket": (HISTOGRAM.replace('h_bucket{le="+Inf"} 3\n', ""), "is not the count"),
    "no count": (HISTOGRAM.replace("h_count 3\n", ""), "not of the same series"),
    "a line twice": ('# TYPE g gauge\ng{a="1",b="2"} 1\ng{b="2",a="1"} 2\n', "there twice"),
    "a split family": (
        '# TYPE a gauge\na{x="1"} 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\na{x="2"} 1\n',
        "more than one block",
    ),
    "a line below another head": ("# TYPE a gauge\na 1\nb 1\n", "below the head of a"),
    "no end": ("# TYPE a gauge\na 1", "has no end"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_exposition_is_found(what: str) -> None:
    text, complaint = BROKEN[what]
    with pytest.raises(AssertionError, match=complaint):
        Exposition(text)


def test_a_good_exposition_passes() -> None:
    assert Exposition(HISTOGRAM).value("h_bucket", le="1") == 2
    assert Exposition("").samples == {}
