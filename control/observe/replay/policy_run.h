// Runs queries through a policy that serves no client: the rule that decides, the upstreams, the lists.
//
// The workers' interpreter does it (dataplane/policy/executor.h), with a snapshot that was built for this, and without
// cache, routers, notes and packets. Upstreams are not asked: an upstream's answer is the one that is known for the
// query, else a stand-in that no rule may read. A rule that reads a fact which is missing makes the decision unknown:
//
//   - the answer of an upstream, if it is not known
//   - chance and rates; the time of day; the client's device (MAC address, lease) and VLAN; the name or path of a TLS or HTTP request
//   - the client's address, if only a prefix of it is known
//
// One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "control/config/settings.h"
#include "control/observe/replay/decision.h"
#include "control/observe/replay/replayed_query.h"
#include "control/program/build/build.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/clock.h"
#include "dataplane/dns/query.h"

namespace steer::replay {

class PolicyRun {
  public:
    // All outlive it. `built`: with a snapshot, which no worker uses. `buffers`: a few are used at a time.
    PolicyRun(const config::Settings& settings, const build::Built& built, BufferPools& buffers,
              Now now);
    ~PolicyRun();
    PolicyRun(const PolicyRun&) = delete;
    PolicyRun& operator=(const PolicyRun&) = delete;

    // In force when the query was recorded: also finds out which upstreams can have sent the answer, and the entry of a
    // captured query.
    Decision decide_recorded(ReplayedQuery& query);
    Decision decide(const ReplayedQuery& query);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

// The message that an upstream sent, made again from what the history keeps of it.

// The response to `asked`, whose name may be one that the client's name was replaced by (then it is a target in `records`).
// TTLs are kKnownTtlS. No value if the records do not tell what it was.
inline constexpr std::uint32_t kKnownTtlS = 300;
std::optional<std::vector<std::uint8_t>> message_of(const KnownAnswer& answer,
                                                    std::span<const std::uint8_t> client_name,
                                                    const dns::Query& asked);
// A response with one address, or with nothing for types that have none: for rules that do not read it.
std::vector<std::uint8_t> any_message(const dns::Query& asked);

// Whether the answer cannot be one that a rule made in place of the upstream's: it has an address, and none is
// unspecified or of loopback.
bool is_plainly_upstreams(const KnownAnswer& answer);

}  // namespace steer::replay
