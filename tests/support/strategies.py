"""Hypothesis strategies that several modules of tests use."""

from hypothesis import strategies as st

TEXT = st.text(max_size=60)  # without lone surrogates
ANY_TEXT = st.text(st.characters(), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
