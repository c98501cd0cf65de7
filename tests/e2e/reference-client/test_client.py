"""The tests of deploy/client, which Node runs: each of them is one here."""

import functools
import os
import pathlib
import re
import signal
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
NAME = re.compile(r"""^(?:test|scene)\((['"`])(.*?)\1, """, re.MULTILINE)
RESULT = re.compile(r"^(not )?ok \d+ - (.*)$", re.MULTILINE)
TIMEOUT = 300  # seconds for a file; together they take less than one minute


@functools.cache
def run(file):
    """Whether each of a file's tests passed, by name, and all that was said."""
    command = ["node", "--test-reporter=tap", HERE / file]
    node = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        said, _ = node.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(node.pid, signal.SIGKILL)  # with the sidecars and the browser that it started
        said, _ = node.communicate()
    return {name: not failed for failed, name in RESULT.findall(said)}, said


CASES = [(path.name, name) for path in sorted(HERE.glob("*.test.mjs")) for _, name in NAME.findall(path.read_text())]


@pytest.mark.parametrize("file, name", CASES, ids=[f"{file}: {name}" for file, name in CASES])
def test_in_node(file, name):
    results, said = run(file)
    assert results.get(name), said


@pytest.mark.parametrize("file", sorted({file for file, _ in CASES}))
def test_none_is_missed(file):
    results, said = run(file)
    assert sorted(results) == sorted(name for of, name in CASES if of == file), said
