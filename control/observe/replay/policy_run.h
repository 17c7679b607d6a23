// Runs queries through a policy that serves no client: the rule that decides, the upstreams, the lists.
//
// The workers' interpreter does it (dataplane/policy/executor.h), with a snapshot that was built for this, and without
// cache, routers, notes and packets. Upstreams are not asked: an upstream's answer is the one that is known for the
// query, else a stand-in that no rule may read. A rule that reads a fact which is missing makes the decision unknown:
//
//   - the answer of an upstream, if it is not known
//   - chance and rates; the time of day; the client's device (MAC address, lease); the name or path of a TLS or HTTP request
//   - the client's address, if only a prefix of it is known
//
// One thread.
#pragma once

#include <memory>
#include <vector>

#include "control/config/settings.h"
#include "control/observe/replay/decision.h"
#include "control/observe/replay/replayed_query.h"
#include "control/program/build/build.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/clock.h"

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

}  // namespace steer::replay
