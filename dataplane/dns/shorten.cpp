#include "dataplane/dns/shorten.h"

#include <algorithm>
#include <cstring>

#include "dataplane/dns/checksum.h"
#include "dataplane/dns/hints.h"

namespace steer::dns {
namespace {

// The kept records of the answer section, and their end in the body.
struct Kept {
    unsigned records = 0, addresses = 0;
    std::size_t end = 0;
};

Kept kept_of(const Answer& answer, unsigned most) noexcept {
    Kept kept;
    unsigned refs = 0, count = 0;
    const unsigned records = std::min<unsigned>(answer.ancount, answer.ttl_count);
    for (unsigned r = 0; r < records; ++r) {
        const std::size_t ttl = answer.ttl_offsets()[r];
        const std::size_t rdata = ttl + kRdataAfterTtl;
        const std::size_t end = rdata + load_be16(answer.body() + ttl + kLengthAfterTtl);
        unsigned own = 0;
        const bool is_address =
            refs < answer.address_count && answer.addresses()[refs].rdata_offset == rdata;
        if (is_address) {
            own = 1;
        } else if (answer.has_hints) {
            const Hints hints = hints_of_record(answer, r);
            own = static_cast<unsigned>(hints.v4.size() / 4 + hints.v6.size() / 16);
        }
        if (count + own > most) {
            return kept;
        }
        count += own;
        refs += is_address ? 1 : 0;
        kept = {r + 1, refs, end};
    }
    return kept;
}

}  // namespace

bool has_more_addresses(const Answer& answer, unsigned most) noexcept {
    if (answer.address_count <= most && !answer.has_hints && !answer.has_additional) return false;
    unsigned count = 0;
    return any_address(answer, [&](const std::uint8_t*, bool) { return ++count > most; });
}

std::size_t write_shortened(const Answer& answer, unsigned most,
                            std::span<std::uint8_t> block) noexcept {
    const Kept kept = kept_of(answer, most);
    Answer head = answer;
    head.ancount = head.ttl_count = static_cast<std::uint16_t>(kept.records);
    head.nscount = head.arcount = 0;
    head.has_additional = false;
    head.address_count = static_cast<std::uint16_t>(kept.addresses);
    head.body_len = static_cast<std::uint16_t>(kept.end);
    head.body_sum =
        static_cast<std::uint16_t>(checksum_fold(checksum_add(0, answer.body(), kept.end)));
    if (head.size() > block.size()) return 0;
    std::uint8_t* to = block.data();
    const auto put = [&](const void* from, std::size_t bytes) {
        std::memcpy(to, from, bytes);
        to += bytes;
    };
    put(&head, sizeof head);
    put(answer.ttl_offsets(), head.ttl_count * sizeof(std::uint16_t));
    put(answer.addresses(), head.address_count * sizeof(AddressRef));
    put(answer.body(), head.body_len);
    return head.size();
}

}  // namespace steer::dns
