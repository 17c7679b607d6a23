#include <sys/socket.h>
#include <sys/un.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <map>
#include <thread>

#include "control/observe/recorder/dnstap_message.h"
#include "control/observe/recorder/dnstap_sink.h"
#include "dataplane/port/descriptor.h"
#include "sample_query.h"
#include "support/temp_folder.h"

using namespace steer;
using namespace steer::recorder;
using steer::recorder::test::sample_query;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

std::uint64_t take_varint(std::string_view& in) {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        BOOST_REQUIRE(!in.empty());
        const auto byte = static_cast<std::uint8_t>(in[0]);
        in.remove_prefix(1);
        value |= std::uint64_t{byte & 0x7fU} << shift;
        if (byte < 0x80) return value;
    }
}

// Fields by number: bytes, or a number as text.
std::map<std::uint64_t, std::string> fields(std::string_view in) {
    std::map<std::uint64_t, std::string> all;
    while (!in.empty()) {
        const auto key = take_varint(in);
        std::string& value = all[key >> 3U];
        switch (key & 7U) {
            case 0:
                value = std::to_string(take_varint(in));
                break;
            case 2: {
                const auto size = take_varint(in);
                BOOST_REQUIRE(size <= in.size());
                value = in.substr(0, size);
                in.remove_prefix(size);
                break;
            }
            case 5: {
                BOOST_REQUIRE(in.size() >= 4);
                std::uint32_t number = 0;
                for (unsigned i = 0; i < 4; ++i)
                    number |= std::uint32_t{static_cast<std::uint8_t>(in[i])} << (8 * i);
                value = std::to_string(number);
                in.remove_prefix(4);
                break;
            }
            default:
                BOOST_FAIL("wire type");
        }
    }
    return all;
}

constexpr std::uint8_t kQuery[] = {1, 2, 3}, kResponse[] = {4, 5};

Descriptor listener(const std::string& path) {
    Descriptor fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    BOOST_REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    BOOST_REQUIRE(::listen(fd.get(), 4) == 0);
    return fd;
}

// Reads exactly `size` bytes.
std::string take(const Descriptor& fd, std::size_t size) {
    std::string out(size, '\0');
    for (std::size_t at = 0; at < size;) {
        const ssize_t n = ::recv(fd.get(), out.data() + at, size - at, 0);
        BOOST_REQUIRE(n > 0);
        at += static_cast<std::size_t>(n);
    }
    return out;
}

// A frame of Frame Streams: its length in network order, then its bytes; length 0 precedes a
// control frame.
std::string take_frame(const Descriptor& fd) {
    const std::string head = take(fd, 4);
    std::uint32_t size = 0;
    for (const char c : head)
        size = size << 8 | static_cast<std::uint8_t>(c);
    return take(fd, size);
}

// The receiver's half of the handshake: READY, ACCEPT, START.
Descriptor accepted(const Descriptor& there) {
    constexpr std::size_t kControl = 4;
    Descriptor fd(::accept(there.get(), nullptr, nullptr));
    BOOST_REQUIRE(fd.get() >= 0);
    (void)take(fd, kControl);
    (void)take_frame(fd);
    const std::string accept =
        "\0\0\0\0\0\0\0\x22\0\0\0\x01\0\0\0\x01\0\0\0\x16"s + std::string(kDnstapContent);
    BOOST_REQUIRE(::send(fd.get(), accept.data(), accept.size(), 0) ==
                  static_cast<ssize_t>(accept.size()));
    (void)take(fd, kControl);
    (void)take_frame(fd);
    return fd;
}

}  // namespace

BOOST_AUTO_TEST_CASE(messages_have_the_fields_of_the_schema) {
    auto query = sample_query();
    query.time_us += 250'000;
    query.duration_us = 300'000;
    query.query = kQuery;
    query.response = kResponse;
    query.transport = ClientTransport::doh;
    std::string out;
    put_client_query({"here", "SteerDNS 1"}, query, out);
    auto outer = fields(out);
    BOOST_TEST(outer[1] == "here");
    BOOST_TEST(outer[2] == "SteerDNS 1");
    BOOST_TEST(outer[15] == "1");
    auto message = fields(outer[14]);
    BOOST_TEST(message[1] == "5");
    BOOST_TEST(message[2] == "1");
    BOOST_TEST(message[3] == "4");
    BOOST_TEST(message[4] == "\xc0\0\2\7"sv);
    BOOST_TEST(message[5] == "\xc0\0\2\x35"sv);
    BOOST_TEST(message[6] == "40000");
    BOOST_TEST(message[7] == "53");
    BOOST_TEST(message[8] == "1795449599");
    BOOST_TEST(message[9] == "950000000");
    BOOST_TEST(message[10] == "\1\2\3");
    BOOST_TEST(!message.contains(14));
    query.client = *IpAddress::parse("2001:db8::7");
    put_client_response({"", "v"}, query, out);
    outer = fields(out);
    BOOST_TEST(!outer.contains(1));
    message = fields(outer[14]);
    BOOST_TEST(message[1] == "6");
    BOOST_TEST(message[2] == "2");
    BOOST_TEST(message[4].size() == 16U);
    BOOST_TEST(message[12] == "1795449600");
    BOOST_TEST(message[13] == "250000000");
    BOOST_TEST(message[14] == "\4\5");
    BOOST_TEST(!message.contains(10));
    BOOST_TEST(!message.contains(16));
}

BOOST_AUTO_TEST_CASE(a_decision_of_the_policy_is_in_the_response) {
    auto query = sample_query();
    const auto policy = [&query](std::string_view decision, std::uint16_t rcode,
                                 std::string_view answers) {
        query.decision = decision;
        query.rcode = rcode;
        query.answers = answers;
        std::string out;
        put_client_query({"", "v"}, query, out);
        BOOST_TEST(!fields(fields(out)[14]).contains(15));
        put_client_response({"", "v"}, query, out);
        auto message = fields(fields(out)[14]);
        return message.contains(15) ? fields(message[15]) : std::map<std::uint64_t, std::string>{};
    };
    BOOST_TEST(policy("forwarded", 0, "192.0.2.1").empty());
    BOOST_TEST(policy("", 0, "").empty());
    query.list = "ads.txt";
    query.rule = "steer.yaml:3 ads";
    auto blocked = policy("blocked", 3, "");
    BOOST_TEST(blocked[1] == "blocked");
    BOOST_TEST(blocked[2] == "ads.txt steer.yaml:3 ads");
    BOOST_TEST(blocked[3] == "1");
    query.list = {};
    BOOST_TEST(policy("blocked", 0, "")[3] == "2");
    BOOST_TEST(policy("blocked", 0, "0.0.0.0")[2] == "steer.yaml:3 ads");
    BOOST_TEST(policy("blocked", 0, "0.0.0.0")[3] == "6");
    BOOST_TEST(policy("allowed", 0, "192.0.2.1")[3] == "3");
    BOOST_TEST(policy("dropped", kNoRcode, "")[3] == "4");
    BOOST_TEST(!policy("rejected", 5, "").contains(3));
}

BOOST_AUTO_TEST_CASE(http3_is_doh_with_its_version) {
    auto query = sample_query();
    query.transport = ClientTransport::doh3;
    std::string out;
    put_client_query({"", "v"}, query, out);
    auto message = fields(fields(out)[14]);
    BOOST_TEST(message[3] == "4");
    BOOST_TEST(message[16] == "3");
}

BOOST_AUTO_TEST_CASE(without_a_receiver_messages_are_counted_as_lost) {
    const steer::test::TempFolder folder;
    std::vector<std::string> logged;
    DnstapSink sink({.socket = folder / "tap.sock"}, {"here", "v"},
                    [&](const std::string& s) { logged.push_back(s); });
    sink.send(sample_query());
    while (sink.error().empty())
        std::this_thread::yield();
    sink.poll();
    sink.poll();
    BOOST_TEST(sink.lost() == 2U);
    BOOST_TEST(sink.sent() == 0U);
    BOOST_REQUIRE(logged.size() == 1U);
    BOOST_TEST(
        logged[0] ==
        "queries are not sent to the dnstap receiver unix:" + (folder / "tap.sock") +
            ": not reachable: No such file or directory; start a receiver there, it is tried "
            "again every second");
}

BOOST_AUTO_TEST_CASE(a_receiver_that_pauses_loses_nothing) {
    constexpr unsigned kMost = 20'000;  // libfstrm's queue and the socket are full before
    const steer::test::TempFolder folder;
    const Descriptor there = listener(folder / "tap.sock");
    DnstapSink sink({.socket = folder / "tap.sock"}, {"here", "v"}, [](const std::string&) {});
    const Descriptor receiver = accepted(there);
    sink.send(sample_query());  // may be lost: connected() follows the first write
    while (!sink.connected())
        std::this_thread::yield();
    const std::uint64_t lost = sink.lost();
    unsigned queries = 1;
    for (; sink.waiting() < 100 && queries < kMost; ++queries)
        sink.send(sample_query());
    BOOST_REQUIRE(sink.waiting() >= 100U);
    BOOST_REQUIRE(sink.lost() == lost);
    for (std::uint64_t i = lost; i < 2U * queries; ++i) {
        BOOST_REQUIRE(!take_frame(receiver).empty());
        sink.poll();
    }
    BOOST_TEST(sink.waiting() == 0U);
    BOOST_TEST(sink.failed() == 0U);
}

BOOST_AUTO_TEST_CASE(a_receiver_that_hangs_is_left_within_seconds) {
    const steer::test::TempFolder folder;
    const Descriptor there = listener(folder / "tap.sock");
    const auto begin = std::chrono::steady_clock::now();
    {
        DnstapSink sink({.socket = folder / "tap.sock"}, {"here", "v"}, [](const std::string&) {});
        while (sink.error().empty())
            std::this_thread::yield();
        BOOST_TEST(sink.error() == "no handshake of Frame Streams: no answer within a second");
        sink.send(sample_query());
        BOOST_TEST(sink.lost() == 2U);
    }
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(20)));
}
