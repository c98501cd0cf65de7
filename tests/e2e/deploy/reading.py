"""Reading the files below deploy/."""

import re

import yaml

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


class Broken(Exception):
    """A problem that leaves nothing to look at further."""


class UniqueKeys(yaml.SafeLoader):
    """YAML as everywhere, but the second of two equal keys is an error instead of the winner."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise Broken(f"{self.name}:{key.start_mark.line + 1}: the key `{key.value}` is there twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def documents(path):
    """All non-empty YAML documents of a file."""
    try:
        with path.open(encoding="utf-8") as file:
            return [document for document in yaml.load_all(file, UniqueKeys) if document]
    except (OSError, yaml.YAMLError) as error:
        raise Broken(f"{path}: {error}") from error


def document(path):
    """The only YAML document of a file."""
    found = documents(path)
    if len(found) != 1 or not isinstance(found[0], dict):
        raise Broken(f"{path}: one mapping is expected")
    return found[0]


def seconds(text):
    """`1.5s`, `500ms`, `2m` as seconds; a number is seconds already."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|)", str(text))
    if not match:
        raise Broken(f"`{text}` is no duration")
    return float(match[1]) * UNITS.get(match[2], 1)


class Proxy:
    """What manifests have to agree with in a proxy.yaml."""

    def __init__(self, name, config):
        self.name = name
        self.port = port(config["listen"])
        upstream = config["upstream"] if isinstance(config["upstream"], str) else config["upstream"]["url"]
        self.upstream_host, _, upstream_port = upstream.removeprefix("ws://").partition(":")
        self.upstream_port = int(upstream_port)
        self.metrics_port = port((config.get("metrics") or {}).get("listen", ":9902"))
        self.has_admin = config.get("admin") not in ("off", False)
        self.max_connections = (config.get("limits") or {}).get("max_connections", 10000)
        drain = config.get("drain", {})
        if "timeout" not in drain or "spread" not in drain:
            raise Broken(f"{name}: write drain.timeout and drain.spread out, grace periods elsewhere depend on them")
        self.drain_timeout = seconds(drain["timeout"])
        if seconds(drain.get("delay", "0s")) + seconds(drain["spread"]) > self.drain_timeout:
            raise Broken(f"{name}: drain.delay and drain.spread do not fit into drain.timeout")


def port(address):
    return int(str(address).rpartition(":")[2])
