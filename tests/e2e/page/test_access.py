"""Who gets what: the token, and what the page may do."""

from playwright.sync_api import expect
from processes import PATIENCE
import time
import urllib.request


def test_the_token_is_asked_for(desk):
    sidecar = desk.start(desk.backend(), token="correct-horse")
    desk.client(sidecar)
    page = desk.open(sidecar)
    page.watch.expect("status of 401")
    expect(page.get_by_label("Token")).to_be_focused()
    page.keyboard.type("battery staple")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This token is not accepted.")
    expect(page.locator("#page")).to_be_hidden()
    page.get_by_label("Token").fill("correct-horse")
    page.keyboard.press("Enter")
    expect(page.locator("#connections-table tbody tr")).to_have_count(1)
    page.reload()
    expect(page.locator("#connections-table tbody tr")).to_have_count(1)
    page.locator("#connections-table tbody button").click()
    expect(page.get_by_role("dialog")).to_be_visible()

    # Another token from now on: whoever has the old one is asked again.
    sidecar.configure({"admin": {"listen": "127.0.0.1:0", "token": "another"}})
    expect(page.get_by_label("Token")).to_be_focused()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.type("another")
    page.keyboard.press("Enter")
    expect(page.locator("#connections-table tbody tr")).to_have_count(1)


def test_events_come_with_a_token_too(desk):
    sidecar = desk.start(desk.backend(), token="secret")
    client = desk.client(sidecar)
    page = desk.open(sidecar)
    page.watch.expect("status of 401")
    with page.expect_response(lambda response: "/api/events" in response.url) as events:
        page.get_by_label("Token").fill("secret")
        page.keyboard.press("Enter")
    assert events.value.status == 200
    client.do("close", code=1000, reason="")
    expect(page.locator("#feed")).to_contain_text("client_closed")


def test_the_policy_is_in_force_and_the_watch_awake(desk):
    sidecar = desk.start(desk.backend())
    page = desk.open(sidecar)
    expect(page.locator("#state")).to_have_text("Serving")
    assert page.watch.surprises() == []
    page.watch.expect("")  # from here on everything is meant
    for script in [
        "document.body.setAttribute('style', 'color: red')",
        "document.body.append(Object.assign(document.createElement('img'), {src: 'http://127.0.0.2:9/x.png'}))",
        "try { document.body.innerHTML = 'x' } catch {}",
        "fetch('http://127.0.0.2:9/').catch(() => {})",
    ]:
        before = len(page.watch.seen)
        page.evaluate(script)
        deadline = time.monotonic() + PATIENCE
        while not any("violation" in what for what in page.watch.seen[before:]):
            assert time.monotonic() < deadline, script
            page.wait_for_timeout(10)
    assert page.locator("#state").inner_text() == "Serving"


def test_the_files_have_their_headers(desk):
    sidecar = desk.start(desk.backend())
    page = desk.open(sidecar)
    with page.expect_response(lambda response: response.url.endswith("/page.js")) as script:
        page.reload()
    assert "script-src 'self'" in script.value.headers["content-security-policy"]
    assert script.value.headers["x-content-type-options"] == "nosniff"
    tag = script.value.headers["etag"]
    request = urllib.request.Request(f"http://{sidecar.admin}/page.js", headers={"If-None-Match": tag})
    try:
        urllib.request.urlopen(request, timeout=PATIENCE)
    except urllib.error.HTTPError as answer:
        assert answer.status == 304
        answer.close()
    else:
        raise AssertionError("a file that has not changed was sent again")
