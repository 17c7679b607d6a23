"""Serves a machine over HTTP or HTTPS, and takes commands of tests on a socket of the file system.

A command is a line of JSON, its reply another: {"do": "table", "alias": NAME}, {"do": "insert", "alias": NAME, "elements": [...]},
{"do": "delay", "ms": N}, {"do": "reboot", "seconds": S}, {"do": "flush", "alias": NAME}, {"do": "say", "text": TEXT, "status": N}
(instead of every reply; without `text` no more), {"do": "hang", "on": BOOL}, {"do": "alias", "name": NAME, ...},
{"do": "remove", "alias": NAME}, {"do": "user", "key": K, "secret": S, "privileges": [...], "read_only": BOOL}, {"do": "limit", "entries": N}, {"do": "facts"}.
"""

from __future__ import annotations

import argparse
import http.server
import json
import pathlib
import socket
import socketserver
import ssl
import threading
import time

from opnsim.machine import Machine


class State:
    """What tests change."""

    def __init__(self, machine: Machine):
        self.machine = machine
        self.delay_s = 0.0
        self.text: str | None = None
        self.status = 200
        self.hangs = threading.Event()
        self.hangs.set()  # clear: requests wait
        self.down_until = 0.0
        self.connections: set[socket.socket] = set()
        self.made = 0

    def is_down(self) -> bool:
        return time.monotonic() < self.down_until

    def command(self, words: dict) -> object:
        machine, alias = self.machine, words.get("alias", "")
        match words["do"]:
            case "table":
                with machine.lock:
                    return machine.pf_show(alias)
            case "insert":
                with machine.lock:
                    for element in words["elements"]:
                        machine.pf_add(alias, element)
            case "delay":
                self.delay_s = words["ms"] / 1000
            case "reboot":
                self.down_until = time.monotonic() + words.get("seconds", 0)
                with machine.lock:
                    machine.reboot()
                for connection in list(self.connections):
                    try:
                        connection.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
            case "flush":
                with machine.lock:
                    machine.tables[alias] = {}
            case "say":
                self.text, self.status = words.get("text"), words.get("status", 200)
            case "hang":
                (self.hangs.clear if words["on"] else self.hangs.set)()
            case "alias":
                facts = {k: v for k, v in words.items() if k not in ("do", "name")}
                with machine.lock:
                    machine.add_alias(words["name"], **facts)
            case "remove":
                with machine.lock:
                    machine.remove_alias(alias)
            case "user":
                machine.add_user(words["key"], words["secret"], words["privileges"], words.get("read_only", False))
            case "limit":
                machine.max_entries = words["entries"]
            case "facts":
                return {"counts": machine.counts, "config_writes": machine.config_writes, "connections": self.made}
            case other:
                raise ValueError(f"there is no command {other!r}")
        return "done"


def handler_of(state: State):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            super().setup()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            state.connections.add(self.connection)
            state.made += 1

        def finish(self):
            state.connections.discard(self.connection)
            super().finish()

        def serve(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.hangs.wait()
            time.sleep(state.delay_s)
            if state.is_down():
                self.close_connection = True
                return
            status, value = state.machine.answer(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            text = json.dumps(value)
            if state.text is not None:
                status, text = state.status, state.text
            sent = text.encode(errors="surrogateescape")
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = do_DELETE = serve

        def log_message(self, *_):
            pass

    return Handler


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], state: State, context: ssl.SSLContext | None):
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler_of(state))
        self.state, self.context = state, context

    def verify_request(self, request, client_address):
        return not self.state.is_down()

    def finish_request(self, request, client_address):
        if self.context:
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # a client that went away


def serve_commands(path: pathlib.Path, state: State) -> None:
    class Commands(socketserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                try:
                    reply = {"result": state.command(json.loads(line))}
                except (KeyError, ValueError) as error:
                    reply = {"error": str(error)}
                self.wfile.write(json.dumps(reply).encode() + b"\n")

    class Listener(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    threading.Thread(target=Listener(str(path), Commands).serve_forever, daemon=True).start()


def tell(path: pathlib.Path, **words):
    """A command to the simulator behind this socket; returns its result."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        connection.sendall(json.dumps(words).encode() + b"\n")
        reply = json.loads(connection.makefile().readline())
    if "error" in reply:
        raise ValueError(reply["error"])
    return reply["result"]


def main() -> None:
    parser = argparse.ArgumentParser(description="simulates OPNsense's API for aliases")
    parser.add_argument("--listen", default="127.0.0.1:8080", help="ADDRESS:PORT")
    parser.add_argument("--certificate", help="PEM file; HTTPS is served")
    parser.add_argument("--key", help="PEM file of its key")
    parser.add_argument("--control", type=pathlib.Path, help="socket for commands")
    parser.add_argument("--user", action="append", default=[], help="KEY:SECRET")
    parser.add_argument("--alias", action="append", default=[], help="name of an external alias")
    parser.add_argument("--version", default="26.7", help="of OPNsense")
    options = parser.parse_args()
    machine = Machine(options.version)
    for user in options.user:
        machine.add_user(*user.split(":", 1))
    for name in options.alias:
        machine.add_alias(name)
    state = State(machine)
    context = None
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
    if options.control:
        serve_commands(options.control, state)
    host, port = options.listen.rsplit(":", 1)
    server = Server((host.strip("[]"), int(port)), state, context)
    print(f"opnsim serves {options.listen}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
