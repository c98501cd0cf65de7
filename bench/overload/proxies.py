"""sidebeat, HAProxy and nginx with the same open files and comparable limits."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from peers import WORKERS, Debian, Peer, free_port, output  # noqa: E402

FILES = 1024
CONNECTIONS = 400  # of clients, at the same time
HEAD, BODY = 2, 3  # seconds: for a request's head; without a byte of plain HTTP


class Ports:
    """Where everything listens. The dead one is nobody's."""

    def __init__(self):
        self.backend, self.hung, self.dead = free_port(), free_port(), free_port()

    def of_a_proxy(self):
        return free_port(), free_port(), free_port()


class Sidebeat(Peer):
    monitors = admins = True

    def __init__(self, program):
        super().__init__("sidebeat", None)
        self.program = program
        self.environment = {"TOKIO_WORKER_THREADS": str(WORKERS)}

    def version(self):
        return output([self.program, "--version"]).split()[-1]

    def command(self, directory, ports, port, monitoring, admin):
        self.config = directory / "proxy.yaml"
        self.good = f"""
listen: 127.0.0.1:{port}
upstream: ws://127.0.0.1:{ports.backend}
metrics: {{listen: '127.0.0.1:{monitoring}'}}
admin: {{listen: '127.0.0.1:{admin}'}}
log: {{level: warn, format: json}}
heartbeat: {{app: [{{preset: json, max_size: 16KiB}}]}}
limits: {{max_connections: {CONNECTIONS}, handshake_timeout: {HEAD}s, http_timeout: {BODY}s, write_stall_timeout: {BODY}s}}
routes:
  - {{match: {{path: /dead}}, upstream: {{url: 'ws://127.0.0.1:{ports.dead}'}}}}
  - {{match: {{path: /hung}}, upstream: {{url: 'ws://127.0.0.1:{ports.hung}', handshake_timeout: {BODY}s}}}}
"""
        self.config.write_text(self.good)
        return [self.program, "-c", self.config]


class HaProxy(Debian):
    monitors, admins = True, False

    def __init__(self):
        super().__init__("haproxy", None)

    def version(self):
        return re.search(r"version (\S+?)[-+ ]", output([self.program, "-v"])).group(1)

    def command(self, directory, ports, port, monitoring, admin):
        config = directory / "haproxy.cfg"
        config.write_text(f"""
global
  nbthread {WORKERS}
  maxconn {CONNECTIONS}
defaults
  mode http
  timeout connect 3s
  timeout http-request {HEAD}s
  timeout http-keep-alive {HEAD}s
  timeout client {BODY}s
  timeout server {BODY}s
  timeout tunnel 1h
frontend clients
  bind 127.0.0.1:{port}
  use_backend dead if {{ path /dead }}
  use_backend hung if {{ path /hung }}
  default_backend backend
frontend monitoring
  bind 127.0.0.1:{monitoring}
  monitor-uri /livez
backend backend
  server backend 127.0.0.1:{ports.backend}
backend dead
  server dead 127.0.0.1:{ports.dead}
backend hung
  server hung 127.0.0.1:{ports.hung}
""")
        return [self.program, "-db", "-f", config]


class Nginx(Debian):
    monitors, admins = True, False

    def __init__(self):
        super().__init__("nginx", None)

    def version(self):
        return output([self.program, "-v"]).split("/")[-1]

    def command(self, directory, ports, port, monitoring, admin):
        temporary = "".join(
            f"  {kind}_temp_path {directory}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        websocket = (
            "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
            " proxy_set_header Host $host; proxy_http_version 1.1;"
        )
        config = directory / "nginx.conf"
        # The connections of a worker count both sides.
        config.write_text(f"""
daemon off;
worker_processes {WORKERS};
worker_rlimit_nofile {FILES};
pid {directory}/nginx.pid;
error_log stderr crit;
events {{ worker_connections {2 * CONNECTIONS // WORKERS}; }}
http {{
  access_log off;
{temporary}
  client_header_timeout {HEAD}s;
  client_body_timeout {BODY}s;
  send_timeout {BODY}s;
  keepalive_timeout {HEAD}s;
  proxy_connect_timeout 3s;
  proxy_read_timeout {BODY}s;
  proxy_http_version 1.1;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://127.0.0.1:{ports.backend}; }}
    location /ws/ {{ proxy_pass http://127.0.0.1:{ports.backend}; proxy_read_timeout 1h; {websocket} }}
    location /dead {{ proxy_pass http://127.0.0.1:{ports.dead}; {websocket} }}
    location /hung {{ proxy_pass http://127.0.0.1:{ports.hung}; {websocket} }}
  }}
  server {{
    listen 127.0.0.1:{monitoring};
    location /livez {{ return 200 ok; }}
  }}
}}
""")
        return [self.program, "-e", "stderr", "-p", directory, "-c", config]
