// Any bytes as geosite.dat and geoip.dat: the readers come back, and what they take is a rule, a
// prefix.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/list/geo_data.h"
#include "require.h"

namespace m = steer::matchers;

// NOLINTNEXTLINE(readability-identifier-naming): the fuzzer's name for it
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (const auto& selectors :
         {std::vector<std::string>{}, std::vector<std::string>{"cn@ads", "geo"}}) {
        if (const auto sites = m::read_geosite(bytes, "fuzz", selectors)) {
            for (const auto& [rule, number] : sites->list.rules)
                require(!rule.text.empty() && number > 0, "a rule has a text and a number");
            require(sites->missing.size() <= selectors.size(), "only selectors are missing");
        }
        if (const auto addresses = m::read_geoip(bytes, "fuzz", selectors)) {
            for (const auto& [prefix, number] : addresses->list.prefixes) {
                const auto again = m::Prefix::parse(prefix.to_string());
                require(again && again->address == prefix.address, "a prefix's text is the prefix");
            }
        }
    }
    return 0;
}
