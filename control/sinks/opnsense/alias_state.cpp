#include "control/sinks/opnsense/alias_state.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>

namespace steer::opnsense {
namespace {

constexpr unsigned kMaxRemovals = 3;  // of one element that stays

}  // namespace

void AliasState::become(Element& element, State state) {
    const auto waits = [](State s) { return s == State::wanted || s == State::adding; };
    if (waits(state)) ++waiting_;
    if (waits(element.state)) --waiting_;
    element.state = state;
}

void AliasState::erase(Elements::iterator at) {
    become(at->second, State::here);
    elements_.erase(at);
}

void AliasState::wait_for_add(const IpAddress& address, const Element& element) {
    if (element.tokens.empty())
        queue_add(address);
    else
        held_.push_back(address);
}

void AliasState::queue_add(const IpAddress& address) {
    adds_.push_back(address);
    bound_adds();
}

// Nothing is taken from the queue while the router is away, but claims come and end.
void AliasState::bound_adds() {
    if (adds_.size() <= 2 * elements_.size() + 1) return;
    boost::unordered_flat_set<IpAddress, Hash> kept;
    std::erase_if(adds_, [&](const IpAddress& address) {
        const auto at = elements_.find(address);
        return at == elements_.end() || at->second.state != State::wanted ||
               !kept.insert(address).second;
    });
}

// ---- claims

AliasState::Claimed AliasState::claim(const IpAddress& address, std::uint64_t until_ms,
                                      std::uint64_t token) {
    auto at = elements_.find(address);
    if (at == elements_.end()) {
        if (elements_.size() >= plan_.max_elements) return Claimed::full;
        at = elements_.emplace(address, Element{}).first;
        ++waiting_;
        Element& fresh = at->second;
        fresh.until_ms = until_ms;
        ends_.emplace(until_ms, address);
        if (foreign_hosts_.contains(address)) {
            fresh.is_foreign = true;
            become(fresh, State::here);
        } else if (token == 0) {
            queue_add(address);
        }
    }
    Element& element = at->second;
    element.until_ms = std::max(element.until_ms, until_ms);
    if (element.state == State::here) return Claimed::here;
    if (token != 0) {
        element.tokens.push_back(token);
        if (element.state == State::wanted) held_.push_back(address);
    }
    return Claimed::waits;
}

bool AliasState::make_room(std::uint64_t now_ms) {
    if (now_ms < room_ms_ + 1'000) return false;
    room_ms_ = now_ms;
    std::vector<End> kept;
    for (; !ends_.empty() && ends_.top().first <= now_ms; ends_.pop()) {
        const auto at = elements_.find(ends_.top().second);
        if (at == elements_.end()) continue;
        const Element& element = at->second;
        if (element.state == State::wanted && !element.may_be_there && element.tokens.empty() &&
            element.until_ms <= now_ms) {
            erase(at);
        } else {
            kept.push_back(ends_.top());
        }
    }
    for (const End& end : kept)
        ends_.push(end);
    return elements_.size() < plan_.max_elements;
}

AliasState::Tokens AliasState::take_tokens() {
    Tokens all;
    for (auto& [address, element] : elements_) {
        all.insert(all.end(), element.tokens.begin(), element.tokens.end());
        element.tokens.clear();
    }
    // No answer waits for them any more.
    adds_.insert(adds_.end(), held_.begin(), held_.end());
    held_.clear();
    bound_adds();
    return all;
}

AliasState::Tokens AliasState::take_tokens(const IpAddress& address) {
    const auto at = elements_.find(address);
    return at == elements_.end() ? Tokens{} : std::exchange(at->second.tokens, {});
}

// ---- work

std::optional<IpAddress> AliasState::next_of(std::deque<IpAddress>& queue, std::uint64_t now_ms) {
    while (!queue.empty()) {
        const IpAddress address = queue.front();
        queue.pop_front();
        const auto at = elements_.find(address);
        if (at == elements_.end() || at->second.state != State::wanted) continue;
        if (at->second.until_ms <= now_ms && at->second.tokens.empty()) {
            if (!at->second.may_be_there) erase(at);  // else next_ended() has it deleted
            continue;
        }
        become(at->second, State::adding);
        return address;
    }
    return std::nullopt;
}

std::optional<IpAddress> AliasState::next_held(std::uint64_t now_ms) {
    return next_of(held_, now_ms);
}

std::optional<IpAddress> AliasState::next_add(std::uint64_t now_ms) {
    return next_of(adds_, now_ms);
}

// Every element has an entry in `ends_`, maybe with an end that has been postponed since.
std::optional<AliasState::Ended> AliasState::next_ended(std::uint64_t now_ms) {
    while (!ends_.empty() && ends_.top().first <= now_ms) {
        const IpAddress address = ends_.top().second;
        ends_.pop();
        const auto at = elements_.find(address);
        if (at == elements_.end()) continue;
        Element& element = at->second;
        if (element.until_ms > now_ms) {
            ends_.emplace(element.until_ms, address);
            continue;
        }
        switch (element.state) {
            case State::wanted:
                if (element.may_be_there) break;
                if (element.tokens.empty())
                    erase(at);
                else
                    ends_.emplace(now_ms + 1'000, address);
                continue;
            case State::adding:  // then it is there
            case State::removing:
                ends_.emplace(now_ms + 1'000, address);
                continue;
            case State::here:
                break;
        }
        if (element.is_foreign) {
            erase(at);
            return Ended{address, true};
        }
        become(element, State::removing);
        return Ended{address, false};
    }
    return std::nullopt;
}

void AliasState::added(const IpAddress& address, std::uint64_t now_ms) {
    const auto at = elements_.find(address);
    if (at == elements_.end() || at->second.state != State::adding) return;
    become(at->second, State::here);
    at->second.seen_ms = now_ms;
    at->second.may_be_there = false;
    removed_.erase(address);
}

void AliasState::deleted(const IpAddress& address, std::uint64_t now_ms) {
    const auto at = elements_.find(address);
    if (at == elements_.end() || at->second.state != State::removing) return;
    auto& removal = removed_[address];
    if (removal.at_ms != 0) ++removal.tries;
    removal.at_ms = now_ms;
    if (at->second.until_ms > now_ms) {  // claimed while it was deleted
        become(at->second, State::wanted);
        wait_for_add(address, at->second);
        ends_.emplace(at->second.until_ms, address);
    } else {
        erase(at);
    }
}

void AliasState::reset_work() {
    for (auto& [address, element] : elements_) {
        if (element.state == State::adding) {
            become(element, State::wanted);
            element.may_be_there = true;
            wait_for_add(address, element);
        } else if (element.state == State::removing) {
            become(element, State::here);
            ends_.emplace(element.until_ms, address);
        }
    }
}

// ---- what is there

void AliasState::meet(const IpAddress& host, std::uint64_t asked_ms, std::uint64_t now_ms,
                      Read& read) {
    const auto removal = removed_.find(host);
    const bool was_removed = removal != removed_.end();
    const auto at = elements_.find(host);
    if (at != elements_.end()) {
        Element& element = at->second;
        // A read that began before the element was deleted may still show it.
        if (was_removed && removal->second.at_ms >= asked_ms) return;
        if (element.state == State::wanted) {
            become(element, State::here);
            element.may_be_there = false;
            removed_.erase(host);
            read.arrived.push_back(host);
        }
        if (element.state == State::here) element.seen_ms = now_ms;
        if (element.is_foreign) foreign_hosts_.insert(host);
        return;
    }
    if (was_removed) {
        if (removal->second.at_ms >= asked_ms) return;
        // It is still there: OPNsense answers "done" without looking whether it was.
        if (removal->second.tries < kMaxRemovals) {
            elements_.emplace(host,
                              Element{.until_ms = now_ms, .seen_ms = now_ms, .state = State::here});
            ends_.emplace(now_ms, host);
            return;
        }
        foreign_hosts_.insert(host);
    } else if (before_.contains(host) || was_read_) {
        foreign_hosts_.insert(host);
    } else if (elements_.size() < plan_.max_elements) {
        const std::uint64_t until_ms = now_ms + std::uint64_t{plan_.longest_life_s} * 1'000;
        elements_.emplace(host,
                          Element{.until_ms = until_ms, .seen_ms = now_ms, .state = State::here});
        ends_.emplace(until_ms, host);
        read.arrived.push_back(host);
        ++read.adopted;
    }
}

void AliasState::find_lost(std::uint64_t asked_ms, std::uint64_t now_ms, Read& read) {
    std::size_t known = 0;
    std::vector<IpAddress> over;
    for (auto& [address, element] : elements_) {
        if (element.state != State::here) continue;
        ++known;
        if (element.seen_ms >= asked_ms) continue;
        if (element.until_ms <= now_ms) {
            over.push_back(address);
            continue;
        }
        element.is_foreign = false;
        become(element, State::wanted);
        queue_add(address);
        read.lost.push_back(address);
    }
    for (const IpAddress& address : over)
        erase(elements_.find(address));
    read.all_lost = known > 0 && read.lost.size() == known;
}

AliasState::Read AliasState::take_table(const TableContent& content, std::uint64_t asked_ms,
                                        std::uint64_t now_ms) {
    Read read;
    before_.clear();
    before_.swap(foreign_hosts_);
    others_ = content.others;
    for (const IpAddress& host : content.hosts) {
        if ((host.is_v4() ? plan_.v4 : plan_.v6) || elements_.contains(host))
            meet(host, asked_ms, now_ms, read);
        else
            ++others_;
    }
    find_lost(asked_ms, now_ms, read);
    std::erase_if(removed_, [&](const auto& entry) {
        return entry.second.at_ms < asked_ms && !elements_.contains(entry.first);
    });
    was_read_ = true;
    return read;
}

void AliasState::each_here(
    const std::function<void(const IpAddress&, std::uint64_t until_ms)>& f) const {
    for (const auto& [address, element] : elements_) {
        if (element.state == State::here) f(address, element.until_ms);
    }
}

std::optional<std::uint64_t> AliasState::here_until_ms(const IpAddress& address) const {
    const auto at = elements_.find(address);
    if (at == elements_.end() || at->second.state != State::here) return std::nullopt;
    return at->second.until_ms;
}

}  // namespace steer::opnsense
