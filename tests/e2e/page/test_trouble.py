"""What the page says when something is wrong."""

import re

from playwright.sync_api import expect


def test_a_sidecar_that_is_lost_and_comes_back(desk):
    backend = desk.backend()
    sidecar = desk.start(backend)
    desk.client(sidecar)
    page = desk.open(sidecar)
    expect(page.locator("#connections-table tbody tr")).to_have_count(1)
    page.watch.expect("net::ERR")
    sidecar.kill()
    expect(page.locator("#state")).to_have_text("No answer")
    expect(page.locator("#notices")).to_contain_text("No answer from the sidecar, since")
    expect(page.locator("#connections-table tbody tr")).to_have_count(1)
    # It waits longer each time: at most 1 + 2 + 4 seconds pass until it says 8.
    expect(page.locator("#notices")).to_contain_text(re.compile(r"Trying again in [78] s"))
    failed = [what for what in page.watch.seen if "ERR" in what and "/api/" in what]
    assert len(failed) < 12, failed
    desk.start(backend, admin=sidecar.admin)
    page.get_by_role("button", name="Try now").click()
    expect(page.locator("#state")).to_have_text("Serving")
    expect(page.locator("#notices")).to_contain_text("The sidecar started anew")
    expect(page.locator("#connections-empty")).to_have_text("Nobody is connected.")
    page.get_by_role("button", name="Understood").click()
    expect(page.locator("#notices")).to_be_empty()


def test_a_backend_that_is_down(desk):
    backend = desk.backend()
    sidecar = desk.start(backend)
    desk.client(sidecar)
    page = desk.open(sidecar)
    expect(page.locator("#backends")).to_contain_text("up")
    backend.kill()
    expect(page.locator("#reasons")).to_contain_text("upstream_lost")
    # Health is passive: whoever comes next finds out.
    refused = desk.peer(connect=f"ws://{sidecar.address}/")
    refused.expect("refused", status=502)
    expect(page.locator("#state")).to_have_text("Backend down")
    expect(page.locator("#notices")).to_contain_text(f"Backend 127.0.0.1:{backend.port} has been down since")
    expect(page.locator("#handshakes")).to_contain_text("upstream_refused")


def test_a_drain(desk):
    times = {"drain": {"spread": "0s", "timeout": "90s"}, "limits": {"close_timeout": "80s"}}
    sidecar = desk.start(desk.backend(), **times)
    clients = [desk.client(sidecar) for _ in range(3)]
    page = desk.open(sidecar)
    expect(page.locator("#connections-table tbody tr")).to_have_count(3)
    page.watch.expect("net::ERR")
    clients[0].freeze()  # who does not answer keeps it from ending while the page is looked at
    desk.call(sidecar, "/api/drain", method="POST")
    expect(page.locator("#state")).to_have_text("Draining")
    expect(page.locator("#notices")).to_contain_text("of 3 connections left")
    expect(page.get_by_role("progressbar", name="Drained")).to_be_visible()
    clients[0].thaw()
    for client in clients:
        client.expect("closed", code=1001, reason="server is restarting")
    expect(page.locator("#state")).to_have_text("No answer")


def test_nearly_full(desk):
    sidecar = desk.start(desk.backend(), limits={"max_connections": 2})
    page = desk.open(sidecar)
    expect(page.locator("#state")).to_have_text("Serving")
    clients = [desk.client(sidecar) for _ in range(2)]
    expect(page.locator("#notices")).to_contain_text("Full: 2 connections is the limit")
    for client in clients:
        client.do("close", code=1000, reason="")
    expect(page.locator("#notices")).to_be_empty()


# Counts the calls that begin while the page is paused: in the page itself, so that none is seen late.
COUNT_CALLS_WHILE_PAUSED = """() => {
    const { fetch } = window;
    window.askedWhilePaused = [];
    window.fetch = (...call) => {
        if (document.getElementById('pause').getAttribute('aria-pressed') === 'true') askedWhilePaused.push(call[0]);
        return fetch(...call);
    };
}"""


def test_a_page_that_nobody_looks_at_is_quiet(desk):
    sidecar = desk.start(desk.backend())
    page = desk.open(sidecar)
    expect(page.locator("#configuration-text")).not_to_be_empty()
    page.evaluate(COUNT_CALLS_WHILE_PAUSED)
    page.keyboard.press("l")
    expect(page.locator("#state")).to_have_text("Paused")
    client = desk.client(sidecar)
    page.wait_for_timeout(3000)  # nothing is to happen for a round and a half
    assert page.evaluate("askedWhilePaused") == []
    page.keyboard.press("l")
    expect(page.locator("#connections-table tbody tr")).to_have_count(1)
    client.do("close", code=1000, reason="")
    expect(page.locator("#feed")).to_contain_text("client_closed")


def test_a_pause_in_the_middle_of_a_round_of_calls_ends_it(desk):
    sidecar = desk.start(desk.backend())
    held = []
    page = desk.open(sidecar, hold=("**/api/connections?*", lambda route: held.append(route)))
    expect(page.locator("#state")).to_have_text("Serving")
    page.evaluate(COUNT_CALLS_WHILE_PAUSED)
    page.keyboard.press("l")
    expect(page.locator("#state")).to_have_text("Paused")
    while not held:
        page.wait_for_timeout(10)
    held[0].continue_()
    page.unroute("**/api/connections?*")
    # This round's answer is taken, and the configuration, which would have been asked for next, is not.
    expect(page.locator("#connections-empty")).to_have_text("Nobody is connected.")
    assert page.evaluate("askedWhilePaused") == []
    page.keyboard.press("l")
    expect(page.locator("#configuration-text")).not_to_be_empty()


def test_a_pause_in_the_middle_of_a_round_ends_the_feed_that_has_just_begun(desk):
    sidecar = desk.start(desk.backend())
    held = []

    def hold(route):
        # The stream, and the table that is asked for in the round after it.
        if held or "/api/events" in route.request.url:
            held.append(route)
        else:
            route.continue_()

    page = desk.open(sidecar, hold=(re.compile(r"/api/(connections|events)\?"), hold))
    while len(held) < 2:
        page.wait_for_timeout(10)
    page.evaluate(COUNT_CALLS_WHILE_PAUSED)
    page.keyboard.press("l")
    expect(page.locator("#state")).to_have_text("Paused")
    desk.client(sidecar)
    for route in held:
        route.continue_()
    expect(page.locator("#connections-table tbody tr")).to_have_count(1)
    assert page.evaluate("askedWhilePaused") == []
