"""How connections end: whoever ends it, the other one and the log get to know who and why."""

import time

import pytest

CLOSES = [
    ({"code": 1000, "reason": ""}, {"code": 1000, "reason": ""}),
    ({"code": 1000, "reason": "done"}, {"code": 1000, "reason": "done"}),
    ({"code": 4001, "reason": "żółw 心跳"}, {"code": 4001, "reason": "żółw 心跳"}),
    ({"code": 1001, "reason": "r" * 123}, {"code": 1001, "reason": "r" * 123}),
    ({}, {"code": 1005, "reason": ""}),
]
QUIET = {"upstream": {"keepalive": "off"}}
HASTE = {"limits": {"close_timeout": "500ms"}}


@pytest.mark.parametrize(("close", "seen"), CLOSES, ids=["1000", "reason", "4001", "longest", "none"])
@pytest.mark.parametrize("closing", ["client", "upstream"])
def test_a_close_frame_goes_through_and_comes_back(world, closing, close, seen):
    client, sidecar, backend = world.three()
    closer = client if closing == "client" else backend
    closer.do("close", **close)
    for peer in (client, backend):
        peer.expect("closed", **seen)
    frames = {"received": seen, "sent": seen}
    sidecar.expect(
        "connection_closed",
        initiator=closing,
        reason=f"{closing}_closed",
        mid_frame=False,
        client_close=frames,
        upstream_close=frames,
    )


def test_messages_before_a_close_frame_arrive(world):
    client, _, backend = world.three()
    sent = [client.send(kind="binary", size=100_000) for _ in range(20)]
    client.do("close", code=1000, reason="")
    for message in sent:
        backend.expect("message", **message)
    backend.expect("closed", code=1000)


def test_a_killed_client(world):
    client, sidecar, backend = world.three()
    client.kill()
    backend.expect("closed", code=1001)
    sidecar.expect("connection_closed", initiator="client", reason="client_lost", mid_frame=False)


def test_a_killed_backend(world):
    client, sidecar, backend = world.three()
    backend.kill()
    client.expect("closed", code=1014)
    sidecar.expect("connection_closed", initiator="upstream", reason="upstream_lost", mid_frame=False)


def test_a_backend_killed_between_two_fragments(world):
    client, sidecar, backend = world.three()
    backend.do("raw", hex="0103616263")  # "abc", and more to follow
    backend.expect("written")
    backend.kill()
    client.expect("closed", code=1014)
    sidecar.expect("connection_closed", reason="upstream_lost", mid_frame=False, upstream_bytes=3)


def test_a_backend_killed_inside_a_frame(world):
    client, sidecar, backend = world.three()
    backend.do("raw", hex="817e1000616263")  # 3 of 4,096 bytes: a Close frame now would be taken for the rest
    backend.expect("written")
    backend.kill()
    client.expect("closed", code=1006)
    sidecar.expect("connection_closed", reason="upstream_lost", mid_frame=True)


def test_a_client_killed_inside_a_frame(world):
    client, sidecar, backend = world.three()
    client.do("raw", hex="81fe100000000000616263")
    client.expect("written")
    client.kill()
    backend.expect("closed", code=1006)
    sidecar.expect("connection_closed", reason="client_lost", mid_frame=True)


def test_a_client_that_breaks_the_protocol(world):
    client, sidecar, backend = world.three()
    client.do("raw", hex="8100")  # not masked
    client.expect("closed", code=1002)
    backend.expect("closed", code=1001)
    sidecar.expect("connection_closed", initiator="client", reason="client_protocol_error")


@pytest.mark.parametrize("sender", ["client", "upstream"])
@pytest.mark.parametrize("limit", ["max_frame", "max_message"])
def test_a_message_that_is_too_big(world, sender, limit):
    client, sidecar, backend = world.three({"limits": {limit: "64KiB"}})
    sending, other = (client, backend) if sender == "client" else (backend, client)
    other.expect("message", **sending.send(kind="binary", size=65536))
    sending.do("send", kind="binary", size=65537)
    sending.expect("closed", code=1009)
    other.expect("closed", code=1001 if sender == "client" else 1014)
    sidecar.expect("connection_closed", initiator=sender, reason=f"{sender}_too_big")


def test_a_backend_that_breaks_the_protocol(world):
    client, sidecar, backend = world.three()
    backend.do("raw", hex="8300")  # opcode 3 is reserved
    client.expect("closed", code=1014)
    backend.expect("closed", code=1002)
    sidecar.expect("connection_closed", initiator="upstream", reason="upstream_protocol_error")


def test_a_client_without_a_sign_of_life_is_told(world):
    idle = {"check_interval": "100ms", "client": {"idle_time": "3s", "ping_interval": "off"}, **QUIET}
    client, sidecar, backend = world.three({"heartbeat": idle}, echo=True)
    before = time.monotonic()
    client.expect("message", **client.send(text="the last word"))
    client.expect("closed", code=1001, reason="idle timeout")
    assert time.monotonic() - before >= 3, "not before idle_time"
    backend.expect("closed", code=1001)
    closed = sidecar.expect("connection_closed", initiator="sidecar", reason="client_idle")
    assert 3000 <= closed["client_idle_ms"]


def test_pings_keep_a_client_that_says_nothing(world):
    alive = {"check_interval": "50ms", "client": {"idle_time": "3s", "ping_interval": "200ms"}, **QUIET}
    client, sidecar, backend = world.three({"heartbeat": alive}, echo=True)
    for _ in range(18):
        client.expect("ping")  # and the library answers
    client.expect("message", **client.send(text="still here"))
    client.do("close", code=1000, reason="")
    closed = sidecar.expect("connection_closed", reason="client_closed", missed_pongs=0)
    assert closed["pings_sent"] >= closed["pongs_received"] >= 17
    assert closed["duration_ms"] > 3000, "more than idle_time"
    assert closed["rtt_ms"] is not None
    backend.expect("closed")
    assert backend.told("ping") == 0


def test_a_client_that_hangs_is_found_by_its_missing_pongs(world):
    strict = {"ping_interval": "200ms", "pong_timeout": "300ms", "missed_pongs": 2}
    client, sidecar, backend = world.three({"heartbeat": {"check_interval": "50ms", "client": strict, **QUIET}, **HASTE})
    client.freeze()
    sidecar.expect("connection_closed", reason="client_pong_timeout", missed_pongs=2)
    backend.expect("closed", code=1001)


def test_a_backend_that_hangs_is_found_by_its_missing_pongs(world):
    strict = {"ping_interval": "200ms", "pong_timeout": "300ms", "missed_pongs": 2}
    client, sidecar, backend = world.three({"heartbeat": {"check_interval": "50ms", "upstream": strict}, **HASTE})
    backend.freeze()
    client.expect("closed", code=1014)
    sidecar.expect("connection_closed", initiator="sidecar", reason="upstream_pong_timeout")
