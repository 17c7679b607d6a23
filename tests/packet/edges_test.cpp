// The edges of the protocol as one table: what a message of this form gets (RFC 1035, 1995, 2136,
// 5936, 6891, 7871, 7873, 8482, 9619).
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <sstream>

#include "packet/appliance.h"

namespace steer::test {
namespace {

// A row: what it is | the message | rcode, or "none" | verdict | more words about the reply.
//
// The message is the header's flags in hex, then words:
//   qd=N an=N ns=N ar=N  counts that differ from what follows
//   q=NAME/TYPE[/CLASS]  a question
//   opt[=VERSION]        an OPT at the root; x=HEX behind it are its options
//   rr=TYPE              an additional record of the root without data
//   hex=HEX              bytes as they are
//   cut=N                only the first N bytes
//   port=N               the client's port
// Words about the reply: flags=HEX, question, bare (no question), opt, ede=N.
constexpr std::string_view kEdges = R"(
a query                        | 0100 q=www.example/1                   | wait     | forwarded         |
a query with EDNS              | 0100 q=www.example/1 opt               | wait     | forwarded         |
QR set                         | 8100 q=www.example/1                   | none     | drop_response     |
QR and NOTIMP                  | 8104 q=www.example/1                   | none     | drop_response     |
opcode IQUERY                  | 0900 q=www.example/1                   | notimp   | answered_error    | bare
opcode STATUS                  | 1100 q=www.example/1                   | notimp   | answered_error    | bare
opcode NOTIFY                  | 2400 q=www.example/6                   | notimp   | answered_error    | bare flags=a084
opcode UPDATE                  | 2800 q=www.example/6                   | notimp   | answered_error    | bare flags=a884
opcode DSO                     | 3000 qd=0                              | notimp   | answered_error    | bare
opcode 15                      | 7900 q=www.example/1                   | notimp   | answered_error    | bare
no question                    | 0100                                   | formerr  | answered_error    | bare
no question with a cookie      | 0100 opt x=000a00080102030405060708    | formerr  | answered_error    | bare
two questions                  | 0100 q=www.example/1 q=www.example/28  | formerr  | answered_error    | bare
two are counted, one is there  | 0100 qd=2 q=www.example/1              | formerr  | answered_error    | bare
an answer record is counted    | 0100 an=1 q=www.example/1              | formerr  | answered_error    | question
an authority record is counted | 0100 ns=1 q=www.example/1              | formerr  | answered_error    | question
an additional one is missing   | 0100 ar=1 q=www.example/1              | formerr  | answered_error    | question
11 bytes                       | 0100 cut=11                            | none     | drop_short_header |
a cut name                     | 0100 q=www.example/1 cut=20            | formerr  | answered_error    | bare
a cut class                    | 0100 q=www.example/1 cut=27            | formerr  | answered_error    | bare
a pointer as name              | 0100 qd=1 hex=c00c00010001             | formerr  | answered_error    | bare
a label of 64 bytes            | 0100 qd=1 hex=40                       | formerr  | answered_error    | bare
bytes behind the question      | 0100 q=www.example/1 hex=00            | formerr  | answered_error    | question
two OPTs                       | 0100 q=www.example/1 opt opt           | formerr  | answered_error    | question opt
EDNS version 1                 | 0100 q=www.example/1 opt=1             | badvers  | answered_error    | question opt
EDNS version 255               | 0100 q=www.example/1 opt=255           | badvers  | answered_error    | question opt
version 1 and an odd option    | 0100 q=www.example/1 opt=1 x=000a0001aa | badvers | answered_error    | question opt
an option that is cut          | 0100 q=www.example/1 opt x=000a0008    | formerr  | answered_error    | question opt
a cookie of 9 bytes            | 0100 q=www.example/1 opt x=000a0009010203040506070809 | formerr | answered_error | question opt
a subnet of family 3           | 0100 q=www.example/1 opt x=000800040003000000 | formerr | answered_error | question opt
a subnet with a scope          | 0100 q=www.example/1 opt x=0008000700011818c00002 | formerr | answered_error | question opt
a subnet with host bits        | 0100 q=www.example/1 opt x=0008000700011400c00002 | formerr | answered_error | question opt
a subnet                       | 0100 q=www.example/1 opt x=0008000700011800c00002 | wait | forwarded |
an unknown option              | 0100 q=www.example/1 opt x=fde900020102 | wait    | forwarded         |
TSIG that nobody asked for     | 0100 q=www.example/1 rr=250            | wait     | forwarded         |
AXFR                           | 0100 q=www.example/252                 | notimp   | answered_error    | question
IXFR                           | 0100 q=www.example/251                 | notimp   | answered_error    | question
MAILB                          | 0100 q=www.example/253                 | notimp   | answered_error    | question
type 0                         | 0100 q=www.example/0                   | formerr  | answered_error    | question
type OPT                       | 0100 q=www.example/41                  | formerr  | answered_error    | question
type TKEY                      | 0100 q=www.example/249                 | formerr  | answered_error    | question
type 65280                     | 0100 q=www.example/65280               | wait     | forwarded         |
the root                       | 0100 q=./2                             | wait     | forwarded         |
class CHAOS                    | 0100 q=www.example/16/3                | notimp   | answered          | question
type ANY                       | 0100 q=www.example/255 opt             | refused  | answered          | question opt ede=21
type ANY of the root           | 0100 q=./255                           | refused  | answered          | question
without RD                     | 0000 q=www.example/1                   | refused  | refused_norecurse | question flags=8085
without RD, with EDNS          | 0000 q=www.example/1 opt               | refused  | refused_norecurse | question opt ede=20
without RD, type ANY           | 0000 q=www.example/255 opt             | refused  | refused_norecurse | question opt ede=20
without RD, two OPTs           | 0000 q=www.example/1 opt opt           | formerr  | answered_error    | question opt
without RD, AXFR               | 0000 q=www.example/252                 | notimp   | answered_error    | question
CD is kept, AD and Z are not   | 0170 q=www.example/252                 | notimp   | answered_error    | question flags=8194
AA, TC and RA are not kept     | 0780 q=www.example/252                 | notimp   | answered_error    | question flags=8184
a rcode in the query           | 0103 q=www.example/252                 | notimp   | answered_error    | question flags=8184
port 0                         | 0100 q=www.example/1 port=0            | none     | drop_bad_source   |
a reflector's port             | 0100 q=www.example/1 port=123          | none     | drop_source_port  |
the port beside it             | 0100 q=www.example/1 port=124          | wait     | forwarded         |
)";

void put16(Bytes& to, std::size_t v) {
    to.push_back(static_cast<std::uint8_t>(v >> 8));
    to.push_back(static_cast<std::uint8_t>(v));
}
void put_hex(Bytes& to, const std::string& hex) {
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        to.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
}

struct Sent {
    Bytes message;
    std::uint16_t port = 40000;
    std::uint16_t questions = 0;
};

Sent message_of(const std::string& text) {
    std::istringstream words(text);
    std::string flags;
    words >> flags;
    std::map<std::string, std::size_t> counts{{"qd", 0}, {"an", 0}, {"ns", 0}, {"ar", 0}}, written;
    Bytes body;
    Sent out;
    std::size_t cut = SIZE_MAX, options_at = 0;
    for (std::string word; words >> word;) {
        const auto equals = word.find('=');
        const std::string key = word.substr(0, equals);
        const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
        if (key == "q") {
            std::istringstream parts(value);
            std::string name, type, klass = "1";
            std::getline(parts, name, '/');
            std::getline(parts, type, '/');
            std::getline(parts, klass, '/');
            const Bytes wire = wire_name(name == "." ? "" : name);
            body.insert(body.end(), wire.begin(), wire.end());
            put16(body, std::stoul(type));
            put16(body, klass.empty() ? 1 : std::stoul(klass));
            ++counts["qd"];
        } else if (key == "opt" || key == "rr") {
            body.push_back(0);
            put16(body, key == "opt" ? 41 : std::stoul(value));
            put16(body, key == "opt" ? 1232 : 255);
            put16(body, key == "opt" && !value.empty() ? std::stoul(value) : 0);
            put16(body, 0);
            options_at = body.size();
            put16(body, 0);
            ++counts["ar"];
        } else if (key == "x") {
            put_hex(body, value);
            body[options_at + 1] = static_cast<std::uint8_t>(body.size() - options_at - 2);
        } else if (key == "hex") {
            put_hex(body, value);
        } else if (key == "cut") {
            cut = std::stoul(value);
        } else if (key == "port") {
            out.port = static_cast<std::uint16_t>(std::stoul(value));
        } else {
            written[key] = std::stoul(value);
        }
    }
    put16(out.message, 0x1234);
    put_hex(out.message, flags);
    for (const char* const count : {"qd", "an", "ns", "ar"})
        put16(out.message, written.contains(count) ? written[count] : counts[count]);
    out.message.insert(out.message.end(), body.begin(), body.end());
    out.message.resize(std::min(cut, out.message.size()));
    return out;
}

std::vector<std::string> fields_of(const std::string& row) {
    std::vector<std::string> out;
    std::istringstream in(row);
    for (std::string field; std::getline(in, field, '|');) {
        const auto first = field.find_first_not_of(' ');
        const auto last = field.find_last_not_of(' ');
        out.push_back(first == std::string::npos ? "" : field.substr(first, last - first + 1));
    }
    out.resize(5);
    return out;
}

unsigned rcode_number(const std::string& name) {
    const std::map<std::string, unsigned> kNumbers{
        {"formerr", 1}, {"servfail", 2}, {"notimp", 4}, {"refused", 5}, {"badvers", 16}};
    return kNumbers.at(name);
}

void check_reply(const Bytes& reply, const std::string& rcode, const std::string& words) {
    const auto word = [&](std::size_t at) { return reply.at(at) * 256U + reply.at(at + 1); };
    BOOST_TEST(word(0) == 0x1234U);
    BOOST_TEST((word(2) & 0x8000) != 0);
    BOOST_TEST(word(6) == 0U);
    const bool has_opt = word(10) == 1;
    std::size_t at = 12;
    if (word(4) == 1) {
        while (reply.at(at) != 0)
            at += reply[at] + 1U;
        at += 5;
    }
    const unsigned high = has_opt ? reply.at(at + 5) : 0U;
    BOOST_TEST(((word(2) & 15U) | high << 4) == rcode_number(rcode));
    std::istringstream in(words);
    bool wants_opt = false;
    for (std::string text; in >> text;) {
        if (text == "bare") BOOST_TEST(word(4) == 0U);
        if (text == "question") BOOST_TEST(word(4) == 1U);
        wants_opt = wants_opt || text == "opt";
        if (text.starts_with("flags="))
            BOOST_TEST(word(2) == std::stoul(text.substr(6), nullptr, 16));
        if (text.starts_with("ede=")) {
            BOOST_TEST(word(at + 11) == 15U);
            BOOST_TEST(word(at + 15) == std::stoul(text.substr(4)));
        }
    }
    BOOST_TEST(has_opt == wants_opt);
}

std::unique_ptr<Snapshot> forward_with_rules() {
    auto snapshot = forward_only();
    snapshot->rare.norecurse = NoRecurse::refuse;
    snapshot->rare.any = AnyQueries::refuse;
    return snapshot;
}

UdpFrame frame_of(const Sent& sent) {
    return {.from_mac = {2, 0, 0, 0, 0, 9},
            .to_mac = {2, 0, 0, 0, 0, 1},
            .from = *IpAddress::parse("192.0.2.10"),
            .to = *IpAddress::parse("10.0.0.1"),
            .from_port = sent.port,
            .to_port = 53,
            .payload = sent.message};
}

DnsMessage addresses(const Seen& q, unsigned count) {
    DnsMessage m = DnsMessage::response(0, q.qname(), q.qtype());
    for (unsigned i = 0; i < count; ++i)
        m.record(DnsMessage::kAnswer, {0xc0, 12}, kTypeA, 300,
                 {203, 0, 113, static_cast<std::uint8_t>(i)});
    return m;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(edges)

BOOST_AUTO_TEST_CASE(each_form_of_a_message_gets_its_reply_and_its_verdict) {
    std::istringstream rows{std::string(kEdges)};
    unsigned tried = 0;
    for (std::string row; std::getline(rows, row);) {
        if (row.empty()) continue;
        const auto fields = fields_of(row);
        BOOST_TEST_CONTEXT(fields[0]) {
            ++tried;
            Appliance a;
            a.next_hops().dropped_ports = {19, 123};
            a.publish(forward_with_rules());
            a.send(0, make_udp_frame(frame_of(message_of(fields[1]))));
            a.turn();
            std::string ends;
            for (const auto& verdict : kVerdicts) {
                if (a.count(verdict.which) > 0) ends += std::string(verdict.label);
            }
            BOOST_TEST(ends == fields[3]);
            const auto answers = a.answers();
            const bool is_silent = fields[2] == "none" || fields[2] == "wait";
            BOOST_TEST(answers.size() == (is_silent ? 0U : 1U));
            if (!answers.empty() && !is_silent) check_reply(answers[0].dns, fields[2], fields[4]);
            const auto asked = a.upstream_queries();
            BOOST_TEST(asked.size() == (fields[2] == "wait" ? 1U : 0U));
            if (fields[2] == "wait" && asked.size() == 1) {
                a.reply(asked[0], DnsMessage::response(0, asked[0].qname(), asked[0].qtype()));
                a.turn();
                (void)a.answers();
            }
        }
    }
    BOOST_TEST(tried > 50U);
}

// A datagram's answer has 1,232 bytes at most, whatever the client offers (RFC 9715), and 512
// without EDNS.
BOOST_AUTO_TEST_CASE(an_answer_is_as_long_as_the_clients_limit_and_ours) {
    struct Case {
        std::uint16_t offered;  // 0: no EDNS
        unsigned records;
        bool is_truncated;
    };
    // The header and the question have 29 bytes, a record 16, an OPT 11.
    for (const auto& [offered, records, is_truncated] :
         {Case{0, 30, false}, Case{0, 31, true}, Case{100, 29, false}, Case{100, 30, true},
          Case{1232, 74, false}, Case{1232, 75, true}, Case{65535, 74, false},
          Case{65535, 75, true}}) {
        Appliance a;
        a.publish(forward_only());
        auto query = DnsMessage::query(1, "www.example", kTypeA);
        if (offered != 0) query.opt(offered);
        a.ask(query);
        a.turn();
        const Seen asked = a.upstream_query();
        a.reply(asked, addresses(asked, records));
        a.turn();
        const Seen answer = a.answer();
        BOOST_TEST(answer.truncated() == is_truncated);
        BOOST_TEST(answer.answers() == (is_truncated ? 0U : records));
        BOOST_TEST(answer.dns.size() <= std::clamp<std::size_t>(offered, 512, 1232));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
