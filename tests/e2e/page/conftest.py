"""Chromium, the sidecar and its clients. README.md has an overview."""

import json
import os
import pathlib
import resource
import shutil
import sys
import urllib.request

import pytest
from playwright.sync_api import expect, sync_playwright
from processes import PATIENCE, ROOT, Process, World

HERE = pathlib.Path(__file__).resolve().parent
PEER = HERE.parent / "peers" / "peer.py"
LOOK = (HERE / "look.js").read_text()
PICTURES = ROOT / "target" / "page"
# Heartbeats that are of no interest here, and would end those who do not answer.
QUIET = {"client": {"ping_interval": "off", "idle_time": "off"}, "upstream": {"keepalive": "off"}}


class Watch:
    """Sees what the page may not do."""

    def __init__(self, page, host):
        self.host, self.expected, self.seen = host, [], []
        page.on("console", lambda message: self.note(f"console: {message.text} {message.location['url']}"))
        page.on("pageerror", lambda error: self.note(f"error: {error}"))
        page.on("request", lambda request: self.request(request.url))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (event) => console.error('violation', event.violatedDirective))"
        )

    def note(self, what):
        self.seen.append(what)

    def request(self, url):
        if not url.startswith(f"http://{self.host}/"):
            self.note(f"asked elsewhere: {url}")

    def expect(self, *parts):
        """From now on this is no surprise."""
        self.expected += parts

    def surprises(self):
        return [what for what in self.seen if not any(part in what for part in self.expected)]


class Desk(World):
    """An operator's: a backend, the sidecar with its page, clients, and a browser."""

    def __init__(self, folder, browser):
        super().__init__(folder)
        self.browser, self.contexts, self.watches = browser, [], []

    def peer(self, **options):
        return self.run(Process([sys.executable, PEER, json.dumps(options)]))

    def crowd(self, **options):
        return self.run(Process([sys.executable, HERE / "crowd.py", json.dumps(options)]))

    def backend(self):
        backend = self.peer(listen={}, echo=True)
        backend.port = backend.expect("listening")["port"]
        return backend

    def start(self, backend, admin="127.0.0.1:0", token="", **settings):
        """A sidecar with its page."""
        sidecar = self.sidecar(backend, **{"admin": {"listen": admin, "token": token}, **settings})
        told = next((told for told in sidecar.seen if told["event"] == "admin_listening"), None)
        sidecar.admin = (told or sidecar.expect("admin_listening"))["address"]
        return sidecar

    def client(self, sidecar, path="/"):
        client = self.peer(connect=f"ws://{sidecar.address}{path}")
        client.expect("opened")
        return client

    def open(self, sidecar, width=1440, height=900, scheme="light", path="/", hold=None, **options):
        """The page, in a browser of its own, as soon as it is there. `hold` is a pattern and who gets the calls to it."""
        context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        context.set_default_timeout(PATIENCE * 1000)
        self.contexts.append(context)
        page = context.new_page()
        page.watch = Watch(page, sidecar.admin)
        self.watches.append(page.watch)
        if hold:
            page.route(*hold)
        page.goto(f"http://{sidecar.admin}{path}")
        return page

    def call(self, sidecar, path, method="GET"):
        request = urllib.request.Request(f"http://{sidecar.admin}{path}", method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)

    def end(self):
        for context in self.contexts:
            context.close()
        super().end()


def look(page, name):
    """Keeps a picture, and says what is wrong with it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=PICTURES / f"{name}.png")
    return page.evaluate(LOOK)


def most_connections(wanted):
    """As many as the limit of open files allows; the sidecar needs two each."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, (hard - 200) // 2)


@pytest.fixture(scope="session")
def browser():
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program, "Debian's package `chromium` is not installed; CHROMIUM names another browser"
    expect.set_options(timeout=PATIENCE * 1000)
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-gpu", "--no-first-run"]
    # Chromium's sandbox does not work for root, who tests in containers.
    alone = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*quiet, *alone])
        yield browser
        browser.close()


@pytest.fixture
def desk(tmp_path, browser):
    desk = Desk(tmp_path, browser)
    yield desk
    desk.end()
    surprises = [what for watch in desk.watches for what in watch.surprises()]
    assert not surprises, surprises
