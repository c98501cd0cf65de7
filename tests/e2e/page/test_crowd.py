"""Thousands of connections."""

import types

from conftest import QUIET, most_connections
from playwright.sync_api import expect

MANY = most_connections(5000)


def test_thousands_are_listed_page_by_page(desk):
    crowd = desk.crowd(listen=True)
    backend = types.SimpleNamespace(port=crowd.expect("listening")["port"])
    sidecar = desk.start(backend, heartbeat=QUIET, log={"format": "json", "opened": False, "level": "info"})
    page = desk.open(sidecar)
    expect(page.locator("#connections-empty")).to_have_text("Nobody is connected.")
    host, port = sidecar.address.rsplit(":", 1)
    clients = desk.crowd(connect=[host, int(port)], count=MANY, path="/crowd")
    clients.expect("opened", patience=60, count=MANY)

    table = page.locator("#connections-table tbody tr")
    expect(page.locator("#connections-count")).to_have_text(f"{MANY:,}")
    expect(page.locator("#chart-connections figcaption")).to_contain_text(f"now {MANY:,}")
    expect(table).to_have_count(100)
    first = table.locator("button.open").all_inner_texts()
    page.keyboard.press("n")
    expect(page.locator("#connections-pager")).to_contain_text("page 2")
    expect(table.locator("button.open").first).not_to_have_text(first[0])
    second = table.locator("button.open").all_inner_texts()
    assert len(second) == 100 and not set(first) & set(second)
    page.keyboard.press("p")
    expect(table.locator("button.open").first).to_have_text(first[0])

    page.get_by_role("columnheader", name="Client", exact=True).get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="Client", exact=True)).to_have_attribute("aria-sort", "ascending")
    expect(table.locator("button.open").first).not_to_have_text(first[0])
    ordered = table.locator("button.open").all_inner_texts()
    assert ordered == sorted(ordered)

    page.keyboard.press("/")
    page.keyboard.type(f"/crowd/{MANY - 1}")
    expect(table).to_have_count(1)
    expect(page.locator("#connections-count")).to_have_text(f"1 of {MANY:,}")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text(f"crowd.example.com/crowd/{MANY - 1}")
    page.keyboard.press("Escape")

    # All of them gone at once: more events than anybody reads.
    clients.kill()
    expect(page.locator("#connections-count")).to_have_text("0 of 0")
    expect(page.locator("#reasons")).to_contain_text(f"{MANY:,}")
    page.keyboard.press("2")
    expect(page.locator("#closings-table tbody tr")).to_have_count(100)
    expect(page.locator("#feed li")).to_have_count(12)
