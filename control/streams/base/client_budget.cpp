#include "control/streams/base/client_budget.h"

#include <algorithm>

namespace steer::stream {
namespace {

template <class Number>
Number sum_of(Number most, Number beyond) {
    return most > std::numeric_limits<Number>::max() - beyond ? most : most + beyond;
}

}  // namespace

void ClientBudget::set(const ClientLimits& limits) {
    most_places_.store(limits.places, std::memory_order_relaxed);
    most_per_client_.store(limits.places_per_client, std::memory_order_relaxed);
    most_standing_.store(limits.standing_bytes, std::memory_order_relaxed);
    most_held_.store(limits.held_bytes, std::memory_order_relaxed);
}

template <class Number>
bool ClientBudget::take_of(std::atomic<Number>& taken, Number wanted, Number most) {
    Number now = taken.load(std::memory_order_relaxed);
    do {
        if (most < wanted || now > most - wanted) return false;
    } while (!taken.compare_exchange_weak(now, now + wanted, std::memory_order_relaxed));
    return true;
}

bool ClientBudget::take(std::size_t standing_bytes, unsigned beyond) {
    const auto places = sum_of(most_places_.load(std::memory_order_relaxed), beyond);
    const auto bytes = sum_of(most_standing_.load(std::memory_order_relaxed),
                              std::size_t{beyond} * kHandshakeBytes);
    if (!take_of(places_, 1U, places)) return false;
    if (take_of(standing_, standing_bytes, bytes)) return true;
    places_.fetch_sub(1, std::memory_order_relaxed);
    return false;
}

void ClientBudget::leave(std::size_t standing_bytes) {
    places_.fetch_sub(1, std::memory_order_relaxed);
    leave_bytes(standing_bytes);
}

void ClientBudget::leave_bytes(std::size_t standing_bytes) {
    standing_.fetch_sub(standing_bytes, std::memory_order_relaxed);
}

bool ClientBudget::is_exceeded() const {
    return places() > most_places_.load(std::memory_order_relaxed) ||
           standing_bytes() > most_standing_.load(std::memory_order_relaxed);
}

void ClientBudget::hold(std::size_t before, std::size_t now) {
    held_.fetch_add(now - before, std::memory_order_relaxed);  // modulo 2^64
}

std::size_t ClientBudget::free_bytes() const {
    const std::size_t most = most_held_.load(std::memory_order_relaxed);
    return most - std::min(most, held_bytes());
}

bool ClientBudget::is_half_held() const {
    return held_bytes() > most_held_.load(std::memory_order_relaxed) / 2;
}

}  // namespace steer::stream
