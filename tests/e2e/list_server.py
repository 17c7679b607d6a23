"""A web server of lists for tests. It uses no other module of the tests, as it runs in a namespace.

`list_server.py ADDRESS FOLDER [CERTIFICATE KEY]`   HTTP on port 80, and HTTPS on 443 with a certificate

FOLDER/pages.json says what each path is: {"PATH": {"body": TEXT or "hex": HEX, "etag": TEXT, "gzip": BOOL,
"bomb": BYTES, "cut": BYTES that are not sent, "hold": BOOL, "until_close": BOOL (no length; TLS is not ended), "status": NUMBER, "location": URL}}.
FOLDER/asked.jsonl gets a line a request: {"path", "tls", "status", "headers"}.
"""

import gzip
import http.server
import json
import pathlib
import ssl
import sys
import threading

ADDRESS, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
writing = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        page = json.loads((FOLDER / "pages.json").read_text()).get(self.path, {"status": 404})
        status, body, headers = page.get("status", 200), bytes.fromhex(page.get("hex", "")), []
        if "body" in page:
            body = page["body"].encode()
        if "etag" in page:
            headers.append(("ETag", page["etag"]))
            if self.headers.get("If-None-Match") == page["etag"]:
                status, body = 304, b""
        if "location" in page:
            headers.append(("Location", page["location"]))
        if "bomb" in page:
            body = bytes(page["bomb"])
        if status == 200 and (page.get("gzip") or "bomb" in page):
            body = gzip.compress(body)
            headers.append(("Content-Encoding", "gzip"))
        with writing, (FOLDER / "asked.jsonl").open("a") as log:
            log.write(json.dumps({"path": self.path, "tls": isinstance(self.connection, ssl.SSLSocket),
                                  "status": status, "headers": dict(self.headers)}) + "\n")
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 304 and not page.get("until_close"):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) - page.get("cut", 0)])
        if page.get("hold"):
            self.wfile.flush()
            threading.Event().wait()
        self.close_connection = True

    def log_message(self, *_):
        pass


def serve(port, context=None):
    server = http.server.ThreadingHTTPServer((ADDRESS, port), Handler)
    server.daemon_threads = True
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever).start()


serve(80)
if len(sys.argv) > 3:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[3], sys.argv[4])
    serve(443, tls)
print("ready", flush=True)
