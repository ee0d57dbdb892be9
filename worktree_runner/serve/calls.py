"""Tools as plain functions: how one is declared, described, checked and answered.

- A tool is a function `(desk, caller, *, parameters)` with typed keyword parameters; the schema
  that clients see and the check of arguments both come from its signature.
- Unknown arguments are ignored (`format` and what later versions add), a single string is taken
  for a list of one, null for a parameter's default.
- A ToolError is what the calling model reads: one text that says what to do instead.
"""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, create_model

Body = Callable[..., Any]
BodyT = TypeVar("BodyT", bound=Body)


class ToolError(Exception):
    """A call that can't be answered; the text goes to the model as it is."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the agent that its token is bound to, if it gave one of ours."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A declared tool; `schema` is its JSON schema, `model` the check of its arguments."""

    name: str
    description: str
    body: Body
    model: type[BaseModel]
    schema: Mapping[str, Any]
    read_only: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The two forms of a result: an object for programs and the text that models read."""

    structured: dict[str, Any] | None
    text: str
    is_error: bool = False


def declare(
    description: str, table: dict[str, Tool], *, read_only: bool = False
) -> Callable[[BodyT], BodyT]:
    """A decorator that puts the function into `table` under its own name."""

    def add(body: BodyT) -> BodyT:
        hints = get_type_hints(body)
        fields: dict[str, Any] = {
            name: (_checked(hints[name]), _default(parameter))
            for name, parameter in inspect.signature(body).parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }
        config = ConfigDict(extra="ignore")
        # the title is the first line of the error that clients see
        model = create_model(f"call[{body.__name__}]", __config__=config, **fields)
        schema = _schema(body, hints)
        table[body.__name__] = Tool(body.__name__, description, body, model, schema, read_only)
        return body

    return add


def call(tool: Tool, desk: Any, caller: Caller, arguments: Mapping[str, Any]) -> Answer:
    """The tool's answer; a ToolError and arguments of a wrong type become an error answer."""
    given = {key: value for key, value in arguments.items() if value is not None}
    try:
        checked = tool.model.model_validate(given)
    except ValidationError as error:
        lines = (line for line in str(error).splitlines() if "errors.pydantic.dev" not in line)
        return Answer(None, "\n".join(lines), is_error=True)
    try:
        result = tool.body(desk, caller, **{key: getattr(checked, key) for key in checked.__dict__})
    except ToolError as error:
        return Answer(None, f"Error calling tool '{tool.name}': {error}", is_error=True)
    structured = {"result": result} if isinstance(result, list) else result
    return Answer(structured, json.dumps(result, ensure_ascii=False, separators=(",", ":")))


def _default(parameter: inspect.Parameter) -> Any:
    return ... if parameter.default is inspect.Parameter.empty else parameter.default


def _checked(hint: Any) -> Any:
    """The type to check against: lists also take one string or a list written as JSON."""
    return Annotated[hint, BeforeValidator(_as_list)] if list[str] in _parts(hint) else hint


def _as_list(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            return [value]
    return [value]


def _parts(hint: Any) -> tuple[Any, ...]:
    is_union = get_origin(hint) in (Union, types.UnionType)
    return get_args(hint) if is_union else (hint,)


_SIMPLE = {str: "string", int: "integer", bool: "boolean"}


def _schema(body: Body, hints: Mapping[str, Any]) -> dict[str, Any]:
    """A small schema: clients put all of them into every model's context."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for name, parameter in inspect.signature(body).parameters.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        properties[name] = _type_schema(hints[name])
        if parameter.default is inspect.Parameter.empty:
            required.append(name)
        elif parameter.default not in (None, ""):
            properties[name]["default"] = parameter.default
    return {"type": "object", "properties": properties, "required": required}


def _type_schema(hint: Any) -> dict[str, Any]:
    hint = next(part for part in _parts(hint) if part is not type(None))
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    if get_origin(hint) is list:
        return {"type": "array", "items": _type_schema(get_args(hint)[0])}
    return {"type": _SIMPLE[hint]}
