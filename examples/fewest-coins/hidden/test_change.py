"""What is true of every answer. There may be several right ones, so the reference only says how many coins it takes."""

import reference
from hypothesis import given
from hypothesis import strategies as st
from solution import change

AMOUNTS = st.integers(0, 150)
COINS = st.lists(st.integers(1, 40), min_size=1, max_size=5, unique=True)


@given(amount=AMOUNTS, coins=COINS)
def test_pays_the_amount_with_these_coins(amount, coins):
    paid = change(amount, coins)
    if paid is not None:
        assert type(paid) is list
        assert set(paid) <= set(coins)
        assert sum(paid) == amount


@given(amount=AMOUNTS, coins=COINS)
def test_as_few_as_the_reference(amount, coins):
    paid, fewest = change(amount, coins), reference.change(amount, coins)
    assert (paid is None) == (fewest is None)
    if fewest is not None:
        assert len(paid) == len(fewest)


@given(values=COINS, data=st.data())
def test_what_can_be_paid_is_paid(values, data):
    spent = data.draw(st.lists(st.sampled_from(values), max_size=6))
    paid = change(sum(spent), values)
    assert paid is not None
    assert len(paid) <= len(spent)
