"""Runs three PostgreSQL servers under Patroni, with etcd, behind HAProxy, until standard input ends: PROGRAMS ROLE.

Prints the folder of HAProxy's socket, which leads to the primary, once a standby is synchronous. Each line of standard input is a kill
of the primary, without a shutdown: `postmaster`, or `all` for its Patroni as well. It waits until a standby is synchronous, kills, waits
until another server is the primary and the killed one is back, and prints how long there was no primary. The folder holds every log.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

# As short as Patroni permits.
TTL_S, LOOP_WAIT_S, RETRY_S = 20, 5, 5
# Nobody waits for longer for a cluster that does nothing else.
PATIENCE_S = 300
PROGRAMS, ROLE = sys.argv[1:]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Node:
    """A server and its Patroni."""

    def __init__(self, folder, name, etcd):
        self.folder, self.name = os.path.join(folder, name), name
        self.api, self.port = free_ports(2)
        self.patroni = None
        os.mkdir(self.folder)
        # JSON is YAML.
        with open(self.path("patroni.yaml"), "w") as file:
            json.dump(self.settings(etcd), file)

    def path(self, name):
        return os.path.join(self.folder, name)

    def settings(self, etcd):
        parameters = {"max_connections": 300, "shared_buffers": "32MB", "wal_log_hints": "on", "max_wal_size": "256MB"}
        roles = {"superuser": {"username": ROLE}, "replication": {"username": "replicator"}}
        return {
            "scope": "scorewatch",
            "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{self.api}", "connect_address": f"127.0.0.1:{self.api}"},
            "etcd3": {"hosts": [f"127.0.0.1:{etcd}"]},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL_S,
                    "loop_wait": LOOP_WAIT_S,
                    "retry_timeout": RETRY_S,
                    # Under both names: the first is Patroni 3's.
                    "master_start_timeout": 0,
                    "primary_start_timeout": 0,
                    "synchronous_mode": True,
                    "postgresql": {"use_pg_rewind": True, "parameters": parameters},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}",
                "connect_address": f"127.0.0.1:{self.port}",
                "bin_dir": PROGRAMS,
                "data_dir": self.path("data"),
                "pgpass": self.path("pgpass"),
                "authentication": roles,
                "parameters": {"unix_socket_directories": self.folder},
                "pg_hba": ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
            },
        }

    def start(self):
        self.patroni = spawn(self.folder, "/usr/bin/patroni", self.path("patroni.yaml"))

    def postmaster(self):
        with open(self.path("data/postmaster.pid")) as file:
            return int(file.readline())

    def kill(self, what):
        if what == "all":
            self.patroni.kill()
            self.patroni.wait()
        os.kill(self.postmaster(), signal.SIGKILL)

    def is_primary(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.api}/primary", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False


def spawn(folder, *command):
    # Nothing here may keep what the script is asked, nor hold up who reads what it says.
    with open(os.path.join(folder, f"{os.path.basename(command[0])}.log"), "a") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)


def until(what, ask):
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_S:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.1)
    sys.exit(f"waited in vain for {what}")


class Cluster:
    def __init__(self, folder):
        self.folder = folder
        client, peer = free_ports(2)
        peers = f"http://127.0.0.1:{peer}"
        clients = f"http://127.0.0.1:{client}"
        self.others = [
            spawn(
                folder, "/usr/bin/etcd", "--name", "one", "--data-dir", os.path.join(folder, "etcd"),
                "--listen-client-urls", clients, "--advertise-client-urls", clients,
                "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", f"one={peers}",
            )
        ]  # fmt: skip
        self.nodes = [Node(folder, f"node-{number}", client) for number in range(3)]
        for node in self.nodes:
            node.start()
        self.others.append(self.haproxy())
        self.settled()

    def haproxy(self):
        lines = [
            "defaults",
            "  mode tcp",
            "  timeout connect 2s",
            "  timeout client 1h",
            "  timeout server 1h",
            "  timeout check 2s",
            "listen primary",
            f"  bind unix@{self.folder}/.s.PGSQL.5432 mode 777",
            "  option httpchk OPTIONS /primary",
            "  http-check expect status 200",
            "  default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions",
        ]
        lines += [f"  server {node.name} 127.0.0.1:{node.port} check port {node.api}" for node in self.nodes]
        with open(os.path.join(self.folder, "haproxy.cfg"), "w") as file:
            file.write("\n".join(lines) + "\n")
        return spawn(self.folder, "/usr/sbin/haproxy", "-db", "-f", os.path.join(self.folder, "haproxy.cfg"))

    def members(self):
        """What any of them says of all."""
        for node in self.nodes:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{node.api}/cluster", timeout=2) as answer:
                    return json.load(answer)["members"]
            except (OSError, ValueError, KeyError):
                pass
        return []

    def is_settled(self):
        roles = [(one["role"], one["state"]) for one in self.members()]
        is_led = any(role == "leader" and state == "running" for role, state in roles)
        return len(roles) == 3 and is_led and any(role == "sync_standby" for role, _ in roles)

    def settled(self):
        """Waits until a standby is synchronous, all are there, and connections reach the primary."""
        until("a synchronous standby", self.is_settled)
        answers = [os.path.join(PROGRAMS, "psql"), "-h", self.folder, "-U", ROLE, "-qAtc", "SELECT pg_is_in_recovery()", "postgres"]
        until("HAProxy", lambda: subprocess.run(answers, capture_output=True, text=True).stdout.strip() == "f")

    def primary(self):
        return next((node for node in self.nodes if node.is_primary()), None)

    def kill(self, what):
        self.settled()
        victim = until("a primary", self.primary)
        began = time.monotonic()
        victim.kill(what)
        others = [node for node in self.nodes if node is not victim]
        until("another primary", lambda: any(node.is_primary() for node in others))
        took = time.monotonic() - began
        if what == "all":
            victim.start()
        self.settled()
        print(f"{took:.1f}", flush=True)

    def stop(self):
        # Patroni stops its server.
        for node in self.nodes:
            node.patroni.terminate()
        for node in self.nodes:
            node.patroni.wait()
        for other in self.others:
            other.kill()
            other.wait()


def main():
    folder = tempfile.mkdtemp(prefix="scorewatch-patroni-", dir="/tmp")
    os.chmod(folder, 0o755)
    cluster = Cluster(folder)
    print(folder, flush=True)
    for line in sys.stdin:
        cluster.kill(line.strip())
    cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


main()
