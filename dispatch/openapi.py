"""The OpenAPI document, made from the table of routes that also serves them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from dispatch.asking import Route
from psn import __version__

_TEXTS = frozenset({"actor", "action", "object", "viewer", "id", "language", "q", "near", "by"})
"""Query parameters that are no whole numbers."""


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The API as an OpenAPI 3.1 document."""
    used = [kind for r in routes for kind in (r.returns, r.takes) if kind is not None]
    types = list(dict.fromkeys(used))
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    by_type: dict[type | None, dict[str, Any]] = dict(zip(types, schemas, strict=True))
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type)
    components["Problem"] = {
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {
                    **{name: {"type": "string"} for name in ("code", "text", "todo")},
                    "retry": {"type": "integer"},
                    "kinds": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["code", "text", "todo"],
            }
        },
        "required": ["error"],
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Public Safety Network of Belize",
            "version": __version__,
            "description": "History and administration; live traffic is on /ws, docs/wire.md.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, by_type: dict[type | None, dict[str, Any]]) -> dict[str, Any]:
    problem = {
        "description": "Refused: a code, a sentence, what to do.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    refusals = {"400", "503"}
    if not route.open:
        refusals |= {"401", "403", "404", "423"}
    if route.method != "GET":
        refusals |= {"403", "409", "429"}
    operation: dict[str, Any] = {
        "summary": (route.handler.__doc__ or "").strip(),
        "operationId": route.handler.__name__,
        "security": [] if route.open else [{"session": []}],
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in re.findall(r"{(\w+)}", route.path)
            ),
            *(
                {
                    "name": name,
                    "in": "query",
                    "required": False,
                    "schema": {"type": "string" if name in _TEXTS else "integer"},
                }
                for name in route.query
            ),
            *(
                {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
                for name in route.headers
            ),
        ],
    }
    if route.headers:
        refusals |= {"412", "413", "507"}
    if route.streams is not None:
        refusals |= {"408", "413", "415"}
        operation["requestBody"] = {"content": {route.streams: {"schema": _BYTES}}}
    if route.takes is not None:
        refusals |= {"408", "413", "415"}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": by_type[route.takes]}},
        }
    if route.gives:
        refusals |= {"409"}
    operation["responses"] = _done(route, by_type) | dict.fromkeys(sorted(refusals), problem)
    if route.method == "HEAD":
        operation["responses"] = {
            status: {"description": said["description"]}
            for status, said in operation["responses"].items()
        }
    return operation


_BYTES = {"type": "string", "format": "binary"}


def _done(route: Route, by_type: dict[type | None, dict[str, Any]]) -> dict[str, Any]:
    """The answers of a route when all is well, by status."""
    if route.gives:
        file = {"content": {kind: {"schema": _BYTES} for kind in route.gives}}
        return {
            "200": {"description": "The file.", **file},
            "206": {"description": "The part of it that Range asks for.", **file},
            "304": {"description": "The file has not changed."},
            "416": {"description": "The file has no such part."},
        }
    if route.status == 204 or (route.status != 200 and route.returns is None):
        return {str(route.status): {"description": "Done."}}
    schema = by_type.get(route.returns, {"type": "object"})
    return {"200": {"description": "Done.", "content": {"application/json": {"schema": schema}}}}
