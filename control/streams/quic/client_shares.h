// What one client may have of what all clients of a thread share: its open handshakes, and its
// handshakes with early data.
//
// A client is an IPv4 address or an IPv6 /64 (client_counts.h). Handshakes without a proof of their
// address count as those of one client, because that address may be forged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "control/streams/base/client_counts.h"

namespace steer::quic {

class OpenHandshakes {
  public:
    // `number` is larger than that of each earlier one. No client: without a proof.
    void add(std::uint64_t number, const std::optional<IpAddress>& client);
    // May be called again.
    void remove(std::uint64_t number);
    [[nodiscard]] std::size_t size() const { return clients_by_number_.size(); }
    [[nodiscard]] std::size_t of(const IpAddress& client) const;
    // The one that began first. Only if there is one.
    [[nodiscard]] std::uint64_t oldest() const { return clients_by_number_.begin()->first; }
    // The one that a new handshake of `client` may replace: the oldest of the client that has most.
    // No value: it would then have more than that client.
    [[nodiscard]] std::optional<std::uint64_t> replaceable_by(const IpAddress& client) const;

  private:
    // Whether the client proved its address, and its key; 0 without a proof.
    using Key = std::pair<bool, std::uint64_t>;
    static Key key_of(const std::optional<IpAddress>& client);

    std::map<std::uint64_t, Key> clients_by_number_;
    std::map<Key, std::set<std::uint64_t>> numbers_by_client_;
    std::set<std::pair<std::size_t, Key>> clients_by_count_;
};

// Servers remember the hellos of a window (tls.h), and accept early data only while they have room.
class EarlyDataShares {
  public:
    static constexpr std::uint64_t kWindow = 10'000'000'000;  // ns
    static constexpr unsigned kMostOfClient = 1024;
    static constexpr std::size_t kMostClients = 65'536;

    // Takes a handshake of a client with a proof, with early data or not. `now` in ns, never goes
    // back. Windows follow each other. Returns false if the client had its share of this one, or if
    // it had kMostClients others.
    bool take(const IpAddress& client, std::uint64_t now);

  private:
    std::unordered_map<std::uint64_t, unsigned> taken_;
    std::uint64_t since_ = 0;
};

}  // namespace steer::quic
