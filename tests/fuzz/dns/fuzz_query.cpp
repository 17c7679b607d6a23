// Clients' queries. Whatever comes: the reply to it has the query's id and question, fits the size, and is read as
// a response by build_answer.
#include <algorithm>
#include <array>
#include <vector>

#include "dataplane/dns/answer.h"
#include "dataplane/dns/name.h"
#include "require.h"

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::uint8_t> message{data, std::min<std::size_t>(size, 4096)};
    Query query;
    const QueryError error = parse_query(message, query);
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
    bool truncated = false;
    const auto length =
        write_reply(out, query, empty_answer(kRefused), {.ede = Ede::prohibited}, truncated);
    REQUIRE(length <= kClassicUdpSize && !truncated);
    check_reply(std::span(out).first(length), query, message);
    return 0;
}
