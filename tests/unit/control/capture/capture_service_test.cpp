// The methods of a capture, with a worker that the test turns by hand and with a clock of its own.
#define BOOST_TEST_MODULE capture
#include "control/observe/capture/capture_service.h"

#include <openssl/evp.h>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "support/dns_message.h"
#include "support/eal_fixture.h"
#include "support/ring_port.h"

using steer::test::EalFixture;
BOOST_TEST_GLOBAL_FIXTURE(EalFixture);

namespace steer {
namespace {

namespace json = boost::json;
using test::Bytes;
using test::DnsMessage;

struct HandClock final : Clock {
    Now now() override { return {ms}; }
    std::uint64_t ms = 1'000'000;
};

// What a file has, as far as it is there.
struct File {
    struct Packet {
        std::uint32_t interface, length;
        std::uint64_t at_ns;
        std::string bytes;
    };
    std::vector<std::string> interfaces;
    std::vector<Packet> packets;
    std::optional<std::uint64_t> lost;
};

std::uint32_t word(const std::string& text, std::size_t at) {
    std::uint32_t n;
    BOOST_REQUIRE(at + 4 <= text.size());
    std::memcpy(&n, text.data() + at, 4);
    return n;
}

File read_file(const std::string& text) {
    File file;
    for (std::size_t at = 0; at < text.size();) {
        const std::uint32_t kind = word(text, at), length = word(text, at + 4);
        BOOST_REQUIRE(length >= 12U);
        BOOST_REQUIRE(word(text, at + length - 4) == length);
        if (kind == 1) {
            file.interfaces.push_back(text.substr(at + 20, word(text, at + 16) >> 16U));
        } else if (kind == 6) {
            file.packets.push_back({word(text, at + 8), word(text, at + 24),
                                    std::uint64_t{word(text, at + 12)} << 32U | word(text, at + 16),
                                    text.substr(at + 28, word(text, at + 20))});
        } else if (kind == 5) {
            file.lost = word(text, at + 24);
        }
        at += length;
    }
    return file;
}

std::string from_base64(std::string_view text) {
    std::string out(text.size() / 4 * 3, '\0');
    const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                  reinterpret_cast<const unsigned char*>(text.data()),
                                  static_cast<int>(text.size()));
    BOOST_REQUIRE(n >= 0);
    out.resize(static_cast<std::size_t>(n) - (text.ends_with("==")  ? 2
                                              : text.ends_with('=') ? 1
                                                                    : 0));
    return out;
}

struct Place {
    Place() {
        runtime.add_worker({&port.port()}, clock);
        service.add_methods(methods);
    }
    ~Place() { service.end(); }

    ops::RpcResult call(const char* method, const json::object& params) {
        std::optional<ops::RpcResult> result;
        methods.call(*methods.find(method), params, [&](const ops::RpcResult& r) { result = r; });
        while (!result) {
            clock.ms += 100;
            tick();
        }
        return *result;
    }
    std::uint64_t start(const json::object& params = {}) {
        const auto result = call("capture.start", params);
        BOOST_REQUIRE_MESSAGE(result, result.error().message);
        return result->at("capture").to_number<std::uint64_t>();
    }
    json::value read(std::uint64_t number, const char* method = "capture.read") {
        const auto result = call(method, {{"capture", number}});
        BOOST_REQUIRE_MESSAGE(result, result.error().message);
        bytes += from_base64(result->at("bytes").as_string());
        return *result;
    }
    // Until it is done.
    File whole(std::uint64_t number) {
        json::value reply = read(number, "capture.stop");
        while (!reply.at("done").as_bool()) {
            turn();
            reply = read(number);
        }
        return read_file(bytes);
    }
    std::string error(const char* method, const json::object& params) {
        const auto result = call(method, params);
        return result ? "none" : result.error().message;
    }
    void tick() {
        io.restart();
        io.run_one();
    }
    void turn() { runtime.worker(0).poll(clock.now()); }
    // As the worker does. False: no room.
    bool push(std::uint32_t length, char fill) {
        auto& ring = runtime.frames(0);
        const unsigned cells = CellRing::cells_for(sizeof(CapturedFrame) + length);
        auto* const place = static_cast<char*>(ring.reserve(cells));
        if (place == nullptr) {
            ring.publish();  // its turn ends
            return false;
        }
        const CapturedFrame head{.cells = static_cast<std::uint16_t>(cells),
                                 .kept = static_cast<std::uint16_t>(length),
                                 .length = length,
                                 .at_ns = clock.now().micros() * 1000,
                                 .worker = 0,
                                 .port = 0,
                                 .is_sent = 0,
                                 .unused = {}};
        std::memcpy(place, &head, sizeof head);
        std::memset(place + sizeof head, fill, length);
        ring.publish();
        return true;
    }
    // A query by a kernel socket, and its response.
    void record(const DnsMessage& query, const DnsMessage& response, std::uint32_t lost = 0) {
        auto& ring = runtime.records(0);
        const std::size_t size = sizeof(QueryRecord) + query.size() + response.size();
        const unsigned cells = CellRing::cells_for(size);
        auto* const place = static_cast<std::uint8_t*>(ring.reserve(cells));
        BOOST_REQUIRE(place != nullptr);
        QueryRecord head{};
        head.cells = static_cast<std::uint16_t>(cells);
        head.transport = ClientTransport::udp;
        head.how = QueryRecord::kInjected;
        head.ended_ns = clock.now().micros() * 1000;
        head.lost = lost;
        head.query_bytes = head.query_length = static_cast<std::uint16_t>(query.size());
        head.response_bytes = head.response_length = static_cast<std::uint16_t>(response.size());
        head.client = *IpAddress::parse("192.0.2.7");
        head.local = *IpAddress::parse("10.0.0.1");
        head.client_port = 40'000;
        head.local_port = 53;
        std::memcpy(place, &head, sizeof head);
        std::memcpy(place + sizeof head, query.bytes().data(), query.size());
        std::memcpy(place + sizeof head + query.size(), response.bytes().data(), response.size());
        ring.publish();
    }

    HandClock clock;
    boost::asio::io_context io;
    test::RingPort port{"eth0"};
    RuntimeOptions options{.board_rows = 64, .small_buffers = 64, .large_buffers = 1};
    DataplaneRuntime runtime{options};
    QueryRecordFeed records{runtime};
    ops::Methods methods;
    CaptureService service{io, runtime, records, clock};
    std::string bytes;  // of the file
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(capture_service, Place)

BOOST_AUTO_TEST_CASE(frames_of_the_ring_become_packets_of_the_file) {
    BOOST_TEST(runtime.shared().capture.load() == nullptr);
    const auto number = start({{"name", "Example.com"}, {"port", 53}, {"bytes", 128}});
    const CaptureFilter* const filter = runtime.shared().capture.load();
    BOOST_REQUIRE(filter != nullptr);
    BOOST_TEST(int{filter->name_len} == 13);
    BOOST_TEST(filter->name[1] == 'e');
    BOOST_TEST(filter->transport_port == 53);
    BOOST_TEST(filter->most_bytes == 128U);
    push(70, 'a');
    clock.ms += 2;
    push(61, 'b');
    tick();
    const File file = whole(number);
    BOOST_TEST((file.interfaces == std::vector<std::string>{"eth0", "sockets"}));
    BOOST_REQUIRE(file.packets.size() == 2);
    BOOST_TEST(file.packets[0].bytes == std::string(70, 'a'));
    BOOST_TEST(file.packets[1].bytes == std::string(61, 'b'));
    BOOST_TEST(file.packets[0].interface == 0U);
    BOOST_TEST(file.packets[1].at_ns - file.packets[0].at_ns == 2'000'000U);
    BOOST_TEST(file.lost.value_or(99) == 0U);
    BOOST_TEST(runtime.shared().capture.load() == nullptr);
    BOOST_TEST(error("capture.read", {{"capture", number}}).starts_with("this capture has ended"));
}

BOOST_AUTO_TEST_CASE(a_capture_ends_when_workers_ended_their_turns) {
    turn();  // it is online now
    const auto number = start();
    BOOST_TEST(!read(number, "capture.stop").at("done").as_bool());  // the file's head
    for (unsigned i = 0; i < 3; ++i)
        tick();     // 10 ms each
    push(60, 'x');  // the worker is still in the turn in which it had the filter
    tick();
    turn();
    const File file = whole(number);
    BOOST_TEST(file.packets.size() == 1U);
    BOOST_TEST(file.lost.has_value());
}

BOOST_AUTO_TEST_CASE(a_worker_that_hangs_holds_the_end_for_a_second) {
    turn();
    const auto number = start();
    (void)read(number, "capture.stop");
    while (!read(number).at("done").as_bool()) {
    }
    BOOST_TEST(read_file(bytes).lost.has_value());
    BOOST_TEST(clock.ms <= 1'000'000U + 2'000U);
}

BOOST_AUTO_TEST_CASE(a_capture_without_a_reader_ends_after_five_seconds) {
    const auto number = start();
    clock.ms += 5000;
    tick();
    BOOST_TEST(runtime.shared().capture.load() != nullptr);
    BOOST_TEST(error("capture.start", {}).starts_with("another capture is under way"));
    (void)read(number);  // 5 s more
    clock.ms += 5000;
    tick();
    BOOST_TEST(runtime.shared().capture.load() != nullptr);
    clock.ms += 1;
    tick();
    BOOST_TEST(runtime.shared().capture.load() == nullptr);
    BOOST_TEST(runtime.shared().record_one_in.load() == 0U);
    BOOST_TEST(error("capture.read", {{"capture", number}}).starts_with("this capture has ended"));
    BOOST_TEST(start() == number + 1);
}

BOOST_AUTO_TEST_CASE(four_mebibytes_wait_for_a_client_and_the_rest_is_lost) {
    const auto number = start({{"bytes", 65'535}});
    constexpr std::uint32_t kLength = 60'000;
    unsigned pushed = 0;
    while (pushed < 80) {
        for (unsigned i = 0; i < 8 && push(kLength, 'f'); ++i)
            ++pushed;
        tick();
    }
    const auto reply = read(number);
    const auto kept = reply.at("frames").to_number<std::uint64_t>();
    BOOST_TEST(kept * kLength <= CaptureService::kMostKept);
    BOOST_TEST((kept + 1) * (kLength + 64) > CaptureService::kMostKept);
    BOOST_TEST(reply.at("lost").to_number<std::uint64_t>() == pushed - kept);
    BOOST_TEST(bytes.size() == CaptureService::kMostSent);
    const File file = whole(number);
    BOOST_TEST(file.packets.size() == kept);
    BOOST_TEST(file.lost.value_or(0) == pushed - kept);
}

BOOST_AUTO_TEST_CASE(count_and_seconds_end_a_capture) {
    auto number = start({{"count", 2}});
    for (const char fill : {'a', 'b', 'c'})
        push(60, fill);
    json::value reply = read(number);
    while (!reply.at("done").as_bool())
        reply = read(number);
    BOOST_TEST(read_file(bytes).packets.size() == 2U);
    BOOST_TEST(reply.at("lost").to_number<std::uint64_t>() == 0U);

    bytes.clear();
    number = start({{"seconds", 3}});
    const std::uint64_t began = clock.ms;
    while (!read(number).at("done").as_bool()) {
    }
    BOOST_TEST(clock.ms - began >= 3000U);
    BOOST_TEST(clock.ms - began < 4500U);
}

BOOST_AUTO_TEST_CASE(frames_of_the_capture_before_are_not_in_the_next_one) {
    (void)start();
    service.end();
    push(60, 'o');  // in the ring when the next one begins
    const auto number = start();
    clock.ms -= 1;
    push(60, 'p');  // copied in a turn that began before
    clock.ms += 1;
    push(60, 'n');
    const File file = whole(number);
    BOOST_REQUIRE(file.packets.size() == 1);
    BOOST_TEST(file.packets[0].bytes[0] == 'n');
}

BOOST_AUTO_TEST_CASE(the_end_answers_who_waits) {
    const auto number = start();
    (void)read(number);  // the file's head
    std::string reply;
    methods.call(*methods.find("capture.read"), json::object{{"capture", number}},
                 [&](const ops::RpcResult& r) { reply = r ? "bytes" : r.error().message; });
    BOOST_TEST(reply.empty());
    service.end();
    BOOST_TEST(reply == "the capture has ended");
}

BOOST_AUTO_TEST_CASE(queries_by_kernel_sockets_are_packets_and_lost_ones_count) {
    const auto number = start({{"interface", "sockets"}, {"name", "example.com"}});
    BOOST_TEST(runtime.shared().capture.load() == nullptr);  // no frames
    BOOST_TEST(runtime.shared().record_one_in.load() == 1U);
    const auto query = DnsMessage::query(7, "wWw.example.com", 1);
    const auto response =
        DnsMessage::response(7, "wWw.example.com", 1).a("www.example.com", 60, {203, 0, 113, 7});
    record(DnsMessage::query(8, "example.org", 1), DnsMessage::response(8, "example.org", 1), 5);
    record(query, response, 2);
    const File file = whole(number);
    BOOST_REQUIRE(file.packets.size() == 2);
    BOOST_TEST(file.packets[0].interface == 1U);
    const auto bytes_of = [](const DnsMessage& message) {
        return std::string(message.bytes().begin(), message.bytes().end());
    };
    BOOST_TEST(file.packets[0].bytes.substr(42) == bytes_of(query));
    BOOST_TEST(file.packets[1].bytes.substr(42) == bytes_of(response));
    BOOST_TEST(file.packets[1].length == 42 + response.size());
    BOOST_TEST(file.lost.value_or(0) == 7U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
