"""How it looks: in light and dark, on a desk and on a phone. The pictures are in target/page."""

import pytest
from conftest import look
from playwright.sync_api import expect

SCREENS = {
    "light": {"scheme": "light"},
    "dark": {"scheme": "dark"},
    "laptop": {"width": 1200, "height": 760, "scheme": "light"},
    "phone": {"width": 390, "height": 844, "scheme": "light", "has_touch": True, "is_mobile": True},
    "dark phone": {"width": 390, "height": 844, "scheme": "dark", "has_touch": True, "is_mobile": True},
}


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_overlaps_and_everything_can_be_read(desk, screen):
    capture = {"app": [{"preset": "json", "capture": ["version", "device"]}]}
    sidecar = desk.start(desk.backend(), heartbeat=capture)
    clients = [desk.client(sidecar, f"/chat/with/a/rather/long/path/{nth}" * (1 + nth % 2)) for nth in range(12)]
    beat = '{"type":"ping","version":"2.1.%d","device":"a phone with a name that is longer than the column"}'
    for nth, client in enumerate(clients):
        client.send = client.do("send", text=beat % nth)
        client.expect("message")
    for client in clients[:4]:
        client.do("close", code=4000, reason="a reason of the client's that goes on and on and on, up to some hundred bytes")
        client.expect("closed")
    page = desk.open(sidecar, **SCREENS[screen])
    expect(page.locator("#reasons")).to_contain_text("client_closed")
    name = screen.replace(" ", "-")
    problems = {"overview": look(page, f"{name}-overview")}
    page.goto(f"http://{sidecar.admin}/#connections")
    rows = page.locator("#connections-table tbody tr")
    expect(rows).to_have_count(8)
    problems["connections"] = look(page, f"{name}-connections")
    rows.first.get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_contain_text("captured version")
    problems["connection"] = look(page, f"{name}-connection")
    page.get_by_role("button", name="Close…").click()
    problems["question"] = look(page, f"{name}-question")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.goto(f"http://{sidecar.admin}/#closings")
    rows = page.locator("#closings-table tbody tr")
    expect(rows).to_have_count(4)
    problems["closings"] = look(page, f"{name}-closings")
    rows.first.get_by_role("button").click()
    problems["record"] = look(page, f"{name}-record")
    page.keyboard.press("Escape")
    sidecar.configure({"admin": {"listen": sidecar.admin}, "limitz": {}})
    page.goto(f"http://{sidecar.admin}/#configuration")
    expect(page.locator("#notices")).to_contain_text("rejected")
    problems["configuration"] = look(page, f"{name}-configuration")
    assert not any(problems.values()), problems
