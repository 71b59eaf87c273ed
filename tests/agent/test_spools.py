"""What an attempt printed is followed, cut, sent and forgotten exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from novasphere_agent.messages import Stream
from novasphere_agent.spools import CHUNK_BYTES, Piece, Spools

OUT, ERR = Stream.STDOUT, Stream.STDERR


def append(directory: Path, name: str, data: bytes) -> None:
    with (directory / name).open("ab") as file:
        file.write(data)


def take_all(spools: Spools, budget: int = 1 << 30) -> list[tuple[Stream, int, bytes]]:
    return [(piece.stream, piece.offset, spools.read(piece)) for piece in spools.take(budget)]


def test_growth_is_sent_in_the_order_in_which_it_was_seen(tmp_path: Path) -> None:
    spools = Spools(tmp_path, 1000)
    for name, data in (("stdout", b"a"), ("stderr", b"b"), ("stdout", b"c"), ("stdout", b"d")):
        append(tmp_path, name, data)
        assert spools.observe()
    assert not spools.observe()
    assert take_all(spools) == [(OUT, 0, b"a"), (ERR, 0, b"b"), (OUT, 1, b"cd")]
    assert take_all(spools) == []


def test_pieces_are_no_larger_than_a_chunk_and_the_budget(tmp_path: Path) -> None:
    append(tmp_path, "stdout", b"x" * (CHUNK_BYTES + 110))
    spools = Spools(tmp_path, 1 << 20)
    spools.observe()
    assert spools.take(100) == [Piece(OUT, 0, 100)]
    assert spools.take(1 << 20) == [Piece(OUT, 100, CHUNK_BYTES), Piece(OUT, CHUNK_BYTES + 100, 10)]
    assert spools.unacked == CHUNK_BYTES + 110


def test_a_rewind_sends_again_what_the_server_does_not_have(tmp_path: Path) -> None:
    append(tmp_path, "stdout", b"0123456789")
    spools = Spools(tmp_path, 1000)
    spools.observe()
    take_all(spools)
    assert spools.acknowledge(OUT, 6) == 6
    assert spools.unacked == 4
    spools.rewind(7, 0)
    assert take_all(spools) == [(OUT, 7, b"789")]
    spools.rewind(2, 0)
    assert b"".join(data for _, _, data in take_all(spools)) == b"23456789"


def test_everything_is_sent_only_after_the_end_is_known(tmp_path: Path) -> None:
    append(tmp_path, "stdout", b"abc")
    spools = Spools(tmp_path, 1000)
    spools.observe()
    take_all(spools)
    assert not spools.is_all_sent
    append(tmp_path, "stdout", b"of a process in the background")
    spools.finish(3, 0)
    assert spools.is_all_sent
    assert not spools.observe()


def test_the_limit_counts_both_streams_and_empties_the_files(tmp_path: Path) -> None:
    spools = Spools(tmp_path, 10)
    append(tmp_path, "stderr", b"1234")
    spools.observe()
    append(tmp_path, "stdout", b"x" * 50)
    spools.observe()
    assert (spools.total(OUT), spools.total(ERR), spools.is_dropping) == (6, 4, True)
    assert (tmp_path / "stdout").stat().st_size == 6


def test_output_of_exactly_the_limit_drops_nothing(tmp_path: Path) -> None:
    spools = Spools(tmp_path, 10)
    append(tmp_path, "stdout", b"x" * 10)
    spools.finish(10, 0)
    assert (spools.total(OUT), spools.is_dropping) == (10, False)


def test_a_successor_knows_what_was_seen_and_dropped(tmp_path: Path) -> None:
    spools = Spools(tmp_path, 10)
    append(tmp_path, "stderr", b"1234")
    spools.observe()
    append(tmp_path, "stdout", b"x" * 50)
    spools.observe()
    successor = Spools(tmp_path, 10)
    assert (successor.total(OUT), successor.total(ERR), successor.is_dropping) == (6, 4, True)


def test_what_a_power_cut_took_is_not_sent(tmp_path: Path) -> None:
    append(tmp_path, "stdout", b"0123456789")
    Spools(tmp_path, 100).observe()
    (tmp_path / "stdout").write_bytes(b"0123")
    spools = Spools(tmp_path, 100)
    spools.rewind(6, 0)
    spools.finish_as_is()
    assert spools.is_all_sent
    assert spools.total(OUT) == 6


def test_a_stream_that_cannot_be_read_is_given_up_and_said_to_be_cut(tmp_path: Path) -> None:
    append(tmp_path, "stdout", b"0123456789")
    append(tmp_path, "stderr", b"err")
    spools = Spools(tmp_path, 100)
    spools.finish(10, 3)
    (tmp_path / "stdout").unlink()
    pieces = spools.take(100)
    with pytest.raises(OSError, match="stdout"):
        spools.read(pieces[0])
    spools.give_up(pieces[0])
    assert spools.is_all_sent
    assert (spools.total(OUT), spools.total(ERR), spools.is_dropping) == (0, 3, True)


def test_what_was_sent_of_a_stream_before_it_was_given_up_can_be_sent_again(tmp_path: Path) -> None:
    append(tmp_path, "stdout", b"x" * 40_000)
    spools = Spools(tmp_path, 1 << 20)
    spools.observe()
    take_all(spools)
    append(tmp_path, "stdout", b"y" * 20_000)
    spools.observe()
    (piece,) = spools.take(1 << 20)
    spools.give_up(piece)
    spools.rewind(0, 0)
    assert spools.take(1 << 20) == [Piece(OUT, 0, 40_000)]
    assert not spools.has_unsent
    spools.rewind(0, 0)
    spools.give_up(spools.take(1 << 20)[0])  # by now nothing of it can be read
    assert (spools.total(OUT), spools.has_unsent) == (0, False)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(min_size=1, max_size=40)),
            st.tuples(st.just("take"), st.integers(1, 60)),
            st.tuples(st.just("cut"), st.booleans()),
            st.tuples(st.just("look"), st.none()),
        ),
        max_size=40,
    ),
    st.integers(0, 300),
)
def test_the_server_ends_up_with_a_prefix_of_each_stream(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, object]], limit: int
) -> None:
    directory = tmp_path_factory.mktemp("attempt")
    printed = {"stdout": b"", "stderr": b""}
    had = {OUT: bytearray(), ERR: bytearray()}
    spools = Spools(directory, limit)

    def send(budget: int) -> None:
        for stream, offset, data in take_all(spools, budget):
            assert offset <= len(had[stream])
            had[stream][offset:] = data

    for what, how in steps:
        if isinstance(how, bytes):
            printed[what] += how
            append(directory, what, how)
        elif what == "look":
            spools.observe()
        elif what == "take":
            assert isinstance(how, int)
            send(how)
            spools.acknowledge(OUT, len(had[OUT]) // 2)
        else:
            if how:  # the agent was killed
                spools = Spools(directory, limit)
            spools.rewind(len(had[OUT]), len(had[ERR]))
    spools.finish(len(printed["stdout"]), len(printed["stderr"]))
    send(1 << 30)
    assert spools.is_all_sent
    whole = len(printed["stdout"]) + len(printed["stderr"])
    assert len(had[OUT]) + len(had[ERR]) == min(whole, limit)
    assert spools.is_dropping == (whole > limit)
    if whole <= limit:
        assert {OUT: printed["stdout"], ERR: printed["stderr"]} == {k: bytes(v) for k, v in had.items()}
