"""Copies pictures and records of a published atlas into one's own store, so that nobody renders them twice.

An answer that the store has costs no request and stays as it is. A picture is checked against its record, and the
record against its checksum, its unit and its weights. Then the answer is kept whole or not at all. So a pull can be
stopped at any moment, and the same command goes on.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import Empty, Queue
from typing import Literal

from generator.config.config import CheckpointConfig, Config
from generator.core.errors import AtlasError, UsageError
from generator.core.schema import Date, decode
from generator.core.text import legible
from generator.reader.atlas import Atlas
from generator.reader.location import OutOfReachError
from generator.reader.origin import FILE_LIMIT
from generator.reader.published import PublishedAnswer, PublishedCheckpoint, PublishedUnit
from generator.store.store import DamagedError, Store

AT_ONCE = 8  # the time goes to latency, not to bytes
IN_A_ROW = 8  # units without an answer, after which no more are requested
SILENCE = 300.0  # seconds without a unit, also if a server sends slowly
MOST, MOST_BYTES = 100, 16_000_000  # pictures of one unit; a hostile record could name thousands, and fill the disk

_Answer = tuple[bytes, dict[str, bytes]]  # a record as it is written, and the files of its pictures
Published = PublishedUnit | PublishedAnswer
_Asked = _Answer | AtlasError | Literal[False]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What became of the units.

    ``failed`` says why, unit by unit; ``stopped`` is True after Ctrl-C; ``error`` is what ended it early.
    """

    pulled: int
    present: int
    failed: tuple[str, ...] = ()
    stopped: bool = False
    error: AtlasError | None = None


def choose(atlas: Atlas, config: Config, name: str | None = None) -> CheckpointConfig:
    """The checkpoint to pull: by name, or the first of atlas.toml that the other atlas has."""
    has = ", ".join(atlas.checkpoints)
    chosen = name or next((own.name for own in config.checkpoints if own.name in atlas.checkpoints), None)
    if chosen is None:
        raise UsageError(
            f"{atlas.location.name} has {has}, and none of these is in {config.path}; type --checkpoint NAME"
        )
    if chosen not in atlas.checkpoints:
        raise UsageError(f"{atlas.location.name} has no checkpoint “{chosen}”: it has {has}")
    return config.checkpoint(chosen)


def counterpart(atlas: Atlas, own: CheckpointConfig, fingerprint: str | None) -> PublishedCheckpoint:
    """The same weights in the other atlas. ``fingerprint`` is that of one's own, or None if they were never read.

    Raises AtlasError if those of that name are others: there the same numbers are other units.
    """
    theirs, what = atlas.named(own.name), f"{own.name} of {atlas.location.name}"
    if theirs.architecture.name != own.architecture.name:
        raise AtlasError(f"{what} has the architecture {theirs.architecture.name}, not {own.architecture.name}")
    if theirs.units and fingerprint not in (None, theirs.fingerprint):
        raise AtlasError(
            f"{what} is other weights than yours (fingerprint {theirs.fingerprint[:12]}, not {fingerprint[:12]}): the "
            f"same numbers are other units there, and nothing was pulled"
        )
    return theirs


def pull(units: Iterable[Published], store: Store, advance: Callable[[], object] = lambda: None) -> Pulled:
    """Copy what the store lacks of these units; ``advance`` is called after each.

    A unit that cannot be read is reported, and the others are kept. Raises AtlasError if the store cannot be written at
    all.
    """
    store.prepare()
    pulled = present = 0
    failed: dict[int, str] = {}
    silent: set[int] = set()
    stopped, ended = False, None

    def take(place: int, unit: Published, answer: _Asked) -> None:
        nonlocal pulled, present
        kept = _keep(store, *answer) if isinstance(answer, tuple) else answer
        advance()
        if isinstance(kept, AtlasError):
            failed[place] = f"{unit.unit if isinstance(unit, PublishedUnit) else unit}: {kept}"
            if isinstance(kept, OutOfReachError):
                silent.add(place)
                if len(row := _row(silent, place)) >= IN_A_ROW:
                    for each in silent:  # one line says it for all that were asked at the same time
                        if each >= row.start - AT_ONCE:
                            failed.pop(each, None)
                    raise kept
        elif kept:
            pulled += 1
        else:
            present += 1

    try:
        with ThreadPoolExecutor(1) as taker, closing(_at_once(partial(_ask, store), units)) as answers:
            for each in answers:
                taker.submit(take, *each).result()  # in a thread: Ctrl-C ends nothing that is half kept or not counted
    except KeyboardInterrupt:
        stopped = True
    except AtlasError as error:
        ended = error
    return Pulled(pulled, present, tuple(failed.values()), stopped, ended)


def _row(silent: set[int], place: int) -> range:
    """The places around this one that are all silent. They are told by place, for answers come in any order.

    >>> _row({1, 2, 3, 7}, 2)
    range(1, 4)
    """
    first, last = place, place
    while first - 1 in silent:
        first -= 1
    while last + 1 in silent:
        last += 1
    return range(first, last + 1)


def _ask(store: Store, unit: Published) -> _Asked:
    """The files of an answer, checked; why they cannot be had; or False if the store has it."""
    try:
        if isinstance(unit, PublishedAnswer):
            return _ask_other(store, unit)
        own = store.read(unit.key)
        if own and own.question.unit == unit.unit:
            return False
        record, text = unit.read_record()
        _check_origin(record.provenance.checkpoint, record.provenance.date, unit.checkpoint)
        count, size = len(record.pictures), sum(picture.bytes for picture in record.pictures)
        if count > MOST or size > MOST_BYTES:
            raise AtlasError(f"its record names {count} pictures of {size:,} bytes, and no unit has so many")
        return text, {picture.name: unit.origin.picture(picture) for picture in record.pictures}
    except AtlasError as error:
        return error


def _ask_other(store: Store, asked: PublishedAnswer) -> _Asked:
    """The same for an answer that is not a picture."""
    if store.answer(asked.key):
        return False
    result, text = asked.read_record()
    made = result.provenance
    try:
        _check_origin(made.get("checkpoint"), decode(made.get("date"), Date), asked.checkpoint)
    except ValueError as error:
        raise AtlasError(f"its record has no date ({error})") from error
    size = sum(file.bytes for file in result.files)
    if size > FILE_LIMIT:
        raise AtlasError(f"its record names files of {size:,} bytes, more than {FILE_LIMIT:,}")
    return text, {file.name: asked.origin.file(file) for file in result.files}


def _check_origin(made_for: object, date: str, checkpoint: str) -> None:
    """Raises AtlasError for an answer that was made for another checkpoint, or on a day that has not come."""
    if made_for != checkpoint:  # in a store that name says whose answer it is
        raise AtlasError(f"its record was made for the checkpoint “{legible(made_for)}”, not for {checkpoint}")
    if date[:10] > (datetime.now(UTC) + timedelta(days=1)).date().isoformat():
        raise AtlasError(f"its record is of {legible(date)}, a day that has not come")  # the newest decides much


def _keep(store: Store, text: bytes, files: dict[str, bytes]) -> bool | DamagedError:
    """Whether the store has kept an answer. Raises AtlasError if the disk does not let it."""
    try:
        return store.adopt(text, files)
    except DamagedError as error:
        return error


def _at_once(
    ask: Callable[[Published], _Asked], units: Iterable[Published]
) -> Generator[tuple[int, Published, _Asked]]:
    """What is asked for each unit, several at once, as it comes; with the place of the unit among all.

    The threads are daemons and write nothing. So Ctrl-C and the end of the program do not wait for a slow server.
    """
    todo = deque(enumerate(units))
    done: Queue[tuple[int, Published, _Asked] | BaseException] = Queue()
    room = threading.Semaphore(2 * AT_ONCE)  # answers in memory, however slow the disk

    def work() -> None:
        with suppress(IndexError):
            while True:
                room.acquire()
                place, unit = todo.popleft()
                try:
                    done.put((place, unit, ask(unit)))
                except BaseException as error:
                    done.put(error)

    expected = len(todo)
    for _ in range(min(AT_ONCE, expected)):
        threading.Thread(target=work, daemon=True).start()
    try:
        for _ in range(expected):
            answer = done.get(timeout=SILENCE)
            if isinstance(answer, BaseException):
                raise answer
            yield answer
            room.release()
    except Empty:
        raise OutOfReachError(f"nothing has come for {SILENCE:.0f} seconds") from None
    finally:
        todo.clear()
        room.release(AT_ONCE)
