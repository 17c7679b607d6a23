#include "routeros/features.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

namespace steer::routeros {
namespace {

constexpr Feature kFeatures[] = {
#define STEER_ROUTER_FEATURE(name, label, what, major, minor, patch, without) \
    {label, what, {major, minor, patch}, without},
    STEER_ROUTER_FEATURES(STEER_ROUTER_FEATURE)
#undef STEER_ROUTER_FEATURE
};

}  // namespace

std::optional<Version> Version::parse(std::string_view text) {
    std::array<unsigned, 3> parts{};
    const char* at = text.data();
    const char* const end = at + text.size();
    std::size_t count = 0;
    while (count < parts.size()) {
        const auto [next, error] = std::from_chars(at, end, parts[count]);
        if (error != std::errc{}) break;
        ++count;
        at = next;
        if (at == end || *at != '.') break;
        ++at;
    }
    if (count < 2) return std::nullopt;
    return Version{parts[0], parts[1], parts[2]};
}

std::string Version::to_string() const {
    const std::string text = std::to_string(major) + "." + std::to_string(minor);
    return patch == 0 ? text : text + "." + std::to_string(patch);
}

const Feature& feature(FeatureId id) {
    return kFeatures[static_cast<std::size_t>(id)];
}

const Feature* find_feature(std::string_view label) {
    const auto* const found = std::ranges::find(kFeatures, label, &Feature::label);
    return found != std::end(kFeatures) ? found : nullptr;
}

bool lacks(const Version& router, const Feature& feature) {
    return std::tie(router.major, router.minor) <
           std::tie(feature.first.major, feature.first.minor);
}

std::string lack_text(const Version& router, const Feature& feature) {
    const bool is_certain = feature.first != kOldestCompared;
    return "RouterOS " + router.to_string() + (is_certain ? " has no " : " is not known to have ") +
           std::string(feature.what) + " (" + feature.first.to_string() +
           " and newer have it): " + std::string(feature.without);
}

}  // namespace steer::routeros
