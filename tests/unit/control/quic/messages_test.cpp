// The messages between steerdnsd and steerdns-quic.
#include "control/streams/quic/quic_messages.h"

#include <boost/test/unit_test.hpp>
#include <cstring>

namespace steer::quic {
namespace {

ServiceSettings a_service() {
    ServiceSettings service;
    service.number = 3;
    service.protocol = config::ServerProtocol::http3;
    service.http = {{{"/dns-query", true}, {"/other"}}, "x-real-ip"};
    service.limits.max_queries = 17;
    service.limits.idle_timeout = std::chrono::milliseconds(1'234);
    service.tls = {"chain", "key", "issuers", true, {"doq"}, std::string(kTicketKeyBytes, '\0'),
                   true};
    return service;
}

std::vector<std::string> main_messages() {
    Begin begin;
    begin.secrets.tokens.fill(5);
    begin.threads = 4;
    begin.memory = {std::uint64_t{6} << 30, 1 << 20, std::uint64_t{8} << 30, 7};
    std::vector<std::string> all;
    for (const MainMessage& one :
         {MainMessage(begin), MainMessage(a_service()),
          MainMessage(AddressSockets{3, {IpAddress::parse("fe80::1").value(), 853, 9}}),
          MainMessage(ClosedSocket{{IpAddress::parse("192.0.2.1").value(), 853, 0}}),
          MainMessage(Draining{true}), MainMessage(ServiceState{3, "text"}), MainMessage(Alive{})})
        all.push_back(encode(one));
    return all;
}

std::vector<std::string> channel_messages() {
    QueryRecord query{};
    query.connection = 11;
    query.stream = 4;
    query.name_bytes = 3;
    query.path = 1;
    query.forwarded_bytes = 9;
    query.message_bytes = 12;
    RecordBatch queries(ChannelKind::queries);
    queries.add(query, {"abc", "192.0.2.7", std::string(12, 'm')});
    queries.add(query, {"def", "192.0.2.8", std::string(12, 'n')});
    EndRecord end{};
    end.response_bytes = 5;
    RecordBatch ends(ChannelKind::ends);
    ends.add(end, {"12345"});
    RecordBatch opened(ChannelKind::opened);
    opened.add(OpenedRecord{});
    RecordBatch refused(ChannelKind::refused);
    refused.add(std::uint64_t{77});
    GrownCounts grown;
    grown.by[2] = 9;
    grown.connections[1] = 5;
    AskRecord ask{};
    ask.message_bytes = 4;
    RecordBatch asks(ChannelKind::upstream_asks);
    asks.add(ask, {"1234"});
    RecordBatch orders(ChannelKind::upstream_orders);
    orders.add(OrderRecord{1, 2, static_cast<std::uint8_t>(UpstreamOrder::cancel), {}});
    ReplyRecord reply{};
    reply.message_bytes = 3;
    reply.end = static_cast<std::uint8_t>(AskEnd::bad);
    RecordBatch replies(ChannelKind::upstream_replies);
    replies.add(reply, {"123"});
    RecordBatch streams(ChannelKind::upstream_streams);
    streams.add(StreamsRecord{4, 200});
    UpstreamOpening opening;
    opening.connection = 12;
    opening.remote = {IpAddress::parse("fe80::1").value(), 853, 9};
    opening.may_refuse = true;
    opening.early_data = true;
    opening.server_name = "dns.example";
    opening.protocol = UpstreamProtocol::doh3;
    opening.http = {"dns.example:8443", "/dns-query"};
    return {std::string(queries.message()),
            std::string(ends.message()),
            std::string(opened.message()),
            std::string(refused.message()),
            encode(grown),
            std::string(asks.message()),
            std::string(orders.message()),
            std::string(replies.message()),
            std::string(streams.message()),
            encode(opening),
            encode(UpstreamReady{12, 100, false, {"one", "two"}}),
            encode(UpstreamEnded{12, UpstreamEnd::refused, "why"})};
}

BOOST_AUTO_TEST_SUITE(messages)

BOOST_AUTO_TEST_CASE(messages_come_back_as_they_were) {
    for (const std::string& bytes : main_messages()) {
        const auto decoded = decode_main(bytes);
        BOOST_TEST_REQUIRE(decoded.has_value());
        BOOST_TEST(encode(*decoded) == bytes);
        BOOST_TEST(!decode_channel(bytes).has_value());
    }
    for (const std::string& bytes : channel_messages()) {
        BOOST_TEST(decode_channel(bytes).has_value());
        BOOST_TEST(!decode_main(bytes).has_value());
    }
    const auto bytes = channel_messages().front();
    const auto queries = std::get<std::vector<QueryView>>(decode_channel(bytes).value());
    BOOST_REQUIRE_EQUAL(queries.size(), 2U);
    BOOST_TEST(queries[1].server_name == "def");
    BOOST_TEST(queries[1].message == std::string(12, 'n'));
}

BOOST_AUTO_TEST_CASE(a_part_of_a_message_or_more_than_it_is_none) {
    for (const std::string& bytes : main_messages()) {
        for (std::size_t length = 0; length < bytes.size(); ++length)
            BOOST_TEST(!decode_main(std::string_view(bytes).substr(0, length)).has_value());
        BOOST_TEST(!decode_main(bytes + 'x').has_value());
    }
    for (const std::string& bytes : channel_messages()) {
        for (std::size_t length = 0; length < bytes.size(); ++length)
            BOOST_TEST(!decode_channel(std::string_view(bytes).substr(0, length)).has_value());
        BOOST_TEST(!decode_channel(bytes + 'x').has_value());
    }
}

// With lengths that are right, so that the readers of records see them.
BOOST_AUTO_TEST_CASE(changed_bytes_are_read_without_harm) {
    std::uint32_t state = 1;
    const auto random = [&state] {
        state = state * 1'664'525 + 1'013'904'223;
        return state >> 8;
    };
    auto all = main_messages();
    for (auto& one : channel_messages())
        all.push_back(one);
    for (unsigned i = 0; i < 200'000; ++i) {
        std::string bytes = all[random() % all.size()];
        for (unsigned n = random() % 4; n-- > 0;)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        const auto size = static_cast<std::uint32_t>(bytes.size());
        std::memcpy(bytes.data() + offsetof(MessageHead, bytes), &size, sizeof size);
        (void)decode_main(bytes);
        (void)decode_channel(bytes);
    }
}

BOOST_AUTO_TEST_CASE(the_longest_message_fits) {
    RecordBatch batch(ChannelKind::ends);
    const std::string longest(65'535, 'x');
    BOOST_TEST(batch.fits<EndRecord>(longest.size()));
    while (batch.fits<EndRecord>(longest.size())) {
        EndRecord end{};
        end.response_bytes = 65'535;
        batch.add(end, {longest});
    }
    BOOST_TEST(batch.message().size() <= kMaxMessage);
    BOOST_TEST(decode_channel(batch.message()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::quic
