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
// A changed case of the probe's name (0x20) in a reply starts a round of kCaseProbes probes, one
// after the other. The upstream changes the case if kCaseChanged replies of a round have another
// case. If all replies have arrived and fewer have, it returns the case. To forge that, an attacker
// has to guess id and port of three of eight probes, with at most ten guesses for each
// (UpstreamUdp). A client's query whose reply had another case causes a round, at most once in
// kCaseSoonestMs. An upstream that changes the case has another round after kCaseAgainMs.
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
#include "control/streams/base/probe_question.h"

namespace steer {

class UpstreamProbes {
  public:
    static constexpr std::uint64_t kPatienceMs = 1'000, kAgainMs = 2'000;
    static constexpr unsigned kSilentAfter = 3;
    static constexpr std::uint64_t kReportEveryMs = 60'000;
    // Instead of advice about the upstream, if our own queries lack descriptors.
    static constexpr std::string_view kNoDescriptor =
        "no file descriptor is free for queries to it: raise LimitNOFILE of the unit, or `ulimit "
        "-n`";
    // Ends of good news.
    static constexpr std::string_view kAnswersAgain = " answers again";
    static constexpr std::string_view kReturnsCase = " returns the case of names again";

    // A refusal of EDNS causes a probe at most once in the first interval. An upstream without EDNS
    // is probed with EDNS again after the second.
    static constexpr std::uint64_t kEdnsSoonestMs = 60'000, kEdnsAgainMs = 15 * 60'000;

    static constexpr unsigned kCaseProbes = 8, kCaseChanged = 3;
    static constexpr std::uint64_t kCaseSoonestMs = 60'000, kCaseAgainMs = 15 * 60'000;

    // Counts of client queries to an upstream, over all workers.
    struct Traffic {
        std::uint64_t queries = 0, replies = 0;
        std::uint64_t edns_refusals = 0;    // refused queries, perhaps because of EDNS
        std::uint64_t case_mismatches = 0;  // replies with the name in another case
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
    // Any reply to a probe, however late.
    void replied(std::uint16_t upstream, const stream::ProbeReply& reply = {});

    [[nodiscard]] bool is_silent(std::uint16_t upstream) const;
    // The result of the last reply to a probe.
    [[nodiscard]] bool is_without_edns(std::uint16_t upstream) const;
    // The result of the last round of probes.
    [[nodiscard]] bool changes_case(std::uint16_t upstream) const;
    [[nodiscard]] bool is_probed(std::uint16_t upstream) const { return by_id_.contains(upstream); }
    // A sentence about a change since the last call; empty: none. At most one about silence per
    // kReportEveryMs. `has_descriptors`: false if our own queries lack them.
    [[nodiscard]] std::string news(std::uint16_t upstream, std::string_view name,
                                   std::uint64_t now_ms, bool has_descriptors = true);

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
        bool changes_case = false;
        bool saw_other_case = false;            // in a reply to a client, since the last round
        std::optional<std::uint64_t> round_ms;  // begin of the last round
        unsigned round_unsent = 0, round_awaited = 0, round_changed = 0;  // its probes, its replies
        bool reported_case = false;
        unsigned unanswered = 0;
        bool reported_silent = false;
        std::optional<std::uint64_t> reported_ms;
    };
    static void live(Known& known);
    static void begin_round(Known& known);
    static void note_case(Known& known, stream::ReplyCase name_case);
    static bool is_round_due(const Known& known, std::uint64_t now_ms);
    static std::string case_news(Known& known, const std::string& who);
    static bool is_due(const Known& known, std::uint64_t now_ms);

    std::map<std::uint16_t, Known> by_id_;
};

}  // namespace steer
