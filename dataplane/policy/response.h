// What a query is going to be answered with: an entry of the cache, an answer in a buffer, or one of the snapshot's; and
// what is said of it besides (EDE, that it is stale, where it is kept).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "dataplane/base/birth.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/clock.h"
#include "dataplane/cache/cache.h"
#include "dataplane/dns/alias.h"
#include "dataplane/dns/answer.h"
#include "dataplane/dns/translate.h"
#include "dataplane/policy/parked.h"

namespace steer {

// Owns its buffer; an entry is good until the worker's next quiescent state.
class Response {
  public:
    Response() = default;
    ~Response() { clear(); }
    Response(const Response&) = delete;
    Response& operator=(const Response&) = delete;

    void clear() noexcept {
        if (buffer_ != nullptr) release(std::exchange(buffer_, nullptr));
        entry_ = source_ = nullptr;
        answer_ = nullptr;
        has_ede_ = false;
        stale_ttl_s_ = kFresh;
        kept_in_ = kNowhere;
        passes_options_ = 0;
    }
    void set_empty(std::uint8_t rcode, std::optional<dns::Ede> ede = std::nullopt) noexcept;
    void set_entry(const cache::Entry* entry) noexcept {
        clear();
        entry_ = source_ = entry;
        answer_ = &entry->answer();
        set_birth(entry->born);
        kept_in_ = entry->instance;
    }
    // A stale entry (RFC 8767): its TTLs leave as `ttl_s`, or as they were if that is less.
    void set_stale(const cache::Entry* entry, std::uint32_t ttl_s) noexcept;
    void set_buffer(Buffer* buffer) noexcept;  // takes over; its payload is a dns::Answer
    // One of the snapshot's, which has no age.
    void set_known(const dns::Answer* answer) noexcept {
        clear();
        answer_ = answer;
        has_age_ = false;
    }
    // Of the options that its upstream sent, these go to the client: by Snapshot::option_codes.
    void pass_options(std::uint8_t bits) noexcept { passes_options_ = bits; }
    // All that it sent of any of these codes.
    [[nodiscard]] std::span<const std::uint8_t> options() const noexcept {
        return buffer_ != nullptr ? buffer_->options() : std::span<const std::uint8_t>{};
    }
    void set_ede(dns::Ede ede) noexcept {
        has_ede_ = true;
        ede_ = ede;
    }
    // Brings its TTLs within the limits; its source stays. False: no buffer for that, nothing was changed.
    bool limit_ttls(BufferPools& pools, const dns::TtlLimits& limits, Now now) noexcept;
    // It becomes the answer to `alias`, of which what it is now is about `asked` (dns/alias.h). What else is said of it stays
    // but where it is kept. False: no buffer, or no room in a message; it says nothing any more.
    bool put_alias(BufferPools& pools, dns::AliasTerms terms, Now now) noexcept;
    // It becomes what `translation` makes of it (dns/translate.h), which no cache gave. False: no buffer, or no room in a
    // message; it is as it was.
    bool translate(BufferPools& pools, dns::TranslateTerms terms,
                   const dns::Translation& translation, Now now) noexcept;
    // Its addresses beyond the first `most` go (dns/shorten.h). False: no buffer; it is as it was.
    bool shorten(BufferPools& pools, unsigned most, Now now) noexcept;
    // It was made for another subnet than the client's, or `for_one`. False: no buffer, nothing was changed.
    bool forget_scope(BufferPools& pools, bool for_one, Now now) noexcept;
    // Brings the TTLs that would leave now within the limits. What else is said of it stays: an EDE, that it is stale,
    // its source. False as above.
    bool change_ttls(BufferPools& pools, const dns::TtlLimits& limits, Now now) noexcept;

    explicit operator bool() const { return answer_ != nullptr; }
    [[nodiscard]] const dns::Answer& answer() const { return *answer_; }
    [[nodiscard]] const cache::Entry* entry() const { return entry_; }  // nullptr: not from a cache
    // The entry that it was before its TTLs were changed; nullptr: not from a cache.
    [[nodiscard]] const cache::Entry* source() const { return source_; }
    [[nodiscard]] std::optional<dns::Ede> ede() const {
        return has_ede_ ? std::optional(ede_) : std::nullopt;
    }
    [[nodiscard]] std::uint32_t age_s(std::uint32_t now_s) const noexcept {
        return has_age_ ? born_.age_s(now_s) : 0;
    }
    [[nodiscard]] bool is_stale() const { return stale_ttl_s_ != kFresh; }
    // CacheInstance::id of the cache that gave it; kNowhere: it is not from a cache.
    static constexpr std::uint16_t kNowhere = UINT16_MAX;
    [[nodiscard]] std::uint16_t kept_in() const { return kept_in_; }
    // It becomes what `other` is, which is empty then.
    void take(Response& other) noexcept;
    // What a query needs to have it again later, but for its buffer and EDE; restore() takes over the buffer.
    [[nodiscard]] KeptResponse terms() const { return {stale_ttl_s_, kept_in_, passes_options_}; }
    void restore(Buffer* buffer, const KeptResponse& terms, std::optional<dns::Ede> ede) noexcept;
    [[nodiscard]] bool in_buffer_of_its_own() const { return buffer_ != nullptr; }
    // Above this no TTL may leave.
    [[nodiscard]] std::uint32_t ttl_cap_s() const { return stale_ttl_s_; }
    // The answer in a buffer, one reference for the caller: the buffer that it is in, or a copy;
    // nullptr: none is free.
    [[nodiscard]] Buffer* in_buffer(BufferPools& pools, Now now) const noexcept;

  private:
    void set_birth(Birth birth) noexcept {
        born_ = birth;
        has_age_ = true;
    }
    static constexpr std::uint32_t kFresh = UINT32_MAX;

    [[nodiscard]] Buffer* copy(BufferPools& pools, Now now) const noexcept;
    // The answer becomes what write(room) made, with the options behind it. False: as above.
    template <class Write>
    bool rewrite(BufferPools& pools, Now now, Write&& write) noexcept;

    const dns::Answer* answer_ = nullptr;
    const cache::Entry* entry_ = nullptr;
    const cache::Entry* source_ = nullptr;
    Buffer* buffer_ = nullptr;
    Birth born_;  // only with has_age_
    std::uint32_t stale_ttl_s_ = kFresh;
    std::uint16_t kept_in_ = kNowhere;
    std::uint8_t passes_options_ = 0;
    bool has_ede_ = false;
    bool has_age_ = false;  // else it is as young as if it were made now
    dns::Ede ede_;
    dns::Answer empty_;
};

}  // namespace steer
