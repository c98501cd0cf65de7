"""What an operator does: finds one of many, looks, pings, closes, reads why others ended."""

import re

from conftest import QUIET
from playwright.sync_api import expect


def rows(page, table="connections"):
    return page.locator(f"#{table}-table tbody tr")


def focused(page):
    """The text of what has the focus, or its id."""
    return page.evaluate("document.activeElement.id || document.activeElement.textContent")


def test_one_is_found_opened_pinged_and_closed(desk):
    backend = desk.backend()
    sidecar = desk.start(backend)
    clients = {path: desk.client(sidecar, path) for path in ["/chat", "/news", "/needle"]}
    page = desk.open(sidecar)
    expect(page.locator("#state")).to_have_text("Serving")
    expect(rows(page)).to_have_count(3)
    expect(page.locator("#connections-count")).to_have_text("3")
    expect(page.locator("#backends")).to_contain_text(f"up 127.0.0.1:{backend.port}")

    page.get_by_label("Search connections").fill("NEEDLE")
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#connections-count")).to_have_text("1 of 3")
    rows(page).get_by_role("button").click()
    window = page.locator("#detail")
    expect(window).to_contain_text("/needle")

    for button, name in [("Ping client", "client"), ("Ping backend", "backend")]:
        window.get_by_role("button", name=button).click()
        expect(window.get_by_role("status")).to_have_text(re.compile(rf"The {name} answered in [\d.]+ ms"))
    clients["/needle"].expect("ping")

    window.get_by_role("button", name="Close…").click()
    question = page.get_by_role("dialog", name="Close this connection?")
    page.watch.expect("status of 400")
    question.get_by_label("Code").fill("1006")
    question.get_by_role("button", name="Close the connection").click()
    expect(question.get_by_role("alert")).to_contain_text("Not closed: code: must be a code that a Close frame may carry")
    expect(question.get_by_label("Code")).to_be_focused()
    question.get_by_label("Reason").fill("é" * 62)
    expect(question).to_contain_text("124 of at most 123 bytes")
    question.get_by_label("Code").fill("4001")
    question.get_by_label("Reason").fill("you know why")
    page.watch.expect("status of 404")  # that of the connection, once it has ended
    question.get_by_role("button", name="Close the connection").click()

    clients["/needle"].expect("closed", code=4001, reason="you know why")
    ended = sidecar.expect("connection_closed", reason="killed", path="/needle")
    expect(window).to_contain_text("killed by sidecar")
    expect(window).to_contain_text("4001 “you know why”")
    window.get_by_text("The log line").click()
    expect(window.locator("pre")).to_contain_text(f'"conn": "{ended["conn"]}"')
    page.keyboard.press("Escape")
    expect(rows(page)).to_have_count(0)
    expect(page.locator("#connections-empty")).to_have_text("None of 2 connections matches “NEEDLE”.")

    page.get_by_role("link", name="Closings").click()
    expect(rows(page, "closings")).to_have_count(1)
    expect(rows(page, "closings")).to_contain_text("killed by sidecar")
    expect(page.locator("#feed")).to_contain_text("killed")
    expect(page.locator("#reasons")).to_contain_text("An operator closed it")
    rows(page, "closings").get_by_role("button").click()
    expect(window.locator(".legs")).to_contain_text("4001 “you know why”")


def test_a_close_without_words_sends_what_the_configuration_says(desk):
    sidecar = desk.start(desk.backend(), close={"killed": {"code": 4100, "reason": "as configured"}})
    client = desk.client(sidecar)
    page = desk.open(sidecar)
    rows(page).get_by_role("button").click()
    page.get_by_role("button", name="Close…").click()
    expect(page.get_by_label("Code")).to_have_attribute("placeholder", "4100")
    expect(page.get_by_role("textbox", name="Reason")).to_have_attribute("placeholder", "as configured")
    page.get_by_role("button", name="Keep it open").click()
    expect(page.get_by_role("button", name="Close…")).to_be_focused()
    page.get_by_role("button", name="Close…").click()
    page.watch.expect("status of 404")
    page.get_by_role("button", name="Close the connection").click()
    client.expect("closed", code=4100, reason="as configured")
    expect(page.locator("#detail")).to_contain_text("4100 “as configured”")


def test_the_keyboard_is_enough(desk):
    sidecar = desk.start(desk.backend())
    clients = {path: desk.client(sidecar, path) for path in ["/a", "/b", "/c"]}
    page = desk.open(sidecar)
    expect(rows(page)).to_have_count(3)
    press = page.keyboard.press
    order = []
    for _ in range(20):
        press("Tab")
        order.append(focused(page).strip())
    stops = ["Skip to the table", "Connections", "Closings", "Configuration", "pause", "show-keys", "search", "Client", "Age"]
    assert [stop for stop in order if stop in stops][: len(stops)] == stops, order
    addresses = rows(page).locator("button.open").all_inner_texts()
    assert len({stop for stop in order if stop in addresses}) == 1, "one stop for all rows"

    press("/")
    assert focused(page) == "search"
    press("ArrowDown")
    assert focused(page) == addresses[0]
    press("ArrowDown")
    press("ArrowDown")
    press("ArrowDown")
    assert focused(page) == addresses[2]
    press("Home")
    assert focused(page) == addresses[0]
    press("End")
    press("ArrowUp")
    assert focused(page) == addresses[1]
    press("Enter")
    window = page.locator("#detail")
    expect(window).to_contain_text("/b")  # the newest is first
    press("c")
    expect(window.get_by_role("status")).to_contain_text("The client answered in")
    press("x")
    expect(page.get_by_label("Code")).to_be_focused()
    page.keyboard.type("4002")
    press("Tab")
    page.keyboard.type("typed; x and c are letters here")
    page.watch.expect("status of 404")
    press("Enter")
    clients["/b"].expect("closed", code=4002, reason="typed; x and c are letters here")
    expect(window).to_contain_text("killed by sidecar")
    expect(rows(page)).to_have_count(2)
    press("Escape")
    expect(window).to_be_hidden()
    expect(rows(page).locator("button.open:focus")).to_have_count(1)  # where the table was left

    press("2")
    expect(rows(page, "closings")).to_have_count(1)
    press("3")
    expect(page.locator("#configuration-text")).to_contain_text("idle_time: 60s")
    press("l")
    expect(page.locator("#state")).to_have_text("Paused")
    press("l")
    expect(page.locator("#state")).to_have_text("Serving")
    press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("pings the client")
    press("1")
    expect(keys).to_be_visible()
    keys.get_by_label("Single keys are shortcuts").uncheck()
    press("Escape")
    press("1")
    expect(page.locator("#view-configuration")).to_be_visible()


def test_search_is_cleared_and_left_by_escape(desk):
    sidecar = desk.start(desk.backend())
    desk.client(sidecar, "/chat")
    page = desk.open(sidecar)
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("/")
    page.keyboard.type("nobody")
    expect(rows(page)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(rows(page)).to_have_count(1)
    assert focused(page) == "search"
    page.keyboard.press("Escape")
    assert focused(page) != "search"


def test_those_that_ended_by_themselves(desk):
    sidecar = desk.start(desk.backend(), heartbeat=QUIET)
    first, second, third = (desk.client(sidecar, f"/{nth}") for nth in range(3))
    page = desk.open(sidecar, path="/#closings")
    expect(page.locator("#closings-empty")).to_have_text("No connection has ended yet.")
    first.do("close", code=1000, reason="done")
    second.kill()
    expect(rows(page, "closings")).to_have_count(2)
    expect(page.locator("#reasons")).to_contain_text("TCP ended without a Close frame")
    page.get_by_role("combobox", name="Reason").select_option("client_lost")
    expect(rows(page, "closings")).to_have_count(1)
    page.get_by_role("combobox", name="Reason").select_option("")
    page.locator("#reasons summary", has_text="client_closed").click()
    expect(page.locator("#reasons")).to_contain_text("What to do: Nothing. 1001 is a closed tab")
    page.get_by_role("button", name="Show these closings").locator("visible=true").click()
    expect(rows(page, "closings")).to_have_count(1)
    expect(rows(page, "closings")).to_contain_text("1000 “done”")

    page.keyboard.press("1")
    rows(page).get_by_role("button").click()
    page.watch.expect("status of 404")
    third.do("close", code=1000, reason="bye")
    expect(page.locator("#detail")).to_contain_text("client_closed by client")
    expect(page.get_by_role("button", name="Ping client")).to_be_hidden()


def test_the_configuration_and_its_reloads(desk):
    sidecar = desk.start(desk.backend(), token="${SIDEBEAT_TOKEN:-}")
    page = desk.open(sidecar, path="/#configuration")
    expect(page.locator("#configuration-text")).to_contain_text("max_connections: 10000")
    expect(page.locator("#configuration-reload")).to_contain_text("Not reloaded since")
    settings = {"admin": {"listen": "127.0.0.1:0"}, "limits": {"max_connections": 321}}
    sidecar.configure(settings)
    expect(page.locator("#configuration-text")).to_contain_text("max_connections: 321")
    expect(page.locator("#configuration-reload")).to_contain_text("Reloaded at")
    expect(page.locator("#configuration-reload")).to_contain_text("limits.max_connections")
    sidecar.configure({**settings, "limitz": {}})
    expect(page.locator("#configuration-reload")).to_contain_text("Rejected at")
    expect(page.locator("#configuration-reload")).to_contain_text("did you mean")
    expect(page.locator("#notices")).to_contain_text("rejected: the configuration before it is still in effect")
    expect(page.locator("#configuration-text")).to_contain_text("max_connections: 321")
    page.watch.expect("status of 422")
    page.get_by_role("button", name="Reload the file").click()
    expect(page.locator("#configuration-reload")).to_contain_text("asked for by the API")
    sidecar.configure(settings)
    expect(page.locator("#notices")).to_be_empty()


def test_the_configuration_is_yaml(desk):
    reasons = {"killed": "gone: see #1", "client_idle": "0x1F", "max_lifetime": "ends with:", "upstream_idle": "it's 5 o'clock"}
    sidecar = desk.start(
        desk.backend(),
        limits={"allowed_origins": ["*.example.com", "https://example.com"]},
        close={cause: {"code": 4000, "reason": reason} for cause, reason in reasons.items()},
    )
    page = desk.open(sidecar, path="/#configuration")
    text = page.locator("#configuration-text")
    for line in [
        "- '*.example.com'",
        "- https://example.com",
        "reason: 'gone: see #1'",
        "reason: '0x1F'",
        "reason: 'ends with:'",
        "reason: 'it''s 5 o''clock'",
        "max_frame: 16MiB",
    ]:
        expect(text).to_contain_text(line)
