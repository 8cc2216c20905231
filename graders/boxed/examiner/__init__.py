"""The examiner: the tests' side of the connection to the submission (graders/boxed/rpc).

How a test's `import solution` and `solution.f(xs)` cross and come back:

1. `tests/pytest_run.py` starts pytest and installs the examiner. `programs.py` and `hypothesis_plugin.py` are pytest
   plugins for two kinds of suites; `reference_importer.py` and `anew.py` serve properties.
2. `examiner.py` imports `solution` as a proxy module. Attributes, calls and comparisons become requests of `rpc`.
3. `ambient.py` adds what the tests have set in their process, and decides which of the submission's changes count.
4. While the call runs, the submission may use the tests' objects. `doubles.py` serves these requests, and refuses a
   use that the reference does not make.
5. The reply creates or reuses proxies. `watch.py` names the *place* of each object, decides how far to trust it, and
   notes assertions of the tests that the submission swallowed.
6. `learnt.py` holds the facts of the reference: the reference's run writes them, a submission's run is held to them.
   At the end of a test, `pytest_run.py` combines the outcome with these objections and reports it.
"""
