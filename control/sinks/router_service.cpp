#include "control/sinks/router_service.h"

#include "control/sinks/list_service.h"

namespace steer {
namespace {

constexpr std::size_t kBacklog = 65'536;  // beyond, the worker's sync_timeout ends the hold

Outcome to_outcome(routeros::Outcome o) {
    switch (o) {
        case routeros::Outcome::installed:
            return Outcome::installed;
        case routeros::Outcome::already_there:
            return Outcome::already_there;
        case routeros::Outcome::router_away:
            return Outcome::router_away;
        case routeros::Outcome::failed:
            break;
    }
    return Outcome::failed;
}

}  // namespace

void Acknowledger::acknowledge(std::uint64_t hold_token, Outcome outcome) {
    outcomes[static_cast<std::size_t>(outcome)].fetch_add(1, std::memory_order_relaxed);
    const Message message{.kind = MessageKind::acknowledged,
                          .b = static_cast<std::uint32_t>(outcome),
                          .token = hold_token};
    const unsigned worker = worker_of_hold_token(hold_token);
    if (backlog_.empty() && runtime_.acknowledgements(worker).push(message)) return;
    if (backlog_.size() < kBacklog) backlog_.emplace_back(worker, message);
}

bool Acknowledger::flush() {
    while (!backlog_.empty() &&
           runtime_.acknowledgements(backlog_.front().first).push(backlog_.front().second)) {
        backlog_.pop_front();
    }
    return backlog_.empty();
}

RouterService::RouterService(const routeros::RouterConfig& config, routeros::RouterLink& link,
                             ListService& lists, Log log, RouterFindings* findings)
    : lists_(lists), log_(std::move(log)), findings_(findings), router_(config, *this, link) {}

void RouterService::installed(routeros::ListId list, const routeros::AddressBytes& address,
                              std::uint32_t until_s) {
    lists_.known(*this, list, IpAddress{address}, until_s);
}

void RouterService::forgotten(routeros::ListId list, const routeros::AddressBytes& address) {
    lists_.known(*this, list, IpAddress{address}, 0);
}

void RouterService::epoch(routeros::ListId list) {
    lists_.void_all(*this, list);
}

void RouterService::away(routeros::ListId list, bool value) {
    lists_.away(*this, list, value);
}

void RouterService::settled(std::uint64_t hold_token, routeros::Outcome outcome) {
    lists_.settled(hold_token, to_outcome(outcome));
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
