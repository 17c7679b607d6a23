#include "dataplane/dns/leave_out.h"

#include "dataplane/dns/answer_writer.h"
#include "dataplane/dns/hints.h"

namespace steer::dns {
namespace {

bool may_have_address(std::uint16_t type) {
    return type == kA || type == kAaaa || type == kSvcb || type == kHttps;
}

// Whether a record is left out.
bool is_left_out(const Answer& answer, unsigned record, const AddressFilter& filter) noexcept {
    constexpr std::size_t kTypeCovered = 2;  // bytes at the start of an RRSIG's RDATA
    if (record < answer.ancount) return false;
    const std::uint8_t* const ttl = answer.body() + answer.ttl_offsets()[record];
    if (load_be16(ttl - kTypeBeforeTtl) == kRrsig) {
        return load_be16(ttl + kLengthAfterTtl) >= kTypeCovered &&
               may_have_address(load_be16(ttl + kRdataAfterTtl));
    }
    return any_of(addresses_of_record(answer, record), [&](const std::uint8_t* bytes, bool is_v6) {
        return !filter.keeps(bytes, is_v6);
    });
}

}  // namespace

bool has_to_leave_out(const Answer& answer, const AddressFilter& filter) noexcept {
    return any_additional_address(
        answer, [&](const std::uint8_t* bytes, bool is_v6) { return !filter.keeps(bytes, is_v6); });
}

std::size_t write_without(const Answer& answer, const AddressFilter& filter,
                          std::span<const std::uint8_t> asked, std::uint32_t age_s,
                          std::span<std::uint8_t> block) noexcept {
    Answer head = answer;
    for (unsigned r = answer.ancount; r < answer.ttl_count; ++r) {
        if (!is_left_out(answer, r, filter)) continue;
        --head.ttl_count;
        --(r < unsigned{answer.ancount} + answer.nscount ? head.nscount : head.arcount);
    }
    AnswerWriter writer(answer, asked, asked, age_s, block);
    if (!writer.begin(head)) return 0;
    BodyRecord record;
    for (unsigned r = 0; r < answer.ttl_count; ++r) {
        if (!writer.read(r, record.end, record)) return 0;
        if (!is_left_out(answer, r, filter) && !writer.copy(record)) return 0;
    }
    return writer.finish();
}

}  // namespace steer::dns
