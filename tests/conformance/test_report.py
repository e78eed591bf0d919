#!/usr/bin/env python3
"""Rows for report.py. Needs nothing but Python: `python3 tests/conformance/test_report.py`."""

import unittest

import report

ITEMS = (
    "id\tlevel\trule\tnote\nN-06\tSHOULD\tUnit first.\t\nN-07\tMUST\tOnce | only.\tOpen: all.\nO-01\tMUST\tAsked.\t\n"
)

CARGO = """\
     Running tests/conformance/main.rs (target/debug/deps/conformance-1)
test names::n_06_n_07_total_comes_last_and_once ... ok
test names::tests::o_01_asked - should panic ... ok
test names::what_is_no_item ... FAILED
test src/lib.rs - docs (line 3) ... ok
"""
PYTEST = """\
PASSED test_a.py::test_o_01_asked[text-a b::c]
FAILED test_a.py::TestThis::test_n_06_first - AssertionError: no
SKIPPED [1] test_a.py:3: prometheus is missing
"""
JUNIT = """<?xml version="1.0"?><testsuites><testsuite>
<testcase classname="tests.test_a" name="test_o_01_asked[x]"/>
<testcase classname="tests.test_a" name="test_o_01_asked[y]"><skipped message="no"/></testcase>
<testcase classname="tests.test_a" name="test_n_06_first"><failure message="no">x</failure></testcase>
<testcase classname="tests.test_a" name="test_n_07_once"><error message="no">x</error></testcase>
</testsuite></testsuites>"""


def judged(*outputs: str) -> tuple[dict[str, report.Item], list[str]]:
    items = report.read_items(ITEMS)
    results = [result for output in outputs for result in report.read_results(output)]
    return items, report.assign(items, results, {})


class Report(unittest.TestCase):
    def test_cargo(self) -> None:
        self.assertEqual(
            list(report.read_results(CARGO)),
            [
                ("names", "n_06_n_07_total_comes_last_and_once", "ok"),
                ("names::tests", "o_01_asked", "ok"),
                ("names", "what_is_no_item", "failed"),
            ],
        )

    def test_pytest(self) -> None:
        self.assertEqual(
            list(report.read_results(PYTEST)),
            [("test_a.py", "test_o_01_asked", "ok"), ("test_a.py", "test_n_06_first", "failed")],
        )

    def test_junit_and_the_worst_of_several(self) -> None:
        items, problems = judged(JUNIT)
        self.assertEqual(
            problems,
            ["N-06 has failed: tests.test_a: test_n_06_first"]
            + ["N-07 has failed: tests.test_a: test_n_07_once"]
            + ["O-01 has only tests that were skipped"],
        )
        self.assertEqual(items["O-01"].tests, {("tests.test_a", "test_o_01_asked"): "skipped"})

    def test_all_is_well(self) -> None:
        items, problems = judged(CARGO)
        self.assertEqual(problems, [])
        self.assertEqual([item.outcome() for item in items.values()], ["ok"] * 3)
        made = report.page(items)
        self.assertIn(
            "| N-06 | SHOULD | Unit first. | | [names](../names): `n_06_n_07_total_comes_last_and_once` | ok |\n", made
        )
        self.assertIn("| N-07 | MUST | Once \\| only. | Open: all. |", made)
        self.assertIn("| ok, part open |\n", made)
        self.assertIn("## OpenMetrics 2.0\n", made)
        self.assertNotIn("## Limits", made)

    def test_a_skipped_test_beside_one_that_ran_is_no_problem(self) -> None:
        _, problems = judged(CARGO, JUNIT.replace("failure", "skipped").replace("error", "skipped"))
        self.assertEqual(problems, [])

    def test_an_item_without_test(self) -> None:
        self.assertEqual(judged("test n_06_x ... ok\ntest o_01 ... ok\n")[1], ["N-07 has no test"])

    def test_an_item_that_there_is_not(self) -> None:
        _, problems = judged(CARGO, "test n_06_z_99_x ... ok\ntest a::n_06_z_99_x ... ok\n")
        self.assertEqual(problems, ["n_06_z_99_x names Z-99, which is no item"])

    def test_a_failed_one(self) -> None:
        _, problems = judged(CARGO, "test more::n_06_x ... FAILED\n")
        self.assertEqual(problems, ["N-06 has failed: more: n_06_x"])

    def test_the_file_is_that_of_the_module(self) -> None:
        files = report.index(
            [("src/store/tests.rs", "fn d_01_x() {"), ("src/model/exponential.rs", "    fn d_01_x() {}")]
        )
        self.assertEqual(report.locate("model::exponential::tests", "d_01_x", files), "src/model/exponential.rs")
        self.assertEqual(report.locate("store::tests", "d_01_x", files), "src/store/tests.rs")
        self.assertEqual(report.locate("store::tests", "d_02_x", files), "store::tests")

    def test_items_that_cannot_be_read(self) -> None:
        for bad in (
            "id\n",
            ITEMS + "N-06\tMUST\ttwice\t\n",
            ITEMS + "N-08\tMUST\n",
            ITEMS + "Y-01\tMUST\tno group\t\n",
        ):
            with self.assertRaises(ValueError):
                report.read_items(bad)

    def test_the_committed_items_can_be_read(self) -> None:
        self.assertEqual(len(report.read_items(report.ITEMS.read_text())), 140 + 21)


if __name__ == "__main__":
    unittest.main()
