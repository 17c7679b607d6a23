// The names that an answer points clients to (dataplane/policy/facts.h).
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "dataplane/dns/name.h"
#include "dataplane/policy/facts.h"
#include "support/dns_message.h"

namespace steer {
namespace {

using test::Bytes;
using test::DnsMessage;
using test::wire_name;

Bytes joined(const Bytes& head, const Bytes& name, const Bytes& tail = {}) {
    Bytes all = head;
    all.insert(all.end(), name.begin(), name.end());
    all.insert(all.end(), tail.begin(), tail.end());
    return all;
}

// "TTL NAME" each.
std::vector<std::string> pointed(const DnsMessage& message, const std::string& qname,
                                 std::uint16_t type, PointedNames::Of of) {
    Bytes block(4096);
    dns::UpstreamFacts facts;
    const Bytes wire = wire_name(qname);
    BOOST_REQUIRE(dns::build_answer(message.bytes(), wire, type, dns::kIn, false, block, facts,
                                    dns::Records::all) == dns::AnswerError::none);
    PointedNames names(*reinterpret_cast<const dns::Answer*>(block.data()), wire, of);
    std::vector<std::string> out;
    for (auto name = names.next(); !name.empty(); name = names.next())
        out.push_back(std::to_string(names.ttl_s()) + " " + dns::name_to_text(name));
    return out;
}

using Names = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(pointed_names)

BOOST_AUTO_TEST_CASE(names_of_a_cname_chain_are_found) {
    auto m = DnsMessage::response(1, "www.stream.example", dns::kA);
    m.cname("www.stream.example", 60, "A.CDN.example").cname("a.cdn.example", 30, "b.cdn.example");
    m.a("b.cdn.example", 20, {192, 0, 2, 1});
    const Names all{"60 a.cdn.example", "30 b.cdn.example"};
    for (const auto of :
         {PointedNames::Of::cname, PointedNames::Of::cname_and_svcb, PointedNames::Of::all})
        BOOST_TEST(pointed(m, "www.stream.example", dns::kA, of) == all,
                   boost::test_tools::per_element());
}

// RFC 9460: AliasMode has priority 0; "." is the name itself. Parameters follow the name.
BOOST_AUTO_TEST_CASE(targets_of_https_and_svcb_are_found) {
    auto m = DnsMessage::response(1, "stream.example", dns::kHttps);
    m.record(DnsMessage::kAnswer, wire_name("stream.example"), dns::kHttps, 300,
             joined({0, 0}, wire_name("svc.cdn.example")));
    m.record(DnsMessage::kAnswer, wire_name("stream.example"), dns::kHttps, 300,
             joined({0, 1}, wire_name("."), {0, 1, 0, 3, 2, 'h', '2'}));
    m.record(DnsMessage::kAnswer, wire_name("stream.example"), dns::kSvcb, 200,
             joined({0, 2}, wire_name("other.example"), {0, 3, 0, 2, 1, 187}));
    for (const auto of : {PointedNames::Of::cname_and_svcb, PointedNames::Of::all})
        BOOST_TEST(pointed(m, "stream.example", dns::kHttps, of) ==
                       (Names{"300 svc.cdn.example", "200 other.example"}),
                   boost::test_tools::per_element());
    BOOST_TEST(pointed(m, "stream.example", dns::kHttps, PointedNames::Of::cname).empty());
}

BOOST_AUTO_TEST_CASE(targets_of_srv_and_of_no_other_type_are_found) {
    auto m = DnsMessage::response(1, "_sip._udp.stream.example", dns::kSrv);
    m.record(DnsMessage::kAnswer, wire_name("_sip._udp.stream.example"), dns::kSrv, 90,
             joined({0, 1, 0, 2, 19, 196}, wire_name("sip.other.example")));
    m.record(DnsMessage::kAnswer, wire_name("_sip._udp.stream.example"), 2, 90,  // NS
             wire_name("ns.other.example"));
    BOOST_TEST(pointed(m, "_sip._udp.stream.example", dns::kSrv, PointedNames::Of::all) ==
                   (Names{"90 sip.other.example"}),
               boost::test_tools::per_element());
    BOOST_TEST(pointed(m, "_sip._udp.stream.example", dns::kSrv, PointedNames::Of::cname_and_svcb)
                   .empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
