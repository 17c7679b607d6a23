// The response to a query so far: a cache entry, an answer in a buffer, or an answer of the
// snapshot. It also has attributes: EDE, staleness and source.
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
#include "dataplane/dns/leave_out.h"
#include "dataplane/dns/translate.h"
#include "dataplane/policy/parked.h"

namespace steer {

// Owns its buffer. A pointer to an entry is valid until the worker's next quiescent state.
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
        knows_ads_ = false;
    }
    void set_empty(std::uint8_t rcode, std::optional<dns::Ede> ede = std::nullopt) noexcept;
    // After set_empty(): the failure is Answer::is_brief.
    void set_brief() noexcept { empty_.is_brief = true; }
    void set_entry(const cache::Entry* entry) noexcept {
        clear();
        entry_ = source_ = entry;
        answer_ = &entry->answer();
        set_birth(entry->born);
        kept_in_ = entry->instance;
    }
    // Sets a stale entry (RFC 8767); its TTLs are sent as `ttl_s` at most.
    void set_stale(const cache::Entry* entry, std::uint32_t ttl_s) noexcept;
    void set_buffer(Buffer* buffer) noexcept;  // takes ownership; the payload is a dns::Answer
    // Sets an answer of the snapshot, which has no age.
    void set_known(const dns::Answer* answer) noexcept {
        clear();
        answer_ = answer;
        has_age_ = false;
    }
    // The upstream's options to send to the client, as bits of Snapshot::option_codes.
    void pass_options(std::uint8_t bits) noexcept { passes_options_ = bits; }
    // All options of the upstream with any of these codes.
    [[nodiscard]] std::span<const std::uint8_t> options() const noexcept {
        return buffer_ != nullptr ? buffer_->options() : std::span<const std::uint8_t>{};
    }
    void set_ede(dns::Ede ede) noexcept {
        has_ede_ = true;
        ede_ = ede;
    }
    // Limits the TTLs; the source stays. Returns false if there is no buffer; then nothing changed.
    bool limit_ttls(BufferPools& pools, const dns::TtlLimits& limits, Now now) noexcept;
    // Turns the answer into one to `alias`; before, it answers `asked` (dns/alias.h). All
    // attributes but the source stay. Returns false if there is no buffer, no space in a message,
    // or the chain is too long (dns/walk.h). The response is then empty.
    bool put_alias(BufferPools& pools, dns::AliasTerms terms, Now now) noexcept;
    // Applies `translation` (dns/translate.h); the result has no cache as source. Returns false if
    // there is no buffer, no space in a message, or the chain is too long. The response is then
    // unchanged.
    bool translate(BufferPools& pools, dns::TranslateTerms terms,
                   const dns::Translation& translation, Now now) noexcept;
    // Removes records behind the answer section (dns/leave_out.h). `asked`: the answer's name. The
    // entry stays. Returns false if there is no buffer; the response is then unchanged.
    bool leave_out(BufferPools& pools, const dns::AddressFilter& filter,
                   std::span<const std::uint8_t> asked, Now now) noexcept;
    // Removes addresses beyond the first `most` (dns/shorten.h). Returns false if there is no
    // buffer; the response is then unchanged.
    bool shorten(BufferPools& pools, unsigned most, Now now) noexcept;
    // Marks the answer as made for another subnet than the client's, or as `for_one`. Returns false
    // if there is no buffer; the response is then unchanged.
    bool forget_scope(BufferPools& pools, bool for_one, Now now) noexcept;
    // Limits the TTLs that would be sent now. The other attributes stay: EDE, staleness, source.
    // Returns false as above.
    bool change_ttls(BufferPools& pools, const dns::TtlLimits& limits, Now now) noexcept;

    explicit operator bool() const { return answer_ != nullptr; }
    [[nodiscard]] const dns::Answer& answer() const { return *answer_; }
    // The entry with the claim word for this answer; nullptr if there is none.
    [[nodiscard]] const cache::Entry* entry() const { return entry_; }
    // The cache entry that the answer is from, even after a change of TTLs; nullptr if it is not
    // from a cache.
    [[nodiscard]] const cache::Entry* source() const { return source_; }
    [[nodiscard]] std::optional<dns::Ede> ede() const {
        if (has_ede_) return ede_;
        if (answer_ == nullptr || answer_->error_after == 0) return std::nullopt;
        return static_cast<dns::Ede>(answer_->error_after - 1);
    }
    [[nodiscard]] std::uint32_t age_s(std::uint32_t now_s) const noexcept {
        return has_age_ ? born_.age_s(now_s) : 0;
    }
    [[nodiscard]] bool is_stale() const { return stale_ttl_s_ != kFresh; }
    // AdList::watch of the ad lists that deny a name in the answer, once known
    // (policy/ad_targets.h).
    [[nodiscard]] std::optional<std::uint64_t> points_to_ads() const noexcept {
        return knows_ads_ ? std::optional(ads_) : std::nullopt;
    }
    void set_points_to_ads(std::uint64_t watch) noexcept {
        knows_ads_ = true;
        ads_ = watch;
    }
    // CacheInstance::id of the answer's cache; kNowhere if it is not from a cache.
    static constexpr std::uint16_t kNowhere = UINT16_MAX;
    [[nodiscard]] std::uint16_t kept_in() const { return kept_in_; }
    // Moves `other` here; `other` is then empty.
    void take(Response& other) noexcept;
    // The state that restore() needs, without buffer and EDE. restore() takes ownership of the
    // buffer.
    [[nodiscard]] KeptResponse terms() const { return {stale_ttl_s_, kept_in_, passes_options_}; }
    void restore(Buffer* buffer, const KeptResponse& terms, std::optional<dns::Ede> ede) noexcept;
    [[nodiscard]] bool in_buffer_of_its_own() const { return buffer_ != nullptr; }
    // Maximum TTL to send.
    [[nodiscard]] std::uint32_t ttl_cap_s() const { return stale_ttl_s_; }
    // The answer in a buffer, with one reference for the caller: its own buffer or a copy. Returns
    // nullptr if no buffer is free.
    [[nodiscard]] Buffer* in_buffer(BufferPools& pools, Now now) const noexcept;

  private:
    void set_birth(Birth birth) noexcept {
        born_ = birth;
        has_age_ = true;
    }
    static constexpr std::uint32_t kFresh = UINT32_MAX;

    [[nodiscard]] Buffer* copy(BufferPools& pools, Now now) const noexcept;
    // Replaces the answer by the result of write(room), followed by the options. Returns false as
    // above.
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
    bool has_age_ = false;  // false: its age is 0
    bool knows_ads_ = false;
    dns::Ede ede_;
    std::uint64_t ads_ = 0;  // only with knows_ads_
    dns::Answer empty_;
};

}  // namespace steer
