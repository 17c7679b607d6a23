#include "dataplane/answer/special_names.h"

#include <algorithm>

namespace steer {
namespace {

bool is_before(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept {
    if (a.size() != b.size()) return a.size() < b.size();
    return std::memcmp(a.data(), b.data(), a.size()) < 0;
}

}  // namespace

AnswerRef SpecialNames::Name::find(std::uint16_t qtype, bool is_apex) const noexcept {
    AnswerRef typed = kNoAnswer;
    switch (qtype) {
        case dns::kDs:
            if (is_apex && has_parent) return kNoAnswer;
            break;
        case dns::kA:
            typed = a;
            break;
        case dns::kAaaa:
            typed = aaaa;
            break;
        case dns::kPtr:
            typed = is_apex ? pointer : kNoAnswer;
            break;
        case dns::kSoa:
            typed = is_apex ? soa : kNoAnswer;
            break;
        case dns::kNs:
            typed = is_apex ? ns : kNoAnswer;
            break;
        default:
            break;
    }
    if (typed != kNoAnswer) return typed;
    return is_apex ? apex : below;
}

void SpecialNames::add(std::span<const std::uint8_t> wire, const Name& name) {
    std::size_t at = 0;
    while (at < places_.size() && is_before(wire_at(at), wire))
        ++at;
    const Place place{static_cast<std::uint16_t>(wires_.size()),
                      static_cast<std::uint8_t>(wire.size())};
    wires_.insert(wires_.end(), wire.begin(), wire.end());
    places_.insert(places_.begin() + static_cast<std::ptrdiff_t>(at), place);
    names_.insert(names_.begin() + static_cast<std::ptrdiff_t>(at), name);
    filter_ |= std::uint64_t{1} << slot_of(wire);
    lengths_[wire.size() / 64] |= std::uint64_t{1} << (wire.size() % 64);
}

SpecialNames::Found SpecialNames::find(std::span<const std::uint8_t> name) const noexcept {
    for (std::size_t at = 0; at < name.size() && name[at] != 0; at += 1U + name[at]) {
        const auto suffix = name.subspan(at);
        if (!has_length(suffix.size())) continue;
        std::size_t first = 0, last = places_.size();
        while (first < last) {
            const std::size_t middle = (first + last) / 2;
            if (is_before(wire_at(middle), suffix)) {
                first = middle + 1;
            } else {
                last = middle;
            }
        }
        if (first < places_.size() && std::ranges::equal(wire_at(first), suffix))
            return {&names_[first], at == 0};
    }
    return {};
}

}  // namespace steer
