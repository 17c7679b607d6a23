#include "control/config/text/service_name.h"

#include <vector>

#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"

namespace steer::mdns {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kLocal = "\x05local\0"sv;
constexpr std::string_view kTcp = "\x04_tcp"sv, kUdp = "\x04_udp"sv;
constexpr std::string_view kReverse4 =
                               "\x07in-addr\x04"
                               "arpa\0"sv,
                           kReverse6 =
                               "\x03ip6\x04"
                               "arpa\0"sv;
constexpr std::string_view kDnsSd = "\x07_dns-sd\x04_udp"sv, kServices = "\x09_services"sv;

// Offsets of a name's labels, without the root.
std::vector<std::size_t> labels_of(std::string_view key) {
    std::vector<std::size_t> labels;
    for (std::size_t at = 0; at < key.size() && key[at] != '\0';
         at += 1U + static_cast<unsigned char>(key[at]))
        labels.push_back(at);
    return labels;
}

// Is `suffix` made of whole labels of the name?
bool ends_with_labels(std::string_view key, const std::vector<std::size_t>& labels,
                      std::string_view suffix) {
    if (!key.ends_with(suffix)) return false;
    for (const std::size_t at : labels) {
        if (at == key.size() - suffix.size()) return true;
    }
    return false;
}

}  // namespace

std::optional<Service> parse_service(std::string_view text) {
    const auto wire = dns::name_from_text(text);
    if (!wire) return std::nullopt;
    std::string key(wire->size(), '\0');
    dns::lower_case(wire->data(), reinterpret_cast<std::uint8_t*>(key.data()), wire->size());
    key.pop_back();  // the root
    if (key.ends_with(kLocal.substr(0, kLocal.size() - 1)))
        key.resize(key.size() - kLocal.size() + 1);
    const auto labels = labels_of(key);
    if (labels.size() != 2 || key[1] != '_' || static_cast<unsigned char>(key[0]) < 2)
        return std::nullopt;
    const auto transport = std::string_view(key).substr(labels[1]);
    if (transport != kTcp && transport != kUdp) return std::nullopt;
    return key;
}

NameMeaning meaning_of(std::string_view key) {
    const auto labels = labels_of(key);
    if (ends_with_labels(key, labels, kReverse4) || ends_with_labels(key, labels, kReverse6))
        return {NameKind::reverse, {}};
    const std::size_t count = labels.size();
    if (count < 3 || key.substr(labels[count - 1]) != kLocal) return {};
    const auto transport = key.substr(labels[count - 2], labels[count - 1] - labels[count - 2]);
    if ((transport != kTcp && transport != kUdp) || key[labels[count - 3] + 1] != '_') return {};
    const auto service = key.substr(labels[count - 3], labels[count - 1] - labels[count - 3]);
    if (service == kDnsSd && count == 4 && key.starts_with(kServices))
        return {NameKind::enumeration, {}};
    return {NameKind::service, service};
}

}  // namespace steer::mdns
