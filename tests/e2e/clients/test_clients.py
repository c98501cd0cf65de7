"""Presets against the libraries that they are for."""

import dataclasses

import pytest
from conftest import Library

LIBRARIES = {
    "socket.io 4": Library(
        "socketio.mjs",
        "engine.io",
        {"protocol": 4, "transports": ["websocket"]},
        lost={"why": "ping timeout"},
        closed={"why": "transport close", "code": 1001},
    ),
    "socket.io 2": Library(
        "socketio.mjs",
        "engine.io",
        {"protocol": 3, "transports": ["websocket"]},
        lost={"why": "ping timeout"},
        closed={"why": "transport close"},
    ),
    "phoenix": Library(
        "phoenix.mjs",
        "phoenix",
        {"token": "t"},
        period=2000,  # and as long for the reply
        subprotocol="phoenix",
        lost={"why": "heartbeat timeout. Attempting to re-establish connection"},
        closed={"why": "idle timeout", "code": 1001},
    ),
    "phoenix, V1": Library(
        "phoenix.mjs",
        "phoenix",
        {"version": 1},
        period=2000,
        lost={"why": "heartbeat timeout. Attempting to re-establish connection"},
        closed={"why": "idle timeout", "code": 1001},
    ),
    "graphql-ws": Library(
        "graphql.mjs",
        "graphql-ws",
        subprotocol="graphql-transport-ws",
        lost={"why": "Terminated", "code": 4499},
        closed={"why": "idle timeout", "code": 1001},
    ),
    "graphql-ws, compressed": Library(
        "graphql.mjs",
        "graphql-ws",
        {"deflate": True},
        subprotocol="graphql-transport-ws",
        connected={"extensions": "permessage-deflate"},
        lost={"why": "Terminated", "code": 4499},
        closed={"why": "idle timeout", "code": 1001},
    ),
    "pusher": Library("pusher.mjs", "pusher", lost={"why": "connecting"}, closed={"why": "connecting"}),
    "signalr": Library(
        "signalr.mjs",
        "signalr",
        lost={"why": "Server timeout elapsed without receiving a message from the server."},
        closed={"why": "WebSocket closed with status code: 1001 (idle timeout)."},
    ),
    "signalr, MessagePack": Library(
        "signalr.mjs",
        "signalr",
        {"encoding": "messagepack"},
        lost={"why": "Server timeout elapsed without receiving a message from the server."},
        closed={"why": "WebSocket closed with status code: 1001 (idle timeout)."},
    ),
    "stomp": Library(
        "stomp.mjs",
        "stomp",
        subprotocol="v12.stomp",
        lost={"why": "heartbeat lost"},
        closed={"why": "idle timeout", "code": 1001},
    ),
    "mqtt": Library("mqtt.mjs", "mqtt", period=2000, subprotocol="mqtt", lost={"why": "Keepalive timeout"}),
    "centrifuge": Library(
        "centrifuge.mjs",
        "centrifugo",
        lost={"why": "no ping", "code": 2},
        closed={"why": "transport closed", "code": 1},
    ),
    "actioncable": Library(
        "actioncable.mjs",
        "actioncable",
        subprotocol="actioncable-v1-json",
        answers=False,
        lost={"why": "stale"},
        closed={"why": "disconnected"},
    ),
}
ASKING = ["phoenix", "phoenix, V1", "graphql-ws", "graphql-ws, compressed", "pusher"]
ASKING_ONE_THAT_LISTENS = ["socket.io 2", "mqtt"]
ASKED = ["socket.io 4", "signalr", "signalr, MessagePack", "stomp", "centrifuge", "actioncable"]


def libraries(*names):
    return pytest.mark.parametrize("library", [LIBRARIES[name] for name in names], ids=names)


def presets(names):
    """Each library with the preset that bears its name, and with that which goes by the subprotocol, if it has one."""
    each = [pytest.param(LIBRARIES[name], LIBRARIES[name].preset, id=name) for name in names]
    spoken = [name for name in names if LIBRARIES[name].subprotocol]
    auto = [pytest.param(LIBRARIES[name], "auto", id=f"{name}, auto") for name in spoken]
    return pytest.mark.parametrize(("library", "preset"), each + auto)


def talk(client, backend):
    """A message through both, and back."""
    client.do("say", text="business as usual")
    backend.expect("message", text="business as usual")
    client.expect("message", text="business as usual")
    assert client.told("lost") == 0


def leave(client, sidecar):
    client.do("close")
    return sidecar.expect("connection_closed")


@presets(ASKING)
def test_heartbeats_that_are_answered_here_do_not_reach_the_backend(trio, library, preset):
    client, sidecar, backend = trio.three(library, preset)
    assert backend.opened["subprotocol"] == library.subprotocol
    assert client.opened == {**client.opened, **library.connected}
    backend.freeze()
    for _ in range(library.enough):
        client.expect("heartbeat")
    backend.thaw()
    talk(client, backend)
    record = leave(client, sidecar)
    assert record["reason"] == "client_closed"
    assert record["app_heartbeats"] >= client.told("heartbeat")
    assert backend.told("heartbeat") == 0


@presets(ASKING_ONE_THAT_LISTENS)
def test_heartbeats_that_the_backend_waits_for_reach_it_and_are_answered_once(trio, library, preset):
    client, sidecar, backend = trio.three(library, preset)
    for _ in range(library.enough):
        client.expect("heartbeat")
        assert client.told("heartbeat") <= client.told("asked")
        backend.expect("heartbeat")
    talk(client, backend)
    record = leave(client, sidecar)
    assert record["app_heartbeats"] >= client.told("heartbeat")


@presets(ASKED)
def test_heartbeats_of_both_sides_go_through_and_are_counted(trio, library, preset):
    client, sidecar, backend = trio.three(library, preset)
    for _ in range(library.enough):
        client.expect("heartbeat")
        if library.answers:
            backend.expect("heartbeat")
    talk(client, backend)
    record = leave(client, sidecar)
    assert record["app_heartbeats"] >= client.told("heartbeat") + backend.told("heartbeat")


@libraries("socket.io 4", "socket.io 2")
def test_a_session_that_begins_by_polling_is_left_alone_until_it_is_a_websocket(trio, library):
    polling_first = {**library.options, "transports": ["polling", "websocket"]}
    client, sidecar, backend = trio.three(dataclasses.replace(library, options=polling_first))
    if not client.told("upgraded"):  # before it was connected
        client.expect("upgraded")
    for _ in range(library.enough):
        client.expect("heartbeat")
    talk(client, backend)
    assert leave(client, sidecar)["app_heartbeats"] >= 2


@libraries(*LIBRARIES)
def test_a_client_notices_that_the_sidecar_hangs(trio, library):
    client, sidecar, backend = trio.three(library)
    client.expect("heartbeat")
    sidecar.freeze()
    client.expect("lost", **library.lost)


@libraries(*ASKED)
def test_a_client_that_is_asked_notices_that_the_backend_hangs(trio, library):
    client, sidecar, backend = trio.three(library)
    client.expect("heartbeat")
    backend.freeze()
    client.expect("lost", **library.lost)


@libraries(*ASKING, *ASKING_ONE_THAT_LISTENS)
def test_without_the_rule_a_client_that_asks_notices_that_the_backend_hangs(trio, library):
    client, sidecar, backend = trio.three(library)
    backend.freeze()
    for _ in range(2):
        client.expect("heartbeat")
    sidecar.configure({"heartbeat": trio.heartbeat(preset=None)})
    sidecar.expect("config_reloaded")
    client.expect("lost", **library.lost)


@libraries(*LIBRARIES)
def test_heartbeats_are_no_messages(trio, library):
    idle_time = 3 * library.period + 3000
    client, sidecar, backend = trio.three(library, client={"activity": "message", "idle_time": f"{idle_time}ms"})
    client.expect("lost", **library.closed)
    assert client.told("heartbeat") >= 2
    record = sidecar.expect("connection_closed", reason="client_idle")
    assert record["app_heartbeats"] >= 2
