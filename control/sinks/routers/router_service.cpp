#include "control/sinks/routers/router_service.h"

#include <algorithm>
#include <array>

#include "control/sinks/routers/router_outcome.h"

namespace steer {

std::vector<KeptList> kept_lists(const build::RouterPlan& plan) {
    std::vector<KeptList> lists;
    for (const routeros::ListConfig& list : plan.config.lists) {
        const auto quorum = plan.quorums.find(list.id);
        const auto ready = plan.ready.find(list.id);
        const auto terms = plan.terms.find(list.id);
        lists.push_back({list.id, list.tag,
                         quorum == plan.quorums.end() ? config::Quorum::healthy : quorum->second,
                         ready == plan.ready.end() ? config::ReadyNeed::off : ready->second,
                         terms == plan.terms.end() ? ClaimTerms{} : terms->second});
    }
    return lists;
}

RouterService::RouterService(const routeros::RouterConfig& config, std::vector<KeptList> lists,
                             routeros::RouterLink& link, SinkObserver& observer, Log log,
                             RouterFindings* findings)
    : name_(config.name),
      lists_(std::move(lists)),
      observer_(observer),
      log_(std::move(log)),
      findings_(findings),
      router_(config, *this, link) {}

void RouterService::claim(const Claim& claim, std::uint64_t now_ms) {
    std::array<routeros::AddressBytes, kEventAddresses> addresses;
    const std::size_t count = std::min(claim.addresses.size(), addresses.size());
    for (std::size_t i = 0; i < count; ++i)
        addresses[i] = claim.addresses[i].bytes;
    routeros::Origin origin{claim.name};
    if (claim.client != nullptr) origin.client = claim.client->bytes;
    router_.claim(claim.list, {addresses.data(), count}, origin, claim.lease_end_ms,
                  claim.row_life_s, claim.hold_token, now_ms);
    if (peers_ != nullptr) share(claim);
}

// Others do not know the client, so they could not refuse what its share refused here.
void RouterService::share(const Claim& claim) {
    std::array<IpAddress, kEventAddresses> accepted;
    std::size_t count = 0;
    for (const IpAddress& address : claim.addresses) {
        if (count < accepted.size() && router_.has_claim(claim.list, address.bytes))
            accepted[count++] = address;
    }
    if (count == 0) return;
    Claim shared = claim;
    shared.addresses = {accepted.data(), count};
    peers_->claimed(name_, shared);
}

SinkHealth RouterService::health() const {
    const routeros::RouterStatus status = router_.status();
    SinkHealth health{.name = name_,
                      .away = status.away,
                      .rows = status.claims,
                      .pending = status.pending,
                      .capacity = 0,
                      .write_us = static_cast<std::uint32_t>(status.service_us.value_or(0))};
    for (const routeros::ListFill& list : status.lists)
        health.capacity += list.max_rows;
    return health;
}

std::vector<NeededList> RouterService::needed(std::uint64_t) const {
    std::vector<NeededList> all;
    for (const KeptList& list : lists_) {
        if (list.ready != config::ReadyNeed::off)
            all.push_back({.tag = list.tag, .need = list.ready, .where = name_});
    }
    if (all.empty()) return all;
    const routeros::RouterStatus state = router_.status();  // of all of them
    for (NeededList& list : all) {
        list.is_away = state.away;
        list.is_stopped = state.paused;
        list.was_reached = router_.counters().connects > 0;
        list.away_since_ms = state.away_since_ms;
        list.error = state.error;
    }
    return all;
}

void RouterService::installed(routeros::ListId list, const routeros::AddressBytes& address,
                              std::uint32_t until_s) {
    observer_.installed(*this, list, IpAddress{address}, until_s);
}

void RouterService::ended(routeros::ListId list, const routeros::AddressBytes& address) {
    observer_.ended(*this, list, IpAddress{address});
}

void RouterService::lost(routeros::ListId list, const routeros::AddressBytes& address) {
    observer_.lost(*this, list, IpAddress{address});
}

void RouterService::refused(routeros::ListId list, const routeros::AddressBytes& address,
                            bool of_client) {
    observer_.refused(*this, list, IpAddress{address},
                      of_client ? RefusedFor::client : RefusedFor::name);
}

void RouterService::epoch(routeros::ListId list) {
    observer_.epoch(*this, list);
}

void RouterService::away(routeros::ListId list, bool value) {
    observer_.away(*this, list, value);
}

void RouterService::settled(std::uint64_t hold_token, routeros::Outcome outcome) {
    observer_.settled(hold_token, to_outcome(outcome));
}

void RouterService::log(routeros::Level level, std::string_view sentence) {
    log_(level, std::string(sentence));  // it names the router
}

void RouterService::found(std::string_view version, const routeros::Findings& findings) {
    if (findings_ != nullptr) findings_->put(version, findings);
}

const routeros::Findings* RouterService::findings(std::string_view version) {
    return findings_ == nullptr ? nullptr : findings_->find(version);
}

}  // namespace steer
