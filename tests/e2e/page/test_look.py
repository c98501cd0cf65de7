"""How it looks: in light and dark, on a desk and on a phone. The pictures are in target/page."""

import pytest
from conftest import look
from playwright.sync_api import expect

DESK = {"light": (1440, 900, "light"), "dark": (1440, 900, "dark"), "laptop": (1200, 760, "light")}
PHONE = {"phone": (390, 844, "light"), "phone-dark": (390, 844, "dark")}


def looks(page, screens, view):
    """What is wrong with a view on each of the screens."""
    problems = {}
    for screen, (width, height, scheme) in screens.items():
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        problems[f"{screen} {view}"] = look(page, f"{screen}-{view}")
    return problems


@pytest.mark.parametrize("screens, options", [(DESK, {}), (PHONE, {"has_touch": True, "is_mobile": True})], ids=["desk", "phone"])
def test_nothing_overlaps_and_everything_can_be_read(desk, screens, options):
    capture = {"app": [{"preset": "json", "capture": ["version", "device"]}]}
    sidecar = desk.start(desk.backend(), heartbeat=capture)
    clients = [desk.client(sidecar, f"/chat/with/a/rather/long/path/{nth}" * (1 + nth % 2)) for nth in range(5)]
    beat = '{"type":"ping","version":"2.1.%d","device":"a phone with a name that is longer than the column"}'
    for nth, client in enumerate(clients):
        client.do("send", text=beat % nth)
        client.expect("message")
    for client in clients[:2]:
        client.do("close", code=4000, reason="a reason of the client's that goes on and on and on, up to some hundred bytes")
        client.expect("closed")

    width, height, scheme = next(iter(screens.values()))
    page = desk.open(sidecar, width=width, height=height, scheme=scheme, **options)
    expect(page.locator("#reasons")).to_contain_text("client_closed")
    problems = looks(page, screens, "overview")
    page.goto(f"http://{sidecar.admin}/#connections")
    rows = page.locator("#connections-table tbody tr")
    expect(rows).to_have_count(3)
    problems |= looks(page, screens, "connections")
    rows.first.get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_contain_text("captured version")
    problems |= looks(page, screens, "connection")
    page.get_by_role("button", name="Close…").click()
    problems |= looks(page, screens, "question")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.goto(f"http://{sidecar.admin}/#closings")
    rows = page.locator("#closings-table tbody tr")
    expect(rows).to_have_count(2)
    problems |= looks(page, screens, "closings")
    rows.first.get_by_role("button").click()
    problems |= looks(page, screens, "record")
    page.keyboard.press("Escape")
    sidecar.configure({"admin": {"listen": "127.0.0.1:0"}, "limitz": {}})
    page.goto(f"http://{sidecar.admin}/#configuration")
    expect(page.locator("#notices")).to_contain_text("rejected")
    problems |= looks(page, screens, "configuration")
    assert not any(problems.values()), {view: wrong for view, wrong in problems.items() if wrong}
