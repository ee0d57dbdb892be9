from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worktree_runner.core import waves
from worktree_runner.core.waves import effective_waves
from worktree_runner.dialects import load
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.models import Phase, PhaseDir, Plan, Problem, Severity

arrange = partial(waves.arrange, words=load("gsd").words)

DIR = PhaseDir("03", "accounts", "Accounts", ".planning/phases/03-accounts")


def plan(
    number: str,
    wave: int | None = 1,
    after: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
    *,
    done: bool = False,
    gap: bool = False,
    problems: tuple[Problem, ...] = (),
) -> Plan:
    return Plan(
        id=f"03-{number}", phase="03", number=number, path=f"{DIR.path}/03-{number}-PLAN.md",
        summary_path="", title="", objective="", order=(number,), declared_wave=wave,
        wave=1 if wave is None else wave, depends_on=tuple(f"03-{name}" for name in after),
        files=files, files_declared=files, autonomous=True, gap_closure=gap,
        has_checkpoint=False, done=done, tasks=(), text=b"x", problems=problems,
    )  # fmt: skip


def phase(*plans: Plan) -> Phase:
    return Phase(DIR, plans)


def numbers(*plans: Plan) -> list[int]:
    waves, cycles = effective_waves(plans)
    assert cycles == ()
    return [waves[item.id] for item in plans]


def test_effective_wave_is_after_every_dependency() -> None:
    plans = [plan("01", 1), plan("02", 1, ("01",)), plan("03", 5), plan("04", 2, ("03",))]
    assert numbers(*plans) == [1, 2, 5, 6]


def test_missing_waves_follow_the_dependencies_and_zero_is_a_wave() -> None:
    assert numbers(plan("01", None), plan("02", None, ("01",)), plan("03", 0)) == [1, 2, 0]
    assert numbers(plan("01", 0), plan("02", 0, ("01",))) == [0, 1]


def test_order_of_the_files_does_not_matter() -> None:
    assert numbers(plan("01", 1, ("02",)), plan("02", 1, ("03",)), plan("03", 1)) == [3, 2, 1]


def test_cycles_are_named_and_the_rest_keeps_its_wave() -> None:
    plans = [plan("01", 1), plan("02", 2, ("03",)), plan("03", 3, ("02",)), plan("04", 4, ("03",))]
    waves, cycles = effective_waves(plans)
    assert cycles == (("03-02", "03-03", "03-02"),)
    assert [waves[item.id] for item in plans] == [1, 2, 3, 4]


def test_a_plan_that_waits_for_itself_is_a_cycle() -> None:
    assert effective_waves([plan("01", 1, ("01",))])[1] == (("03-01", "03-01"),)


@given(st.data())
def test_every_plan_runs_after_what_it_needs(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    plans = []
    for index in range(count):
        after = data.draw(st.sets(st.integers(0, index - 1))) if index else set()
        declared = data.draw(st.one_of(st.none(), st.integers(0, 5)))
        names = tuple(f"{number:02d}" for number in sorted(after))
        plans.append(plan(f"{index:02d}", declared, names))
    shuffled = data.draw(st.permutations(plans))
    waves, cycles = effective_waves(shuffled)
    assert cycles == ()
    for item in plans:
        assert all(waves[item.id] > waves[dep] for dep in item.depends_on)
        assert waves[item.id] >= (item.declared_wave or 0)


def test_plans_that_share_a_file_form_a_lane_in_plan_order() -> None:
    found = arrange(phase(
        plan("01", files=("a.py", "x.py")), plan("02", files=("b.py",)),
        plan("03", files=("c.py", "src/")), plan("04", files=("a.py",)),
        plan("05", files=("a.py", "src/c.py")), plan("06", 2, files=("a.py",)),
    ))  # fmt: skip
    first, second = found.waves
    assert first.lanes == (("03-01", "03-03", "03-04", "03-05"),)
    assert second.lanes == ()
    assert ("03-03", "03-05", (("src/", "src/c.py"),)) in [
        (item.first, item.second, item.pairs) for item in first.overlaps
    ]


def test_done_plans_are_skipped_and_named() -> None:
    found = arrange(phase(plan("01", done=True), plan("02", 2, ("01",))))
    assert (found.done, [item.id for item in found.plans]) == (("03-01",), ["03-02"])


def test_filters_leave_out_and_name_what_they_leave_out() -> None:
    both = phase(plan("01"), plan("02", gap=True), plan("03"))
    assert arrange(both, gaps_only=True).filtered == ("03-01", "03-03")
    assert [item.id for item in arrange(both, only=["3", "03-01"]).plans] == ["03-01", "03-03"]


def test_only_an_unknown_plan_is_an_error_that_lists_the_plans() -> None:
    with pytest.raises(UsageError) as caught:
        arrange(phase(plan("01"), plan("02")), only=["03-09"])
    assert caught.value.hint == "plans here: 03-01, 03-02"


def test_only_refuses_to_leave_out_what_a_plan_builds_on() -> None:
    with pytest.raises(UsageError, match="03-02 depends on 03-01") as caught:
        arrange(phase(plan("01"), plan("02", 2, ("01",))), only=["02"])
    assert caught.value.hint == "wtrun execute 03 --only 03-01 --only 03-02"


def test_a_wave_is_refused_while_a_lower_one_is_open() -> None:
    both = phase(plan("01"), plan("02", 2), plan("03", 3))
    with pytest.raises(UsageError, match="03-01, 03-02 of lower waves") as caught:
        arrange(both, wave=3)
    assert caught.value.hint == "wtrun execute 03 --wave 1"
    assert [item.id for item in arrange(both, wave=1).plans] == ["03-01"]
    with pytest.raises(UsageError, match="has no wave 9"):
        arrange(both, wave=9)
    with pytest.raises(UsageError, match="has no batch 9"):
        waves.arrange(both, wave=9, words=load("renn").words)


def test_errors_in_plans_stop_the_arrangement_and_warnings_do_not() -> None:
    warned = plan("01", problems=(Problem("a.md", 3, "odd"),))
    assert len(arrange(phase(warned)).plans) == 1
    broken = plan("02", problems=(Problem("b.md", 4, "no wave", Severity.ERROR),))
    with pytest.raises(PreconditionError, match=r"b\.md:4: no wave"):
        arrange(phase(warned, broken))
