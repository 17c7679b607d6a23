// Runs queries through a policy that serves no client: finds the rule that decides, the upstreams,
// the lists.
//
// It uses the workers' interpreter (dataplane/policy/executor.h) with its own snapshot, without
// cache, routers, notes and packets. It queries no upstream. An upstream's answer is the one that
// is known for the query, or else a substitute that no rule may read. If a rule reads a missing
// fact, the decision is unknown. Such facts are:
//
// - the answer of an upstream, if it is not known
// - chance and rates; the time of day; the client's device (MAC address, lease) and VLAN; the name
//   or path of a TLS or HTTP request
// - the client's address, if only a prefix of it is known
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
    // All must outlive it. `built`: has a snapshot that no worker uses. `buffers`: a few are used
    // at a time.
    PolicyRun(const config::Settings& settings, const build::Built& built, BufferPools& buffers,
              Now now);
    ~PolicyRun();
    PolicyRun(const PolicyRun&) = delete;
    PolicyRun& operator=(const PolicyRun&) = delete;

    // For the configuration that was in use when the query was recorded. It also finds the
    // upstreams that may have sent the answer, and the entry of a captured query.
    Decision decide_recorded(ReplayedQuery& query);
    Decision decide(const ReplayedQuery& query);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

// The message that an upstream sent, rebuilt from the history's data.

// The response to `asked`. Its name may be a replacement of the client's name (then it is a target
// in `records`). TTLs are kKnownTtlS. No value if the records do not determine it.
inline constexpr std::uint32_t kKnownTtlS = 300;
std::optional<std::vector<std::uint8_t>> message_of(const KnownAnswer& answer,
                                                    std::span<const std::uint8_t> client_name,
                                                    const dns::Query& asked);
// A response with one address, or without records for types without addresses. For rules that do
// not read it.
std::vector<std::uint8_t> any_message(const dns::Query& asked);

// Whether the answer must be from the upstream, not from a rule: it has an address, and none is
// unspecified or loopback.
bool is_plainly_upstreams(const KnownAnswer& answer);

}  // namespace steer::replay
