// What makes or changes an answer without waiting: black holes, tables of answers, TTLs.
#include <algorithm>

#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/executor.h"
#include "dataplane/policy/facts.h"

namespace steer {

bool Executor::answer_known(QueryContext& c, AnswerRef answer) noexcept {
    if (answer == kNoAnswer) return false;
    forget_lists(c.state);
    c.response.set_known(&c.snapshot.known.at(answer));
    return true;
}

bool Executor::answer_from_table(QueryContext& c, const AnswerTable& table) noexcept {
    return answer_known(c, table.find(c.query.name(), c.query.qtype, c.query.qclass,
                                      c.snapshot.scratches[worker_]));
}

void Executor::change_ttls(QueryContext& c, const dns::TtlLimits& limits, Now now) noexcept {
    if (!c.response || c.response.answer().ttl_count == 0) return;
    if (!c.response.change_ttls(buffers_, limits, now)) counters_.add(Stat::ttls_unchanged);
}

bool Executor::answer_pointer(QueryContext& c, const ReverseLookup& reverse, Now now) noexcept {
    constexpr std::uint32_t kPointerTtl = 5;
    constexpr std::uint32_t kMostBytes = 512;  // of an answer with one name
    if (c.query.qtype != dns::kPtr || c.query.qclass != dns::kIn) return false;
    const auto address = address_in_name(c.query.name());
    if (!address) return false;
    ReverseTable::Name name;
    const std::size_t length = reverse.table->find(*address, now.s(), name);
    if (length == 0) return false;
    Buffer* const buffer = buffers_.take(kMostBytes);
    if (buffer == nullptr) return false;
    buffer->length = static_cast<std::uint32_t>(
        dns::write_answer(buffer->room(), dns::kPtr, kPointerTtl, {name.data(), length}));
    buffer->born_ms = now.ms;
    forget_lists(c.state);
    c.response.set_buffer(buffer);
    return true;
}

void Executor::leave_reverse(QueryContext& c, const ReverseLookup& reverse, Now now) noexcept {
    if (!c.response || c.response.answer().rcode != dns::kNoError) return;
    const dns::Answer& answer = c.response.answer();
    const std::uint32_t age_s = c.response.age_s(now.s());
    const auto left_s = [&](std::uint32_t ttl_s) {
        return std::min(ttl_s > age_s ? ttl_s - age_s : 0, c.response.ttl_cap_s());
    };
    for (unsigned i = 0; i < answer.address_count; ++i) {
        const dns::AddressRef& ref = answer.addresses()[i];
        const std::uint8_t* const bytes = answer.body() + ref.rdata_offset;
        const std::uint32_t ttl_s = dns::load_be32(bytes - 6);  // behind it the length
        reverse.table->learn(ref.is_v6 != 0 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes),
                             c.query.name(), now.s() + std::min(left_s(ttl_s), reverse.ttl_s),
                             now.s());
    }
    if (answer.address_count > 0 && left_s(answer.address_ttl_s) > reverse.ttl_s)
        change_ttls(c, {0, reverse.ttl_s}, now);
}

}  // namespace steer
