"""A week of a group of 50 users, simulated: who waits how long, who gets how much, how busy the machines are.

The decisions are the real ones (`queueing.Admission`); clock, arrivals and lengths come from a seed. With ``--plot`` a
picture of it is drawn, as it stands in docs/queue.md.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import random
import statistics
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jupyter_mlops.queueing import Admission, Going, Quotas, Waiting
from jupyter_mlops.queueing.admission import MOST_PREEMPTIONS
from jupyter_mlops.queueing.amounts import Amount
from jupyter_mlops.queueing.shares import billing

BEGIN = 1_794_787_200.0  # Monday, 16 November 2026, midnight UTC
HOUR, DAY = 3600.0, 86400.0
KINDS = {5: "urgent", 0: "normal", -5: "preemptible"}
TASK_SECONDS = 900.0  # what a run had finished when it made way need not be done again


@dataclass(slots=True)
class Job:
    """A run of the simulation; `left` is how long it still takes."""

    run: Waiting
    left: float
    arrived: float
    is_preemptible: bool
    waited: float = 0.0
    preemptions: int = 0
    started: float = 0.0
    granted: Amount = field(default_factory=Amount)


@dataclass
class Week:
    """What came of it."""

    waited: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    waited_by_user: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    used: dict[str, float] = field(default_factory=lambda: defaultdict(float))  # GPU-hours, by user
    asked: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    busy: list[tuple[float, float, int]] = field(default_factory=list)  # moment, GPUs in use, runs that wait
    short: list[tuple[float, float]] = field(
        default_factory=list
    )  # GPUs in use and for how long, while too few
    most_used: dict[str, float] = field(
        default_factory=lambda: defaultdict(float)
    )  # of each quota, of its limit
    reasons: list[str] = field(default_factory=list)  # why those wait that do, now
    preemptions: int = 0
    rounds: int = 0
    decisions: int = 0
    late: float = 0.0  # how long after the last arrival the last run ended, in hours


def quotas_of(users: int, gpus: int) -> Quotas:
    """Machines with so many GPUs, two groups that may each use three quarters of them, and a ceiling for each user."""
    names = [f"user{number:02}" for number in range(users)]
    return Quotas.parse(
        {
            "all": {"cpu": gpus * 8, "gpu": gpus},
            "groups": {
                "research": {"members": names[::2], "gpu": gpus * 3 // 4},
                "product": {"members": names[1::2], "gpu": gpus * 3 // 4},
            },
            "users": {"*": {"gpu": max(4, gpus // 4), "runs": 12}},
            "half_life_days": 2,
            "aging_minutes": 30,
        }
    )


def arrivals(chance: random.Random, users: int, days: int, gpus: int, load: float) -> list[Job]:
    """Runs as people start them: most of them by day, a few people many more than the others, and long ones by night.
    Together they ask for `load` of what the machines have on working days."""
    eager = [chance.paretovariate(1.5) for _ in range(users)]
    total = sum(eager)
    mean_gpu_hours = 1.45 * 1.75  # of a run, by the choices below
    a_day = load * gpus * 24 / mean_gpu_hours
    jobs = []
    for user, day in itertools.product(range(users), range(days)):
        weekday = 1.0 if day % 7 < 5 else 0.25
        count = chance.gauss(1, 0.25) * a_day * weekday * eager[user] / total
        for _ in range(max(0, round(count))):
            at = BEGIN + day * DAY + min(max(chance.gauss(14, 4), 0), 23.99) * HOUR
            priority = chance.choices(list(KINDS), weights=[1, 6, 3])[0]
            gpu = chance.choices([1, 2, 4], weights=[14, 4, 1])[0]
            seconds = chance.lognormvariate(0, 1.05) * HOUR
            amount = Amount(1, 1 + gpu, 4.0 * gpu, gpu * 32 * 2**30, gpu)
            known = chance.random() < 0.8  # the pipeline has run before
            run = Waiting(
                run_id=f"r{len(jobs)}", user=f"user{user:02}", queue="default", priority=priority, least=amount,
                most=amount, since=at, seconds=seconds * chance.uniform(0.7, 1.4) if known else None,
            )  # fmt: skip
            jobs.append(Job(run, seconds, at, priority < 0))
    return sorted(jobs, key=lambda job: job.arrived)


def simulate(*, seed: int = 1, users: int = 50, days: int = 7, gpus: int = 32, load: float = 0.95) -> Week:
    """From the first arrival to the end of the last run."""
    chance = random.Random(seed)
    quotas = quotas_of(users, gpus)
    jobs = arrivals(chance, users, days, gpus, load)
    coming, waiting, going = list(reversed(jobs)), dict[str, Job](), dict[str, Job]()
    ends: list[tuple[float, str, int]] = []
    usage: dict[str, float] = defaultdict(float)
    week = Week()
    for job in jobs:
        week.asked[job.run.user] += job.left * job.run.most.gpu / HOUR
    now = BEGIN
    aged, is_short = BEGIN, False
    while coming or waiting or going:
        # The next thing that happens; once in ten minutes the priorities change by themselves.
        moments = [coming[-1].arrived] if coming else []
        moments += [ends[0][0]] if ends else []
        moments += [aged + 600] if waiting else []
        now = min(moments)
        aged = now if now >= aged + 600 else aged
        while coming and coming[-1].arrived <= now:
            job = coming.pop()
            waiting[job.run.run_id] = job
        while ends and ends[0][0] <= now:
            _, name, number = heapq.heappop(ends)
            if name in going and going[name].preemptions == number:
                _stop(going.pop(name), now, usage, week)
        while _round(quotas, waiting, going, ends, usage, week, now):  # until those who make way have left
            pass
        in_use = sum(job.granted.gpu for job in going.values())
        if week.busy and is_short:
            week.short.append((week.busy[-1][1], now - week.busy[-1][0]))
        is_short = any(reason.startswith("waits for") and "everybody" in reason for reason in week.reasons)
        week.busy.append((now, in_use / gpus, len(waiting)))
        _check(quotas, going, week)
    week.late = (now - jobs[-1].arrived) / HOUR
    return week


def _round(
    quotas: Quotas,
    waiting: dict[str, Job],
    going: dict[str, Job],
    ends: list[tuple[float, str, int]],
    usage: dict[str, float],
    week: Week,
    now: float,
) -> bool:
    admission = Admission(
        quotas,
        [
            Going(
                run_id=name, user=job.run.user, queue="default", priority=job.run.priority, granted=job.granted,
                is_preemptible=job.is_preemptible and job.preemptions < MOST_PREEMPTIONS, since=job.started,
                seconds=job.run.seconds,
            )
            for name, job in going.items()
        ],
        now,
        shares=usage,
    )  # fmt: skip
    decisions = admission.decide(job.run for job in waiting.values())
    week.rounds, week.decisions = week.rounds + 1, week.decisions + len(decisions)
    week.reasons = [each.reason for each in decisions if each.verb == "wait"]
    victims: list[str] = []
    for each in decisions:
        if each.verb == "reject":
            raise SystemExit(f"{each.run_id} {each.reason}")
        victims += each.victims
        if each.verb == "admit":
            job = waiting.pop(each.run_id)
            job.started, job.granted = now, each.granted
            job.waited += now - job.run.since
            going[each.run_id] = job
            heapq.heappush(ends, (now + job.left, each.run_id, job.preemptions))
    for name in victims:
        job = going.pop(name)
        _charge(job, now, usage, week)
        done = (now - job.started) // TASK_SECONDS * TASK_SECONDS
        job.left, job.preemptions = job.left - done, job.preemptions + 1
        job.run = replace(job.run, since=now)
        waiting[name] = job
        week.preemptions += 1
    return bool(victims)


def _stop(job: Job, now: float, usage: dict[str, float], week: Week) -> None:
    _charge(job, now, usage, week)
    week.waited[job.run.priority].append(job.waited)
    week.waited_by_user[job.run.user].append(job.waited)


def _charge(job: Job, now: float, usage: dict[str, float], week: Week) -> None:
    usage[job.run.user] += billing(job.granted, now - job.started)
    week.used[job.run.user] += job.granted.gpu * (now - job.started) / HOUR


def _check(quotas: Quotas, going: dict[str, Job], week: Week) -> None:
    used: dict[tuple[str, str, int], float] = defaultdict(float)
    for job in going.values():
        for scope, name, limits in quotas.scopes(job.run.user, "default"):
            for number, limit in limits.at_once():
                used[scope, name, number] += job.granted[number] / limit
    for (scope, _, _), share in used.items():
        week.most_used[scope] = max(week.most_used[scope], share)


# --- telling ----------------------------------------------------------------------------------------------


def summary(week: Week) -> dict[str, Any]:
    """The figures."""
    days = {moment // DAY for moment, _, _ in week.busy}
    short = sum(seconds for _, seconds in week.short)
    return {
        "runs": sum(map(len, week.waited.values())),
        "days": len(days),
        "waiting_minutes": {
            KINDS[priority]: {
                "runs": len(waited),
                "median": round(statistics.median(waited) / 60, 1),
                "p95": round(sorted(waited)[int(0.95 * len(waited))] / 60, 1),
                "most": round(max(waited) / 60, 1),
            }
            for priority, waited in sorted(week.waited.items(), reverse=True)
        },
        "utilization": round(statistics.fmean(busy for _, busy, _ in _hours(week)), 3),
        "utilization_while_machines_are_short": round(
            sum(busy * span for busy, span in week.short) / short, 3
        ),
        "hours_of_that": round(short / HOUR, 1),
        "most_of_each_quota": {scope: round(share, 3) for scope, share in week.most_used.items()},
        "preemptions": week.preemptions,
        "median_wait_of_the_tenth_that_asked_least_and_most": [
            round(statistics.median(each for user in users for each in week.waited_by_user[user]) / 60, 1)
            for users in _least_and_most(week)
        ],
        "rounds": week.rounds,
        "decisions": week.decisions,
    }


def _least_and_most(week: Week) -> tuple[list[str], list[str]]:
    order = sorted(week.asked, key=lambda user: week.asked[user])
    tenth = max(1, len(order) // 10)
    return order[:tenth], order[-tenth:]


def _hours(week: Week) -> list[tuple[float, float, float]]:
    """Each quarter of an hour: its moment, how busy the GPUs were, how many runs waited."""
    found, step = [], 900.0
    events = iter(week.busy)
    _, busy, waits = next(events)
    pending = next(events, None)
    moment = BEGIN
    while moment < week.busy[-1][0]:
        area, wait_area, here = 0.0, 0.0, moment
        while pending is not None and pending[0] < moment + step:
            span = max(0.0, pending[0] - here)
            area, wait_area, here = area + busy * span, wait_area + waits * span, max(here, pending[0])
            _, busy, waits = pending
            pending = next(events, None)
        rest = moment + step - here
        found.append((moment, (area + busy * rest) / step, (wait_area + waits * rest) / step))
        moment += step
    return found


def plot(week: Week, path: Path) -> None:
    """Three pictures in one, readable on light and on dark ground."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    ink, colors = "#7a8290", {5: "#d1603d", 0: "#3b8ea5", -5: "#8a7bc8"}
    style = {
        "svg.fonttype": "path", "svg.hashsalt": "queue-week", "font.size": 9, "text.color": ink, "axes.edgecolor": ink,
        "axes.labelcolor": ink, "xtick.color": ink, "ytick.color": ink, "axes.spines.top": False,
        "axes.spines.right": False, "axes.titlesize": 10, "axes.titlelocation": "left", "axes.titleweight": "bold",
    }  # fmt: skip
    with plt.rc_context(style):
        figure, (top, left, right) = plt.subplots(1, 3, figsize=(11, 3.3), width_ratios=[1.5, 1, 1])
        hours = _hours(week)
        days = [(moment - BEGIN) / DAY for moment, _, _ in hours]
        top.fill_between(days, [100 * busy for _, busy, _ in hours], color=colors[0], alpha=0.55, linewidth=0)
        top.set(
            title="GPUs in use, and runs that wait",
            ylabel="% of the GPUs in use",
            ylim=(0, 105),
            xlim=(0, days[-1]),
        )
        names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        top.set_xticks(
            range(int(days[-1]) + 1), [names[day % 7] for day in range(int(days[-1]) + 1)], ha="left"
        )
        second = top.twinx()
        second.plot(days, [waits for _, _, waits in hours], color=colors[5], linewidth=1.1)
        second.set_ylabel("runs that wait", color=colors[5])
        second.tick_params(axis="y", colors=colors[5])
        second.set_ylim(0)
        for priority, waited in sorted(week.waited.items(), reverse=True):
            minutes = sorted(max(each / 60, 0.5) for each in waited)
            shares = [100 * (number + 1) / len(minutes) for number in range(len(minutes))]
            left.plot(minutes, shares, color=colors[priority], linewidth=1.8)
            at_once = 100 * sum(each <= 60 for each in waited) / len(waited)
            left.text(0.6, at_once - 7, f"{KINDS[priority]} ({priority:+d})", color=colors[priority])
        left.set(
            title="How long runs waited",
            xscale="log",
            xlabel="minutes at most",
            ylabel="% of the runs",
            ylim=(0, 101),
        )
        left.set_xticks([0.5, 10, 60, 600, 6000], ["0", "10", "60", "600", "6000"])
        left.minorticks_off()
        users = sorted(week.asked)
        waited = [max(statistics.median(week.waited_by_user[user]) / 60, 0.5) for user in users]
        right.scatter(
            [week.asked[user] for user in users], waited, color=colors[-5], s=16, alpha=0.9, linewidths=0
        )
        right.set(
            title="Asking for more",
            xlabel="GPU hours of a user",
            ylabel="median wait, minutes",
        )
        right.set(xscale="log", yscale="log")
        right.set_yticks([0.5, 10, 60, 600], ["0", "10", "60", "600"])
        right.set_xticks([25, 50, 100, 200, 400], ["25", "50", "100", "200", "400"])
        right.minorticks_off()
        figure.tight_layout(w_pad=2)
        figure.savefig(path, transparent=True, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    """Print the figures, and draw them."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--users", type=int, default=50)
    made.add_argument("--days", type=int, default=7)
    made.add_argument("--gpus", type=int, default=32)
    made.add_argument(
        "--load", type=float, default=0.95, help="what is asked for on a working day, of what there is"
    )
    made.add_argument("--plot", type=Path, metavar="FILE", help="draw it (.svg or .png)")
    given = made.parse_args()
    week = simulate(seed=given.seed, users=given.users, days=given.days, gpus=given.gpus, load=given.load)
    print(json.dumps(summary(week), indent=2))
    if given.plot is not None:
        plot(week, given.plot)


if __name__ == "__main__":
    main()
