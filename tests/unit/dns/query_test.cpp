#include "dataplane/dns/query.h"

#include <boost/test/unit_test.hpp>

#include "support/dns_message.h"

using namespace steer::dns;
using steer::test::Bytes;
using steer::test::DnsMessage;
using steer::test::wire_name;

namespace {

QueryError parse(const Bytes& m, Query& q) {
    return parse_query(m, q);
}
QueryError parse(const Bytes& m) {
    Query q;
    return parse_query(m, q);
}
Bytes name_of(const Query& q) {
    return {q.name().begin(), q.name().end()};
}

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(QueryError)
BOOST_AUTO_TEST_SUITE(query)

BOOST_AUTO_TEST_CASE(a_plain_query_is_parsed) {
    Query q;
    BOOST_TEST(parse(DnsMessage::query(0x1234, "WWW.Example.com", 28).bytes(), q) ==
               QueryError::none);
    BOOST_TEST(q.id == 0x1234);
    BOOST_TEST(q.flags == kRd);
    BOOST_TEST(q.qtype == kAaaa);
    BOOST_TEST(q.qclass == kIn);
    BOOST_TEST(q.question_end == 12 + 17 + 4);
    BOOST_TEST(name_of(q) == wire_name("www.example.com"));
    BOOST_TEST(!bool{q.edns.present});
    BOOST_TEST(q.edns.udp_size == 512);
}

BOOST_AUTO_TEST_CASE(edns_options_are_parsed) {
    Query q;
    BOOST_TEST(parse(DnsMessage::query(1, "a.b", 1).opt(4096, true).bytes(), q) ==
               QueryError::none);
    BOOST_TEST(bool{q.edns.present});
    BOOST_TEST(bool{q.edns.dnssec_ok});
    BOOST_TEST(q.edns.udp_size == 4096);
    BOOST_TEST(parse(DnsMessage::query(1, "a.b", 1).opt(100).bytes(), q) == QueryError::none);
    BOOST_TEST(!bool{q.edns.dnssec_ok});
    BOOST_TEST(q.edns.udp_size == 512);
    const Bytes cookie{0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    BOOST_TEST(parse(DnsMessage::query(1, "a.b", 1).opt(1232, false, 0, 0, cookie).bytes(), q) ==
               QueryError::none);
}

BOOST_AUTO_TEST_CASE(other_additional_records_are_accepted) {
    auto m = DnsMessage::query(1, "a.b", 1);
    m.record(DnsMessage::kAdditional, wire_name("key"), 250, 0, Bytes(20), 255).opt(1232);
    Query q;
    BOOST_TEST(parse(m.bytes(), q) == QueryError::none);
    BOOST_TEST(bool{q.edns.present});
}

BOOST_AUTO_TEST_CASE(each_malformed_query_has_its_error) {
    const auto good = DnsMessage::query(1, "www.example.com", 1).opt(1232);
    for (std::size_t n = 0; n < 12; ++n) {
        BOOST_TEST(parse(Bytes(good.bytes().begin(),
                               good.bytes().begin() + static_cast<std::ptrdiff_t>(n))) ==
                   QueryError::short_header);
    }
    auto changed = [&](std::size_t at, std::uint16_t v) {
        return DnsMessage(good).set(at, v).bytes();
    };
    BOOST_TEST(parse(changed(2, 0x8100)) == QueryError::is_response);
    BOOST_TEST(parse(changed(2, 0x2000)) == QueryError::bad_opcode);
    BOOST_TEST(parse(changed(4, 0)) == QueryError::question_count);
    BOOST_TEST(parse(changed(4, 2)) == QueryError::question_count);
    BOOST_TEST(parse(changed(6, 1)) == QueryError::bad_sections);
    BOOST_TEST(parse(changed(8, 1)) == QueryError::bad_sections);
    BOOST_TEST(parse(changed(10, 2)) == QueryError::bad_opt);
    BOOST_TEST(parse(changed(10, 0)) == QueryError::trailing_bytes);
    BOOST_TEST(parse(changed(12, 0xc00c)) == QueryError::bad_name);
    BOOST_TEST(parse(DnsMessage::query(1, "a.b", 1).opt(1232, false, 0, 1).bytes()) ==
               QueryError::bad_edns_version);
    BOOST_TEST(parse(DnsMessage::query(1, "a.b", 1).opt(1232).opt(1232).bytes()) ==
               QueryError::bad_opt);
    BOOST_TEST(parse(DnsMessage::query(1, "a.b", 1)
                         .record(DnsMessage::kAdditional, wire_name("x"), 41, 0, {}, 1232)
                         .bytes()) == QueryError::bad_opt);
}

BOOST_AUTO_TEST_CASE(types_that_no_record_has_are_no_questions) {
    using Types = std::initializer_list<std::uint16_t>;
    const auto asked = [](std::uint16_t type) {
        return parse(DnsMessage::query(1, "a.b", type).bytes());
    };
    for (const auto type : Types{0, 41, 128, 200, 248, 249, 250})
        BOOST_TEST(asked(type) == QueryError::no_record_type, type);
    for (const auto type : Types{251, 252, 253, 254})
        BOOST_TEST(asked(type) == QueryError::not_served_type, type);
    for (const auto type : Types{1, 40, 42, 65, 127, 255, 256, 257, 65280, 65535})
        BOOST_TEST(asked(type) == QueryError::none, type);
}

BOOST_AUTO_TEST_CASE(queries_that_a_policy_decides_are_marked) {
    const auto read = [](const DnsMessage& m) {
        Query q;
        return parse_client_query(m.bytes(), q);
    };
    BOOST_TEST(read(DnsMessage::query(1, "a.b", 1)) == QueryError::none);
    BOOST_TEST(read(DnsMessage::query(1, "a.b", kAny)) == QueryError::any_type);
    BOOST_TEST(read(DnsMessage::query(1, "a.b", 1, 0)) == QueryError::no_recursion);
    BOOST_TEST(read(DnsMessage::query(1, "a.b", kAny, 0)) == QueryError::no_recursion);
    BOOST_TEST(read(DnsMessage::query(1, "a.b", kAxfr, 0)) == QueryError::not_served_type);
    BOOST_TEST(read(DnsMessage::query(1, "a.b", 1, 0).opt(1232).opt(1232)) == QueryError::bad_opt);
    BOOST_TEST(parse(DnsMessage::query(1, "a.b", kAny, 0).bytes()) == QueryError::none);
    for (const QueryError e : {QueryError::none, QueryError::no_recursion, QueryError::any_type}) {
        BOOST_TEST(is_well_formed(e));
        BOOST_TEST(rcode_for(e) == 0);
    }
    BOOST_TEST(!is_well_formed(QueryError::bad_opt));
}

BOOST_AUTO_TEST_CASE(every_shortened_query_is_an_error) {
    const auto good = DnsMessage::query(1, "www.example.com", 1).opt(1232).bytes();
    for (std::size_t n = 0; n < good.size(); ++n) {
        const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n));
        Query q;
        const auto e = parse(cut, q);
        BOOST_TEST((e != QueryError::none), "cut at " << n);
        BOOST_TEST(q.question_end == (n >= 33 ? 33 : 0), "cut at " << n);
    }
}

BOOST_AUTO_TEST_CASE(each_error_has_its_rcode) {
    BOOST_TEST(rcode_for(QueryError::none) == 0);
    BOOST_TEST(rcode_for(QueryError::short_header) == kNoReply);
    BOOST_TEST(rcode_for(QueryError::is_response) == kNoReply);
    BOOST_TEST(rcode_for(QueryError::bad_opcode) == kNotImp);
    BOOST_TEST(rcode_for(QueryError::bad_edns_version) == kBadVers);
    BOOST_TEST(rcode_for(QueryError::not_served_type) == kNotImp);
    BOOST_TEST(rcode_for(QueryError::no_record_type) == kFormErr);
    BOOST_TEST(rcode_for(QueryError::trailing_bytes) == kFormErr);
}

BOOST_AUTO_TEST_SUITE_END()
