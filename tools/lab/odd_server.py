"""An authoritative server over UDP that is odd in one way: `slow` answers after 0.3 s, `noedns` refuses EDNS by
FORMERR, `lame` refuses all.

usage: odd_server.py ADDRESS slow|noedns|lame|ready A [PORT] (A: the address of each name; `ready`: nothing is odd)
"""

import socket
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
print("ready", flush=True)


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


while True:
    data, client = sock.recvfrom(4096)
    try:
        wire = reply_to(dns.message.from_wire(data)).to_wire()
    except Exception as error:  # noqa: BLE001  # a broken query gets no answer
        print(error, flush=True)
        continue
    threading.Timer(0.3 if how == "slow" else 0, sock.sendto, (wire, client)).start()
