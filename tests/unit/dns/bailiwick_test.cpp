// What is used and cached of a reply, as one table: the records of an upstream, or of who forged
// them, and those that are left. A record is "SECTION OWNER TYPE TARGET"; the question is
// www.victim.example.
#include <boost/test/unit_test.hpp>
#include <map>
#include <sstream>

#include "built_answer.h"
#include "dataplane/dns/records.h"
#include "dataplane/dns/scrub.h"

namespace bailiwick_cases {

using namespace steer::dns;
using steer::test::AnswerBlock;
using steer::test::Bytes;
using steer::test::DnsMessage;
using steer::test::wire_name;
using steer::test::operator+;

namespace {

using Records = std::vector<std::string>;

struct Row {
    const char* attack;
    std::uint16_t qtype;
    std::uint8_t rcode;
    Records sent, kept;
};

const std::map<std::string, std::uint16_t> kTypes{
    {"A", kA},     {"NS", kNs},   {"CNAME", kCname}, {"SOA", kSoa}, {"MX", kMx},
    {"TXT", kTxt}, {"SRV", kSrv}, {"DNAME", kDname}, {"DS", kDs},   {"NSEC", kNsec}};

const std::vector<Row> kTable{
    {"nothing is wrong", kA, kNoError, {"an www.victim.example A"}, {"an www.victim.example A"}},
    {"the address of another name",
     kA,
     kNoError,
     {"an www.victim.example A", "an www.bank.example A"},
     {"an www.victim.example A"}},
    {"only the address of another name", kA, kNoError, {"an www.bank.example A"}, {}},
    {"the address of a name below the question's",
     kA,
     kNoError,
     {"an www.victim.example A", "an a.www.victim.example A"},
     {"an www.victim.example A"}},
    {"an alias that the question does not lead to",
     kA,
     kNoError,
     {"an www.victim.example A", "an www.bank.example CNAME evil.example", "an evil.example A"},
     {"an www.victim.example A"}},
    {"a chain, and a name beside it",
     kA,
     kNoError,
     {"an www.victim.example CNAME edge.cdn.example", "an edge.cdn.example A", "an cdn.example A"},
     {"an www.victim.example CNAME edge.cdn.example", "an edge.cdn.example A"}},
    {"an address beside the alias of its name",
     kA,
     kNoError,
     {"an www.victim.example CNAME edge.cdn.example", "an www.victim.example A",
      "an edge.cdn.example A"},
     {"an www.victim.example CNAME edge.cdn.example", "an edge.cdn.example A"}},
    {"a DNAME that is not above the question",
     kA,
     kNoError,
     {"an www.victim.example A", "an bank.example DNAME evil.example"},
     {"an www.victim.example A"}},
    {"a name server of another zone, with its address (Kaminsky)",
     kA,
     kNoError,
     {"an www.victim.example A", "ns bank.example NS ns.evil.example", "ar ns.evil.example A"},
     {"an www.victim.example A"}},
    {"a name server of the root's sibling",
     kA,
     kNoError,
     {"an www.victim.example A", "ns com NS ns.evil.example"},
     {"an www.victim.example A"}},
    {"the address of a name that no kept record names",
     kA,
     kNoError,
     {"an www.victim.example A", "ar www.bank.example A"},
     {"an www.victim.example A"}},
    {"the zone's own servers stay, and answer nothing else",
     kA,
     kNoError,
     {"an www.victim.example A", "ns victim.example NS ns1.victim.example",
      "ar ns1.victim.example A"},
     {"an www.victim.example A", "ns victim.example NS ns1.victim.example",
      "ar ns1.victim.example A"}},
    {"an alias in the additional section",
     kMx,
     kNoError,
     {"an www.victim.example MX mail.victim.example",
      "ar mail.victim.example CNAME mail.evil.example", "ar mail.evil.example A"},
     {"an www.victim.example MX mail.victim.example"}},
    {"another type of the same name",
     kTxt,
     kNoError,
     {"an www.victim.example TXT", "an www.victim.example A"},
     {"an www.victim.example TXT"}},
    {"a negative answer of a foreign zone", kA, kNxDomain, {"ns bank.example SOA"}, {}},
    {"a negative answer with a forged server",
     kA,
     kNxDomain,
     {"ns victim.example SOA", "ns victim.example NS ns.evil.example", "ar ns.evil.example A"},
     {"ns victim.example SOA"}},
    {"an address under NXDOMAIN",
     kA,
     kNxDomain,
     {"an www.victim.example A", "ns victim.example SOA"},
     {"ns victim.example SOA"}},
    {"records under SERVFAIL",
     kA,
     kServFail,
     {"an www.victim.example A", "ns victim.example SOA"},
     {}},
};

Bytes rdata_of(std::uint16_t type, const std::string& target) {
    switch (type) {
        case kA:
            return {192, 0, 2, 66};
        case kTxt:
            return {1, 'x'};
        case kMx:
            return Bytes{0, 10} + wire_name(target);
        case kSoa:
            return wire_name("ns") + wire_name("root") + Bytes(20, 1);
        default:
            return wire_name(target);
    }
}

DnsMessage response_of(const Row& row) {
    constexpr std::uint16_t kResponse = 0x8180;
    auto m = DnsMessage::response(9, "www.victim.example", row.qtype,
                                  static_cast<std::uint16_t>(kResponse | row.rcode));
    for (const std::string& line : row.sent) {
        std::istringstream words(line);
        std::string section, owner, type, target;
        words >> section >> owner >> type >> target;
        const auto where = section == "an"   ? DnsMessage::kAnswer
                           : section == "ns" ? DnsMessage::kAuthority
                                             : DnsMessage::kAdditional;
        m.record(where, wire_name(owner), kTypes.at(type), 300, rdata_of(kTypes.at(type), target));
    }
    return m;
}

// "SECTION OWNER TYPE", as in a message that a client gets.
Records kept_of(const DnsMessage& m, const Row& row) {
    AnswerBlock block;
    UpstreamFacts facts;
    const Bytes name = wire_name("www.victim.example");
    BOOST_TEST_REQUIRE((build_answer(m.bytes(), name, row.qtype, kIn, false, block.bytes, facts) ==
                        AnswerError::none));
    const Answer& a = block.answer();
    BOOST_TEST(facts.scrubbed == row.sent.size() - row.kept.size());
    const std::size_t begin = kHeaderSize + name.size() + kTypeAndClass;
    Bytes message(m.bytes().begin(), m.bytes().begin() + static_cast<std::ptrdiff_t>(begin));
    message.insert(message.end(), a.body(), a.body() + a.body_len);
    RecordReader reader(message, begin);
    reader.name(kHeaderSize, nullptr);
    Records out;
    const std::pair<const char*, unsigned> sections[] = {
        {"an ", a.ancount}, {"ns ", a.nscount}, {"ar ", a.arcount}};
    for (const auto& [section, count] : sections) {
        for (unsigned i = 0; i < count; ++i) {
            Record r;
            BOOST_TEST_REQUIRE(reader.next(r));
            Name owner;
            reader.name(r.start, &owner);
            std::string type;
            for (const auto& [text, number] : kTypes) {
                if (number == r.type) type = text;
            }
            out.push_back(section + name_to_text(owner.bytes()) + " " + type);
        }
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bailiwick)

BOOST_AUTO_TEST_CASE(records_outside_the_question_are_never_used) {
    for (const Row& row : kTable) {
        BOOST_TEST_CONTEXT(row.attack) {
            Records wanted;
            for (const std::string& line : row.kept) {
                std::istringstream words(line);
                std::string section, owner, type;
                words >> section >> owner >> type;
                wanted.push_back(section + " " + owner + " " + type);
            }
            BOOST_TEST(kept_of(response_of(row), row) == wanted, boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace bailiwick_cases
