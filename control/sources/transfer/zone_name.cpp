#include "control/sources/transfer/zone_name.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace steer::transfer {
namespace {

constexpr std::size_t kMostLabels = 128;

struct Labels {
    explicit Labels(ByteSpan name) noexcept {
        for (std::size_t at = 0; name[at] != 0 && count < kMostLabels; at += name[at] + 1U)
            starts[count++] = static_cast<std::uint8_t>(at);
    }
    std::array<std::uint8_t, kMostLabels> starts;
    std::size_t count = 0;
};

}  // namespace

// Labels from the right, each with an end that sorts before all bytes. Bytes 0 and 1 become two, so
// that the end is unique.
void add_sort_key(ByteSpan name, std::string& to) {
    const Labels labels(name);
    for (std::size_t l = labels.count; l-- > 0;) {
        const std::uint8_t* const label = &name[labels.starts[l]];
        for (std::size_t i = 1; i <= label[0]; ++i) {
            const auto byte = static_cast<char>(label[i]);
            if (label[i] <= 1) to.push_back('\1');
            to.push_back(label[i] <= 1 ? static_cast<char>(label[i] + 1) : byte);
        }
        to.push_back('\0');
    }
}

int compare_names(ByteSpan a, ByteSpan b) noexcept {
    const Labels la(a), lb(b);
    const std::size_t common = std::min(la.count, lb.count);
    for (std::size_t i = 1; i <= common; ++i) {
        const std::uint8_t* const x = &a[la.starts[la.count - i]];
        const std::uint8_t* const y = &b[lb.starts[lb.count - i]];
        const int order = std::memcmp(x + 1, y + 1, std::min(*x, *y));
        if (order != 0) return order;
        if (*x != *y) return *x < *y ? -1 : 1;
    }
    if (la.count == lb.count) return 0;
    return la.count < lb.count ? -1 : 1;
}

bool is_in_zone(ByteSpan name, ByteSpan zone) noexcept {
    while (name.size() > zone.size())
        name = parent_of(name);
    return std::ranges::equal(name, zone);
}

Bytes below_zone(ByteSpan name, ByteSpan zone) {
    const auto front = name.first(name.size() - zone.size());
    Bytes out(front.begin(), front.end());
    out.push_back(0);
    return out;
}

void lower_name(std::span<std::uint8_t> name) noexcept {
    for (std::uint8_t& byte : name) {
        if (byte >= 'A' && byte <= 'Z') byte = static_cast<std::uint8_t>(byte - 'A' + 'a');
    }
}

}  // namespace steer::transfer
