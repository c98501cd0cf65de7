"""Turning the pages of a table, while what they show goes away or has not come yet."""

import types

import pytest
from conftest import QUIET
from playwright.sync_api import expect

PAGE_SIZE = 100  # that of list.js


@pytest.fixture
def crowded(desk):
    """Says who connects: so many more, who are on the pages before all others."""
    crowd = desk.crowd(listen=True)
    backend = types.SimpleNamespace(port=crowd.expect("listening")["port"])
    sidecar = desk.start(backend, heartbeat=QUIET)
    host, port = sidecar.address.rsplit(":", 1)

    def connect(count):
        clients = desk.crowd(connect=[host, int(port)], count=count, path="/crowd")
        clients.expect("opened", patience=60, count=count)
        return clients

    return types.SimpleNamespace(sidecar=sidecar, connect=connect)


def rows(page):
    return page.locator("#connections-table tbody tr")


def clients(page):
    return rows(page).locator("button.open").all_inner_texts()


def press(page, *buttons):
    """Buttons of the pager, with no time for an answer in between."""
    page.evaluate(
        """(names) => names.forEach((name) =>
            [...document.querySelectorAll('#connections-pager button')].find((it) => it.textContent === name).click())""",
        buttons,
    )


def test_a_page_whose_rows_are_gone_gives_way_to_the_one_before(desk, crowded):
    old = crowded.connect(5)
    crowded.connect(PAGE_SIZE)
    page = desk.open(crowded.sidecar)
    expect(rows(page)).to_have_count(PAGE_SIZE)
    first = clients(page)
    press(page, "Next")
    expect(rows(page)).to_have_count(5)
    old.kill()
    expect(rows(page)).to_have_count(PAGE_SIZE)
    assert clients(page) == first
    expect(page.locator("#connections-empty")).to_be_hidden()
    expect(page.locator("#connections-pager")).to_be_hidden()


def test_pages_are_turned_once_an_answer(desk, crowded):
    crowded.connect(3 * PAGE_SIZE)
    page = desk.open(crowded.sidecar)
    pager = page.locator("#connections-pager")
    expect(rows(page)).to_have_count(PAGE_SIZE)
    first = clients(page)
    press(page, "Next", "Next")
    expect(rows(page).locator("button.open").first).not_to_have_text(first[0])
    expect(pager).to_contain_text("page 2")
    second = clients(page)
    press(page, "Next")
    expect(pager).to_contain_text("page 3")
    assert not set(first + second) & set(clients(page))
    press(page, "Previous")
    expect(pager).to_contain_text("page 2")
    assert clients(page) == second
    press(page, "Previous", "Next")
    expect(pager).to_contain_text("page 1")
    assert clients(page) == first
