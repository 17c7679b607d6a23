#include "control/sinks/opnsense/alias_state.h"

#include <algorithm>

namespace steer::opnsense {
namespace {

constexpr unsigned kMaxRemovals = 3;  // of one element that stays

}  // namespace

void AliasState::become(Element& element, State state) {
    const auto waits = [](State s) { return s == State::wanted || s == State::adding; };
    if (waits(state)) ++waiting_;
    if (waits(element.state)) --waiting_;
    element.state = state;
    if (element.queue == nullptr || state == State::wanted) return;
    element.queue->erase(element.flow, {element.order, element.key});
    element.queue = nullptr;
}

void AliasState::erase(Element& element) {
    become(element, State::here);
    elements_.drop(element.key);
}

// Again, if its queue is another now.
void AliasState::wait_for_add(Element& element) {
    Queue& queue = element.tokens.empty() ? adds_ : held_;
    if (element.queue == &queue) return;
    if (element.queue != nullptr) element.queue->erase(element.flow, {element.order, element.key});
    element.queue = &queue;
    element.order = ++queued_;
    element.flow = element.holders[static_cast<std::size_t>(routeros::ShareKind::suffix)];
    queue.insert(element.flow, {element.order, element.key});
}

// ---- claims

routeros::Holders AliasState::holders_of(const routeros::Origin& origin) const {
    if (!plan_.shares.any()) return {};
    return routeros::Shares::holders_of(number_, origin);
}

AliasState::Claimed AliasState::claim(const IpAddress& address, std::uint64_t until_ms,
                                      std::uint64_t token, const routeros::Origin& origin) {
    const Element* const known = elements_.find(address);
    const bool is_foreign = known == nullptr ? foreign_hosts_.contains(address) : known->is_foreign;
    const routeros::Holders holders = holders_of(origin);
    // A foreign host stays without the claim, so it takes no share.
    const auto [element, is_new] =
        is_foreign && (known != nullptr || elements_.size() < plan_.max_elements)
            ? elements_.put(address, until_ms, holders)
            : elements_.raise(address, holders, until_ms, bounds());
    if (element == nullptr) return Claimed::refused;
    if (is_new) {
        ++waiting_;
        if (is_foreign) {
            element->is_foreign = true;
            become(*element, State::here);
        }
    }
    if (element->state == State::here) return Claimed::here;
    if (token != 0) element->tokens.push_back(token);
    if (element->state == State::wanted) wait_for_add(*element);
    return Claimed::waits;
}

bool AliasState::make_room(std::uint64_t now_ms) {
    if (now_ms < room_ms_ + 1'000) return false;
    room_ms_ = now_ms;
    std::vector<Element*> kept;
    while (Element* const element = elements_.due(now_ms)) {
        if (element->state == State::wanted && !element->may_be_there && element->tokens.empty())
            erase(*element);
        else
            kept.push_back(element);
    }
    for (const Element* const element : kept)
        elements_.requeue(*element, element->until_ms);
    return elements_.size() < plan_.max_elements;
}

std::optional<IpAddress> AliasState::evict(const routeros::Origin& origin) {
    const auto may_go = [](const Element& element) {
        if (element.state == State::wanted) return !element.may_be_there && element.tokens.empty();
        return element.state == State::here && !element.is_foreign;
    };
    const auto is_here = [](const Element& element) { return element.state == State::here; };
    Element* const chosen = elements_.candidate(0, holders_of(origin), bounds(), may_go, is_here);
    if (chosen == nullptr) return std::nullopt;
    const IpAddress address = chosen->key;
    if (chosen->state == State::wanted) {
        erase(*chosen);
    } else {
        elements_.leave(*chosen);
        evicted_.push_back(address);
    }
    return address;
}

AliasState::Tokens AliasState::take_tokens() {
    Tokens all;
    elements_.for_each([&](Element& element) {
        all.insert(all.end(), element.tokens.begin(), element.tokens.end());
        element.tokens.clear();
        if (element.state == State::wanted) wait_for_add(element);
    });
    return all;
}

AliasState::Tokens AliasState::take_tokens(const IpAddress& address) {
    Element* const element = elements_.find(address);
    return element == nullptr ? Tokens{} : std::exchange(element->tokens, {});
}

// ---- work

std::optional<IpAddress> AliasState::next_of(Queue& queue, std::uint64_t now_ms) {
    std::optional<IpAddress> next;
    while (!queue.empty() && !next) {
        queue.walk(1, [&](const IpAddress& address) {
            Element& element = *elements_.find(address);
            element.queue = nullptr;
            if (element.until_ms > now_ms || !element.tokens.empty()) {
                become(element, State::adding);
                next = address;
            } else if (!element.may_be_there) {  // else next_ended() has it deleted
                erase(element);
            }
            return Queue::Choice::take_and_stop;
        });
    }
    return next;
}

std::optional<IpAddress> AliasState::next_held(std::uint64_t now_ms) {
    return next_of(held_, now_ms);
}

std::optional<IpAddress> AliasState::next_add(std::uint64_t now_ms) {
    return next_of(adds_, now_ms);
}

std::optional<AliasState::Ended> AliasState::next_ended(std::uint64_t now_ms) {
    while (!evicted_.empty()) {
        Element* const element = elements_.find(evicted_.front());
        evicted_.pop_front();
        if (element == nullptr || !element->is_leaving || element->state != State::here) continue;
        become(*element, State::removing);
        return Ended{.address = element->key, .is_evicted = true};
    }
    while (Element* const element = elements_.due(now_ms)) {
        const IpAddress address = element->key;
        switch (element->state) {
            case State::wanted:
                if (element->may_be_there) break;
                if (element->tokens.empty())
                    erase(*element);
                else
                    elements_.requeue(*element, now_ms + 1'000);
                continue;
            case State::adding:  // then it is there
            case State::removing:
                elements_.requeue(*element, now_ms + 1'000);
                continue;
            case State::here:
                break;
        }
        if (element->is_foreign) {
            erase(*element);
            return Ended{address, true};
        }
        become(*element, State::removing);
        return Ended{address, false};
    }
    return std::nullopt;
}

void AliasState::added(const IpAddress& address, std::uint64_t now_ms) {
    Element* const element = elements_.find(address);
    if (element == nullptr || element->state != State::adding) return;
    become(*element, State::here);
    element->seen_ms = now_ms;
    element->may_be_there = false;
    removed_.erase(address);
}

void AliasState::deleted(const IpAddress& address, std::uint64_t now_ms) {
    Element* const element = elements_.find(address);
    if (element == nullptr || element->state != State::removing) return;
    auto& removal = removed_[address];
    if (removal.at_ms != 0) ++removal.tries;
    removal.at_ms = now_ms;
    if (element->until_ms > now_ms && !element->is_leaving) {  // claimed while it was deleted
        become(*element, State::wanted);
        wait_for_add(*element);
        elements_.requeue(*element, element->until_ms);
    } else {
        erase(*element);
    }
}

void AliasState::reset_work() {
    elements_.for_each([&](Element& element) {
        if (element.state == State::adding) {
            become(element, State::wanted);
            element.may_be_there = true;
            wait_for_add(element);
        } else if (element.state == State::removing) {
            become(element, State::here);
            elements_.requeue(element, element.until_ms);
            if (element.is_leaving) evicted_.push_back(element.key);
        }
    });
}

// ---- what is there

// Of an earlier process, or one that a deletion left: without an owner until it is claimed.
void AliasState::put_here(const IpAddress& host, std::uint64_t until_ms, std::uint64_t now_ms) {
    Element& element = *elements_.put(host, until_ms).claim;
    ++waiting_;
    become(element, State::here);
    element.seen_ms = now_ms;
}

void AliasState::meet(const IpAddress& host, std::uint64_t asked_ms, std::uint64_t now_ms,
                      Read& read) {
    const auto removal = removed_.find(host);
    const bool was_removed = removal != removed_.end();
    if (Element* const known = elements_.find(host)) {
        Element& element = *known;
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
        // It is still there: OPNsense answers "done" without checking whether it was.
        if (removal->second.tries < kMaxRemovals) {
            put_here(host, now_ms, now_ms);
            return;
        }
        foreign_hosts_.insert(host);
    } else if (before_.contains(host) || was_read_) {
        foreign_hosts_.insert(host);
    } else if (elements_.size() < plan_.max_elements) {
        put_here(host, now_ms + std::uint64_t{plan_.longest_life_s} * 1'000, now_ms);
        read.arrived.push_back(host);
        ++read.adopted;
    }
}

void AliasState::find_lost(std::uint64_t asked_ms, std::uint64_t now_ms, Read& read) {
    std::size_t known = 0;
    std::vector<Element*> over;
    elements_.for_each([&](Element& element) {
        if (element.state != State::here) return;
        ++known;
        if (element.seen_ms >= asked_ms) return;
        if (element.until_ms <= now_ms || element.is_leaving) {
            over.push_back(&element);
            return;
        }
        read.lost.push_back(element.key);
        // A foreign host becomes ours: its last claim is judged now.
        element.is_foreign = false;
        if (!elements_.own(element, bounds())) {
            over.push_back(&element);
            return;
        }
        become(element, State::wanted);
        wait_for_add(element);
    });
    for (Element* const element : over)
        erase(*element);
    read.all_lost = known > 0 && read.lost.size() == known;
}

AliasState::Read AliasState::take_table(const TableContent& content, std::uint64_t asked_ms,
                                        std::uint64_t now_ms) {
    Read read;
    before_.clear();
    before_.swap(foreign_hosts_);
    others_ = content.others;
    for (const IpAddress& host : content.hosts) {
        if ((host.is_v4() ? plan_.v4 : plan_.v6) || elements_.find(host) != nullptr)
            meet(host, asked_ms, now_ms, read);
        else
            ++others_;
    }
    find_lost(asked_ms, now_ms, read);
    std::erase_if(removed_, [&](const auto& entry) {
        return entry.second.at_ms < asked_ms && elements_.find(entry.first) == nullptr;
    });
    was_read_ = true;
    return read;
}

void AliasState::each_here(
    const std::function<void(const IpAddress&, std::uint64_t until_ms)>& f) const {
    elements_.for_each([&](const Element& element) {
        if (element.stays_here()) f(element.key, element.until_ms);
    });
}

std::optional<std::uint64_t> AliasState::here_until_ms(const IpAddress& address) const {
    const Element* const element = elements_.find(address);
    if (element == nullptr || !element->stays_here()) return std::nullopt;
    return element->until_ms;
}

}  // namespace steer::opnsense
