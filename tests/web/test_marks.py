from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shouwang.posts import Evidence
from shouwang.web.marks import Piece, pieces


def test_a_text_is_cut_where_evidence_begins_and_ends() -> None:
    spans = [Evidence(2, 4, "wish", 1.0), Evidence(3, 6, "pain", 1.0)]
    assert list(pieces("abcdefg", spans)) == [
        Piece("ab", ()),
        Piece("c", ("wish",)),
        Piece("d", ("pain", "wish")),
        Piece("ef", ("pain",)),
        Piece("g", ()),
    ]


@given(st.text(max_size=20), st.lists(st.tuples(st.integers(-3, 25), st.integers(-3, 25)), max_size=5))
def test_no_character_is_lost_whatever_the_offsets(text: str, offsets: list[tuple[int, int]]) -> None:
    spans = [Evidence(start, end, "plan", 1.0) for start, end in offsets]
    assert "".join(piece.text for piece in pieces(text, spans)) == text
