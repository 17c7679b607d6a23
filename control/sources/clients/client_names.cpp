#include "control/sources/clients/client_names.h"

#include <algorithm>
#include <utility>

#include "matchers/prefix/mac_address.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"
#include "matchers/text.h"

namespace steer::clients {
namespace {

constexpr std::size_t kMaxNameBytes = 63;
constexpr std::size_t kMacDigits = 12;

bool is_printable(std::string_view name) {
    return !name.empty() && is_safe_text(name, kMaxNameBytes);
}

std::optional<std::string> mac_of(std::string_view text) {
    std::string digits;
    for (const char c : matchers::lowered(text)) {
        if (c == ':' || c == '-' || c == '.') continue;
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) return std::nullopt;
        digits += c;
    }
    if (digits.size() != kMacDigits) return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 2)
        out += (i == 0 ? "" : ":") + digits.substr(i, 2);
    return out;
}

struct BestName {
    std::string name;
    NameSource source = NameSource::none;
    std::string from;
};

void improve(BestName& best, const KnownClient& known) {
    if (known.source >= best.source || !is_printable(known.name)) return;
    best = {known.name, known.source, known.from};
}

}  // namespace

std::string_view word_of(NameSource source) {
    switch (source) {
        case NameSource::given:
            return "given";
        case NameSource::lease:
            return "lease";
        case NameSource::record:
            return "record";
        case NameSource::ptr:
            return "ptr";
        case NameSource::mdns:
            return "mdns";
        case NameSource::none:
            break;
    }
    return "";
}

bool is_chosen_by_device(NameSource source) {
    return source == NameSource::lease || source == NameSource::mdns;
}

std::vector<ClientRow> merge(std::span<const KnownClient> known, const GivenNames& given) {
    std::map<IpAddress, std::string> macs;
    for (const KnownClient& one : known) {
        std::string& mac = macs[one.address];
        if (mac.empty()) mac = one.mac;
    }
    std::map<IpAddress, BestName> of_address;
    std::map<std::string, BestName> of_mac;
    std::map<IpAddress, std::string> configured;
    for (const KnownClient& one : known) {
        improve(of_address[one.address], one);
        if (!one.name.empty() && one.source != NameSource::none && !is_chosen_by_device(one.source))
            configured.try_emplace(one.address, one.name);
        if (const std::string& mac = macs[one.address]; !mac.empty()) improve(of_mac[mac], one);
    }
    std::vector<ClientRow> out;
    GivenNames unused = given;
    const auto take_given = [&](ClientRow& row, const std::string& key) {
        const auto at = given.find(key);
        if (at == given.end()) return;
        row.name = at->second.name;
        row.source = NameSource::given;
        row.from = at->second.who;
        row.at_s = at->second.at_s;
        unused.erase(key);
    };
    for (const auto& [address, mac] : macs) {
        const BestName& best = mac.empty() ? of_address[address] : of_mac[mac];
        ClientRow row{address, mac, best.name, best.source, best.from};
        if (const auto at = configured.find(address);
            at != configured.end() && is_chosen_by_device(best.source) && is_safe_text(at->second))
            row.configured = at->second;
        if (!mac.empty()) take_given(row, mac);
        take_given(row, address.to_string());
        out.push_back(std::move(row));
    }
    std::stable_partition(out.begin(), out.end(),
                          [](const ClientRow& row) { return row.address->is_v4(); });
    for (const auto& [key, name] : unused) {
        ClientRow row{IpAddress::parse(key), {}, name.name, NameSource::given, name.who, name.at_s};
        if (!row.address) row.mac = key;
        row.is_only_given = true;
        out.push_back(std::move(row));
    }
    return out;
}

bool is_private_mac(std::string_view mac) {
    return mac.size() > 1 && std::string_view("2367abef").find(mac[1]) != std::string_view::npos;
}

Result<std::string> key_of(std::string_view client) {
    if (const auto address = IpAddress::parse(client))
        return {boost::system::in_place_value, address->to_string()};
    if (auto mac = mac_of(client)) return {boost::system::in_place_value, *std::move(mac)};
    return Error{matchers::quoted(client) +
                 " is not a client: expected an address, or a MAC address such as "
                 "00:1d:aa:bb:cc:dd"};
}

Result<std::string> member_of(std::string_view written) {
    if (auto key = key_of(written)) {
        // parse_mac() refuses an address of zeros, which no frame has.
        if (IpAddress::parse(*key) || parse_mac(*key)) return key;
    } else if (const auto prefix = matchers::Prefix::parse(written)) {
        return {boost::system::in_place_value,
                prefix->length == 128 ? prefix->address.to_string() : prefix->to_string()};
    }
    return Error{matchers::quoted(written) +
                 " is not a device: expected an address, a prefix such as 192.0.2.0/24, or a MAC "
                 "address"};
}

Result<std::string> checked_name(std::string_view name) {
    const std::string_view text = matchers::trimmed(name);
    if (text.empty()) return Error{"the name is empty: write one, as in 'kitchen tablet'"};
    if (text.size() > kMaxNameBytes)
        return Error{"the name has " + std::to_string(text.size()) + " bytes: at most " +
                     std::to_string(kMaxNameBytes) + " are kept"};
    if (!is_printable(text))
        return Error{"the name has a character that cannot be printed: write plain text"};
    return {boost::system::in_place_value, text};
}

}  // namespace steer::clients
