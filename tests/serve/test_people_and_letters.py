"""Shapes and error texts of the tools about the project, agents and messages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.serve.support import Served
from worktree_runner.core import names

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00\Z")
PROFILE = {
    "id", "name", "program", "model", "task_description", "inception_ts", "last_active_ts",
    "project_id", "attachments_policy",
}  # fmt: skip
MESSAGE = {
    "id", "project_id", "sender_id", "thread_id", "topic", "subject", "importance",
    "ack_required", "created_ts", "attachments", "from",
}  # fmt: skip


def register(served: Served, name: str | None = None, **more: Any) -> str:
    given = {"project_key": str(served.repo.path), "program": "test", "model": "m", **more}
    answer = served.ok("register_agent", name=name, **given)
    return str(answer["name"])


def test_ensure_project_maps_every_path_of_the_repository_to_one_project(served: Served) -> None:
    root = served.repo.path
    first = served.ok("ensure_project", human_key=str(root), identity_mode="directory")
    assert set(first) == {"id", "slug", "human_key", "created_at"}
    assert first["human_key"] == str(root) and STAMP.match(first["created_at"])
    for folder in (root / "src", root / ".worktrees/wt-03-01", root / ".worktrees/wt-03-01/src"):
        assert served.ok("ensure_project", human_key=f"{folder}/") == first
    assert served.ok("list_agents", project_key=first["slug"]) is not None


def test_a_relative_a_foreign_and_an_unknown_project(served: Served, tmp_path: Path) -> None:
    text = served.error("ensure_project", human_key="rel/path")
    assert text.startswith(
        "Error calling tool 'ensure_project': Invalid argument value: human_key must be an "
        "absolute directory path, got: 'rel/path'."
    )
    text = served.error("ensure_project", human_key=str(tmp_path))
    assert "is not part of the repository" in text and str(served.repo.path) in text
    text = served.error("list_agents", project_key="/nope")
    assert text.startswith(
        "Error calling tool 'list_agents': Project '/nope' not found and no similar projects "
        "exist. Use ensure_project to create a new project first."
    )
    assert "placeholder 'YOUR_PROJECT'" in served.error("list_agents", project_key="YOUR_PROJECT")


def test_a_path_that_only_a_container_knows_becomes_a_name_of_the_project(served: Served) -> None:
    answer = served.ok("ensure_project", human_key="/workspace-in-a-container")
    assert answer["human_key"] == str(served.repo.path)
    assert "/workspace-in-a-container" in answer["notice"]
    given = {"project_key": "/workspace-in-a-container", "program": "p", "model": "m"}
    assert served.ok("register_agent", **given)["project_id"] == answer["id"]


def test_register_agent_without_a_name_makes_one_up_and_returns_a_token(served: Served) -> None:
    given = {"project_key": str(served.repo.path), "program": "gsd-executor", "model": "m"}
    answer = served.ok("register_agent", task_description="Executing 03-01", **given)
    assert set(answer) == PROFILE | {"registration_token"}
    assert names.is_safe(answer["name"]) and STAMP.match(answer["inception_ts"])
    assert answer["task_description"] == "Executing 03-01"
    assert served.ok("register_agent", **given)["name"] != answer["name"]
    for bad in ("claude-code", "gsd-executor", "two words", "YOUR_AGENT_NAME"):
        assert served.ok("register_agent", name=bad, **given)["name"] != bad
    assert register(served, "plan-09-01") == "plan-09-01"
    again = served.ok("register_agent", name="PLAN-09-01", **given)
    assert (again["name"], again["program"]) == ("plan-09-01", "gsd-executor")
    token = answer["registration_token"]
    mine = {"project_key": given["project_key"], "agent_name": answer["name"]}
    assert served.ok("fetch_inbox", registration_token=token, **mine) == []
    text = served.error("fetch_inbox", **{**mine, "agent_name": "plan-09-01"},
                        registration_token=token)  # fmt: skip
    assert f"belongs to agent '{answer['name']}'" in text


def test_create_agent_identity_never_reuses_a_name(served: Served, project: str) -> None:
    given = {"project_key": project, "program": "p", "model": "m", "name_hint": "helper-1"}
    found = [served.ok("create_agent_identity", **given)["name"] for _ in range(3)]
    assert found[0] == "helper-1" and len(set(found)) == 3


def test_empty_program_and_model(served: Served, project: str) -> None:
    text = served.error("register_agent", project_key=project, program=" ", model="m")
    assert text.startswith("Error calling tool 'register_agent': program cannot be empty")
    text = served.error("register_agent", project_key=project, program="p", model="")
    assert text.startswith("Error calling tool 'register_agent': model cannot be empty")


def test_whois_and_list_agents(served: Served, project: str) -> None:
    name = register(served, "who-1")
    profile = served.ok("whois", project_key=project, agent_name="WHO-1")
    assert set(profile) == PROFILE | {"recent_commits"} and profile["name"] == name
    listed = served.ok("list_agents", project_key=project, active_within_days=1)
    assert name in [agent["name"] for agent in listed]
    text = served.error("whois", project_key=project, agent_name="NoSuch")
    assert text.startswith(
        f"Error calling tool 'whois': Agent 'NoSuch' not found in project '{project}'. "
        "Available agents: '"
    )
    assert "Use register_agent" in text


def test_retired_agents_are_listed_no_more_and_come_back(served: Served, project: str) -> None:
    name = register(served, "gone-1")
    for tool in ("retire_agent", "deregister_agent"):
        assert served.ok(tool, project_key=project, agent_name=name)["retired_ts"]
    listed = [agent["name"] for agent in served.ok("list_agents", project_key=project)]
    assert name not in listed
    assert served.ok("unretire_agent", project_key=project, agent_name=name)["retired_ts"] is None


def test_send_reply_read_and_acknowledge(served: Served, project: str) -> None:
    one, two, three = (register(served, f"mail-{n}") for n in (1, 2, 3))
    sent = served.ok(
        "send_message",
        project_key=project,
        sender_name=one,
        to=[two],
        cc=[three],
        subject="[gsd-03-01] Plan FAILED",
        thread_id="gsd-03-01",
        importance="high",
        ack_required=True,
        body_md="## Plan Failed: 03-01\n",
        format="json",
    )
    assert set(sent) == {"deliveries", "count", "verified_sender", "attachments"}
    assert (sent["count"], sent["verified_sender"]) == (1, False)
    (delivery,) = sent["deliveries"]
    assert delivery["project"] == project
    message = delivery["payload"]
    assert set(message) == MESSAGE | {"body_md", "to", "cc", "bcc"}
    assert (message["to"], message["cc"], message["from"]) == ([two], [three], one)
    number = message["id"]

    (received,) = served.ok("fetch_inbox", project_key=project, agent_name=two)
    assert set(received) == MESSAGE | {"kind"} and received["kind"] == "to"
    bodies = served.ok("fetch_inbox", project_key=project, agent_name=three, include_bodies=True)
    assert (bodies[0]["kind"], bodies[0]["body_md"]) == ("cc", "## Plan Failed: 03-01\n")

    mine = {"project_key": project, "agent_name": two, "message_id": number}
    read = served.ok("mark_message_read", **mine)
    assert set(read) == {"message_id", "read", "read_at"} and read["read"] is True
    taken = served.ok("acknowledge_message", **mine)
    assert set(taken) == {"message_id", "acknowledged", "acknowledged_at", "read_at"}
    assert taken["read_at"] == read["read_at"] and STAMP.match(taken["acknowledged_at"])

    reply = served.ok(
        "reply_message", project_key=project, message_id=number, sender_name=two, body_md="ok"
    )
    assert set(reply) == MESSAGE | {"body_md", "to", "cc", "bcc", "reply_to", "deliveries", "count"}
    assert reply["subject"] == "Re: [gsd-03-01] Plan FAILED" and reply["to"] == [one]
    assert (reply["thread_id"], reply["importance"], reply["ack_required"]) == (
        "gsd-03-01", "high", True,
    )  # fmt: skip
    assert reply["reply_to"] == number


def test_lists_may_be_one_string_or_json_and_null_is_the_default(
    served: Served, project: str
) -> None:
    one, two = register(served, "loose-1"), register(served, "loose-2")
    given = {"project_key": project, "sender_name": one, "body_md": "b", "cc": None, "limit": None}
    for to in (two, f'["{two}"]', [two]):
        sent = served.ok("send_message", to=to, subject="s", **given)
        assert sent["deliveries"][0]["payload"]["to"] == [two]


def test_broadcast_reaches_everybody_else(served: Served, project: str) -> None:
    one = register(served, "cast-1")
    sent = served.ok("send_message", project_key=project, sender_name=one, to=[], subject="all",
                     body_md="b", broadcast=True)  # fmt: skip
    everybody = {agent["name"] for agent in served.ok("list_agents", project_key=project)}
    assert set(sent["deliveries"][0]["payload"]["to"]) == everybody - {one}


def test_errors_of_messages(served: Served, project: str) -> None:
    one = register(served, "wrong-1")
    given = {"project_key": project, "sender_name": one, "subject": "s", "body_md": "b"}
    text = served.error("send_message", to=["Nobody"], **given)
    assert text.startswith(
        "Error calling tool 'send_message': Unable to send message - local recipients Nobody are "
        f"not registered in project '{project}'; Use resource://agents/"
    )
    assert "importance" in served.error("send_message", to=[one], importance="x", **given)
    assert "recipient" in served.error("send_message", to=[], **given)
    assert "subject cannot be empty" in served.error(
        "send_message", to=[one], **{**given, "subject": ""}
    )
    mine = {"project_key": project, "agent_name": one}
    assert "Message 99999 not found" in served.error(
        "acknowledge_message", message_id=99999, **mine
    )
    assert "ISO-8601" in served.error("fetch_inbox", since_ts="yesterday", **mine)
    text = served.error("send_message", project_key=project)
    assert text.startswith("4 validation errors for call[send_message]\nsender_name\n")
    text = served.error("fetch_inbox", limit="many", **mine)
    assert text.startswith("1 validation error for call[fetch_inbox]\nlimit\n")


def test_search(served: Served, project: str) -> None:
    one = register(served, "search-1")
    served.ok("send_message", project_key=project, sender_name=one, to=[one],
              subject="zebra crossing", body_md="stripes")  # fmt: skip
    (found,) = served.ok("search_messages", project_key=project, query="zebra OR giraffe")
    assert set(found) == {
        "id", "subject", "importance", "ack_required", "created_ts", "thread_id", "from",
    }  # fmt: skip
    assert served.ok("search_messages", project_key=project, query="zebra NOT stripes") == []


def test_contacts_are_always_approved(served: Served, project: str) -> None:
    one, two = register(served, "con-1"), register(served, "con-2")
    link = served.ok("request_contact", project_key=project, from_agent=one, to_agent=two)
    assert link["status"] == "approved"
    answer = served.ok("respond_contact", project_key=project, to_agent=two, from_agent=one,
                       accept=True)  # fmt: skip
    assert answer["approved"] is True
    listed = served.ok("list_contacts", project_key=project, agent_name=one)
    assert two in [contact["to"] for contact in listed]
    policy = {"project_key": project, "agent_name": one, "policy": "contacts_only"}
    assert served.ok("set_contact_policy", **policy)["policy"] == "open"


def test_an_absent_tool_names_its_substitute(served: Served) -> None:
    assert "Use resource://thread/" in served.error("summarize_thread")
    assert served.error("no_such_tool") == "Unknown tool: 'no_such_tool'."


@pytest.mark.parametrize("bodies", ["", "?include_bodies=true"])
def test_resources(served: Served, project: str, bodies: str) -> None:
    one = register(served, "res-1")
    sent = served.ok("send_message", project_key=project, sender_name=one, to=[one], subject="s",
                     body_md="body", thread_id=f"res{len(bodies)}")  # fmt: skip
    number = sent["deliveries"][0]["payload"]["id"]

    def read(uri: str) -> Any:
        import json

        status, answer = served.rpc("resources/read", {"uri": uri})
        assert status == 200 and "result" in answer, answer
        (content,) = answer["result"]["contents"]
        assert content["mimeType"] == "application/json" and content["uri"] == uri
        return json.loads(content["text"])

    slug = served.ok("ensure_project", human_key=project)["slug"]
    for key in (slug, project, project.replace("/", "%2F")):
        agents = read(f"resource://agents/{key}")
        assert agents["project"] == {"slug": slug, "human_key": project}
        mine = next(agent for agent in agents["agents"] if agent["name"] == one)
        assert mine["unread_count"] >= 1
    inbox = read(f"resource://inbox/{one}{bodies}")
    assert (inbox["agent"], inbox["messages"][0]["id"]) == (one, number)
    assert ("body_md" in inbox["messages"][0]) is bool(bodies)
    thread = read(f"resource://thread/res{len(bodies)}{bodies}")
    assert [message["id"] for message in thread["messages"]] == [number]
    assert ("body_md" in thread["messages"][0]) is bool(bodies)
    assert read(f"resource://message/{number}")["body_md"] == "body"
    assert read("resource://tooling/projects")[0]["slug"] == slug
    assert one in [agent["name"] for agent in read(f"resource://project/{slug}")["agents"]]
    status, answer = served.rpc("resources/read", {"uri": "resource://nothing/x"})
    assert status == 200 and answer["error"]["code"] == -32602
