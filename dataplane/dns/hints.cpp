#include "dataplane/dns/hints.h"

#include "dataplane/dns/name.h"

namespace steer::dns {
namespace {

// At least one address, and whole ones (RFC 9460 7.3).
bool holds_addresses(std::span<const std::uint8_t> value, std::size_t size) {
    return !value.empty() && value.size() % size == 0;
}

struct RecordData {
    std::uint16_t type = 0;  // 0: not of class IN, or there is no such record
    std::span<const std::uint8_t> rdata = {};
};

RecordData record_data(const Answer& answer, unsigned record) {
    if (record >= answer.ttl_count) return {};
    const std::size_t ttl = answer.ttl_offsets()[record];
    const std::span<const std::uint8_t> body{answer.body(), answer.body_len};
    if (ttl < kTypeBeforeTtl || ttl + kRdataAfterTtl > body.size()) return {};
    if (load_be16(&body[ttl - 2]) != kIn) return {};
    const std::size_t length = load_be16(&body[ttl + 4]);
    if (length > body.size() - ttl - kRdataAfterTtl) return {};
    return {load_be16(&body[ttl - kTypeBeforeTtl]), body.subspan(ttl + kRdataAfterTtl, length)};
}

}  // namespace

Hints hints_of(std::span<const std::uint8_t> rdata) noexcept {
    constexpr std::size_t kPriority = 2;
    if (rdata.size() < kPriority || load_be16(rdata.data()) == 0) return {};
    rdata = rdata.subspan(kPriority);
    const std::size_t target = plain_name_length(rdata);
    if (target == 0) return {};
    rdata = rdata.subspan(target);
    Hints hints;
    for (int last = -1; !rdata.empty();) {
        if (rdata.size() < kSvcParamHead) return {};
        const int key = load_be16(rdata.data());
        const std::size_t length = load_be16(&rdata[2]);
        if (key <= last || length > rdata.size() - kSvcParamHead) return {};
        last = key;
        const auto value = rdata.subspan(kSvcParamHead, length);
        rdata = rdata.subspan(kSvcParamHead + length);
        if (key == kIpv4Hint) {
            if (!holds_addresses(value, 4)) return {};
            hints.v4 = value;
        } else if (key == kIpv6Hint) {
            if (!holds_addresses(value, 16)) return {};
            hints.v6 = value;
        }
    }
    return hints;
}

Hints hints_of_record(const Answer& answer, unsigned record) noexcept {
    const RecordData found = record_data(answer, record);
    if (found.type != kSvcb && found.type != kHttps) return {};
    return hints_of(found.rdata);
}

Hints addresses_of_record(const Answer& answer, unsigned record) noexcept {
    const RecordData found = record_data(answer, record);
    Hints addresses;
    if (found.type == kA && found.rdata.size() == 4) addresses.v4 = found.rdata;
    if (found.type == kAaaa && found.rdata.size() == 16) addresses.v6 = found.rdata;
    if (found.type == kSvcb || found.type == kHttps) addresses = hints_of(found.rdata);
    return addresses;
}

}  // namespace steer::dns
