#include "dataplane/policy/response.h"

#include <algorithm>
#include <cstring>

#include "dataplane/dns/shorten.h"
#include "dataplane/dns/walk.h"

namespace steer {
namespace {

// The size of the answer in `room`; 0 if a stub does not find its end (dns/walk.h).
std::size_t walkable(std::size_t size, std::span<const std::uint8_t> room,
                     std::span<const std::uint8_t> asked, std::uint16_t qtype) {
    if (size == 0) return 0;
    const auto& answer = *reinterpret_cast<const dns::Answer*>(room.data());
    return dns::walk_of(answer, asked, qtype) == dns::Walk::whole ? size : 0;
}

}  // namespace

void Response::set_empty(std::uint8_t rcode, std::optional<dns::Ede> ede) noexcept {
    clear();
    empty_ = dns::empty_answer(rcode);
    answer_ = &empty_;
    has_age_ = false;
    has_ede_ = ede.has_value();
    if (ede) ede_ = *ede;
}

void Response::set_stale(const cache::Entry* entry, std::uint32_t ttl_s) noexcept {
    clear();
    entry_ = source_ = entry;
    answer_ = &entry->answer();
    has_age_ = false;
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
    const std::uint8_t passes_options = passes_options_;
    const auto ads = points_to_ads();
    set_buffer(own);
    if (ads) set_points_to_ads(*ads);
    source_ = source;
    kept_in_ = kept_in;
    passes_options_ = passes_options;
    return true;
}

bool Response::change_ttls(BufferPools& pools, const dns::TtlLimits& limits, Now now) noexcept {
    Buffer* const own = copy(pools, now);
    if (own == nullptr) return false;
    const std::uint32_t most_s = std::min(limits.most_s, stale_ttl_s_);
    dns::limit_ttls(own->data(), {std::min(limits.least_s, most_s), most_s}, age_s(now.s()));
    own->born_ms = static_cast<std::int64_t>(now.ms);
    if (buffer_ != nullptr) release(buffer_);
    entry_ = nullptr;
    buffer_ = own;
    answer_ = &own->answer();
    set_birth(own->birth());
    return true;
}

template <class Write>
bool Response::rewrite(BufferPools& pools, Now now, Write&& write) noexcept {
    for (const std::uint32_t size : {kSmallBuffer, kLargeBuffer}) {
        Buffer* const own = pools.take(size);
        if (own == nullptr) return false;
        own->length = static_cast<std::uint32_t>(write(own->room()));
        if (own->length == 0) {
            release(own);
            continue;
        }
        const auto passed = options();
        if (!passed.empty() && own->length + passed.size() <= own->capacity) {
            std::memcpy(own->data() + own->length, passed.data(), passed.size());
            own->length += static_cast<std::uint32_t>(passed.size());
        }
        own->serial = buffer_ != nullptr ? buffer_->serial : 0;
        own->born_ms = static_cast<std::int64_t>(now.ms);
        if (buffer_ != nullptr) release(buffer_);
        buffer_ = own;
        entry_ = source_ = nullptr;
        knows_ads_ = false;
        answer_ = &own->answer();
        if (!is_stale()) set_birth(own->birth());
        return true;
    }
    return false;
}

bool Response::put_alias(BufferPools& pools, dns::AliasTerms terms, Now now) noexcept {
    if (!terms.with_cname && answer_->body_len == 0) return true;
    const bool done = rewrite(pools, now, [&](std::span<std::uint8_t> room) {
        return walkable(dns::write_alias_answer(*answer_, terms, room), room, terms.alias,
                        terms.qtype);
    });
    if (done && terms.with_cname) kept_in_ = kNowhere;
    return done;
}

bool Response::translate(BufferPools& pools, dns::TranslateTerms terms,
                         const dns::Translation& translation, Now now) noexcept {
    terms.age_s = age_s(now.s());
    const bool done = rewrite(pools, now, [&](std::span<std::uint8_t> room) {
        const bool is_aaaa =
            terms.what == dns::Translate::addresses || terms.what == dns::Translate::counted_only;
        return walkable(dns::write_translated(*answer_, terms, translation, room), room,
                        terms.asked, is_aaaa ? std::uint16_t{dns::kAaaa} : std::uint16_t{0});
    });
    if (done) kept_in_ = kNowhere;
    return done;
}

// What its lists claim depends on the entry alone, so its claim word holds.
bool Response::leave_out(BufferPools& pools, const dns::AddressFilter& filter,
                         std::span<const std::uint8_t> asked, Now now) noexcept {
    const std::uint32_t age = is_stale() ? 0 : age_s(now.s());
    const cache::Entry* const entry = entry_;
    const bool done = rewrite(pools, now, [&](std::span<std::uint8_t> room) {
        return dns::write_without(*answer_, filter, asked, age, room);
    });
    if (done) entry_ = entry;
    return done;
}

bool Response::shorten(BufferPools& pools, unsigned most, Now now) noexcept {
    const std::uint32_t age = is_stale() ? 0 : age_s(now.s());
    return rewrite(pools, now, [&](std::span<std::uint8_t> room) {
        const std::size_t size = dns::write_shortened(*answer_, most, room);
        if (size != 0) dns::limit_ttls(room.data(), {}, age);
        return size;
    });
}

bool Response::forget_scope(BufferPools& pools, bool for_one, Now now) noexcept {
    Buffer* const own = copy(pools, now);
    if (own == nullptr) return false;
    auto& answer = *reinterpret_cast<dns::Answer*>(own->data());
    answer.ecs_scope = 0;
    answer.for_one = for_one;
    if (buffer_ != nullptr) release(buffer_);
    entry_ = nullptr;
    buffer_ = own;
    answer_ = &answer;
    return true;
}

void Response::set_buffer(Buffer* buffer) noexcept {
    clear();
    buffer_ = buffer;
    answer_ = &buffer->answer();
    set_birth(buffer->birth());
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
    born_ = other.born_;
    has_age_ = other.has_age_;
    stale_ttl_s_ = other.stale_ttl_s_;
    kept_in_ = other.kept_in_;
    passes_options_ = other.passes_options_;
    has_ede_ = other.has_ede_;
    ede_ = other.ede_;
    other.clear();
}

void Response::restore(Buffer* buffer, const KeptResponse& terms,
                       std::optional<dns::Ede> ede) noexcept {
    set_buffer(buffer);
    stale_ttl_s_ = terms.stale_ttl_s;
    if (is_stale()) has_age_ = false;
    kept_in_ = terms.kept_in;
    passes_options_ = terms.passes_options;
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
    const auto passed = options();
    const auto length = static_cast<std::uint32_t>(size + passed.size());
    Buffer* const copy = pools.take(length);
    if (copy == nullptr) return nullptr;
    std::memcpy(copy->data(), answer_, size);
    if (!passed.empty()) std::memcpy(copy->data() + size, passed.data(), passed.size());
    copy->length = length;
    copy->serial = 0;
    copy->born_ms = has_age_ ? born_.ms(now) : static_cast<std::int64_t>(now.ms);
    if (buffer_ != nullptr) {
        copy->serial = buffer_->serial;
        copy->born_ms = buffer_->born_ms;
    }
    return copy;
}

}  // namespace steer
