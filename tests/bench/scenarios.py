# SPDX-License-Identifier: Apache-2.0
"""What is measured. Each scenario is a function of the settings that yields rows of one table."""

import concurrent.futures
import contextlib
import dataclasses
import random

import big
from stage import Plan, Stage, run_bench

P99_LIMIT_MS = 100
KEPT_UP = 0.98  # of the wanted rate, or it was not reached


@dataclasses.dataclass(frozen=True)
class Settings:
    nodes: tuple
    seconds: int
    warmup: int
    repeat: int
    rate: int
    rooms: int
    clients: int
    config: dict

    @property
    def timing(self):
        return {"seconds": self.seconds, "warmup": self.warmup}


@contextlib.contextmanager
def staged(settings, nodes):
    stage = Stage(nodes, settings.config)
    try:
        yield stage
    finally:
        stage.destroy()


def ms(us):
    return f"{us / 1000:.2f}"


def p50_p99(histogram):
    return f"{ms(histogram['p50'])} / {ms(histogram['p99'])}" if histogram else "-"


def faults(result):
    names = ("gaps", "repeats", "missing", "resets", "refusals", "unanswered", "closes")
    found = [f"{result[name]} {name}" for name in names if result[name]]
    return ", ".join(found) or "none"


def talk_columns(run):
    """The columns that every scenario with messages has."""
    result = run.result
    return {
        "acks/s": result["acks_per_s"],
        "deliveries/s": result["deliveries_per_s"],
        "ack p50 / p99 ms": p50_p99(result.get("ack_us")),
        "delivery p50 / p99 ms": p50_p99(result.get("delivery_us")),
        "gateway us/message": f"{run.per_message_us('gateway_s'):.1f}",
        "all us/delivery": f"{run.per_delivery_us('gateway_s', 'postgres_s', 'redis_s'):.1f}",
        "cores gateway / pg / redis / generator": " / ".join(
            f"{share:.2f}"
            for share in (
                *(run.share(field) for field in ("gateway_s", "postgres_s", "redis_s")),
                result["generator_cpu_us"] / max(1, result["window_us"]),
            )
        ),
        "own lag p99 ms": ms(result["lag_us"]["p99"]) if "lag_us" in result else "-",
        "held": result["held"],
        "faults": faults(result),
        "load": f"{run.samples['window'].load:.1f}",
    }


def seed_pairs(stage, count):
    return stage.add_rooms(
        zip(stage.add_users("teacher", count), stage.add_users("student", count))
    )


def plan_pairs(stage, rooms, idle_users=()):
    """Both members talk; with two nodes each pair is torn apart, so that every message crosses."""
    plan, heads, last = Plan(stage), stage.heads(), len(stage.nodes) - 1
    for user in idle_users:  # first, so that what looks along the connections meets them
        plan.client(user)
    for room in rooms:
        members = (plan.client(room.teacher, 0), plan.client(room.student, last))
        plan.room(room, heads[room.id], 2, members)
    return plan


def chat(settings):
    """Latency at a fixed rate: 500 rooms of two, both members talk and listen."""
    for nodes in settings.nodes:
        with staged(settings, nodes) as stage:
            rooms = seed_pairs(stage, settings.rooms)
            for number in range(settings.repeat):
                stage.settle()
                run = run_bench(
                    stage, "chat", plan_pairs(stage, rooms), rate=settings.rate, **settings.timing
                )
                yield {"nodes": nodes, "run": number + 1, "rate": settings.rate,
                       **talk_columns(run)}


def _kept_up(run, rate):
    result = run.result
    slowest = max(
        result.get("ack_us", {}).get("p99", 0), result.get("delivery_us", {}).get("p99", 0)
    )
    return (
        result["clean"]
        and result["acks_per_s"] >= rate * KEPT_UP
        and slowest < P99_LIMIT_MS * 1000
    )


def _ceiling(stage, rooms, settings):
    """The highest rate that is kept up, and its run: doubled until it fails, then halved in."""
    good, best, bad, rate = 0, None, None, settings.rate
    while bad is None or bad > good * 1.08:
        stage.settle()
        run = run_bench(stage, "chat", plan_pairs(stage, rooms), rate=rate, **settings.timing)
        if _kept_up(run, rate):
            good, best = rate, run
        else:
            bad = rate
        if bad and bad < 100:
            break
        rate = good * 2 if bad is None else (good + bad) // 2
    return good, best or run


def ceiling(settings):
    """The highest rate with p99 of acks and deliveries under 100 ms: 500 rooms of two."""
    for nodes in settings.nodes:
        with staged(settings, nodes) as stage:
            rooms = seed_pairs(stage, settings.rooms)
            for number in range(settings.repeat):
                rate, run = _ceiling(stage, rooms, settings)
                yield {"nodes": nodes, "run": number + 1, "rate": rate, **talk_columns(run)}


def fanout(settings):
    """One room whose student has many devices; the teacher talks."""
    devices = settings.clients or 1000
    for nodes in settings.nodes:
        with staged(settings, nodes) as stage:
            (room,) = seed_pairs(stage, 1)
            for number in range(settings.repeat):
                plan = Plan(stage)
                members = [plan.client(room.teacher, 0)]
                members += [plan.client(room.student) for _ in range(devices)]
                plan.room(room, stage.heads()[room.id], 1, members)
                stage.settle()
                run = run_bench(stage, "chat", plan, rate=settings.rate, **settings.timing)
                yield {
                    "nodes": nodes, "devices": devices, "run": number + 1, "rate": settings.rate,
                    "gateway us/delivery": f"{run.per_delivery_us('gateway_s'):.2f}",
                    "deliveries/gateway core second":
                        round(1e6 / max(run.per_delivery_us("gateway_s"), 1e-9)),
                    **talk_columns(run),
                }


STUDENTS_PER_TEACHER = 200


def seed_students(stage, count):
    """Students with a room each, of teachers who have many; in the order of the students."""
    students = stage.add_users("student", count)
    teachers = stage.add_users("teacher", -(-count // STUDENTS_PER_TEACHER))
    return stage.add_rooms(
        (teachers[i % len(teachers)], student) for i, student in enumerate(students)
    )


def idle(settings):
    """Memory of idle connections, of users with a room each, and what they cost those that talk."""
    count = settings.clients or 10000
    with staged(settings, 1) as stage:
        rooms = seed_pairs(stage, settings.rooms)
        users = [room.student for room in seed_students(stage, count)]
        alone = Plan(stage)
        for user in users:
            alone.client(user)
        held = run_bench(stage, "idle", alone, seconds=settings.seconds)
        half, full = held.samples["dial"], held.samples["drain"]
        yield {
            "what": f"{count} idle", "all live s": f"{held.result['all_live_us'] / 1e6:.2f}",
            "PSS KiB/connection": f"{(full.pss_kib - half.pss_kib) / (count / 2):.2f}",
            "RSS KiB/connection": f"{(full.rss_kib - half.rss_kib) / (count / 2):.2f}",
            "gateway core": f"{held.share('gateway_s'):.4f}",
            "faults": faults(held.result),
        }
        for number in range(settings.repeat):
            for what, idlers in (("without", ()), ("with", users)):
                stage.settle()
                run = run_bench(
                    stage, "chat", plan_pairs(stage, rooms, idlers), rate=settings.rate,
                    **settings.timing,
                )
                yield {
                    "what": f"chat {what}", "run": number + 1, "rate": settings.rate,
                    "gateway us/delivery": f"{run.per_delivery_us('gateway_s'):.1f}",
                    **talk_columns(run),
                }


HERD_AWAY_S = 3
TALKING_PAIRS = 100
MISSED_PER_S = 500  # sent to those who are away


def plan_herd(stage, rooms):
    """Teachers stay and send; their students listen."""
    plan, heads = Plan(stage), stage.heads()
    sender = {teacher: plan.client(teacher) for teacher in {room.teacher for room in rooms}}
    listener = {room.student: plan.client(room.student) for room in rooms}
    for room in random.sample(rooms, len(rooms)):
        plan.room(room, heads[room.id], 1, (sender[room.teacher], listener[room.student]))
    return plan


def herd(settings):
    """Everyone who listens loses the connection and comes back at once, with cursors. Meanwhile
    others talk, by a generator of their own, whose latencies are told."""
    count = settings.clients or 10000
    for nodes in settings.nodes:
        with staged(settings, nodes) as stage:
            rooms, pairs = seed_students(stage, count), seed_pairs(stage, TALKING_PAIRS)
            for number in range(settings.repeat):
                stage.settle()
                with concurrent.futures.ThreadPoolExecutor(1) as pool:
                    talks = []

                    def talk(phase):
                        if phase == "away":  # its window begins when they come back
                            talks.append(pool.submit(
                                run_bench, stage, "chat", plan_pairs(stage, pairs),
                                rate=settings.rate, warmup=HERD_AWAY_S - 1, seconds=3,
                            ))

                    run = run_bench(stage, "herd", plan_herd(stage, rooms), hook=talk,
                                    rate=MISSED_PER_S, away=HERD_AWAY_S, **settings.timing)
                    talk = talks[0].result()
                result = run.result
                yield {
                    "nodes": nodes, "clients": count, "run": number + 1, "rate": settings.rate,
                    "all live s": f"{result['all_live_us'] / 1e6:.2f}",
                    "live p50 / p99 ms": p50_p99(result.get("live_us")),
                    "resumed": result["resumed"], "dials again": result["retries"],
                    "gateway us/client": f"{run.spent_us('gateway_s') / count:.0f}",
                    "herd's faults": faults(result),
                    **talk_columns(talk),
                }


SCENARIOS = {scenario.__name__: scenario for scenario in (
    chat, ceiling, fanout, idle, herd, big.pages, big.start,
)}
