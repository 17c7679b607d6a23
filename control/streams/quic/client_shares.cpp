#include "control/streams/quic/client_shares.h"

namespace steer::quic {

OpenHandshakes::Key OpenHandshakes::key_of(const std::optional<IpAddress>& client) {
    return client ? Key(true, stream::client_key(*client)) : Key(false, 0);
}

void OpenHandshakes::add(std::uint64_t number, const std::optional<IpAddress>& client) {
    const Key key = key_of(client);
    auto& numbers = numbers_by_client_[key];
    clients_by_count_.erase({numbers.size(), key});
    numbers.insert(number);
    clients_by_count_.emplace(numbers.size(), key);
    clients_by_number_.emplace(number, key);
}

void OpenHandshakes::remove(std::uint64_t number) {
    const auto at = clients_by_number_.find(number);
    if (at == clients_by_number_.end()) return;
    const Key key = at->second;
    auto& numbers = numbers_by_client_[key];
    clients_by_count_.erase({numbers.size(), key});
    numbers.erase(number);
    if (numbers.empty()) {
        numbers_by_client_.erase(key);
    } else {
        clients_by_count_.emplace(numbers.size(), key);
    }
    clients_by_number_.erase(at);
}

std::size_t OpenHandshakes::of(const IpAddress& client) const {
    const auto at = numbers_by_client_.find(key_of(client));
    return at == numbers_by_client_.end() ? 0 : at->second.size();
}

std::optional<std::uint64_t> OpenHandshakes::replaceable_by(const IpAddress& client) const {
    if (clients_by_count_.empty()) return std::nullopt;
    const auto [most, key] = *clients_by_count_.rbegin();
    if (of(client) + 1 >= most) return std::nullopt;
    return *numbers_by_client_.at(key).begin();
}

bool EarlyDataShares::take(const IpAddress& client, std::uint64_t now) {
    if (now - since_ >= kWindow) {
        since_ = now;
        taken_.clear();
    }
    const auto key = stream::client_key(client);
    if (taken_.size() >= kMostClients && !taken_.contains(key)) return false;
    unsigned& taken = taken_[key];
    if (taken >= kMostOfClient) return false;
    ++taken;
    return true;
}

}  // namespace steer::quic
