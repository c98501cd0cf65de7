"""permessage-deflate (RFC 7692): agreed between client and backend, and heartbeats answered within it."""

import json
import re

import pytest

MIB = 1024 * 1024
NO_CONTEXT = "client_no_context_takeover"
QUIET = {"client": {"ping_interval": "off"}, "upstream": {"keepalive": "off"}}
JSON_RULE = {"heartbeat": {**QUIET, "app": [{"preset": "json"}]}}

MESSAGES = [
    {"text": ""},
    {"text": "again and again"},
    {"text": "again and again"},
    {"text": "żółw 心跳 🫀"},
    {"kind": "binary", "size": 0},
    {"kind": "binary", "size": 126},
    {"kind": "text", "size": 900},
    {"kind": "text", "size": 65535},
    {"kind": "binary", "size": 65536},
    {"kind": "text", "size": 1000, "fragments": 7},
    {"kind": "text", "size": 3, "fragments": 10},
    {"kind": "text", "size": MIB},
    {"text": "again and again"},
]

# (what the client offers, what the backend wants, what must be in the answer)
DEFLATE = [
    ([{}], {}, []),
    ([{"client_max_window_bits": True}], {"client_max_window_bits": 10}, ["client_max_window_bits=10"]),
    ([{"client_max_window_bits": 11}], {}, []),
    ([{"server_max_window_bits": 10}], {}, ["server_max_window_bits=10"]),
    ([{"server_no_context_takeover": True}], {}, ["server_no_context_takeover"]),
    ([{"client_no_context_takeover": True}], {"server_no_context_takeover": True}, ["server_no_context_takeover"]),
    ([{"server_max_window_bits": 9}, {"client_max_window_bits": True}, {}], {}, []),
]


def offered(world, offers):
    return offers[:1] if world.client_library == "ws" else offers  # that library offers one at a time


def echoed(client, backend, messages=MESSAGES):
    """All of these, there and back."""
    for message in messages:
        sent = client.send(**message)
        backend.expect("message", **sent)
        client.expect("message", **sent)


def beat(client, number):
    """A heartbeat whose answer the client can read."""
    client.send(text=json.dumps({"type": "ping", "id": number}))
    pong = json.loads(client.expect("message", kind="text")["text"])
    assert (pong["type"], pong["id"]) == ("pong", number)
    assert pong["timestamp"] > 1_700_000_000


def closed(client, sidecar, **fields):
    client.do("close", code=1000, reason="")
    return sidecar.expect("connection_closed", reason="client_closed", mid_frame=False, **fields)


@pytest.mark.parametrize(("offers", "wants", "agreed"), DEFLATE)
def test_permessage_deflate_passes_through(world, offers, wants, agreed):
    client, sidecar, backend = world.three(client={"offers": offered(world, offers)}, deflate=wants, echo=True)
    assert client.opened["offer"] == backend.opened["offer"], "the offers arrive unchanged"
    assert client.opened["answer"] == backend.opened["answer"], "and so does the answer"
    for parameter in ["permessage-deflate", *agreed]:
        assert parameter in client.opened["answer"]
    sidecar.expect("connection_opened", compressed=True)
    echoed(client, backend)
    plain = sum(told["size"] for told in client.seen if told["event"] == "sent")
    record = closed(client, sidecar)
    assert record["client_messages"] == record["upstream_messages"] == len(MESSAGES)
    assert max(record["client_bytes"], record["upstream_bytes"]) < plain - MIB / 2, "nothing was compressed"


def test_a_declined_offer_stays_declined(world):
    client, sidecar, backend = world.three(JSON_RULE, client={"offers": [{}]}, echo=True)
    assert "permessage-deflate" in backend.opened["offer"]
    assert client.opened["answer"] == ""
    sidecar.expect("connection_opened", compressed=False)
    echoed(client, backend, [{"kind": "text", "size": 5000}])
    beat(client, 1)
    closed(client, sidecar, app_heartbeats=1, client_messages=1)


@pytest.mark.parametrize(("offers", "wants", "agreed"), DEFLATE)
def test_heartbeats_are_answered_and_the_rest_is_untouched(world, offers, wants, agreed):
    client, sidecar, backend = world.three(JSON_RULE, {"offers": offered(world, offers)}, deflate=wants, echo=True)
    asked = [offer if NO_CONTEXT in offer else f"{offer}; {NO_CONTEXT}" for offer in client.opened["offer"].split(", ")]
    assert backend.opened["offer"] == ", ".join(asked)
    assert client.opened["answer"] == backend.opened["answer"]
    for parameter in ["permessage-deflate", NO_CONTEXT, *agreed]:
        assert client.opened["answer"].count(parameter) == 1
    beat(client, 0)
    for number in (1, 2):
        echoed(client, backend)
        beat(client, number)
        beat(client, number)  # the same bytes again: a kept context would refer to the first
        client.expect("message", **backend.send(text="again and again"))
    record = closed(client, sidecar, app_heartbeats=5)
    assert record["client_messages"] == 2 * len(MESSAGES)
    assert record["upstream_messages"] == 2 * len(MESSAGES) + 2


@pytest.mark.parametrize("offers", [[{}], [{"client_max_window_bits": True}], [{NO_CONTEXT: True}]])
def test_a_backend_that_does_not_hear_the_parameter(world, offers):
    """RFC 7692 section 7.1.1.2: a client has to keep no context when it is told so, unasked too."""
    client, sidecar, backend = world.three(JSON_RULE, {"offers": offers}, deflate={}, deaf=True, echo=True)
    assert NO_CONTEXT not in backend.opened["answer"]
    assert client.opened["answer"] == f"{backend.opened['answer']}; {NO_CONTEXT}"
    for number in range(2):
        beat(client, number)
        echoed(client, backend)
        beat(client, number)
    closed(client, sidecar, app_heartbeats=4, client_messages=2 * len(MESSAGES))


@pytest.mark.parametrize("fragments", [2, 5])
def test_a_heartbeat_in_fragments_is_the_backends(world, fragments):
    client, sidecar, backend = world.three(JSON_RULE, {"offers": [{}]}, deflate={})
    backend.expect("message", **client.send(text='{"type":"ping"}', fragments=fragments))
    beat(client, 1)
    closed(client, sidecar, app_heartbeats=1, client_messages=1)


def test_a_rule_looks_no_further_than_its_size(world):
    rule = {"heartbeat": {**QUIET, "app": [{"name": "zeros", "match": {"json": {"type": "ping"}}, "max_size": "100B"}]}}
    client, sidecar, backend = world.three(rule, {"offers": [{}]}, deflate={})
    fits, longer = ('{"type":"ping","pad":"' + "0" * (size - 24) + '"}' for size in (100, 101))
    client.send(text=fits)
    backend.expect("message", **client.send(text=longer))  # on the wire it is a third of that
    closed(client, sidecar, app_heartbeats=1, client_messages=1)


@pytest.mark.parametrize("server_no_context_takeover", [True, False])
def test_an_answer_of_the_backend_is_kept_back_where_it_can_be_read(world, server_no_context_takeover):
    rules = {"heartbeat": {**QUIET, "app": [{"preset": "text", "forward": "always"}]}}
    wants = {"server_no_context_takeover": True} if server_no_context_takeover else {}
    client, sidecar, backend = world.three(rules, {"offers": [{}]}, deflate=wants)
    client.expect("message", **backend.send(text="pong and more"))
    for _ in range(3):
        ping = client.send(text="ping")
        client.expect("message", text="pong")
        backend.expect("message", **ping)
        pong = backend.send(text="pong")
        if not server_no_context_takeover:
            client.expect("message", **pong)
        client.expect("message", **backend.send(text="pong and more"))
    closed(client, sidecar, app_heartbeats=3)


@pytest.mark.parametrize("settings", [{}, JSON_RULE], ids=["no rules", "rules"])
@pytest.mark.parametrize("deflate", [None, {}], ids=["backend without", "backend with"])
def test_strip(world, settings, deflate):
    client, sidecar, backend = world.three({**settings, "compression": "strip"}, {"offers": [{}]}, deflate=deflate, echo=True)
    assert "permessage-deflate" in client.opened["offer"]
    assert backend.opened["offer"] == client.opened["answer"] == ""
    sidecar.expect("connection_opened", compressed=False)
    echoed(client, backend)
    if settings:
        beat(client, 1)
    record = closed(client, sidecar)
    plain = sum(told["size"] for told in backend.seen if told["event"] == "message")
    assert record["client_bytes"] >= record["upstream_bytes"] == plain


def test_rules_that_come_and_go_while_clients_are_connected(world):
    client, sidecar, backend = world.three({"heartbeat": QUIET}, {"offers": [{}]}, deflate={}, echo=True)
    assert NO_CONTEXT not in client.opened["answer"]
    ping = {"text": '{"type":"ping"}'}
    echoed(client, backend, [ping, *MESSAGES, ping])
    sidecar.configure(JSON_RULE)
    sidecar.expect("config_reloaded", connections=1)
    echoed(client, backend, [ping, *MESSAGES, ping])  # with a context in use nobody can look into them
    closed(client, sidecar, app_heartbeats=0)

    client = world.connected(sidecar, offers=[{}])
    backend.opened = backend.expect("opened")
    beat(client, 1)
    sidecar.configure({"heartbeat": QUIET})
    sidecar.expect("config_reloaded", connections=1)
    echoed(client, backend, [ping, *MESSAGES, ping])
    sidecar.configure(JSON_RULE)
    sidecar.expect("config_reloaded", connections=1)
    beat(client, 2)
    echoed(client, backend)
    closed(client, sidecar, app_heartbeats=2, client_messages=2 * len(MESSAGES) + 2)


def test_heartbeats_are_no_messages_for_activity_message(world):
    client = {"activity": "message", "idle_time": "5s", "ping_interval": "off"}
    upstream = {"ping_interval": "300ms", "pong_timeout": "30s"}
    beats = {"check_interval": "100ms", "client": client, "upstream": upstream, "app": [{"preset": "json"}]}
    client, sidecar, backend = world.three({"heartbeat": beats}, {"offers": [{}]}, deflate={})
    for number in range(4):
        backend.expect("ping")  # a clock
        beat(client, number)
    client.expect("closed", code=1001, reason="idle timeout")
    record = sidecar.expect("connection_closed", reason="client_idle", app_heartbeats=4, client_messages=0)
    note = "4 heartbeats came, which do not count under `activity: message`"
    waited = float(re.fullmatch(rf"no message received for ([0-9.]+)s \({note}\)", record["detail"])[1]) * 1000
    assert waited - 300 > record["client_idle_ms"], "since the opening, and the last of them came after four pings"


def test_the_applications_answer_to_app_ping_may_be_compressed(world):
    app_ping = {"text": "are you there", "expect": {"json": {"type": "here"}}}
    client = {"ping_interval": "200ms", "pong_timeout": "30s", "app_ping": app_ping}
    beats = {"check_interval": "50ms", "client": client, "upstream": {"keepalive": "off"}}
    client, sidecar, backend = world.three({"heartbeat": beats}, {"offers": [{}]}, deflate={})
    assert NO_CONTEXT in client.opened["answer"]
    for _ in range(3):
        client.expect("message", text="are you there")
        client.send(text='{"type":"here"}')
    backend.expect("message", **client.send(text="business"))
    record = closed(client, sidecar, client_messages=1)
    assert record["pongs_received"] >= 3 and record["rtt_ms"] is not None


ROUNDS, BEATS = 30, 8  # a peer that asks for more than a few answers and does not read them loses some


def test_heartbeats_among_many_messages(world):
    """Nothing is lost, changed or reordered while both sides talk at once and the client's heartbeats come between."""
    client, sidecar, backend = world.three(JSON_RULE, {"offers": [{}]}, deflate={}, echo=True)
    pongs, came = [], []
    for number in range(ROUNDS):
        for beats in range(BEATS):
            client.do("send", text=json.dumps({"type": "ping", "id": number * BEATS + beats}))
            client.do("send", kind="text", size=number * 40)
            client.do("send", text=f"message {number} " * 3)
        for _ in range(3 * BEATS):
            told = client.expect("message")
            if told.get("text", "").startswith("{"):
                pongs.append(json.loads(told["text"])["id"])
            else:
                came.append(told["sha256"])
    while client.told("sent") < ROUNDS * BEATS * 3:
        client.expect("sent")
    sent = [told for told in client.seen if told["event"] == "sent"]
    sent = [told["sha256"] for told in sent if not told.get("text", "").startswith("{")]
    assert pongs == list(range(ROUNDS * BEATS))
    assert came == sent
    assert [backend.expect("message")["sha256"] for _ in sent] == sent
    closed(client, sidecar, app_heartbeats=len(pongs), client_messages=len(sent), upstream_messages=len(sent))
