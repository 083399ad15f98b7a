"""The container files name what the code really has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from dispatch.warnings.public_process import PORT
from psn import settings

ROOT = Path(__file__).resolve().parent.parent


def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def filled(text: str) -> str:
    """The text with every ``${NAME:-default}`` replaced by its default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def test_the_server_is_given_settings_that_it_accepts() -> None:
    for name in ("server", "migrate"):
        given = compose()["services"][name]["environment"]
        read = settings.load({key: filled(value) for key, value in given.items()})
        assert read.host == "0.0.0.0"
        assert settings.suspicious(given) == []


def test_the_address_of_the_database_is_that_of_its_container() -> None:
    services = compose()["services"]
    made = services["database"]["environment"]
    user, password = filled(made["POSTGRES_USER"]), filled(made["POSTGRES_PASSWORD"])
    wanted = f"postgresql://{user}:{password}@database:5432/{made['POSTGRES_DB']}"
    assert filled(services["server"]["environment"]["PSN_DATABASE"]) == wanted
    assert "ports" not in services["database"]


def test_published_port_and_health_check_are_those_the_server_listens_on() -> None:
    server = compose()["services"]["server"]
    port = server["environment"]["PSN_PORT"]
    (published,) = server["ports"]
    assert filled(published) == f"127.0.0.1:8080:{port}"
    assert f":{port}/readyz" in server["healthcheck"]["test"][-1]


def test_the_public_is_served_from_the_database_alone_on_a_port_of_its_own() -> None:
    services = compose()["services"]
    public = services["public"]
    assert "volumes" not in public, "it has no use for keys"
    given = {key: filled(value) for key, value in public["environment"].items()}
    assert given == {"PSN_DATABASE": filled(services["server"]["environment"]["PSN_DATABASE"])}
    (published,) = public["ports"]
    assert filled(published) == f"127.0.0.1:{PORT}:{PORT}"
    assert f":{PORT}/healthz" in public["healthcheck"]["test"][-1]


def test_everything_the_image_copies_exists_and_is_let_through() -> None:
    let_through = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")
    }
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
    names = [name for line in copied for name in line.split()]
    assert "psn" in names
    for name in names:
        assert (ROOT / name).exists(), name
        assert name.split("/")[0] in let_through, name


def test_every_room_is_in_the_image() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    rooms = [path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"]
    assert {"psn", "geo", "dispatch"} <= set(rooms)
    assert [room for room in rooms if f"COPY {room} {room}\n" not in dockerfile] == []
