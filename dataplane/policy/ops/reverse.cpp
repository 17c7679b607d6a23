#include "dataplane/policy/ops/reverse.h"

#include <algorithm>

#include "dataplane/dns/hints.h"
#include "dataplane/policy/facts.h"
#include "dataplane/policy/ops/responses.h"

namespace steer {
namespace {

// True: the question asks for the name of a known address, and is answered.
bool answer_by_name(LiveRun& w, const ReverseLookup& reverse) {
    QueryContext& c = w.c;
    constexpr std::uint32_t kPointerTtl = 5;
    constexpr std::uint32_t kMaxBytes = 512;  // of an answer with one name
    if (c.query.qtype != dns::kPtr || c.query.qclass != dns::kIn) return false;
    const auto address = address_in_name(c.asked().name());
    if (!address) return false;
    ReverseTable::Name name;
    const std::size_t length = reverse.table->find(*address, w.now.s(), name);
    if (length == 0) return false;
    Buffer* const buffer = w.worker.buffers.take(kMaxBytes);
    if (buffer == nullptr) return false;
    buffer->length = static_cast<std::uint32_t>(
        dns::write_answer(buffer->room(), dns::kPtr, kPointerTtl, {name.data(), length}));
    buffer->born_ms = static_cast<std::int64_t>(w.now.ms);
    w.give_buffer(buffer);
    c.state.note_maker();
    return true;
}

}  // namespace

void Body<Op::enter_reverse>::learn(LiveRun& w, const ReverseLookup& reverse) noexcept {
    QueryContext& c = w.c;
    if (!c.response || c.response.answer().rcode != dns::kNoError) return;
    const dns::Answer& answer = c.response.answer();
    dns::Query room;
    const auto name = c.asked_under(c.state.answered_under, room).name();
    const std::uint32_t age_s = c.response.age_s(w.now.s());
    const auto left_s = [&](std::uint32_t ttl_s) {
        return std::min(ttl_s > age_s ? ttl_s - age_s : 0, c.response.ttl_cap_s());
    };
    std::uint32_t longest_s = 0;
    // All get the name that was asked for. The owner of an additional record is another server's word.
    for (unsigned r = 0; r < answer.ttl_count; ++r) {
        const dns::Hints addresses = dns::addresses_of_record(answer, r);
        if (!addresses.any()) continue;
        const std::uint32_t ttl_s = left_s(dns::load_be32(answer.body() + answer.ttl_offsets()[r]));
        longest_s = std::max(longest_s, ttl_s);
        dns::any_of(addresses, [&](const std::uint8_t* bytes, bool is_v6) {
            reverse.table->learn(is_v6 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes),
                                 name, w.now.s() + std::min(ttl_s, reverse.ttl_s), w.now.s());
            return false;
        });
    }
    if (longest_s > reverse.ttl_s) Body<Op::limit_ttls>::change_ttls(w, {0, reverse.ttl_s});
}

MaybeStep Body<Op::answer_pointer>::run(LiveRun& w, const Instruction& i) noexcept {
    if (!answer_by_name(w, w.snapshot().reverse[i.operand])) return w.next();
    w.pc() = i.target;
    return std::nullopt;
}

}  // namespace steer
