"""The inputs that a function is meant for, from known calls and prompts (service.authoring.inputs.domain)."""

import pytest

from service.authoring.inputs.domain import Call, Domain, Guards, learn


def domain(*args: tuple[object, ...], prompt: str = "", examples: list[Call] | None = None) -> Domain:
    return learn([Call(each) for each in args], examples or [], prompt, Guards())


def sentences(*args: object, prompt: str = "") -> list[str]:
    return domain(*((each,) for each in args), prompt=prompt).sentences()


DISTINCT = ([1, 2], [3, 1, 9], [5, 4], [8, 2, 6, 0], [7, 9, 1], [2, 5])


@pytest.mark.parametrize(
    ("values", "prompt", "rule"),
    [
        (([1, 2], [0, 5, 5], [3, 9]), "", "is sorted"),
        (([9, 2], [5, 5, 1], [7, 3]), "", "is in descending order"),
        (DISTINCT, "", "has no element twice"),
        (([2, 1],), "a list of distinct integers", "has no element twice"),
        (([2, 1],), "An array will not contain duplicate values.", "has no element twice"),
        (([[1, 2], [3, 4]], [[1], [0]], [[5, 6, 7], [1, 1, 2]]), "", "has rows of one length"),
        (([[1, 2], [3, 4]], [[4, 3], [2, 1]], [[1, 2, 3], [4, 5, 6], [7, 8, 9]]), "", "holds each number from 1 on once"),
        (("()", "(())", "()()"), "", "has brackets that match"),
        (("12", "-7", "100"), "", "is the text of a whole number"),
        (("1,5", "20.25", "-3"), "", "is the text of a number"),
    ],
)  # fmt: skip
def test_what_all_values_keep_is_a_rule(values: tuple[object, ...], prompt: str, rule: str) -> None:
    assert f"argument 1 {rule}" in sentences(*values, prompt=prompt)


@pytest.mark.parametrize(
    "values",
    [
        ([1, 2], [3, 4]),  # too few
        ([1, 2], [0, 5, 5], [3, 9], [2, 1]),
        (*DISTINCT, [3, 3]),
        ("()", "(())", "()()", "(("),
        ("a(b)", "c", "(d)e"),  # texts with brackets, which are not what they are about
        ("12", "100", "012"),
        ([1], [2], [3], [4]),  # each list of one element is sorted
    ],
)
def test_what_some_values_do_not_keep_or_says_nothing_is_none(values: tuple[object, ...]) -> None:
    assert not {"is sorted", "has no element twice", "has brackets that match", "is the text of a whole number"} & {
        sentence.removeprefix("argument 1 ") for sentence in sentences(*values)
    }


def test_relations_between_arguments() -> None:
    known = domain(([5, 2, 1], 3), ([4], 1), ([7, 7, 8, 9], 2))
    assert known.sentences() == ["argument 2 is at most the length of argument 1"]
    assert known.admits(Call(([1, 2], 2)))
    assert not known.admits(Call(([1, 2], 3)))


def test_arguments_that_the_reference_compares_are_in_any_order() -> None:
    calls = [Call((low, low + 2)) for low in range(1, 7)]
    assert not learn(calls, [], "", Guards()).admits(Call((5, 4)))
    assert learn(calls, [], "", Guards(pairs=frozenset({frozenset("01")}))).admits(Call((5, 4)))


def test_relations_inside_tuples_of_one_length() -> None:
    known = domain(*(([(low, low + 3), (low + 1, low + 2)],) for low in (1, 4, 9)))
    assert "position 0 of elements of argument 1 is below position 1 of elements of argument 1" in known.sentences()
    assert known.admits(Call(([(2, 8), (1, 2)],)))
    assert not known.admits(Call(([(8, 2), (1, 2)],)))


@pytest.mark.parametrize(
    ("known", "prompt", "admitted", "refused"),
    [
        ([3, 9], "", [1, 4, 20], [0, -1, 100, True, "4", 4.5]),
        ([1, 9], "", [2, 4], [0, -1]),
        ([1, 9], "1 <= n <= 12", [1, 12], [0, 13]),
        ([0, 9], "", [0, 15], [-1]),
        ([-2, 9], "", [-9, 0], [-100]),
        ([3, 9], "a positive integer", [1], [0]),
        ([3, 7], "base numbers are less than 10", [9], [10]),
        ([0, 1] * 8, "", [0, 1], [2]),  # nothing but these was seen, often
    ],
)
def test_numbers_stay_near_those_seen(
    known: list[int], prompt: str, admitted: list[object], refused: list[object]
) -> None:
    learned = domain(*((number,) for number in known), prompt=prompt)
    assert [value for value in admitted if not learned.admits(Call((value,)))] == []
    assert [value for value in refused if learned.admits(Call((value,)))] == []


def test_zero_is_meant_where_the_reference_looks_out_for_it() -> None:
    assert learn([Call((3,))], [], "", Guards(numbers={"0": [0]})).admits(Call((0,)))
    assert not learn([Call((3,))], [], "a positive integer", Guards(numbers={"0": [0]})).admits(Call((0,)))


@pytest.mark.parametrize(
    ("known", "prompt", "admitted", "refused"),
    [
        ("ab cd", "", ["", "Q", "x1 y!", "zebra's"], ["é", "a\n", "a\0"]),
        ("abc", "lowercase letters", ["q"], ["Q", "1"]),
        ("[]][", "", ["]]"], ["()", "a"]),
        ("1203", "", ["99"], ["9a", "9.5"]),
    ],
)
def test_texts_keep_to_their_characters(known: str, prompt: str, admitted: list[str], refused: list[str]) -> None:
    learned = domain((known,), (known[:1],), prompt=prompt)
    assert [text for text in admitted if not learned.admits(Call((text,)))] == []
    assert [text for text in refused if learned.admits(Call((text,)))] == []


def test_empty_where_one_element_was_seen_and_the_prompt_does_not_forbid_it() -> None:
    assert domain(([1],), ([1, 2],)).admits(Call(([],)))
    assert domain(("ab",), ("abc",)).admits(Call(("",)))
    assert not domain(([1, 3],), ([1, 2, 4],)).admits(Call(([1],)))
    assert not domain(([1],), ([1, 2],), prompt="a non-empty list").admits(Call(([],)))
    assert not domain(*(([number, 3],) for number in range(4))).admits(Call(([],)))


def test_examples_of_other_types_are_not_learned_from() -> None:
    known = domain(({"a": 1},), ({"b": 2, "c": 3},), examples=[Call(({8: 1},)), Call(({"d": 70},))])
    assert not known.admits(Call(({9: 1},)))
    assert known.admits(Call(({"e": 100},)))


def test_news_is_what_goes_beyond_the_known_calls() -> None:
    known = domain(([3, 4], 5))
    assert known.news(Call(([3], 0))) == {(("0",), "a single element"), (("1",), "the number 0")}
    assert known.news(Call(([9, 7, 8], 6))) == frozenset()


def test_a_call_is_large_beyond_all_known_ones() -> None:
    known = domain(([3, 4], 5), ([9, 900, 1], -7))
    assert not known.is_large(Call(([9999, 1, 2], 7)))
    assert known.is_large(Call(([1], 8)))
    assert known.is_large(Call(([1, 2, 3, 4], 5)))
