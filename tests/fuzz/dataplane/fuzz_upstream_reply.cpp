// What an upstream replies, through a whole worker: forwarder, program, caches, lists, and the answer to the client; then
// the same question again, out of the cache and past its TTL. First byte: which part of the program, which type; second:
// whether the client sent EDNS, and over what the reply comes. Then a response without its id and its question, which are
// those that were asked with. Whatever comes, each query has one answer, which is a response to it, and nothing is left.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "../require.h"
#include "busy_program.h"
#include "dataplane/dns/answer.h"
#include "dataplane/dns/name.h"
#include "packet/appliance.h"
#include "support/eal_fixture.h"
#include "support/stub_walk.h"

namespace {

using namespace steer;
using namespace steer::test;

constexpr std::size_t kHeadBytes = 2, kMaxBytes = 1200, kFixedBytes = 10;
constexpr std::array<std::uint16_t, 8> kTypes{1, 28, 65, 12, 33, 16, 255, 1};

Appliance& appliance() {
    static EalFixture eal;
    static Appliance& made = *[] {
        auto* const a = new Appliance;  // lives as long as the fuzzer: EAL has to go last
        a->publish(busy_program());
        return a;
    }();
    return made;
}

struct Input {
    std::uint8_t part, variant;
    Bytes fixed, records;  // of the response: the header without its id, what follows the question
};

// A new name each time, so that no cache has it. All have the same length, so that compression pointers stay valid.
std::string fresh_name(const Input& input) {
    static std::uint32_t count = 0;
    std::array<char, 9> label{};
    std::snprintf(label.data(), label.size(), "%08x", ++count);
    return std::string(label.data()) + "." +
           std::string(kBusySuffixes[input.part % kBusySuffixes.size()]);
}

DnsMessage query_of(const Input& input, const std::string& name) {
    auto query = DnsMessage::query(7, name, kTypes[input.part >> 5]);
    if ((input.variant & 1) != 0) {
        Bytes options{0xfd, 0xe9, 0, 1, 'x'};  // 65001
        if ((input.variant & 2) != 0) {
            const Bytes subnet{0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2};
            options.insert(options.end(), subnet.begin(), subnet.end());
        }
        query.opt(1232, (input.variant & 4) != 0, 0, 0, options);
    }
    return query;
}

// The query's id and question in a response of the input.
Bytes response_to(const Bytes& query, const Input& input) {
    const std::size_t name = dns::plain_name_length(std::span(query).subspan(dns::kHeaderSize));
    REQUIRE(name > 0);
    Bytes out(query.begin(), query.begin() + 2);
    out.insert(out.end(), input.fixed.begin(), input.fixed.end());
    out[2] |= 0x80;
    out.insert(out.end(), query.begin() + dns::kHeaderSize,
               query.begin() + static_cast<std::ptrdiff_t>(dns::kHeaderSize + name + 4));
    out.insert(out.end(), input.records.begin(), input.records.end());
    return out;
}

void answer_upstreams(Appliance& a, const Input& input) {
    for (const Seen& query : a.upstream_queries()) {
        DnsMessage response(0, 0);
        const Bytes bytes = response_to(query.dns, input);
        for (std::size_t i = 0; i < dns::kHeaderSize; i += 2)
            response.set(i, dns::load_be16(&bytes[i]));
        a.reply(query, response.raw(Bytes(bytes.begin() + dns::kHeaderSize, bytes.end())));
    }
    for (const auto& query : a.stream_asks()) {
        Bytes bytes = response_to(query.dns, input);
        if ((input.variant & 8) != 0) bytes[2] &= 0xfd;  // as a whole one
        a.reply_by_stream(query, bytes);
    }
}

void acknowledge_all(Appliance& a) {
    for (const Event& e : a.events()) {
        if (e.hold_token != 0) a.acknowledge(e);
    }
    a.notes();
}

void check_answer(const Seen& answer, const Bytes& query) {
    const Bytes& dns = answer.dns;
    REQUIRE(dns.size() >= dns::kHeaderSize &&
            std::equal(dns.begin(), dns.begin() + 2, query.begin()));
    const std::size_t name = dns::plain_name_length(std::span(query).subspan(dns::kHeaderSize));
    const std::uint8_t* const type = &query[dns::kHeaderSize + name];
    alignas(8) static std::array<std::uint8_t, std::size_t{3} * dns::kMaxMessage> block;
    dns::UpstreamFacts facts;
    REQUIRE(dns::build_answer(dns, std::span(query).subspan(dns::kHeaderSize, name),
                              dns::load_be16(type), dns::load_be16(type + 2), false, block,
                              facts) == dns::AnswerError::none);
    // A stub finds all of it, unless it asks again over TCP.
    const auto stub = walk_as_stub(dns);
    REQUIRE(stub.has_value());
    REQUIRE(stub->is_whole() || (facts.flags & dns::kTc) != 0);
}

// The client asks, upstreams reply or do not, and time passes until no query waits.
void ask(Appliance& a, const Input& input, const DnsMessage& query, bool replied) {
    a.ask(query);
    a.turn();
    for (unsigned round = 0; replied && round < 4; ++round) {
        answer_upstreams(a, input);
        a.turn();
        acknowledge_all(a);
        a.turn();
    }
    a.advance_ms(6000);
    acknowledge_all(a);
    a.advance_ms(6000);
    a.upstream_queries();
    a.stream_asks();
    acknowledge_all(a);
    const auto answers = a.answers();
    REQUIRE(answers.size() == 1);
    check_answer(answers.front(), query.bytes());
    REQUIRE(a.parked() == 0 && a.port().mbufs_in_use() == 0 && a.buffers_in_use() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < kHeadBytes + kFixedBytes || size > kMaxBytes) return 0;
    const std::uint8_t* const records = data + kHeadBytes + kFixedBytes;
    const Input input{data[0], data[1], Bytes(data + kHeadBytes, records),
                      Bytes(records, data + size)};
    Appliance& a = appliance();
    const DnsMessage query = query_of(input, fresh_name(input));
    ask(a, input, query, true);
    ask(a, input, query, false);
    a.advance_ms(1'000'000);  // past what most TTLs are, and before what is stale is too old
    ask(a, input, query, (input.variant & 16) != 0);
    return 0;
}
