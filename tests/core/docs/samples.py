"""Small planning documents in the forms that real projects have, written for these tests."""

from __future__ import annotations

import difflib
from dataclasses import replace

from worktree_runner.core.docs.facts import (
    Decision,
    PhaseRef,
    Position,
    Progress,
    StateFacts,
)

STATE = """\
---
gsd_state_version: 1.0
milestone: v1.0
status: executing
stopped_at: Planned phase 3
last_updated: "2026-01-02T03:04:05Z"
last_activity: 2026-01-02 -- Planned: phase 3
progress:
  total_phases: 4
  completed_phases: 2
  total_plans: 6
  completed_plans: 3
  percent: 50
---

# Project State

## Project Reference

**Core value:** Small things work
**Current focus:** Phase 3 — API

## Current Position

Phase: 3 of 4 (API)
Plan: 1 of 3 in current phase
Status: Ready to execute
Last activity: 2026-01-02 — Planned phase 3

Progress: [█████░░░░░] 50%

## Accumulated Context

### Decisions

Recent decisions:

- [Phase 2]: Keep rows immutable
  because undo needs them

### Blockers/Concerns

None yet.

## Session Continuity

Last session: 2026-01-02
Stopped at: Planned phase 3
Resume file: .planning/phases/03-api/03-CONTEXT.md
"""

FACTS = StateFacts(
    phase=PhaseRef("03", "API"),
    position=Position.PARTIAL,
    plans_done=2,
    plans_total=3,
    date="2026-02-03",
    now="2026-02-03T04:05:06Z",
    activity="Executed 2 of 3 plans: one failed",
    decisions=(Decision("Use cursor paging", "03-01"),),
    blockers=("03-03 failed: tests are red",),
    worktrees=(".worktrees/wt-03-03",),
    checkpoints=("03-02 human-verify",),
    wave="2 of 2",
    progress=Progress(4, 2, 6, 4),
    plan="03-02",
)

COMPLETE = replace(
    FACTS,
    position=Position.COMPLETE,
    plans_done=3,
    next_phase=PhaseRef("04", "Screens"),
    finished=("03-01", "03-03"),
    blockers=(),
    worktrees=(),
    checkpoints=(),
    wave="",
)

ROADMAP = """\
# Roadmap: Demo

## Phases

<details>
<summary>✅ v1.0 (Phases 1-3) - SHIPPED 2026-01-01</summary>

- [x] **Phase 1: Old base** - gone (completed 2025-12-01)
- [ ] **Phase 3: Old API** - gone
  - [ ] 03-01-PLAN.md — old

| Phase | Plans Complete | Status | Completed |
|-------|----------------|--------|-----------|
| 3. Old API | 0/2 | Not started | - |

</details>

### 🚧 v1.1 New things (In Progress)

- [x] **Phase 1: Base** - ground - completed 2026-01-05
- [ ] **Phase 2: Store** - rows
- [ ] **Phase 2.1: Fix** (INSERTED) - urgent
- [ ] **Phase 3: API** - the wire

## Phase Details

### Phase 2: Store
**Goal**: Rows live
**Plans**: 2 plans

Plans:
- [ ] 02-01-PLAN.md — tables

### Phase 2.1: Fix (INSERTED)
**Goal:** Nothing breaks
on Mondays
**Plans:** TBD

### Phase 3: API
**Goal**: The wire works
**Depends on**: Phase 2, Phase 2.1
**Requirements**: [API-01, API-02..04], TBD
**Success Criteria** (what must be TRUE):
  1. Calls answer
  2. Errors tell
**Plans**: 3 plans in 2 waves

Plans:
- [x] 03-01-PLAN.md — server
- [ ] [03-02-PLAN.md](phases/03-api/03-02-PLAN.md) — client
- [ ] **03-03**: docs
- [ ] 13-02-PLAN.md — not mine

```
- [ ] 03-02-PLAN.md in a fence
```

## Progress

| Phase     | Plans Complete | Status      | Completed  |
|-----------|----------------|-------------|------------|
| 1. Base   | 1/1            | ✅ Complete | 2026-01-05 |
| 2. Store  | 0/2            | Not started | -          |
| 2.1. Fix  | 0/?            | Blocked     | -          |
| 3. API    | 1/3            | In Progress |            |
"""

REQUIREMENTS = """\
# Requirements

- [ ] **API-01**: Calls answer
- [x] **API-02**: Errors tell
- [ ] **API-10**: Not this one
- [ ] **API-01b**: Nor this

## Traceability

| Requirement | Phase | Status |
|-------------|-------|--------|
| API-01 | Phase 3 | Pending |
| API-02 | Phase 3 | Complete |
| API-03..04 | Phase 3 | In Progress |
| API-05 | Phase 2 | Pending |
| API-10 | Phase 3 | Pending |
| API-06 | Phase 3 | Dropped |
"""


def changed_lines(before: bytes, after: bytes) -> list[str]:
    """The lines that differ, as `-old` and `+new`."""
    old, new = (text.decode("utf-8", "surrogateescape").split("\n") for text in (before, after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    found: list[str] = []
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind != "equal":
            found += [f"-{line}" for line in old[i1:i2]] + [f"+{line}" for line in new[j1:j2]]
    return found
