// Decides with our own probes whether an upstream is alive, and when to probe it. Pure; the caller
// sends the probes.
//
// Unanswered queries of clients do not make an upstream silent, because a client can query names
// that no upstream answers. They only cause a probe. A probe is sent once after a start, a reload
// or a change of the network. It is also sent if no reply arrives for kPatienceMs after a query,
// then every kAgainMs until a reply arrives. An upstream without queries is probed only with
// UpstreamProbe::every_ms. A refusal of a client's query, perhaps because of EDNS, causes a probe
// as well: only the probe decides whether the upstream is used without EDNS.
//
// An upstream is silent after kSilentAfter probes in a row without a reply within kPatienceMs. Any
// reply ends that: to a probe, or to a client's query.
//
// Not thread-safe; used by the main thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/program/build/build.h"

namespace steer {

class UpstreamProbes {
  public:
    static constexpr std::uint64_t kPatienceMs = 1'000, kAgainMs = 2'000;
    static constexpr unsigned kSilentAfter = 3;
    static constexpr std::uint64_t kReportEveryMs = 60'000;
    static constexpr std::string_view kAnswersAgain = " answers again";  // end of such a sentence

    // A refusal of EDNS causes a probe at most once in the first interval. An upstream without EDNS
    // is probed with EDNS again after the second.
    static constexpr std::uint64_t kEdnsSoonestMs = 60'000, kEdnsAgainMs = 15 * 60'000;

    // Counts of client queries to an upstream, over all workers.
    struct Traffic {
        std::uint64_t queries = 0, replies = 0;
        std::uint64_t edns_refusals = 0;  // refused queries, perhaps because of EDNS
    };

    // After a start or a reload: each upstream is due once. Known ones keep their state; those
    // without a probe are removed.
    void follow(const std::map<std::uint16_t, build::UpstreamProbe>& probes);
    // Addresses or routes have changed: all upstreams are due once.
    void network_changed();
    // Call it every tenth of a second, before due().
    void see(std::uint16_t upstream, Traffic traffic, std::uint64_t now_ms);
    // The upstreams to probe now; they count as probed.
    [[nodiscard]] std::vector<std::uint16_t> due(std::uint64_t now_ms);
    // Any reply to a probe, however late. `refuses_edns`: the reply refuses EDNS, and the probe had
    // EDNS.
    void replied(std::uint16_t upstream, bool refuses_edns = false);

    [[nodiscard]] bool is_silent(std::uint16_t upstream) const;
    // The result of the last reply to a probe.
    [[nodiscard]] bool is_without_edns(std::uint16_t upstream) const;
    // A sentence about a change since the last call; empty: none. At most one about silence per
    // kReportEveryMs.
    [[nodiscard]] std::string news(std::uint16_t upstream, std::string_view name,
                                   std::uint64_t now_ms);

  private:
    struct Known {
        std::uint64_t every_ms = 0;
        bool is_due = true;  // once, with or without queries
        std::optional<Traffic> traffic;
        std::optional<std::uint64_t> asked_since_ms;  // first client query without a reply
        std::optional<std::uint64_t> sent_ms;         // the last probe
        bool is_waiting = false;                      // for a reply to the last probe
        bool is_late = false;  // it is late; the next probe is sent kAgainMs after the last
        bool without_edns = false;
        bool refused_edns = false;  // a client's query, since the last probe
        unsigned unanswered = 0;
        bool reported_silent = false;
        std::optional<std::uint64_t> reported_ms;
    };
    static void live(Known& known);
    static bool is_due(const Known& known, std::uint64_t now_ms);

    std::map<std::uint16_t, Known> by_id_;
};

}  // namespace steer
