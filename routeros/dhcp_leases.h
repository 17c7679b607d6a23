// Follows the DHCP leases of a router's servers: /ip/dhcp-server/lease and
// /ipv6/dhcp-server/binding. Also follows the networks of the IPv4 servers,
// /ip/dhcp-server/network.
//
// Only bound leases with single addresses count. Their texts are foreign data: a client chooses its
// host name, which may be any text.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/address.h"
#include "routeros/menu_reader.h"

namespace steer::routeros {

inline constexpr std::size_t kMaxLeases = 65'536;      // per menu; further ones are ignored
inline constexpr std::size_t kMaxHostNameBytes = 256;  // the rest is cut: names are shorter

struct DhcpLease {
    RowId id = 0;  // within its menu
    bool v6 = false, is_static = false;
    std::string address;  // without a prefix length
    std::string
        mac;  // "00:1d:aa:bb:cc:dd", lower case; for a binding from its DUID; empty: unknown
    std::string host_name;    // from the client; empty: none (bindings have none)
    std::string server;       // the DHCP server's name
    std::string comment;      // the operator's
    std::string lists;        // address lists that the router adds it to, with commas
    bool is_outside = false;  // the router has DHCP networks, and the address is in none (IPv4)
    bool operator==(const DhcpLease&) const = default;
};

// The link-layer address in a DUID (RFC 8415 11.2, 11.4) in RouterOS's form: hexadecimal, with or
// without 0x and its type. Empty: there is none.
std::string mac_of_duid(std::string_view duid);

using LeaseSink = MenuSink<std::vector<DhcpLease>>;  // IPv4 before IPv6, each sorted by id

class LeaseReader final : public MenuReader {
  public:
    using Config = ReaderConfig;
    using Rows = std::vector<DhcpLease>;
    LeaseReader(ReaderConfig config, LeaseSink& sink, RouterLink& link);

    // Connects again with these settings.
    void configure(ReaderConfig config, std::uint64_t now_ms);

  private:
    bool take(std::size_t menu, RowId id, const ReplyRow& row) override;
    bool drop(std::size_t menu, RowId id) override;
    bool keep_only(std::size_t menu, const std::set<RowId>& ids) override;
    void notify() override;
    // Sets DhcpLease::is_outside.
    void mark_outside(std::vector<DhcpLease>& all) const;
    void log(Level level, std::string_view sentence) override { sink_.log(level, sentence); }

    LeaseSink& sink_;
    std::map<RowId, DhcpLease> rows_[2];   // of the two menus
    std::map<RowId, Address> networks_{};  // empty: no networks are known
    bool was_cut_[2] = {};                 // it was logged
};

}  // namespace steer::routeros
