#include "control/observe/health/overload_watch.h"

#include <algorithm>
#include <utility>

#include "dataplane/dns/name.h"
#include "matchers/quote.h"

namespace steer {
namespace {

constexpr std::uint64_t kCollectMs = 2'000;  // samples, before the first line
constexpr std::uint64_t kSayEveryMs = 60'000;
constexpr std::size_t kMaxVoted = 64;        // of clients and of domains that are distinguished
constexpr std::uint64_t kManyTimeouts = 20;  // fewer are lost packets

struct Top {
    std::string name;
    unsigned percent = 0;
};
Top top_of(const std::map<std::string, unsigned>& votes, std::uint64_t samples) {
    const auto most =
        std::max_element(votes.begin(), votes.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == votes.end() || samples == 0) return {};
    return {most->first, static_cast<unsigned>(most->second * 100 / samples)};
}

void vote(std::map<std::string, unsigned>& votes, const std::string& name) {
    if (votes.size() < kMaxVoted || votes.contains(name)) ++votes[name];
}

struct Advice {
    std::string_view what, todo;
};
Advice advice_for(Overload overload) {
    switch (overload) {
        case Overload::client_quota:
            return {"queries refused: a client has more waiting than `max_parked_per_client`",
                    "if it forwards for others, add it to `trusted_forwarders`"};
        case Overload::suffix_quota:
            return {"queries refused: a domain has more waiting than `max_per_suffix`",
                    "its name servers may be silent, or a client asks for random names under it"};
        case Overload::upstream_quota:
            return {
                "queries refused: a domain has more upstream queries than its share "
                "(`max_per_suffix`, less if they fail)",
                "its name servers may be silent, or a client asks for random names under it"};
        case Overload::displaced:
            return {"overload: unanswered upstream queries gave way to new ones",
                    "check which clients send queries that no upstream answers, and `allow`"};
        case Overload::table_full:
            return {"overload: no room for another upstream query",
                    "raise `max_in_flight`, or check the upstreams"};
        case Overload::parked_full:
            return {"overload: no room for another waiting query",
                    "raise `max_parked`, or check the upstreams and routers that are waited for"};
        case Overload::no_buffer:
            return {"overload: no buffer for an answer", "give more memory (`memory`)"};
        case Overload::ring_full:
            return {"overload: a worker or stream thread is too busy to take a message",
                    "add workers, or `stream_threads`"};
        case Overload::timeout:
            return {"upstream queries for one domain are not answered",
                    "its name servers may be silent, or a client asks for random names under it"};
        case Overload::loop:
            return {"forwarding loop: an upstream asks this server for what it was just asked",
                    "remove this server from the upstreams of that address"};
        case Overload::rebind:
            return {"possible DNS rebinding: answers with private addresses were replaced",
                    "add the domain to `rebind_names` if its addresses are yours"};
        case Overload::count_:
            break;
    }
    return {};
}

}  // namespace

void OverloadWatch::forget(Kind& kind) {
    kind.refused = kind.samples = kind.since_ms = 0;
    kind.clients.clear();
    kind.domains.clear();
}

void OverloadWatch::take(Kind& kind, const Sighting& sighting, std::size_t worker,
                         std::uint64_t now_ms) {
    constexpr std::uint32_t kModulo = UINT32_MAX / 2;
    if (kind.counted.size() <= worker) kind.counted.resize(worker + 1);
    const std::uint32_t count = sighting.count();
    const std::uint32_t fresh = (count - std::exchange(kind.counted[worker], count)) & kModulo;
    if (fresh == 0) return;
    if (kind.refused == 0) kind.since_ms = now_ms;
    kind.refused += fresh;
    Sighting::Seen seen;
    if (!sighting.read(seen)) return;
    ++kind.samples;
    if (seen.client != IpAddress{}) vote(kind.clients, seen.client.to_string());
    if (seen.length > 0) vote(kind.domains, dns::name_to_text({seen.suffix.data(), seen.length}));
}

std::string OverloadWatch::sentence(Overload overload, const Kind& kind, std::uint64_t now_ms) {
    constexpr unsigned kStandsOut = 25;
    const Advice advice = advice_for(overload);
    const std::uint64_t seconds = std::max<std::uint64_t>((now_ms - kind.since_ms) / 1000, 1);
    std::string out(advice.what);
    out += ": " + std::to_string(kind.refused) + " in " + std::to_string(seconds) + " s";
    const auto name = [&](const Top& top, const std::string& one, const std::string& many) {
        if (top.name.empty()) return;
        out += ", ";
        out += top.percent < kStandsOut ? many : std::to_string(top.percent) + " % " + one;
    };
    const Top client = top_of(kind.clients, kind.samples);
    name(client, "from client " + client.name, "from many clients");
    const Top domain = top_of(kind.domains, kind.samples);
    name(domain, "for names under " + matchers::quoted(domain.name),
         "for names under many domains");
    return out + "; " + std::string(advice.todo);
}

bool OverloadWatch::is_worth_saying(Overload overload, const Kind& kind) const {
    if (overload != Overload::timeout) return true;
    return kind.refused >= kManyTimeouts && !failing_domain().empty();
}

std::string OverloadWatch::failing_domain() const {
    const Kind& kind = kinds_[static_cast<std::size_t>(Overload::timeout)];
    const Top top = top_of(kind.domains, kind.samples);
    const std::uint64_t of_top = kind.refused * top.percent / 100;
    return of_top > 0 && of_top * 2 >= timeouts_ - timeouts_before_ ? top.name : std::string{};
}

std::vector<std::string> OverloadWatch::recent(std::uint64_t now_ms) const {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
        const Kind& kind = kinds_[i];
        if (static_cast<Overload>(i) == Overload::rebind) continue;  // nothing is wrong here
        if (!kind.logged.empty() && now_ms - kind.logged_ms < kRecentMs) out.push_back(kind.logged);
    }
    return out;
}

std::vector<std::string> OverloadWatch::check(std::span<const Counters* const> workers,
                                              std::uint64_t now_ms) {
    std::vector<std::string> out;
    Kind& timeout = kinds_[static_cast<std::size_t>(Overload::timeout)];
    if (timeout.refused == 0) timeouts_before_ = timeouts_;
    timeouts_ = 0;
    for (const Counters* const counters : workers)
        timeouts_ += counters->get(Stat::upstream_timeouts);
    for (std::size_t t = 0; t < kinds_.size(); ++t) {
        Kind& kind = kinds_[t];
        for (std::size_t w = 0; w < workers.size(); ++w)
            take(kind, workers[w]->sightings[t], w, now_ms);
        if (kind.refused == 0) continue;
        const auto overload = static_cast<Overload>(t);
        if (now_ms - kind.since_ms < kCollectMs) continue;
        if (now_ms >= kind.quiet_until_ms && is_worth_saying(overload, kind)) {
            kind.logged = sentence(overload, kind, now_ms);
            kind.logged_ms = now_ms;
            out.push_back(kind.logged);
            kind.quiet_until_ms = now_ms + kSayEveryMs;
            forget(kind);
        } else if (overload == Overload::timeout && now_ms - kind.since_ms >= kSayEveryMs) {
            forget(kind);  // old counts do not apply to an upstream that is silent now
        }
    }
    return out;
}

}  // namespace steer
