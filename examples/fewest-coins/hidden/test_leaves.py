"""What becomes of the list of coins. In a suite of its own, which shares its values: elsewhere each call gets them as they were drawn."""

from hypothesis import given
from hypothesis import strategies as st
from solution import change

COINS = st.lists(st.integers(1, 40), min_size=1, max_size=5, unique=True)


@given(amount=st.integers(0, 150), coins=COINS)
def test_leaves_the_coins(amount, coins):
    before = list(coins)
    change(amount, coins)
    assert coins == before
