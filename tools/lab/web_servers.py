"""Web servers that say which one they are and who asks. Stands alone: it runs in a namespace.

`web_servers.py SERVERS`: SERVERS is a JSON map of names to lists of addresses.
"""

import http.server
import json
import socket
import sys
import threading


def server(name, address):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"{name}, asked from {self.client_address[0]}\n".encode())

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

    return Server((address, 80), Handler)


def main():
    servers = [server(name, address) for name, addresses in json.loads(sys.argv[1]).items() for address in addresses]
    for one in servers[1:]:
        threading.Thread(target=one.serve_forever, daemon=True).start()
    print("ready", flush=True)
    servers[0].serve_forever()


if __name__ == "__main__":
    main()
