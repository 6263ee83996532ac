"""After the tests of assignments: how many wrong variants were killed by their own name, how many right ones passed."""

KINDS = {"test_wrong_variant_is_named": "wrong variants killed by their own name", "test_right_variant": "right passed"}


def pytest_terminal_summary(terminalreporter):
    """Print the mutation table's last line."""
    for test, words in KINDS.items():
        ran = {
            outcome: [report for report in terminalreporter.stats.get(outcome, []) if test in report.nodeid]
            for outcome in ("passed", "failed", "error")
        }
        total = sum(map(len, ran.values()))
        if total:
            terminalreporter.write_line(f"a1_recurrent: {words}: {len(ran['passed'])}/{total}")
