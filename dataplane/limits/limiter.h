// Decides about one query, answer or connection by the rows of `limits:`.
//
// A key is a keyed hash of what the row counts by: the client's prefix, with the name and the
// response code for answers, or a domain. Clients with a valid cookie count by their address or
// IPv6 /64, in buckets that no client elsewhere can fill; rows of `responses` do not count them.
// `trusted_forwarders` are exempt. A query that matches several rows counts in each, the longest
// prefix first, and the first one above its limit decides. Then it does not count in rows of the
// same kind with a shorter prefix: so one client cannot use up what more clients share.
//
// For one thread. Cost: one CPU cache line per row, and two multiplications; a name costs one more
// for 16 bytes. An answer of a batch (answer_batches.h): one word and one multiplication. No
// allocation.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/dns/cookie.h"
#include "dataplane/limits/limit_policy.h"
#include "matchers/fold_product.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

// What a limit does with a query, answer or connection; no: it passes.
enum class Limited : std::uint8_t { no, drop, truncate, refuse, servfail };

class Limiter {
  public:
    // `secret`: of the keys; the same for all threads of a process.
    Limiter(unsigned thread, bool is_stream, std::uint64_t secret)
        : secret_(secret), thread_(thread), is_stream_(is_stream) {}

    struct Client {
        const IpAddress& address;
        const IpAddress& local;  // address and port that it sent to
        std::uint16_t port;
        bool is_udp;
        dns::CookieState cookie = dns::CookieState::none;

        // Whether rows of `responses` count its answers.
        [[nodiscard]] bool may_be_forged() const noexcept {
            return is_udp && cookie != dns::CookieState::valid;
        }
    };
    struct Reply {
        std::span<const std::uint8_t> name;  // wire form, in any case
        std::uint8_t rcode;
        bool has_answers;
    };

    // Queries and bytes: `bytes` of the message.
    [[nodiscard]] Limited on_query(const LimitPolicy& policy, const Client& client,
                                   std::uint32_t bytes, Now now) noexcept;
    // The CPU cache line of the first row of on_query().
    void prefetch_query(const LimitPolicy& policy, const Client& client) const noexcept;

    // Answers: `responses` over UDP, nxdomain and servfail over any transport.
    [[nodiscard]] Limited on_reply(const LimitPolicy& policy, const Client& client,
                                   const Reply& reply, Now now) noexcept;
    // A hash of the name in any case, for Batching::of().
    [[nodiscard]] std::uint32_t name_key(std::span<const std::uint8_t> name) const noexcept;
    // The batches of answers with records, and what all packets of a burst have in common. An
    // answer that add() adds passes without on_answer().
    class Batching {
      public:
        Batching(const Limiter& limiter, const LimitPolicy& policy, std::uint32_t now_s) noexcept;

        // Whether the answers of a client have batches. Not for one whose address is proven.
        [[nodiscard]] bool are_for(const Client& client) const noexcept;
        [[nodiscard]] bool are_for_all() const noexcept { return are_for_all_; }
        // Of a client for which are_for() is true.
        [[nodiscard]] AnswerBatches::Batch of(const IpAddress& client,
                                              std::uint32_t name_key) const noexcept {
            return AnswerBatches::of(words_,
                                     first_half_of(prefix_, client, salt_ ^ name_key, secret_));
        }
        // The same, or AnswerBatches::none().
        [[nodiscard]] AnswerBatches::Batch find(const Client& client,
                                                std::uint32_t name_key) const noexcept;
        [[nodiscard]] const LimitPolicy& policy() const noexcept { return policy_; }
        [[nodiscard]] bool add(AnswerBatches::Batch batch) const noexcept {
            return batch.add(most_, now_s_);
        }
        [[nodiscard]] bool add_to_begun(AnswerBatches::Batch batch) const noexcept {
            return batch.add_to_begun(most_);
        }
        // Prefetches the bucket of an answer whose batch will need a token. batch.prefetch() was
        // earlier.
        void prefetch(AnswerBatches::Batch batch, const Client& client,
                      std::uint32_t name_key) const noexcept {
            if (name_key != 0 && !batch.is_none() && !batch.has_space(most_))
                prefetch(client, name_key);
        }
        // Prefetches the bucket of an answer without a batch.
        void prefetch(const Client& client, std::uint32_t name_key) const noexcept;

      private:
        AnswerBatches::Words* words_ = nullptr;
        LimitPrefix prefix_;
        std::uint64_t salt_ = 0, secret_;
        AnswerBatches::Most most_;
        std::uint32_t now_s_;
        bool are_for_all_ = false;
        const Limiter& limiter_;
        const LimitPolicy& policy_;
        const LimitThread* own_;         // nullptr: no limits are for this thread
        const LimitRow* row_ = nullptr;  // the first one of `responses`
    };
    // As on_reply(), for an answer with records that no batch added. `name_key`: name_key().
    [[nodiscard]] Limited on_answer(const Batching& batching, const Client& client,
                                    std::span<const std::uint8_t> name, std::uint32_t name_key,
                                    Now now) noexcept;
    // Before an upstream is asked: whether a domain's NXDOMAIN or SERVFAIL answers are above their
    // limit. Such a query counts as refused. A passing query takes no token; its answer will.
    [[nodiscard]] Limited on_miss(const LimitPolicy& policy, const Client& client,
                                  std::span<const std::uint8_t> name, Now now) noexcept;

    // connections, handshakes, streams and bytes of a `streams` thread.
    [[nodiscard]] Limited on_stream(const LimitPolicy& policy, LimitWhat what, const Client& client,
                                    std::uint32_t units, Now now) noexcept;

    // Call it for a client that has shown that its address is its own, by a valid cookie or a
    // connection. If a ban covers the address, LimitThread::proven notes it for control.
    void prove(const LimitPolicy& policy, const Client& client, Now now) const noexcept {
        if (!policy.tables->banned.empty()) [[unlikely]]
            note_proof(policy, client, now);
    }

  private:
    // A query that passed a ban, and that no row refuses. Without TC, the client would never open
    // the connection that proves its address.
    [[nodiscard, gnu::cold]] static Limited on_banned(const LimitPolicy& policy, LimitThread& own,
                                                      const Client& client) noexcept;
    [[gnu::cold]] void note_proof(const LimitPolicy& policy, const Client& client,
                                  Now now) const noexcept;
    [[nodiscard]] LimitThread* own(const LimitPolicy& policy) const noexcept {
        if (&policy != known_) [[unlikely]]
            find_own(policy);
        return own_;
    }
    void find_own(const LimitPolicy& policy) const noexcept;
    [[nodiscard]] static bool is_exempt(const LimitPolicy& policy, const Client& client) noexcept {
        return !policy.trusted.empty() && policy.trusted.contains(client.address);
    }
    [[nodiscard]] static bool is_for(const LimitRow& row, const Client& client) noexcept;
    // The key without its last step. The fewest instructions matter.
    [[nodiscard, gnu::always_inline]] static std::uint64_t first_half_of(
        const LimitPrefix& prefix, const IpAddress& client, std::uint64_t salt,
        std::uint64_t secret) noexcept {
        const std::uint64_t low = client.low();
        if (client.is_v4()) [[likely]]
            return matchers::fold_product(salt, (low & prefix.bits4) ^ secret);
        return matchers::fold_product((client.high() & prefix.bits6_high) ^ salt,
                                      ((low & prefix.bits6_low) | prefix.set6) ^ secret);
    }
    [[nodiscard]] std::uint64_t key_of(const LimitRow& row, const Client& client,
                                       std::uint64_t more) const noexcept;
    [[nodiscard]] std::uint64_t hash_of(std::span<const std::uint8_t> bytes) const noexcept;
    [[nodiscard]] std::uint64_t hash_of_domain(std::span<const std::uint8_t> name) const noexcept;
    // What counts in all rows of a kind.
    struct Charge {
        std::uint64_t more = 0;  // of the key, beside the client
        std::uint64_t units = 1;
        std::span<const std::uint8_t> name = {};
    };
    Limited charge(const LimitRow& row, LimitThread& own, const Client& client,
                   const Charge& charged, Now now) noexcept;
    // The same for an answer, with the tokens of its batch.
    Limited charge_batch(const LimitPolicy& policy, LimitThread& own, const Client& client,
                         const Charge& charged, AnswerBatches::Batch batch, Now now) noexcept;
    static Limited judge(const LimitMeter::Taken& taken, const LimitRow& row, LimitThread& own,
                         const Client& client, const Charge& charged, std::uint64_t key,
                         Now now) noexcept;
    Limited charge_rows(const LimitPolicy& policy, LimitWhat what, LimitThread& own,
                        const Client& client, const Charge& charged, Now now) noexcept;
    static Limited decide(const LimitRow& row, LimitThread& own, bool is_udp,
                          unsigned nth) noexcept;
    [[gnu::cold]] static void note(const LimitRow& row, LimitThread& own, const Client& client,
                                   std::uint64_t key, std::uint64_t units, bool is_refused,
                                   std::span<const std::uint8_t> name, Now now) noexcept;

    std::uint64_t secret_;
    unsigned thread_;
    bool is_stream_;
    // The last policy, and this thread's part of its tables, which all generations share.
    mutable const LimitPolicy* known_ = nullptr;
    mutable LimitThread* own_ = nullptr;
};

}  // namespace steer
