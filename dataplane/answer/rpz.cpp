#include "dataplane/answer/rpz.h"

#include <array>

#include "dataplane/dns/hints.h"
#include "dataplane/dns/wire.h"

namespace steer {
namespace {

std::uint32_t action_of_name(const Rpz::Zone& zone, std::span<const std::uint8_t> name,
                             matchers::NameMatcher::Scratch& scratch) noexcept {
    if (const std::uint32_t exact = zone.names.find(name, scratch); exact != Rpz::kNone)
        return exact;
    if (name.size() < 2) return Rpz::kNone;  // the root has no parent
    const auto above = name.subspan(name[0] + 1U);
    const std::uint32_t below = zone.below.find(above, scratch);
    return below != Rpz::kNone ? below : zone.all;
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

std::uint32_t action_of_addresses(const Rpz::Zone& zone, const dns::Answer& answer,
                                  std::span<const dns::Pref64> translated) noexcept {
    BestAddress best(zone.addresses);
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

Rpz::Found Rpz::find_question(const IpAddress& client, std::span<const std::uint8_t> wire_name,
                              matchers::NameMatcher::Scratch& scratch) const noexcept {
    for (std::uint32_t z = 0; z < zones.size(); ++z) {
        const Zone& zone = zones[z];
        if (!zone.clients.empty()) {
            const auto found = zone.clients.find(client);
            if (found.value != kNone) return {found.value, z};
        }
        if (!zone.has_names()) continue;
        const std::uint32_t action = action_of_name(zone, wire_name, scratch);
        if (action != kNone) return {action, z};
    }
    return {};
}

Rpz::Found Rpz::find_name(std::span<const std::uint8_t> wire_name, std::uint32_t before,
                          matchers::NameMatcher::Scratch& scratch) const noexcept {
    for (std::uint32_t z = 0; z < zones.size() && z < before; ++z) {
        if (!zones[z].has_names()) continue;
        const std::uint32_t action = action_of_name(zones[z], wire_name, scratch);
        if (action != kNone) return {action, z};
    }
    return {};
}

Rpz::Found Rpz::find_address(const dns::Answer& answer, std::uint32_t before) const noexcept {
    for (std::uint32_t z = 0; z < zones.size() && z < before; ++z) {
        if (zones[z].addresses.empty()) continue;
        const std::uint32_t action = action_of_addresses(zones[z], answer, translated);
        if (action != kNone) return {action, z};
    }
    return {};
}

bool Rpz::asks_answers_before(std::uint32_t before) const noexcept {
    for (std::uint32_t z = 0; z < zones.size() && z < before; ++z) {
        if (!zones[z].addresses.empty()) return true;
    }
    return false;
}

AnswerRef Rpz::answer_for(const Action& action, std::uint16_t qtype) const noexcept {
    if (qtype == dns::kAny && action.typed.count > 0)
        return typed[action.typed.first].answer;  // RFC 8482
    for (std::uint32_t i = action.typed.first; i < action.typed.first + action.typed.count; ++i) {
        if (typed[i].qtype == qtype) return typed[i].answer;
    }
    return kNoAnswer;
}

}  // namespace steer
