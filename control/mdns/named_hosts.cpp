#include "control/mdns/named_hosts.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "dataplane/dns/wire.h"

namespace steer::mdns {
namespace {

constexpr std::string_view kLocal("\x05local\0", 7);

// The label of "LABEL.local"; empty: another name.
std::string label_of(const Record& record) {
    const std::size_t length = record.key.empty() ? 0 : static_cast<unsigned char>(record.key[0]);
    if (length == 0 || std::string_view(record.key).substr(1 + length) != kLocal) return {};
    const auto wire = record.owner.bytes();
    return {wire.begin() + 1, wire.begin() + 1 + static_cast<std::ptrdiff_t>(length)};
}

bool is_of(const Record& record, const IpAddress& address) {
    const auto klass = static_cast<std::uint16_t>(record.klass & ~kTopBit);
    if (klass != dns::kIn || record.section == Section::authority) return false;
    const auto is_same = [&](std::span<const std::uint8_t> bytes) {
        return std::ranges::equal(record.rdata, bytes);
    };
    return address.is_v4() ? record.type == dns::kA && is_same({address.v4(), 4})
                           : record.type == dns::kAaaa && is_same(address.bytes);
}

}  // namespace

void NamedHosts::learn(const std::string& link, const IpAddress& source, const Message& response,
                       std::uint64_t now_ms) {
    if (!response.is_response()) return;
    for (const Record& record : response.records) {
        if (!is_of(record, source)) continue;
        const std::string name = label_of(record);
        if (name.empty()) continue;
        OfLink& hosts = hosts_[{link, !source.is_v4()}];
        if (record.ttl_s == 0) {  // a goodbye (RFC 6762 10.1)
            if (const auto at = hosts.find(source); at != hosts.end() && at->second.name == name)
                hosts.erase(at);
            continue;
        }
        if (hosts.size() >= kMost && !hosts.contains(source))
            std::erase_if(hosts,
                          [now_ms](const auto& one) { return one.second.ends_ms <= now_ms; });
        if (hosts.size() >= kMost && !hosts.contains(source)) return;
        const std::uint64_t seconds = std::clamp(record.ttl_s, kLeastSeconds, kMostSeconds);
        hosts[source] = {name, now_ms + 1000 * seconds};
    }
}

void NamedHosts::each(std::uint64_t now_ms,
                      const std::function<void(const NamedHost&)>& visit) const {
    for (const auto& [key, hosts] : hosts_) {
        for (const auto& [address, known] : hosts) {
            if (known.ends_ms > now_ms) visit({address, known.name, key.first});
        }
    }
}

void NamedHosts::keep_links(const std::function<bool(const std::string& link)>& is_there) {
    std::erase_if(hosts_, [&](const auto& one) { return !is_there(one.first.first); });
}

}  // namespace steer::mdns
