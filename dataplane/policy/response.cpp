#include "dataplane/policy/executor.h"

#include <algorithm>
#include <cstring>

namespace steer {

void Response::set_empty(std::uint8_t rcode, std::optional<dns::Ede> ede) noexcept {
    clear();
    empty_ = dns::empty_answer(rcode);
    answer_ = &empty_;
    born_s_ = kJustNow;
    has_ede_ = ede.has_value();
    if (ede) ede_ = *ede;
}

void Response::set_stale(const cache::Entry* entry, std::uint32_t ttl_s) noexcept {
    clear();
    entry_ = source_ = entry;
    answer_ = &entry->answer();
    born_s_ = kJustNow;
    stale_ttl_s_ = ttl_s;
    kept_in_ = entry->instance;
    set_ede(answer_->rcode == dns::kNxDomain ? dns::Ede::stale_nxdomain : dns::Ede::stale);
}

bool Response::limit_ttls(BufferPools& pools, const dns::TtlLimits& limits, Now now) noexcept {
    Buffer* const own = copy(pools, now);
    if (own == nullptr) return false;
    dns::limit_ttls(own->data(), limits);
    const cache::Entry* const source = source_;
    const std::uint16_t kept_in = kept_in_;
    set_buffer(own);
    source_ = source;
    kept_in_ = kept_in;
    return true;
}

bool Response::change_ttls(BufferPools& pools, const dns::TtlLimits& limits, Now now) noexcept {
    Buffer* const own = copy(pools, now);
    if (own == nullptr) return false;
    const std::uint32_t most_s = std::min(limits.most_s, stale_ttl_s_);
    dns::limit_ttls(own->data(), {std::min(limits.least_s, most_s), most_s}, age_s(now.s()));
    own->born_ms = now.ms;
    if (buffer_ != nullptr) release(buffer_);
    entry_ = nullptr;
    buffer_ = own;
    answer_ = &own->answer();
    born_s_ = now.s();
    return true;
}

void Response::set_buffer(Buffer* buffer) noexcept {
    clear();
    buffer_ = buffer;
    answer_ = &buffer->answer();
    born_s_ = static_cast<std::uint32_t>(buffer->born_ms / 1000);
}

void Response::take(Response& other) noexcept {
    clear();
    if (other.answer_ == &other.empty_) {
        empty_ = other.empty_;
        answer_ = &empty_;
    } else {
        answer_ = other.answer_;
    }
    entry_ = other.entry_;
    source_ = other.source_;
    buffer_ = std::exchange(other.buffer_, nullptr);
    born_s_ = other.born_s_;
    stale_ttl_s_ = other.stale_ttl_s_;
    kept_in_ = other.kept_in_;
    has_ede_ = other.has_ede_;
    ede_ = other.ede_;
    other.clear();
}

void Response::restore(Buffer* buffer, const KeptResponse& terms,
                       std::optional<dns::Ede> ede) noexcept {
    set_buffer(buffer);
    stale_ttl_s_ = terms.stale_ttl_s;
    if (is_stale()) born_s_ = kJustNow;
    kept_in_ = terms.kept_in;
    if (ede) set_ede(*ede);
}

Buffer* Response::in_buffer(BufferPools& pools, Now now) const noexcept {
    if (buffer_ != nullptr) {
        hold(buffer_);
        return buffer_;
    }
    return copy(pools, now);
}

Buffer* Response::copy(BufferPools& pools, Now now) const noexcept {
    const std::size_t size = answer_->size();
    Buffer* const copy = pools.take(static_cast<std::uint32_t>(size));
    if (copy == nullptr) return nullptr;
    std::memcpy(copy->data(), answer_, size);
    copy->length = static_cast<std::uint32_t>(size);
    copy->serial = 0;
    copy->born_ms = born_s_ == kJustNow ? now.ms : std::uint64_t{born_s_} * 1000;
    if (buffer_ != nullptr) {
        copy->serial = buffer_->serial;
        copy->born_ms = buffer_->born_ms;
    }
    return copy;
}

}  // namespace steer
