"""How quickly runs are admitted with thousands that wait, and what the queue costs a run where no quotas are set."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import harness
from harness import Place, Row, Table, take_turns, timed

from jupyter_mlops.catalog import Catalog
from jupyter_mlops.catalog.records import QueueEntry, Run
from jupyter_mlops.queueing import Admission, Going, Queue, Quotas, Waiting
from jupyter_mlops.queueing.amounts import Amount

USERS = 50
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def quotas() -> Quotas:
    names = [f"user{number}" for number in range(USERS)]
    return Quotas.parse(
        {
            "all": {"cpu": 512, "gpu": 64, "memory": "4Ti"},
            "users": {"*": {"gpu": 8, "runs": 20, "tasks": 200}},
            "groups": {
                "research": {"members": names[::2], "gpu": 40},
                "product": {"members": names[1::2], "gpu": 40},
            },
            "queues": {"night": {"cpu": 128}},
        }
    )


def entries(count: int) -> list[QueueEntry]:
    chance = random.Random(1)
    made = []
    for number in range(count):
        gpu = chance.choice([0, 0, 1, 2, 4])
        amount = [1, chance.randint(1, 8), float(chance.randint(1, 16)), gpu * 2**34, gpu]
        made.append(
            QueueEntry(
                run_id=f"run-{number:06}", pipeline="p", user_name=f"user{chance.randrange(USERS)}",
                queue=chance.choice(["default", "night"]), priority=chance.randint(-5, 5), least=amount, most=amount,
                seconds=chance.choice([None, 600.0, 7200.0]), is_preemptible=chance.random() < 0.3,
                since_at=NOW - timedelta(seconds=chance.randint(0, 90_000)), created_at=NOW,
            )
        )  # fmt: skip
    return made


def waiting_of(entry: QueueEntry) -> Waiting:
    return Waiting(
        run_id=entry.run_id, user=entry.user_name, queue=entry.queue, priority=entry.priority,
        least=Amount.read(entry.least), most=Amount.read(entry.most), since=entry.since_at.timestamp(),
        seconds=entry.seconds,
    )  # fmt: skip


def decisions(count: int, rounds: int) -> list[Row]:
    """Pure: all that waits, decided anew, time for one."""
    waiting, limits = [waiting_of(entry) for entry in entries(count)], quotas()
    full = Admission(limits, (), NOW.timestamp()).decide(waiting)
    granted = {each.run_id: each.granted for each in full if each.verb == "admit"}
    going = [
        Going(run_id=run.run_id, user=run.user, queue=run.queue, granted=granted[run.run_id], since=run.since)
        for run in waiting
        if run.run_id in granted
    ]
    left = [run for run in waiting if run.run_id not in granted]
    cases = {"the machines are idle": ((), waiting), "the machines are full": (going, left)}
    rows = []
    for who, (busy, runs) in cases.items():
        row = Row(f"{count:,} wait, a decision", who)

        def once(busy: object = busy, runs: list[Waiting] = runs) -> float:
            with timed() as seconds:
                Admission(limits, busy, NOW.timestamp()).decide(runs)  # type: ignore[arg-type]
            return seconds() / len(runs)

        take_turns([(row, once)], rounds)
        rows.append(row)
    return rows


def whole_rounds(place: Place, count: int, rounds: int) -> list[Row]:
    """Reading the queue from the catalog, deciding, writing what follows: the first round admits, later ones cannot."""
    folder = place.folder("catalog")
    with Catalog.open(f"sqlite:///{folder}/catalog.db") as catalog:
        queue = Queue(catalog, is_driven=lambda run: True)
        queue.set_quotas(quotas(), "root")
        made = entries(count)
        catalog.add(*made)
        catalog.add(
            *(
                Run(
                    run_id=each.run_id,
                    pipeline="p",
                    plan={},
                    created_at=NOW,
                    user_name=each.user_name,
                    runner="h:1:1",
                )
                for each in made
            )
        )
        with timed() as seconds:
            queue.take_turn(is_due=True)
        first = Row(f"{count:,} wait, a round", "the first, which admits", [seconds()])
        later = Row(f"{count:,} wait, a round", "later ones, on SQLite")

        def once() -> float:
            with timed() as seconds:
                queue.take_turn(is_due=True)
            return seconds()

        take_turns([(later, once)], rounds)
    return [first, later]


def without_quotas(place: Place, rounds: int) -> list[Row]:
    """What a run asks of the queue where there is none."""
    with Catalog.open(f"sqlite:///{place.folder('none')}/catalog.db") as catalog:
        queue = Queue(catalog)
        row = Row("no quotas, a run", "the queue's part of it")

        def once() -> float:
            with timed() as seconds:
                for _ in range(100):
                    queue.quotas()
            return seconds() / 100

        take_turns([(row, once)], rounds)
    return [row]


def main() -> None:
    made = harness.parser(__doc__)
    made.add_argument("--runs", type=int, default=10_000, help="how many wait")
    made.add_argument("--rounds", type=int, default=7, help="turns")
    options = harness.parse(made, {"runs": 500, "rounds": 2})
    place = Place(cpus=options.cpus)
    table = Table("The queue", [])
    table.rows += decisions(options.runs, options.rounds)
    table.rows += whole_rounds(place, options.runs, options.rounds)
    table.rows += without_quotas(place, options.rounds)
    table.notes.append("A round of admission decides on every run that waits; its decisions are pure.")
    harness.tell(harness.header(), [table], options.json)


if __name__ == "__main__":
    main()
