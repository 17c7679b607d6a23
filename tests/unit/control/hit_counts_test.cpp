// What query records add up to (control/observe/lists/hit_counts.h).
#include "control/observe/lists/hit_counts.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "dataplane/dns/name.h"

namespace steer {
namespace {

using Bytes = std::vector<std::uint8_t>;

// A record and its bytes.
struct Record {
    QueryRecord head{};
    Bytes query;
    [[nodiscard]] QueryRecordView view() const { return {head, query, {}}; }
};

Record record_of(const std::string& name, std::uint16_t type, const char* client,
                 std::uint32_t stands_for = 1) {
    Record r;
    r.head.client = *IpAddress::parse(client);
    r.head.stands_for = stands_for;
    const auto wire = *dns::name_from_text(name);
    r.query.resize(12);
    r.query.insert(r.query.end(), wire.begin(), wire.end());
    r.head.qname_len = static_cast<std::uint8_t>(wire.size());
    r.head.qtype = type;
    return r;
}

std::string text(const HitCounts& counts, std::size_t top) {
    return boost::json::serialize(counts.to_json(top));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hit_counts)

BOOST_AUTO_TEST_CASE(a_filter_counts_one_clients_names_and_one_names_clients) {
    const auto add_all = [](HitCounts& counts) {
        counts.add(record_of("www.Example.org", 1, "192.0.2.1").view());
        counts.add(record_of("notexample.org", 1, "192.0.2.1").view());
        counts.add(record_of("example.ORG", 1, "192.0.3.1").view());
        Record lost = record_of("other.example", 1, "198.51.100.1");
        lost.head.lost = 5;
        counts.add(lost.view());
    };
    HitCounts of_client({.clients = *matchers::Prefix::parse("192.0.2.0/24"), .name = {}});
    add_all(of_client);
    BOOST_TEST(
        text(of_client, 9) ==
        R"({"queries":2,"malformed":0,"samples":2,"lost":5,)"
        R"("names":[{"name":"notexample.org","queries":1,"domain":"notexample.org"},{"name":"www.example.org","queries":1,"domain":"example.org"}],)"
        R"("clients":[{"client":"192.0.2.1","queries":2}],"types":[{"type":"A","queries":2}]})");
    HitCounts of_name({.clients = {}, .name = *dns::name_from_text("example.org")});
    add_all(of_name);
    BOOST_TEST(
        text(of_name, 9) ==
        R"({"queries":2,"malformed":0,"samples":2,"lost":5,)"
        R"("names":[{"name":"example.org","queries":1,"domain":"example.org"},{"name":"www.example.org","queries":1,"domain":"example.org"}],)"
        R"("clients":[{"client":"192.0.2.1","queries":1},{"client":"192.0.3.1","queries":1}],)"
        R"("types":[{"type":"A","queries":2}]})");
}

BOOST_AUTO_TEST_CASE(names_clients_and_types_are_sorted_by_queries) {
    HitCounts counts;
    counts.add(record_of("www.example.org", 1, "192.0.2.1").view());
    counts.add(record_of("WWW.example.org", 28, "192.0.2.2").view());
    counts.add(record_of("b.example", 1, "2001:db8::1", 4).view());
    counts.add(record_of("a.example", 65, "192.0.2.1", 1).view());
    BOOST_TEST(
        text(counts, 2) ==
        R"({"queries":7,"malformed":0,"samples":4,"lost":0,)"
        R"("names":[{"name":"b.example","queries":4,"domain":"b.example"},{"name":"www.example.org","queries":2,"domain":"example.org"}],)"
        R"("clients":[{"client":"2001:db8::1","queries":4},{"client":"192.0.2.1","queries":2}],)"
        R"("types":[{"type":"A","queries":5},{"type":"AAAA","queries":1}]})");
    auto names = counts.names();
    std::ranges::sort(names, {}, &config::AskedName::queries);
    BOOST_REQUIRE(names.size() == 3U);
    BOOST_TEST(dns::name_to_text(names[2].name) == "b.example");
    BOOST_TEST(names[2].queries == 4U);
}

BOOST_AUTO_TEST_CASE(malformed_and_lost_records_are_counted) {
    HitCounts counts;
    Record bad = record_of("www.example.org", 1, "192.0.2.1", 2);
    bad.head.qname_len = 0;
    counts.add(bad.view());
    Record late = record_of("www.example.org", 1, "192.0.2.1");
    late.head.lost = 5;
    counts.add(late.view());
    BOOST_TEST(text(counts, 5) ==
               R"({"queries":3,"malformed":2,"samples":2,"lost":5,)"
               R"("names":[{"name":"www.example.org","queries":1,"domain":"example.org"}],)"
               R"("clients":[{"client":"192.0.2.1","queries":1}],)"
               R"("types":[{"type":"A","queries":1}]})");
    BOOST_TEST(counts.lost() == 5U);
}

BOOST_AUTO_TEST_CASE(rows_are_sorted_by_queries_and_then_by_their_order) {
    boost::json::array rows{{{"rule", "a"}, {"queries", 1}},
                            {{"rule", "b"}, {"queries", 7}},
                            {{"rule", "c"}, {"queries", 1}},
                            {{"rule", "d"}, {"queries", 7}}};
    keep_most_asked(rows, 3);
    BOOST_TEST(boost::json::serialize(rows) ==
               R"([{"rule":"b","queries":7},{"rule":"d","queries":7},{"rule":"a","queries":1}])");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
