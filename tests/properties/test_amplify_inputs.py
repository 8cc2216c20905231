"""Made inputs (service.authoring.inputs.generate) are like the known ones, for any known ones."""

from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from graders.suites.call.runner import Answer
from graders.suites.values.description import described
from service.authoring.amplify.cases import candidate_case
from service.authoring.inputs.domain import Call, Domain, Guards, learn
from service.authoring.inputs.generate import guards, proposals

SOURCE = 'def f(n):\n    """A docstring."""\n    if n == 0 or "ab" < str(n):\n        return 7\n'
LEAF = st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(-1e6, 1e6) | st.text(max_size=8)
KEY = st.integers(0, 9) | st.text(max_size=3)
VALUE = st.recursive(
    LEAF,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(inner, inner)
        | st.dictionaries(KEY, inner, max_size=3)
        | st.sets(KEY, max_size=4)
        | st.frozensets(KEY, max_size=3)
    ),
    max_leaves=8,
)
CALLS = st.lists(st.builds(lambda args, kwargs: Call(tuple(args), kwargs), st.lists(VALUE, min_size=1, max_size=3), st.dictionaries(st.sampled_from("xyz"), VALUE, max_size=1)), min_size=1, max_size=5)  # fmt: skip

few = settings(max_examples=30, deadline=None)
"""Each example makes some ten thousand inputs."""


def made(calls: list[Call], seed: int = 1) -> tuple[Domain, list[Call]]:
    domain = learn(calls, [], "", guards(SOURCE, "f"))
    return domain, list(islice(proposals(domain, calls, SOURCE, seed=seed), 30))


@few
@given(CALLS)
def test_they_are_of_types_that_were_seen_at_their_place(calls: list[Call]) -> None:
    domain, new = made(calls)
    for call in new:
        assert {(len(call.args), *call.kwargs)} <= {(len(known.args), *known.kwargs) for known in calls}
        for name, value in call.named().items():
            kinds = {type(known.named()[name]) for known in calls if name in known.named()}
            assert type(value) in kinds or len(kinds) >= 3
        assert domain.admits(call)


@few
@given(CALLS)
def test_none_is_known_or_made_twice_and_the_same_seed_makes_the_same(calls: list[Call]) -> None:
    _, new = made(calls)
    assert len({repr(call) for call in [*new, *calls]}) == len(new) + len({repr(call) for call in calls})
    assert made(calls)[1] == new


@few
@given(CALLS)
def test_each_can_be_written_as_a_case_that_says_the_same(calls: list[Call]) -> None:
    for call in made(calls)[1]:
        written = candidate_case(call, Answer("value", value=described(0)), "f")
        assert written is not None
        assert list(written[0].args) == list(call.args)


@few
@given(CALLS)
def test_known_calls_are_not_changed(calls: list[Call]) -> None:
    before = repr(calls)
    made(calls)
    assert repr(calls) == before


@few
@given(
    st.lists(st.lists(st.integers(0, 50), min_size=2, max_size=6).map(sorted), min_size=4, max_size=6, unique_by=repr)
)
def test_sorted_lists_stay_sorted(lists: list[list[int]]) -> None:
    assert all(value == sorted(value) for call in made([Call((each,)) for each in lists])[1] for value in call.args)


def test_guards_are_what_arguments_are_compared_with() -> None:
    source = (
        "def f(n, xs, m=1):\n    while 1 < n:\n        n -= 1\n    return n == 0 or len(xs) == 9 or n < m or k == 3\n"
    )
    found = guards(source, "f")
    assert found.numbers == {"n": [1, 0], "0": [1, 0], "k": [3]}
    assert found.pairs == {frozenset(pair) for pair in ({"n", "m"}, {"n", "2"}, {"0", "m"}, {"0", "2"})}
    assert guards("def f(n):\n    return n <= 1 or n > 5", "f").numbers["n"] == [1, 0, 5]
    assert guards(source, "g") == Guards()
