"""An authoritative server that is odd in one way: `slow` answers after 0.3 s, `noedns` refuses EDNS by FORMERR, `dropsedns` drops
queries with EDNS, `truncates` has its answers over TCP only, `lame` refuses all.

usage: odd_server.py ADDRESS slow|noedns|dropsedns|truncates|lame|ready A [PORT] (A: the address of each name; `ready`: nothing is odd)
"""

import socket
import socketserver
import sys
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

address, how, answer = sys.argv[1:4]
port = int(sys.argv[4]) if len(sys.argv) > 4 else 53
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((address, port))


def reply_to(query: dns.message.Message) -> dns.message.Message:
    if how == "noedns" and query.edns >= 0:
        query.use_edns(False)
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.FORMERR)
        return response
    response = dns.message.make_response(query)
    if how == "lame":
        response.set_rcode(dns.rcode.REFUSED)
        return response
    response.flags |= dns.flags.AA
    question = query.question[0]
    if question.rdtype == dns.rdatatype.A:
        response.answer.append(dns.rrset.from_text(question.name, 300, "IN", "A", answer))
    return response


class OverTcp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while len(head := self.rfile.read(2)) == 2:
            wire = reply_to(dns.message.from_wire(self.rfile.read(int.from_bytes(head)))).to_wire()
            self.wfile.write(len(wire).to_bytes(2) + wire)


def truncated(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.flags |= dns.flags.AA | dns.flags.TC
    return response


if how == "truncates":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    threading.Thread(target=socketserver.ThreadingTCPServer((address, port), OverTcp).serve_forever, daemon=True).start()
print("ready", flush=True)
while True:
    data, client = sock.recvfrom(4096)
    try:
        query = dns.message.from_wire(data)
        if how == "dropsedns" and query.edns >= 0:
            continue
        wire = (truncated(query) if how == "truncates" else reply_to(query)).to_wire()
    except Exception as error:  # noqa: BLE001  # a broken query gets no answer
        print(error, flush=True)
        continue
    threading.Timer(0.3 if how == "slow" else 0, sock.sendto, (wire, client)).start()
