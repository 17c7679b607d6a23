// Measures what is written to routers, how soon and at which price (routeros_scenes.h). Prints one JSON line.
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "fail.h"
#include "routeros_scenes.h"
#include "tools/rossim/cost.h"

namespace steer::bench {

void fail(const std::string& why) {
    std::cerr << "bench_routeros: " << why << '\n';
    std::exit(1);
}

rossim::Options router_like(std::string_view preset) {
    rossim::Options options;
    options.costs = rossim::built_in_presets().get(preset);
    options.latency_us = 2'000;
    return options;
}

std::string address(std::uint32_t n) {
    return "100." + std::to_string(64 + (n >> 16)) + "." + std::to_string(n >> 8 & 255) + "." +
           std::to_string(n & 255);
}

double p99_ms(std::vector<std::int64_t> delays_us) {
    if (delays_us.empty()) fail("nothing was measured");
    const auto at = delays_us.begin() + static_cast<std::ptrdiff_t>(delays_us.size() * 99 / 100);
    std::nth_element(delays_us.begin(), at, delays_us.end());
    return static_cast<double>(*at) / 1000;
}

double rounded(double value) {
    return std::round(value * 1000) / 1000;
}

namespace {

std::string sha256(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
        fail("no SHA-256");
    }
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        std::array<char, 3> byte{};
        std::snprintf(byte.data(), byte.size(), "%02x", digest.at(i));
        hex += byte.data();
    }
    return hex;
}

void run(std::string_view only) {
    struct Scene {
        std::string_view name;
        boost::json::object (*measure)();
    };
    constexpr Scene kScenes[] = {{"repair", measure_repair},
                                 {"holds", measure_holds},
                                 {"renewals", measure_renewals},
                                 {"fleet", measure_fleet},
                                 {"claims", measure_claims}};
    boost::json::object figures;
    for (const auto& scene : kScenes) {
        if (!only.empty() && only != scene.name) continue;
        for (auto& [name, value] : scene.measure())
            figures[name] = value;
    }
    if (figures.empty()) fail("no scene " + std::string{only});
    figures["presets_sha256"] = sha256(rossim::built_in_presets_text());
    std::cout << boost::json::serialize(figures) << '\n';
}

}  // namespace
}  // namespace steer::bench

// bench_routeros [repair|holds|renewals|fleet|claims], or: growth CLAIMS, fleet ROUTERS
int main(int argc, char** argv) {
    if (argc > 2) {
        const auto number = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
        const bool is_fleet = std::string_view(argv[1]) == "fleet";
        std::cout << boost::json::serialize(is_fleet ? steer::bench::measure_fleet_of(number)
                                                     : steer::bench::measure_growth(number))
                  << '\n';
        return 0;
    }
    steer::bench::run(argc > 1 ? argv[1] : "");
}
