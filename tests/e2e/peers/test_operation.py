"""What an operator does while clients are connected: restart the backend, edit the file, stop the sidecar."""

import contextlib
import http.client

from processes import PATIENCE


def test_a_backend_restart(world):
    first = world.backend(echo=True)
    sidecar = world.sidecar(first)
    held = [world.connected(sidecar) for _ in range(3)]
    first.kill()
    for client in held:
        client.expect("closed", code=1014)
        sidecar.expect("connection_closed", reason="upstream_lost")
    refused = world.client(sidecar).expect("refused", status=502)
    assert '"upstream_refused"' in refused["body"]
    sidecar.expect("handshake_failed", reason="upstream_refused", status=502)
    world.backend(port=first.port, echo=True)
    client = world.connected(sidecar)
    client.expect("message", **client.send(text="back again"))


def test_a_refusal_of_the_backend_reaches_the_client(world):
    sidecar = world.sidecar(world.backend())
    world.client(sidecar, path="/forbidden").expect("refused", status=403, body="not for you\n")
    sidecar.expect("handshake_failed", reason="upstream_rejected", status=403)


def test_a_drain(world):
    backend = world.backend()
    sidecar = world.sidecar(backend, drain={"spread": "1s", "timeout": "60s"})
    clients = [world.connected(sidecar) for _ in range(5)]
    sidecar.terminate()
    for client in clients:
        client.expect("closed", code=1001, reason="server is restarting")
        backend.expect("closed", code=1001)
        sidecar.expect("connection_closed", initiator="sidecar", reason="drained")
    sidecar.expect("drained", detail="every connection has ended")
    assert sidecar.process.wait(timeout=PATIENCE) == 0


def test_a_reload_reaches_those_who_are_connected(world):
    patient = {"check_interval": "100ms", "client": {"idle_time": "5m", "ping_interval": "off"}}
    client, sidecar, backend = world.three({"heartbeat": patient}, echo=True)
    impatient = {**patient, "client": {"idle_time": "5s", "ping_interval": "off"}}
    client.expect("message", **client.send(text="idle from now on"))
    sidecar.configure({"heartbeat": impatient, "close": {"client_idle": {"code": 4000, "reason": "say something"}}})
    sidecar.expect("config_reloaded", connections=1)
    client.expect("message", **client.send(text="not dropped"))
    client.expect("closed", code=4000, reason="say something")
    sidecar.expect("connection_closed", reason="client_idle")


def test_a_file_that_is_invalid_changes_nothing(world):
    client, sidecar, backend = world.three(echo=True)
    sidecar.configure({"heartbeet": {}})
    sidecar.expect("config_rejected")
    client.expect("message", **client.send(text="as before"))
    world.connected(sidecar)


def test_plain_http_through_the_same_port(world):
    client, sidecar, backend = world.three(echo=True)
    with contextlib.closing(http.client.HTTPConnection(sidecar.address, timeout=20)) as web:
        for _ in range(2):
            web.request("GET", "/plain")
            answer = web.getresponse()
            assert (answer.status, answer.read()) == (200, b"plain HTTP\n")
        if backend.library == "ws":  # the other one knows GET alone
            body = bytes(range(256)) * 5000
            web.request("POST", "/", body)
            answer = web.getresponse()
            assert (answer.status, answer.read()) == (200, body)
    client.expect("message", **client.send(text="and WebSocket beside it"))
