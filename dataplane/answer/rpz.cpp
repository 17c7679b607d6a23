#include "dataplane/answer/rpz.h"

#include <array>

#include "dataplane/dns/hints.h"
#include "dataplane/dns/wire.h"

namespace steer {
namespace {

// The action of a zone for a name, without the zone's number.
Rpz::Found action_of_name(const Rpz::Zone& zone, const PolicyZone* live,
                          std::span<const std::uint8_t> name,
                          matchers::NameMatcher::Scratch& scratch) noexcept {
    using Trigger = Rpz::Trigger;
    const bool is_root = name.size() < 2;  // it has no parent
    if (live != nullptr) {
        const auto found = live->names->find(name, live->changes.get());
        if (found.is_exact()) return {found.exact, 0, Trigger::name, live};
        if (is_root) return {};
        return {found.below != Rpz::kNone ? found.below : live->all, 0, Trigger::below, live};
    }
    if (const std::uint32_t exact = zone.names.find(name, scratch); exact != Rpz::kNone)
        return {exact, 0, Trigger::name, nullptr};
    if (is_root) return {};
    const auto above = name.subspan(name[0] + 1U);
    const std::uint32_t below = zone.below.find(above, scratch);
    return {below != Rpz::kNone ? below : zone.all, 0, Trigger::below, nullptr};
}

Rpz::Found in_zone(Rpz::Found found, std::uint32_t zone) noexcept {
    found.zone = zone;
    return found;
}

// The longest prefix, then the smallest address.
class BestAddress {
  public:
    explicit BestAddress(const matchers::PrefixValues& prefixes) : prefixes_(prefixes) {}

    void consider(const IpAddress& address) noexcept {
        const auto found = prefixes_.find(address);
        if (found.value == matchers::PrefixValues::kNone) return;
        const unsigned length = found.length - (address.is_v4() ? 96U : 0U);
        const bool is_first = action == Rpz::kNone;
        if (!is_first && (length < length_ || (length == length_ && !(address < address_)))) return;
        action = found.value;
        length_ = length;
        address_ = address;
    }

    std::uint32_t action = Rpz::kNone;

  private:
    const matchers::PrefixValues& prefixes_;
    unsigned length_ = 0;  // of its own family
    IpAddress address_;
};

std::uint32_t action_of_addresses(const matchers::PrefixValues& addresses,
                                  const dns::Answer& answer,
                                  std::span<const dns::Pref64> translated) noexcept {
    BestAddress best(addresses);
    dns::any_answer_address(answer, [&](const std::uint8_t* bytes, bool is_v6) {
        best.consider(is_v6 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes));
        for (const dns::Pref64& prefix : translated) {
            if (!is_v6 || !prefix.holds(bytes)) continue;
            std::array<std::uint8_t, 4> behind{};
            prefix.extract(bytes, behind.data());
            best.consider(IpAddress::from_v4(behind.data()));
        }
        return false;
    });
    return best.action;
}

}  // namespace

Rpz::Found Rpz::find_question(const Scope& scope, const IpAddress& client,
                              std::span<const std::uint8_t> wire_name,
                              matchers::NameMatcher::Scratch& scratch) const noexcept {
    for (std::uint32_t z = scope.from; z < zones.size() && z < scope.before; ++z) {
        const Zone& zone = zones[z];
        const PolicyZone* const live = zone.load();
        const matchers::PrefixValues& clients = live == nullptr ? zone.clients : *live->clients;
        if (!clients.empty()) {
            const Found found{clients.find(client).value, z, Trigger::client, live};
            if (scope.takes(found)) return found;
        }
        if (!zone.has_names()) continue;
        const Found found = in_zone(action_of_name(zone, live, wire_name, scratch), z);
        if (scope.takes(found)) return found;
    }
    return {};
}

Rpz::Found Rpz::find_name(const Scope& scope, std::span<const std::uint8_t> wire_name,
                          matchers::NameMatcher::Scratch& scratch) const noexcept {
    for (std::uint32_t z = scope.from; z < zones.size() && z < scope.before; ++z) {
        if (!zones[z].has_names()) continue;
        const Found found =
            in_zone(action_of_name(zones[z], zones[z].load(), wire_name, scratch), z);
        if (scope.takes(found)) return found;
    }
    return {};
}

Rpz::Found Rpz::find_address(const Scope& scope, const dns::Answer& answer) const noexcept {
    for (std::uint32_t z = scope.from; z < zones.size() && z < scope.before; ++z) {
        const PolicyZone* const live = zones[z].load();
        const matchers::PrefixValues& addresses = zones[z].addresses_of(live);
        if (addresses.empty()) continue;
        const Found found{action_of_addresses(addresses, answer, translated), z, Trigger::address,
                          live};
        if (scope.takes(found)) return found;
    }
    return {};
}

bool Rpz::asks_answers_before(std::uint32_t before) const noexcept {
    for (std::uint32_t z = 0; z < zones.size() && z < before; ++z) {
        if (!zones[z].addresses_of(zones[z].load()).empty()) return true;
    }
    return false;
}

bool Rpz::legal_asks_answers() const noexcept {
    for (std::uint32_t z = 0; z < legal_zones; ++z) {
        if (zones[z].has_names() || !zones[z].addresses_of(zones[z].load()).empty()) return true;
    }
    return false;
}

}  // namespace steer
