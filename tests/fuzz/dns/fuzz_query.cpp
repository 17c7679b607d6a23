// Clients' queries. Whatever comes: the reply to it has the query's id and question, fits the size, and is read as
// a response by build_answer; its options are found again, whole, and its subnet is written as it was read.
#include <algorithm>
#include <array>
#include <vector>

#include "../require.h"
#include "dataplane/dns/answer.h"
#include "dataplane/dns/ecs.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/options.h"

using namespace steer::dns;

namespace {

void check_reply(std::span<const std::uint8_t> reply, const Query& query,
                 std::span<const std::uint8_t> message) {
    REQUIRE(reply.size() >= kHeaderSize);
    REQUIRE(load_be16(&reply[0]) == query.id);
    REQUIRE((load_be16(&reply[2]) & kQr) != 0);
    if (query.question_end == 0) {
        REQUIRE(reply.size() == kHeaderSize || query.edns.present);
        return;
    }
    const auto sent = message.subspan(kHeaderSize, query.question_end - kHeaderSize);
    REQUIRE(std::equal(sent.begin(), sent.end(), reply.begin() + kHeaderSize));
    alignas(8) std::array<std::uint8_t, 1024> block;
    UpstreamFacts facts;
    REQUIRE(build_answer(reply, query.name(), query.qtype, query.qclass, false, block, facts) ==
            AnswerError::none);
    REQUIRE(facts.has_opt == query.edns.present);
}

void check_subnet(std::span<const std::uint8_t> options, std::span<const std::uint8_t> ecs) {
    const auto reply = read_ecs_reply(options, ecs);
    REQUIRE(reply.matches && reply.scope == 0);  // a query's scope is 0
    std::array<std::uint8_t, kEcsOptionSize + kMaxEcs> option;
    const std::size_t length = write_ecs(option.data(), ecs, 1);
    std::array<std::uint8_t, kMaxEcs> again;
    REQUIRE(read_ecs(std::span(option).first(length).subspan(4), again) == 0);  // with a scope
    option[7] = 0;
    const std::size_t kept = read_ecs(std::span(option).first(length).subspan(4), again);
    REQUIRE(std::ranges::equal(std::span(again).first(kept), ecs));
}

void check_options(std::span<const std::uint8_t> message, const Query& query) {
    const auto options = options_of(message, query.question_end);
    REQUIRE(query.edns.present || options.empty());
    std::vector<std::uint8_t> room(options.size());
    const auto all = pick_options(options, room, [](std::uint16_t) { return true; });
    REQUIRE(!all.too_long && all.length == options.size());  // none is longer than its OPT
    if (all.length > 0) {
        room.resize(all.length - 1);
        const auto none = pick_options(options, room, [](std::uint16_t) { return true; });
        REQUIRE(none.too_long && none.length == 0);
    }
    std::array<std::uint8_t, kMaxEcs> other{1, 8, 10};
    (void)read_ecs_reply(options, std::span(other).first(3));
    if (query.edns.ecs_len > 0) check_subnet(options, query.ecs());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::uint8_t> message{data, std::min<std::size_t>(size, 4096)};
    Query query;
    const QueryError read = parse_client_query(message, query);
    const QueryError error = parse_query(message, query);
    REQUIRE(is_well_formed(read) == (error == QueryError::none));
    REQUIRE(read != QueryError::no_recursion || (query.flags & kRd) == 0);
    REQUIRE(read != QueryError::any_type || query.qtype == kAny);
    const std::uint16_t rcode = rcode_for(error);
    if (rcode == kNoReply) return 0;
    std::vector<std::uint8_t> out(message.begin(), message.end());
    out.resize(std::max<std::size_t>(out.size(), 512));
    if (error != QueryError::none) {
        check_reply(std::span(out).first(write_error_reply(out, query, rcode, Ede::other)), query,
                    message);
        return 0;
    }
    REQUIRE(plain_name_length(query.name()) == query.qname_len);
    check_options(message, query);
    bool truncated = false;
    const auto length =
        write_reply(out, query, empty_answer(kRefused), {.ede = Ede::prohibited}, truncated);
    REQUIRE(length <= kClassicUdpSize && !truncated);
    check_reply(std::span(out).first(length), query, message);
    return 0;
}
