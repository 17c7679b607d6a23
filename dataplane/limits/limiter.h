// Decides about one query, answer or connection by the rows of `limits:`.
//
// A key is a keyed hash of what the row counts by: the client's prefix, with the name and the
// response code for answers, or a domain. Clients with a valid cookie count by their address, in
// buckets that no other client can fill; their answers are not limited. `trusted_forwarders` are
// exempt. A query that matches several rows counts in each; the first one above its limit decides.
//
// For one thread. Cost: one CPU cache line per row, and two multiplications; a name costs one more
// for 16 bytes. No allocation.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/dns/cookie.h"
#include "dataplane/limits/limit_policy.h"
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
    // The same for an answer with records, with the key of the first row of `responses`.
    [[nodiscard]] std::uint64_t reply_key(const LimitPolicy& policy, const Client& client,
                                          std::span<const std::uint8_t> name) const noexcept;
    void prefetch(const LimitPolicy& policy, std::uint64_t key) const noexcept;
    [[nodiscard]] Limited on_answer(const LimitPolicy& policy, const Client& client,
                                    std::span<const std::uint8_t> name, std::uint64_t key,
                                    Now now) noexcept;
    // Before an upstream is asked: whether a domain's NXDOMAIN or SERVFAIL answers are above their
    // limit. Such a query counts as refused, and takes no token.
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
    [[nodiscard]] LimitThread* own(const LimitPolicy& policy) const noexcept;
    [[nodiscard]] static bool is_exempt(const LimitPolicy& policy, const Client& client) noexcept;
    [[nodiscard]] static bool is_for(const LimitRow& row, const Client& client) noexcept;
    [[nodiscard]] std::uint64_t key_of(const LimitRow& row, const Client& client,
                                       std::uint64_t more) const noexcept;
    [[nodiscard]] std::uint64_t hash_of(std::span<const std::uint8_t> bytes) const noexcept;
    [[nodiscard]] std::uint64_t hash_of_domain(std::span<const std::uint8_t> name) const noexcept;
    Limited charge(const LimitRow& row, LimitThread& own, const Client& client, std::uint64_t key,
                   std::uint64_t units, std::span<const std::uint8_t> name, Now now) noexcept;
    // What counts in all rows of a kind.
    struct Charge {
        std::uint64_t more = 0;  // of the key, beside the client
        std::uint64_t units = 1;
        std::span<const std::uint8_t> name = {};
    };
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
