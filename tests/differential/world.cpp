#include "differential/world.h"

#include <array>

namespace steer::differential {
namespace {

unsigned hash(const std::string& text) {
    std::uint32_t h = 2166136261;
    for (const char c : text)
        h = (h ^ static_cast<unsigned char>(c)) * 16777619;
    h ^= h >> 15;
    h *= 0x2c1b3c6d;
    return h ^ h >> 12;
}

constexpr std::array<std::uint32_t, 6> kTtls{0, 3, 20, 60, 300, 300};

}  // namespace

std::optional<Reply> World::ask(const std::string& upstream, const std::string& name,
                                std::uint16_t type, std::uint16_t klass) {
    const std::string what =
        upstream + " " + name + " " + std::to_string(type) + " " + std::to_string(klass);
    const unsigned h = hash(what);
    const unsigned times = ++times_[what];
    const std::uint32_t ttl = kTtls[h / 64 % kTtls.size()];
    Reply r;
    switch (h % 16) {
        case 0:
            return std::nullopt;
        case 1:
            r.rcode = kServFail;
            return r;
        case 2:
            r.rcode = kNxDomain;
            r.soa = Record{name, kSoa, 100, "40"};
            return r;
        case 3:
            r.rcode = kNxDomain;
            return r;
        case 4:
            r.soa = Record{name, kSoa, 30, "900"};
            return r;
        case 5:
            r.rcode = 5;
            return r;
        default:
            break;
    }
    if (klass != 1) return r;
    std::string owner = name;
    if (h % 16 < 9) {  // behind an alias
        constexpr std::array kTargets{"x.a.example", "cdn.b.example", "far.net"};
        owner = kTargets[h / 512 % kTargets.size()];
        if (owner == name) owner = "other." + owner;
        r.answer.push_back({name, kCname, ttl + h / 16 % 2 * 7, owner});
        if (h % 16 == 6) return r;
    }
    if (type == kA) {
        r.answer.push_back(
            {owner, kA, ttl, "203.0.113." + std::to_string(h / 1024 % 2 * 128 + times % 100)});
        if (h / 32 % 2 == 0) r.answer.push_back({owner, kA, ttl + 5, "198.18.7.9"});
    } else if (type == kAaaa) {
        r.answer.push_back({owner, kAaaa, ttl, "2001:db8::" + std::to_string(1 + times % 9)});
    } else if (type == kTxt) {
        r.answer.push_back({owner, kTxt, ttl, "text" + std::to_string(times % 10)});
    }
    return r;
}

}  // namespace steer::differential
