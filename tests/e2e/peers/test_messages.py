"""Messages, pings and what the opening handshake agrees on arrive as they were sent."""

import pytest

MIB = 1024 * 1024

MESSAGES = [
    {"text": "hello"},
    {"text": ""},
    {"text": "żółw 心跳 🫀"},
    {"kind": "binary", "size": 0},
    {"kind": "binary", "size": 125},
    {"kind": "binary", "size": 126},
    {"kind": "text", "size": 65535},
    {"kind": "binary", "size": 65536},
    {"kind": "text", "size": 1000, "fragments": 7},
    {"kind": "binary", "size": 200_000, "fragments": 20},
    {"kind": "text", "size": 3, "fragments": 10},
    {"kind": "binary", "size": MIB},
    {"kind": "text", "size": MIB},
    {"kind": "binary", "size": 16 * MIB},
    {"kind": "binary", "size": 16 * MIB, "fragments": 5},
]


def test_echo(world):
    client, sidecar, backend = world.three(echo=True)
    for message in MESSAGES:
        sent = client.send(**message)
        backend.expect("message", **sent)
        client.expect("message", **sent)
    client.do("close", code=1000, reason="")
    closed = sidecar.expect("connection_closed", reason="client_closed")
    assert closed["client_messages"] == closed["upstream_messages"] == len(MESSAGES)


def test_the_backend_may_speak_first_and_in_fragments(world):
    client, _, backend = world.three()
    for message in MESSAGES:
        client.expect("message", **backend.send(**message))


@pytest.mark.parametrize(("known", "chosen"), [(["chat.v2", "other"], "chat.v2"), (["other"], None), (None, None)])
def test_the_backend_chooses_the_subprotocol(world, known, chosen):
    offered = ["chat.v1", "chat.v2"]
    backend = world.backend(subprotocols=known)
    sidecar = world.sidecar(backend)
    client = world.client(sidecar, subprotocols=offered)
    backend.expect("opened", subprotocol=chosen)
    sidecar.expect("connection_opened", subprotocol=chosen)
    if chosen is None and client.library == "ws":
        client.expect("failed", message="Server sent no subprotocol")  # this library insists on one
    else:
        client.expect("opened", subprotocol=chosen)


def test_pings_are_answered_by_the_sidecar(world):
    client, sidecar, backend = world.three({"heartbeat": {"client": {"ping_interval": "off"}, "upstream": {"keepalive": "off"}}})
    for peer in (client, backend):
        peer.do("ping", payload="are you there")
        peer.expect("pong", payload="are you there")
    client.do("close", code=1000, reason="")
    sidecar.expect("connection_closed", pings_answered=1, upstream_pings_answered=1)
    for peer in (client, backend):
        peer.expect("closed")
        assert peer.told("ping") == 0, "it went through"


def test_pings_are_forwarded(world):
    forward = {"answer_pings": "forward"}
    settings = {"client": {"ping_interval": "off", **forward}, "upstream": {"keepalive": "off", **forward}}
    client, sidecar, backend = world.three({"heartbeat": settings})
    for asking, asked in ((client, backend), (backend, client)):
        asking.do("ping", payload="end to end")
        asked.expect("ping", payload="end to end")
        asking.expect("pong", payload="end to end")
    client.do("close", code=1000, reason="")
    sidecar.expect("connection_closed", pings_answered=0, upstream_pings_answered=0)
    for peer in (client, backend):
        peer.expect("closed")
        assert (peer.told("ping"), peer.told("pong")) == (1, 1), "none twice"


COUNT = 5000


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
def test_integrity(world, compressed):
    """Random messages in both directions at once, while everybody pings everybody."""
    often = {"ping_interval": "10ms", "pong_timeout": "30s"}
    settings = {
        "heartbeat": {"check_interval": "10ms", "client": often, "upstream": often},
        "limits": {"pings_per_second": 1000},
    }
    flow = {"flow": COUNT}
    client = {"offers": [{}], **flow} if compressed else flow
    client, sidecar, backend = world.three(settings, client, **flow, deflate={} if compressed else None)
    at_client, at_backend = (peer.expect("flowed", patience=120) for peer in (client, backend))
    assert at_client["sent"] == at_backend["received"]
    assert at_backend["sent"] == at_client["received"]
    client.do("close", code=1000, reason="")
    closed = sidecar.expect("connection_closed", reason="client_closed")
    assert closed["client_messages"] == closed["upstream_messages"] == COUNT
    for pings in ("pings_sent", "upstream_pings_sent", "pings_answered", "upstream_pings_answered"):
        assert closed[pings] > 0, pings
